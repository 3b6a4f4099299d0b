"""Carries the handlers over HTTP with aiohttp. Sockets come bound; decides nothing but how much of a body is read.

Only this module and ``connection`` know aiohttp. There is no router of aiohttp's: every request that is HTTP at all
reaches the handler. Requests for keys go by the hot path, where there is one.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from aiohttp import web
from aiohttp.http import HttpVersion11

from server.http.accept import Listener
from server.http.answers import taken_apart
from server.http.cache import Repeats
from server.http.heads import may_be_host
from server.http.hotpath import DRAINED, HeadersFor, HotPath
from server.http.incoming import MAX_HEAD, Connection, Incoming
from server.http.limits import (
    IDLE_SECONDS,
    Doing,
    Gathered,
    Guest,
    Holdings,
    Limits,
    Share,
    first_to_go,
)
from server.http.messages import (
    CLOSE,
    WHOLE,
    Body,
    BrokenOff,
    Finishing,
    Handler,
    Headers,
    PourBody,
    PouringHandler,
    ReadBody,
    Reply,
    Request,
    Response,
    Sink,
    Stream,
    UntilGone,
    bad_request,
    text,
)

logger = logging.getLogger(__name__)

_DRAIN_PATIENCE = 1.0
"""Seconds for those bytes to come."""

_TOO_MUCH = "the bodies that are being read hold as much memory as they may"

_SILENCE = 60.0
"""Seconds after a line that says there is no room in which there is no other."""

_MAX_HEADERS = 10_000
"""aiohttp wants a number; Go has none, and what limits a head is its bytes."""

_SHUTDOWN_PATIENCE = 1.0
"""Seconds for requests under way to finish when the server stops."""


class Listening(NamedTuple):
    """A bound, listening socket; with a context its connections speak TLS."""

    socket: socket.socket
    tls: ssl.SSLContext | None


class Serving:
    """Listeners, and the connections that came by them."""

    def __init__(
        self,
        server: "_Server",
        runner: web.ServerRunner,
        hot: HotPath | None,
        most: int | None,
        *,
        makes_room: bool,
    ) -> None:
        self.listeners: list[Listener] = []
        self._server = server
        self._runner = runner
        self._hot = hot
        self._most = most
        self._makes_room = makes_room
        self._told = -_SILENCE

    def has_room(self) -> bool:
        """Whether one more connection may be taken, in the place of another perhaps."""
        return not self._is_full() or (self._makes_room and first_to_go(self._guests()) is not None)

    def make_room(self) -> bool:
        """Closes a connection if there are as many as may be, for one that has been taken. Whether it did."""
        if not self._is_full() or (guest := first_to_go(self._guests())) is None:
            return False
        guest.leave()
        self._server.forget(guest)
        for listener in self.listeners:
            listener.beginning.discard(guest)
        now = asyncio.get_running_loop().time()
        if now - self._told >= _SILENCE:
            self._told = now
            logger.warning(
                "http: there are as many connections as may be; those that are silent give way, now one of %s",
                guest.address,
            )
        return True

    def _is_full(self) -> bool:
        if self._most is None:
            return False
        served = self._server.count() + (0 if self._hot is None else len(self._hot.connections))
        return served + sum(len(listener.beginning) for listener in self.listeners) >= self._most

    def _guests(self) -> list[Guest]:
        guests: list[Guest] = [one for one in self._server.connections if isinstance(one, Connection)]
        for listener in self.listeners:
            guests += listener.shaking_hands
        return guests

    async def cleanup(self) -> None:
        """Listens no more, breaks off streams, lets other requests under way finish for a moment, and closes every
        connection.
        """
        await asyncio.gather(*(listener.close() for listener in self.listeners))
        if self._hot is not None:
            await self._hot.shutdown(_SHUTDOWN_PATIENCE)
        for connection in self._server.connections:
            if isinstance(connection, Connection):
                connection.abort_stream()
        await self._runner.cleanup()


async def serve(
    handler: PouringHandler,
    sockets: Sequence[Listening],
    cors: HeadersFor | None = None,
    *,
    hot: str = "",
    most: int | None = None,
    repeats: Repeats | None = None,
    limits: Limits = Limits(),  # noqa: B008 (a value)
) -> Serving:
    """Answers what comes in on the sockets until the ``cleanup`` of what it returns.

    ``cors`` gives further headers for a request's Origin; paths that begin with ``hot``, if there is one, go by the
    hot path, which keeps answers in ``repeats``. A client that only stops sending gets its answer still; its stream
    ends. One whose connection is lost has its handler cancelled.

    There are no more than ``most`` connections at a time, if that is given: others wait until one is closed, as etcd
    2.3.8 has them wait, or take the place of one (``limits``).
    """
    holdings = Holdings(limits.held)

    async def answer(got: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(got, Incoming)
        try:
            return await _answer(got, handler, cors, limits, holdings)
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
        keepalive_timeout=limits.idle,
        lingering_time=0,
        stall=limits.stall,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_PATIENCE)
    await runner.setup()
    path = HotPath(cast(Handler, handler), cors, hot.encode(), server, limits.idle, repeats) if hot else None
    serving = Serving(server, runner, path, most, makes_room=limits.makes_room)
    protocol = path or server
    for sock, tls in sockets:
        serving.listeners.append(
            Listener(sock, tls, protocol, serving.has_room, serving.make_room, limits.handshake)
        )
    return serving


class _Server(web.Server):
    """aiohttp's low-level server, with connections of our own kind."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Any], *, stall: float | None, **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self._options = {"stall": stall} | {
            name: value
            for name, value in options.items()
            if name not in ("request_factory", "handler_cancellation")
        }

    def count(self) -> int:
        """Of connections; aiohttp's own property makes a list of them."""
        return len(self._connections)

    def forget(self, connection: object) -> None:
        """It has been told to leave, and is not counted any more."""
        if isinstance(connection, Connection):
            self._connections.pop(connection, None)

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)


