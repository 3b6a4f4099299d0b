"""The connections to members: one request at a time on each, kept for the next one.

Knows endpoints, bytes and how answers are framed; which endpoint a request goes to is ``exchange``'s business.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

from server.api.answers import UNTIL_CLOSE, AnswerHead, BadAnswer, passed_on, read_head
from server.api.http import BrokenOff, Response
from server.api.wire import CHUNKED, BadFraming, Chunks
from server.cluster.srv import LookupFailed
from server.config import UrlError, parse_url
from server.gowords import in_go_words
from server.peer.dialer import LookUp

logger = logging.getLogger(__name__)

_MOST_IDLE = 128
"""Idle connections that are kept to one endpoint: etcd 2.3.8's number."""

_IDLE_SECONDS = 240.0
"""An idle connection is not used again after that; the bundled member closes its own after 300 seconds."""

_TLS_HANDSHAKE = 10.0
"""Seconds more for a connection with TLS, as Go gives them."""

_COLLECTED = 64 << 10
"""Bytes of an answer of known length that are collected to be passed on in one piece."""

_AHEAD = 256 << 10
"""Bytes of a body that are read while the client does not take them."""

_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)
"""A member's host that is gone is found out within 40 seconds, and within 10 if there is something to send to it."""


class Timeouts(NamedTuple):
    """Seconds: for a connection to come about, for bytes sent to be taken, and for the next bytes to come; 0 for no
    limit."""

    dial: float
    write: float
    read: float


class Failure(NamedTuple):
    """Why there is no answer, in Go's words. ``sent``: the member may have got the request; ``stale``: the connection
    was an old one, and closed without a byte in answer."""

    reason: str
    sent: bool
    stale: bool


class Asker(Protocol):
    """Whoever waits for an answer."""

    @property
    def is_head(self) -> bool: ...

    def answered(self, response: Response) -> None: ...

    def failed(self, failure: Failure) -> None: ...


class DialError(Exception):
    """No connection came about; in Go's words."""


