"""Appends clients' requests to the log, in batches; one batch is on its way at a time.

Each batch has its own key, and a guard in its transaction: this life of the gateway has appended exactly so many
batches before. So a batch whose outcome is unknown is sent again unchanged: it is in the log once or not at all. The
count has the lease of that life: once the lease is lost, nothing that is still on its way can get into the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from server.clocks import Time, wait_at_most
from server.gateway.gateways import Gateways, Life
from server.gateway.layout import Layout, encode_batch, encode_rules
from server.gateway.v3 import V3, Compare, Get, LeaseLost, Put, Refused, V3Error
from server.node import TIMED_OUT, Answer
from server.store import ErrorCode, EtcdError

logger = logging.getLogger(__name__)

MOST_REQUESTS = 1000
"""Requests in a batch. A choice: fewer would cost more transactions under load, more would let the first request wait
longer for the last; of requests of a kilobyte ``MOST_BYTES`` allows as many."""
MOST_BYTES = 1_000_000
"""Bytes of requests in a batch, unless a single one has more: well below the 1.5 MiB that etcd takes in a request."""
MANY = 8
"""Requests of a batch, from which on the next batch waits a moment for as many. A choice: a few clients lose nothing by
a transaction each."""
MOMENT = 0.002
"""Seconds of that moment, at most. The clients that the last batch was of send their next requests right after their
answers; in one batch with those that came meanwhile, they cost one transaction less."""
REST = 0.02
"""Seconds that a checkpoint waits, at most, for the end of an append. A choice: a little more than one takes."""


class Queued(NamedTuple):
    answer: Answer
    data: bytes


@dataclass(slots=True)
class Batch:
    """The content of one record: requests, or the number of the ``rules`` in force from there on. ``revision`` is that
    of the record, 0 while it is not known, and ``at`` when it became known, on the monotonic clock."""

    requests: list[Queued]
    rules: int = 0
    revision: int = 0
    at: float = 0.0

    @property
    def answers(self) -> list[Answer]:
        return [queued.answer for queued in self.requests]

    @property
    def value(self) -> bytes:
        return (
            encode_rules(self.rules) if self.rules else encode_batch(queued.data for queued in self.requests)
        )

    @property
    def is_for_the_tender(self) -> bool:
        """Whether only the tender may append it."""
        return bool(self.rules) or self.requests[0].answer.request.method == "SYNC"


class Appender:
    """``catch_up`` returns when everything is applied that was in the log when it was called; ``is_full`` says that
    nothing more may be appended for now."""

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        gateways: Gateways,
        time: Time,
        *,
        catch_up: Callable[[], Awaitable[None]],
        is_full: Callable[[], bool],
    ) -> None:
        self._v3 = v3
        self._layout = layout
        self._gateways = gateways
        self._time = time
        self._catch_up = catch_up
        self._is_full = is_full
        self._queue: deque[Queued] = deque()
        self._rules = 0
        """The number of the rules to switch to; 0 for no switch."""
        self._work = asyncio.Event()
        self._at_rest = asyncio.Event()
        """Whether no batch is on its way."""
        self._at_rest.set()
        self._wanted = 0
        """How many requests the next batch waits for."""
        self._enough = asyncio.Event()
        self._sent: dict[tuple[str, int], Batch] = {}
        """Batches that the watch has not brought back yet."""
        self._told = ""
        self._loaded = 0
        """The revision at which the key space was last read from a checkpoint, which may contain some of these
        batches."""

    def __len__(self) -> int:
        return len(self._queue) + sum(len(batch.requests) for batch in self._sent.values())

    def ask(self, answer: Answer, data: bytes) -> None:
        self._queue.append(Queued(answer, data))
        self._work.set()
        if len(self._queue) >= self._wanted:
            self._enough.set()

    def switch(self, rules: int) -> None:
        """Appends a record with which these rules come into force, if this gateway is the tender then."""
        self._rules = rules
        self._work.set()

    def brought_back(self, boot: str, seq: int) -> list[Answer]:
        """The answers that wait for the record that the watch has brought; empty for another gateway's record."""
        batch = self._sent.pop((boot, seq), None)
        return [] if batch is None else batch.answers

    def loaded(self, revision: int) -> None:
        """The key space was read again. The watch does not bring back records that it contains already, so their
        outcome stays unknown and their requests get an error."""
        self._loaded = revision
        self._give_up_absorbed()

    def _give_up_absorbed(self) -> None:
        for key, batch in list(self._sent.items()):
            if 0 < batch.revision <= self._loaded:
                del self._sent[key]
                _settle(batch.answers, TIMED_OUT)

    def waits_since(self) -> float | None:
        """When the oldest record that the watch has not brought back was appended, on the monotonic clock; None when
        there is no such record."""
        return min((batch.at for batch in self._sent.values() if batch.revision), default=None)

    def drop_late(self, now: float) -> list[Answer]:
        """The answers whose time is up. Requests of theirs that have not been sent are never sent."""
        late = []
        while self._queue and self._queue[0].answer.deadline <= now:
            late.append(self._queue.popleft().answer)
        for batch in self._sent.values():
            late += [answer for answer in batch.answers if not answer.done and answer.deadline <= now]
        return late

    def drop_all(self) -> list[Answer]:
        found = [queued.answer for queued in self._queue]
        for batch in self._sent.values():
            found += batch.answers
        self._queue.clear()
        self._sent.clear()
        return [answer for answer in found if not answer.done]

    async def run(self) -> None:
        while True:
            await self._work.wait()
            while self._queue or self._rules:
                while self._is_full():
                    await self._time.sleep(0.05)
                await self._wait_for_more()
                if batch := self._next_batch():
                    self._at_rest.clear()
                    await self._append(batch)
                    self._at_rest.set()
                    self._wanted = len(batch.requests)
            self._work.clear()

    async def _wait_for_more(self) -> None:
        """Waits until as many requests have come as the last batch had, if those were many, or for a moment."""
        if len(self._queue) < self._wanted >= MANY:
            self._enough.clear()
            await wait_at_most(MOMENT, self._enough)

    async def rest(self) -> None:
        """Returns when the etcd has just answered an append, or has none to do; or a little later."""
        await wait_at_most(REST, self._at_rest)

    def _next_batch(self) -> Batch | None:
        if self._rules:
            rules, self._rules = self._rules, 0
            return Batch([], rules)
        requests: list[Queued] = []
        size = 0
        while self._queue and len(requests) < MOST_REQUESTS:
            queued = self._queue[0]
            size += len(queued.data)
            is_sync = queued.answer.request.method == "SYNC"  # which has its own guard
            if requests and (size > MOST_BYTES or is_sync):
                break
            self._queue.popleft()
            if queued.answer.done:
                continue
            requests.append(queued)
            if is_sync:
                break
        return Batch(requests) if requests else None

    async def _append(self, batch: Batch) -> None:
        """Returns when the batch is in the log, or can never get into it."""
        life = self._gateways.life or await self._gateways.begin(None)
        value = batch.value
        loaded = self._loaded
        while True:
            life.seq += 1
            key = life.boot, life.seq
            self._sent[key] = batch
            if await self._send(life, batch, value):
                self._give_up_absorbed()
                return
            # Nothing of that life can get into the log any more. What did is known once all of the log is applied.
            life = await self._gateways.begin(life)
            await self._catch_up()
            if self._sent.pop(key, None) is None:
                return
            if self._loaded != loaded:  # the batch may be in what was read
                _settle(batch.answers, TIMED_OUT)
                return

    async def _send(self, life: Life, batch: Batch, value: bytes) -> bool:
        """Sends the batch under this life. True when its outcome is certain; False when the life is over."""
        boot, seq, layout = life.boot, life.seq, self._layout
        count = layout.seq(boot)
        guards = [Compare(count, "version", seq - 1)]
        if batch.is_for_the_tender:
            guards.append(Compare(layout.tender, "value", boot.encode()))
        puts = (Put(count, b"", life.lease), Put(layout.record(boot, seq), value), Put(layout.tail, b""))
        wait, is_certain = 0.02, True
        while True:
            try:
                committed = await self._v3.commit(guards, puts, (Get(count),))
            except LeaseLost:
                return False
            except Refused as error:
                self._tell(str(error))
                if is_certain:
                    self._refuse(life, str(error))
                    return True
            except V3Error as error:
                is_certain = False
                logger.debug("it is not known what came of an append, sending it again: %s", error)
            else:
                self._told = ""
                if committed.succeeded:
                    batch.revision, batch.at = committed.revision, self._time.monotonic()
                    return True
                appended = committed.found[0].version if committed.found else 0
                if appended == seq:  # by an attempt that got no answer
                    batch.revision, batch.at = committed.found[0].mod_revision, self._time.monotonic()
                    return True
                if appended == seq - 1 and batch.is_for_the_tender and is_certain:
                    self._refuse(life, "another gateway is the tender")
                    return True
                await self._end(life)
                return False
            await self._time.sleep(wait)
            wait = min(0.5, 2 * wait)

    def _tell(self, why: str) -> None:
        """Logs a reason once, not for every batch, until an append succeeds again."""
        if why != self._told:
            self._told = why
            logger.warning("the etcd refuses to append: %s", why)

    def _refuse(self, life: Life, why: str) -> None:
        """The batch was not appended; its number is free again."""
        batch = self._sent.pop((life.boot, life.seq))
        life.seq -= 1
        _settle(batch.answers, why)

    async def _end(self, life: Life) -> None:
        """Revokes the life's lease, so that nothing of that life gets into the log any more."""
        while True:
            try:
                await self._v3.revoke(life.lease)
                return
            except LeaseLost:
                return
            except V3Error as error:
                logger.debug("cannot revoke the lease, trying again: %s", error)
            await self._time.sleep(0.2)


def _settle(answers: list[Answer], why: str) -> None:
    for answer in answers:
        if not answer.done:
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, why))
