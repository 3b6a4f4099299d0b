"""A listener that speaks TLS: takes connections and shakes hands. What is said then is a protocol's business.

The servers of the event loops keep a handshake that fails to themselves; here it is one line in the log, as in Go's
net/http.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from server.listen import address_text

logger = logging.getLogger(__name__)

_REST = 1.0
"""Seconds before the next try when no connection can be taken, as when the process has too many files open."""


class TlsListener:
    """Takes connections from a listening socket, from now until it is closed."""

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol]
    ) -> None:
        self._sock = sock
        self._context = context
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._shaking: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Listens no more; connections that shook hands go on."""
        for task in (self._accepting, *self._shaking):
            task.cancel()
        self._sock.close()

    async def _accept(self) -> None:
        while True:
            try:
                sock, address = await self._loop.sock_accept(self._sock)
            except ConnectionError:
                continue  # gone before it was taken
            except OSError as error:
                logger.error("http: Accept error: %s; trying again in %.0fs", error, _REST)
                await asyncio.sleep(_REST)
                continue
            task = self._loop.create_task(self._shake_hands(sock, address))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake_hands(self, sock: socket.socket, address: tuple[object, ...]) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, sock, ssl=self._context)
        except OSError as error:
            logger.info("http: TLS handshake error from %s: %s", address_text(address), _reason(error))


def _reason(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error) or "EOF"
    reason = (error.reason or str(error)).lower().replace("_", " ")
    return _CLEARER.get(reason, reason)


_CLEARER = {
    "http request": "the client speaks plain HTTP; this address is served with TLS: use https://",
    "peer did not return a certificate": "tls: client didn't provide a certificate",
}
