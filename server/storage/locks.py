"""File locks that both generations of etcd respect. Knows nothing of what is in the files."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path

from server.storage.errors import LockedError

# struct flock: type, whence, start, length (0 = to the end), pid (must be 0 for this kind of lock)
_WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def lock_file(fd: int, path: Path) -> None:
    """Takes both locks on a file opened for writing, without waiting; closing ``fd`` drops them.

    etcd 2.x uses flock, 3.x open-file-description locks, and neither sees the other's: 3.4 opens a directory that
    2.3.8 is using (tried). Raises LockedError with etcd's words if someone holds either.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _lock_description(fd)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        raise LockedError(
            "open wal error: file already locked. Another etcd process is using this directory: "
            "stop that one first, or give this one a data directory of its own",
            path,
        ) from error


def _lock_description(fd: int) -> None:
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WHOLE_FILE)
    except OSError as error:
        if (
            error.errno != errno.EINVAL
        ):  # kernels before 3.15 have no such lock; flock alone is what 2.x takes
            raise
