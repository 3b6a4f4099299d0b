"""Who may do what with a file: its owner, group, mode and extended attributes, read from one file and given to another.

POSIX ACLs, capabilities and labels are extended attributes. A file that takes another's place gets all of them and
no others, or it does not take its place: who was kept out of the old one stays out of the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import sys
from collections.abc import Mapping
from typing import NamedTuple

_SEALS = frozenset(("security.ima", "security.evm"))
"""Checksums and signatures of the content: true of no other."""

_GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
_STUCK = ((0x10, "immutable"), (0x20, "append-only"))
"""FS_IOC_GETFLAGS of linux/fs.h, and those of its flags that keep a file from being replaced."""
_TAKE_AWAY = ": take the flag away with chattr, and give it back after"


class Rights(NamedTuple):
    state: os.stat_result
    attributes: Mapping[str, bytes]


def rights_of(descriptor: int) -> Rights:
    return Rights(os.fstat(descriptor), _attributes(descriptor))


def _attributes(descriptor: int) -> dict[str, bytes]:
    try:
        names = os.listxattr(descriptor)
        return {name: os.getxattr(descriptor, name) for name in names} if names else {}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise


def give(descriptor: int, rights: Rights) -> None:
    """To a file that was made for nobody but its owner. It is never open to more than ``rights`` say: the mode is last.

    Raises OSError when one cannot be given, and its ``strerror`` says which.
    """
    state, now = rights.state, os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (state.st_uid, state.st_gid):
        try:
            os.fchown(descriptor, state.st_uid, state.st_gid)
        except OSError as error:
            raise _not_kept(error, f"owner and group {state.st_uid}:{state.st_gid}") from None
    has = _attributes(descriptor)
    for name in has.keys() - rights.attributes.keys():  # from the directory's default ACL
        try:
            os.removexattr(descriptor, name)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}: it would get {name}") from None
    for name, value in rights.attributes.items():
        if has.get(name) != value:
            try:
                os.setxattr(descriptor, name, value)
            except OSError as error:
                raise _not_kept(error, f"extended attribute {name}") from None
    os.fchmod(descriptor, stat.S_IMODE(state.st_mode))


def _not_kept(error: OSError, what: str) -> OSError:
    return OSError(
        error.errno, f"{error.strerror}: its {what} cannot be kept, so run this as its owner or as root"
    )


def obstacle(descriptor: int, rights: Rights) -> str:
    """Why a file cannot be replaced by one with another content, or ``""``."""
    flag = _stuck(descriptor)
    if flag:
        return f"it is {flag}{_TAKE_AWAY}"
    seals = ", ".join(sorted(_SEALS & rights.attributes.keys()))
    return f"its {seals} is of its content, and cannot be kept with another" if seals else ""


def refuse_stuck(folder: int, path: str) -> None:
    """Raises OSError when names in a directory cannot change."""
    flag = _stuck(folder)
    if flag:
        raise OSError(errno.EPERM, f"{path} is {flag}{_TAKE_AWAY}")


def _stuck(descriptor: int) -> str:
    """``immutable`` or ``append-only``, of a file or a directory; ``""`` when neither, or without such flags."""
    try:
        found = fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8))
    except OSError:
        return ""
    flags = int.from_bytes(found[:4], sys.byteorder)
    return next((name for bit, name in _STUCK if flags & bit), "")
