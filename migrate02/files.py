"""Reads inputs and puts results in their place: written aside, synced, and swapped in, with a backup.

A backup is never overwritten, a half-written file is never seen under its final name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

FOLDER = ".migrate02"
"""Where a tree's backups are."""

MAX_BYTES = 4 << 20
"""No configuration of etcd is larger; a file that is, is something else."""

_PIECE = 64 << 10


class Unreadable(Exception):
    """The file cannot be read; the message is the reason."""


class TooLarge(Unreadable):
    """The file is no configuration."""


def read_text(path: str) -> str:
    """The file's text, line ends as they are; bytes that are no UTF-8 survive a round trip. Raises Unreadable."""
    try:
        with open(path, "rb", buffering=0) as file:  # most are read in one piece
            pieces = []
            left = MAX_BYTES + 1
            while left and (piece := file.read(min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
    except (OSError, ValueError) as error:
        raise Unreadable(reason(error)) from None
    data = b"".join(pieces)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"larger than {MAX_BYTES} bytes, so no etcd configuration")
    return decode(data)


def decode(data: bytes) -> str:
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


class Keeper(Protocol):
    """Keeps originals somewhere else than beside them."""

    def covers(self, real: str) -> bool: ...

    def keep(self, texts: Mapping[str, bytes]) -> dict[str, str]: ...


def replace_all(texts: Mapping[str, str], keepers: Sequence[Keeper] = ()) -> list[Replaced]:
    """Put each text in its file's place, keeping mode and owner. A link is followed to the file it points at.

    The original stays beside it, or with the first keeper that covers it.

    All are written aside first and reach the disk before the first is swapped in, so a crash leaves every file
    either as it was or as it should be. Two paths of one file are written once.
    """
    reals = _real_paths(texts)
    outcomes: dict[str, Replaced] = {}
    asides: dict[str, _Aside] = {}
    for path, text in texts.items():
        real = reals[path]
        if real in asides:
            continue
        try:
            asides[real] = _write_aside(path, real, text, sync=len(texts) < MANY and not keepers)
        except OSError as error:
            outcomes[real] = Replaced(path, error=reason(error))
    kept, refused = _keep_elsewhere(asides, texts, keepers)
    if len(texts) >= MANY or keepers:
        os.sync()
    for real, aside in asides.items():
        if real in refused:
            _remove(aside.temporary)
            outcomes[real] = Replaced(aside.path, error=refused[real])
        else:
            outcomes[real] = _swap_in(aside, kept.get(real, ""))
    for directory in sorted({os.path.dirname(real) for real in asides}):
        sync_directory(directory)
    return [outcomes[real]._replace(path=path) for path, real in reals.items()]


def _real_paths(paths: Iterable[str]) -> dict[str, str]:
    """Where each leads. The directories are looked at once each: many files share them."""
    directories: dict[str, str] = {}
    reals = {}
    for path in paths:
        directory, name = os.path.split(path)
        if directory not in directories:
            directories[directory] = os.path.realpath(directory)
        real = os.path.join(directories[directory], name)
        reals[path] = os.path.realpath(real) if os.path.islink(real) else real
    return reals


def _write_aside(path: str, real: str, text: str, *, sync: bool) -> _Aside:
    directory, name = os.path.split(real)
    state = os.stat(real)
    temporary = os.path.join(directory, f".{name}.migrate02-{os.getpid()}")
    write_new(temporary, text.encode("utf-8", "surrogateescape"), state, sync=sync)
    return _Aside(path, real, temporary)


def _keep_elsewhere(
    asides: Mapping[str, _Aside], texts: Mapping[str, str], keepers: Sequence[Keeper]
) -> tuple[dict[str, str], dict[str, str]]:
    """Where each original is kept, and why some cannot be: those are not replaced."""
    kept: dict[str, str] = {}
    refused: dict[str, str] = {}
    for keeper in keepers:
        new = {
            real: texts[aside.path].encode("utf-8", "surrogateescape")
            for real, aside in asides.items()
            if real not in kept and keeper.covers(real)
        }
        try:
            kept |= keeper.keep(new) if new else {}
        except OSError as error:
            refused |= dict.fromkeys(new, f"no backup: {reason(error)}")
    return kept, refused


def _swap_in(aside: _Aside, kept: str) -> Replaced:
    try:
        backup = kept or _keep(aside.real)
        os.replace(aside.temporary, aside.real)
    except OSError as error:
        _remove(aside.temporary)
        return Replaced(aside.path, error=reason(error))
    return Replaced(aside.path, backup)


def replace_with(path: str, original: str) -> None:
    """Put a file that was kept back in its place: the very same one where that can be, else a copy of it."""
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.migrate02-{os.getpid()}")
    link_or_copy(original, temporary)
    try:
        os.replace(temporary, path)
    except OSError:
        _remove(temporary)
        raise


def write_new(path: str, data: bytes, like: os.stat_result, *, sync: bool, mode: int | None = None) -> None:
    """Write a file that must not be there yet, with another's mode and owner; nothing of it stays when that fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            created = os.fstat(descriptor)
            if (created.st_uid, created.st_gid) != (like.st_uid, like.st_gid):
                os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, like.st_mode & 0o7777 if mode is None else mode)
            if sync:
                os.fdatasync(descriptor)
    except BaseException:
        _remove(path)
        raise


def _remove(path: str) -> None:
    """Without a word when that fails too: what made us do it is told."""
    try:
        os.unlink(path)
    except OSError:
        return


def _keep(path: str) -> str:
    """Give the original a second name, the first that is free: NAME.0.4, NAME.0.4.1, ..."""
    for backup in _backup_names(path):
        try:
            link_or_copy(path, backup)
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


def link_or_copy(path: str, backup: str) -> None:
    """Raises FileExistsError, and OSError when neither can be done."""
    try:
        os.link(path, backup)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, or a file that is not ours to link
        with open(path, "rb") as source:
            state = os.fstat(source.fileno())
            write_new(backup, source.read(), state, sync=True)
        os.utime(backup, ns=(state.st_atime_ns, state.st_mtime_ns))


def sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that cannot sync a directory
            raise
    finally:
        os.close(descriptor)


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
