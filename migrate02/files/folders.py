"""Directories by descriptor, opened step by step from the root, so that no link is followed on the way: not one that
was there, nor one that somebody puts there in between.

What is written is then named by a directory and a name in it, and stays below the directory that was meant.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os

_KEPT = 64
"""So many stay open between two files; files come directory by directory."""

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folders:
    """Directories by their real paths, as descriptors that are good until ``rest`` is called."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._locks: list[int] = []

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_error: object) -> None:
        self._close(0)
        while self._locks:
            os.close(self._locks.pop())

    def rest(self) -> None:
        """Close what was not used for long."""
        if len(self._open) > _KEPT:
            self._close(_KEPT // 2)

    def _close(self, kept: int) -> None:
        for path in list(self._open)[: len(self._open) - kept]:
            os.close(self._open.pop(path))

    def at(self, path: str) -> int:
        """Raises OSError, also where a link is on the way: ``path`` is absolute and has none."""
        descriptor = self._open.pop(path, None)
        if descriptor is None:
            above, name = os.path.split(path)
            descriptor = _opened(path, None) if above == path else _opened(name, self.at(above), path)
        self._open[path] = descriptor  # as the newest
        return descriptor

    def make(self, path: str) -> int:
        """As ``at``, made when it is not there: for our own backups, so that nobody else can enter it."""
        above, name = os.path.split(path)
        if path not in self._open:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=self.at(above))
        return self.at(path)

    def make_below(self, folder: str, path: str) -> None:
        """Make a directory, and those between it and ``folder``."""
        if path != folder:
            self.make_below(folder, os.path.dirname(path))
            self.make(path)

    def remove(self, path: str) -> None:
        """Remove a file. Without a word when it cannot be: what made us do it is reported."""
        there, name = os.path.split(path)
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self.at(there))

    def sync(self, path: str) -> None:
        """Make the names in it last."""
        try:
            os.fsync(self.at(path))
        except OSError as error:
            if error.errno == errno.EBADF:  # it may be entered, but not read
                os.sync()
            elif error.errno not in (
                errno.EINVAL,
                errno.ENOTSUP,
            ):  # file systems that cannot sync a directory
                raise

    def lock(self, path: str) -> None:
        """Keep other runs out of it until the end. Raises BlockingIOError when one is at work there."""
        lock = os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=self.at(path))
        self._locks.append(lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = f"{path}: another migrate02 is at work on this directory: wait for it"
            raise BlockingIOError(errno.EWOULDBLOCK, said) from None
        except OSError:  # a file system without locks
            return

    def forget(self, path: str) -> None:
        """It, or something on its way, has another name now."""
        for known in [known for known in self._open if known == path or known.startswith(path + os.sep)]:
            os.close(self._open.pop(known))


def _opened(name: str, above: int | None, path: str = "") -> int:
    try:
        return os.open(name, os.O_RDONLY | _DIRECTORY, dir_fd=above)
    except PermissionError:
        return os.open(name, os.O_PATH | _DIRECTORY, dir_fd=above)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            said = f"{path} is a link or no directory, and no link is followed when files are written"
            raise OSError(error.errno, said) from None
        raise


def is_there(folder: int, name: str) -> bool:
    """Whatever it is; a link is one, wherever it leads."""
    return state_of(folder, name) is not None


def state_of(folder: int, name: str) -> os.stat_result | None:
    """Of the name itself; None when there is none."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def unlink(folder: int, name: str) -> None:
    """Without a word when that fails too: what made us do it is reported."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return
