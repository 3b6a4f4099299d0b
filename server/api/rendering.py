"""Long bodies, made piece by piece as the client takes them, so that nobody else waits for them meanwhile."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter

from server.http.messages import BrokenOff, Finishing

logger = logging.getLogger(__name__)

TURN = 0.002
"""Seconds of such work after which others get their turn: nobody waits longer for the answer to another."""

BREATH = 0.001
"""Seconds until it continues: in one go it would leave the log's thread waiting for the interpreter after every system
call, and with it all who write."""

PATIENCE = 300.0
"""Seconds that a client may take for nothing of a body: etcd's read timeout, as for requests that do not come."""

SLOWEST = 16 << 10
"""Bytes a second that it must take after that on average, far less than any network of a cluster carries; a client
that reads more slowly is cut off."""


class Turns:
    """Work in small pieces, one after the other, each asked for separately."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque()
        self._due = False

    def ask(self, work: Callable[[], object]) -> None:
        """Has ``work`` called as soon as its turn has come. It must not raise anything."""
        self._waiting.append(work)
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        until = perf_counter() + TURN
        try:
            while self._waiting:
                self._waiting.popleft()()
                if perf_counter() >= until:
                    break
        finally:
            self._due = bool(self._waiting)
            if self._due:
                asyncio.get_running_loop().call_later(BREATH, self._work)


class Pieces(Finishing):
    """Text as a stream of pieces, each made not before the one before it is taken."""

    def __init__(self, turns: Turns, pieces: Iterator[str]) -> None:
        self.taken = 0
        """Bytes."""
        self._turns = turns
        self._pieces: Iterator[str] | None = pieces
        self._piece = b""
        self._asked = False
        self._ended = False
        self._broken = False
        self._tell: Callable[[], object] = _nothing

    def take(self) -> bytes | None:
        """The next piece if it is made already, b"" while it is being made; None at the end. Raises BrokenOff."""
        piece, self._piece = self._piece, b""
        if piece:
            self.taken += len(piece)
            return piece
        if self._broken:
            raise BrokenOff
        if self._ended:
            return None
        if not self._asked:
            self._asked = True
            self._turns.ask(self._make)
        return b""

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called when a piece is made, or there are no more."""
        self._tell = tell

    def is_at_something(self) -> bool:
        return True

    def close(self) -> None:
        """Lets go of everything. Harmless when it has happened already."""
        self._pieces = None
        self._piece = b""
        self._ended = True
        self._tell = _nothing

    def _make(self) -> None:
        self._asked = False
        if self._pieces is None:
            return
        try:
            while not self._piece:
                self._piece = next(self._pieces).encode()
        except StopIteration:
            self._ended = True
        except Exception:
            logger.exception("this is a fault in the server, please report it: a long answer")
            self._broken = True
        self._tell()


class Rendering(Pieces):
    """A whole body, as a ``Stream``.

    A client that reads too slowly, see PATIENCE and SLOWEST, is cut off, lest it hold without end what the pieces are
    made of. ``on_close`` is called once.
    """

    def __init__(
        self, turns: Turns, pieces: Iterator[str], on_close: "Callable[[Rendering], object] | None" = None
    ) -> None:
        super().__init__(turns, pieces)
        self._abort: Callable[[], object] = _nothing
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timer = self._loop.call_later(PATIENCE, self._look_at_the_time)

    def ends_by_itself(self) -> bool:
        return True

    def on_late(self, abort: Callable[[], object]) -> None:
        self._abort = abort

    def break_off(self) -> None:
        """Cuts the client off."""
        self._broken = True
        abort = self._abort
        self.close()
        abort()

    def close(self) -> None:
        super().close()
        self._timer.cancel()
        self._abort = _nothing
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close(self)

    def _look_at_the_time(self) -> None:
        due = self._began + PATIENCE + self.taken / SLOWEST
        if self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._look_at_the_time)
            return
        logger.info("a client that does not read its long answer is cut off after %d bytes of it", self.taken)
        self.break_off()


def _nothing() -> None:
    pass