async def _answer(
    got: Incoming, handler: PouringHandler, cors: HeadersFor | None, limits: Limits, holdings: Holdings
) -> web.StreamResponse:
    if got.versionless or not may_be_host(got.headers.get("Host", "")):
        return _whole(bad_request(), ())
    expected = got.headers.get("Expect", "").lower()
    if expected not in ("", "100-continue"):
        return _whole(Response(417, (CLOSE,)), ())
    waits = expected == "100-continue" and got.body_exists and got.version >= HttpVersion11
    target = got.raw_path.encode("utf-8", "surrogateescape")
    reply: Reply | PourBody = handler(Request(got.method, target, got.headers, got.remote or ""))
    if waits and isinstance(reply, ReadBody | PourBody):
        got.connection.tell_to_continue()
        waits = False
    if isinstance(reply, ReadBody):
        with holdings.share(got.connection) as share:
            reply = reply.then(await _read(got, reply, limits, share))
        assert not isinstance(reply, ReadBody)
    elif isinstance(reply, PourBody):
        with holdings.share(got.connection) as share:
            reply = await _pour(got, reply.sink, share)
    if isinstance(reply, UntilGone):
        try:
            async with asyncio.timeout(None) as until:
                with got.connection.ending(until):
                    reply = await reply
        except TimeoutError:
            return _whole(Response(408, (CLOSE,)), ())  # to nobody
    response = reply if isinstance(reply, Response) else await reply
    if response.wire:
        response = taken_apart(response.wire, is_head=got.method == "HEAD")
    further = () if cors is None else cors(got.headers.get("Origin", ""))
    if got.body_exists and (waits or not await _drain(got)):
        further += (CLOSE,)
    if response.stream is not None:
        return await _send_stream(got, response, further)
    sent = _whole(response, further)
    if got.method == "HEAD" or "Content-Length" in sent.headers or len(response.body) <= WHOLE:
        return sent
    if got.version < HttpVersion11:
        return await _send_stream(
            got, Response(response.status, response.headers, stream=_OnePiece(response.body)), further
        )
    sent.enable_chunked_encoding()
    return sent


