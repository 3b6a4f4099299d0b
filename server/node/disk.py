"""All a running member does to its data directory, as calls that block; the node makes them in its worker
thread.

Keeps the order that a crash at any point survives: entries before they are answered, a snapshot's marker
before its file, the file before anything older is let go.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from server.raft import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.purge import purge
from server.storage.snapshots import SnapshotDir, persist_snapshot
from server.storage.wal import WAL


class Disk(Protocol):
    """What a node needs of its disk. Every call may raise StorageError, and after that only ``close`` is
    called."""

    def save(self, hard_state: HardState | None, entries: Sequence[Entry]) -> None:
        """On return the entries, and a changed term or vote, survive a power cut."""

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """On return a start needs nothing older than the snapshot."""

    def purge(self) -> None:
        """Deletes files that are no longer needed, oldest first."""

    def close(self) -> None: ...


class MemberDisk:
    """The data directory of a member. ``max_wals`` and ``max_snapshots`` files are kept, 0 keeps all."""

    def __init__(
        self, wal: WAL, snapshots: SnapshotDir, *, wal_dir: Path, max_wals: int, max_snapshots: int
    ) -> None:
        self._wal = wal
        self._snapshots = snapshots
        self._kept = [(wal_dir, "wal", max_wals), (snapshots.directory, "snap", max_snapshots)]

    def save(self, hard_state: HardState | None, entries: Sequence[Entry]) -> None:
        self._wal.save(EMPTY_HARD_STATE if hard_state is None else hard_state, entries)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        persist_snapshot(self._wal, self._snapshots, snapshot)

    def purge(self) -> None:
        for directory, suffix, keep in self._kept:
            if keep:
                purge(directory, suffix, keep)

    def close(self) -> None:
        self._wal.close()
