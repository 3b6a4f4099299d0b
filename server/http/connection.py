"""A server's side of one connection: bytes in, requests out; answers in, bytes out. No socket, no loop, no clock.

``states`` explains the states. The driver of a connection gives it what arrives (``receive``, ``receive_end``), asks
for the next event (``next``), calls what the handler decides (``want_body``, ``answer``, ``send``, ``finish``), and
sends the bytes in ``out``. A client's mistakes are answered in here; the driver's raise ``LocalProtocolError``.

Texts and rules are those of Go's net/http as etcd 2.3.8 uses it, except where ``docs/fidelity.md`` names a difference.
"""

from collections.abc import Callable
from typing import Final

from server.http.answers import Verbatim
from server.http.chunks import LAST_CHUNK, BadFraming, chunk
from server.http.heads import BAD_REQUEST, UNSUPPORTED, Heads
from server.http.incoming import INCOMPLETE, NO_HEAD, TLS, Incoming
from server.http.messages import CLOSE, WHOLE, Headers, Refusal, Request, Response
from server.http.responses import BODILESS, Dates, answer_head, refusal_page
from server.http.states import (
    ANSWERED,
    ASKED,
    BEGUN,
    BROKEN,
    CLOSING,
    CUT,
    DRAINING,
    FINISHED,
    HEAD,
    HELD,
    LAST,
    LAST_UNREAD,
    LOST,
    NEVER,
    NEXT,
    READING,
    REFUSED,
    SENT,
    STOPPED,
    WAITING,
    WANTED,
    WIDTH,
    LocalProtocolError,
)
from server.http.states import WHOLE as WHOLE_BODY

HeadersFor = Callable[[str], Headers]

# The events that ``next`` returns:

NOTHING: Final = 0
"""No event: more bytes are needed, or the handler is still at work."""
REQUEST: Final = 1
"""``request`` must be handled."""
PIECE: Final = 2
"""``piece`` is a part of the body, and more will come."""
OVER: Final = 3
"""``piece`` is the last part of the body; for one that is not complete, ``fault`` says in Go's words why."""
REFUSAL: Final = 4
"""The bytes are not a request, and were refused."""
ANSWER: Final = 5
"""An answer was given that was held back, or that needs no handler."""

