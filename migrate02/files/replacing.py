"""Puts results in the place of files: written aside, with the rights of the original, synced, compared, swapped in.

A backup is never overwritten, a half-written file is never seen under its final name, and the files of one node change
together or not at all, whatever fails or stops in between.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Protocol

from migrate02.files.folders import Folders, state_of, unlink
from migrate02.files.reading import FOLDER, reason
from migrate02.files.rights import Rights, give, obstacle, refuse_stuck, rights_of
from migrate02.files.stopping import Check, Stopped

MANY = 8
"""From so many files on, one sync of everything costs less than one for each."""

LEFTOVER = re.compile(r"\A\.(.+)\.migrate02-(\d+)\Z", re.DOTALL)
"""What is written aside, by the name of its file and a number. Nothing is lost with it."""

STOPPED = "not written: stopped before"
CHANGED = "it was changed after it was read; run this again"

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Tell = Callable[[str], None]


class Change(NamedTuple):
    """What becomes of a file that somebody called ``path``. Changes with the same ``node`` are made together; ``trees``
    has the directory that it was found in, empty for a file that was named by itself."""

    path: str
    before: bytes
    after: bytes
    node: str = ""
    tree: str = ""


class Replaced(NamedTuple):
    """What became of one file: ``backup`` is where the original is, empty when nothing was changed; ``error`` is set
    when something is not as it should be."""

    path: str
    backup: str = ""
    error: str = ""
    note: str = ""


@dataclass(slots=True, eq=False)
class Job:
    """A file on its way. ``folder`` is the real path of its directory; ``seen`` is what the name has to be of until
    it is swapped; ``temporary`` is a name beside it, ``backup`` a path, as long as we have made them."""

    path: str
    folder: str
    name: str
    real: str
    before: bytes
    after: bytes
    node: str
    temporary: str = ""
    backup: str = ""
    rights: Rights | None = None
    seen: os.stat_result | None = None
    error: str = ""
    swapped: bool = False


class Keeper(Protocol):
    """Keeps originals somewhere else than beside them."""

    def covers(self, real: str) -> bool: ...

    def begin(self, jobs: Sequence[Job], folders: Folders) -> None:
        """Make room for these, with a word on each that lasts. Raises OSError, and then nothing is there."""

    def place(self, job: Job) -> str:
        """The path of its backup; the directory is made."""

    def finish(self, written: Sequence[Job]) -> str:
        """Keep only these from now on. What went wrong with that, or ``""``."""


def replace_all(
    changes: Iterable[Change],
    keepers: Sequence[Keeper] = (),
    check: Check = lambda: None,
    tell: Tell = lambda _: None,
) -> list[Replaced]:
    """Make the changes, keeping owner, mode and extended attributes. What becomes of each, in their order.

    The original stays beside its file, or with the first keeper that covers it. All are written aside first and reach
    the disk before the first is swapped in, so a crash leaves every file either as it was or as it should be. Two
    paths of one file are written once. ``check`` is called between the nodes: when it raises Stopped the rest is left.
    """
    with Folders() as folders:
        return _Replacement(list(changes), keepers, folders, tell).run(check)


@dataclass(slots=True)
class _Group:
    jobs: list[Job] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(job.error for job in self.jobs)

    def leave(self) -> None:
        """The others stay as they are, with the one that cannot be written."""
        first = next(job for job in self.jobs if job.error)
        for job in self.jobs:
            job.error = job.error or f"it changes together with {first.path}, which cannot be written"


class _Replacement:
    def __init__(
        self, changes: Sequence[Change], keepers: Sequence[Keeper], folders: Folders, tell: Tell
    ) -> None:
        self._folders = folders
        self._keepers = keepers
        self._tell = tell
        self._paths = [change.path for change in changes]
        self._job_of = _jobs(changes)
        self._jobs = list(dict.fromkeys(self._job_of.values()))
        self._groups = _groups(self._jobs)
        self._kept: dict[Keeper, list[Job]] = {}

    def run(self, check: Check) -> list[Replaced]:
        try:
            self._prepare(check)
            for group in self._groups:
                if not group.failed:
                    check()
                    self._swap(group)
        except Stopped:
            pass
        finally:
            self._clear()
        return [self._outcome(path, job) for path, job in self._job_of.items()]

    def _prepare(self, check: Check) -> None:
        self._sort_to_keepers()
        looked_at: set[str] = set()
        sync = len(self._jobs) < MANY and not self._kept
        keeper_of = {job: keeper for keeper, jobs in self._kept.items() for job in jobs}
        for group in self._groups:
            for job in group.jobs:
                if group.failed:
                    break
                check()
                self._folders.rest()
                try:
                    if job.folder not in looked_at:
                        looked_at.add(job.folder)
                        self._look_at(job.folder)
                    self._write_aside(job, sync=sync)
                    self._keep(job, keeper_of.get(job))
                except OSError as error:
                    job.error = reason(error)
            if group.failed:
                self._drop(group)
        if sync:
            self._sync_backups()
        else:
            os.sync()

    def _sync_backups(self) -> None:
        for folder in dict.fromkeys(job.folder for job in self._jobs if job.backup):
            try:
                self._folders.sync(folder)
            except OSError as error:
                for job in self._jobs:
                    job.error = job.error or (reason(error) if job.folder == folder else "")

    def _sort_to_keepers(self) -> None:
        for keeper in self._keepers:
            taken = {job for jobs in self._kept.values() for job in jobs}
            jobs = [job for job in self._jobs if job not in taken and keeper.covers(job.real)]
            if not jobs:
                continue
            self._kept[keeper] = jobs
            try:
                keeper.begin(jobs, self._folders)
            except OSError as error:
                del self._kept[keeper]
                for job in jobs:
                    job.error = f"no backup: {reason(error)}"

    def _look_at(self, folder: str) -> None:
        """Whether names in a directory can change, and what a run that was cut short has left there."""
        descriptor = self._folders.at(folder)
        refuse_stuck(descriptor, folder)
        for name in leftovers(descriptor):
            self._tell(
                f"{os.path.join(folder, name)}: left by another run; unless it is still at work, it can be removed"
            )

    def _write_aside(self, job: Job, *, sync: bool) -> None:
        folder = self._folders.at(job.folder)
        try:
            descriptor = os.open(job.name, _READ, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, CHANGED) from None
            raise
        try:
            job.rights = rights_of(descriptor)
            if not stat.S_ISREG(job.rights.state.st_mode):
                raise OSError(errno.EINVAL, CHANGED)
            trouble = obstacle(descriptor, job.rights)
        finally:
            os.close(descriptor)
        if trouble:
            raise OSError(errno.EPERM, trouble)
        job.temporary = write_aside(folder, job.name, job.after, job.rights, sync=sync)

    def _keep(self, job: Job, keeper: Keeper | None) -> None:
        """Give the original a second name: the keeper's, or the first that is free, NAME.0.4, NAME.0.4.1, ..."""
        for backup in [keeper.place(job)] if keeper is not None else _backup_names(job.real):
            try:
                self._second_name(job, backup)
            except FileExistsError:
                if keeper is None:
                    continue
                raise
            return

    def _second_name(self, job: Job, backup: str) -> None:
        assert job.rights is not None
        there, name = os.path.split(backup)
        folder = self._folders.at(there)
        try:
            link(self._folders.at(job.folder), job.name, folder, name)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links, another one, or a file that is not ours to link
            write_new(folder, name, job.before, job.rights, sync=True, times=True)
            job.backup, job.seen = backup, job.rights.state
            return
        job.backup = backup
        job.seen = os.stat(name, dir_fd=folder, follow_symlinks=False)  # the link has changed its ctime
        if (job.seen.st_ino, job.seen.st_dev) != (job.rights.state.st_ino, job.rights.state.st_dev):
            raise OSError(errno.ESTALE, CHANGED)

    def _swap(self, group: _Group) -> None:
        """All of a node, or none."""
        try:
            for job in group.jobs:
                self._compare(job)
            for job in group.jobs:
                if job is not group.jobs[0]:  # the others have taken their time
                    self._compare(job)
                folder = self._folders.at(job.folder)
                job.swapped = True  # when an interrupt comes with the rename, it is taken back
                os.replace(job.temporary, job.name, src_dir_fd=folder, dst_dir_fd=folder)
                job.temporary = ""
        except BaseException as error:
            if isinstance(error, OSError):
                job.error = reason(error)
            self._take_back(group)
            if not isinstance(error, OSError):
                raise

    def _compare(self, job: Job) -> None:
        """Whether the file is what was read: the same one, with the same rights and the same bytes."""
        assert job.seen is not None
        assert job.rights is not None
        try:
            descriptor = os.open(job.name, _READ, dir_fd=self._folders.at(job.folder))
        except OSError as error:
            raise OSError(error.errno, CHANGED) from None
        try:
            shared = job.rights.state.st_nlink > 1  # another name of it may have been swapped just now
            same = is_same(os.fstat(descriptor), job.seen, but_ctime=shared)
            same = same and os.read(descriptor, len(job.before) + 1) == job.before
        finally:
            os.close(descriptor)
        if not same:
            raise OSError(errno.ESTALE, CHANGED)

    def _take_back(self, group: _Group) -> None:
        for job in group.jobs:
            if not job.swapped:
                continue
            try:
                if self._is_ours(job):
                    move(self._folders, job.backup, job.real)
                    job.backup = ""
            except OSError as error:
                job.error = f"it was written, and cannot be taken back: {reason(error)}"
                continue
            job.swapped = False
        self._drop(group)

    def _is_ours(self, job: Job) -> bool:
        """Whether the rename took place: the name is not the original's any more."""
        state = state_of(self._folders.at(job.folder), job.name)
        assert job.seen is not None
        return state is None or (state.st_dev, state.st_ino) != (job.seen.st_dev, job.seen.st_ino)

    def _drop(self, group: _Group) -> None:
        """What was made for a node that stays as it is."""
        if group.failed:
            group.leave()
        for job in group.jobs:
            aside = os.path.join(job.folder, job.temporary) if job.temporary else ""
            for path in (aside, job.backup if not job.swapped else ""):
                if path:
                    remove(self._folders, path)
            job.temporary = ""
            job.backup = job.backup if job.swapped else ""

    def _clear(self) -> None:
        """At the end, whatever it was: nothing is left of what was not written, and what was written lasts."""
        for group in self._groups:
            self._folders.rest()
            if not any(job.swapped for job in group.jobs):
                self._drop(group)
        for folder in sorted({job.folder for job in self._jobs if job.swapped}):
            self._folders.rest()
            try:
                self._folders.sync(folder)
            except OSError as error:
                for job in self._jobs:
                    if job.folder == folder and job.swapped:
                        job.error = f"it was written, and may be lost in a power cut: {reason(error)}"
        for keeper, jobs in self._kept.items():
            trouble = keeper.finish([job for job in jobs if job.swapped])
            if trouble:
                self._tell(trouble)

    def _outcome(self, path: str, job: Job) -> Replaced:
        if job.swapped:
            others = job.rights.state.st_nlink - 1 if job.rights is not None else 0
            names = "another name" if others == 1 else f"{others} other names"
            note = f"it had {names} (hard links), where the original stays" if others else ""
            return Replaced(path, job.backup, job.error, note)
        return Replaced(path, error=job.error or STOPPED)


