"""One client connection: aiohttp's, changed where Go's net/http does something else with the same bytes.

- A client that stops sending (``shutdown(SHUT_WR)``, ``nc -N``) still gets the answers to what it has sent.
- What is no HTTP is answered with Go's plain page and no line in the log; a head is limited as a whole.
- Bytes beyond ASCII in a request target, and methods nobody knows, reach the handler.
- An answer that leaves a body unread has time to arrive before the connection is closed.

Decides nothing about requests that are whole. Knows aiohttp, and its insides where they are named here.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError, HttpVersion10, HttpVersion11, RawRequestMessage
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD

from server.http.chunks import chunk_fault
from server.http.heads import END_OF_HEAD, without_upgrade
from server.http.hotpath import PARTING
from server.http.limits import Doing
from server.http.messages import CLOSE, refused
from server.listen import address_text

logger = logging.getLogger(__name__)

MAX_HEAD = 1 << 20
"""Bytes of a request's head: Go's limit."""

_TLS_HANDSHAKE = 0x16
"""The first byte of TLS, and of no request."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^ ]+) (HTTP/1\.[01]\r?)")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_OF_HTTP = ("Date", "Content-Length", "Connection", "Transfer-Encoding")
_METHODS = frozenset((b"GET", b"HEAD", b"PUT", b"POST", b"DELETE", b"OPTIONS"))
_ENDS_OF_METHODS = frozenset(name[n:] for name in _METHODS for n in range(1, len(name)))
_UNKNOWN_METHOD = b"PATCH"
"""Stands for every method no handler knows, as aiohttp's parser knows a list of its own."""


class Incoming(web.BaseRequest):
    """A request as aiohttp gives it, and the connection it came by."""

    def __init__(
        self,
        message: RawRequestMessage,
        payload: Any,
        connection: "Connection",
        writer: Any,
        task: "asyncio.Task[None]",
    ) -> None:
        self.versionless = message.version < HttpVersion10
        """Without ``HTTP/1.x``: such a request is to be refused."""
        if self.versionless or message.method == "UNKNOWN":  # as aiohttp calls bytes that are no request
            message = message._replace(version=HttpVersion11)
        if message.upgrade and message.method != "CONNECT":
            message = message._replace(should_close=True)  # aiohttp may lose what is sent behind it
        super().__init__(message, payload, connection, writer, task, asyncio.get_running_loop())
        self.connection = connection
        connection.begin(Doing.BUSY)

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        """Headers in Go's order: the handler's by name, then those of HTTP itself."""
        headers = response.headers
        headers.popall("Server", None)
        own = [(name, value) for name in _OF_HTTP for value in headers.popall(name, ())]
        ordered = sorted(headers.items()) + own
        headers.clear()
        headers.extend(ordered)


