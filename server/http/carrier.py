"""Transports and connections: when bytes are read and written, when a connection ends, and what connections share."""

import asyncio
import math
import time
from typing import Final, cast

from server.http.cache import ResponseCache
from server.http.connection import Connection, HeadersFor
from server.http.heads import Heads
from server.http.limits import Doing, Holdings, Limits
from server.http.messages import PouringHandler
from server.http.responses import Dates
from server.http.states import GONE, LINGERING, WAITING

PARTING = 0.5
"""Seconds between an answer and the close of a connection with unread bytes, as in Go's net/http: the close resets the
connection, which may destroy the answer on its way."""

BATCH: Final = 64 << 10
"""Bytes of answers that a connection collects before it writes them. A choice: more would take more memory for each
connection, and a single write of this size costs little more than its bytes."""


class Common:
    """What the connections of some listeners share.

    ``cors`` returns further headers for a request's Origin; answers that may be given again are kept in ``cache``.
    """

    def __init__(
        self,
        handler: PouringHandler,
        cors: HeadersFor | None,
        limits: Limits,
        cache: ResponseCache | None = None,
    ) -> None:
        self.handler = handler
        self.cors = cors
        self.limits = limits
        self.cache = cache or ResponseCache(lambda: None, lambda: None)
        self.heads = Heads()
        self.holdings = Holdings(limits.held)
        self.loop = asyncio.get_running_loop()
        self.look_every = min(limits.idle, limits.body, limits.stall or math.inf)
        """Seconds after which each connection checks its deadlines again: no deadline is shorter."""
        self.connections: set[Carrier] = set()
        self.stopping = False
        self.dates = Dates(time.time)
        self._with_news: list[Carrier] = []
        self._with_output: list[Carrier] = []
        self._writes_soon = False

    def note_news(self, connection: "Carrier") -> None:
        """The stream of a connection has something: it is sent once the store has finished its current work."""
        if not self._with_news:
            self.loop.call_soon(self._send_news)
        self._with_news.append(connection)

    def _send_news(self) -> None:
        connections, self._with_news = self._with_news, []
        for connection in connections:
            connection.send_news()

    def note_output(self, connection: "Carrier") -> None:
        """A connection has answers: they are written when everything that was read, or is being applied, is done.

        If they were written one by one in between, each would wake a client, or the processor it runs on, which costs
        as much as the rest of a request.
        """
        self.write_soon()
        self._with_output.append(connection)

    def write_soon(self) -> None:
        """Has ``write_output`` called in the next pass of the event loop. A request that was handed to the node just
        before is answered in the node's turn, which comes earlier in that pass if the disk is quick: so its answer
        waits for no further pass."""
        if not self._writes_soon:
            self._writes_soon = True
            self.loop.call_soon(self.write_output)

    def write_output(self) -> None:
        """Writes the answers that were collected."""
        self._writes_soon = False
        connections, self._with_output = self._with_output, []
        for connection in connections:
            connection.flush()

    async def shutdown(self, patience: float) -> None:
        """Closes every connection: at once, or when its request is answered, or after ``patience`` seconds."""
        self.stopping = True
        for connection in list(self.connections):
            connection.close_if_idle()
        until = self.loop.time() + patience
        while self.connections and self.loop.time() < until:
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.leave()


