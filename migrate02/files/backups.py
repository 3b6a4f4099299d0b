"""Keeps what is about to be replaced in one folder of its tree, with a manifest, so that ``undo`` can put it back.

The manifest is there before the first file is touched, every original before the first file is replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence

from migrate02.files.aside import write_new
from migrate02.files.changes import Job
from migrate02.files.folders import Folders, is_there, unlink
from migrate02.files.manifests import Manifest, ManifestEntry, backup_of
from migrate02.files.numbered import new_folder, refuse_unfinished, remove_folder, write_manifest
from migrate02.files.reading import FOLDER, reason
from migrate02.files.rights import refuse_stuck


class TreeKeeper:
    """Keeps originals below ``tree/.migrate02/NUMBER``, under the names that they have in the tree."""

    def __init__(self, tree: str) -> None:
        self.tree = os.path.realpath(tree)
        self.folder = ""
        self._parent = os.path.join(self.tree, FOLDER)
        self._is_new = False
        self._entries: dict[Job, ManifestEntry] = {}
        self._made: set[str] = set()

    def covers(self, real: str) -> bool:
        """Whether a file is the tree's, and not one of its backups."""
        below = os.path.join(self.tree, "")
        return real.startswith(below) and not (FOLDER in real and FOLDER in real[len(below) :].split(os.sep))

    def begin(self, jobs: Sequence[Job], folders: Folders) -> None:
        """Take the tree for this run, and write down which files it is going to replace.

        Raises OSError, and then nothing is there that was not before: also when another run is at work, or one was
        cut short in the middle.
        """
        self._folders = folders
        self._entries = dict(zip(jobs, _entries(self.tree, jobs), strict=True))
        try:
            refuse_stuck(folders.at(self.tree), self.tree)
            is_new = not is_there(folders.at(self.tree), FOLDER)
            descriptor = folders.make(self._parent)
            folders.lock(self._parent)
            self._is_new = is_new
            refuse_unfinished(folders, self.tree)
            if not is_there(descriptor, ".gitignore"):  # backups are kept out of version control
                write_new(descriptor, ".gitignore", b"*\n", None, sync=False)
            self.folder = new_folder(folders, self._parent)
            write_manifest(folders, self.folder, Manifest([*self._entries.values()], finished=False))
            folders.sync(self._parent)
            folders.sync(self.tree)
        except BaseException:
            self._remove()
            raise

    def path_for(self, job: Job) -> str:
        backup = f"{self.folder}/{self._entries[job].backup}"
        folder = os.path.dirname(backup)
        if folder not in self._made:
            self._folders.make_below(self.folder, folder)
            self._made.add(folder)
        return backup

    def finish(self, written: Sequence[Job]) -> str:
        if not written:
            self._remove()
            return ""
        try:
            manifest = Manifest([self._entries[job] for job in written], finished=True)
            write_manifest(self._folders, self.folder, manifest)
        except OSError as error:
            return f"{self.folder}: it cannot be marked as finished: {reason(error)}; migrate02 undo takes it as it is"
        return ""

    def _remove(self) -> None:
        """What this run has made: nothing is to be put back with it."""
        if self.folder:
            remove_folder(self._folders, self.folder)
            self.folder = ""
        if self._is_new:
            unlink(self._folders.at(self._parent), ".gitignore")
            with contextlib.suppress(OSError):
                os.rmdir(FOLDER, dir_fd=self._folders.at(self.tree))
            self._folders.forget(self._parent)


def _entries(tree: str, jobs: Sequence[Job]) -> list[ManifestEntry]:
    numbers: dict[str, int] = {}
    below = len(os.path.join(tree, ""))
    return [
        ManifestEntry(
            backup_of(job.real[below:]),
            len(job.before),
            hashlib.sha256(job.after).hexdigest(),
            hashlib.sha256(job.before).hexdigest(),
            numbers.setdefault(job.node, len(numbers)),
        )
        for job in jobs
    ]
