"""Reads the v2 key space of a member of etcd 3.x, as a start of 3.5 on its data directory has it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir.errors import DataError
from migrate02.datadir.keyspace3x import KeySpace
from migrate02.datadir.member3x import Member3x, read_member
from migrate02.datadir.membership3x import MembershipError
from server.raft.types import Entry
from server.storage.errors import CodecError
from server.storage.etcd3.log import normal_entries
from server.storage.etcd3.requests import decode_any
from server.storage.requests import StoreRequest
from server.store import SnapshotFormatError

_CHANGING = frozenset(("PUT", "POST", "DELETE"))


@dataclass(slots=True)
class MemberState3x:
    """``space`` is as of the last entry in the log. ``warnings`` name damage, ``notes`` what of it is not known to be
    committed.

    Such entries count: a leader commits what it has told its clients before it writes down that it is, and at the next
    start of the cluster they are committed, unless the other members never got them.
    """

    member: Member3x
    space: KeySpace
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_state(path: Path, wal_dir: Path | None = None) -> MemberState3x:
    """Reads a directory, of a running member too. Raises DataError."""
    member = read_member(path, wal_dir)
    try:
        space = KeySpace(member.chosen.snapshot)
        for entry in member.entries:
            space.apply(entry)
        waiting = _writes(_not_known_to_be_committed(member, space))
    except SnapshotFormatError as error:
        raise DataError(f"its key space of v2 cannot be read: {error}", member.chosen.path) from error
    except MembershipError as error:
        raise DataError(str(error), member.wal) from error
    except CodecError as error:
        raise DataError(error.message, member.wal) from error
    state = MemberState3x(member, space, list(_damage(member)))
    if waiting:
        state.notes.append(
            f"{member.wal}: {waiting} writes of v2 behind entry {member.committed_index} are not known to be "
            "committed. They are taken for it; so does a restart of the cluster, if its other members have them"
        )
    return state


def _not_known_to_be_committed(member: Member3x, space: KeySpace) -> list[Entry]:
    """A member that is the only one to vote commits at its next start all it has."""
    if space.membership.conf_state.voters == (member.log.metadata.node_id,):
        return []
    return [entry for entry in member.entries if entry.index > member.committed_index]


def _writes(entries: Iterable[Entry]) -> int:
    """How many write keys of v2. Raises CodecError."""
    requests = (decode_any(entry.data) for entry in normal_entries(entries))
    return sum(
        isinstance(request, StoreRequest)
        and request.method in _CHANGING
        and not request.path.startswith("/0/")
        for request in requests
    )


def _damage(member: Member3x) -> Iterator[str]:
    for error in member.chosen.damaged:
        yield f"{error}; skipped"
    if member.trouble:
        yield member.trouble
    end = member.log.end
    if end.follows:
        yield (
            f"{end.segment.path}, byte {end.offset}: {end.follows}; skipped. A member that runs is writing there"
        )
