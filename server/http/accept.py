"""A listener: accepts connections, and does the TLS handshake where TLS is configured. The rest is up to the protocol.

The servers of the event loops accept connections until the process cannot open another file, and do not report a
handshake that fails; here there is a limit, and both cases are one line in the log.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import NamedTuple

from server.handshake import Parting
from server.http.limits import Doing, Limits
from server.listen import address_text
from server.mergelogger import MergeLogger

logger = logging.getLogger(__name__)

_AT_ONCE = 64
"""Connections that are accepted before other work of the event loop has its turn. A choice: more would delay the
requests of connections that are open; fewer would need more passes of the loop in a rush."""

_REST = 1.0
"""Seconds before the next try when no connection can be accepted, as when the process has too many files open: the
longest delay of Go's net/http in this case."""

_FULL_REST = 0.02
"""Seconds before the next look whether there is room for one more. A choice: a client hardly notices so short a wait,
and fifty looks a second cost nothing."""

_MERGE_PERIOD = 60.0
"""Seconds for which lines that say there is no room are merged: there are up to fifty of them a second, and one a
minute is enough."""

_FULL = "http: there are as many connections as may be; others wait until one is closed"

_PARTING = 0.1
"""Seconds that a handshake may still take when the listener is closed. A choice: enough for one that goes well, and a
stop need not wait longer for others."""


class Beginning(NamedTuple):
    """A connection that has no protocol yet; a ``Guest``."""

    task: "asyncio.Task[None]"
    address: str
    since: float
    doing: Doing = Doing.WAITING

    def leave(self) -> None:
        self.task.cancel()


class Listener:
    """Accepts connections from a listening socket until it is closed, while ``has_room`` returns True; others wait in
    the system's queue. With a context they use TLS, and a handshake may take ``handshake`` seconds. ``make_room`` is
    called for each connection before it is served; it may close another, also one of ``beginning``, and returns whether
    it did.
    """

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext | None,
        protocol: Callable[[], asyncio.Protocol],
        has_room: Callable[[], bool] = lambda: True,
        make_room: Callable[[], bool] = lambda: False,
        handshake: float = Limits().handshake,
    ) -> None:
        self._sock = sock
        self._context = context
        self._protocol = protocol
        self._has_room = has_room
        self._make_room = make_room
        self._handshake = handshake
        self._loop = asyncio.get_running_loop()
        self.beginning: set[Beginning] = set()
        """Accepted connections that have no protocol yet."""
        self._resting: asyncio.TimerHandle | None = None
        self._merge_logger = MergeLogger(_MERGE_PERIOD, self._loop)
        self._resume()

    @property
    def shaking_hands(self) -> Iterable[Beginning]:
        """The accepted connections that are in a TLS handshake."""
        return () if self._context is None else self.beginning

    async def close(self) -> None:
        """Stops listening. On return accepted connections have their protocol; handshakes that hang are broken off."""
        if self._resting is None:
            self._loop.remove_reader(self._sock)
        else:
            self._resting.cancel()
        self._sock.close()
        tasks = [beginning.task for beginning in self.beginning]
        if tasks:
            # Not cancelled at once: that would close a connection under a protocol that has just got it.
            _, hanging = await asyncio.wait(tasks, timeout=_PARTING)
            for task in hanging:
                task.cancel()

    def _resume(self) -> None:
        self._resting = None
        self._loop.add_reader(self._sock, self._accept)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._sock)
        self._resting = self._loop.call_later(seconds, self._resume)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if not self._has_room():
                self._merge_logger.log(logger, logging.WARNING, _FULL)
                self._rest(_FULL_REST)
                return
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # the client closed it before it was accepted
            except OSError as error:
                logger.error("http: Accept error: %s; trying again in %.0fs", error, _REST)
                self._rest(_REST)
                return
            sock.setblocking(False)
            crowded = self._make_room()
            self._take(sock, address)
            if crowded:
                return  # the loop closes the other's file only in its next pass

    def _take(self, sock: socket.socket, address: tuple[object, ...]) -> None:
        task = self._loop.create_task(self._begin(sock, address))
        beginning = Beginning(task, str(address[0]), self._loop.time())
        self.beginning.add(beginning)
        task.add_done_callback(lambda _: self.beginning.discard(beginning))

    async def _begin(self, sock: socket.socket, address: tuple[object, ...]) -> None:
        parting = Parting(sock)
        try:
            await self._loop.connect_accepted_socket(
                self._protocol,
                sock,
                ssl=self._context,
                ssl_handshake_timeout=None if self._context is None else self._handshake,
            )
        except OSError as error:
            if self._context is not None:
                logger.info("http: TLS handshake error from %s: %s", address_text(address), _reason(error))
        finally:
            await parting.end()


def _reason(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error) or "EOF"
    reason = (error.reason or str(error)).lower().replace("_", " ")
    return _CLEARER.get(reason, reason)


_CLEARER = {
    "http request": "the client speaks plain HTTP; this address is served with TLS: use https://",
    "peer did not return a certificate": "tls: client didn't provide a certificate",
}