class Connection(web.RequestHandler):
    """aiohttp's protocol for one connection. ``half_closed`` says that the client will send no more; ``stall`` is
    ``Limits.stall``; ``doing``, ``since`` and ``address`` are a ``Guest``'s."""

    def __init__(self, *args: Any, stall: float | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.half_closed = False
        self.stall = stall
        self.doing = Doing.WAITING
        self.since = self._loop.time()
        self._line = b""  # of a request, as far as it has come
        self._head = 0  # bytes of a head that is not whole
        self._body = EMPTY_PAYLOAD  # of the latest request
        self._ending: asyncio.Timeout | None = None

    @property
    def address(self) -> str:
        return str((self.peername or ("",))[0])

    def begin(self, doing: Doing) -> None:
        """It is at something else from now on, or something came of what it is at."""
        self.doing = doing
        self.since = self._loop.time()

    def leave(self) -> None:
        """Closes it at once."""
        if self.transport is not None:
            self.transport.abort()
        if self._task_handler is not None:
            self._task_handler.cancel()  # before it writes to what is closed

    def data_received(self, data: bytes) -> None:
        if data and self._body.is_eof():
            if data[0] == _TLS_HANDSHAKE and self._head == 0 and not self._line:
                self._refuse_tls()
                return
            if self._head == 0:
                data, self._line = self._line + data, b""
                if b"\n" not in data and len(data) <= MAX_HEAD:
                    self._line = data
                    return
                data = _readable(data)
            self._head += len(data)
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._note_latest()
        elif self._head > MAX_HEAD + 4096:
            self._refuse_head()

    def _note_latest(self) -> None:
        if self._messages:
            latest, body = self._messages[-1]
            if isinstance(latest, RawRequestMessage):
                self._head, self._body = 0, body
            elif not self._body.is_eof():
                self._body.set_exception(web.RequestPayloadError(_fault(latest.exc)))

    def _refuse_head(self) -> None:
        """For heads that are long by their number of lines, which aiohttp's parser does not limit."""
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse_tls(self) -> None:
        """Says so at once: a client that shakes hands waits for the other hand, and sends nothing more."""
        if self.peername:
            logger.info(
                "http: %s speaks TLS; this address is served without: use http://, or configure "
                "certificates and an https:// listen URL",
                address_text(tuple(self.peername)),
            )
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.transport is not None and (self._is_idle() or self._request_count == 0):
            page = refused(status, status.phrase).body
            head = (
                b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" % page
            )
            self.transport.write(head + page)
        self.force_close()

    def eof_received(self) -> bool | None:  # type: ignore[override] # asyncio looks at what it returns
        """True, which leaves the other direction open; TLS has no such thing."""
        if self.transport is None or self.ssl_context is not None:
            return None
        self.half_closed = True
        if not self._body.is_eof():
            self._body.set_exception(web.RequestPayloadError("unexpected EOF"))
        if self._ending is not None:
            self._ending.reschedule(self._loop.time())
        self._loop.call_soon(self._close_if_idle)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._body = EMPTY_PAYLOAD  # the other one holds this connection: a circle

    def abort_stream(self) -> None:
        """Breaks off the stream that is being sent here, if there is one."""
        if self._ending is not None and self.transport is not None:
            self.transport.abort()

    @contextlib.contextmanager
    def ending(self, when: asyncio.Timeout) -> Iterator[None]:
        """While it is open, ``when`` comes as soon as the client will send no more; at once if it has said so."""
        self._ending = when
        if self.half_closed:
            when.reschedule(self._loop.time())
        try:
            yield
        finally:
            self._ending = None

    def tell_to_continue(self) -> None:
        """Answers ``Expect: 100-continue``: the client may send the body."""
        if self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def finish_response(
        self, request: Any, response: Any, start: Any
    ) -> tuple[web.StreamResponse, bool]:
        try:
            async with asyncio.timeout(self.stall):
                finished = await super().finish_response(request, response, start)
        except TimeoutError:
            self.leave()
            raise ConnectionError("the client does not read its answer") from None
        self._note_latest()  # what stood behind a request for an upgrade is read only now
        if not request.content.is_eof() and self.transport is not None:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            await asyncio.sleep(PARTING)
        if self.half_closed and not self._messages:
            self.close()
        self.begin(Doing.WAITING)
        return finished

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, and to a fault of aiohttp's or ours outside the handler."""
        if not isinstance(exc, HttpProcessingError):
            logger.error("this is a fault in the server, please report it: %s", message, exc_info=exc)
            status = 500
        else:
            status = 431 if isinstance(exc, LineTooLong) else 400
            exc.__traceback__ = None  # aiohttp's frame in it holds the error: a circle
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        answer = refused(status, HTTPStatus(status).phrase)
        sent = web.Response(status=status, body=answer.body)
        for header in answer.headers:
            if header != CLOSE:
                sent.headers[header[0]] = header[1]
        sent.force_close()
        return sent

    def _is_idle(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.force_close()


def _readable(head: bytes) -> bytes:
    """The beginning of a head, if it is one at all, such that aiohttp's parser takes its first line and passes over
    what Go does."""
    end = head.find(b"\n")
    if end < 0 or (line := _REQUEST_LINE.fullmatch(head, 0, end)) is None:
        return head
    fields, blank, behind = head[end:].partition(END_OF_HEAD)
    method, target, version = line.groups()
    known = method in _METHODS or method in _ENDS_OF_METHODS  # its beginning came behind another request
    if not known and target.startswith(b"/"):
        method = _UNKNOWN_METHOD
    target = _NOT_ASCII.sub(lambda match: b"%%%02x" % ord(match[0]), target)
    return b"%s %s %s%s%s%s" % (method, target, version, without_upgrade(fields), blank, behind)


def _fault(error: BaseException) -> str:
    """In Go's words."""
    return chunk_fault(str(error)) if isinstance(error, HttpProcessingError) else str(error)
