"""Carries out what ``cleaning`` plans: locks, backups, the writes, and a look at the result.

The order is one in which a crash at any point leaves a member that 3.5 starts with everything it had: backups first,
then the marker in the log, then the snapshot. A marker without its snapshot is ignored.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import keys_of, row
from migrate02.datadir.member3x import Member3x, directories, newest_segment, read_member
from migrate02.files.rights import Rights, give, rights_of
from migrate02.v2store.cleaning import Cleaning
from migrate02.v2store.report import report
from server.cluster.ids import id_text
from server.storage.errors import LockedError, StorageError, WriteFailedError, describe
from server.storage.etcd3.additions import append, write_snapshot
from server.storage.files import REAL_FILES, Files, make_private_directory
from server.storage.locks import lock_file

EXPORT = "v2-keys.jsonl"
_SPARE_BYTES = 1 << 20
_PIECE = 1 << 20
_ZEROS = bytes(_PIECE)


@dataclass(slots=True)
class Locked:
    """A stopped member whose log and database are locked; ``log`` is its newest segment, open for writing."""

    member: Member3x
    log: int
    rights: Rights


@dataclass(slots=True)
class Done:
    """What was written: the snapshot, and where the backups are (None where nothing was to be done)."""

    plan: Cleaning
    snapshot: Path | None = None
    backup: Path | None = None


@contextmanager
def locked(path: Path, wal_dir: Path | None) -> Iterator[Locked]:
    """Locks a directory as etcd itself does, and reads it. Raises DataError, for a running member with its pid."""
    with ExitStack() as stack:
        wal, snap = directories(path, wal_dir)
        database = _lock(snap / "db", path, stack)
        newest = newest_segment(wal)
        log = _lock(newest, path, stack)
        member = read_member(path, wal_dir)
        if member.log.end.segment.path != newest:
            raise DataError("a member is writing here. Stop it, and repeat this", path)
        yield Locked(member, log, rights_of(database))


def _lock(file: Path, path: Path, stack: ExitStack) -> int:
    try:
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        stack.callback(os.close, fd)
        lock_file(fd, file)
    except LockedError as error:
        holder = _holder(file)
        who = f"process {holder}" if holder else "another process"
        raise DataError(
            f"in use: {who} holds the lock of {file.name}. Stop that member, and repeat this", path
        ) from error
    except OSError as error:
        raise DataError(f"cannot be opened for writing: {describe(error)}", file) from error
    return fd


def _holder(file: Path) -> int:
    """The process that has a file locked, 0 where that cannot be seen, as from another container."""
    try:
        inode = file.stat().st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
                return max(int(words[4]), 0)
    except (OSError, ValueError, IndexError):
        return 0
    return 0


def clean(target: Locked, plan: Cleaning, backup: Path, files: Files = REAL_FILES) -> Done:
    """Cleans a locked member as it was planned. Backups go into a new folder at ``backup``.

    Raises DataError; the member then is as it was, or, if the message says so, has to be put back from the backup.
    """
    if plan.snapshot is None:
        return Done(plan)
    member = plan.member
    keys = _export(plan)
    replaced = member.snap / plan.file_name
    originals = [member.log.end.segment.path, *([replaced] if replaced.exists() else [])]
    _check_space(plan, originals, backup, len(keys))
    try:
        _back_up(files, originals, keys, backup)
        append(files, target.log, member.log.end, plan.records)
        path = write_snapshot(files, member.snap, plan.snapshot, _giver(target, replaced))
    except WriteFailedError as error:
        raise DataError(f"{error.message}; the member is as it was", error.path) from error
    except OSError as error:
        raise DataError(
            f"the backup cannot be written: {describe(error)}; the member is as it was", backup
        ) from error
    _verify(plan, backup)
    return Done(plan, path, backup)


def _export(plan: Cleaning) -> bytes:
    if not plan.has_keys:
        return b""
    lines = (row(key) + "\n" for key in keys_of(plan.store.freeze()))
    return "".join(lines).encode("utf-8", "surrogateescape")


def _check_space(plan: Cleaning, originals: Sequence[Path], backup: Path, export_bytes: int) -> None:
    """Every place has what it is to take, and a mebibyte more; places on one file system share it."""
    needed: dict[int, tuple[Path, int]] = {}
    existing = next(folder for folder in backup.parents if folder.exists())
    allocated = sum(file.stat().st_blocks * 512 for file in originals)
    for folder, count in (
        (existing, allocated + export_bytes),
        (plan.member.wal, len(plan.records)),
        (plan.member.snap, plan.snapshot_bytes),
    ):
        device = folder.stat().st_dev
        needed[device] = (folder, needed.get(device, (folder, _SPARE_BYTES))[1] + count)
    for folder, count in needed.values():
        free = shutil.disk_usage(folder).free
        if free < count:
            raise DataError(
                f"{free} bytes are free, and {count} are needed for backup and snapshot; make room, or give another "
                "place with --backup",
                folder,
            )


def _back_up(files: Files, originals: Sequence[Path], keys: bytes, backup: Path) -> None:
    """Into files of mode 0600, each new. Holes stay holes."""
    make_private_directory(backup)
    for original in originals:
        with original.open("rb") as source:
            _write_new(files, backup / original.name, iter(lambda: source.read(_PIECE), b""))
    if keys:
        _write_new(files, backup / EXPORT, [keys])
    files.sync_directory(backup)


def _write_new(files: Files, path: Path, pieces: Iterator[bytes] | Sequence[bytes]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        size = 0
        for piece in pieces:
            if piece != _ZEROS[: len(piece)]:
                files.write_at(fd, size, piece)
            size += len(piece)
        files.truncate(fd, size)
        files.sync(fd)
    finally:
        os.close(fd)


def _giver(target: Locked, replaced: Path) -> Callable[[int], None]:
    """Gives a snapshot the rights of the one it replaces, of the newest there is, or of the database."""
    like = replaced if replaced.exists() else target.member.chosen.path
    rights = target.rights
    if like is not None:
        with like.open("rb") as file:
            rights = rights_of(file.fileno())
    return lambda fd: give(fd, rights)


def _verify(plan: Cleaning, backup: Path) -> None:
    """Reads all of it again, as a start would, and compares it with the plan."""
    member = plan.member
    try:
        after = read_member(member.path, member.wal)
        found = report(after)
        same = (
            after.chosen.snapshot == plan.snapshot
            and after.entries == _expected_entries(plan)
            and after.log.hard_state == (plan.hard_state or member.log.hard_state)
            and after.database == member.database
            and not found.stops("3.6")
        )
    except (DataError, StorageError) as error:
        raise DataError(
            f"written, but not to be read again: {error}; {_way_back(plan, backup)}", member.path
        ) from error
    if not same:
        raise DataError(f"written, but not what was planned is read; {_way_back(plan, backup)}", member.path)


def _expected_entries(plan: Cleaning) -> list[object]:
    again = {entry.index: entry for entry in plan.again}
    return [again.get(entry.index, entry) for entry in plan.member.entries if entry.index > plan.index]


def _way_back(plan: Cleaning, backup: Path) -> str:
    return (
        f"put {plan.member.log.end.segment.path.name} back from {backup} and remove {plan.file_name} before "
        "anything is started here, and look after the disk"
    )


def backup_folder(path: Path, wanted: Path | None, member: Member3x) -> Path:
    """A folder that is not there yet: beside the data directory, or in the one that was asked for."""
    if wanted is None:
        first = path.absolute().with_name(f"{path.absolute().name}.v2store-backup")
    else:
        names = member.database.names if member.database is not None else {}
        own = member.log.metadata.node_id
        first = wanted.absolute() / (names.get(own) or id_text(own)).replace("/", "_")
    number = 1
    folder = first
    while folder.exists() or folder.is_symlink():
        number += 1
        folder = first.with_name(f"{first.name}.{number}")
    return folder
