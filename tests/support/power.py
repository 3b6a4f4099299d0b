"""A disk that can lose its power: what was done to it is recorded, and what it may hold after a cut at any moment is made
from that. Model and recorder; no part of the server.

Sure is what was synced. Of what was written to a file since its last sync, every sector has arrived in any of the states
it has had, and the size is any that the file has had, zeros where nothing arrived. A name that was given, changed or taken
away is so for sure when its directory was synced; until then each file may still be where it was.

A sync that fails leaves what it was to write in the cache, where readers find it, and the system takes it for written: it
does not reach the disk any more, whatever is synced later, unless it is written again.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from server.storage.files import Files

SECTOR = 512


class Op(NamedTuple):
    """A call that changed a disk. ``disk`` is the directory that it is all about, ``file`` a number for each file."""

    disk: Path
    kind: str
    file: int = 0
    path: Path = Path()
    target: Path = Path()
    offset: int = 0
    data: bytes = b""


class Recorder:
    """Notes every call of ``Files`` below ``disks``, in order, in ``ops``. Syncs are only noted, which saves time.

    A disk that is ``dead`` fails every call: its process was killed, and what the system holds of its files stays.
    ``dies_at`` has it die at its n-th call from now, before that is made, and ``dies_before`` at its next one of a kind;
    ``on_death`` is told which. One of ``fails_sync`` fails its next sync of a file, of which it dies.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.disks: list[Path] = []
        self.dead: set[Path] = set()
        self.dies_at: dict[Path, int] = {}
        self.dies_before: dict[Path, str] = {}
        self.fails_sync: set[Path] = set()
        self.on_death: Callable[[Path], object] = lambda disk: None
        self._files: dict[tuple[int, int], tuple[int, Path]] = {}  # device and inode -> file, disk
        self._made = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        calls: dict[str, Callable[..., Any]] = {
            "create": self._create(Files.create),
            "reopen": self._reopen(Files.reopen),
            "write": self._write(Files.write),
            "truncate": self._truncate(Files.truncate),
            "rename": self._rename(Files.rename),
            "remove": self._remove(Files.remove),
            "datasync": lambda files, fd: self._sync(fd),
            "sync": lambda files, fd: self._sync(fd),
            "sync_directory": lambda files, path: self._sync_directory(path),
        }
        with replaced(calls):
            yield

    def _disk(self, path: Path) -> Path | None:
        return next((disk for disk in self.disks if path.is_relative_to(disk)), None)

    def _alive(self, disk: Path, kind: str) -> None:
        if disk not in self.dead:
            self.dies_at[disk] = self.dies_at.get(disk, 0) - 1
            if self.dies_at[disk] == 0 or self.dies_before.get(disk) == kind:
                self._die(disk)
        if disk in self.dead:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _die(self, disk: Path) -> None:
        self.dead.add(disk)
        self.on_death(disk)

    def revive(self, disk: Path) -> None:
        self.dead.discard(disk)
        self.dies_at.pop(disk, None)
        self.dies_before.pop(disk, None)
        self.fails_sync.discard(disk)

    def _note(self, kind: str, file: int, disk: Path, **more: Any) -> None:
        self._alive(disk, kind)
        self.ops.append(Op(disk, kind, file, **more))

    def _of(self, fd: int) -> tuple[int, Path]:
        status = os.fstat(fd)
        return self._files[status.st_dev, status.st_ino]

    def _create(self, real: Callable[..., int]) -> Callable[..., int]:
        def create(files: Files, path: Path, mode: int) -> int:
            disk = self._disk(path)
            assert disk is not None
            self._alive(disk, "create")
            fd = real(files, path, mode)
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) not in self._files:
                self._made += 1
                self._files[status.st_dev, status.st_ino] = (self._made, disk)
                self.ops.append(Op(disk, "create", self._made, path))
            return fd

        return create

    def _reopen(self, real: Callable[..., int]) -> Callable[..., int]:
        def reopen(files: Files, path: Path) -> int:
            disk = self._disk(path)
            assert disk is not None
            self._alive(disk, "reopen")
            return real(files, path)

        return reopen

    def _write(self, real: Callable[..., None]) -> Callable[..., None]:
        def write(files: Files, fd: int, data: bytes) -> None:
            appends = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND
            offset = os.fstat(fd).st_size if appends else os.lseek(fd, 0, os.SEEK_CUR)
            self._note("write", *self._of(fd), offset=offset, data=data)
            real(files, fd, data)

        return write

    def _truncate(self, real: Callable[..., None]) -> Callable[..., None]:
        def truncate(files: Files, fd: int, size: int) -> None:
            self._note("truncate", *self._of(fd), offset=size)
            real(files, fd, size)

        return truncate

    def _rename(self, real: Callable[..., None]) -> Callable[..., None]:
        def rename(files: Files, source: Path, target: Path) -> None:
            status = source.stat()
            file, disk = self._files[status.st_dev, status.st_ino]
            self._note("rename", file, disk, path=source, target=target)
            assert not target.exists()
            real(files, source, target)

        return rename

    def _remove(self, real: Callable[..., None]) -> Callable[..., None]:
        def remove(files: Files, path: Path) -> None:
            status = path.stat()
            file, disk = self._files[status.st_dev, status.st_ino]
            self._note("remove", file, disk, path=path)
            real(files, path)
            del self._files[status.st_dev, status.st_ino]

        return remove

    def _sync(self, fd: int) -> None:
        file, disk = self._of(fd)
        if disk in self.fails_sync and disk not in self.dead:
            self.ops.append(Op(disk, "sync failed", file))
            self._die(disk)
        self._note("sync", file, disk)

    def _sync_directory(self, path: Path) -> None:
        if (disk := self._disk(path)) is not None:
            self._note("sync directory", 0, disk, path=path)


