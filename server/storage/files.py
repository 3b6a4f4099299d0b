"""The calls that change a disk, in one place, so that a test can make the n-th of them fail.

Decides nothing about formats and catches nothing; every method raises OSError.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


class Files:
    """The real disk. WAL and snapshots take an instance as a parameter; tests pass one that fails."""

    def create(self, path: Path, mode: int) -> int:
        """Opens a file for appending, made if it is not there. What a crash left in it is for the caller to cut."""
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)

    def reopen(self, path: Path) -> int:
        """Opens a file that is there for writing from its first byte on, over what it holds."""
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # not for appending, which ignores every position

    def write(self, fd: int, data: bytes) -> None:
        written = os.write(fd, data)
        while written < len(data):  # a disk that fills up, or more than 2 GiB at once
            data = data[written:]
            written = os.write(fd, data)

    def write_at(self, fd: int, offset: int, data: bytes) -> None:
        """Over what is there; ``fd`` must not be open for appending."""
        while data:
            written = os.pwrite(fd, data, offset)
            data, offset = data[written:], offset + written

    def datasync(self, fd: int) -> None:
        """Content and size are on disk when this returns; times need not be."""
        os.fdatasync(fd)

    def sync(self, fd: int) -> None:
        os.fsync(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def remove(self, path: Path) -> None:
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """Makes the names in a directory as durable as the content of its files."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


REAL_FILES = Files()

_UNSYNCED_BYTES = 1 << 20
"""As much of a new file as is left to the system to write whenever it likes. A file system that journals, as ext4,
writes all of it before it ends another file's sync, so this is what a write to the log may have to wait for."""


def write_new_file(files: Files, path: Path, pieces: Iterable[bytes], mode: int) -> None:
    """Puts the pieces, one after the other, under ``path`` so that the name never shows half of it, and is
    there after a power cut."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        fd = files.create(temporary, mode)
        try:
            files.truncate(fd, 0)
            unsynced = 0
            for piece in pieces:
                files.write(fd, piece)
                unsynced += len(piece)
                if unsynced >= _UNSYNCED_BYTES:
                    files.datasync(fd)
                    unsynced = 0
            files.sync(fd)
        finally:
            os.close(fd)
        files.rename(temporary, path)
    except BaseException:
        with suppress(
            FileNotFoundError
        ):  # on a full disk half a snapshot would be in the way of everything else
            files.remove(temporary)
        raise
    files.sync_directory(path.parent)


def write_again(files: Files, path: Path, pieces: Iterable[bytes]) -> None:
    """Makes sure of a file that was only read: on return the pieces, which are what it holds, and its name are on disk.

    Who wrote it may have been killed before its sync, or that sync may have failed. The system then takes what it could
    not write for written, so another sync alone would report success and prove nothing: the bytes must be written.
    As they are the same, a power cut in between does no harm.
    """
    fd = files.reopen(path)
    try:
        for piece in pieces:
            files.write(fd, piece)
        files.sync(fd)
    finally:
        os.close(fd)
    files.sync_directory(path.parent)


def in_pieces(data: bytes) -> Iterator[bytes]:
    """The same bytes, about a mebibyte at a time."""
    for start in range(0, len(data), _UNSYNCED_BYTES):
        yield data[start : start + _UNSYNCED_BYTES]


def free_backup_name(path: Path) -> Path:
    """``path`` + ``.broken``, or ``.broken.2``, ``.broken.3`` ... : a backup never replaces an older one."""
    candidate = path.with_name(path.name + ".broken")
    number = 2
    while candidate.exists() or candidate.is_symlink():
        candidate = path.with_name(f"{path.name}.broken.{number}")
        number += 1
    return candidate


def make_private_directory(path: Path) -> None:
    """``mkdir -p`` with mode 0700, durable: a new name is synced in its parent. What exists keeps its mode."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        directory.mkdir(mode=0o700, exist_ok=True)
        REAL_FILES.sync_directory(directory.parent)
