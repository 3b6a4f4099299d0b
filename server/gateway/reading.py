"""Reads that must see everything that was written before them: the etcd says how far the log is, and the read is
answered when the key space is as far.

Nothing is written for it. Many reads share one request: those that come while one is on its way are in the next.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from server.clocks import Time
from server.gateway.layout import Layout
from server.gateway.v3 import V3, V3Error
from server.node import Answer


class Reader:
    """``answer`` is called when the key space is far enough; ``applied`` is the revision that it is at."""

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        time: Time,
        *,
        answer: Callable[[Answer], object],
        applied: Callable[[], int],
    ) -> None:
        self._v3 = v3
        self._layout = layout
        self._time = time
        self._answer = answer
        self._applied = applied
        self._asked: list[Answer] = []
        self._waiting: deque[tuple[int, list[Answer]]] = deque()
        self._catching_up: list[tuple[int, asyncio.Future[None]]] = []
        self._work = asyncio.Event()

    def ask(self, answer: Answer) -> None:
        self._asked.append(answer)
        self._work.set()

    async def run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            asked, self._asked = self._asked, []
            if not asked:
                continue
            try:
                revision = await self.revision()
            except V3Error:
                self._asked += asked  # until their time is up
                await self._time.sleep(0.05)
                self._work.set()
                continue
            self._waiting.append((revision, asked))
            self.notice()

    async def revision(self) -> int:
        """The revision of the last append to the log, as of some moment after this was called. Raises V3Error."""
        there = await self._v3.get(self._layout.tail, keys_only=True)
        if there.revision < self._applied():
            raise V3Error(
                "the etcd has gone back to an earlier revision"
            )  # the routine that follows the log finds this, too, and acts on it
        return there.found[0].mod_revision if there.found else 0

    async def catch_up(self) -> None:
        """Returns when everything is applied that was in the log when it was called. Raises V3Error."""
        revision = await self.revision()
        if self._applied() < revision:
            caught_up = asyncio.get_running_loop().create_future()
            self._catching_up.append((revision, caught_up))
            await caught_up

    def notice(self) -> None:
        """More of the log has been applied."""
        applied = self._applied()
        while self._waiting and self._waiting[0][0] <= applied:
            for answer in self._waiting.popleft()[1]:
                if not answer.done:
                    self._answer(answer)
        for revision, caught_up in self._catching_up[:]:
            if revision <= applied:
                self._catching_up.remove((revision, caught_up))
                if not caught_up.done():
                    caught_up.set_result(None)

    def drop_late(self, now: float) -> list[Answer]:
        """The answers whose time is up."""
        late = [answer for answer in self._asked if answer.deadline <= now]
        self._asked = [answer for answer in self._asked if answer.deadline > now]
        for _, waiting in self._waiting:
            late += [answer for answer in waiting if not answer.done and answer.deadline <= now]
        return late

    def drop_all(self) -> list[Answer]:
        found = self._asked + [answer for _, waiting in self._waiting for answer in waiting]
        self._asked = []
        self._waiting.clear()
        return [answer for answer in found if not answer.done]
