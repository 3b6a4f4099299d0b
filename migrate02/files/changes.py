"""What is to become of which files, and the real files behind the paths that they were called by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migrate02.convert.groups import Groups
from migrate02.files.rights import Rights


class Change(NamedTuple):
    """What becomes of a file that somebody called ``path``. Changes with the same ``node`` are made together; ``tree``
    is the directory that it was found in, empty for a file that was named by itself."""

    path: str
    before: bytes
    after: bytes
    node: str = ""
    tree: str = ""


@dataclass(slots=True, eq=False)
class Job:
    """A file on its way. ``folder`` is the real path of its directory; ``seen`` is what the name has to be of until
    it is swapped; ``temporary`` is a name beside it, ``backup`` a path, as long as we have made them."""

    path: str
    folder: str
    name: str
    before: bytes
    after: bytes
    node: str
    temporary: str = ""
    backup: str = ""
    rights: Rights | None = None
    seen: os.stat_result | None = None
    error: str = ""
    swapped: bool = False

    @property
    def real(self) -> str:
        return os.path.join(self.folder, self.name)


def jobs_of(changes: Sequence[Change]) -> dict[str, Job]:
    """The jobs by the names that the files were called. Two paths of one file are one job, and join their nodes."""
    real_folders = _RealFolders()
    nodes = Groups[str]()
    by_real: dict[str, Job] = {}
    jobs: dict[str, Job] = {}
    for change in changes:
        folder, name = real_folders.of(change)
        node = change.node or change.path
        job = by_real.setdefault(
            os.path.join(folder, name),
            Job(change.path, folder, name, change.before, change.after, node),
        )
        nodes.join([job.node, node])
        jobs[change.path] = job
    for job in by_real.values():
        job.node = nodes.leader(job.node)
    return jobs


class _RealFolders:
    """Directories are looked at once each: many files share them."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def of(self, change: Change) -> tuple[str, str]:
        """The real directory of a file, and its name there."""
        folder, name = os.path.split(change.path)
        if change.tree:  # as it was found, without a link on the way
            below = folder[len(os.path.join(change.tree, "")) :]
            real = self._of_folder(change.tree)
            return (os.path.join(real, below) if below else real), name
        folder = self._of_folder(folder)
        path = os.path.join(folder, name)
        return os.path.split(os.path.realpath(path)) if os.path.islink(path) else (folder, name)

    def _of_folder(self, folder: str) -> str:
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        return self._real[folder]
