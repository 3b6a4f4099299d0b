"""Who the members are, replayed as etcd 3.5 does it: into the key space under ``/0``, and into the voters. Pure.

As ``server.cluster.members``, and with learners: those are added like members and promoted later. See there for what
lies under ``/0``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from server.cluster.ids import id_text, parse_id
from server.cluster.members import MEMBERS, REMOVED, VERSION, compact_json
from server.storage.codec import ConfChange, ConfChangeType
from server.storage.etcd3.messages import ConfState
from server.store import EtcdError, Store

_MOST_LEARNERS = 1
_ADDING = (ConfChangeType.ADD_NODE, ConfChangeType.ADD_LEARNER)


class MembershipError(Exception):
    """What a log or a snapshot says of the members makes no sense; etcd itself would end there."""


@dataclass(slots=True, frozen=True)
class OneOf:
    """One of the members, as far as consensus knows it."""

    peer_urls: tuple[str, ...]
    is_learner: bool = False

    @property
    def raft_attributes(self) -> bytes:
        fields: dict[str, object] = {"peerURLs": list(self.peer_urls)}
        if self.is_learner:
            fields["isLearner"] = True
        return compact_json(fields)


class Membership:
    """The members as of the last entry applied to ``store``, whose ``/0`` is written to."""

    def __init__(self, store: Store, conf_state: ConfState) -> None:
        """Of a key space that is new, or came out of a snapshot with this ``conf_state``. Raises MembershipError."""
        self.members: dict[int, OneOf] = {}
        self.removed: set[int] = set()
        self._store = store
        self._voters = set(conf_state.voters)
        self._learners = set(conf_state.learners)
        for path, value in _files_below(store, MEMBERS):
            member, _, name = path.partition("/")
            if name == "raftAttributes":
                said = _object(value, f"{MEMBERS}/{path}")
                self.members[_id(member)] = OneOf(_texts(said.get("peerURLs")), said.get("isLearner") is True)
        self.removed = {_id(path) for path, _ in _files_below(store, REMOVED)}

    @property
    def conf_state(self) -> ConfState:
        return ConfState(tuple(sorted(self._voters)), tuple(sorted(self._learners)))

    def change(self, change: ConfChange) -> bool:
        """A committed change of members. False, with nothing changed, when the members there are do not allow it.
        Raises MembershipError."""
        member = change.node_id
        known = self.members.get(member)
        said = _object(change.context, "a change of members") if change.context else {}
        promotes = said.get("isPromote") is True
        described = OneOf(_texts(said.get("peerURLs")), said.get("isLearner") is True)
        if not self._is_allowed(change, described, promotes):
            return False
        if change.type is not ConfChangeType.REMOVE_NODE and said.get("id") != member:
            raise MembershipError(f"a change for member {id_text(member)} describes {said.get('id')!r}")
        if change.type is ConfChangeType.REMOVE_NODE:
            self._remove(member)
        elif known is None:
            self.members[member] = described
            self._try_create(f"{_key(member)}/raftAttributes", described.raft_attributes)
        else:
            peer_urls = known.peer_urls if promotes else described.peer_urls
            changed = OneOf(peer_urls, known.is_learner and not promotes)
            self.members[member] = changed
            self._store.update(f"{_key(member)}/raftAttributes", changed.raft_attributes, now=0)
        self._count(change)
        return True

    def set_attributes(self, member: int, attributes: bytes) -> None:
        """What a member published of itself, as JSON. Raises MembershipError for a member that was never there."""
        if member in self.members:
            said = _object(attributes, f"the attributes of member {id_text(member)}")
            fields = {name: said[name] for name in ("name", "clientURLs") if said.get(name)}
            self._store.set(f"{_key(member)}/attributes", compact_json(fields), now=0)
        elif member not in self.removed:
            raise MembershipError(f"attributes of the unknown member {id_text(member)}")

    def set_version(self, version: bytes) -> None:
        self._store.set(VERSION, version, now=0)

    def _is_allowed(self, change: ConfChange, described: OneOf, promotes: bool) -> bool:
        member = change.node_id
        known = self.members.get(member)
        if member in self.removed:
            return False
        if change.type is ConfChangeType.REMOVE_NODE:
            return known is not None
        if change.type in _ADDING and promotes:
            return known is not None and known.is_learner
        if (change.type in _ADDING) != (known is None):
            return False
        others = [other for number, other in self.members.items() if number != member]
        if {url for other in others for url in other.peer_urls} & set(described.peer_urls):
            return False
        learners = sum(other.is_learner for other in others)
        return not (change.type in _ADDING and described.is_learner and learners >= _MOST_LEARNERS)

    def _remove(self, member: int) -> None:
        del self.members[member]
        self.removed.add(member)
        self._store.delete(_key(member), dir=True, recursive=True, now=0)
        self._try_create(f"{REMOVED}/{id_text(member)}", b"")

    def _try_create(self, path: str, value: bytes) -> None:
        try:
            self._store.create(path, value, now=0)
        except EtcdError as error:
            raise MembershipError(f"{path}: {error}") from error

    def _count(self, change: ConfChange) -> None:
        """Who votes, as raft has it."""
        if change.type is ConfChangeType.UPDATE_NODE:
            return
        self._voters.discard(change.node_id)
        self._learners.discard(change.node_id)
        if change.type is ConfChangeType.ADD_NODE:
            self._voters.add(change.node_id)
        elif change.type is ConfChangeType.ADD_LEARNER:
            self._learners.add(change.node_id)


def _key(member: int) -> str:
    return f"{MEMBERS}/{id_text(member)}"


def _files_below(store: Store, top: str) -> Iterator[tuple[str, bytes]]:
    for path, file in store.freeze().files.items():
        if path.startswith(top + "/"):
            yield path[len(top) + 1 :], file.value or b""


def _id(text: str) -> int:
    try:
        return parse_id(text)
    except ValueError as error:
        raise MembershipError(f"the list of members: {error}") from None


def _object(data: bytes, what: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MembershipError(f"{what}: not a JSON object: {data[:80]!r}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
