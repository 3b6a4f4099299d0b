"""Reads the files of a member of etcd 3.x: its log, the snapshot that a start begins with, its database."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from migrate02.datadir.errors import DataError
from migrate02.datadir.kinds import kind_of
from server.raft.types import Entry
from server.storage.datadir import Kind
from server.storage.errors import DamagedError, NewerFormatError, StorageError
from server.storage.etcd3.database import Database, read_database
from server.storage.etcd3.log import Log, read_log
from server.storage.etcd3.snapfiles import Chosen, newest_of
from server.storage.records import read_records
from server.storage.replay import list_segments

ATTEMPTS, PAUSE_SECONDS = 5, 0.1
"""A running member is read again when it was in the middle of a write, or removed a file."""

_NOT_OF_3X = {
    Kind.EMPTY: "no data directory of etcd is here: it has no directory called member",
    Kind.ETCD04: "a directory of etcd 0.4, which has only v2 keys; migrate02 data converts those",
    Kind.PROXY: "a directory of a proxy of etcd 2.x, which has no data",
    Kind.BOTH: "both member and proxy are here, and no etcd starts on that",
    Kind.OLD_MEMBER: "this is no data directory of etcd 3.x; give the directory that has one called member in it",
}


@dataclass(slots=True)
class Member3x:
    """One member, as its files have it. ``entries`` are those behind the snapshot, consecutive.

    ``database`` is None when it cannot be read; ``trouble`` says why then.
    """

    path: Path
    wal: Path
    snap: Path
    log: Log
    chosen: Chosen
    entries: list[Entry]
    database: Database | None
    trouble: str

    @property
    def snapshot_index(self) -> int:
        """0 when a start reads the log from its beginning."""
        return self.chosen.snapshot.index if self.chosen.snapshot else 0

    @property
    def last_index(self) -> int:
        return self.entries[-1].index if self.entries else self.snapshot_index

    @property
    def committed_index(self) -> int:
        """As far as this member knows. The hard state may lag behind the database, for a commit index alone is not
        synced."""
        known = self.log.hard_state.commit
        if self.database is not None:
            known = max(known, self.database.index)
        return max(self.snapshot_index, min(known, self.last_index))


def is_of_3x(path: Path) -> bool:
    """Whether a segment of the log has what only 3.x writes: padded records, and zeros up to its full size."""
    try:
        for segment in list_segments(path / "member" / "wal"):
            for _ in read_records(segment.path):
                pass
    except NewerFormatError:
        return True
    except StorageError:
        return False  # what is wrong is said by who tries to read it all
    return False


def is_member_of_3x(path: Path, kind: Kind) -> bool:
    """Whether a directory of that kind has a database beside a log of 3.x."""
    return kind is Kind.MEMBER and (path / "member" / "snap" / "db").exists() and is_of_3x(path)


def read_member(path: Path, wal_dir: Path | None = None) -> Member3x:
    """Reads a directory, of a running member too. Raises DataError."""
    try:
        for _ in range(ATTEMPTS):
            with suppress(StorageError):
                found = _read(path, wal_dir)
                if not found.log.end.follows and found.database is not None:
                    return found
            time.sleep(PAUSE_SECONDS)
        return _read(path, wal_dir)
    except StorageError as error:
        raise DataError(error.message, error.path, error.offset) from error


def directories(path: Path, wal_dir: Path | None) -> tuple[Path, Path]:
    """Where a member of 3.x has its log and its snapshots. Raises DataError for what is no directory of one."""
    kind = kind_of(path)
    if kind is not Kind.MEMBER:
        raise DataError(_NOT_OF_3X[kind], path)
    snap = path / "member" / "snap"
    if not (snap / "db").exists():
        raise DataError(
            "there is no database of etcd 3.x here (member/snap/db): this is a directory of etcd 2.x, or one that has "
            "lost it",
            path,
        )
    return wal_dir or path / "member" / "wal", snap


def newest_segment(wal: Path) -> Path:
    """The one that is written to. Raises DataError."""
    try:
        segments = list_segments(wal)
    except StorageError as error:
        raise DataError(error.message, error.path) from error
    if not segments:
        raise DataError("wal: file not found: no segment of a log is here", wal)
    return segments[-1].path


def _read(path: Path, wal_dir: Path | None) -> Member3x:
    wal, snap = directories(path, wal_dir)
    log = read_log(wal)
    chosen = newest_of(snap, log.valid_markers())
    entries = log.entries_after(chosen.snapshot.index if chosen.snapshot else 0)
    database, trouble = None, ""
    try:
        database = read_database(snap / "db")
    except DamagedError as error:
        trouble = str(error)
    return Member3x(path, wal, snap, log, chosen, entries, database, trouble)
