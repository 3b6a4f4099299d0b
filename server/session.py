"""aiohttp's client, held to the bounds of ``server.bounded``: for who asks others from an event loop."""

import asyncio
import re
from typing import Any, cast

import aiohttp
import httptools
from yarl import URL

from server.bounded import MAX_HEADERS, MAX_LINE, BodyCollector, Bounds, check_encoding


def bounded_session(connector: "BoundedConnector | None" = None, **options: Any) -> aiohttp.ClientSession:
    """A session whose answers have heads of bounded size, are never unpacked, and set no cookies. Made on a running
    loop."""
    return aiohttp.ClientSession(
        connector=connector or BoundedConnector(),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
        **options,
    )


class BoundedConnector(aiohttp.TCPConnector):
    """Gives up who answers with one ``100 Continue`` after the other: aiohttp makes objects of them all, two hundred
    times as large."""

    async def connect(self, *args: Any, **options: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*args, **options)
        transport = connection.transport
        if transport is not None:
            reader = transport.get_protocol()
            if not isinstance(reader, _Counting):
                reader = _Counting(transport, cast(asyncio.Protocol, reader))
                transport.set_protocol(reader)
            reader.begin()
        return connection


class _Counting(asyncio.Protocol):
    """Between a transport and aiohttp's protocol: counts what comes before an answer."""

    def __init__(self, transport: asyncio.Transport, reader: asyncio.Protocol) -> None:
        self._transport = transport
        self._parser: httptools.HttpResponseParser | None = None  # until the answer begins
        self._interim = 0
        self.connection_lost = reader.connection_lost  # type: ignore[method-assign]
        self.eof_received = reader.eof_received  # type: ignore[method-assign]
        self.pause_writing = reader.pause_writing  # type: ignore[method-assign]
        self.resume_writing = reader.resume_writing  # type: ignore[method-assign]
        self._receive = reader.data_received

    def begin(self) -> None:
        """A request is sent now."""
        self._interim = 0
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        at = 0
        while self._parser is not None and len(data) > at:
            self._count(data[at : at + _STEP])
            if self._interim > _MOST_INTERIM:
                self._parser = None
                words = f"more than {_MOST_INTERIM} answers that are none (1xx)"
                self.connection_lost(aiohttp.ClientError(words))
                self._transport.abort()
                return
            self._receive(data[at : at + _STEP])
            at += _STEP
        if len(data) > at:
            self._receive(data[at:])

    def _count(self, data: bytes) -> None:
        parser = self._parser
        assert parser is not None
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._parser = None  # aiohttp has its own words for it

    def on_headers_complete(self) -> None:
        """The parser has the head of an answer."""
        if self._parser is not None:
            if 100 <= self._parser.get_status_code() < 200:
                self._interim += 1
            else:
                self._parser = None


_MOST_INTERIM = 16
"""Answers of 1xx before the one that counts. etcd sends one at most; an endless row of them would keep a request
busy."""

_STEP = 4096
"""Bytes of a head that are looked at in one go: few enough that the 1xx in them do no harm."""


async def body_of(response: aiohttp.ClientResponse, bounds: Bounds) -> bytes:
    """The whole body. Raises UnusableAnswer for one that is too long or compressed, and what aiohttp raises.

    The time is that of the request's own ClientTimeout.
    """
    body = BodyCollector(bounds.body)
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