class Carrier:
    """Reads and writes the bytes of a connection; a subclass serves it (``_serve``). It is a ``Guest``.

    It has the methods of an ``asyncio.Protocol`` that a loop calls. As a subclass of that it could not be compiled to a
    class with fast attributes.
    """

    __slots__ = (
        "_closing", "_common", "_http", "_noted_output", "_paused", "_reading", "_timer", "_transport", "address",
        "since",
    )  # fmt: skip

    def __init__(self, common: Common) -> None:
        self.address = ""
        self.since = 0.0
        """When it began its current wait, or last received something that it waits for."""
        self._common = common
        self._http: Connection
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle
        self._reading = True
        self._paused = 0.0  # since when the transport has paused writing, because the client does not read
        self._closing = False
        self._noted_output = False

    # What a subclass implements

    @property
    def doing(self) -> Doing:
        raise NotImplementedError

    def close_if_idle(self) -> None:
        """The server stops: closes a connection without a request; others get their answer first."""
        raise NotImplementedError

    def send_news(self) -> None:
        """Sends the pieces of a stream that are there, if the client reads."""
        raise NotImplementedError

    def _serve(self) -> None:
        """Serves what has been read, as far as possible without waiting."""
        raise NotImplementedError

    def _due(self) -> float:
        """When to give up the current wait, for anything but a request."""
        raise NotImplementedError

    def _give_up(self) -> None:
        """The wait has been too long."""
        raise NotImplementedError

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        common = self._common
        self._transport = cast(asyncio.Transport, transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self._http = Connection(common.heads, self.address, common.dates, common.cors)
        common.connections.add(self)
        self.since = common.loop.time()
        self._timer = common.loop.call_later(common.look_every, self._look_at_the_time)

    def eof_received(self) -> bool:
        """True, which keeps the other direction open; TLS has no half-closed connections."""
        if self._transport.get_extra_info("sslcontext") is not None:
            return False
        self._http.receive_end()
        self._resume()
        return True

    def pause_writing(self) -> None:
        self._paused = self._common.loop.time()

    def resume_writing(self) -> None:
        self._paused = 0.0
        self.send_news()
        self._common.loop.call_soon(self._resume)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._timer.cancel()
        self._common.connections.discard(self)
        self._http.lose()

    # Reading

    def _resume(self) -> None:
        if self._http.is_over:
            return
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        self._serve()

    def _read_later(self) -> None:
        """Stops reading for now: enough has been read ahead."""
        if self._reading:
            self._reading = False
            self._transport.pause_reading()

    # Writing

    def _wrote(self) -> None:
        """Something may have been added to the output."""
        http = self._http
        if http.out_size > BATCH:
            self.flush()
        elif http.out and not self._noted_output:
            self._noted_output = True
            self._common.note_output(self)

    def flush(self) -> None:
        """Writes the output to the transport."""
        self._noted_output = False
        data = self._http.take()
        if data:
            self._transport.write(data)

    # Ending

    def leave(self) -> None:
        """Closes the connection at once; it does not count any more."""
        self._common.connections.discard(self)
        self._http.lose()  # a promise may be kept before the loop comes to say that the connection is lost
        self._transport.abort()

    def _stop(self) -> None:
        self._http.stop()
        self._close()

    def _close(self) -> None:
        """Closes the connection once what was written is sent."""
        if self._closing or self._http.state == GONE:
            return
        self._closing = True
        self._timer.cancel()
        self.flush()
        transport, loop = self._transport, self._common.loop
        if self._http.state == LINGERING:
            transport.pause_reading()
            if transport.can_write_eof():
                transport.write_eof()
            self._timer = loop.call_later(PARTING, transport.close)
        else:
            transport.close()
            self._timer = loop.call_later(self._common.limits.idle, transport.abort)  # should it not read

    def _look_at_the_time(self) -> None:
        common, http = self._common, self._http
        now = common.loop.time()
        stall = common.limits.stall
        if self._paused and (stall is not None and self._paused + stall <= now):
            self.leave()
            return
        due = self._when_due()
        if due <= now and self._paused:
            self.leave()
        elif due <= now and http.state == WAITING:
            self._stop()
        elif due <= now:
            self._give_up()
        if not http.is_over:
            soon = now + common.look_every / 100
            later = max(min(self._when_due(), now + common.look_every), soon)
            self._timer = common.loop.call_at(later, self._look_at_the_time)

    def _when_due(self) -> float:
        return self.since + self._common.limits.idle if self._http.state == WAITING else self._due()
