"""Snapshots in a running member: those that it makes, for the disk or for a follower that lags behind the log; and a
leader's, which replaces its key space and log.

``upkeep`` decides when. Long work is done in pieces, with requests served in between, or in the threads.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, replace

from server.cluster.members import MemberError, Members
from server.memory import collect_young_garbage, give_back_memory
from server.node.applier import check_not_newer
from server.node.disk import Disk
from server.node.logwriter import LogWriter
from server.node.worker import Worker
from server.raft import HardState, LogError, Raft, Snapshot
from server.storage.wal import WalPosition
from server.store.errors import SnapshotFormatError
from server.store.snapshot import FrozenStore, StoreState, read_snapshot
from server.store.store import Store

logger = logging.getLogger(__name__)

SNAPSHOT_PAUSE = 0.001
"""Seconds between two pieces of a snapshot. Without pauses, the log's thread would wait for the interpreter after every
system call, and all writes with it. A choice: longer pauses would make a snapshot take longer."""


PURGE_INTERVAL = 30.0
"""Seconds between two looks for files that are no longer needed (etcd 2.3's value)."""


@dataclass(slots=True, frozen=True)
class Image:
    """The key space as of one index, not yet written out; ``about`` is the snapshot without its data."""

    frozen: FrozenStore
    about: Snapshot


class Snapshots:
    """``writer`` is the log's."""

    def __init__(
        self,
        store: Store,
        members: Members,
        raft: Raft,
        disk: Disk,
        *,
        log_thread: Worker,
        snapshot_thread: Worker,
        writer: LogWriter,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._store = store
        self._members = members
        self._raft = raft
        self._disk = disk
        self._log_thread = log_thread
        self._snapshot_thread = snapshot_thread
        self._writer = writer
        self._sleep = sleep
        self._writing = asyncio.Lock()
        """Held while a snapshot is written: one at a time."""
        self._newest = 0
        """The index of the last snapshot that this run has written."""
        self._read: tuple[Snapshot, StoreState] | None = None
        """A leader's snapshot that will be installed, and its content: it is large, so it is read only once."""

    def freeze(self) -> Image:
        """The state as of the last entry applied. Call it only when raft knows what has been applied."""
        index = self._raft.log.applied
        term = self._raft.log.term_at(index)
        assert term is not None  # the last applied entry is never compacted away before this
        return Image(self._store.freeze(), Snapshot(index, term, self._raft.voters, b""))

    async def pieces(self, image: Image) -> list[bytes]:
        """The image as the bytes of a snapshot; requests are served between the pieces."""
        pieces = []
        for piece in image.frozen.pieces():
            pieces.append(piece)
            await self._sleep(SNAPSHOT_PAUSE)
        return pieces

    async def encode(self, image: Image) -> Snapshot:
        """The snapshot as a whole, for a peer."""
        return replace(image.about, data=b"".join(await self.pieces(image)))

    async def keep(self, about: Snapshot, pieces: list[bytes]) -> None:
        """On return this member's own snapshot is on disk, or a leader's newer one. Writes continue meanwhile."""
        async with self._writing:
            if about.index <= self._newest:
                return
            with self._writer.beside_other_work():
                self._writer.save_put_off()  # the marker must be for a position that the log shows as committed
                self._writer.save_commit()
                await self._persist(about, pieces)

    def read(self, snapshot: Snapshot, now: int) -> str:
        """Why a leader's snapshot cannot be installed, ``""`` if it can; then ``install`` will not read it again."""
        self._read = None
        members = Members(self._members.cluster_id)
        try:
            state = read_snapshot(snapshot.data)
            beside = Store()
            beside.become(replace(state, stats=copy(state.stats)))
            members.recover(beside, now)
        except (SnapshotFormatError, MemberError) as error:
            return f"cannot be read: {error}"
        if self._raft.id in self._raft.voters and members.get(self._raft.id) is None:
            return "leaves out this member, which was added before"
        self._read = snapshot, state
        return ""

    async def install(self, snapshot: Snapshot, hard_state: HardState, now: int) -> None:
        """Replaces the key space and the members by a leader's snapshot. The caller must then save what came with it,
        and call ``installed``.

        Readers see it before it is on disk: the cluster has committed all of it, so it stays valid. Raises LogError for
        one that cannot be read, CannotApply for one of a cluster with a newer version.
        """
        logger.info("start to apply snapshot at index %d", snapshot.index)
        read, self._read = self._read, None
        try:
            state = read[1] if read is not None and read[0] is snapshot else read_snapshot(snapshot.data)
            del read
            self._store.become(state)
            self._members.recover(self._store, now)
        except (SnapshotFormatError, MemberError) as error:
            raise LogError(
                f"the leader's snapshot at index {snapshot.index} cannot be read: {error}"
            ) from error
        if self._members.version is not None:
            check_not_newer(self._members.version)
        collect_young_garbage()
        position = WalPosition(snapshot.index, snapshot.term)
        async with self._writing:
            with self._writer.beside_other_work():
                await self._log_thread.run(self._disk.begin_behind, position, hard_state)
                await self._snapshot_thread.run(self._disk.write_snapshot, snapshot, [])
            self._newest = snapshot.index

    async def installed(self, snapshot: Snapshot) -> None:
        """Everything that came with a leader's snapshot is on disk: the old log is not needed any more."""
        await self._log_thread.run(self._disk.release, snapshot.index)
        await self._snapshot_thread.run(give_back_memory)
        logger.info("finished applying snapshot at index %d", snapshot.index)

    async def purge(self) -> None:
        """Deletes files of snapshots and the log that are no longer needed, every ``PURGE_INTERVAL`` seconds."""
        while True:
            with self._writer.beside_other_work():
                await self._snapshot_thread.run(self._disk.purge)
            await self._sleep(PURGE_INTERVAL)

    async def _persist(self, about: Snapshot, pieces: list[bytes]) -> None:
        """The order is ``server.storage.snapshots.persist_snapshot``'s."""
        await self._log_thread.run(self._disk.mark_snapshot, WalPosition(about.index, about.term))
        await self._snapshot_thread.run(self._disk.write_snapshot, about, pieces)
        self._newest = about.index
        pieces.clear()
        await self._log_thread.run(self._disk.release, about.index)
        await self._snapshot_thread.run(give_back_memory)
        logger.info("saved snapshot at index %d", about.index)
