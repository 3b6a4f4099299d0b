"""Keeps what is about to be replaced in one folder, with a manifest, and puts it back.

The manifest and every original are there before the first file is replaced. Going back loses nothing either: a file
that was changed since is left as it is, and told.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from typing import NamedTuple

from migrate02.files import FOLDER, Replaced, link_or_copy, reason, replace_with, sync_directory, write_new

MANIFEST = "manifest.json"
VERSION = 1


class BackupError(Exception):
    """The folder cannot be used; the message says which and why."""


class Entry(NamedTuple):
    """One file: ``backup`` is relative to the folder, and below ``files`` its path in the tree. ``size`` is the
    original's in bytes, ``written`` the SHA-256 of what took its place."""

    backup: str
    size: int
    written: str

    @property
    def path(self) -> str:
        return os.path.relpath(self.backup, "files")


class Keeper:
    """Keeps originals below ``tree/.migrate02/NUMBER``, under the names that they have in the tree."""

    def __init__(self, tree: str) -> None:
        self.tree = os.path.realpath(tree)
        self.folder = ""

    def covers(self, real: str) -> bool:
        return real.startswith(os.path.join(self.tree, ""))

    def keep(self, texts: Mapping[str, bytes]) -> dict[str, str]:
        """Keep the files with these real paths, about to hold these bytes; where each is kept.

        To be synced by the caller, before it replaces the first of them. Raises OSError, and then keeps none.
        """
        self.folder = _new_folder(os.path.join(self.tree, FOLDER))
        try:
            return self._keep(texts)
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = ""
            raise

    def _keep(self, texts: Mapping[str, bytes]) -> dict[str, str]:
        entries = []
        kept = {}
        made: set[str] = set()
        for real, data in texts.items():
            path = os.path.join("files", real.removeprefix(self.tree).lstrip(os.sep))
            backup = os.path.join(self.folder, path)
            folder = os.path.dirname(backup)
            if folder not in made:
                os.makedirs(folder, exist_ok=True)
                made.add(folder)
            link_or_copy(real, backup)
            entries.append(Entry(path, os.stat(backup).st_size, hashlib.sha256(data).hexdigest()))
            kept[real] = backup
        manifest = {"version": VERSION, "files": [entry._asdict() for entry in entries]}
        text = json.dumps(manifest, indent=1) + "\n"
        path = os.path.join(self.folder, MANIFEST)
        write_new(path, text.encode(), os.stat(self.tree), sync=False, mode=0o644)
        return kept


def _new_folder(parent: str) -> str:
    os.makedirs(parent, exist_ok=True)
    _keep_out_of_version_control(parent)
    number = 1 + max(
        (int(name.partition(".")[0]) for name in os.listdir(parent) if name[:4].isdigit()), default=0
    )
    while True:
        folder = os.path.join(parent, f"{number:04}")
        try:
            os.mkdir(folder)
        except FileExistsError:
            number += 1
            continue
        sync_directory(parent)
        return folder


def _keep_out_of_version_control(parent: str) -> None:
    path = os.path.join(parent, ".gitignore")
    if not os.path.exists(path):
        write_new(path, b"*\n", os.stat(parent), sync=False, mode=0o644)


class Undone(NamedTuple):
    """What came of one file: put back, already as it was, or left for the reason in ``error``."""

    path: str
    was_changed: bool
    error: str = ""


def latest(tree: str) -> str:
    """The newest folder of backups of a tree that has not been undone. Raises BackupError when there is none."""
    parent = os.path.join(tree, FOLDER)
    try:
        names = sorted(name for name in os.listdir(parent) if name.isdigit())
    except OSError as error:
        raise BackupError(f"{parent}: {reason(error)}") from None
    if not names:
        raise BackupError(f"{parent}: no backup is left there")
    return os.path.join(parent, names[-1])


def undo(tree: str, folder: str) -> list[Undone]:
    """Put every file of a backup back as it was, bytes, mode, owner and times. Raises BackupError.

    When all are back the folder is renamed to NUMBER.undone, so that the one before it is the newest.
    """
    outcomes = [_put_back(tree, folder, entry) for entry in _entries(folder)]
    for directory in sorted(
        {os.path.dirname(os.path.join(tree, item.path)) for item in outcomes if not item.error}
    ):
        sync_directory(directory)
    if not any(item.error for item in outcomes):
        os.rename(folder, _free(f"{folder}.undone"))
        sync_directory(os.path.dirname(folder))
    return outcomes


def _free(name: str) -> str:
    return name if not os.path.exists(name) else _free(f"{name}.again")


def _entries(folder: str) -> list[Entry]:
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        if manifest["version"] != VERSION:
            raise BackupError(f"{path}: of version {manifest['version']}, and this is {VERSION}")
        return [Entry(**entry) for entry in manifest["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path}: {reason(error)}") from None


def _put_back(tree: str, folder: str, entry: Entry) -> Undone:
    path, backup = os.path.join(tree, entry.path), os.path.join(folder, entry.backup)
    try:
        found, kept = _read(path), _read(backup)
        if kept is None or len(kept) != entry.size:
            return Undone(entry.path, False, f"its backup {backup} is gone or damaged")
        if found == kept:
            return Undone(entry.path, False)
        if found is not None and hashlib.sha256(found).hexdigest() != entry.written:
            return Undone(entry.path, False, f"changed since it was converted; the original is {backup}")
        replace_with(path, backup)
    except OSError as error:
        return Undone(entry.path, False, reason(error))
    return Undone(entry.path, True)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


__all__ = ["FOLDER", "BackupError", "Keeper", "Replaced", "Undone", "latest", "undo"]
