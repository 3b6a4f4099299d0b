"""What a data directory is: of which etcd, whose, how far it goes. Damage is reported, and never an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from migrate02.datadir import reader3x
from migrate02.datadir.errors import DataError
from migrate02.datadir.kinds import kind_of
from migrate02.datadir.listing import Counted, digest, user_keys
from migrate02.datadir.member3x import is_of_3x
from migrate02.datadir.reader2x import read_member
from migrate02.datadir.replay04 import USERS
from migrate02.datadir.source04 import in_use, read_source
from server.cluster.ids import id_text
from server.cluster.members import VERSION
from server.storage.datadir import Kind
from server.storage.etcd3.database import Database
from server.store import Store


@dataclass(slots=True)
class InspectedDirectory:
    """``kind`` is one of ``0.4``, ``2.x``, ``3.x``, ``proxy of 2.x``, ``2.x member and proxy``, ``none``.

    What is not known is empty or None: nothing below ``kind`` is, when ``damage`` says why. ``members`` is name -> peer
    URLs. ``notes`` are facts a person should know, and no damage.
    """

    path: Path
    kind: str
    version: str = ""
    name: str = ""
    role: str = ""
    member_id: str = ""
    cluster_id: str = ""
    members: dict[str, list[str]] = field(default_factory=dict)
    last_index: int | None = None
    last_term: int | None = None
    committed_index: int | None = None
    snapshot_index: int | None = None
    etcd_index: int | None = None
    keys: int | None = None
    digest: str = ""
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(path: Path) -> InspectedDirectory:
    """Raises DataError only when the directory cannot be listed."""
    kind = kind_of(path)
    if kind is Kind.EMPTY:
        return _nothing(path)
    if kind is Kind.PROXY:
        return InspectedDirectory(path, "proxy of 2.x", notes=["a proxy has no keys"])
    if kind is Kind.BOTH:
        return InspectedDirectory(
            path, "2.x member and proxy", damage=["both member and proxy: etcd does not start on it"]
        )
    if kind is Kind.ETCD04:
        return _of_04(path)
    return _of_3x(path) if is_of_3x(path) else _of_2x(path)


def _nothing(path: Path) -> InspectedDirectory:
    found = InspectedDirectory(path, "none")
    if not path.exists():
        found.notes.append("there is no such directory")
    elif any((path / name).exists() for name in ("log", "conf", "snapshot")):
        found.damage.append("has names of etcd 0.4, but none of its files begins as 0.4 writes it")
    return found


def _of_04(path: Path) -> InspectedDirectory:
    found = InspectedDirectory(path, "0.4")
    if in_use(path):
        found.notes.append("a process writes to it right now")
    try:
        source = read_source(path)
    except DataError as error:
        found.damage.append(str(error))
        return found
    found.version = _version_of_04(source.store)
    found.name = source.name
    found.role = "standby or removed" if source.is_standby else "member"
    found.members = {name: [member.peer_url] for name, member in source.members.items()}
    found.last_index, found.last_term = source.index, source.term
    found.snapshot_index = source.snapshot_index
    found.damage += source.warnings
    _add_keys(found, source.store)
    return found


def _version_of_04(store: Store) -> str:
    """0.4.7 and 0.4.8 announced themselves in the keys; no other release left a trace."""
    announced = f"{USERS}/_etcd/available-internal-versions/"
    return "0.4.7 or 0.4.8" if any(path.startswith(announced) for path in store.freeze().files) else "0.4"


def _of_2x(path: Path) -> InspectedDirectory:
    found = InspectedDirectory(path, "2.x", role="member")
    if (path / "member" / "snap" / "db").exists():
        found.notes.append("has a database of etcd 3.x, or of a 2.3 run with --experimental-v3demo (snap/db)")
    try:
        state = read_member(path)
    except DataError as error:
        found.damage.append(str(error))
        return found
    found.version = state.members.version or "2.0, or not started yet"
    found.member_id, found.cluster_id = id_text(state.member_id), id_text(state.members.cluster_id)
    found.members = {member.name or id_text(member.id): list(member.peer_urls) for member in state.members}
    own = state.members.get(state.member_id)
    if own is not None:
        found.name = own.name
    elif state.members.is_removed(state.member_id):
        found.role = "removed"
    found.last_index, found.last_term, found.committed_index = state.last_index, state.term, state.index
    found.snapshot_index = state.snapshot_index
    found.damage += state.warnings
    _add_keys(found, state.store)
    return found


def _of_3x(path: Path) -> InspectedDirectory:
    found = InspectedDirectory(path, "3.x")
    try:
        state = reader3x.read_state(path)
    except DataError as error:
        found.damage.append(str(error))
        return found
    member, membership = state.member, state.space.membership
    own = member.log.metadata.node_id
    database = member.database or Database()
    found.version = database.version or (state.space.store.peek(VERSION) or b"").decode("utf-8", "replace")
    found.name = database.names.get(own, "")
    found.role = (
        "removed"
        if own in membership.removed
        else "learner"
        if own in membership.conf_state.learners
        else "member"
    )
    found.member_id, found.cluster_id = id_text(own), id_text(member.log.metadata.cluster_id)
    found.members = {
        database.names.get(number) or id_text(number): list(one.peer_urls)
        for number, one in sorted(membership.members.items())
    }
    found.last_index, found.last_term = member.last_index, member.log.hard_state.term
    found.committed_index, found.snapshot_index = state.space.index, member.snapshot_index
    found.damage += state.warnings
    found.notes += state.notes
    found.notes.append(
        "its keys here are those of v2; migrate02 v2store check tells which etcd they are in the way of"
    )
    _add_keys(found, state.space.store)
    return found


def _add_keys(found: InspectedDirectory, store: Store) -> None:
    keys = Counted(user_keys(store))
    found.digest = digest(keys, store.index)
    found.keys, found.etcd_index = keys.count, store.index
