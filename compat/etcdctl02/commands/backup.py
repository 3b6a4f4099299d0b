"""``backup``: a data directory copied so that a new cluster can begin from it, with ``--force-new-cluster``.

The copy holds the newest snapshot and the log after it, under a new member's and a new cluster's id, so that it can
never talk to the members it came from. Reads directories of any etcd 2.x, also while one serves them, and changes
nothing there. The copy appears under its name when it is whole.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from compat.etcdctl02.call import Call
from compat.etcdctl02.logline import fatal, line
from server.raft.types import Snapshot
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import DamagedError, StorageError
from server.storage.files import REAL_FILES, make_private_directory
from server.storage.replay import BEGINNING, WalContents, read_wal
from server.storage.snapshots import SnapshotDir, read_snapshot
from server.storage.wal import WAL

_ID_BITS = 64


def backup(call: Call) -> None:
    source, target = call.options.text("data-dir"), call.options.text("backup-dir")
    if not target:
        raise fatal("no directory to write to: give one with --backup-dir")
    wal_dir = Path(call.options.text("wal-dir") or Path(source, "member", "wal"))
    if not wal_dir.is_dir():
        setting = "--wal-dir" if call.options.text("wal-dir") else "--data-dir"
        raise fatal(
            f"open {wal_dir}: no such file or directory: give the data directory of an etcd 2.x with {setting}"
        )
    wal_target = call.options.text("backup-wal-dir")
    try:
        snapshot, contents = _read(call, Path(source, "member", "snap"), wal_dir)
        _write(Path(target), Path(wal_target) if wal_target else None, snapshot, contents)
    except (OSError, StorageError) as error:
        raise fatal(error) from error


def _read(call: Call, snap_dir: Path, wal_dir: Path) -> tuple[Snapshot | None, WalContents]:
    """The newest snapshot that is whole and that the log knows of, if there is one, and the log after it.

    With an older snapshot, or none, the log says more, and the copy holds as much. Raises StorageError.
    """
    names = sorted(snap_dir.glob("*.snap"), reverse=True) if snap_dir.is_dir() else []
    failure: DamagedError | None = None
    for path in [*names, None]:
        try:
            snapshot = None if path is None else read_snapshot(path)
            return snapshot, read_wal(wal_dir, _position(snapshot))
        except DamagedError as error:
            failure = failure or error
            if path is not None:
                call.console.err(line(f"{error}; trying without it"))
    assert failure is not None
    raise failure


def _position(snapshot: Snapshot | None) -> WalPosition:
    return BEGINNING if snapshot is None else WalPosition(snapshot.index, snapshot.term)


def _write(target: Path, wal_target: Path | None, snapshot: Snapshot | None, contents: WalContents) -> None:
    """Writes under other names, and gives the directories their own at the end, the log's first.

    ``wal_target`` is None for a log that lies within.
    """
    member, staged = target / "member", target / "member.tmp"
    staged_wal = wal_target.with_name(f"{wal_target.name}.tmp") if wal_target else staged / "wal"
    for final in filter(None, (member, wal_target)):
        if final.exists() and any(final.iterdir()):
            raise FileExistsError(f"{final}: file already exists: a backup needs a directory of its own")
    for leftover in (staged, staged_wal):
        if leftover.exists():
            shutil.rmtree(leftover)
    make_private_directory(staged / "snap")
    if snapshot is not None:
        SnapshotDir(staged / "snap").save(snapshot)
    _write_log(staged_wal, _position(snapshot), contents)
    if wal_target is not None:
        _publish(staged_wal, wal_target)
    _publish(staged, member)


def _write_log(directory: Path, position: WalPosition, contents: WalContents) -> None:
    wal = WAL.create(directory, WalMetadata(secrets.randbits(_ID_BITS), secrets.randbits(_ID_BITS)))
    try:
        if position != BEGINNING:
            wal.save_snapshot(position)
        wal.save(contents.hard_state, contents.entries)
    finally:
        wal.close()


def _publish(staged: Path, final: Path) -> None:
    REAL_FILES.rename(staged, final)  # in place of an empty directory, if one is there
    REAL_FILES.sync_directory(final.parent)