@contextmanager
def replaced(calls: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """These methods of ``Files`` are others meanwhile."""
    with ExitStack() as stack:
        for name, call in calls.items():
            stack.enter_context(mock.patch.object(Files, name, call))
        yield


def unsynced() -> AbstractContextManager[None]:
    """Syncs do nothing, for a test that ends without a power cut."""

    def nothing(*arguments: object) -> None:
        pass

    return replaced(dict.fromkeys(("datasync", "sync", "sync_directory"), nothing))


@dataclass(slots=True)
class _File:
    """``versions`` are what the disk may hold, the last sync's content first; ``cache`` is what a reader finds."""

    versions: list[bytes] = field(default_factory=lambda: [b""])
    cache: bytes = b""
    names: list[Path | None] = field(default_factory=lambda: [None])
    """Where it has been since its directory was synced; None for nowhere."""

    def write(self, offset: int, data: bytes) -> None:
        """To the cache; and the sectors that it is in are on their way to the disk."""
        ends = offset + len(data)
        self.cache = self.cache[:offset].ljust(offset, b"\0") + data + self.cache[ends:]
        first, last = offset - offset % SECTOR, ends + -ends % SECTOR
        before = self.versions[-1].ljust(len(self.cache), b"\0")
        self.versions.append(before[:first] + self.cache[first:last] + before[last:])


@dataclass(slots=True)
class Found:
    """What a disk holds after a cut. ``lost_between`` are the files in which something arrived behind a sector that did
    not."""

    files: dict[Path, bytes]
    lost_between: set[Path]

    def put(self, disk: Path, into: Path) -> None:
        """Makes the files of ``disk`` below another directory."""
        for path, content in self.files.items():
            place = into / path.relative_to(disk)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


class Disk:
    """One disk, as the calls leave it one after the other."""

    def __init__(self, of: Path) -> None:
        self._path = of
        self._files: dict[int, _File] = {}

    def take(self, op: Op) -> None:
        if op.disk != self._path:
            return
        file = self._files.setdefault(op.file, _File()) if op.file else _File()
        match op.kind:
            case "create":
                file.names.append(op.path)
            case "rename":
                file.names.append(op.target)
            case "remove":
                file.names.append(None)
            case "write":
                file.write(op.offset, op.data)
            case "truncate":
                file.cache = file.cache[: op.offset].ljust(op.offset, b"\0")
                file.versions.append(file.versions[-1][: op.offset].ljust(op.offset, b"\0"))
            case "sync":
                del file.versions[:-1]
            case "sync failed":
                del file.versions[1:]
            case "sync directory":
                for known in self._files.values():
                    if any(name is not None and name.parent == op.path for name in known.names):
                        del known.names[:-1]

    def cut(self, random: Random) -> Found:
        """One of the states that the disk may be in when the power comes back."""
        found = Found({}, set())
        pick = random.choice((lambda names: names[0], lambda names: names[-1], random.choice, random.choice))
        for file in self._files.values():
            name = pick(file.names)
            if name is None:
                continue
            found.files[name], lost_between = _arrived(file.versions, random)
            if lost_between:
                found.lost_between.add(name)
        return found


def _arrived(versions: list[bytes], random: Random) -> tuple[bytes, bool]:
    """What is in a file that was synced in its first version; and whether a sector did not arrive that was written
    before one that did."""
    if len(versions) == 1:
        return versions[0], False
    size = len(random.choice(versions)) if random.random() < 0.4 else max(map(len, versions))
    lowest = min(map(len, versions))
    if random.random() < 0.25:
        size = random.randint(lowest, size)
    count = -(-size // SECTOR)
    first = lowest // SECTOR  # before that all are the same, but for what is written again
    last = len(versions) - 1
    chosen = [last] * count
    behind = range(first, count)
    match random.choice(("all", "none", "start", "start", "one not", "one not", "any", "any")):
        case "none":
            chosen = [0] * count
        case "start":
            whole = random.randint(first, count)
            chosen = [
                last if n < whole else random.choice((0, last)) if n == whole else 0 for n in range(count)
            ]
        case "one not" if behind:
            chosen[random.choice(behind)] = random.randrange(last)
        case "any":
            chosen = [last if n < first else random.randint(0, last) for n in range(count)]
    content = b"".join(
        versions[version][n * SECTOR : (n + 1) * SECTOR].ljust(SECTOR, b"\0")
        for n, version in enumerate(chosen)
    )[:size]
    return content, _lost_between(content, versions[0], versions[-1])


def _lost_between(content: bytes, synced: bytes, newest: bytes) -> bool:
    """Whether some of what was not synced arrived behind a sector that lacks some."""
    lacks = False
    for begins in range(0, len(content), SECTOR):
        found, before, after = (
            version[begins : begins + SECTOR].ljust(SECTOR, b"\0") for version in (content, synced, newest)
        )
        if lacks and found != before:
            return True
        lacks |= found != after
    return False
