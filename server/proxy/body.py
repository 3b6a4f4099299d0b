"""The body of a long answer, between the member that sends it and the client that takes it."""

import logging
from collections.abc import Callable
from typing import Protocol

from server.http.messages import BrokenOff

logger = logging.getLogger(__name__)

_AHEAD = 256 << 10
"""Bytes of a body that are read before the client takes them: enough to keep the connection busy, and little for
each of thousands of clients."""


class Source(Protocol):
    """The connection that a body comes by."""

    endpoint: str

    def read_on(self) -> None: ...

    def read_later(self) -> None: ...

    def close(self) -> None: ...


class StreamedBody:
    """The body of an answer on its way to the client, as a ``Stream``. Closed before its end, it takes the connection
    along: so a client's end ends what it has asked for."""

    def __init__(self, connection: Source) -> None:
        self.whole = False
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._broken = False
        self._tell: Callable[[], object] = lambda: None

    # The connection's side

    def feed(self, piece: bytes) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _AHEAD:
            self._connection.read_later()
        self._tell()

    def end(self) -> None:
        self.whole = True
        self._tell()

    def break_off(self, why: str) -> None:
        logger.debug("the body from %s is not whole: %s", self._connection.endpoint, why)
        self._broken = True
        self._tell()

    # The client's side

    def take(self) -> bytes | None:
        """What has come. Raises BrokenOff when no more will, though it is not whole."""
        if not self._pieces:
            if self._broken:
                raise BrokenOff
            return None if self.whole else b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if not (self.whole or self._broken):
            self._connection.read_on()
        return data

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called at every piece, and at the end."""
        self._tell = tell

    def close(self) -> None:
        """Nobody wants the rest."""
        self._tell = lambda: None
        if not (self.whole or self._broken):
            self._connection.close()
