"""The numbered folders of a tree's backups, ``.migrate02/NUMBER``: the newest, a new one, and what stands in one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from migrate02.files import manifests
from migrate02.files.aside import write_new, written_aside
from migrate02.files.folders import Folders, is_there, unlink
from migrate02.files.looking import READ, look_at, pieces
from migrate02.files.manifests import MANIFEST, BackupError, Manifest, ManifestEntry, as_text
from migrate02.files.reading import FOLDER, reason


def newest(folders: Folders, parent: str) -> str:
    """The newest folder of backups that has not been undone, or ``""``."""
    names = [name for name in os.listdir(folders.at(parent)) if _is_number(name)]
    return os.path.join(parent, max(names, key=int)) if names else ""


def new_folder(folders: Folders, parent: str) -> str:
    """A folder with a number that none had before; one that was undone keeps its number."""
    descriptor = folders.at(parent)
    taken = (name.partition(".")[0] for name in os.listdir(descriptor))
    number = 1 + max((int(name) for name in taken if _is_number(name)), default=0)
    folder = os.path.join(parent, f"{number:04}")
    os.mkdir(os.path.basename(folder), 0o700, dir_fd=descriptor)
    return folder


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10


def write_manifest(folders: Folders, folder: str, manifest: Manifest) -> None:
    descriptor = folders.at(folder)
    try:
        write_new(descriptor, f"{MANIFEST}.new", as_text(manifest), None, sync=True)
        os.rename(f"{MANIFEST}.new", MANIFEST, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    except OSError:
        unlink(descriptor, f"{MANIFEST}.new")
        raise
    folders.sync(folder)


def read_manifest(folders: Folders, folder: str) -> Manifest:
    """Raises BackupError when there is none that can be used."""
    path = os.path.join(folder, MANIFEST)
    try:
        descriptor = os.open(MANIFEST, READ, dir_fd=folders.at(folder))
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode) or state.st_size > manifests.MAX_BYTES:
                raise BackupError(f"{path}: no regular file, or too large")
            text = b"".join(pieces(descriptor))
        finally:
            os.close(descriptor)
    except BackupError:
        raise
    except OSError as error:
        raise BackupError(f"{path}: {reason(error)}") from None
    return manifests.read(text, path)


def has_nothing(folders: Folders, folder: str) -> bool:
    """Whether a run was cut short before its manifest was there: it has touched nothing."""
    return set(os.listdir(folders.at(folder))) <= {f"{MANIFEST}.new"}


def remove_folder(folders: Folders, folder: str) -> None:
    import shutil  # late: most runs remove none

    above, name = os.path.split(folder)
    folders.forget(folder)
    shutil.rmtree(name, ignore_errors=True, dir_fd=folders.at(above))


def refuse_unfinished(folders: Folders, tree: str) -> None:
    """A run that was cut short before it replaced anything is forgotten; one that replaced some has to be undone.

    Raises BackupError for that, and for a folder whose manifest is gone.
    """
    folder = newest(folders, os.path.join(tree, FOLDER))
    if not folder:
        return
    if has_nothing(folders, folder):
        remove_folder(folders, folder)
        return
    try:
        manifest = read_manifest(folders, folder)
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
    remove_asides(folders, tree, manifest.entries)
    remove_folder(folders, folder)


def _is_original(folders: Folders, tree: str, entry: ManifestEntry) -> bool:
    try:
        found = look_at(folders, os.path.join(tree, entry.path))
    except OSError:
        return False
    return found is not None and found.digest == entry.original


def remove_asides(folders: Folders, tree: str, entries: Iterable[ManifestEntry]) -> None:
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
        for aside, name in written_aside(descriptor).items():
            if name in of:
                unlink(descriptor, aside)
