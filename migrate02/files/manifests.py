"""What a backup says of itself: which files it is of, what they were and what took their place. Written before the
first of them is touched, and read again with distrust: a tree may come from anybody.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from migrate02.files.reading import FOLDER

MANIFEST = "manifest.json"
VERSION = 2
MAX_BYTES = 256 << 20
"""Some 800,000 files."""

_FILES = "files"
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class BackupError(OSError):
    """The backup cannot be used; the message says which and why."""


class ManifestEntry(NamedTuple):
    """One file: ``backup`` is relative to the folder, and below ``files`` its path in the tree. ``size`` is the
    original's in bytes, ``original`` its SHA-256, empty in version 1, ``written`` that of what took its place. Those
    with the same ``node`` belong together; -1 for one that nothing is known of."""

    backup: str
    size: int
    written: str
    original: str = ""
    node: int = -1

    @property
    def path(self) -> str:
        return self.backup.partition("/")[2]


class Manifest(NamedTuple):
    """``finished`` says that every file of it was replaced; else the run that wrote it may have been cut short."""

    entries: Sequence[ManifestEntry]
    finished: bool


def backup_of(path: str) -> str:
    """Of a file of the tree."""
    return os.path.join(_FILES, path)


def as_text(manifest: Manifest) -> bytes:
    files = [entry._asdict() for entry in manifest.entries]
    found = {"version": VERSION, "finished": manifest.finished, "files": files}
    return (
        json.dumps(found, separators=(",\n", ": ")).encode() + b"\n"
    )  # with an indent it takes five times as long


def read(text: bytes, name: str) -> Manifest:
    """Raises BackupError, with ``name`` and the entry, when anything in it is not as we write it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BackupError(f"{name}: it cannot be read: {error or 'too deep'}") from None
    version = found.get("version") if isinstance(found, dict) else None
    if type(version) is not int or not 1 <= version <= VERSION:
        raise BackupError(
            f"{name}: of version {version}, and this is {VERSION}: use the release that wrote it"
        )
    finished = found.get("finished", version == 1)
    files = found.get("files")
    if (
        type(files) is not list
        or type(finished) is not bool
        or found.keys() > {"version", "finished", "files"}
    ):
        raise BackupError(f"{name}: it is no list of files as this release writes it")
    entries = [_entry(each, f"{name}: entry {number}", version) for number, each in enumerate(files, 1)]
    _refuse_repeated(entries, name)
    return Manifest(entries, finished)


_TYPES: dict[int, dict[str, type]] = {
    1: {"backup": str, "size": int, "written": str},
    2: {"backup": str, "size": int, "written": str, "original": str, "node": int},
}


def _entry(found: Any, where: str, version: int) -> ManifestEntry:
    types = _TYPES[version]
    if type(found) is not dict or {key: type(value) for key, value in found.items()} != types:
        raise BackupError(
            f"{where} has not the fields {', '.join(types)}, each of its type: nothing is put back"
        )
    entry = ManifestEntry(**found)
    refusal = _refusal(entry, version)
    if refusal:
        raise BackupError(f"{where}, {entry.backup!r}: {refusal}: nothing is put back")
    return entry


def _refusal(entry: ManifestEntry, version: int) -> str:
    """Why an entry is not believed, or ``""``."""
    parts = entry.backup.split("/")
    if parts[0] != _FILES or len(parts) < 2:
        return f"the backup is not below {_FILES}"
    if any(part in ("", ".", "..", FOLDER) or "\0" in part for part in parts[1:]):
        return "the path leads out of the tree, or into its backups"
    try:
        os.fsencode(entry.backup)
    except UnicodeEncodeError:
        return "the path is none of a file"
    if entry.size < 0:
        return "the size is negative"
    digests = [entry.written] if version == 1 else [entry.written, entry.original]
    return "" if all(map(_DIGEST.match, digests)) else "a digest is no SHA-256"


def _refuse_repeated(entries: Iterable[ManifestEntry], name: str) -> None:
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        if entry.backup in seen:
            raise BackupError(
                f"{name}: entry {number}, {entry.backup!r}: the same file is listed twice: nothing is put back"
            )
        seen.add(entry.backup)
