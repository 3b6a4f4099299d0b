"""The snapshots of etcd 0.4: ``snapshot/TERM_INDEX.ss``, and the same keys as 0.4.9 gives them out over HTTP."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

from migrate02.datadir.errors import DataError
from migrate02.datadir.reading import read_file
from server.store import Action, SnapshotFormatError, Store
from server.store.deepjson import loads
from server.store.snapshot import read_document

_NAME = re.compile(r"(\d+)_(\d+)\.ss")
_CHECKSUM = re.compile(rb"[0-9a-f]{8}\n")


@dataclass(slots=True, frozen=True)
class Snapshot:
    """Keys as of an entry of the log. ``index`` and ``term`` are that entry's; the keys' own index is in ``store``."""

    index: int
    term: int
    store: Store


def newest_first(directory: Path) -> list[Path]:
    """The snapshots in a ``snapshot`` directory by term and index. (0.4.9 sorts the names as texts and so takes 0_999
    for newer than 0_1000.) Raises DataError when it cannot be listed; one that is not there holds none."""
    try:
        names = [path for path in directory.iterdir() if _NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"cannot be listed: {error.strerror}", directory) from error
    return sorted(names, key=term_and_index, reverse=True)


def term_and_index(path: Path) -> tuple[int, int]:
    term, _, index = path.stem.partition("_")
    return int(term), int(index)


def read_snapshot(path: Path, elected_since: Callable[[int], bool]) -> Snapshot:
    """One .ss file. Raises DataError when it is not whole.

    0.4 forgets modified indexes when it writes a snapshot: all are the created ones in the file. Its last thousand
    events are in there too and tell those of the keys that were changed last. A process that goes on after writing
    the snapshot still knows them, and has answered its clients accordingly; one that was started again does not. So
    they are put back unless ``elected_since(index of the snapshot)``, as there is an election after every start.
    """
    return snapshot_of(read_file(path), path, elected_since)


def snapshot_of(raw: bytes, path: Path, elected_since: Callable[[int], bool]) -> Snapshot:
    """The same of what is in a file. ``path`` is what messages call it."""
    if _CHECKSUM.match(raw) is None:
        raise DataError("no snapshot of etcd 0.4: it does not begin with a checksum", path, 0)
    if int(raw[:8], 16) != crc32(memoryview(raw)[9:]):
        raise DataError("the snapshot is damaged: its checksum does not fit its content", path, 0)
    try:
        outer = loads(raw[9:].decode())
        index, term = outer["lastIndex"], outer["lastTerm"]
        if not isinstance(index, int) or not isinstance(term, int):
            raise TypeError("its index or term is no number")
        document = loads(base64.b64decode(outer["state"], validate=True).decode())
        return Snapshot(index, term, store_of(document, restore=not elected_since(index)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"the checksum is right, but it is no snapshot of etcd 0.4: {error}", path, 9
        ) from error


def store_of(document: Any, *, restore: bool) -> Store:
    """The key space of a 2.x member with 0.4's keys, which come to lie below ``/1``.

    ``document`` is what 0.4 writes of its store, parsed; it is used up. Raises ValueError, KeyError, TypeError or
    AttributeError for anything else.
    """
    root = document["Root"]
    history = (document.get("WatcherHub") or {}).get("EventHistory") or {}
    if restore:
        _restore_modified_indexes(root, history)
    for event in (history.get("Queue") or {}).get("Events") or ():
        for node in (event["node"], event.get("prevNode")) if event else ():
            if node is not None:
                node["key"] = "/1" + node["key"].rstrip("/")
    document["Root"] = {"Children": {"0": {"Children": {}}, "1": root}}
    store = Store()
    try:
        store.become(read_document(document))
    except SnapshotFormatError as error:
        raise ValueError(str(error)) from error
    return store


def _restore_modified_indexes(root: dict[str, Any], history: dict[str, Any]) -> None:
    """Puts back what is known of the modified indexes: a file's, when its last change is among the events."""
    for event in (history.get("Queue") or {}).get("Events") or ():
        if event and event["action"] in _CHANGES:
            changed = event["node"]
            found: Any = root
            for name in changed["key"].strip("/").split("/"):
                found = ((found or {}).get("Children") or {}).get(name)
            if (
                found is not None
                and found.get("Children") is None
                and found["CreatedIndex"] == changed.get("createdIndex")
            ):
                found["ModifiedIndex"] = changed["modifiedIndex"]


_CHANGES = (Action.UPDATE, Action.COMPARE_AND_SWAP)
"""What changes a modified index and not the created one."""
