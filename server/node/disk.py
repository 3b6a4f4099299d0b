"""Everything that a running member does to its data directory, as calls that block.

The node makes the calls for the log in one worker thread, or a ``save`` in place while that thread has nothing to do,
and the calls for snapshot files and the removal of old files in another, so that a large snapshot or a slow deletion
does not delay writes. The node keeps an order that survives a crash at any point: entries before their answers;
``mark_snapshot``, ``write_snapshot``, ``release``, one after the other, and for a leader's snapshot ``begin_behind``,
``write_snapshot``, ``save``, ``release`` (``server.storage.snapshots`` says why).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from server.clocks import REAL_TIME
from server.metrics import MemberMetrics
from server.raft import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.purge import purge
from server.storage.snapshots import SnapshotDir
from server.storage.v3 import V3Data, write_mark
from server.storage.wal import WAL, WalPosition


class Disk(Protocol):
    """The calls that a node makes to its disk. Each may raise StorageError, and after that only ``close`` is called."""

    @property
    def room(self) -> int:
        """Bytes left in the segment: a save of as many or more begins a new segment of the log, which takes long."""

    def save(self, hard_state: HardState | None, entries: Sequence[Entry]) -> float:
        """On return the entries, and a changed term or vote, survive a power cut. Returns the seconds that the sync
        took, 0 without one. In the log's thread, or in place while that has nothing to do."""

    def mark_snapshot(self, at: WalPosition) -> None:
        """On return the log has a marker that there may be a snapshot at a position, which must be committed.

        In the log's thread.
        """

    def write_snapshot(self, snapshot: Snapshot, more: Sequence[bytes]) -> None:
        """On return the snapshot is on disk; its content is its ``data`` and then ``more``.

        After ``mark_snapshot`` or ``begin_behind``, in the other thread.
        """

    def begin_behind(self, at: WalPosition, hard_state: HardState) -> None:
        """On return the log begins again behind a leader's snapshot. ``write_snapshot`` must follow, and then a
        ``save`` of the entries that came with it. In the log's thread.
        """

    def remember_v3_data(self, seen: V3Data) -> None:
        """On return the data directory has a permanent mark that there was v3 data in the log. In the log's thread."""

    def release(self, index: int) -> None:
        """The snapshot at this index is on disk: the log need not keep anything older. In the log's thread."""

    def purge(self) -> None:
        """Deletes files that are no longer needed, oldest first. In the other thread."""

    def close(self) -> None:
        """Syncs and closes the files. In the log's thread, when the other has nothing to do any more."""


class MemberDisk:
    """The data directory of a member. ``max_wals`` and ``max_snapshots`` files are kept, 0 keeps all.

    Its work is counted in ``metrics``. The log's syncs are counted by TimedFiles, which the log must have been opened
    with: without it ``save`` returns 0.
    """

    def __init__(
        self,
        wal: WAL,
        snapshots: SnapshotDir,
        metrics: MemberMetrics,
        *,
        wal_dir: Path,
        max_wals: int,
        max_snapshots: int,
        monotonic: Callable[[], float] = REAL_TIME.monotonic,
    ) -> None:
        self._wal = wal
        self._snapshots = snapshots
        self.metrics = metrics
        self._monotonic = monotonic
        self._kept = [(wal_dir, "wal", max_wals), (snapshots.directory, "snap", max_snapshots)]

    @property
    def room(self) -> int:
        return self._wal.room

    def save(self, hard_state: HardState | None, entries: Sequence[Entry]) -> float:
        syncs = self.metrics.log_syncs
        before = syncs.total
        self._wal.save(EMPTY_HARD_STATE if hard_state is None else hard_state, entries)
        if entries:
            self.metrics.last_index_saved = entries[-1].index
        return syncs.total - before

    def mark_snapshot(self, at: WalPosition) -> None:
        self._wal.save_snapshot(at)

    def begin_behind(self, at: WalPosition, hard_state: HardState) -> None:
        self._wal.begin_behind(at, hard_state)

    def remember_v3_data(self, seen: V3Data) -> None:
        write_mark(self._snapshots.directory.parent, seen)

    def write_snapshot(self, snapshot: Snapshot, more: Sequence[bytes]) -> None:
        began = self._monotonic()
        self._snapshots.save(snapshot, more)
        self.metrics.snapshots.observe(self._monotonic() - began)

    def release(self, index: int) -> None:
        self._wal.release(index)

    def purge(self) -> None:
        for directory, suffix, keep in self._kept:
            if keep:
                purge(directory, suffix, keep)

    def close(self) -> None:
        self._wal.close()
