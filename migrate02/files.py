"""Reads inputs and puts results in their place: written aside, synced, and swapped in, with a backup.

A backup is never overwritten, a half-written file is never seen under its final name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

MAX_BYTES = 4 << 20
"""No configuration of etcd is larger; a file that is, is something else."""


class Unreadable(Exception):
    """The file cannot be read; the message is the reason."""


def read_text(path: str) -> str:
    """The file's text, line ends as they are; bytes that are no UTF-8 survive a round trip. Raises Unreadable."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise Unreadable(f"larger than {MAX_BYTES} bytes, so no etcd configuration")
    return data.decode("utf-8", "surrogateescape")


def replace(path: str, text: str) -> str:
    """Put ``text`` in the file's place, keeping its mode and owner; returns the backup's path. Raises OSError.

    A link is followed: the file it points at is replaced.
    """
    path = os.path.realpath(path)
    directory, name = os.path.split(path)
    state = os.stat(path)
    aside = os.path.join(directory, f".{name}.migrate02-{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            os.fchmod(file.fileno(), state.st_mode & 0o7777)
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), state.st_uid, state.st_gid)
            file.flush()
            os.fdatasync(file.fileno())
        backup = _keep(path)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    _sync_directory(directory)
    return backup


def _keep(path: str) -> str:
    """Give the original a second name, the first that is free: NAME.0.4, NAME.0.4.1, ..."""
    for backup in _backup_names(path):
        try:
            try:
                os.link(path, backup)
            except FileExistsError:
                raise
            except OSError:
                _copy(path, backup)  # a file system without hard links
        except FileExistsError:
            continue
        return backup
    raise AssertionError("an endless list ended")


def _backup_names(path: str) -> Iterator[str]:
    yield f"{path}.0.4"
    number = 1
    while True:
        yield f"{path}.0.4.{number}"
        number += 1


def _copy(path: str, backup: str) -> None:
    import shutil

    with open(path, "rb") as source, open(backup, "xb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        os.fdatasync(target.fileno())
    shutil.copystat(path, backup)


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def walk(directory: str) -> Iterator[str]:
    """The regular files below a directory, in a stable order; version control's own are passed over."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if name not in (".git", ".hg", ".svn"))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path
