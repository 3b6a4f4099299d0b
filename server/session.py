"""aiohttp's client, held to the bounds of ``server.bounded``: for who asks others from an event loop."""

import re
from typing import Any

import aiohttp
from yarl import URL

from server.bounded import MAX_HEADERS, MAX_LINE, Body, Bounds, check_encoding


def bounded_session(connector: aiohttp.BaseConnector | None = None, **options: Any) -> aiohttp.ClientSession:
    """A session whose answers have heads of bounded size, are never unpacked, and set no cookies."""
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
        **options,
    )


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
