"""What is in a data directory: whose it is, which layout, can it be written. Reads no log and no snapshot."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from enum import Enum
from pathlib import Path

from server.storage.errors import NewerFormatError, StorageError, describe, reporting
from server.storage.files import REAL_FILES, make_private_directory

logger = logging.getLogger(__name__)

_MEMBER, _PROXY = "member", "proxy"
_MOVING = "member.tmp"
_SNAPSHOT_04 = re.compile(r"\d+_\d+\.ss")
_LOG_04 = re.compile(rb" *[0-9a-f]+\n")


class Kind(Enum):
    """What a data directory is. OLD_MEMBER is the layout of 2.0.0, with ``snap`` and ``wal`` not yet in ``member``."""

    EMPTY = "empty"
    MEMBER = "member"
    PROXY = "proxy"
    BOTH = "both"
    OLD_MEMBER = "2.0.0"
    ETCD04 = "0.4"


def layout(data_dir: Path) -> Kind:
    """What a data directory is, which may not exist. Changes nothing; raises StorageError if it cannot be listed.

    A directory of 0.4 that 2.0 took over keeps the old files beside ``member``, so ``member`` decides before them.
    """
    names = _names(data_dir)
    if {_MEMBER, _PROXY} <= names:
        return Kind.BOTH
    if _MEMBER in names:
        return Kind.MEMBER
    if _PROXY in names:
        return Kind.PROXY
    if _MOVING in names or ("snap" in names and _has_names(data_dir / "wal")):
        return Kind.OLD_MEMBER
    return Kind.ETCD04 if _is_04(data_dir) else Kind.EMPTY


def strangers(data_dir: Path) -> list[str]:
    """The names in a data directory that no etcd 2.x has a use for; it warns of each and continues."""
    return sorted(_names(data_dir) - {_MEMBER, _PROXY})


def has_snapshots(snap_dir: Path) -> bool:
    """Whether a member has left snapshots here. Raises StorageError if it cannot be seen."""
    with reporting("read the directory", snap_dir):
        return snap_dir.is_dir() and any(path.suffix == ".snap" for path in snap_dir.iterdir())


def has_wal(wal_dir: Path) -> bool:
    """Whether a member has begun its life here: etcd takes any name in the directory for a sign of it.

    What ``WAL.create`` leaves when it is cut short (``.wal.tmp``) is not taken for one.
    """
    return _has_names(wal_dir)


def prepare(data_dir: Path, wal_dir: Path | None = None) -> tuple[Path, Path]:
    """Makes the directories of a member with mode 0700 and returns those of the log and of the snapshots.

    Moves the layout of 2.0.0 under ``member`` first. The log's own directory (``--wal-dir``, else ``member/wal``)
    is not made, ``WAL.create`` does that: that it exists means something. Raises StorageError when a directory
    cannot be written, NewerFormatError when etcd 3.x was here, StorageError with etcd's words when both a member
    and a proxy were.
    """
    kind = layout(data_dir)
    if kind is Kind.BOTH:
        raise StorageError(
            "invalid datadir. Both member and proxy directories exist. Move the one that is not wanted away",
            data_dir,
        )
    check_writable(data_dir)
    if kind is Kind.OLD_MEMBER:
        move_old_layout(data_dir)
    member = data_dir / _MEMBER
    snap = member / "snap"
    with reporting("look for the database of etcd 3.x", snap):
        has_database = (snap / "db").exists()
    if has_database:
        raise NewerFormatError(
            "experimental-v3demo cannot be disabled once it is enabled: this directory holds the database of etcd 3.x, "
            "or of a 2.3 run with --experimental-v3demo. Start that etcd on it",
            snap / "db",
        )
    wal = wal_dir or member / "wal"
    for directory in (member, snap):
        check_writable(directory)
    with reporting("access the directory", wal):
        has_directory = wal.exists()
    if has_directory:
        check_writable(wal)
    _make_sure_of_names(data_dir, wal)
    return wal, snap


def _make_sure_of_names(data_dir: Path, wal: Path) -> None:
    """Syncs the names of the directories. An earlier start may have made them and ended before it could."""
    for directory in dict.fromkeys((data_dir / _MEMBER, data_dir, data_dir.parent, wal.parent)):
        with reporting("sync the directory", directory), suppress(FileNotFoundError, PermissionError):
            REAL_FILES.sync_directory(directory)  # what lies above may be closed to this user


def check_writable(directory: Path) -> None:
    """Makes the directory if need be, and a file in it, which it deletes. Raises StorageError with etcd's words."""
    touch = directory / ".touch"
    try:
        make_private_directory(directory)
        touch.touch(mode=0o600)
        touch.unlink()
    except OSError as error:
        raise StorageError(f"cannot access data directory: {describe(error)}", directory) from error


def move_old_layout(data_dir: Path) -> None:
    """Moves ``snap`` and ``wal``, where 2.0.0 had them, under ``member``.

    etcd makes ``member`` first, and a crash after that would make the next start see a member without a log and begin
    a new one. Here ``member`` appears when both are in it; a move that was cut short is taken up again.
    """
    moving = data_dir / _MOVING
    with reporting("move the directories of etcd 2.0.0 into member", data_dir):
        make_private_directory(moving)
        for name in ("snap", "wal"):
            if not (moving / name).exists():
                (data_dir / name).rename(moving / name)
        REAL_FILES.sync_directory(moving)
        moving.rename(data_dir / _MEMBER)
        REAL_FILES.sync_directory(data_dir)
    logger.info("moved snap and wal of %s into member", data_dir)


def _names(data_dir: Path) -> set[str]:
    try:
        return {path.name for path in data_dir.iterdir()}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise StorageError(f"error listing data dir: {describe(error)}", data_dir) from error


def _has_names(directory: Path) -> bool:
    with reporting("read the directory", directory):  # is_dir raises too: no permission, a name too long
        if not directory.is_dir():
            return False
        return any(not path.name.endswith(".wal.tmp") for path in directory.iterdir())


def _is_04(data_dir: Path) -> bool:
    """Whether etcd 0.4 left its log, a snapshot, its conf or its standby note here. Names alone are too common."""
    snapshots = data_dir / "snapshot"
    with reporting("look for data of etcd 0.4", data_dir):
        if snapshots.is_dir() and any(_SNAPSHOT_04.fullmatch(path.name) for path in snapshots.iterdir()):
            return True
        return (
            _LOG_04.fullmatch(_first_bytes(data_dir / "log", 9)) is not None
            or "commitIndex" in _json_object(data_dir / "conf")
            or "Running" in _json_object(data_dir / "standby_info")
        )


def _first_bytes(path: Path, count: int) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(count)


def _json_object(path: Path) -> dict[str, object]:
    try:
        value = json.loads(_first_bytes(path, 1 << 20))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
