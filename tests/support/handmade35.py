"""Directories of etcd 3.5 with a snapshot or log entries made by hand, on top of the recorded one without v2."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from migrate02.datadir.member3x import Member3x, read_member
from server.raft.types import Entry
from server.storage.codec import encode_entry, encode_hard_state
from server.storage.etcd3.additions import append, encode_records, write_snapshot
from server.storage.etcd3.messages import Marker, SnapshotOf3x, encode_marker
from server.storage.files import REAL_FILES
from server.storage.records import RecordType
from server.storage.requests import StoreRequest, encode_request
from server.storage.varint import sized
from tests.support.datadirs35 import unpack

NEVER = "0001-01-01T00:00:00Z"

Tree = Mapping[str, "str | Expired | Tree"]
"""What is in a directory by name: a value, or what is in another directory."""


class Expired(str):
    """A value whose TTL ran out long ago."""


def recorded(target: Path) -> Path:
    """A member without anything of v2: its database is at the log's end, its snapshot ten entries before."""
    (path,) = unpack("clean", target, cut=True)
    return path


def bare(request: StoreRequest) -> bytes:
    """A request as 3.5 puts it into an entry."""
    return encode_request(request)


def wrapped(request: StoreRequest) -> bytes:
    """In field 2 of InternalRaftRequest."""
    return b"\x12" + sized(encode_request(request))


def add_entries(path: Path, *data: bytes, committed: bool = True) -> None:
    """Normal entries at the log's end; ``committed`` says whether a hard state says so."""
    member = read_member(path)
    term, last = member.log.hard_state.term, member.last_index
    entries = [Entry(term, last + number, each) for number, each in enumerate(data, start=1)]
    records = [(RecordType.ENTRY, encode_entry(entry)) for entry in entries]
    if committed:
        state = member.log.hard_state._replace(commit=last + len(data))
        records.append((RecordType.STATE, encode_hard_state(state)))
    add_records(member, records)


def add_snapshot(path: Path, top: Tree, *, history: bool = True) -> None:
    """A snapshot at the database's index with these directories beside ``/0``, and its marker; ``0`` in ``top`` is
    added to what etcd keeps there. Most of a small snapshot is the events of v2; without ``history`` they are not there.
    """
    member = read_member(path)
    assert member.database is not None
    assert member.chosen.snapshot is not None
    document = json.loads(member.chosen.snapshot.data)
    if not history:
        del document["WatcherHub"]
    children = {"0": document["Root"]["Children"]["0"]}
    for name, content in top.items():
        made = node("/" + name, content)
        if name == "0":
            children["0"]["Children"] |= made["Children"]
        else:
            children[name] = made
    document["Root"]["Children"] = children
    index, term = member.database.index, member.log.hard_state.term
    state = member.chosen.snapshot.conf_state
    add_records(member, [(RecordType.SNAPSHOT, encode_marker(Marker(index, term, state)))])
    snapshot = SnapshotOf3x(index, term, state, json.dumps(document).encode())
    write_snapshot(REAL_FILES, member.snap, snapshot, lambda fd: None)


def add_records(member: Member3x, records: list[tuple[RecordType, bytes]]) -> None:
    end = member.log.end
    fd = os.open(end.segment.path, os.O_RDWR)
    try:
        append(REAL_FILES, fd, end, encode_records(records, end.crc))
    finally:
        os.close(fd)


def node(path: str, content: str | Expired | Tree) -> dict[str, object]:
    """As the JSON of a snapshot has it."""
    value, children = (content, None) if isinstance(content, str) else ("", content)
    return {
        "Path": path,
        "CreatedIndex": 4,
        "ModifiedIndex": 4,
        "ExpireTime": "2026-11-01T00:00:00Z" if isinstance(content, Expired) else NEVER,
        "Value": value,
        "Children": None
        if children is None
        else {name: node(f"{path}/{name}", below) for name, below in children.items()},
    }
