"""Connections of clients on an event loop: between the ``Connection``, which implements HTTP, and the handler.

No task and no future is made for a request whose handler answers at once or with a ``DeferredResponse``. Decides
nothing about HTTP.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from server.http.bodies import Arriving
from server.http.carrier import BATCH, Carrier, Common
from server.http.connection import NOTHING, OVER, PIECE, REFUSAL, REQUEST
from server.http.incoming import TLS
from server.http.limits import FREE, Doing
from server.http.messages import (
    CLOSE,
    Body,
    BrokenOff,
    DeferredResponse,
    Finishing,
    PourBody,
    ReadBody,
    Reply,
    Response,
    Stream,
    UntilGone,
    text,
)
from server.http.states import DRAINING, OWING, SENDING, WAITING
from server.listen import address_text

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_AHEAD: Final = 64 << 10
"""Bytes of further requests that a connection reads while it serves one. A choice: it bounds the memory of a client
that sends without reading, and holds some hundred usual requests of one that does not wait for answers."""

_TURN: Final = 16
"""Requests of one connection that are begun before others have their turn. A choice: more would save passes of the
event loop, and delay other connections."""


class ServerProtocol(Carrier):
    """One connection of a client: what is asked, and what is answered."""

    __slots__ = ("_arriving", "_awaited", "_looking", "_noted_news", "_stream", "_until_gone")

    def __init__(self, common: Common) -> None:
        super().__init__(common)
        self._looking = False  # while _serve looks at what has been read
        self._noted_news = False  # the stream has something, and _send_news will send it
        self._arriving: Arriving | None = None  # the body that the handler asked for
        self._awaited: asyncio.Task[None] | None = None
        self._until_gone = False  # _awaited ends when the client stops sending
        self._stream: Stream | None = None  # of the answer, also while that is held back

    # Called by the transport

    def data_received(self, data: bytes) -> None:
        http = self._http
        if http.state == WAITING and not http.ahead and not self._paused:
            answer = self._common.cache.get(data)
            if answer is not None:
                self.since = self._common.loop.time()
                http.say_again(answer)
                self._wrote()
                return
        http.receive(data)
        self._serve()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._awaited is not None:
            self._awaited.cancel()
        if self._arriving is not None:
            self._arriving.share.leave()
            self._arriving = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    # Reading

    def _serve(self) -> None:
        """Serves what has been read, as far as possible without waiting."""
        http = self._http
        self._looking = True
        begun, what = 0, REQUEST
        while True:
            if http.state == WAITING:
                if self._paused or begun == _TURN or (begun and not http.ahead):
                    break
                begun += 1
            what = http.next()
            if what == NOTHING:
                break
            if what == REQUEST:
                self._ask_handler()
            elif what == PIECE:
                self._take_piece()
            elif what == OVER:
                self._end_body(http.piece, http.fault)
            elif what == REFUSAL:
                self._tell_of_refusal()
            else:
                self._follow_answer()
        self._looking = False
        if http.out and not self._noted_output:
            self._wrote()
        if http.is_over:
            self._close()
            return
        needs_more = what == NOTHING and http.state == WAITING
        if http.ahead > _MAX_AHEAD and not needs_more:
            self._read_later()
        if begun == _TURN:
            self._common.loop.call_soon(self._resume)
        elif http.ended:
            self._heed_the_end()

    def _heed_the_end(self) -> None:
        """The client sends no more: ends its stream or its wait; other requests are still answered."""
        state = self._http.state
        if state == SENDING:
            self.send_news()
            self._end_if_deserted()
        elif self._until_gone or (state == WAITING and not self._paused):
            self._stop()

    def _ask_handler(self) -> None:
        http, common = self._http, self._common
        if not http.is_alone:  # else data_received has looked for it already
            raw = http.raw()
            answer = common.cache.get(raw) if raw else None
            if answer is not None:
                http.say_again(answer)
                self._follow_answer()
                return
        http.stopping = common.stopping
        reply = self._ask(common.handler, http.request)
        if isinstance(reply, Response) and reply.repeatable:
            raw = http.raw()
            written = http.answer(reply)
            if raw and written:
                common.cache.keep(raw, written)
            self._follow_answer()
        elif isinstance(reply, ReadBody):
            self._read_body(reply)
        else:
            self._go_on(reply)

    def _tell_of_refusal(self) -> None:
        peername = self._transport.get_extra_info("peername")
        if self._http.fault == TLS and peername:
            logger.info(
                "http: %s speaks TLS; this address is served without: use http://, or configure "
                "certificates and an https:// listen URL",
                address_text(tuple(peername)),
            )

    # Bodies

    def _read_body(self, wanted: ReadBody | PourBody) -> None:
        http = self._http
        http.want_body()
        what = http.next()
        if what == OVER and isinstance(wanted, ReadBody) and len(http.piece) <= min(wanted.limit, FREE):
            self._go_on(self._ask(wanted.then, Body(http.piece, http.fault)))  # as usual, all of it is there
            return
        common = self._common
        self.since = now = common.loop.time()
        self._arriving = Arriving(wanted, common.holdings.share(self), common.limits, now)
        if what == PIECE:
            self._take_piece()
        elif what == OVER:
            self._end_body(http.piece, http.fault)

    def _take_piece(self) -> None:
        arriving = self._arriving
        assert arriving is not None
        self.since = self._common.loop.time()
        try:
            goes_on = arriving.feed(self._http.piece, self.since)
        except Exception:
            self._http.cut_body()
            self._let_go_of_body()
            self._respond(self._fault())
            return
        if not goes_on:
            self._http.cut_body()
            self._end_body(b"", "")

    def _end_body(self, piece: bytes, fault: str) -> None:
        reply = self._ask(self._body_over, (piece, fault))
        self._let_go_of_body()
        self._go_on(reply)

    def _body_over(self, last: tuple[bytes, str]) -> Reply:
        piece, fault = last
        arriving = self._arriving
        assert arriving is not None
        if piece:
            arriving.feed(piece, self._common.loop.time())
        return arriving.end(fault)

    def _let_go_of_body(self) -> None:
        if self._arriving is not None:
            self._arriving.share.leave()
            self._arriving = None

    # Answering

    def _ask(self, call: Callable[[T], Reply | PourBody], argument: T) -> Reply | PourBody:
        try:
            return call(argument)
        except Exception:
            return self._fault()

    def _fault(self) -> Response:
        asked = self._http.request
        logger.exception(
            "this is a fault in the server, please report it: %s %r", asked.method, asked.target.decode()
        )
        return text(500, "Internal Server Error", CLOSE)

    def _go_on(self, reply: Reply | PourBody) -> None:
        if isinstance(reply, Response):
            self._respond(reply)
        elif isinstance(reply, DeferredResponse):
            reply.on_done(self._respond)
            self._common.write_soon()
        elif isinstance(reply, PourBody):
            self._read_body(reply)
        else:
            assert not isinstance(reply, ReadBody)  # it has the body already
            self._until_gone = isinstance(reply, UntilGone)
            self._awaited = self._common.loop.create_task(self._await(reply))

    async def _await(self, reply: Awaitable[Response]) -> None:
        try:
            response = await reply
        except Exception:
            response = self._fault()
        self._awaited = None
        self._until_gone = False
        self._respond(response)

    def _respond(self, response: Response) -> None:
        http = self._http
        if http.is_over:
            if response.stream is not None:
                response.stream.close()
            return
        http.stopping = self._common.stopping
        self._stream = response.stream
        http.answer(response)
        self._follow_answer()

    def _follow_answer(self) -> None:
        """Continues after an answer was given, begun or held back."""
        self.since = self._common.loop.time()
        stream, state = self._stream, self._http.state
        if stream is not None and state != DRAINING:
            if state == SENDING:
                self._begin_stream(stream)
            else:
                self._stream = None
                stream.close()
        self._wrote()
        if not self._looking:
            self._wake()

    def _wake(self) -> None:
        """Has what was read meanwhile served; closes a connection that is over."""
        http = self._http
        if http.is_over:
            self._close()
        elif http.ahead or http.ended:
            self._common.loop.call_soon(self._resume)

    # Streams

    def _begin_stream(self, stream: Stream) -> None:
        self._noted_news = False
        stream.on_news(self._note_news)
        if isinstance(stream, Finishing):
            stream.on_late(self.leave)
        self.send_news()

    def _note_news(self) -> None:
        if self._stream is not None and not self._noted_news:
            self._noted_news = True
            self._common.note_news(self)

    def send_news(self) -> None:
        """Sends what the stream has, if there is one and the client reads."""
        self._noted_news = False
        http, stream = self._http, self._stream
        if stream is None or self._paused or http.state != SENDING:
            return
        size = 0
        try:
            while piece := stream.take():
                http.send(piece)
                size += len(piece)
                if size > BATCH:
                    break
        except Exception as error:
            if not isinstance(error, BrokenOff):
                self._fault()
            self._break_stream(stream)
            return
        if piece is None:
            self._end_stream()
            return
        self._wrote()
        if piece:
            self._note_news()  # there may be more, when others have had their turn
        elif http.ended:
            self._end_if_deserted()

    def _end_if_deserted(self) -> None:
        """Ends the stream of a client that sends no more, unless the stream has work to finish."""
        stream = self._stream
        if stream is None or self._noted_news or (isinstance(stream, Finishing) and stream.is_at_something()):
            return
        self._end_stream()

    def _end_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._http.stopping = self._http.stopping or self._common.stopping
        self._http.finish()
        self._follow_answer()

    def _break_stream(self, stream: Stream) -> None:
        self._stream = None
        stream.close()
        if self._http.may_break_off:
            self._http.break_off()
            self._close()
        else:
            self.leave()

    # Called by the carrier

    @property
    def doing(self) -> Doing:
        state = self._http.state
        if state == WAITING:
            return Doing.WAITING
        if state == SENDING:
            return Doing.STREAMING
        patient = self._arriving is not None and self._arriving.is_patient
        return Doing.PATIENT if patient else Doing.BUSY

    def close_if_idle(self) -> None:
        """The server stops: requests that have begun still get their answer. Where one may never come, the connection
        is closed now. A watch is broken off: after a proper end its client would believe that there was no event, and
        not that the server has stopped.
        """
        if self._until_gone or self._http.state == WAITING:
            self._stop()
        elif self._http.state == SENDING:
            stream = self._stream
            assert stream is not None
            if not (isinstance(stream, Finishing) and stream.ends_by_itself()):
                self.leave()

    def _due(self) -> float:
        if self._http.state == DRAINING:
            return self.since + self._common.limits.body
        return math.inf if self._arriving is None else self._arriving.due

    def _give_up(self) -> None:
        self._http.cut_body()
        if self._http.state == OWING:
            self._end_body(b"", "i/o timeout")
        else:
            self._follow_answer()  # cut_body has given the answer that was held back
