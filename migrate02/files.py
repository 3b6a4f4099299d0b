"""Reads inputs and puts results in their place: written aside, synced, and swapped in, with a backup.

A backup is never overwritten, a half-written file is never seen under its final name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_BACKUP = re.compile(r"\.0\.4(\.\d+)?\Z")

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


class Replaced(NamedTuple):
    """What became of one file: ``backup`` is where the original is; ``error`` is set when nothing was changed."""

    path: str
    backup: str = ""
    error: str = ""


class _Aside(NamedTuple):
    path: str
    real: str
    temporary: str


MANY = 8
"""From so many files on, one sync of everything costs less than one for each."""


def replace_all(texts: Mapping[str, str]) -> list[Replaced]:
    """Put each text in its file's place, keeping mode and owner. A link is followed to the file it points at.

    All are written aside first and reach the disk before the first is swapped in, so a crash leaves every file
    either as it was or as it should be.
    """
    outcomes: list[Replaced] = []
    asides: list[_Aside] = []
    for path, text in texts.items():
        try:
            asides.append(_write_aside(path, text, sync=len(texts) < MANY))
        except OSError as error:
            outcomes.append(Replaced(path, error=error.strerror or str(error)))
    if len(texts) >= MANY:
        os.sync()
    for aside in asides:
        try:
            backup = _keep(aside.real)
            os.replace(aside.temporary, aside.real)
            outcomes.append(Replaced(aside.path, backup))
        except OSError as error:
            os.unlink(aside.temporary)
            outcomes.append(Replaced(aside.path, error=error.strerror or str(error)))
    for directory in sorted({os.path.dirname(aside.real) for aside in asides}):
        _sync_directory(directory)
    return outcomes


def _write_aside(path: str, text: str, *, sync: bool) -> _Aside:
    real = os.path.realpath(path)
    directory, name = os.path.split(real)
    state = os.stat(real)
    temporary = os.path.join(directory, f".{name}.migrate02-{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fchmod(descriptor, state.st_mode & 0o7777)
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, state.st_uid, state.st_gid)
            if sync:
                os.fdatasync(descriptor)
    except BaseException:
        os.unlink(temporary)
        raise
    return _Aside(path, real, temporary)


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
    """The regular files below a directory, in a stable order, without our backups and version control's own."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if name not in (".git", ".hg", ".svn"))
        for name in sorted(names):
            if _BACKUP.search(name):
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path