class _OnePiece:
    """A long body for a client of HTTP/1.0: its length is not said, as Go does not, and it knows no chunks."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    def take(self) -> bytes | None:
        body, self._body = self._body, None
        return body

    def on_news(self, tell: Callable[[], object]) -> None:
        """There will be none."""

    def close(self) -> None:
        """There is nothing to let go of."""


async def _read(got: Incoming, wanted: ReadBody, limits: Limits, share: Share) -> Body:
    loop, connection = asyncio.get_running_loop(), got.connection
    begun = loop.time()
    body = Gathered()
    try:
        async with asyncio.timeout(limits.body) as until:
            while body.size <= wanted.limit and (piece := await got.content.readany()):
                if not body.size and wanted.is_patient is not None and wanted.is_patient(piece):
                    connection.begin(Doing.PATIENT)
                body.add(piece)
                now = loop.time()
                if not share.hold(body.size, now):
                    return Body(b"", _TOO_MUCH)
                connection.begin(connection.doing)
                if connection.doing is Doing.PATIENT:
                    until.reschedule(now + IDLE_SECONDS)
                elif limits.rate is not None:
                    until.reschedule(begun + limits.body + body.size / limits.rate)
    except web.RequestPayloadError as error:
        return Body(b"", str(error))
    except TimeoutError:
        return Body(b"", "i/o timeout")
    return Body(body.whole()[: wanted.limit + 1])


async def _pour(got: Incoming, sink: Sink, share: Share) -> Response:
    loop, connection = asyncio.get_running_loop(), got.connection
    connection.begin(Doing.PATIENT)
    try:
        while piece := await asyncio.wait_for(got.content.readany(), IDLE_SECONDS):
            if not sink.feed(piece):
                break
            if not share.hold(sink.held(), loop.time()):
                return sink.end(_TOO_MUCH)
            connection.begin(Doing.PATIENT)
    except web.RequestPayloadError as error:
        return sink.end(str(error))
    except TimeoutError:
        return sink.end("i/o timeout")
    return sink.end("")


async def _drain(got: Incoming) -> bool:
    """Reads the little that may be left of a body; whether that was all."""
    left = DRAINED
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
    sent = _Streamed(response.status, got.connection.stall, got.connection.leave)
    _set_headers(sent, response.headers + further)
    if got.version < HttpVersion11:
        sent.force_close()  # whatever the client wishes: only this tells it where the body ends
    until = asyncio.timeout(None)
    if isinstance(stream, Finishing):
        stream.on_late(lambda: None if got.transport is None else got.transport.abort())
    try:
        await sent.prepare(got)
        if got.method == "HEAD":
            return sent
        try:
            got.connection.begin(Doing.STREAMING)
            async with until:
                with got.connection.ending(until):
                    await _send_pieces(stream, sent)
        except TimeoutError:
            if not until.expired():
                raise
            if isinstance(stream, Finishing):
                await _send_pieces(stream, sent, stream.is_at_something)
        await sent.write_eof()
    except BrokenOff:
        if got.transport is not None:
            got.transport.abort()
    except ConnectionError:
        if got.transport is not None and not got.transport.is_closing():
            raise
        # else the client has gone, which is how a watch usually ends
    finally:
        sent.over()
        stream.close()
    return sent


async def _send_pieces(
    stream: Stream, sent: web.StreamResponse, goes_on: Callable[[], bool] = lambda: True
) -> None:
    news = asyncio.Event()
    stream.on_news(news.set)
    while goes_on() and (piece := stream.take()) is not None:
        if piece:
            await sent.write(piece)
        else:
            await news.wait()
            news.clear()


class _Streamed(web.StreamResponse):
    """An answer in pieces. A client that takes none of them for ``stall`` seconds has it broken off by ``give_up``."""

    def __init__(self, status: int, stall: float | None, give_up: Callable[[], None]) -> None:
        super().__init__(status=status)
        self._loop = asyncio.get_running_loop()
        self._stall = stall
        self._give_up = give_up
        self._writes_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    async def write(self, data: Any) -> None:
        self._writes_since = (
            self._loop.time()
        )  # and no time-out for each piece, which would cost more than the rest
        await super().write(data)
        self._writes_since = None

    def over(self) -> None:
        """There is nothing to look after any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        if self._stall is None:
            return
        now = self._loop.time()
        due = self._stall + (now if self._writes_since is None else self._writes_since)
        if due <= now:
            self._give_up()
        else:
            self._timer = self._loop.call_at(due, self._look)
