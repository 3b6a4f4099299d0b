"""Carries the questions to a discovery URL, with aiohttp. Knows nothing of what is asked.

HTTPS servers are trusted by the system's CAs, or those of the file that SSL_CERT_FILE names.
"""

import logging
import os
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from server.cluster.discovery import Unreachable
from server.cluster.discoverystate import Answer
from server.gowords import in_go_words

logger = logging.getLogger("server.cluster.discovery")


class DiscoveryClient:
    """A context manager, made and used on a running loop. ``proxy`` is --discovery-proxy, ``""`` for none."""

    def __init__(self, url: str, proxy: str = "") -> None:
        self._url = url.rstrip("/")
        self._proxy = proxy_url(proxy)
        if self._proxy:
            logger.info('using proxy "%s"', self._proxy)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, value: str | None = None, *, patience: float) -> Answer:
        """As :class:`server.cluster.discovery.Ask` says."""
        try:
            async with self._session.request(
                method,
                URL(self._url + path),
                data=None if value is None else {"value": value},
                proxy=self._proxy or None,
                timeout=aiohttp.ClientTimeout(total=patience),
            ) as response:
                index = response.headers.get("X-Etcd-Index", "")
                body = await response.read()
                return Answer(response.status, int(index) if index.isdigit() else 0, body)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(in_go_words(error), self._advice(error)) from error

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
