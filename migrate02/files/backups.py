"""Keeps what is about to be replaced in one folder, with a manifest, and puts it back.

The manifest is there before the first file is touched, every original before the first file is replaced. Going back
loses nothing either: a file that was changed since is left as it is, and reported.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from migrate02.files import manifests
from migrate02.files.folders import Folders, is_there, state_of, unlink
from migrate02.files.manifests import MANIFEST, BackupError, Entry, Manifest, as_text, backup_of
from migrate02.files.reading import FOLDER, reason
from migrate02.files.replacing import LEFTOVER, Job, is_below, is_same, leftovers, link, move, write_new
from migrate02.files.rights import refuse_stuck
from migrate02.files.stopping import Check, Stopped

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 1 << 20


class Keeper:
    """Keeps originals below ``tree/.migrate02/NUMBER``, under the names that they have in the tree."""

    def __init__(self, tree: str) -> None:
        self.tree = os.path.realpath(tree)
        self.folder = ""
        self._parent = os.path.join(self.tree, FOLDER)
        self._is_new = False
        self._entries: dict[Job, Entry] = {}
        self._made: set[str] = set()

    def covers(self, real: str) -> bool:
        return is_below(real, self.tree)

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
            _refuse_unfinished(folders, self.tree)
            if not is_there(descriptor, ".gitignore"):  # backups are kept out of version control
                write_new(descriptor, ".gitignore", b"*\n", None, sync=False)
            self.folder = _new_folder(folders, self._parent)
            self._write(Manifest([*self._entries.values()], finished=False))
            folders.sync(self._parent)
            folders.sync(self.tree)
        except BaseException:
            self._remove()
            raise

    def place(self, job: Job) -> str:
        backup = f"{self.folder}/{self._entries[job].backup}"
        folder = backup[: -len(job.name) - 1]
        if folder not in self._made:
            make_below(self._folders, self.folder, folder)
            self._made.add(folder)
        return backup

    def finish(self, written: Sequence[Job]) -> str:
        if not written:
            self._remove()
            return ""
        try:
            self._write(Manifest([self._entries[job] for job in written], finished=True))
        except OSError as error:
            return f"{self.folder}: it cannot be marked as finished: {reason(error)}; migrate02 undo takes it as it is"
        return ""

    def _write(self, manifest: Manifest) -> None:
        folder = self._folders.at(self.folder)
        try:
            write_new(folder, f"{MANIFEST}.new", as_text(manifest), None, sync=True)
            os.rename(f"{MANIFEST}.new", MANIFEST, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            unlink(folder, f"{MANIFEST}.new")
            raise
        self._folders.sync(self.folder)

    def _remove(self) -> None:
        """What this run has made: nothing is to be put back with it."""
        if self.folder:
            _remove_tree(self._folders, self.folder)
            self.folder = ""
        if self._is_new:
            unlink(self._folders.at(self._parent), ".gitignore")
            with contextlib.suppress(OSError):
                os.rmdir(FOLDER, dir_fd=self._folders.at(self.tree))
            self._folders.forget(self._parent)


def make_below(folders: Folders, folder: str, path: str) -> None:
    """Make a directory, and those between it and ``folder``."""
    if path != folder:
        make_below(folders, folder, os.path.dirname(path))
        folders.make(path)


def _entries(tree: str, jobs: Sequence[Job]) -> list[Entry]:
    numbers: dict[str, int] = {}
    below = len(os.path.join(tree, ""))
    return [
        Entry(
            backup_of(job.real[below:]),
            len(job.before),
            hashlib.sha256(job.after).hexdigest(),
            hashlib.sha256(job.before).hexdigest(),
            numbers.setdefault(job.node, len(numbers)),
        )
        for job in jobs
    ]


def _new_folder(folders: Folders, parent: str) -> str:
    descriptor = folders.at(parent)
    taken = (name.partition(".")[0] for name in os.listdir(descriptor))
    number = 1 + max((int(name) for name in taken if _is_number(name)), default=0)
    folder = os.path.join(parent, f"{number:04}")
    os.mkdir(os.path.basename(folder), 0o700, dir_fd=descriptor)
    return folder


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10


def _refuse_unfinished(folders: Folders, tree: str) -> None:
    """A run that was cut short before it replaced anything is forgotten; one that replaced some has to be undone."""
    folder = _newest(folders, os.path.join(tree, FOLDER))
    if not folder or _has_nothing(folders, folder):
        if folder:
            _remove_tree(folders, folder)
        return
    try:
        manifest = _manifest(folders, folder)
    except BackupError:
        if is_there(folders.at(folder), MANIFEST):  # of a newer release, or damaged: undo says so
            return
        raise BackupError(f"{folder}: it has no {MANIFEST}: move it away, and run this again") from None
    if manifest.finished:
        return
    done = [entry for entry in manifest.entries if not _is_original(folders, tree, entry)]
    if len(done) == len(manifest.entries):
        return
    if done:
        raise BackupError(
            f"{folder}: the run that made it was cut short after {len(done)} of {len(manifest.entries)} files: first "
            f"put them back with migrate02 undo {tree}"
        )
    _remove_asides(folders, tree, manifest.entries)
    _remove_tree(folders, folder)


def _is_original(folders: Folders, tree: str, entry: Entry) -> bool:
    try:
        found = _look(folders, os.path.join(tree, entry.path))
    except OSError:
        return False
    return found is not None and found.digest == entry.original


def _has_nothing(folders: Folders, folder: str) -> bool:
    """Whether a run was cut short before its manifest was there: it has touched nothing."""
    return set(os.listdir(folders.at(folder))) <= {f"{MANIFEST}.new"}


def _remove_tree(folders: Folders, folder: str) -> None:
    import shutil

    above, name = os.path.split(folder)
    folders.forget(folder)
    shutil.rmtree(name, ignore_errors=True, dir_fd=folders.at(above))


def _remove_asides(folders: Folders, tree: str, entries: Iterable[Entry]) -> None:
    """What a run that was cut short has written aside for these files."""
    names: dict[str, set[str]] = {}
    for entry in entries:
        there, name = os.path.split(os.path.join(tree, entry.path))
        names.setdefault(there, set()).add(name)
    for there, of in names.items():
        folders.rest()
        try:
            descriptor = folders.at(there)
        except OSError:  # gone since
            continue
        for name in leftovers(descriptor):
            found = LEFTOVER.match(name)
            if found is not None and found[1] in of:
                unlink(descriptor, name)


class Undone(NamedTuple):
    """What came of one file: put back, already as it was, or left for the reason in ``error``."""

    path: str
    was_changed: bool
    error: str = ""
    note: str = ""


NOT_REACHED = "left as it is: stopped before"


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
            return _Undoing(tree, folders, force=force).run(check)
        except BackupError:
            raise
        except BlockingIOError as error:
            raise BackupError(reason(error)) from None
        except OSError as error:
            raise BackupError(f"{parent}: {reason(error)}") from None


def _newest(folders: Folders, parent: str) -> str:
    """The newest folder of backups that has not been undone, or ``""``."""
    names = [name for name in os.listdir(folders.at(parent)) if _is_number(name)]
    return os.path.join(parent, max(names, key=int)) if names else ""


def _manifest(folders: Folders, folder: str) -> Manifest:
    path = os.path.join(folder, MANIFEST)
    try:
        descriptor = os.open(MANIFEST, _READ, dir_fd=folders.at(folder))
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode) or state.st_size > manifests.MAX_BYTES:
                raise BackupError(f"{path}: no regular file, or too large")
            text = b"".join(iter(lambda: os.read(descriptor, _PIECE), b""))
        finally:
            os.close(descriptor)
    except BackupError:
        raise
    except OSError as error:
        raise BackupError(f"{path}: {reason(error)}") from None
    return manifests.read(text, path)


class _Look(NamedTuple):
    state: os.stat_result
    digest: str


def _look(folders: Folders, path: str) -> _Look | None:
    """What a file is now; None when there is none. Raises OSError, also for what is no regular file."""
    there, name = os.path.split(path)
    try:
        descriptor = os.open(name, _READ, dir_fd=folders.at(there))
    except FileNotFoundError:
        return None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise BackupError(f"{path} is no regular file")
        digest = hashlib.sha256()
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
    finally:
        os.close(descriptor)
    return _Look(state, digest.hexdigest())


class _Undoing:
    def __init__(self, tree: str, folders: Folders, *, force: bool) -> None:
        self._tree = tree
        self._folders = folders
        self._force = force
        self._parent = os.path.join(tree, FOLDER)
        self._folder = ""

    def run(self, check: Check) -> list[Undone]:
        self._folder = _newest(self._folders, self._parent)
        if not self._folder:
            raise BackupError(f"{self._parent}: no backup is left there")
        if _has_nothing(self._folders, self._folder):
            _remove_tree(self._folders, self._folder)
            return []
        manifest = _manifest(self._folders, self._folder)
        for number, entry in enumerate(manifest.entries, 1):
            self._folders.rest()
            self._refuse_elsewhere(entry, number)
        if not manifest.finished:
            _remove_asides(self._folders, self._tree, manifest.entries)
        outcomes: dict[Entry, Undone] = {}
        stopped = False
        for entries in _nodes(manifest.entries):
            try:
                check()
            except Stopped:
                stopped = True
                break
            self._folders.rest()
            outcomes |= zip(entries, self._put_back(entries), strict=True)
        self._sync(outcomes.values())
        if not stopped and not any(item.error for item in outcomes.values()):
            before, after = self._folder, self._put_away()
            outcomes = {
                entry: item._replace(note=item.note.replace(before, after))
                for entry, item in outcomes.items()
            }
        return [outcomes.get(entry, Undone(entry.path, False, NOT_REACHED)) for entry in manifest.entries]

    def _refuse_elsewhere(self, entry: Entry, number: int) -> None:
        """A link, a directory or a device where a file should be, or a link on the way: nothing is put back."""
        for path in (self._target(entry), self._backup(entry)):
            there, name = os.path.split(path)
            said = ""
            try:
                state = state_of(self._folders.at(there), name)
            except FileNotFoundError:
                continue  # gone: said with the file
            except OSError as error:
                said = reason(error)
            else:
                if state is not None and not stat.S_ISREG(state.st_mode):
                    said = f"{path} is a link, or no regular file"
            if said:
                where = f"{os.path.join(self._folder, MANIFEST)}: entry {number}, {entry.backup!r}"
                raise BackupError(f"{where}: {said}: nothing is put back")

    def _target(self, entry: Entry) -> str:
        return os.path.join(self._tree, entry.path)

    def _backup(self, entry: Entry) -> str:
        return os.path.join(self._folder, entry.backup)

    def _put_back(self, entries: Sequence[Entry]) -> list[Undone]:
        """The files of one node."""
        found: list[_Look | None] = []
        outcomes: list[Undone] = []
        for entry in entries:
            outcome = Undone(entry.path, True)
            target = None
            try:
                target, kept = self._look(self._target(entry)), self._look(self._backup(entry))
                outcome = self._judged(entry, target, kept)
            except OSError as error:
                outcome = Undone(entry.path, False, reason(error))
            found.append(target)
            outcomes.append(outcome)
        failed = next((item for item in outcomes if item.error), None)
        if failed is not None:
            with_it = f"left as it is: it goes back together with {failed.path}, which cannot"
            return [
                item if item.error or not item.was_changed else Undone(item.path, False, with_it)
                for item in outcomes
            ]
        for number, (entry, target, item) in enumerate(zip(entries, found, outcomes, strict=True)):
            if item.was_changed:
                try:
                    outcomes[number] = item._replace(note=self._swap(entry, target))
                except OSError as error:
                    outcomes[number] = Undone(entry.path, False, reason(error))
        return outcomes

    def _look(self, path: str) -> _Look | None:
        return _look(self._folders, path)

    def _judged(self, entry: Entry, target: _Look | None, kept: _Look | None) -> Undone:
        backup = self._backup(entry)
        if target is not None and target.digest == entry.original:
            return Undone(entry.path, False)
        if kept is None or kept.state.st_size != entry.size or kept.digest != (entry.original or kept.digest):
            return Undone(entry.path, False, f"its backup {backup} is gone or damaged")
        if target is not None and target.digest == kept.digest:  # a manifest of version 1 does not say it
            return Undone(entry.path, False)
        if target is not None and target.digest != entry.written and not self._force:
            return Undone(
                entry.path,
                False,
                f"changed since it was converted; the original is {backup} (undo --force puts it back, and keeps what "
                "it is now)",
            )
        return Undone(entry.path, True)

    def _swap(self, entry: Entry, seen: _Look | None) -> str:
        """Returns what is to be said of it. Raises OSError when the file is another one by now."""
        path = self._target(entry)
        now = self._look(path)
        same = (
            now == seen
            if now is None or seen is None
            else now.digest == seen.digest and is_same(now[0], seen[0])
        )
        if not same:
            raise BackupError("it is being changed; undo it again")
        kept = self._keep_changed(entry) if seen is not None and seen.digest != entry.written else ""
        # What is in its place again is known by the digest of the original, which version 1 does not have.
        move(self._folders, self._backup(entry), path, keep=not entry.original)
        return f"what it was is {kept}" if kept else ""

    def _keep_changed(self, entry: Entry) -> str:
        """A second name for what a person has made of a file."""
        kept = os.path.join(self._folder, "changed", entry.path)
        while True:
            there, name = os.path.split(kept)
            make_below(self._folders, self._folder, there)
            above, target = os.path.split(self._target(entry))
            try:
                link(self._folders.at(above), target, self._folders.at(there), name)
            except FileExistsError:
                kept += ".again"
                continue
            return kept

    def _sync(self, outcomes: Iterable[Undone]) -> None:
        changed = {
            os.path.dirname(os.path.join(self._tree, item.path)) for item in outcomes if item.was_changed
        }
        for folder in sorted(changed):
            self._folders.rest()
            self._folders.sync(folder)

    def _put_away(self) -> str:
        above = self._folders.at(self._parent)
        name = f"{os.path.basename(self._folder)}.undone"
        while is_there(above, name):
            name = f"{name}.again"
        os.rename(os.path.basename(self._folder), name, src_dir_fd=above, dst_dir_fd=above)
        self._folders.forget(self._folder)
        self._folders.sync(self._parent)
        return os.path.join(self._parent, name)


def _nodes(entries: Iterable[Entry]) -> list[list[Entry]]:
    nodes: dict[object, list[Entry]] = {}
    for entry in entries:
        nodes.setdefault(entry.node if entry.node >= 0 else entry, []).append(entry)
    return list(nodes.values())


__all__ = ["BackupError", "Keeper", "Undone", "undo"]
