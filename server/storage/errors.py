"""What can go wrong with files in a data directory, by whose turn it is to act.

Every message names the file, the byte where that is known, and what to do; etcd's own words are in it unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StorageError(Exception):
    """The only exception of this room that is not a programming error.

    ``message`` is the text without the place; ``path`` and ``offset`` (bytes from the start of the file) are the
    place, or None where the error is about bytes that belong to no file.
    """

    def __init__(self, message: str, path: Path | None = None, offset: int | None = None) -> None:
        self.message = message
        self.path = path
        self.offset = offset
        super().__init__(message, path, offset)

    def __str__(self) -> str:
        if self.path is None:
            return self.message
        place = f"{self.path}" if self.offset is None else f"{self.path}, byte {self.offset}"
        return f"{place}: {self.message}"


class CodecError(StorageError):
    """Bytes that are not what they should be: not a message, or one that etcd 2.x never writes."""


class DamagedError(StorageError):
    """A file was changed after it was written, or a part of the log is missing. Nothing was touched."""


class OutOfRangeError(DamagedError):
    """A term or an index that leaves no room to count on, as a forged message of a peer could leave it behind."""

    def __init__(self, what: str, number: int, path: Path, offset: int | None = None) -> None:
        super().__init__(
            f"{what} {number}, and numbers from 2^62 on leave no room to count: a forged message of a peer has got in "
            "here. The file was not changed. Start this member once with --force-new-cluster: it begins a new log with "
            "all the good entries, keeps this one beside it, and makes the member the only one of its cluster. Or "
            "restore this member's data directory from a backup; or, in a cluster whose other members are well, remove "
            "the member and add it again with an empty one",
            path,
            offset,
        )


class NewerFormatError(StorageError):
    """The file is in the format of etcd 3.x, which no 2.x member can read."""


class LockedError(StorageError):
    """Another process is using the directory."""


class WriteFailedError(StorageError):
    """A write, sync or rename failed, now or earlier: the end of the file is unknown until it is opened again."""


@contextmanager
def reporting(doing: str, path: Path) -> Iterator[None]:
    """Turns an OSError into a StorageError that says what was being done to which file."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot {doing}: {describe(error)}", path) from error


def describe(error: OSError) -> str:
    """The operating system's words, without the errno and the file name that ``str(error)`` repeats."""
    return os.strerror(error.errno) if error.errno is not None else str(error)
