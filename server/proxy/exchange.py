"""A client's request on its way: to the first endpoint, and to the next if that has no answer.

A request that changes nothing goes on to the next endpoint whatever befell it. One that may have changed something
does so only if the endpoint cannot have got it: etcd 2.3.8 sends it again all the same, and an in-order key may then be
made twice.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from time import perf_counter
from typing import Any

from server.api.http import Later, Response, message
from server.proxy.director import Director
from server.proxy.metrics import Dropped, ProxyMetrics
from server.proxy.sparing import Sparing
from server.proxy.upstream import Connection, DialError, Failure, Upstream

logger = logging.getLogger(__name__)

LOOP_DETECTED = 508
"""The status of the answer to a request that has come round. No etcd answers so."""

_KNOWN = frozenset(("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"))
_CHANGE_NOTHING = frozenset(("GET", "HEAD", "OPTIONS"))


class Exchanges:
    """What exchanges have in common. ``on_failure`` is told when an endpoint has failed."""

    def __init__(
        self,
        director: Director,
        upstream: Upstream,
        metrics: ProxyMetrics,
        sparing: Sparing,
        on_failure: Callable[[], object],
    ) -> None:
        self.director = director
        self.upstream = upstream
        self.metrics = metrics
        self.sparing = sparing
        self.on_failure = on_failure
        self.loop = upstream.loop
        self._dials: set[asyncio.Task[None]] = set()

    def begin(self, method: str, request: bytes) -> "Response | Exchange":
        """Sends a request on, if there is an endpoint for it."""
        if method not in _KNOWN:
            method = "OTHER"  # what is counted by method must not grow by what clients make up
        now = self.loop.time()
        endpoints = self.director.choose(now)
        if not endpoints:
            words = "proxy: zero endpoints currently available"
            self.metrics.dropped[method, Dropped.ZERO_ENDPOINTS] += 1
            if (further := self.sparing(words, now)) is not None:
                logger.info("zero endpoints currently available%s", further)
            return message(503, words)
        exchange = Exchange(self, method, request, endpoints)
        exchange.go()
        return exchange

    def dial(self, endpoint: str, exchange: "Exchange") -> None:
        task = self.loop.create_task(self._dial(endpoint, exchange))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    async def _dial(self, endpoint: str, exchange: "Exchange") -> None:
        try:
            connection = await self.upstream.dial(endpoint)
        except DialError as error:
            exchange.failed(Failure(str(error), sent=False, stale=False))
        else:
            exchange.ask(connection)

    def close(self) -> None:
        for task in self._dials:
            task.cancel()


class Exchange(Later):
    """One request, and the promise of its answer."""

    __slots__ = (
        "_at",
        "_began",
        "_connection",
        "_ended",
        "_endpoints",
        "_method",
        "_request",
        "_response",
        "_room",
        "_tell",
        "is_head",
    )

    def __init__(self, room: Exchanges, method: str, request: bytes, endpoints: list[str]) -> None:
        self.is_head = method == "HEAD"
        self._room = room
        self._method = method
        self._request = request
        self._endpoints = endpoints
        self._at = 0
        self._began = perf_counter()
        self._connection: Connection | None = None
        self._response: Response | None = None
        self._tell: Callable[[Response], object] | None = None
        self._ended = False

    def go(self) -> None:
        """To the endpoint whose turn it is."""
        connection = self._room.upstream.idle(self._endpoints[self._at])
        if connection is None:
            self._room.dial(self._endpoints[self._at], self)
        else:
            self.ask(connection)

    def ask(self, connection: Connection) -> None:
        if self._ended:
            connection.close()
            return
        self._connection = connection
        connection.ask(self, self._request)

    def cancel(self) -> None:
        """The client has gone: so goes its request."""
        self._ended = True
        if self._connection is not None:
            self._connection.close()

    def answered(self, response: Response) -> None:
        room, endpoint = self._room, self._endpoints[self._at]
        self._connection = None
        if response.status == LOOP_DETECTED:
            self._come_round(endpoint, response)
            return
        if room.director.answered(endpoint):
            logger.info("endpoint %s answers again", endpoint)
            room.sparing.forget(endpoint)
        room.metrics.handled[self._method, response.status] += 1
        room.metrics.durations[self._method].observe(perf_counter() - self._began)
        self._end(response)

    def _come_round(self, endpoint: str, response: Response) -> None:
        room, now = self._room, self._room.loop.time()
        room.director.drop(endpoint)
        if (further := room.sparing(("loop", endpoint), now)) is not None:
            logger.error(
                "endpoint %s leads back to this proxy: it is in the --advertise-client-urls of a member, which must be "
                "where that member itself listens%s",
                endpoint,
                further,
            )
        self._at += 1
        if self._at < len(self._endpoints):
            self.go()
        else:
            self._end(response)

    def failed(self, failure: Failure) -> None:
        self._connection = None
        if self._ended:
            return
        room, endpoint = self._room, self._endpoints[self._at]
        changes_nothing = self._method in _CHANGE_NOTHING
        if failure.stale and changes_nothing:
            room.dial(endpoint, self)  # it says nothing of the endpoint that an old connection was closed
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
        if (further := room.sparing("unable", now)) is not None:
            logger.info("unable to get response from %d endpoint(s)%s", self._at, further)
        self._end(message(502, words))

    def _end(self, response: Response) -> None:
        if self._ended:
            _discard(response)
            return
        self._ended = True
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


def _discard(response: Response) -> None:
    """For an answer that nobody waits for any more."""
    if response.stream is not None:
        response.stream.close()
