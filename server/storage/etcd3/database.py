"""What the database of etcd 3.x says of the log and of the members. It is looked into, page by page; never written."""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from server.storage.bolt import IS_BUCKET, Tree, Unreadable
from server.storage.errors import DamagedError, reporting

_NUMBER = struct.Struct(">Q")


@dataclass(slots=True)
class Database:
    """``index`` is ``consistent_index``: the last entry whose effect is in here. ``members`` are peer URLs by id, of
    ``learners`` too, ``names`` and ``client_urls`` those of the members that have started; ``version`` is the
    cluster's, empty if 3.5 has not written it yet."""

    index: int = 0
    term: int = 0
    members: dict[int, tuple[str, ...]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    client_urls: dict[int, tuple[str, ...]] = field(default_factory=dict)
    learners: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    version: str = ""


def read_database(path: Path) -> Database:
    """Raises DamagedError for what is not a whole database of etcd, StorageError if it cannot be read."""
    with reporting("read", path), path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise DamagedError("the database is empty", path) from error
    try:
        return _read(
            Tree(memoryview(mapped))
        )  # not closed here: an error's traceback may still hold pages of it
    except (Unreadable, struct.error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(
            "the database is damaged, or was being written to: what it says of log and members cannot be read. Try "
            "again; if that stays so, start etcd on it, and see what that says",
            path,
        ) from error


def _read(tree: Tree) -> Database:
    buckets = {name: value for flags, name, value in tree.elements(tree.root) if flags & IS_BUCKET}

    def rows(name: bytes) -> Iterator[tuple[bytes, bytes]]:
        if name in buckets:
            yield from ((key, value) for _, key, value in tree.bucket(buckets[name]))

    if b"key" not in buckets or b"meta" not in buckets:
        raise Unreadable
    found = Database()
    for key, value in rows(b"meta"):
        if key == b"consistent_index":
            (found.index,) = _NUMBER.unpack(value)
        elif key == b"term":
            (found.term,) = _NUMBER.unpack(value)
    for key, value in rows(b"members"):
        member = int(key, 16)
        said = json.loads(value)
        found.members[member] = tuple(str(url) for url in said.get("peerURLs") or ())
        if said.get("name"):
            found.names[member] = str(said["name"])
        if said.get("clientURLs"):
            found.client_urls[member] = tuple(str(url) for url in said["clientURLs"])
        if said.get("isLearner"):
            found.learners.add(member)
    found.removed = {int(key, 16) for key, _ in rows(b"members_removed")}
    found.version = next((value.decode() for key, value in rows(b"cluster") if key == b"clusterVersion"), "")
    return found
