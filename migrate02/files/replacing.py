"""Puts results in the place of files: written aside, with the rights of the original, synced, compared, swapped in.

A backup is never overwritten, a half-written file is never seen under its final name, and the files of one node change
together or not at all, whatever fails or stops in between.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from migrate02.files.aside import write_aside, written_aside
from migrate02.files.changes import Change, Job, jobs_of
from migrate02.files.folders import Folders
from migrate02.files.looking import CHANGED, READ
from migrate02.files.originals import Keeper, keep_original
from migrate02.files.reading import reason
from migrate02.files.rights import obstacle, refuse_stuck, rights_of
from migrate02.files.stopping import Check, Stopped
from migrate02.files.swapping import by_node, drop, swap

MANY = 8
"""From so many files on, one sync of everything costs less than one for each."""

STOPPED = "not written: stopped before"

Report = Callable[[str], None]
"""Takes one line for a person."""


class Replaced(NamedTuple):
    """What became of one file: ``backup`` is where the original is, empty when nothing was changed; ``error`` is set
    when something is not as it should be."""

    path: str
    backup: str = ""
    error: str = ""
    note: str = ""


def replace_all(
    changes: Iterable[Change],
    keepers: Sequence[Keeper] = (),
    check: Check = lambda: None,
    report: Report = lambda _: None,
) -> list[Replaced]:
    """Make the changes, keeping owner, mode and extended attributes. What becomes of each, in their order.

    The original stays beside its file, or with the first keeper that covers it. All are written aside first and reach
    the disk before the first is swapped in, so a crash leaves every file either as it was or as it should be. Two
    paths of one file are written once. ``check`` is called between the nodes: when it raises Stopped the rest is left.
    """
    with Folders() as folders:
        return _Replacement(list(changes), keepers, folders, report).run(check)


class _Replacement:
    def __init__(
        self, changes: Sequence[Change], keepers: Sequence[Keeper], folders: Folders, report: Report
    ) -> None:
        self._folders = folders
        self._keepers = keepers
        self._report = report
        self._job_of = jobs_of(changes)
        self._jobs = list(dict.fromkeys(self._job_of.values()))
        self._nodes = by_node(self._jobs)
        self._kept: dict[Keeper, list[Job]] = {}

    def run(self, check: Check) -> list[Replaced]:
        try:
            self._sort_to_keepers()
            self._prepare(check)
            for node in self._nodes:
                if not node.failed:
                    check()
                    swap(self._folders, node)
        except Stopped:
            pass
        finally:
            self._clear()
        return [_outcome(path, job) for path, job in self._job_of.items()]

    def _sort_to_keepers(self) -> None:
        taken: set[Job] = set()
        for keeper in self._keepers:
            jobs = [job for job in self._jobs if job not in taken and keeper.covers(job.real)]
            if not jobs:
                continue
            try:
                keeper.begin(jobs, self._folders)
            except OSError as error:
                for job in jobs:
                    job.error = f"no backup: {reason(error)}"
            else:
                self._kept[keeper] = jobs
                taken.update(jobs)

    def _prepare(self, check: Check) -> None:
        """Write everything aside, keep the originals, and see that both are on the disk."""
        looked_at: set[str] = set()
        sync = len(self._jobs) < MANY and not self._kept
        keeper_of = {job: keeper for keeper, jobs in self._kept.items() for job in jobs}
        for node in self._nodes:
            for job in node.jobs:
                if node.failed:
                    break
                check()
                self._folders.rest()
                try:
                    if job.folder not in looked_at:
                        looked_at.add(job.folder)
                        self._look_at(job.folder)
                    self._write_aside(job, sync=sync)
                    keep_original(self._folders, job, keeper_of.get(job))
                except OSError as error:
                    job.error = reason(error)
            if node.failed:
                drop(self._folders, node)
        if sync:
            self._sync_backups()
        else:
            os.sync()

    def _look_at(self, folder: str) -> None:
        """Whether names in a directory can change, and what a run that was cut short has left there."""
        descriptor = self._folders.at(folder)
        refuse_stuck(descriptor, folder)
        for name in written_aside(descriptor):
            path = os.path.join(folder, name)
            self._report(f"{path}: left by another run; unless it is still at work, it can be removed")

    def _write_aside(self, job: Job, *, sync: bool) -> None:
        folder = self._folders.at(job.folder)
        try:
            descriptor = os.open(job.name, READ, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, CHANGED) from None
            raise
        try:
            job.rights = rights_of(descriptor)
            if not stat.S_ISREG(job.rights.state.st_mode):
                raise OSError(errno.EINVAL, CHANGED)
            refusal = obstacle(descriptor, job.rights)
        finally:
            os.close(descriptor)
        if refusal:
            raise OSError(errno.EPERM, refusal)
        job.temporary = write_aside(folder, job.name, job.after, job.rights, sync=sync)

    def _sync_backups(self) -> None:
        for folder in dict.fromkeys(job.folder for job in self._jobs if job.backup):
            try:
                self._folders.sync(folder)
            except OSError as error:
                for job in self._jobs:
                    job.error = job.error or (reason(error) if job.folder == folder else "")

    def _clear(self) -> None:
        """At the end, whatever it was: nothing is left of what was not written, and what was written lasts."""
        for node in self._nodes:
            self._folders.rest()
            if not node.swapped:
                drop(self._folders, node)
        for folder in sorted({job.folder for job in self._jobs if job.swapped}):
            self._folders.rest()
            try:
                self._folders.sync(folder)
            except OSError as error:
                for job in self._jobs:
                    if job.folder == folder and job.swapped:
                        job.error = f"it was written, and may be lost in a power cut: {reason(error)}"
        for keeper, jobs in self._kept.items():
            problem = keeper.finish([job for job in jobs if job.swapped])
            if problem:
                self._report(problem)


def _outcome(path: str, job: Job) -> Replaced:
    if not job.swapped:
        return Replaced(path, error=job.error or STOPPED)
    others = job.rights.state.st_nlink - 1 if job.rights is not None else 0
    names = "another name" if others == 1 else f"{others} other names"
    note = f"it had {names} (hard links), where the original stays" if others else ""
    return Replaced(path, job.backup, job.error, note)
