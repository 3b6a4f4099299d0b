"""Puts the newest backup of a tree back. That loses nothing either: a file that was changed since is left as it is,
and reported.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate02.files.aside import move
from migrate02.files.folders import Folders, is_there, state_of
from migrate02.files.looking import FileState, is_still, look_at
from migrate02.files.manifests import MANIFEST, BackupError, ManifestEntry
from migrate02.files.numbered import has_nothing, newest, read_manifest, remove_asides, remove_folder
from migrate02.files.reading import FOLDER, reason
from migrate02.files.stopping import Check, Stopped


class Undone(NamedTuple):
    """What came of one file: put back, already as it was, or left for the reason in ``error``."""

    path: str
    was_changed: bool
    error: str = ""
    note: str = ""


NOT_REACHED = "not changed: stopped before"


def undo(tree: str, *, force: bool = False, check: Check = lambda: None) -> list[Undone]:
    """Put every file of the newest backup of a tree back as it was, bytes, owner, mode, attributes and times. The files
    of one node go back together or not at all. Raises BackupError, and then nothing is put back.

    A file that was changed since is left, with its node; with ``force`` it goes back too, and what it was is kept in
    the backup's folder, below ``changed``. When all are back the folder is renamed to NUMBER.undone, so that the one
    before it is the newest. ``check`` is called between the nodes: when it raises Stopped the rest is left.
    """
    with Folders() as folders:
        parent = os.path.join(tree, FOLDER)
        try:
            folders.lock(parent)
            return _undo_newest(tree, parent, folders, check, force=force)
        except BackupError:
            raise
        except BlockingIOError as error:
            raise BackupError(reason(error)) from None
        except FileNotFoundError:
            raise BackupError(f"{tree}: nothing was written there with convert --write {tree}") from None
        except OSError as error:
            raise BackupError(f"{parent}: {reason(error)}") from None


def tree_above(path: str) -> str:
    """The directory with a backup that a file is below; empty where there is none."""
    folder = os.path.dirname(os.path.realpath(path))
    while not os.path.isdir(os.path.join(folder, FOLDER)):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    return folder


def _undo_newest(tree: str, parent: str, folders: Folders, check: Check, *, force: bool) -> list[Undone]:
    folder = newest(folders, parent)
    if not folder:
        raise BackupError(f"{parent}: no backup is left there")
    if has_nothing(folders, folder):
        remove_folder(folders, folder)
        return []
    manifest = read_manifest(folders, folder)
    undoing = _Undoing(tree, folder, folders, force=force)
    undoing.refuse_elsewhere(manifest.entries)
    if not manifest.finished:
        remove_asides(folders, tree, manifest.entries)
    outcomes = undoing.put_back(manifest.entries, check)
    undoing.sync(outcomes.values())
    if len(outcomes) == len(manifest.entries) and not any(item.error for item in outcomes.values()):
        put_away = _put_away(folders, folder)
        outcomes = {
            entry: item._replace(note=item.note.replace(folder, put_away)) for entry, item in outcomes.items()
        }
    return [outcomes.get(entry, Undone(entry.path, False, NOT_REACHED)) for entry in manifest.entries]


class _Undoing:
    """Puts files of ``tree`` back from ``folder``."""

    def __init__(self, tree: str, folder: str, folders: Folders, *, force: bool) -> None:
        self._tree = tree
        self._folder = folder
        self._folders = folders
        self._force = force

    def refuse_elsewhere(self, entries: Iterable[ManifestEntry]) -> None:
        """A link, a directory or a device where a file should be, or a link on the way: nothing is put back."""
        for number, entry in enumerate(entries, 1):
            self._folders.rest()
            refusals = map(self._no_file, (self._target(entry), self._backup(entry)))
            if refusal := next(filter(None, refusals), ""):
                where = f"{os.path.join(self._folder, MANIFEST)}: entry {number}, {entry.backup!r}"
                raise BackupError(f"{where}: {refusal}: nothing is put back")

    def _no_file(self, path: str) -> str:
        """Why it cannot be a file of the tree, or ``""``. One that is gone is reported later, with its node."""
        there, name = os.path.split(path)
        try:
            state = state_of(self._folders.at(there), name)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return reason(error)
        is_other = state is not None and not stat.S_ISREG(state.st_mode)
        return f"{path} is a link, or no regular file" if is_other else ""

    def put_back(self, entries: Iterable[ManifestEntry], check: Check) -> dict[ManifestEntry, Undone]:
        """What came of every file until it was stopped."""
        outcomes: dict[ManifestEntry, Undone] = {}
        for node in _by_node(entries):
            try:
                check()
            except Stopped:
                break
            self._folders.rest()
            outcomes |= zip(node, self._put_back_node(node), strict=True)
        return outcomes

    def _put_back_node(self, entries: Sequence[ManifestEntry]) -> list[Undone]:
        judged = [self._judged(entry) for entry in entries]
        outcomes = [outcome for outcome, _ in judged]
        failed = next((item for item in outcomes if item.error), None)
        if failed is not None:
            with_it = f"not changed: it goes back together with {failed.path}, which cannot"
            return [
                item if item.error or not item.was_changed else Undone(item.path, False, with_it)
                for item in outcomes
            ]
        return [
            self._swapped(entry, seen) if outcome.was_changed else outcome
            for entry, (outcome, seen) in zip(entries, judged, strict=True)
        ]

    def _judged(self, entry: ManifestEntry) -> tuple[Undone, FileState | None]:
        """What is to come of a file, and what it is now."""
        target = None
        try:
            target = look_at(self._folders, self._target(entry))
            kept = look_at(self._folders, self._backup(entry))
        except OSError as error:
            return Undone(entry.path, False, reason(error)), target
        if target is not None and target.digest == entry.original:
            return Undone(entry.path, False), target
        refusal = self._refusal(entry, target, kept)
        # A manifest of version 1 does not say what the original was.
        is_back = target is not None and kept is not None and target.digest == kept.digest
        return Undone(entry.path, not refusal and not is_back, refusal), target

    def _refusal(self, entry: ManifestEntry, target: FileState | None, kept: FileState | None) -> str:
        """Why a file cannot go back, or ``""``."""
        backup = self._backup(entry)
        if kept is None or kept.state.st_size != entry.size or kept.digest != (entry.original or kept.digest):
            return f"its backup {backup} is gone or damaged"
        if target is None or target.digest in (kept.digest, entry.written) or self._force:
            return ""
        return (
            f"changed since it was converted; the original is {backup} (undo --force puts it back, and keeps what it "
            "is now)"
        )

    def _swapped(self, entry: ManifestEntry, seen: FileState | None) -> Undone:
        """Puts a file back, unless it is another one by now."""
        path = self._target(entry)
        try:
            if not is_still(look_at(self._folders, path), seen):
                raise BackupError("it is being changed; undo it again")
            kept = self._keep_changed(entry) if seen is not None and seen.digest != entry.written else ""
            # What is in its place again is known by the digest of the original, which version 1 does not have.
            move(self._folders, self._backup(entry), path, keep=not entry.original)
        except OSError as error:
            return Undone(entry.path, False, reason(error))
        return Undone(entry.path, True, note=f"what it was is {kept}" if kept else "")

    def _keep_changed(self, entry: ManifestEntry) -> str:
        """A second name for what a person has made of a file."""
        above, target = os.path.split(self._target(entry))
        kept = os.path.join(self._folder, "changed", entry.path)
        while True:
            there, name = os.path.split(kept)
            self._folders.make_below(self._folder, there)
            new, old = self._folders.at(there), self._folders.at(above)
            try:
                os.link(target, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
            except FileExistsError:
                kept += ".again"
                continue
            return kept

    def _target(self, entry: ManifestEntry) -> str:
        return os.path.join(self._tree, entry.path)

    def _backup(self, entry: ManifestEntry) -> str:
        return os.path.join(self._folder, entry.backup)

    def sync(self, outcomes: Iterable[Undone]) -> None:
        changed = {
            os.path.dirname(os.path.join(self._tree, item.path)) for item in outcomes if item.was_changed
        }
        for folder in sorted(changed):
            self._folders.rest()
            self._folders.sync(folder)


def _put_away(folders: Folders, folder: str) -> str:
    """Give a backup that is back a name that ``newest`` does not find; which one."""
    parent, number = os.path.split(folder)
    above = folders.at(parent)
    name = f"{number}.undone"
    while is_there(above, name):
        name = f"{name}.again"
    os.rename(number, name, src_dir_fd=above, dst_dir_fd=above)
    folders.forget(folder)
    folders.sync(parent)
    return os.path.join(parent, name)


def _by_node(entries: Iterable[ManifestEntry]) -> list[list[ManifestEntry]]:
    nodes: dict[object, list[ManifestEntry]] = {}
    for entry in entries:
        nodes.setdefault(entry.node if entry.node >= 0 else entry, []).append(entry)
    return list(nodes.values())
