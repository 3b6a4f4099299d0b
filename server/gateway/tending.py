"""What the tender does: it writes what the log has made of the keys as checkpoints, in the form that v3 clients read.

A checkpoint is guarded by the mark's revision, so of two who both think they are the tender only one gets through, and
what the other would write changes nothing.
"""

import logging
from collections import deque
from collections.abc import Callable

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
"""Seconds between two looks for something to write."""
COMPACTION = 60.0
"""Seconds between two compactions; each goes to where the checkpoints were at the one before."""
_AT_ONCE = 50
"""Published values that one transaction removes."""
_CHUNKS_AT_ONCE = 5
_BACKLOG = 100
"""Events that wait for a checkpoint, from which on the next one follows at once."""


class Tender:
    """``stale`` is told why the key space has to be loaded again; ``operations`` is how many a checkpoint may have."""

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        gateways: Gateways,
        replica: Replica,
        time: Time,
        *,
        stale: Callable[[Exception], object],
        operations: int = MOST_OPERATIONS,
    ) -> None:
        self.mark_revision = 0
        self.compacts = False
        """Whether the etcd's history is the gateways' to compact."""
        self._v3 = v3
        self._layout = layout
        self._gateways = gateways
        self._replica = replica
        self._time = time
        self._stale = stale
        self._operations = operations
        self._office = ""
        """The life as which it has looked what its predecessor left undone."""
        self._chunks: list[int] = []
        self._gone: deque[KeyValue] = deque()
        self._drifted: list[str] = []
        self._compacted = time.monotonic()
        self._compact_to = 0

    def become(self, loaded: Loaded) -> None:
        """Goes on from what has been read."""
        self.mark_revision = loaded.mark_revision
        self._chunks = list(loaded.chunks)
        self._drifted = list(loaded.drifted)

    def put_right(self, path: str) -> None:
        """Has a value published anew that somebody else has written over."""
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
        """Chunks of events that are older than all that are remembered."""
        return [first for first in self._chunks if first <= mark.index - 2 * CAPACITY][:_CHUNKS_AT_ONCE]

    async def run(self) -> None:
        while True:
            await self._time.sleep(INTERVAL)
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
                await self._time.sleep(0.5)

    async def step(self) -> bool:
        """One transaction, or a few that belong together; whether there was anything to do. Raises Diverged,
        V3Error."""
        await self._take_office()
        if self._gone:
            return await self._remove_published(self._gone[0])
        if self._replica.is_ahead:
            return await self._write()
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
        for put in checkpoint.before:
            if not await self._commit([put]):
                return False
        operations: list[Put | Delete] = [
            *checkpoint.puts,
            Put(layout.mark, mark.encode()),
            *checkpoint.deletes,
        ]
        operations += covered(replica.records, mark)[0]
        operations += [Delete(layout.event(first)) for first in self._ended(mark)]
        if not await self._commit(operations, mark):
            return False
        self._gone += [KeyValue(put.key, put.value, 0) for put in checkpoint.before]
        return True

    async def _commit(self, operations: list[Put | Delete], mark: Mark | None = None) -> bool:
        """Whether this is still the tender's to do, and done. ``mark`` is the one that is written with it."""
        guard = Compare(self._layout.mark, "mod", self.mark_revision)
        committed = await self._v3.commit((guard,), operations, (Get(self._layout.mark),))
        if committed.succeeded:
            if mark is not None:
                self.see_mark(mark, committed.revision)
            return True
        there = committed.found[0] if committed.found else None
        if mark is not None and there is not None and there.value == mark.encode():
            self.see_mark(mark, there.mod_revision)  # by an attempt of which nothing was heard
            return True
        # The watch has not told of it yet: another was the tender a moment ago, or is.
        await self._time.sleep(INTERVAL)
        return False

    async def _remove_published(self, listed: KeyValue) -> bool:
        """The values of files that went away with their directory, each only if it has no record."""
        paths = decode_paths(listed.value)
        for at in range(0, len(paths), _AT_ONCE):
            some = paths[at : at + _AT_ONCE]
            if not await self._remove_some(some):
                for path in some:
                    await self._remove_some([path])
        if not await self._commit([Delete(listed.key)]):
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
        """Publishes a value anew that somebody else has written over; the key space is at the mark just now."""
        path, layout = self._drifted[0], self._layout
        try:
            node = self._replica.store.look(path, now=0).node
        except EtcdError:
            node = None  # it has been removed meanwhile
        if node is not None and not node.dir:
            puts = [Put(layout.node(path), encode_node(node)), Put(layout.published(path), node.value or b"")]
            if not await self._commit([*puts]):
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