DRAINED: Final = 256 << 10
"""Bytes of a body without a reader that are read to keep the connection, as Go does."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_UNSUPPORTED_WORDS = b"Unsupported transfer encoding"

_NO_REQUEST = Request("", b"", {})
_EXPECTATION_FAILED = Response(417, (CLOSE,))


class Connection:
    """One connection of a client at ``client``, an address without the port.

    ``heads`` are shared between connections; ``dates`` has the Date line of an answer's head; ``cors`` returns further
    headers for a request's Origin.
    """

    __slots__ = (
        "_client", "_cors", "_dates", "_held", "_incoming", "_next", "_posted", "_size", "_unsaid", "ended", "fault",
        "out", "out_size", "piece", "request", "state", "stopping",
    )  # fmt: skip

    def __init__(self, heads: Heads, client: str, dates: Dates, cors: HeadersFor | None = None) -> None:
        self.state = WAITING
        self.ended = False
        """The client sends no more."""
        self.stopping = False
        """Every answer is the last one."""
        self.request = _NO_REQUEST
        self.piece = b""
        self.fault = ""
        self.out: list[bytes] = []
        """Bytes to send; ``take`` returns and removes them."""
        self.out_size = 0
        self._next = NEXT  # quicker than a name of the module
        self._incoming = Incoming(heads)
        self._client = client
        self._dates = dates
        self._cors = cors
        self._posted = False  # the request before was a POST
        self._unsaid = False  # the client waits for a 100 Continue before it sends the body
        self._held: Response | None = None  # the answer, while the rest of the body is read
        self._size = 0  # bytes that were read without a reader

    # What arrives

    def receive(self, data: bytes) -> None:
        """The client has sent this."""
        self._incoming.receive(data)

    def receive_end(self) -> None:
        """The client sends no more; what it has sent is still answered."""
        self.ended = True

    @property
    def ahead(self) -> int:
        """Bytes that have been received and not used."""
        return self._incoming.ahead

    def next(self) -> int:
        """The next event in what has been received: see above. Call it until it returns NOTHING."""
        state = self.state
        if state == WAITING:
            return self._next_request()
        if state == READING:
            return self._next_piece()
        if state == DRAINING:
            return self._drain()
        return NOTHING

    @property
    def is_alone(self) -> bool:
        """Whether the request that ``next`` just returned is all that has been received."""
        return self._incoming.is_alone

    def raw(self) -> bytes:
        """The bytes of the request that ``next`` just returned; empty if it has a body."""
        incoming = self._incoming
        return b"" if incoming.head.length else incoming.raw_head()

    # What the handler decides

    def want_body(self) -> None:
        """Begins to read the body; ``next`` returns it."""
        self._go(WANTED)
        if self._unsaid:
            self._unsaid = False
            self._write(CONTINUE)

    def cut_body(self) -> None:
        """Stops reading the body: no more of it is needed, or it has not come in time. An answer that was held back for
        it is given."""
        self._go(CUT)
        if self._held is not None:
            self._answer_held()

    def answer(self, response: Response) -> bytes:
        """Answers the request. Returns the bytes written if the connection continues after them, else nothing.

        With a stream only the head is written; the state is then SENDING, and the pieces must follow. The answer may be
        held back while DRAINING.
        """
        incoming = self._incoming
        unread = incoming.is_unread()
        if (
            unread
            and self.state == ASKED
            and not (self._unsaid or incoming.left > DRAINED or isinstance(response, Refusal))
        ):
            self._go(HELD)
            self._held = response
            self._size = 0
            return b""
        return self._say(response, unread)

    def say_again(self, answer: bytes) -> None:
        """Gives the answer that another request of the same bytes got. Either ``next`` has returned this request, or it
        was recognized by its bytes alone, with nothing else received."""
        if self.state == WAITING:
            self._go(HEAD)
        self._go(ANSWERED)
        self._write(answer)

    def send(self, piece: bytes) -> None:
        """Sends the next piece of the answer."""
        self._go(SENT)
        self._write(piece if self._incoming.head.http10 else chunk(piece))

    def finish(self) -> None:
        """Ends an answer that was sent in pieces: it is complete."""
        self._go(FINISHED)
        if not self._incoming.head.http10:
            self._write(LAST_CHUNK)
        self._answered(
            self._incoming.head.keeps and not self._incoming.head.http10 and not self._incoming.is_unread()
        )

    def break_off(self) -> None:
        """Breaks off an answer that is sent in pieces: the connection is closed without the last chunk. A client of
        HTTP/1.0 would take that for the end of the answer: call ``lose`` for one instead (``may_break_off``)."""
        self._go(BROKEN)

    @property
    def may_break_off(self) -> bool:
        return not self._incoming.head.http10

    # Ends

    def stop(self) -> None:
        """Ends a connection without a request, or with a client that does not wait for its answer."""
        self._go(STOPPED)

    def lose(self) -> None:
        """The connection is lost."""
        self._go(LOST)
        self.take()

    @property
    def is_over(self) -> bool:
        """Nothing more is read or written."""
        return self.state >= CLOSING

    def take(self) -> bytes:
        """Returns the bytes to send, and removes them from ``out``."""
        out = self.out
        if not out:
            return b""
        self.out = []
        self.out_size = 0
        return out[0] if len(out) == 1 else b"".join(out)

    # Heads

    def _next_request(self) -> int:
        incoming = self._incoming
        if self._posted and incoming.ahead:
            self._posted = False
            incoming.pass_over_empty_lines()
        found = incoming.next_head()
        if found == INCOMPLETE:
            return NOTHING
        if found == NO_HEAD:
            self.fault = incoming.fault
            return self._refuse()
        self._go(HEAD)
        head = incoming.head
        self.request = Request(incoming.method, incoming.target, head.headers, self._client)
        self._unsaid = head.waits
        if head.expects_more:
            self.answer(_EXPECTATION_FAILED)
            return ANSWER
        return REQUEST

    def _refuse(self) -> int:
        self._go(REFUSED)
        line = BAD_REQUEST if self.fault == TLS else self.fault
        self._write(refusal_page(line, _UNSUPPORTED_WORDS if line == UNSUPPORTED else line.encode()))
        return REFUSAL

    # Bodies

    def _next_piece(self) -> int:
        if not self._incoming.is_unread():
            self.piece, self.fault = b"", ""
            self._go(WHOLE_BODY)
            return OVER
        if self._incoming.is_used_up():
            if not self.ended:
                return NOTHING
            self.piece, self.fault = b"", "unexpected EOF"
            self._go(CUT)
            return OVER
        try:
            self.piece = self._incoming.read_body()
        except BadFraming as error:
            self.piece, self.fault = b"", str(error)
            self._go(CUT)
            return OVER
        if self._incoming.is_unread():
            return PIECE
        self.fault = ""
        self._go(WHOLE_BODY)
        return OVER

    def _drain(self) -> int:
        """Continues to read a body without a reader, and gives the answer once it is over."""
        try:
            self._size += len(self._incoming.read_body())
        except BadFraming:
            self._size = DRAINED + 1
        if not self._incoming.is_unread():
            self._go(WHOLE_BODY)
        elif self._size > DRAINED or (self.ended and self._incoming.is_used_up()):
            self._go(CUT)
        else:
            return NOTHING
        self._answer_held()
        return ANSWER

    def _answer_held(self) -> None:
        held, self._held = self._held, None
        assert held is not None
        self._say(held, self._incoming.is_unread())

    # Answers

    def _say(self, response: Response, unread: bool) -> bytes:
        head = self._incoming.head
        keeps = head.keeps and not unread and not self.stopping
        is_head = self.request.method == "HEAD"
        if isinstance(response, Verbatim):
            if keeps and self._cors is None and not head.http10:
                self._answered(True)
                self._write(response.wire)
                return response.wire
            response = response.apart(is_head=is_head)
        elif isinstance(response, Refusal):
            self._answered(False)
            self._write(refusal_page(response.line, response.body))
            return b""
        headers = response.headers
        if self._cors is not None:
            headers = tuple(sorted(headers + self._cors(head.origin)))
        if CLOSE in headers:
            keeps = False
            headers = tuple([header for header in headers if header != CLOSE])
        if response.stream is not None:
            self._begin_stream(response.status, headers, keeps, is_head)
            return b""
        body, status = response.body, response.status
        if len(body) > WHOLE and any(name == "Content-Length" for name, _ in headers):
            top = answer_head(status, headers, self._dates.line(), None, head, keeps)
        elif len(body) > WHOLE:
            keeps = keeps and (is_head or not head.http10)
            top = answer_head(status, headers, self._dates.line(), None, head, keeps, chunked=not is_head)
            if not (is_head or head.http10):
                body = chunk(body) + LAST_CHUNK
        else:
            length = len(body) if body or not (is_head or status in BODILESS) else None
            top = answer_head(status, headers, self._dates.line(), length, head, keeps)
        answer = top if is_head else top + body
        self._answered(keeps)
        self._write(answer)
        return answer if keeps else b""

    def _begin_stream(self, status: int, headers: Headers, keeps: bool, is_head: bool) -> None:
        head = self._incoming.head
        keeps = keeps and not head.http10
        top = answer_head(status, headers, self._dates.line(), None, head, keeps, chunked=not is_head)
        if is_head:
            self._answered(keeps)
        else:
            self._go(BEGUN)
            if not keeps:
                self.stopping = True  # this is the last answer, and its head has said so
        self._write(top)

    def _answered(self, keeps: bool) -> None:
        if keeps and not self.stopping:
            self._go(ANSWERED)
            self._posted = self.request.method == "POST"
        else:
            self._go(LAST_UNREAD if self._incoming.is_unread() and not self.ended else LAST)

    def _write(self, data: bytes) -> None:
        self.out.append(data)
        self.out_size += len(data)

    def _go(self, what: int) -> None:
        to = self._next[self.state * WIDTH + what]
        if to == NEVER:
            raise LocalProtocolError(self.state, what)
        self.state = to
