"""A lock as a queue of in-order keys, of which the oldest holds it: what 0.4's lock module made of the key space.

    /_etcd/mod/lock/NAME/00000000000000000017    the value of who asked; expires unless it is renewed

A client that waits watches the entry just before its own, renews its own, and takes it away when it gives up. Unlike
0.4's it waits on when the one before it is merely renewed, and really keeps its entry alive. Knows no HTTP.
"""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from server.api.node import ServedNode
from server.api.paths import STORE_KEYS_PREFIX
from server.node import Answer, Outcome
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event
from server.store.node import SECOND

LOOK_AGAIN = 30.0
"""Seconds after which who waits looks again, and renews its entry, at the latest: what came with a snapshot of the
leader's notifies no watcher."""


class LockError(Exception):
    """Nothing came of it. The message is 0.4's."""


class QueueEntry(NamedTuple):
    """``number`` is the index of its creation, and its name."""

    number: int
    path: str
    value: bytes


class Lock:
    """One lock of a node; ``directory`` is its store path."""

    def __init__(self, node: ServedNode, directory: str) -> None:
        self._node = node
        self._directory = directory

    def queue(self) -> list[QueueEntry]:
        """Who holds it and who waits, in this order. Raises LockError if it was never used."""
        try:
            found = self._node.store.get(self._directory, now=self._node.clock()).node
        except EtcdError as error:
            raise _fault(error) from None
        entries = []
        for node in found.nodes or ():
            name = node.key.rpartition("/")[2]
            if not node.dir and name.isascii() and name.isdigit():
                entries.append(QueueEntry(int(name), node.key, node.value or b""))
        return sorted(entries)

    def by_value(self, value: bytes) -> QueueEntry | None:
        """The first with that value. Raises LockError if it was never used."""
        return next((entry for entry in self.queue() if entry.value == value), None)

    def by_index(self, index: str) -> QueueEntry:
        """Raises LockError when there is none."""
        entry = next((entry for entry in self.queue() if str(entry.number) == index.lstrip("0")), None)
        if entry is None:
            directory = self._directory.removeprefix(STORE_KEYS_PREFIX)
            raise LockError(f"100: Key not found ({directory}/{index}) [{self._node.store.index}]")
        return entry

    async def acquire(self, value: bytes, ttl: int, patience: float | None) -> int:
        """Waits for the lock for so many seconds, None without end, and returns the index of its entry.

        An entry with that value, unless it is empty, is taken for one's own. ``ttl`` is seconds, 0 for no end. Raises
        LockError when it is not got in time. Cancelled, or without success, it leaves no entry behind.
        """
        queue: list[QueueEntry] = []
        with suppress(LockError):
            queue = self.queue()
        own = next((entry for entry in queue if value and entry.value == value), None)
        if own is not None and own == queue[0]:
            await self.renew(own, value, ttl)
            return own.number
        if own is None:
            own = await self._queue_up(value, ttl)
        try:
            await self._wait(own, ttl, patience)
            await self.renew(own, value, ttl)
        except asyncio.CancelledError:
            self._remove(own)
            raise
        except LockError:
            with suppress(EtcdError):
                await self._remove(own)
            raise
        return own.number

    async def renew(self, entry: QueueEntry, value: bytes, ttl: int) -> None:
        """Gives an entry a new time to live, and a value. Raises LockError when it no longer exists."""
        wanted = StoreRequest(
            method="PUT", path=entry.path, val=value, prev_exist=True, expiration=self._end(ttl)
        )
        try:
            await self._node.propose(wanted)
        except EtcdError as error:
            raise _fault(error) from None

    async def release(self, entry: QueueEntry) -> None:
        """Raises LockError when it no longer exists."""
        try:
            await self._remove(entry)
        except EtcdError as error:
            raise _fault(error) from None

    async def _queue_up(self, value: bytes, ttl: int) -> QueueEntry:
        wanted = StoreRequest(method="POST", path=self._directory, val=value, expiration=self._end(ttl))
        created: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._node.propose(wanted).on_done(created.set_result)
        try:
            outcome = await asyncio.shield(created)
        except asyncio.CancelledError:
            created.add_done_callback(lambda done: self._remove_created(done.result()))
            raise
        if not isinstance(outcome, Event):
            raise _fault(outcome)
        return _entry_of(outcome)

    def _remove_created(self, outcome: Outcome) -> None:
        if isinstance(outcome, Event):
            self._remove(_entry_of(outcome))

    def _remove(self, entry: QueueEntry) -> Answer:
        return self._node.propose(StoreRequest(method="DELETE", path=entry.path))

    async def _wait(self, own: QueueEntry, ttl: int, patience: float | None) -> None:
        """Until nobody is before ``own``. Raises LockError."""
        if patience == 0:
            if self._before(own) is not None:
                raise LockError("failed to acquire lock")
            return
        until = asyncio.timeout(patience)
        try:
            async with until:
                await self._wait_for_turn(own, ttl)
        except TimeoutError:
            raise LockError("lock watch closed") from None

    async def _wait_for_turn(self, own: QueueEntry, ttl: int) -> None:
        loop = asyncio.get_running_loop()
        every = min(ttl / 2, LOOK_AGAIN) if ttl else LOOK_AGAIN
        due = loop.time() + every
        while (before := self._before(own)) is not None:
            news = asyncio.Event()
            watcher = self._node.store.watch(before.path)
            watcher.on_event = news.set
            try:
                async with asyncio.timeout_at(due):
                    await news.wait()
            except TimeoutError:
                if ttl:
                    await self.renew(own, own.value, ttl)
                due = loop.time() + every
            finally:
                watcher.remove()

    def _before(self, own: QueueEntry) -> QueueEntry | None:
        """The entry whose turn must end first. Raises LockError when ``own`` no longer exists."""
        before = None
        for entry in self.queue():
            if entry.number == own.number:
                return before
            before = entry
        raise LockError("lock watch closed")

    def _end(self, ttl: int) -> int:
        return self._node.clock() + ttl * SECOND if ttl else 0


def _entry_of(created: Event) -> QueueEntry:
    node = created.node
    return QueueEntry(int(node.key.rpartition("/")[2]), node.key, node.value or b"")


def _fault(error: EtcdError | None) -> LockError:
    """In the words of the client that 0.4's module was."""
    if error is None:
        return LockError("300: Raft Internal Error () [0]")
    cause = error.cause.removeprefix(STORE_KEYS_PREFIX)
    return LockError(f"{error.code}: {error.message} ({cause}) [{error.index}]")
