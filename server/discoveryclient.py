"""Carries the questions to a discovery URL, with aiohttp. Knows nothing of what is asked.

HTTPS servers are trusted by the system's CAs, or those of the file that SSL_CERT_FILE names.
"""

import asyncio
import logging
import os
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from server.asking import NoAnswer, redirected
from server.bounded import ACCEPT, Bounds, index_in
from server.cluster.discovery import Unreachable
from server.cluster.discoverystate import KeysAnswer
from server.config import redacted
from server.gowords import in_go_words
from server.session import body_of, bounded_session, host_header, to_dial

logger = logging.getLogger("server.cluster.discovery")

BODY = 1 << 20
"""Bytes of one answer. The largest is a token with 100 registrations, of some hundred bytes each."""

_REDIRECTS = 5
"""etcd redirects once, to the leader; a balancer in front of it may add one or two. More are a loop."""


class DiscoveryClient:
    """A context manager, made and used on a running loop. ``proxy`` is --discovery-proxy, ``""`` for none."""

    def __init__(self, url: str, proxy: str = "") -> None:
        self._url = url.rstrip("/")
        self._proxy = proxy_url(proxy)
        if self._proxy:
            logger.info('using proxy "%s"', redacted(self._proxy))

    async def __aenter__(self) -> Self:
        self._session = bounded_session()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, value: str | None = None, *, patience: float) -> KeysAnswer:
        """As :class:`server.cluster.discovery.Ask` says."""
        limit = Bounds(BODY, patience)
        try:
            async with asyncio.timeout(patience):
                return await self._followed(method, self._url + path, value, limit)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, NoAnswer) as error:
            raise Unreachable(redacted(in_go_words(error)), self._advice(error)) from error

    async def _followed(self, method: str, url: str, value: str | None, limit: Bounds) -> KeysAnswer:
        """A redirect that stays on the host is followed, with the same method, as etcd follows it."""
        for _ in range(_REDIRECTS + 1):
            goal = to_dial(url)
            async with self._session.request(
                method,
                goal,
                data=None if value is None else {"value": value},
                headers={**ACCEPT, **host_header(goal)},
                proxy=self._proxy or None,
                timeout=aiohttp.ClientTimeout(total=limit.seconds),
                allow_redirects=False,
            ) as response:
                location = response.headers.get("Location", "")
                if response.status not in (301, 302, 303, 307, 308) or not location:
                    index = index_in(response.headers.get("X-Etcd-Index", ""))
                    return KeysAnswer(response.status, index, await body_of(response, limit))
            url = redirected(url, location)
        raise NoAnswer(f"client: too many redirects (more than {_REDIRECTS})")

    def _advice(self, error: BaseException) -> str:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            file = os.environ.get("SSL_CERT_FILE")
            trusted = (
                f"those of SSL_CERT_FILE={file}"
                if file
                else "the system's; SSL_CERT_FILE may name a file of others"
            )
            return f"the certificate of {self._url} is not trusted; the CAs that count are {trusted}"
        by = f" through the proxy {self._proxy}" if self._proxy else ""
        return (
            f"check that {self._url} can be reached from here{by}; it is asked again until it answers, and whoever "
            "has registered stays so" + ("" if by else " (behind an HTTP proxy: --discovery-proxy)")
        )


def proxy_url(proxy: str) -> str:
    """The URL of --discovery-proxy, which may come without ``http://``."""
    return proxy if not proxy or urlsplit(proxy).scheme.startswith("http") else f"http://{proxy}"
