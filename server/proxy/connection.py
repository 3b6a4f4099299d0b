"""One connection to a member: requests are written to it, and each answer goes to its request.

Knows bytes and how answers are framed; which endpoint a request goes to is ``exchange``'s business.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from server.gowords import in_go_words
from server.http.answers import (
    UNTIL_CLOSE,
    AnswerHead,
    AnswerHeads,
    BadAnswer,
    Verbatim,
    passed_on,
)
from server.http.chunks import BadFraming, Chunks
from server.http.heads import CHUNKED
from server.http.messages import Response
from server.proxy.body import StreamedBody

_COLLECTED = 64 << 10
"""Bytes of an answer with a known length that are collected and sent at once: one system call for nearly every key."""

_LONG_HEAD = 1 << 20
"""Bytes of an incomplete head after which the answer is given up. Heads of members have a few hundred, and one that
never ends would fill the memory."""

_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
"""A member's host that no longer exists is noticed within 40 seconds, and within 10 if there is something to send to
it."""


class Failure(NamedTuple):
    """Why there is no answer, in Go's words. ``sent``: the member may have got the request; ``stale``: that says
    nothing of the endpoint, as the connection was an old one, or ended after the answer to another request."""

    reason: str
    sent: bool
    stale: bool


class Asker(Protocol):
    """A request that waits for its answer."""

    @property
    def is_head(self) -> bool: ...

    def answered(self, response: Response) -> None: ...

    def failed(self, failure: Failure) -> None: ...


class Timeouts(NamedTuple):
    """Seconds: for a connection to come about, for bytes sent to be taken, and for the next bytes to come; 0 for no
    limit."""

    dial: float
    write: float
    read: float


class Pool(Protocol):
    """Where connections are kept."""

    loop: asyncio.AbstractEventLoop
    timeouts: Timeouts
    heads: AnswerHeads

    def keep(self, connection: "UpstreamConnection") -> bool: ...

    def noted(self, connection: "UpstreamConnection") -> None: ...

    def forget(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """One connection to one endpoint."""

    __slots__ = (
        "_askers",
        "_body",
        "_chunks",
        "_got",
        "_head",
        "_heads",
        "_held",
        "_left",
        "_loop",
        "_pool",
        "_reading",
        "_timeouts",
        "_timer",
        "_transport",
        "_used",
        "endpoint",
        "since",
    )

    def __init__(self, pool: Pool, endpoint: str) -> None:
        self.endpoint = endpoint
        self.since = 0.0
        """When it became idle, by the loop's clock."""
        self._pool = pool
        self._loop = pool.loop
        self._heads = pool.heads
        self._timeouts = pool.timeouts
        self._transport: asyncio.Transport
        self._used = False
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None
        self._askers: list[Asker] = []  # until their answers begin, in the order of their requests
        self._held = b""  # of an answer, as far as nothing could be made of it
        self._got = False  # any byte of the answer to the first of them
        self._head: AnswerHead | None = None  # of the body that comes
        self._body: StreamedBody | None = None  # of an answer that has begun
        self._chunks: Chunks | None = None
        self._left = 0

    def ask(self, askers: Sequence[Asker], requests: bytes) -> None:
        """Sends requests, and gives each of them its answer, or the failure; never before it returns.

        Several requests are sent together only if all are answered at once and change nothing:
        those that come behind a long answer, or a connection's end, get a failure that is ``stale``.
        """
        self._askers = list(askers)
        self._got = False
        if self._timeouts.read:
            self._expect(self._timeouts.read)
        self._transport.write(requests)

    def leave(self) -> None:
        """One of those who asked waits no longer. Who waits alone ends it, and with it what was asked for."""
        if len(self._askers) < 2:
            self.close()

    def close(self) -> None:
        """Ends it at once, and with it what is under way."""
        self._transport.abort()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        for option in _KEEPALIVE:
            sock.setsockopt(*option)
        self._pool.noted(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self)
        self._stop_timer()
        self._end_badly(in_go_words(exc) if isinstance(exc, OSError) else "EOF")

    def eof_received(self) -> bool:
        if self._body is not None and self._head is not None and self._head.length == UNTIL_CLOSE:
            body, self._body = self._body, None
            body.end()
        return False

    def pause_writing(self) -> None:
        if self._timeouts.write:
            self._expect(self._timeouts.write)

    def resume_writing(self) -> None:
        self._stop_timer()
        if self._timeouts.read and self._askers:
            self._expect(self._timeouts.read)

    def data_received(self, data: bytes) -> None:
        if self._timeouts.read:
            self._expect(self._timeouts.read)
        if self._body is not None:
            self._read_on(data)
        elif not self._askers:
            self.close()  # it speaks unasked
        else:
            self._got = True
            try:
                self._read_answers(self._held + data if self._held else data)
            except BadAnswer as error:
                self._break(f"net/http: HTTP/1.x transport connection broken: {error}")

    # Answers

    def _read_answers(self, data: bytes) -> None:
        self._held = b""
        at = 0
        while at < len(data) and self._askers:
            asker = self._askers[0]
            head = self._heads.read(data, at, is_head=asker.is_head)
            if head is None:
                if len(data) - at > _LONG_HEAD:
                    raise BadAnswer("the head is too long")
                self._held = data[at:]
                return
            if head.status < 200:
                if head.status == 101:
                    raise BadAnswer("protocols are switched unasked")
                at += head.size
            elif 0 <= head.length <= len(data) - at - head.size:
                end = at + head.size + head.length
                self._pass_on(asker, head, data[at:end], behind=len(data) - end)
                at = end
            elif head.length < 0 or head.length > _COLLECTED:
                self._begin_body(asker, head, data[at:])
                return
            else:
                self._held = data[at:]
                return

    def _pass_on(self, asker: Asker, head: AnswerHead, answer: bytes, *, behind: int) -> None:
        """Gives a whole answer to its request; so many bytes have come behind it."""
        if head.plain:
            response: Response = Verbatim(head.status, answer)
        else:
            headers = passed_on(answer[: head.size], is_head=asker.is_head)
            response = Response(head.status, headers, answer[head.size :])
        if head.keeps and len(self._askers) > 1:
            del self._askers[0]
            self._got = behind > 0
            asker.answered(response)
            return
        others = self._take_askers()[1:]
        self._done(keeps=head.keeps and behind == 0)
        asker.answered(response)
        _ask_again(others)

    def _begin_body(self, asker: Asker, head: AnswerHead, data: bytes) -> None:
        body = StreamedBody(self)
        headers = passed_on(data[: head.size], is_head=False)
        if head.length == CHUNKED:
            self._chunks = Chunks()
        else:
            self._left = head.length
        others = self._take_askers()[1:]  # they cannot wait for as long as the client takes
        self._head = head._replace(keeps=False) if others else head
        self._body = body
        self._read_on(data[head.size :])
        if body.whole:
            response = Response(head.status, headers, body.take() or b"")
        else:
            response = Response(head.status, headers, stream=body)
        asker.answered(response)
        _ask_again(others)

    def _take_askers(self) -> list[Asker]:
        askers, self._askers = self._askers, []
        return askers

    def _read_on(self, data: bytes) -> None:
        """Takes what comes of a body."""
        body, head = self._body, self._head
        assert body is not None
        assert head is not None
        rest: bytes | None = None
        if self._chunks is not None:
            try:
                data, rest = self._chunks.feed(data)
            except BadFraming as error:
                self._break(str(error))
                return
        elif head.length != UNTIL_CLOSE:
            piece, behind = data[: self._left], data[self._left :]
            self._left -= len(piece)
            data, rest = piece, behind if not self._left else None
        body.feed(data)
        if rest is not None:
            self._body = None
            self._done(keeps=head.keeps and not rest)
            body.end()

    def _done(self, *, keeps: bool) -> None:
        """The last answer has come whole."""
        self._head = self._chunks = None
        self._used = True
        self._stop_timer()
        self.read_on()
        self.since = self._loop.time()
        if not keeps or not self._pool.keep(self):
            self.close()

    # Reading no faster than the client takes it

    def read_on(self) -> None:
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()

    def read_later(self) -> None:
        if self._reading:
            self._reading = False
            self._transport.pause_reading()

    # Ending

    def _expect(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self._break, "i/o timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _break(self, why: str) -> None:
        self._transport.abort()
        self._end_badly(why)

    def _end_badly(self, why: str) -> None:
        askers, body = self._take_askers(), self._body
        self._body = None
        if body is not None:
            body.break_off(why)
        if askers:
            askers[0].failed(Failure(why, sent=True, stale=self._used and not self._got))
            _ask_again(askers[1:])


def _ask_again(askers: list[Asker]) -> None:
    """For requests that were sent behind another one, on a connection that answers no more."""
    for asker in askers:
        asker.failed(Failure("EOF", sent=True, stale=True))
