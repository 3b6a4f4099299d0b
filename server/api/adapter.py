"""Carries the handlers over HTTP with aiohttp. Sockets come bound; decides nothing but how much of a body is read.

Only this module and ``connection`` know aiohttp. There is no router of aiohttp's: every request that is HTTP at all
reaches the handler.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aiohttp import web

from server.api.connection import MAX_HEAD, Connection, Incoming
from server.api.http import (
    CLOSE,
    Body,
    Handler,
    Headers,
    PourBody,
    ReadBody,
    Reply,
    Request,
    Response,
    Sink,
    text,
)

logger = logging.getLogger(__name__)

IDLE_SECONDS = 300.0
"""How long a connection may be silent between requests or within a head, and how long a body may take: etcd's own
read timeout of five minutes."""

_DRAINED = 256 << 10
"""Bytes of a body that nobody wants which are read to keep the connection, as Go does."""

_DRAIN_PATIENCE = 1.0
"""Seconds for those bytes to come."""

_MAX_HEADERS = 10_000
"""aiohttp wants a number; Go has none, and what limits a head is its bytes."""

_SHUTDOWN_PATIENCE = 1.0
"""Seconds for requests under way to finish when the server stops."""

HeadersFor = Callable[[str], Headers]


class Listening(NamedTuple):
    """A bound, listening socket; with a context its connections speak TLS."""

    socket: socket.socket
    tls: ssl.SSLContext | None


async def serve(
    handler: Handler, sockets: Sequence[Listening], cors: HeadersFor | None = None
) -> web.ServerRunner:
    """Answers what comes in on the sockets until the ``cleanup`` of the returned runner.

    ``cors`` gives further headers for a request's Origin. A client that only stops sending gets its answer still; its
    stream ends. One whose connection is lost has its handler cancelled.
    """

    async def answer(got: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(got, Incoming)
        try:
            return await _answer(got, handler, cors)
        except Exception:
            logger.exception(
                "this is a fault in the server, please report it: %s %r", got.method, got.raw_path
            )
            if got.writer.output_size:
                got.connection.force_close()  # in the middle of an answer there is no other way to tell
            return _whole(text(500, "Internal Server Error", CLOSE), ())

    server = _Server(
        answer,
        request_factory=Incoming,
        handler_cancellation=True,
        access_log=None,
        logger=logger,
        auto_decompress=False,
        max_line_size=MAX_HEAD,
        max_field_size=MAX_HEAD,
        max_headers=_MAX_HEADERS,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=0,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_PATIENCE)
    await runner.setup()
    for listening in sockets:
        await web.SockSite(runner, listening.socket, ssl_context=listening.tls, backlog=1024).start()
    return runner


class _Server(web.Server):
    """aiohttp's low-level server, with connections of our own kind."""

    def __init__(self, handler: Callable[[web.BaseRequest], Any], **options: Any) -> None:
        super().__init__(handler, **options)
        self._options = {
            name: value
            for name, value in options.items()
            if name not in ("request_factory", "handler_cancellation")
        }

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)


async def _answer(got: Incoming, handler: Handler, cors: HeadersFor | None) -> web.StreamResponse:
    expected = got.headers.get("Expect", "").lower()
    if expected not in ("", "100-continue"):
        return _whole(Response(417, (CLOSE,)), ())
    waits = expected == "100-continue" and got.body_exists
    target = got.raw_path.encode("utf-8", "surrogateescape")
    reply: Reply | PourBody = handler(Request(got.method, target, got.headers))
    if waits and isinstance(reply, ReadBody | PourBody):
        got.connection.tell_to_continue()
        waits = False
    if isinstance(reply, ReadBody):
        reply = reply.then(await _read(got, reply.limit))
        assert not isinstance(reply, ReadBody)
    elif isinstance(reply, PourBody):
        reply = await _pour(got, reply.sink)
    response = reply if isinstance(reply, Response) else await reply
    further = () if cors is None else cors(got.headers.get("Origin", ""))
    if got.body_exists and (waits or not await _drain(got)):
        further += (CLOSE,)
    if response.stream is None:
        return _whole(response, further)
    return await _send_stream(got, response, further)


async def _read(got: Incoming, limit: int) -> Body:
    pieces = []
    size = 0
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            while size <= limit and (piece := await got.content.readany()):
                pieces.append(piece)
                size += len(piece)
    except web.RequestPayloadError as error:
        return Body(b"", str(error))
    except TimeoutError:
        return Body(b"", "i/o timeout")
    return Body(b"".join(pieces)[: limit + 1])


async def _pour(got: Incoming, sink: Sink) -> Response:
    try:
        while piece := await asyncio.wait_for(got.content.readany(), IDLE_SECONDS):
            if not sink.feed(piece):
                break
    except web.RequestPayloadError as error:
        return sink.end(str(error))
    except TimeoutError:
        return sink.end("i/o timeout")
    return sink.end("")


async def _drain(got: Incoming) -> bool:
    """Reads the little that may be left of a body; whether that was all."""
    left = _DRAINED
    try:
        async with asyncio.timeout(_DRAIN_PATIENCE):
            while left >= 0 and (piece := await got.content.readany()):
                left -= len(piece)
    except (web.RequestPayloadError, TimeoutError):
        return False
    return left >= 0


def _whole(response: Response, further: Headers) -> web.Response:
    sent = web.Response(status=response.status, body=response.body)
    _set_headers(sent, response.headers + further)
    return sent


def _set_headers(sent: web.StreamResponse, headers: Headers) -> None:
    if CLOSE in headers:
        sent.force_close()  # which also writes the header
    for header in headers:
        if header != CLOSE:
            sent.headers.add(*header)


async def _send_stream(got: Incoming, response: Response, further: Headers) -> web.StreamResponse:
    """Sends pieces until the stream ends, or the client does: one that has stopped sending still gets what is there."""
    stream = response.stream
    assert stream is not None
    sent = web.StreamResponse(status=response.status)
    _set_headers(sent, response.headers + further)
    until = asyncio.timeout(None)
    try:
        await sent.prepare(got)
        try:
            async with until:
                with got.connection.ending(until):
                    while (piece := await stream.next()) is not None:
                        await sent.write(piece)
        except TimeoutError:
            if not until.expired():
                raise
        await sent.write_eof()
    except ConnectionError:
        if got.transport is not None and not got.transport.is_closing():
            raise
        # else the client has gone, which is how a watch usually ends
    finally:
        stream.close()
    return sent
