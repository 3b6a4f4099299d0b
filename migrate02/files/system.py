"""What the operating system refuses: told as such, with what to do."""

from __future__ import annotations

import errno
import os

WRONG_NAME = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.ENXIO)
)
"""What comes of a path that leads to no file: nothing is wrong with the system."""

_REMEDIES = {
    errno.EACCES: "Run it as a user who has the right, or give the right to this one.",
    errno.EPERM: "Run it as a user who has the right, or give the right to this one.",
    errno.EROFS: "The file system is read-only: mount it writable, and run it again.",
    errno.ENOSPC: "The disk is full: make room there, and run it again.",
    errno.EDQUOT: "The quota is used up: make room there, and run it again.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), and run it again.",
    errno.EIO: "Check the disk (dmesg), and run it again.",
    errno.EMFILE: "Raise the limit on open files (ulimit -n), and run it again.",
}


def remedy_for(reason: str) -> str:
    """What to do about an error whose words are, or end with, the system's own; empty where that is not known."""
    return next((todo for number, todo in _REMEDIES.items() if reason.endswith(os.strerror(number))), "")