def _jobs(changes: Sequence[Change]) -> dict[str, Job]:
    """By the names that the files were called. Directories are looked at once each: many files share them."""
    real_of: dict[str, str] = {}
    by_place: dict[str, Job] = {}
    jobs = {}
    joined: dict[str, str] = {}

    def first_of(node: str) -> str:
        while node in joined:
            node = joined[node]
        return node

    for path, before, after, node, tree in changes:
        folder, name = os.path.split(path)
        if tree:  # as it was found, without a link on the way
            if tree not in real_of:
                real_of[tree] = os.path.realpath(tree)
            below = folder[len(os.path.join(tree, "")) :]
            folder = os.path.join(real_of[tree], below) if below else real_of[tree]
        else:
            if folder not in real_of:
                real_of[folder] = os.path.realpath(folder)
            folder = real_of[folder]
            if os.path.islink(os.path.join(folder, name)):
                folder, name = os.path.split(os.path.realpath(os.path.join(folder, name)))
        real = os.path.join(folder, name)
        job = by_place.get(real)
        if job is None:
            job = by_place[real] = Job(path, folder, name, real, before, after, node or path)
        elif first_of(job.node) != first_of(node or path):  # two paths of one file, in two nodes
            joined[first_of(node or path)] = first_of(job.node)
        jobs[path] = job
    for job in by_place.values() if joined else ():
        job.node = first_of(job.node)
    return jobs


