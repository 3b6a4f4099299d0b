"""aiohttp's client, held to the bounds of ``server.bounded``: for who asks others from an event loop."""

import asyncio
import re
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from server.bounded import MAX_HEADERS, MAX_LINE, Body, Bounds, check_encoding


def bounded_session(connector: aiohttp.BaseConnector | None = None, **options: Any) -> aiohttp.ClientSession:
    """A session whose answers have heads of bounded size, are never unpacked, and set no cookies. Made on a running
    loop."""
    connector = connector or aiohttp.TCPConnector()
    make: Any = partial(_Handler, loop=asyncio.get_running_loop())
    connector._factory = make  # aiohttp has no other way in
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
        **options,
    )


class _Handler(ResponseHandler):
    """Reads answers as aiohttp does, but gives up who sends one ``100 Continue`` after the other: aiohttp makes objects
    of them all, two hundred times as large."""

    _interim = 0

    def data_received(self, data: bytes) -> None:
        at = 0
        while len(data) - at > _STEP and self._payload is None and self._exception is None:
            super().data_received(data[at : at + _STEP])
            at += _STEP
        super().data_received(data[at:] if at else data)

    def feed_data(self, data: Any, size: int = 0) -> None:
        self._interim = self._interim + 1 if 100 <= data[0].code < 200 else 0
        if self._interim <= _MOST_INTERIM:
            super().feed_data(data, size)
        elif self._exception is None:
            self._buffer.clear()
            self.set_exception(aiohttp.ClientError(f"more than {_MOST_INTERIM} answers that are none (1xx)"))


_MOST_INTERIM = 16
_STEP = 4096
"""Bytes of a head that are looked at in one go."""


async def body_of(response: aiohttp.ClientResponse, bounds: Bounds) -> bytes:
    """The whole body. Raises BadAnswer for one that is too long or compressed, and what aiohttp raises.

    The time is that of the request's own ClientTimeout.
    """
    body = Body(bounds.body)
    try:
        check_encoding(response.headers.get("Content-Encoding", ""))
        body.announced(response.headers.get("Content-Length", ""))
        while piece := await response.content.readany():
            body.add(piece)
    except BaseException:
        response.close()
        raise
    return body.whole()


def to_dial(text: str) -> URL:
    """A URL as aiohttp takes it: it dials a zone of IPv6 (``[fe80::1%25eth0]``) as it is written, so without the 25.
    Raises ValueError."""
    return URL(_ZONE.sub(r"\1%", text, count=1))


def host_header(url: URL) -> dict[str, str]:
    """Goes with a request to such a URL when its host has a zone, which is nobody else's business."""
    host = url.raw_host or ""
    if ":" not in host or "%" not in host:
        return {}
    place = f"[{host.partition('%')[0]}]"
    return {"Host": place if url.is_default_port() else f"{place}:{url.port}"}


_ZONE = re.compile(r"(^[a-zA-Z]+://(?:[^/?#@]*@)?\[[0-9a-fA-F:.]+)%25")
