"""Looks at files that may change meanwhile, following no link and waiting for no pipe: is one still what it was?"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from migrate02.files.folders import Folders

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Opens a file to look at it."""

CHANGED = "it was changed after it was read; run this again"

_PIECE = 1 << 20


def pieces(descriptor: int) -> Iterator[bytes]:
    """What can be read from an open file, to its end."""
    return iter(lambda: os.read(descriptor, _PIECE), b"")


def is_same(left: os.stat_result, right: os.stat_result, *, but_ctime: bool = False) -> bool:
    """The same file, with the same content and rights as far as its numbers say."""
    return _numbers(left) == _numbers(right) and (but_ctime or left.st_ctime_ns == right.st_ctime_ns)


def _numbers(state: os.stat_result) -> tuple[int, ...]:
    return (
        state.st_dev,
        state.st_ino,
        state.st_mode,
        state.st_uid,
        state.st_gid,
        state.st_size,
        state.st_mtime_ns,
    )


class FileState(NamedTuple):
    """A file as it was when somebody looked; ``digest`` is the SHA-256 of its content."""

    state: os.stat_result
    digest: str


def look_at(folders: Folders, path: str) -> FileState | None:
    """What a file is now; None when there is none. Raises OSError, also for what is no regular file."""
    there, name = os.path.split(path)
    try:
        descriptor = os.open(name, READ, dir_fd=folders.at(there))
    except FileNotFoundError:
        return None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, f"{path} is no regular file")
        digest = hashlib.sha256()
        for piece in pieces(descriptor):
            digest.update(piece)
    finally:
        os.close(descriptor)
    return FileState(state, digest.hexdigest())


def is_still(now: FileState | None, before: FileState | None) -> bool:
    """Whether nobody has changed it in between, nor removed or made it."""
    if now is None or before is None:
        return now is before
    return now.digest == before.digest and is_same(now.state, before.state)
