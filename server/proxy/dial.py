"""How a connection to a member comes about."""

import asyncio
import socket
import ssl

from server.cluster.srv import LookUp, LookupFailed
from server.config import UrlError, parse_url, without_zone
from server.gowords import in_go_words
from server.proxy.connection import Pool, UpstreamConnection

_TLS_HANDSHAKE = 10.0
"""Seconds more for a connection with TLS, as Go gives them."""


class DialError(Exception):
    """No connection came about; in Go's words."""


class Dial:
    """Makes connections for ``pool``. ``tls`` is for endpoints with https; hosts are looked up by ``look_up``, which
    raises LookupFailed, or by the system."""

    def __init__(self, pool: Pool, tls: ssl.SSLContext | None, look_up: LookUp | None = None) -> None:
        self._pool = pool
        self._tls = tls
        self._look_up = look_up

    async def __call__(self, endpoint: str) -> UpstreamConnection:
        """A new connection. Raises DialError."""
        try:
            url = parse_url(endpoint)
        except UrlError as error:
            raise DialError(f"upstream URL invalid: {error}") from error
        pool, secure = self._pool, url.scheme == "https"
        seconds = pool.timeouts.dial
        try:
            async with asyncio.timeout(seconds + (_TLS_HANDSHAKE if secure else 0) if seconds else None):
                _, connection = await pool.loop.create_connection(
                    lambda: UpstreamConnection(pool, endpoint),
                    await self._address(url.hostname),
                    int(url.port or "0"),
                    ssl=(self._tls or True) if secure else None,
                    server_hostname=without_zone(url.hostname) if secure else None,
                )
        except LookupFailed as error:
            raise DialError(f"dial tcp: {error}") from error
        except TimeoutError:
            raise DialError(f"dial tcp {url.host}: i/o timeout") from None
        except (OSError, ValueError) as error:
            raise DialError(_failed_dial(url.host, error)) from error
        return connection

    async def _address(self, host: str) -> str:
        return host if self._look_up is None else (await self._look_up(host))[0]


def _failed_dial(host: str, error: OSError | ValueError) -> str:
    """In Go's words."""
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host.rpartition(':')[0]}: no such host"
    words = in_go_words(error)
    return words if isinstance(error, ssl.SSLError) else f"dial tcp {host}: connect: {words}"
