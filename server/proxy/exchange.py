"""A client's request on its way: to the first endpoint, and to the next if that has no answer.

A request that changes nothing goes to the next endpoint whatever the failure was. One that may have changed something
does so only if the endpoint cannot have got it: etcd 2.3.8 sends it again all the same, and an in-order key may then be
made twice.

Requests that are answered at once, and change nothing, are sent together with others of the same moment on few
connections (pipelined, RFC 9112, 9.3.2): one by one, most of their cost would be the kernel's, here and at the member.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from time import perf_counter
from typing import Any

from server.api.errors import message
from server.http.messages import DeferredResponse, Response
from server.mergelogger import MergeLogger
from server.proxy.connection import Failure, UpstreamConnection
from server.proxy.dial import Dial, DialError
from server.proxy.director import Director
from server.proxy.metrics import Dropped, ProxyMetrics
from server.proxy.upstream import Upstream

logger = logging.getLogger(__name__)

LOOP_DETECTED = 508
"""The status of the answer to a request that has come round. No etcd answers so."""

_TOGETHER = 16
"""Requests that are sent together on one connection at most: an answer waits for those before it."""

_KNOWN = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"))
_CHANGE_NOTHING = frozenset(("GET", "HEAD", "OPTIONS"))


class Exchanges:
    """What exchanges have in common. ``on_failure`` is called when an endpoint has failed."""

    def __init__(
        self,
        director: Director,
        upstream: Upstream,
        dial: Dial,
        metrics: ProxyMetrics,
        merge_logger: MergeLogger,
        on_failure: Callable[[], object],
    ) -> None:
        self.director = director
        self.upstream = upstream
        self.metrics = metrics
        self.merge_logger = merge_logger
        self.on_failure = on_failure
        self.loop = upstream.loop
        self._dial = dial
        self._dials: set[asyncio.Task[None]] = set()
        self._gathered: list[Exchange] = []

    def begin(self, method: str, request: bytes, *, quick: bool = False) -> "Response | Exchange":
        """Sends a request on, if there is an endpoint for it; ``quick`` ones, which are answered at once and change
        nothing, with others."""
        if method not in _KNOWN:
            method = "OTHER"  # what is counted by method must not grow by what clients make up
        now = self.loop.time()
        endpoints = self.director.choose(now)
        if not endpoints:
            words = "proxy: zero endpoints currently available"
            self.metrics.dropped[method, Dropped.ZERO_ENDPOINTS] += 1
            self.merge_logger.log(logger, logging.INFO, "zero endpoints currently available")
            return message(503, words)
        exchange = Exchange(self, method, request, endpoints)
        if quick:
            if not self._gathered:
                self.loop.call_soon(self._send_gathered)
            self._gathered.append(exchange)
        else:
            exchange.go()
        return exchange

    def _send_gathered(self) -> None:
        """Sends what has come since the loop last looked for news."""
        by_endpoint: dict[str, list[Exchange]] = {}
        for exchange in self._gathered:
            by_endpoint.setdefault(exchange.endpoint, []).append(exchange)
        self._gathered = []
        for endpoint, exchanges in by_endpoint.items():
            for begin in range(0, len(exchanges), _TOGETHER):
                together = exchanges[begin : begin + _TOGETHER]
                connection = self.upstream.idle(endpoint)
                if connection is None:
                    for exchange in together:
                        exchange.go()
                else:
                    ask(connection, together)

    def dial(self, exchange: "Exchange") -> None:
        """Has the exchange go on by a new connection to its endpoint."""
        task = self.loop.create_task(self._ask_by_new(exchange))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    async def _ask_by_new(self, exchange: "Exchange") -> None:
        try:
            connection = await self._dial(exchange.endpoint)
        except DialError as error:
            exchange.failed(Failure(str(error), sent=False, stale=False))
        else:
            ask(connection, [exchange])

    def close(self) -> None:
        for task in self._dials:
            task.cancel()


class Exchange(DeferredResponse):
    """One request, and the promise of its answer."""

    __slots__ = (
        "_at",
        "_began",
        "_endpoints",
        "_method",
        "_response",
        "_room",
        "_tell",
        "connection",
        "ended",
        "is_head",
        "request",
    )

    def __init__(self, room: Exchanges, method: str, request: bytes, endpoints: list[str]) -> None:
        self.is_head = method == "HEAD"
        self._room = room
        self._method = method
        self.request = request
        self._endpoints = endpoints
        self._at = 0
        self._began = perf_counter()
        self.connection: UpstreamConnection | None = None
        self._response: Response | None = None
        self._tell: Callable[[Response], object] | None = None
        self.ended = False

    @property
    def endpoint(self) -> str:
        """Whose turn it is."""
        return self._endpoints[self._at]

    def go(self) -> None:
        """To the endpoint whose turn it is."""
        connection = self._room.upstream.idle(self.endpoint)
        if connection is None:
            self._room.dial(self)
        else:
            ask(connection, [self])

    def cancel(self) -> None:
        """The client has gone: so goes its request."""
        self.ended = True
        if self.connection is not None:
            self.connection.leave()

    def answered(self, response: Response) -> None:
        room, endpoint = self._room, self.endpoint
        self.connection = None
        if response.status == LOOP_DETECTED:
            self._come_round(endpoint, response)
            return
        if room.director.answered(endpoint):
            logger.info("endpoint %s answers again", endpoint)
            room.merge_logger.forget(endpoint)
        room.metrics.handled[self._method, response.status] += 1
        room.metrics.durations[self._method].observe(perf_counter() - self._began)
        self._end(response)

    def _come_round(self, endpoint: str, response: Response) -> None:
        self._room.director.drop(endpoint)
        self._room.merge_logger.log(
            logger,
            logging.ERROR,
            f"endpoint {endpoint} leads back to this proxy: it is in the --advertise-client-urls of a member, which "
            "must be where that member itself listens",
        )
        self._at += 1
        if self._at < len(self._endpoints):
            self.go()
        else:
            self._end(response)

    def failed(self, failure: Failure) -> None:
        self.connection = None
        if self.ended:
            return
        room, endpoint = self._room, self.endpoint
        changes_nothing = self._method in _CHANGE_NOTHING
        if failure.stale and changes_nothing:
            room.dial(self)  # it says nothing of the endpoint that an old connection was closed
            return
        now = room.loop.time()
        room.metrics.dropped[self._method, Dropped.FAILED_SENDING_REQUEST] += 1
        news = room.director.failed(endpoint, now)
        level = logging.INFO if news else logging.DEBUG
        logger.log(level, "failed to direct request to %s: %s", endpoint, failure.reason)
        logger.log(level, "marked endpoint %s unavailable", endpoint)
        room.on_failure()
        self._at += 1
        if self._at < len(self._endpoints) and (changes_nothing or not failure.sent):
            self.go()
            return
        words = f"proxy: unable to get response from {self._at} endpoint(s)"
        room.metrics.dropped[self._method, Dropped.FAILED_GETTING_RESPONSE] += 1
        line = f"unable to get response from {self._at} endpoint(s)"
        room.merge_logger.log(logger, logging.INFO, line, kind="unable")
        self._end(message(502, words))

    def _end(self, response: Response) -> None:
        if self.ended:
            _discard(response)
            return
        self.ended = True
        if self._tell is None:
            self._response = response
        else:
            self._tell(response)

    def on_done(self, tell: Callable[[Response], object]) -> None:
        if self._response is not None:
            tell(self._response)
        else:
            self._tell = tell

    def __await__(self) -> Generator[Any, None, Response]:
        done: asyncio.Future[Response] = self._room.loop.create_future()
        self.on_done(lambda response: _discard(response) if done.done() else done.set_result(response))
        try:
            return (yield from done.__await__())
        except asyncio.CancelledError:
            self.cancel()
            if not done.cancelled():
                _discard(done.result())
            raise


def ask(connection: UpstreamConnection, exchanges: list[Exchange]) -> None:
    """Sends the requests of these on; if none of them is wanted any more, the connection is not either."""
    wanted = [exchange for exchange in exchanges if not exchange.ended]
    if not wanted:
        connection.close()
        return
    for exchange in wanted:
        exchange.connection = connection
    requests = [exchange.request for exchange in wanted]
    connection.ask(wanted, b"".join(requests))


def _discard(response: Response) -> None:
    """For an answer that nobody waits for any more."""
    if response.stream is not None:
        response.stream.close()
