"""Keys from wherever they may be: a directory of 0.4, 2.x or 3.x, a snapshot, an export, a running cluster."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from migrate02.datadir import live, snapshot04
from migrate02.datadir.errors import DataError
from migrate02.datadir.kinds import kind_of
from migrate02.datadir.listing import Key, keys_of, user_keys
from migrate02.datadir.member3x import is_member_of_3x
from migrate02.datadir.reader2x import read_member
from migrate02.datadir.reader3x import read_state
from migrate02.datadir.reading import read_file
from migrate02.datadir.source04 import read_source
from server.storage.datadir import Kind
from server.storage.errors import CodecError
from server.storage.snapshots import decode_snapshot_file
from server.store import SnapshotFormatError, Store
from server.store.deepjson import loads
from server.store.gojson import parse_time


@dataclass(slots=True, frozen=True)
class Side:
    """Keys sorted by their parts. ``index`` is the key space's, 0 when nothing tells it. ``hides`` says that hidden
    keys may be missing: a running cluster shows them only to who knows their names. ``warnings`` name damage and what
    is left out, ``notes`` what else a person should know."""

    what: str
    keys: list[Key]
    index: int
    hides: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_ADDRESS = re.compile(r"(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d+(?:/.*)?")
"""A host and a port, which is no URL yet."""


def is_url(where: str) -> bool:
    return where.startswith(("http://", "https://"))


def read_side(where: str, hidden: Iterable[str] = (), tls: live.Tls = live.NO_TLS) -> Side:
    """What ``where`` holds, a URL or a path. ``hidden`` are names to ask a running cluster for. Raises DataError."""
    if is_url(where):
        found = live.read_keys(where, hidden, tls)
        return Side(found.what, sorted(found.keys, key=_parts), found.index, hides=not found.complete)
    path = Path(where)
    if _ADDRESS.fullmatch(where) and not path.exists():
        raise DataError("there is no such file", path, remedy=f"for a running cluster write http://{where}")
    return _directory(path) if path.is_dir() else _file(path)


def hidden_roots(keys: Iterable[Key]) -> list[str]:
    """The keys that a listing of what is above them leaves out."""
    return [key.path for key in keys if key.path.rpartition("/")[2].startswith("_")]


def without_overdue(keys: Iterable[Key], now: int) -> Iterator[Key]:
    """Without what is past its TTL at ``now``, which a running server removes. Sorted keys in, sorted keys out."""
    gone = "\0"
    for key in keys:
        if key.path.startswith(gone):
            continue
        if key.expiration is not None and key.expiration <= now:
            gone = key.path + "/"
            continue
        yield key


def _parts(key: Key) -> list[str]:
    return key.path.split("/")


def _directory(path: Path) -> Side:
    kind = kind_of(path)
    if kind is Kind.ETCD04:
        source = read_source(path)
        return Side(
            "etcd 0.4's directory",
            list(user_keys(source.store)),
            source.store.index,
            warnings=tuple(source.warnings),
        )
    if is_member_of_3x(path, kind):
        return side_of_3x(path)
    if kind in (Kind.MEMBER, Kind.OLD_MEMBER):
        state = read_member(path)
        return Side(
            "etcd 2.x's directory",
            list(user_keys(state.store)),
            state.store.index,
            warnings=tuple(state.warnings),
        )
    raise DataError("holds no data of etcd 0.4, 2.x or 3.x", path)


def side_of_3x(path: Path, wal_dir: Path | None = None) -> Side:
    """The v2 keys in a directory of etcd 3.x. Raises DataError."""
    state = read_state(path, wal_dir)
    store = state.space.store
    return Side(
        "etcd 3.x's directory",
        list(keys_of(store.freeze())),
        store.index,
        warnings=tuple(state.warnings),
        notes=tuple(state.notes),
    )


def _file(path: Path) -> Side:
    raw = read_file(path, named=True)
    if path.suffix == ".ss":
        store = snapshot04.snapshot_of(raw, path, lambda _: True).store
        return Side("a snapshot of etcd 0.4", list(user_keys(store)), store.index)
    if raw.startswith(b'{"key":') or not raw.strip():
        return Side("an export", sorted(_exported(raw, path), key=_parts), 0)
    try:
        if raw.lstrip()[:1] == b"{":
            store = snapshot04.store_of(loads(raw.decode()), restore=False)
            return Side("what 0.4.9 gives out for a migration", list(user_keys(store)), store.index)
        store = Store()
        store.recover(decode_snapshot_file(raw).data)
    except (CodecError, SnapshotFormatError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("no snapshot of etcd 0.4 or 2.x, and no export of one", path) from error
    return Side("a snapshot of etcd 2.x", list(user_keys(store)), store.index)


def _exported(raw: bytes, path: Path) -> Iterator[Key]:
    offset = 0
    for line in io.BytesIO(raw):
        try:
            found = json.loads(line)
            value = (
                None
                if found.get("dir")
                else bytes.fromhex(found["valueHex"])
                if "valueHex" in found
                else (found["value"].encode())
            )
            expiration = parse_time(found["expiration"]) if "expiration" in found else None
            yield Key(found["key"], value, found["createdIndex"], found["modifiedIndex"], expiration)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise DataError("not a line of an export", path, offset) from error
        offset += len(line)