def _groups(jobs: Sequence[Job]) -> list[_Group]:
    groups: dict[str, _Group] = {}
    for job in jobs:
        groups.setdefault(job.node, _Group()).jobs.append(job)
    return list(groups.values())


def _backup_names(path: str) -> Iterator[str]:
    yield f"{path}.0.4"
    number = 1
    while True:
        yield f"{path}.0.4.{number}"
        number += 1


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
    """Write what is to take a file's place; under which name."""
    for number in count(os.getpid()):
        temporary = f".{name}.migrate02-{number}"
        try:
            write_new(folder, temporary, data, rights, sync=sync, times=times)
        except FileExistsError:  # left by a run that was cut short, of a process with our number
            continue
        return temporary
    raise AssertionError("an endless list ended")


def link(folder: int, name: str, other: int, second: str) -> None:
    os.link(name, second, src_dir_fd=folder, dst_dir_fd=other, follow_symlinks=False)


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
    descriptor = os.open(name, _READ, dir_fd=old)
    try:
        rights = rights_of(descriptor)
        data = b"".join(iter(lambda: os.read(descriptor, 1 << 20), b""))
    finally:
        os.close(descriptor)
    temporary = write_aside(new, final, data, rights, sync=True, times=True)
    try:
        os.rename(temporary, final, src_dir_fd=new, dst_dir_fd=new)
    except BaseException:
        unlink(new, temporary)
        raise


def leftovers(folder: int) -> list[str]:
    """What runs that were cut short have written aside in a directory."""
    try:
        names = os.listdir(folder)
    except OSError:  # it may be entered, but not read
        return []
    return [name for name in names if LEFTOVER.match(name)]


def remove(folders: Folders, path: str) -> None:
    """Without a word when it cannot be: what made us do it is reported."""
    there, name = os.path.split(path)
    try:
        os.unlink(name, dir_fd=folders.at(there))
    except OSError:
        return


def is_below(real: str, tree: str) -> bool:
    """Whether a file is a tree's, and not one of its backups."""
    below = os.path.join(tree, "")
    return real.startswith(below) and not (FOLDER in real and FOLDER in real[len(below) :].split(os.sep))


__all__ = [
    "Change",
    "Job",
    "Keeper",
    "Replaced",
    "is_below",
    "is_same",
    "leftovers",
    "link",
    "move",
    "replace_all",
    "write_new",
]
