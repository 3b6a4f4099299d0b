"""What the tender does: it writes the changes that the log has made to the keys as checkpoints, in the form that v3
clients read.

A checkpoint has a guard on the mark's revision: if two gateways both believe that they are the tender, only one of them
succeeds, and the other's transaction changes nothing.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable

from server.clocks import Time
from server.gateway.changes import MOST_OPERATIONS, covered, next_checkpoint
from server.gateway.gateways import Gateways
from server.gateway.layout import Layout, Mark, decode_paths, encode_node
from server.gateway.loading import Loaded
from server.gateway.replica import Diverged, Replica
from server.gateway.v3 import V3, Compare, Delete, Get, KeyValue, Put, V3Error, end_of
from server.store import EtcdError
from server.store.history import CAPACITY

logger = logging.getLogger(__name__)

INTERVAL = 0.05
"""Seconds between two looks for something to write. A choice: so much later v3 clients see a change; a key that is
written again and again meanwhile is written once."""
COMPACTION = 60.0
"""Seconds between two compactions; each goes to where the checkpoints were at the one before. A choice: the database
holds two minutes of history at most, and a watch that was broken off has at least one to continue."""
_AFTER_AN_ERROR = 0.5
"""Seconds until the next look when the etcd could not do a call. A choice: it is usually choosing a leader."""
_AT_ONCE = 50
"""Published values that one transaction removes. A choice: each has a guard, and etcd takes 128 of these."""
_CHUNKS_AT_ONCE = 5
"""Old chunks of events that one checkpoint removes: an operation each, of the few that ``MOST_OPERATIONS`` leaves, and
more than the one chunk that it adds."""
_BACKLOG = 100
"""Events that wait for a checkpoint, from which on the next one follows at once: one checkpoint seldom takes as many,
so to wait for more would not save a transaction."""

_BEHIND = 300
"""Events that wait for a checkpoint, from which on it does not wait for a pause between appends. A choice: a tenth of a
second of them at the greatest load."""


class Tender:
    """``stale`` gets the reason why the key space must be loaded again; ``operations`` is how many a checkpoint may
    have. ``rest`` is awaited before a checkpoint: it returns when the etcd has no append to do, and so writes the
    checkpoint while this gateway answers its clients."""

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        gateways: Gateways,
        replica: Replica,
        time: Time,
        *,
        stale: Callable[[Exception], object],
        rest: Callable[[], Awaitable[object]],
        operations: int = MOST_OPERATIONS,
    ) -> None:
        self.mark_revision = 0
        self.compacts = False
        """Whether the gateways may compact the etcd's history."""
        self._v3 = v3
        self._layout = layout
        self._gateways = gateways
        self._replica = replica
        self._time = time
        self._stale = stale
        self._rest = rest
        self._operations = operations
        self._office = ""
        """The life in which it has read what the tender before had not finished."""
        self._chunks: list[int] = []
        self._gone: deque[KeyValue] = deque()
        self._drifted: list[str] = []
        self._compacted = time.monotonic()
        self._compact_to = 0

    def become(self, loaded: Loaded) -> None:
        """Continues from what has been read."""
        self.mark_revision = loaded.mark_revision
        self._chunks = list(loaded.chunks)
        self._drifted = list(loaded.drifted)

    def put_right(self, path: str) -> None:
        """Publishes a value again, soon, that somebody else has overwritten."""
        if path not in self._drifted:
            self._drifted.append(path)

    def see_mark(self, mark: Mark, revision: int) -> None:
        """A checkpoint has been written, by this gateway or another. Raises Diverged."""
        if revision <= self.mark_revision:
            return
        before = self._replica.mark.index
        self._replica.covered_by(mark)
        self.mark_revision = revision
        _, count = covered(self._replica.records, mark)
        self._replica.forget(count)
        ended = self._ended(mark)
        self._chunks = [first for first in self._chunks if first not in ended]
        if mark.index > before:
            self._chunks.append(before + 1)

    def _ended(self, mark: Mark) -> list[int]:
        """Chunks with events that are too old for any gateway's history."""
        return [first for first in self._chunks if first <= mark.index - 2 * CAPACITY][:_CHUNKS_AT_ONCE]

    async def run(self) -> None:
        pause = INTERVAL
        while True:
            await self._time.sleep(pause)
            pause = INTERVAL
            try:
                while self._gateways.is_tender and await self.step():
                    await self._compact()  # there may be no end of writes
                    if len(self._replica.changes) < _BACKLOG:
                        # A key that is written over and over is written once.
                        await self._time.sleep(INTERVAL)
                await self._compact()
            except Diverged as error:
                self._stale(error)
            except V3Error as error:
                logger.warning("cannot write a checkpoint, trying again: %s", error)
                self._office = ""
                pause = _AFTER_AN_ERROR

    async def step(self) -> bool:
        """Makes one transaction, or a few that belong together. Whether there was anything to do. Raises Diverged,
        V3Error."""
        await self._take_office()
        if self._gone:
            return await self._remove_published(self._gone[0])
        if self._replica.is_ahead:
            if len(self._replica.changes) < _BEHIND:
                await self._rest()
            return not self._replica.is_ahead or await self._write()
        if self._drifted:
            return await self._put_right()
        return False

    async def _take_office(self) -> None:
        life = self._gateways.life
        if life is not None and life.boot != self._office:
            there = await self._v3.get(self._layout.gone, end_of(self._layout.gone))
            self._gone = deque(there.found)
            self._office = life.boot

    async def _write(self) -> bool:
        replica, layout = self._replica, self._layout
        checkpoint = next_checkpoint(replica.changes, replica.here, layout, operations=self._operations)
        mark = checkpoint.mark
        guard = (
            self.mark_revision
        )  # as of what is written; another tender's mark may come while this one waits
        for put in checkpoint.before:
            if not await self._commit([put], guard):
                return False
        operations: list[Put | Delete] = [
            *checkpoint.puts,
            Put(layout.mark, mark.encode()),
            *checkpoint.deletes,
        ]
        operations += covered(replica.records, mark)[0]
        operations += [Delete(layout.event(first)) for first in self._ended(mark)]
        if not await self._commit(operations, guard, mark):
            return False
        self._gone += [KeyValue(put.key, put.value, 0) for put in checkpoint.before]
        return True

    async def _commit(self, operations: list[Put | Delete], guard: int, mark: Mark | None = None) -> bool:
        """Writes, if the mark still has the revision ``guard``: nobody else has been the tender since; whether it did.
        ``mark`` is the one among the operations."""
        unchanged = Compare(self._layout.mark, "mod", guard)
        committed = await self._v3.commit((unchanged,), operations, (Get(self._layout.mark),))
        if committed.succeeded:
            if mark is not None:
                self.see_mark(mark, committed.revision)
            return True
        there = committed.found[0] if committed.found else None
        if mark is not None and there is not None and there.value == mark.encode():
            self.see_mark(mark, there.mod_revision)  # by an attempt that got no answer
            return True
        # The watch has not brought it yet: another gateway was the tender a moment ago, or is.
        await self._time.sleep(INTERVAL)
        return False

    async def _remove_published(self, listed: KeyValue) -> bool:
        """Removes the values of files that were removed with their directory, each only if it has no record."""
        paths = decode_paths(listed.value)
        for at in range(0, len(paths), _AT_ONCE):
            some = paths[at : at + _AT_ONCE]
            if not await self._remove_some(some):
                for path in some:
                    await self._remove_some([path])
        if not await self._commit([Delete(listed.key)], self.mark_revision):
            return False
        self._gone.popleft()
        return True

    async def _remove_some(self, paths: list[str]) -> bool:
        layout = self._layout
        guards = [Compare(layout.node(path), "version", 0) for path in paths]
        guards.append(Compare(layout.mark, "mod", self.mark_revision))
        committed = await self._v3.commit(guards, [Delete(layout.published(path)) for path in paths])
        return committed.succeeded

    async def _put_right(self) -> bool:
        """Publishes a value again that somebody else has overwritten; the key space is exactly at the mark here."""
        path, layout = self._drifted[0], self._layout
        try:
            node = self._replica.store.look(path, now=0).node
        except EtcdError:
            node = None  # it has been removed meanwhile
        if node is not None and not node.dir:
            puts = [Put(layout.node(path), encode_node(node)), Put(layout.published(path), node.value or b"")]
            if not await self._commit([*puts], self.mark_revision):
                return False
        self._drifted.pop(0)
        return True

    async def _compact(self) -> None:
        if not (self.compacts and self._gateways.is_tender):
            return
        now = self._time.monotonic()
        if now - self._compacted < COMPACTION:
            return
        to, self._compact_to, self._compacted = self._compact_to, self.mark_revision, now
        if to:
            await self._v3.compact(to)
