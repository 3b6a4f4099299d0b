"""Keeps the originals of files that are about to be replaced. A backup is never overwritten."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Protocol

from migrate02.files.aside import write_new
from migrate02.files.changes import Job
from migrate02.files.folders import Folders
from migrate02.files.looking import CHANGED


class Keeper(Protocol):
    """Keeps originals somewhere else than beside them."""

    def covers(self, real: str) -> bool: ...

    def begin(self, jobs: Sequence[Job], folders: Folders) -> None:
        """Get ready for these, with a word on each that lasts. Raises OSError, and then nothing is there."""

    def path_for(self, job: Job) -> str:
        """The path of its backup; the directory is made."""

    def finish(self, written: Sequence[Job]) -> str:
        """Keep only these from now on. What went wrong with that, or ``""``."""


def keep_original(folders: Folders, job: Job, keeper: Keeper | None) -> None:
    """Give the original a second name: the keeper's, or the first that is free, NAME.0.4, NAME.0.4.1, ..."""
    if keeper is not None:
        _give_second_name(folders, job, keeper.path_for(job))
        return
    for backup in names_beside(job.real):
        try:
            _give_second_name(folders, job, backup)
        except FileExistsError:
            continue
        return


def names_beside(path: str) -> Iterator[str]:
    """What originals of a file are called beside it, the oldest first; without end."""
    yield f"{path}.0.4"
    for number in count(1):
        yield f"{path}.0.4.{number}"


def _give_second_name(folders: Folders, job: Job, backup: str) -> None:
    assert job.rights is not None
    there, name = os.path.split(backup)
    folder = folders.at(there)
    try:
        os.link(job.name, name, src_dir_fd=folders.at(job.folder), dst_dir_fd=folder, follow_symlinks=False)
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
