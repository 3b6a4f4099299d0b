"""The hot path: a protocol that answers requests for keys itself, and hands every other to aiohttp.

It calls the same handler as the other path, and answers to the byte as that does. A connection is handed over, with
the bytes read so far, at the first request that is not for a key or not quite usual, and stays there: nothing that
aiohttp does right is done here again. Requests of one connection are served one by one, as Go does it. No task and
no future is made for a request whose handler answers at once or by a :class:`~server.http.messages.Later`.

Decides nothing about keys.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from server.http.answers import taken_apart
from server.http.cache import Repeats
from server.http.chunks import LAST_CHUNK, BadFraming, Chunks, chunk
from server.http.heads import (
    CHUNKED,
    CONTINUE,
    END_OF_HEAD,
    Head,
    HeaderMap,
    Heads,
)
from server.http.messages import (
    CLOSE,
    WHOLE,
    Body,
    BrokenOff,
    Finishing,
    Handler,
    Headers,
    Later,
    ReadBody,
    Reply,
    Request,
    Response,
    Stream,
    UntilGone,
    text,
)
from server.http.responses import BODILESS, answer_head

logger = logging.getLogger(__name__)

T = TypeVar("T")

HeadersFor = Callable[[str], Headers]

DRAINED = 256 << 10
"""Bytes of a body that nobody wants which are read to keep the connection, as Go does."""

PARTING = 0.5
"""Seconds between an answer and the close of a connection with unread bytes, which may destroy what is under way."""

_LONG_HEAD = 64 << 10
"""Bytes of a head that is not whole yet with which its connection is handed over."""

_MAX_AHEAD = 64 << 10
"""Bytes of further requests that a connection reads while it serves one."""

_TURN = 16
"""Requests of one connection that are begun before others have their turn."""

_BATCH = 64 << 10
"""Bytes of answers that are collected before they are written."""

_METHODS = {name.encode(): name for name in ("GET", "PUT", "POST", "DELETE", "HEAD")}
_WITH_BODY = frozenset(("PUT", "POST"))
_PLAIN = bytes(range(0x21, 0x7F))
_NO_TARGET = Request("", b"", {})
_NO_HEAD = Head(HeaderMap([]), 0, False, False)


class HotPath:
    """What the connections of the client listeners have in common. Called, it makes the protocol of a new one.

    Targets that begin with ``prefix`` are for ``handler``; ``others`` makes the protocol for all else. A connection
    may be silent for ``idle`` seconds between requests or within a head, and as long for a body.
    """

    def __init__(
        self,
        handler: Handler,
        cors: HeadersFor | None,
        prefix: bytes,
        others: Callable[[], asyncio.Protocol],
        idle: float,
        repeats: Repeats | None = None,
    ) -> None:
        self.handler = handler
        self.repeats = repeats or Repeats(lambda: None, lambda: None)
        self.cors = cors
        self.prefix = prefix
        self.beginning = re.compile(
            rb"(?:%s) %s[!-~]* HTTP/1\.[01]\r\n" % (b"|".join(_METHODS), re.escape(prefix))
        )
        """The first line of a request that is served here."""
        self.others = others
        self.idle = idle
        self.heads = Heads()
        self.loop = asyncio.get_running_loop()
        self.connections: set[HotConnection] = set()
        self.stopping = False
        self._with_news: list[HotConnection] = []
        self._with_output: list[HotConnection] = []

    def __call__(self) -> asyncio.Protocol:
        return HotConnection(self)

    def note_news(self, connection: "HotConnection") -> None:
        """The stream of a connection has something: it is sent once the store has done what it is at."""
        if not self._with_news:
            self.loop.call_soon(self._send_news)
        self._with_news.append(connection)

    def _send_news(self) -> None:
        connections, self._with_news = self._with_news, []
        for connection in connections:
            connection.send_news()

    def note_output(self, connection: "HotConnection") -> None:
        """A connection has answers: they are written when all that has been read, or is being applied, is done with.

        Written one by one in between, each would wake a client, or the processor it runs on, from sleep, which
        costs as much as the rest of a request.
        """
        if not self._with_output:
            self.loop.call_soon(self.write_output)
        self._with_output.append(connection)

    def write_output(self) -> None:
        """Writes what was put off."""
        connections, self._with_output = self._with_output, []
        for connection in connections:
            connection.flush()

    async def shutdown(self, patience: float) -> None:
        """Closes every connection: at once, or when its request is answered, or after so many seconds."""
        self.stopping = True
        for connection in list(self.connections):
            connection.close_if_idle()
        until = self.loop.time() + patience
        while self.connections and self.loop.time() < until:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()


class HotConnection(asyncio.Protocol):
    """One client connection, until it is handed over."""

    __slots__ = (
        "_awaited",
        "_chunks",
        "_client",
        "_done",
        "_eof",
        "_given_up",
        "_head",
        "_held",
        "_hot",
        "_input",
        "_keeps",
        "_left",
        "_limit",
        "_looking",
        "_noted",
        "_out",
        "_out_size",
        "_paused",
        "_pieces",
        "_reading",
        "_repeatable",
        "_request",
        "_serving",
        "_since",
        "_size",
        "_stream",
        "_then",
        "_timer",
        "_transport",
        "_until_gone",
        "_waits",
    )

    def __init__(self, hot: HotPath) -> None:
        self._hot = hot
        self._transport: asyncio.Transport
        self._client: str
        self._timer: asyncio.TimerHandle
        self._since = 0.0  # when it began to wait for what it waits for
        self._done = False  # closed, lost or handed over
        self._input = b""  # read, and not yet looked at
        self._reading = True
        self._eof = False
        self._out: list[bytes] = []  # answers to be written together
        self._out_size = 0
        self._looking = False  # at what has been read
        self._paused = False  # by the transport, as the client does not read

        # The request being served, if any:
        self._serving = False
        self._request = _NO_TARGET
        self._repeatable = b""  # the request as it came, if its answer may be kept
        self._head = _NO_HEAD
        self._awaited: asyncio.Task[None] | None = None
        self._until_gone = False  # it is awaited no longer than the client sends
        self._keeps = False
        self._stream: Stream | None = None
        self._noted = False  # that the stream has news

        # Its body, as far as it has not been read:
        self._left = 0
        self._chunks: Chunks | None = None
        self._waits = False  # for our word to be sent
        self._given_up = False  # so its rest is not read
        self._then: Callable[[Body], Reply] | None = None  # is told the body
        self._held: Response | None = None  # goes out when the body, which nobody wants, has come
        self._limit = 0
        self._size = 0
        self._pieces: list[bytes] = []

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client = str((transport.get_extra_info("peername") or ("",))[0])
        hot = self._hot
        hot.connections.add(self)
        self._since = hot.loop.time()
        self._timer = hot.loop.call_later(hot.idle, self._look_at_the_time)

    def data_received(self, data: bytes) -> None:
        if not (self._serving or self._input or self._paused):
            answer = self._hot.repeats.get(data)
            if answer is not None:
                self._since = self._hot.loop.time()
                self._write(answer)
                return
        self._serve(self._input + data if self._input else data)

    def eof_received(self) -> bool:
        """True, which leaves the other direction open; TLS has no such thing."""
        if self._transport.get_extra_info("sslcontext") is not None:
            return False
        self._eof = True
        self._resume()
        return True

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.send_news()
        self._hot.loop.call_soon(self._resume)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._leave()
        self._out = []
        if self._awaited is not None:
            self._awaited.cancel()
        held = None if self._held is None else self._held.stream
        for stream in (self._stream, held):
            if stream is not None:
                stream.close()
        self._stream = self._held = self._then = None

    def _leave(self) -> None:
        self._done = True
        self._timer.cancel()
        self._hot.connections.discard(self)

    # Reading

    def _resume(self) -> None:
        if self._done:
            return
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        data, self._input = self._input, b""
        self._serve(data)

    def _serve(self, data: bytes) -> None:
        """Serves what has been read, as far as that goes without waiting."""
        self._looking = True
        at, begun = 0, 0
        while at < len(data) and not self._done:
            if self._then is not None or self._held is not None:
                at = self._read_body(data, at)
            elif self._serving or self._paused or begun == _TURN:
                break
            else:
                before, at = at, self._read_request(data, at)
                begun += 1
                if at == before:
                    break
        self._looking = False
        if self._done:
            return
        self._input = data[at:]
        if len(self._input) > _MAX_AHEAD and self._reading:
            self._reading = False
            self._transport.pause_reading()
        if begun == _TURN:
            self._hot.loop.call_soon(self._resume)
        elif self._eof:
            self._heed_the_end()

    def _heed_the_end(self) -> None:
        """The client sends no more; what it has sent is still answered."""
        if self._then is not None or self._held is not None:
            self._give_up("unexpected EOF")
        elif self._stream is not None:
            self.send_news()
            self._end_if_deserted()
        elif self._until_gone or not (self._serving or self._paused):
            self._close()

    def _read_request(self, data: bytes, at: int) -> int:
        """Begins to serve the request that begins at ``at``; where its head ends, or ``at`` if it has not come
        whole."""
        hot = self._hot
        end = data.find(END_OF_HEAD, at) + len(END_OF_HEAD)
        if end < len(END_OF_HEAD):
            return at if self._may_become_ours(data, at) else self._hand_over(data, at)
        space = data.find(b" ", at)
        lines = data.find(b" ", space + 1)
        method = _METHODS.get(data[at:space])
        if method is None or lines < 0:
            return self._hand_over(data, at)
        target = data[space + 1 : lines]
        if not target.startswith(hot.prefix) or target.translate(None, _PLAIN):
            return self._hand_over(data, at)
        head = hot.heads[data[lines:end]]
        if head is None or (head.length and method not in _WITH_BODY):
            return self._hand_over(data, at)
        if end < len(data) or at:  # else it has been looked for already
            answer = hot.repeats.get(data[at:end]) if not head.length else None
            if answer is not None:
                self._write(answer)
                self._since = hot.loop.time()
                return end
        self._serving = True
        self._head = head
        self._request = request = Request(method, target, head.headers, self._client)
        if head.length:
            self._left = head.length
            if head.length == CHUNKED:
                self._left, self._chunks = 0, Chunks()
            self._waits = head.waits
            self._given_up = False
        reply = self._ask(hot.handler, request)
        if isinstance(reply, Response):
            if reply.repeatable:
                self._repeatable = data[at:end]
            self._respond(reply)
            return end
        if 0 < head.length <= len(data) - end and isinstance(reply, ReadBody) and head.length <= reply.limit:
            body = data[end : end + head.length]  # as usual, all of it is there
            if self._waits:
                self._write(CONTINUE)
            self._left = 0
            end += head.length
            reply = self._ask(reply.then, Body(body))
        self._go_on(reply)
        return end

    def _may_become_ours(self, data: bytes, at: int) -> bool:
        """Whether what is there of a head does not rule that out."""
        if data.find(b"\n", at) < 0:
            return len(data) - at < _LONG_HEAD and data[at] in b"GPDH"
        return (
            len(data) - at < _LONG_HEAD
            and self._hot.beginning.match(data, at) is not None
            and data.count(b"\n", at) == data.count(b"\r\n", at)
        )

    def _hand_over(self, data: bytes, at: int) -> int:
        """Leaves the connection, and what has been read from ``at`` on, to the other protocol."""
        self.flush()
        self._leave()
        transport, other = self._transport, self._hot.others()
        transport.set_protocol(other)
        other.connection_made(transport)
        if self._paused:
            other.pause_writing()
        if not self._reading:
            transport.resume_reading()
        other.data_received(data[at:])
        if self._eof:
            other.eof_received()
        return len(data)

    def _read_body(self, data: bytes, at: int) -> int:
        """Reads on in the body; where it went on to."""
        if self._chunks is None:
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            whole = not self._left
        else:
            try:
                piece, rest = self._chunks.feed(data[at:])
            except BadFraming as fault:
                self._give_up(str(fault))
                return len(data)
            whole = rest is not None
            at = len(data)
            if rest is not None:
                at -= len(rest)
                self._chunks = None
        self._pieces.append(piece)
        self._size += len(piece)
        if whole:
            self._tell_body(Body(b"".join(self._pieces)[: self._limit + 1]))
        elif self._size > self._limit:
            self._given_up = True
            self._tell_body(Body(b"".join(self._pieces)[: self._limit + 1]))
        return at

    def _give_up(self, why: str) -> None:
        """The body does not come whole."""
        self._given_up = True
        self._tell_body(Body(b"", why))

    def _tell_body(self, body: Body) -> None:
        self._pieces.clear()
        self._size = 0
        then, held = self._then, self._held
        self._then = self._held = None
        if held is not None:
            self._respond(held)
        elif then is not None:
            self._go_on(self._ask(then, body))

    def _unread(self) -> bool:
        return self._left > 0 or self._chunks is not None

    # Answering

    def _ask(self, call: Callable[[T], Reply], argument: T) -> Reply:
        try:
            return call(argument)
        except Exception:
            return self._fault()

    def _fault(self) -> Response:
        asked = self._request
        logger.exception(
            "this is a fault in the server, please report it: %s %r", asked.method, asked.target.decode()
        )
        return text(500, "Internal Server Error", CLOSE)

    def _go_on(self, reply: Reply) -> None:
        if isinstance(reply, Response):
            self._respond(reply)
        elif isinstance(reply, Later):
            reply.on_done(self._respond)
        elif not isinstance(reply, ReadBody):
            self._until_gone = isinstance(reply, UntilGone)
            self._awaited = self._hot.loop.create_task(self._await(reply))
        elif self._unread():
            if self._waits:
                self._waits = False
                self._write(CONTINUE)
            self._then, self._limit = reply.then, reply.limit
            self._since = self._hot.loop.time()
        else:
            self._go_on(self._ask(reply.then, Body(b"")))

    async def _await(self, reply: Awaitable[Response]) -> None:
        try:
            response = await reply
        except Exception:
            response = self._fault()
        self._awaited = None
        self._until_gone = False
        self._respond(response)

    def _respond(self, response: Response) -> None:
        if self._done:
            if response.stream is not None:
                response.stream.close()
            return
        unread = self._unread()
        if unread and not (self._waits or self._given_up or self._left > DRAINED):
            self._held, self._limit = response, DRAINED
            self._since = self._hot.loop.time()
            self._wake_if_alone()
            return
        hot, head = self._hot, self._head
        keeps = head.keeps and not unread and not hot.stopping
        if response.wire:
            if keeps and hot.cors is None and not head.http10:
                self._write(response.wire)
                self._finish(keeps)
                return
            response = taken_apart(response.wire, is_head=self._request.method == "HEAD")
        headers = response.headers
        if hot.cors is not None:
            headers = tuple(sorted(headers + hot.cors(head.origin)))
        if CLOSE in headers:
            keeps = False
            headers = tuple(header for header in headers if header != CLOSE)
        if response.stream is not None:
            self._begin_stream(response.stream, response.status, headers, keeps)
            return
        body, status, is_head = response.body, response.status, self._request.method == "HEAD"
        if len(body) > WHOLE:
            keeps = keeps and (is_head or not head.http10)
            top = answer_head(status, headers, None, head, keeps, chunked=not is_head)
            if not is_head:
                body = body if head.http10 else chunk(body) + LAST_CHUNK
        else:
            tells_length = body or not (is_head or status in BODILESS)
            top = answer_head(status, headers, len(body) if tells_length else None, head, keeps)
        answer = top if is_head else top + body
        if self._repeatable:
            if keeps and not unread:
                hot.repeats.keep(self._repeatable, answer)
            self._repeatable = b""
        self._write(answer)
        self._finish(keeps)

    def _finish(self, keeps: bool) -> None:
        self._serving = False
        if not keeps:
            self._close()
            return
        self._since = self._hot.loop.time()
        self._wake_if_alone()

    def _wake_if_alone(self) -> None:
        """Has what was read meanwhile looked at, unless that is being done."""
        if not self._looking and (self._input or self._eof):
            self._hot.loop.call_soon(self._resume)

    def _begin_stream(self, stream: Stream, status: int, headers: Headers, keeps: bool) -> None:
        head = self._head
        self._keeps = keeps and not head.http10
        is_head = self._request.method == "HEAD"
        self._write(answer_head(status, headers, None, head, self._keeps, chunked=not is_head))
        if is_head:
            stream.close()
            self._finish(self._keeps)
            return
        self._stream = stream
        self._noted = False
        stream.on_news(self._note_news)
        if isinstance(stream, Finishing):
            stream.on_late(self.abort)
        self.send_news()
        self._wake_if_alone()  # the client may have stopped sending before

    def _note_news(self) -> None:
        if self._stream is not None and not self._noted:
            self._noted = True
            self._hot.note_news(self)

    def send_news(self) -> None:
        """Sends what the stream has, if there is one and the client takes it."""
        self._noted = False
        stream = self._stream
        if stream is None or self._paused:
            return
        out = []
        size = 0
        try:
            while piece := stream.take():
                out.append(piece if self._head.http10 else chunk(piece))
                size += len(piece)
                if size > _BATCH:
                    break
        except Exception as error:
            if not isinstance(error, BrokenOff):
                self._fault()
            self._write(b"".join(out))
            self._stream = None
            stream.close()
            if self._head.http10:
                self.abort()  # its end is that of the answer
            else:
                self._close()  # in the middle of an answer there is no other way to tell
            return
        if piece is None:
            self._end_stream(b"".join(out))
            return
        if out:
            self._write(b"".join(out))
        if piece:
            self._note_news()  # there may be more, when others have had their turn
        elif self._eof:
            self._end_if_deserted()

    def _end_if_deserted(self) -> None:
        """Ends the stream of a client that sends no more, unless it is in the middle of something."""
        stream = self._stream
        if stream is None or self._noted or (isinstance(stream, Finishing) and stream.is_at_something()):
            return
        self._end_stream()

    def _end_stream(self, piece: bytes = b"") -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._write(piece if self._head.http10 else piece + LAST_CHUNK)
        self._finish(self._keeps and not self._hot.stopping)

    # Writing

    def _write(self, data: bytes) -> None:
        if not self._out:
            self._hot.note_output(self)
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size > _BATCH:
            self.flush()

    def flush(self) -> None:
        """Writes what there is."""
        out, self._out = self._out, []
        self._out_size = 0
        if out:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    # Ending

    def close_if_idle(self) -> None:
        """Nobody is to be served any more; who is being served gets the answer. A watch has none, and breaks off: an
        end in order would tell its client that there was no event, and not that the server is gone.
        """
        stream = self._stream
        if stream is not None and not (isinstance(stream, Finishing) and stream.ends_by_itself()):
            self.abort()
        elif not self._serving:
            self._close()

    def abort(self) -> None:
        self._done = True  # a promise may be kept before the loop comes to say that the connection is lost
        self._out = []
        self._transport.abort()

    def _close(self) -> None:
        """Closes the connection once what was written is sent."""
        if self._done:
            return
        self._done = True
        self._timer.cancel()
        self.flush()
        transport = self._transport
        if not self._unread() or self._eof:
            transport.close()
            self._timer = self._hot.loop.call_later(self._hot.idle, transport.abort)  # should it not read
            return
        transport.pause_reading()
        if transport.can_write_eof():
            transport.write_eof()
        self._timer = self._hot.loop.call_later(PARTING, transport.close)

    def _look_at_the_time(self) -> None:
        hot = self._hot
        now = hot.loop.time()
        reads_body = self._then is not None or self._held is not None
        due = now + hot.idle
        if reads_body or not self._serving:
            due = self._since + hot.idle
            if due <= now and self._paused:
                self.abort()
            elif due <= now and reads_body:
                self._give_up("i/o timeout")
            elif due <= now:
                self._close()
            due = max(due, now + hot.idle / 100)
        if not self._done:
            self._timer = hot.loop.call_at(due, self._look_at_the_time)
