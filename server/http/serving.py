"""Serves HTTP on bound sockets: listeners, and the connections that they have accepted.

Every valid request reaches the handler; there is no router.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from typing import NamedTuple, cast

from server.http.accept import Listener
from server.http.cache import ResponseCache
from server.http.carrier import Common
from server.http.connection import HeadersFor
from server.http.limits import Guest, Limits, first_to_go
from server.http.messages import PouringHandler
from server.http.protocol import ServerProtocol
from server.mergelogger import MergeLogger

logger = logging.getLogger(__name__)

_MERGE_PERIOD = 60.0
"""Seconds for which lines that say there is no room are merged: in a flood there is one for each connection, and one a
minute is enough."""

_SHUTDOWN_PATIENCE = 1.0
"""Seconds for requests that have begun to finish when the server stops. A choice: usual requests take milliseconds, and
a service manager waits for the stop."""


class Listening(NamedTuple):
    """A bound, listening socket; with a context its connections use TLS."""

    socket: socket.socket
    tls: ssl.SSLContext | None


class Serving:
    """Listeners, and the connections that they have accepted: at most ``most`` together, if that is given."""

    def __init__(self, common: Common, most: int | None) -> None:
        self.listeners: list[Listener] = []
        self._common = common
        self._most = most
        self._merge_logger = MergeLogger(_MERGE_PERIOD, asyncio.get_running_loop())

    def has_room(self) -> bool:
        """Whether one more connection may be accepted, perhaps in the place of another."""
        makes_room = self._common.limits.makes_room
        return not self._is_full() or (makes_room and first_to_go(self._guests()) is not None)

    def make_room(self) -> bool:
        """Closes a connection, for one that was accepted, if there are as many as allowed. Whether it did."""
        if not self._is_full() or (guest := first_to_go(self._guests())) is None:
            return False
        guest.leave()
        for listener in self.listeners:
            listener.beginning.discard(guest)
        line = (
            "http: there are as many connections as may be; silent ones are closed for new ones, now one of "
            f"{guest.address}"
        )
        self._merge_logger.log(logger, logging.WARNING, line, kind="full")
        return True

    def _is_full(self) -> bool:
        if self._most is None:
            return False
        beginning = sum(len(listener.beginning) for listener in self.listeners)
        return len(self._common.connections) + beginning >= self._most

    def _guests(self) -> list[Guest]:
        guests: list[Guest] = list(self._common.connections)
        for listener in self.listeners:
            guests += listener.shaking_hands
        return guests

    async def cleanup(self) -> None:
        """Stops listening, breaks off streams without an end, lets other requests finish for a moment, and closes every
        connection.
        """
        await asyncio.gather(*(listener.close() for listener in self.listeners))
        await self._common.shutdown(_SHUTDOWN_PATIENCE)


async def serve(
    handler: PouringHandler,
    sockets: Sequence[Listening],
    cors: HeadersFor | None = None,
    *,
    most: int | None = None,
    cache: ResponseCache | None = None,
    limits: Limits = Limits(),  # noqa: B008 (a value)
) -> Serving:
    """Answers the requests on the sockets until ``cleanup`` of the returned object.

    ``cors`` returns further headers for a request's Origin; answers are kept in ``cache``. A client that only stops
    sending still gets its answer, and its stream ends. When a connection is lost, its handler is cancelled.

    With ``most``, there are no more connections at a time: others wait until one is closed, as with etcd 2.3.8, or take
    the place of one (``limits``).
    """
    common = Common(handler, cors, limits, cache)
    serving = Serving(common, most)
    for sock, tls in sockets:
        serving.listeners.append(
            Listener(
                sock,
                tls,
                lambda: cast(asyncio.Protocol, ServerProtocol(common)),
                serving.has_room,
                serving.make_room,
                limits.handshake,
            )
        )
    return serving
