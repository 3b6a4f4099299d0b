"""A TLS handshake that fails: the client gets the alert that says why, and time to read it.

The event loops' TLS leaves an alert unsent when a handshake fails, and closes at once. With client certificates over
TLS 1.3 the client has sent its request by then; a socket that is closed with bytes unread resets the connection, which
may destroy what is under way.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_PARTING = 0.5
"""Seconds that a client has to read why, and to close."""

_PLAIN = (
    b"HTTP/1.0 400 Bad Request\r\n\r\n"
    b"This address is served with TLS, and the request came without: use https://.\n"
)
"""The answer to HTTP on an address with TLS. Newer Go has one too."""


class Parting:
    """A connection's last words. While it is the ``current``, handshakes that begin report their failures to it.

    Every ``Parting`` must be ended, whether the handshake failed or not.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._kept: socket.socket | None = None
        _current.set(self)

    def say(self, words: bytes) -> None:
        """Sends them past the transport, which will close its socket, and keeps the connection open for ``end``."""
        with contextlib.suppress(OSError):  # gone, or no file is left to keep it by
            self._kept = self._sock.dup()
            self._kept.setblocking(False)
            self._kept.send(words)

    async def end(self) -> None:
        """Waits until the client has closed, if there were last words, but not for long."""
        if self._kept is None:
            return
        with self._kept as kept, contextlib.suppress(OSError, TimeoutError):
            kept.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(_PARTING):
                while await asyncio.get_running_loop().sock_recv(kept, 1 << 16):
                    """What came before it knew."""


_current: ContextVar[Parting] = ContextVar("parting")


class ListenerContext(ssl.SSLContext):
    """A listener's context, whose failed handshakes are reported to the ``Parting`` in whose context they began."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        parting = _current.get(None)
        if isinstance(made, _Handshaking) and parting is not None:
            made.refuse = lambda error: parting.say(_last_words(error, outgoing))
        return made


class _Handshaking(ssl.SSLObject):
    """Hands the alert over when the handshake fails."""

    refuse: Callable[[ssl.SSLError], None] | None = None

    def do_handshake(self, *args: Any) -> None:
        try:
            super().do_handshake(*args)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if self.refuse is not None:
                self.refuse(error)
            raise


ListenerContext.sslobject_class = _Handshaking


def _last_words(error: ssl.SSLError, outgoing: ssl.MemoryBIO) -> bytes:
    alert = outgoing.read()
    return _PLAIN if error.reason == "HTTP_REQUEST" else alert