class Upstream:
    """All connections to members. ``tls`` is for endpoints with https; hosts are looked up by ``look_up``, which raises
    LookupFailed, or by the system. Made on a running loop."""

    def __init__(self, tls: ssl.SSLContext | None, timeouts: Timeouts, look_up: LookUp | None = None) -> None:
        self._look_up = look_up
        self.timeouts = timeouts
        self.loop = asyncio.get_running_loop()
        self._tls = tls
        self._idle: dict[str, list[Connection]] = {}
        self._all: set[Connection] = set()

    def idle(self, endpoint: str) -> "Connection | None":
        """A connection that has been used and can be again, if there is one."""
        connections = self._idle.get(endpoint)
        while connections:
            connection = connections.pop()
            if self.loop.time() - connection.since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def dial(self, endpoint: str) -> "Connection":
        """A new connection. Raises DialError."""
        try:
            url = parse_url(endpoint)
        except UrlError as error:
            raise DialError(f"upstream URL invalid: {error}") from error
        secure = url.scheme == "https"
        patience = self.timeouts.dial + (_TLS_HANDSHAKE if secure else 0) if self.timeouts.dial else None
        try:
            async with asyncio.timeout(patience):
                _, connection = await self.loop.create_connection(
                    lambda: Connection(self, endpoint),
                    await self._address(url.hostname),
                    int(url.port or "0"),
                    ssl=(self._tls or True) if secure else None,
                    server_hostname=url.hostname if secure else None,
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

    def keep(self, connection: "Connection") -> bool:
        """Takes a connection that is not needed now; False if it is one too many."""
        connections = self._idle.setdefault(connection.endpoint, [])
        if len(connections) >= _MOST_IDLE:
            return False
        connections.append(connection)
        return True

    def noted(self, connection: "Connection") -> None:
        """A connection has come about."""
        self._all.add(connection)

    def forget(self, connection: "Connection") -> None:
        """A connection is no more."""
        self._all.discard(connection)
        idle = self._idle.get(connection.endpoint)
        if idle and connection in idle:
            idle.remove(connection)

    def retain(self, endpoints: list[str]) -> None:
        """Closes the idle connections to all others, and those that have been idle for long."""
        now = self.loop.time()
        for endpoint, connections in self._idle.items():
            for connection in list(connections):
                if endpoint not in endpoints or now - connection.since >= _IDLE_SECONDS:
                    connections.remove(connection)
                    connection.close()

    def close(self) -> None:
        """Breaks off whatever is under way."""
        for connection in list(self._all):
            connection.close()


class Connection(asyncio.Protocol):
    """One connection to one endpoint."""

    __slots__ = (
        "_asker",
        "_body",
        "_chunks",
        "_got",
        "_head",
        "_held",
        "_left",
        "_reading",
        "_timer",
        "_transport",
        "_upstream",
        "_used",
        "endpoint",
        "since",
    )

    def __init__(self, upstream: Upstream, endpoint: str) -> None:
        self.endpoint = endpoint
        self.since = 0.0
        """When it became idle, by the loop's clock."""
        self._upstream = upstream
        self._transport: asyncio.Transport
        self._used = False
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None
        self._asker: Asker | None = None  # until its answer begins
        self._held = b""  # of an answer, as far as nothing could be made of it
        self._got = False  # any byte of an answer
        self._head: AnswerHead | None = None
        self._body: Body | None = None  # of an answer that has begun
        self._chunks: Chunks | None = None
        self._left = 0

    def ask(self, asker: Asker, request: bytes) -> None:
        """Sends a request, and tells its answer, or that there is none, to who asks; never before it returns."""
        self._asker = asker
        self._got = False
        if self._upstream.timeouts.read:
            self._expect(self._upstream.timeouts.read)
        self._transport.write(request)

    def close(self) -> None:
        """Ends it at once, and with it what is under way."""
        self._transport.abort()

    # What the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        for option in _KEEPALIVE:
            sock.setsockopt(*option)
        self._upstream.noted(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.forget(self)
        self._stop_timer()
        self._end_badly(in_go_words(exc) if isinstance(exc, OSError) else "EOF")

    def eof_received(self) -> bool:
        if self._body is not None and self._head is not None and self._head.length == UNTIL_CLOSE:
            body, self._body = self._body, None
            body.end()
        return False

    def pause_writing(self) -> None:
        if self._upstream.timeouts.write:
            self._expect(self._upstream.timeouts.write)

    def resume_writing(self) -> None:
        self._stop_timer()
        if self._upstream.timeouts.read and self._asker is not None:
            self._expect(self._upstream.timeouts.read)

    def data_received(self, data: bytes) -> None:
        if self._upstream.timeouts.read:
            self._expect(self._upstream.timeouts.read)
        if self._body is not None:
            self._read_on(data)
        elif self._asker is None:
            self.close()  # it speaks unasked
        else:
            self._got = True
            try:
                self._read_answer(self._held + data if self._held else data)
            except BadAnswer as error:
                self._break(f"net/http: HTTP/1.x transport connection broken: {error}")

    # Answers

    def _read_answer(self, data: bytes) -> None:
        asker = self._asker
        assert asker is not None
        head = self._head or read_head(data, is_head=asker.is_head)
        while head is not None and head.status < 200:
            if head.status == 101:
                raise BadAnswer("protocols are switched unasked")
            data = data[head.size :]
            head = read_head(data, is_head=asker.is_head)
        self._held = data
        if head is None:
            if len(data) > 1 << 20:
                raise BadAnswer("the head is too long")
            return
        self._head = head
        size = head.size + max(head.length, 0)
        if head.length >= 0 and len(data) >= size:
            self._pass_on(asker, head, data[:size], keeps=head.keeps and len(data) == size)
        elif head.length < 0 or head.length > _COLLECTED:
            self._begin_body(asker, head, data)

    def _pass_on(self, asker: Asker, head: AnswerHead, answer: bytes, *, keeps: bool) -> None:
        if head.plain:
            response = Response(head.status, wire=answer)
        else:
            headers = passed_on(answer[: head.size], is_head=asker.is_head)
            response = Response(head.status, headers, answer[head.size :])
        self._done(keeps)
        asker.answered(response)

    def _begin_body(self, asker: Asker, head: AnswerHead, data: bytes) -> None:
        body = Body(self)
        headers = passed_on(data[: head.size], is_head=False)
        if head.length == CHUNKED:
            self._chunks = Chunks()
        else:
            self._left = head.length
        self._asker, self._body, self._held = None, body, b""
        self._read_on(data[head.size :])
        if body.whole:
            response = Response(head.status, headers, body.take() or b"")
        else:
            response = Response(head.status, headers, stream=body)
        asker.answered(response)

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
            self._done(head.keeps and not rest)
            body.end()

    def _done(self, keeps: bool) -> None:
        """An answer has come whole."""
        self._asker = self._head = self._chunks = None
        self._held = b""
        self._used = True
        self._stop_timer()
        self.read_on()
        self.since = self._upstream.loop.time()
        if not keeps or not self._upstream.keep(self):
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
        self._timer = self._upstream.loop.call_later(seconds, self._break, "i/o timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _break(self, why: str) -> None:
        self._transport.abort()
        self._end_badly(why)

    def _end_badly(self, why: str) -> None:
        asker, body = self._asker, self._body
        self._asker = self._body = None
        if body is not None:
            body.break_off(why)
        if asker is not None:
            asker.failed(Failure(why, sent=True, stale=self._used and not self._got))


class Body:
    """The body of an answer on its way to the client, as a ``Stream``. Closed before its end, it takes the connection
    along: so a client's end ends what it has asked for."""

    def __init__(self, connection: Connection) -> None:
        self.whole = False
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0
        self._broken = False
        self._tell: Callable[[], object] = lambda: None

    # The connection's side

    def feed(self, piece: bytes) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _AHEAD:
            self._connection.read_later()
        self._tell()

    def end(self) -> None:
        self.whole = True
        self._tell()

    def break_off(self, why: str) -> None:
        logger.debug("the body from %s is not whole: %s", self._connection.endpoint, why)
        self._broken = True
        self._tell()

    # The client's side

    def take(self) -> bytes | None:
        """What has come. Raises BrokenOff when no more will, though it is not whole."""
        if not self._pieces:
            if self._broken:
                raise BrokenOff
            return None if self.whole else b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if not (self.whole or self._broken):
            self._connection.read_on()
        return data

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called at every piece, and at the end."""
        self._tell = tell

    def close(self) -> None:
        """Nobody wants the rest."""
        self._tell = lambda: None
        if not (self.whole or self._broken):
            self._connection.close()


def _failed_dial(host: str, error: OSError | ValueError) -> str:
    """In Go's words."""
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host.rpartition(':')[0]}: no such host"
    words = in_go_words(error)
    return words if isinstance(error, ssl.SSLError) else f"dial tcp {host}: connect: {words}"
