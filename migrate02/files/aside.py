"""Writes a file whole before it has its final name: aside, with the rights of another, synced.

A half-written file is never seen under its final name, and nothing of one stays when writing it fails.
"""

from __future__ import annotations

import errno
import os
import re
from itertools import count

from migrate02.files.folders import Folders, unlink
from migrate02.files.looking import READ, pieces
from migrate02.files.rights import Rights, give, rights_of

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_ASIDE = re.compile(r"\A\.(.+)\.migrate02-(\d+)\Z", re.DOTALL)
"""The name of its file, and a number. Nothing is lost with such a file."""


def write_new(
    folder: int, name: str, data: bytes, rights: Rights | None, *, sync: bool, times: bool = False
) -> None:
    """Write a file that must not be there yet, with another's rights and, when asked for, times; nothing of it stays
    when that fails. Nobody but its owner can read it before it has those rights."""
    descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        if rights is not None:
            give(descriptor, rights)
            if times:
                os.utime(descriptor, ns=(rights.state.st_atime_ns, rights.state.st_mtime_ns))
        if sync:
            os.fsync(descriptor)  # mode and attributes, too
    except BaseException:
        unlink(folder, name)
        raise
    finally:
        os.close(descriptor)


def write_aside(
    folder: int, name: str, data: bytes, rights: Rights, *, sync: bool, times: bool = False
) -> str:
    """Write what is to take a file's place; returns the name it has until then."""
    for number in count(os.getpid()):
        temporary = f".{name}.migrate02-{number}"
        try:
            write_new(folder, temporary, data, rights, sync=sync, times=times)
        except FileExistsError:  # left by a run that was cut short, of a process with our number
            continue
        return temporary
    raise AssertionError("an endless list ended")


def written_aside(folder: int) -> dict[str, str]:
    """What runs that were cut short have written aside in a directory: each name, and that of the file it is for."""
    try:
        names = os.listdir(folder)
    except OSError:  # it may be entered, but not read
        return {}
    return {name: found[1] for name in names if (found := _ASIDE.match(name))}


def move(folders: Folders, source: str, target: str, *, keep: bool = False) -> None:
    """Put a file in another's place: the very same one where that can be. Else, or to ``keep`` it, a copy of it."""
    there, name = os.path.split(source)
    here, final = os.path.split(target)
    old, new = folders.at(there), folders.at(here)
    try:
        if not keep:
            os.rename(name, final, src_dir_fd=old, dst_dir_fd=new)
            return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    descriptor = os.open(name, READ, dir_fd=old)
    try:
        rights = rights_of(descriptor)
        data = b"".join(pieces(descriptor))
    finally:
        os.close(descriptor)
    temporary = write_aside(new, final, data, rights, sync=True, times=True)
    try:
        os.rename(temporary, final, src_dir_fd=new, dst_dir_fd=new)
    except BaseException:
        unlink(new, temporary)
        raise
