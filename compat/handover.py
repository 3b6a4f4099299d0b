"""A data directory made fit for the real etcd that takes it over: the database that 3.x wants beside a v2 snapshot.

Asks for names first and imports the server's storage only when there is something to do. Never changes a file that is
there.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from compat.codes import DATABASE_ADDED
from compat.datadir import has_member_data, names_in
from compat.engines import Engine, EngineError
from compat.findings import Finding
from compat.settings import FILE, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.storage.codec import WalPosition


class Handover:
    """What was added to a data directory for an etcd, and how to take it back while that has not started."""

    def __init__(self, findings: list[Finding], added: str = "") -> None:
        self.findings = findings
        self._added = added

    def take_back(self) -> None:
        """As if nothing had been handed over."""
        if self._added:
            os.unlink(self._added)
            self._added = ""


def hand_over(engine: Engine, data_dir: str, wal_dir: str = "") -> Handover:
    """Adds ``snap/db`` if this etcd wants one here: it is 3.1 to 3.5, there is a .snap, and no ``snap/db`` yet.

    2.x refuses a directory that has the file, so it is added at the last moment, and whole or not at all. ``wal_dir``
    is where the log is if not in the data directory. Raises EngineError, with nothing added, when another process uses
    the directory, when it cannot be read or written, or when a database is missing that was not empty: this member
    has seen v3 data of its cluster, and no longer has all of it in its log.
    """
    snap = os.path.join(data_dir, "member", "snap")
    names = names_in(snap)
    if not engine.wants_database or "db" in names or not any(name.endswith(".snap") for name in names):
        return Handover([])
    from pathlib import Path

    from server.storage.boltfile import empty_database
    from server.storage.errors import StorageError, reporting
    from server.storage.files import REAL_FILES, write_new_file

    member = Path(data_dir, "member")
    database = member / "snap" / "db"
    try:
        with _to_ourselves(Path(wal_dir) if wal_dir else member / "wal"):
            at = _newest_snapshot(member / "snap")
            if at is None:
                return Handover([])  # none that can be read: the engine says so itself
            _check_no_v3_data(member, at, engine)
            with reporting("write", database):
                write_new_file(REAL_FILES, database, [empty_database(at.index, at.term)], 0o600)
    except StorageError as error:
        raise EngineError(
            str(error),
            f"etcd {engine.version} was not started: it wants a database in {snap}, which has to be put there first",
        ) from None
    origin = Origin(FILE, "data-dir", str(database))
    added = DATABASE_ADDED.finding("data-dir", origin, version=str(engine.version), directory=data_dir)
    return Handover([added], str(database))


def told_of_2x(engine: Engine, data_dir: str, wal_dir: str = "") -> list[Finding]:
    """What this etcd makes of a member's directory of 2.x, before anything is added to it. One that has a database has
    been opened by a 3.x."""
    text = engine.on_data_of_2x
    opened = "db" in names_in(os.path.join(data_dir, "member", "snap"))
    if text is None or opened or not has_member_data(data_dir, wal_dir):
        return []
    origin = Origin(FILE, "data-dir", data_dir)
    return [text.finding("data-dir", origin, version=str(engine.version), directory=data_dir)]


@contextmanager
def _to_ourselves(wal_dir: Path) -> Iterator[None]:
    """Holds the lock that a running member has, so that none finds a database appear under its feet."""
    from server.storage.errors import reporting
    from server.storage.locks import lock_file

    segments = sorted(name for name in names_in(str(wal_dir)) if name.endswith(".wal"))
    if not segments:
        yield
        return
    path = wal_dir / segments[-1]
    with reporting("open", path):
        file = path.open("r+b")
    with file:
        with reporting("lock", path):
            lock_file(file.fileno(), path)
        yield


def _newest_snapshot(snap: Path) -> WalPosition | None:
    """Where the newest .snap ends that can be read. Bad ones are left for the engine to set aside."""
    from server.storage.codec import WalPosition
    from server.storage.errors import DamagedError
    from server.storage.snapshots import read_snapshot

    for name in sorted(names_in(str(snap)), reverse=True):
        if name.endswith(".snap"):
            try:
                snapshot = read_snapshot(snap / name)
            except DamagedError:
                continue
            return WalPosition(snapshot.index, snapshot.term)
    return None


def _check_no_v3_data(member: Path, at: WalPosition, engine: Engine) -> None:
    from server.storage.v3 import read_mark

    seen = read_mark(member)
    if seen is not None and seen.index <= at.index:
        raise EngineError(
            f"{member.parent}: this member's cluster holds data of the v3 API (first seen: {seen.what}, at index "
            f"{seen.index}), of which the bundled server keeps nothing; etcd {engine.version} would begin without it",
            "let etcd get it from the others: remove this member from the cluster, add it again, and start etcd on an "
            "empty data directory",
        )
