"""Swaps the results of one node into the place of its files: all or none, whatever fails or stops in between."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from migrate02.files.aside import move
from migrate02.files.changes import Job
from migrate02.files.folders import Folders, state_of
from migrate02.files.looking import CHANGED, READ, is_same
from migrate02.files.reading import reason


@dataclass(slots=True)
class NodeJobs:
    """The files of one node, which change together."""

    jobs: list[Job] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(job.error for job in self.jobs)

    @property
    def swapped(self) -> bool:
        return any(job.swapped for job in self.jobs)


def by_node(jobs: Sequence[Job]) -> list[NodeJobs]:
    nodes: dict[str, NodeJobs] = {}
    for job in jobs:
        nodes.setdefault(job.node, NodeJobs()).jobs.append(job)
    return list(nodes.values())


def swap(folders: Folders, node: NodeJobs) -> None:
    """Swap in what was written aside. A failure stays in the jobs' ``error``; a signal goes on, and then too all is as
    it was."""
    try:
        for job in node.jobs:
            _compare(folders, job)
        for job in node.jobs:
            if job is not node.jobs[0]:  # the others have taken their time
                _compare(folders, job)
            folder = folders.at(job.folder)
            job.swapped = True  # when an interrupt comes with the rename, it is taken back
            os.replace(job.temporary, job.name, src_dir_fd=folder, dst_dir_fd=folder)
            job.temporary = ""
    except OSError as error:
        job.error = reason(error)
        _take_back(folders, node)
    except BaseException:
        _take_back(folders, node)
        raise


def _compare(folders: Folders, job: Job) -> None:
    """Whether the file is what was read: the same one, with the same rights and the same bytes."""
    assert job.seen is not None
    assert job.rights is not None
    try:
        descriptor = os.open(job.name, READ, dir_fd=folders.at(job.folder))
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


def _take_back(folders: Folders, node: NodeJobs) -> None:
    for job in node.jobs:
        if not job.swapped:
            continue
        try:
            if _is_ours(folders, job):
                move(folders, job.backup, job.real)
                job.backup = ""
        except OSError as error:
            job.error = f"it was written, and cannot be taken back: {reason(error)}"
            continue
        job.swapped = False
    drop(folders, node)


def _is_ours(folders: Folders, job: Job) -> bool:
    """Whether the rename took place: the name is not the original's any more."""
    state = state_of(folders.at(job.folder), job.name)
    assert job.seen is not None
    return state is None or (state.st_dev, state.st_ino) != (job.seen.st_dev, job.seen.st_ino)


def drop(folders: Folders, node: NodeJobs) -> None:
    """Remove what was made for a node that stays as it is; where one of its files failed, the others say so."""
    failed = next((job for job in node.jobs if job.error), None)
    for job in node.jobs:
        if failed is not None:
            job.error = job.error or f"it changes together with {failed.path}, which cannot be written"
        aside = os.path.join(job.folder, job.temporary) if job.temporary else ""
        for path in (aside, job.backup if not job.swapped else ""):
            if path:
                folders.remove(path)
        job.temporary = ""
        job.backup = job.backup if job.swapped else ""
