"""A member's whole key space out of its data directory, of 0.4, 2.x or 3.x: indexes, TTLs and history included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate02.datadir.errors import DataError, NotAMember
from migrate02.datadir.kinds import kind_of
from migrate02.datadir.listing import without_machinery
from migrate02.datadir.member3x import is_member_of_3x
from migrate02.datadir.reader2x import read_member
from migrate02.datadir.reader3x import read_state
from migrate02.datadir.source04 import in_use, read_source
from server.storage.datadir import Kind
from server.store.snapshot import FrozenStore


@dataclass(slots=True)
class ReadStore:
    """``term`` and ``index`` are those of the last entry, by which the next leader would be chosen. ``warnings`` name
    damage, ``notes`` what else a person should know."""

    path: Path
    what: str
    frozen: FrozenStore
    term: int
    index: int
    warnings: list[str]
    notes: list[str]


def newest(paths: Sequence[Path]) -> ReadStore:
    """That of the directory which is furthest, of the members of one cluster. Raises DataError."""
    found: ReadStore | None = None
    for path in paths:
        read = _read(path)
        if found is None or (read.term, read.index) > (found.term, found.index):
            found = read
    assert found is not None, "there is at least one"
    return found


def _read(path: Path) -> ReadStore:
    kind = kind_of(path)
    if kind is Kind.ETCD04:
        return _of_04(path)
    if is_member_of_3x(path, kind):
        state = read_state(path)
        space = state.space
        return ReadStore(
            path, "etcd 3.x", space.store.freeze(), space.term, space.index, state.warnings, state.notes
        )
    if kind in (Kind.MEMBER, Kind.OLD_MEMBER):
        member = read_member(path)
        return ReadStore(
            path, "etcd 2.x", member.store.freeze(), member.term, member.index, member.warnings, []
        )
    raise DataError("holds no data of etcd 0.4, 2.x or 3.x", path)


def _of_04(path: Path) -> ReadStore:
    if in_use(path):
        raise DataError(
            "a process still writes here: stop etcd 0.4 first", path / "log", remedy="then repeat this"
        )
    source = read_source(path)
    if source.is_standby:
        raise NotAMember("was a standby of its cluster when it was stopped, so its keys are outdated", path)
    frozen = without_machinery(source.take_keys().freeze())
    return ReadStore(path, "etcd 0.4", frozen, source.term, source.index, source.warnings, [])
