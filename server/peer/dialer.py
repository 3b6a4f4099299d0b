"""Requests to peers, by HTTP. The only module of the room that knows aiohttp's client, whose import takes as long as
that of all else in a member: so this one is imported when there is somebody to ask. Decides nothing.

Whatever goes wrong on the way is a PeerUnreachable, in the words that Go has for it.
"""

import asyncio
import io
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from server.cluster import PeerAnswer, PeerUnreachable
from server.cluster.srv import LookUp, LookupFailed
from server.gowords import in_go_words
from server.peer.checks import BOUNDS
from server.session import BoundedConnector, body_of, bounded_session, host_header, to_dial

_UNACKNOWLEDGED = 10_000
"""Milliseconds that sent bytes may stay without acknowledgement before the kernel closes the connection: twice the
time after which etcd gives up a silent peer. The default of Linux is a quarter of an hour."""

_IDLE = 3.0
"""Seconds after which an idle connection is not used again; peers close them after 5."""

_TLS_HANDSHAKE = 10.0
"""Seconds more for a connection with TLS, as Go gives them."""


class StreamingAnswer:
    """An answer whose body has no end; read it in pieces as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def read(self) -> bytes:
        """The whole body, of an answer that is not a stream."""
        with _as_unreachable():
            return await body_of(self._response, BOUNDS)

    async def next(self) -> bytes:
        """The next bytes, as they come; empty at the end."""
        with _as_unreachable():
            return await self._response.content.readany()


class Dialer:
    """Connections to peers. ``tls`` is for URLs with https; times are seconds.

    A connection that is waited for longer than ``connect_timeout`` is given up, and a stream that is silent for longer
    than ``silence``. Hosts are looked up by ``look_up``, which raises LookupFailed, or by the system. Made and
    used on a running loop.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None,
        *,
        connect_timeout: float,
        silence: float,
        look_up: LookUp | None = None,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._silence = silence
        connector = BoundedConnector(
            ssl=tls or True,
            limit=0,
            keepalive_timeout=_IDLE,
            socket_factory=_socket,
            resolver=None if look_up is None else _Resolver(look_up),
        )
        self._session = bounded_session(
            connector,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        )

    async def close(self) -> None:
        await self._session.close()

    async def get(self, url: str, path: str, patience: float) -> PeerAnswer:
        """The answer to a GET, within ``patience`` seconds."""
        with _as_unreachable():
            async with self._request("GET", url, path, {}, total=patience) as response:
                return PeerAnswer(response.status, response.headers, await body_of(response, BOUNDS))

    async def post(
        self, url: str, path: str, headers: Mapping[str, str], body: bytes, patience: float | None
    ) -> PeerAnswer:
        """The answer to a POST, within ``patience`` seconds if that is not None."""
        with _as_unreachable():
            # A file is sent piece by piece.
            async with self._request(
                "POST", url, path, headers, total=patience, data=io.BytesIO(body)
            ) as response:
                return PeerAnswer(response.status, response.headers, await body_of(response, BOUNDS))

    @asynccontextmanager
    async def stream(self, url: str, path: str, headers: Mapping[str, str]) -> AsyncIterator[StreamingAnswer]:
        """An endless answer to a GET, until the context ends."""
        with _as_unreachable():
            async with asyncio.timeout(self._patience_for(url) + self._silence):
                response = await self._request("GET", url, path, headers, sock_read=self._silence)
        try:
            yield StreamingAnswer(response)
        finally:
            response.close()

    def _request(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str],
        *,
        total: float | None = None,
        sock_read: float | None = None,
        data: Any = None,
    ) -> Any:
        timeout = aiohttp.ClientTimeout(
            total=total, sock_connect=self._patience_for(url), sock_read=sock_read
        )
        goal = to_dial(url + path)
        return self._session.request(
            method,
            goal,
            headers={**headers, **host_header(goal)},
            data=data,
            timeout=timeout,
            allow_redirects=False,
        )

    def _patience_for(self, url: str) -> float:
        """Seconds for a connection."""
        return self._connect_timeout + (_TLS_HANDSHAKE if url.startswith("https:") else 0)


class _Resolver(AbstractResolver):
    """A look-up as aiohttp wants it."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 (addresses of both are taken)
    ) -> list[ResolveResult]:
        try:
            addresses = await self._look_up(host)
        except LookupFailed as error:
            raise OSError(str(error)) from error
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None: ...


def _socket(address: Any) -> socket.socket:
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
    return sock


class _as_unreachable:
    """A context that turns aiohttp's exceptions into ours, and ValueErrors too: URLs come from outside."""

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, aiohttp.ClientError | OSError | asyncio.TimeoutError | ValueError):
            raise PeerUnreachable(in_go_words(error)) from error
