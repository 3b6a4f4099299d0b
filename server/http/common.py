"""What the connections of some listeners share: whom they ask, what they know, and when they write."""

import asyncio
import math
import time
from email.utils import formatdate
from typing import Protocol

from server.http.cache import ResponseCache
from server.http.connection import HeadersFor
from server.http.heads import Heads
from server.http.limits import Guest, Holdings, Limits
from server.http.messages import PouringHandler
from server.http.responses import Dates


class Served(Guest, Protocol):
    """One of the connections."""

    def send_news(self) -> None:
        """Sends what there is of an answer in pieces."""

    def flush(self) -> None:
        """Sends what is to be sent."""

    def close_if_idle(self) -> None:
        """Closes it unless somebody waits for an answer."""


class _Clock(Dates):
    """The same line for a whole second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        return self._line


class Common:
    """What the connections of some listeners have in common.

    ``cors`` gives further headers for a request's Origin; answers that may be given again are kept in ``cache``.
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
        """Seconds between two looks at the time, of each connection."""
        self.connections: set[Served] = set()
        self.stopping = False
        self.dates = _Clock()
        self._with_news: list[Served] = []
        self._with_output: list[Served] = []

    def note_news(self, connection: Served) -> None:
        """The stream of a connection has something: it is sent once the store has done what it is at."""
        if not self._with_news:
            self.loop.call_soon(self._send_news)
        self._with_news.append(connection)

    def _send_news(self) -> None:
        connections, self._with_news = self._with_news, []
        for connection in connections:
            connection.send_news()

    def note_output(self, connection: Served) -> None:
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
            connection.leave()
