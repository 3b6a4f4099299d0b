"""The table of the members, as the cluster knows them. It lives in the key space under /0, where etcd keeps
it:

    /0/members/ID/raftAttributes   {"peerURLs":[...]}
    /0/members/ID/attributes       {"name":"...","clientURLs":[...]}, written by the member itself at each start
    /0/removed_members/ID          empty; an id once removed is never accepted again
    /0/version                     2.3.0

The table here is rebuilt from there after a snapshot, and follows the log afterwards. Every change of
members takes store indexes and slots in the history, like a client's write.
"""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from server.cluster.ids import id_text, parse_id
from server.jsonrules import as_utf8
from server.storage.codec import ConfChange, ConfChangeType
from server.store.errors import ErrorCode, EtcdError
from server.store.node import StoreNode
from server.store.store import Store

logger = logging.getLogger(__name__)

MEMBERS = "/0/members"
REMOVED = "/0/removed_members"
VERSION = "/0/version"

_ATTRIBUTES_PATH = re.compile(r"/0/members/([0-9a-fA-F]{1,16})/attributes")

_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")

_KINDS = (ConfChangeType.ADD_NODE, ConfChangeType.REMOVE_NODE, ConfChangeType.UPDATE_NODE)


class MemberError(Exception):
    """A change of members, or what the key space says of them, that cannot be."""


class ChangeRefusal(Enum):
    """Why a well-formed change of members is not made; the texts are etcd's."""

    ID_REMOVED = "etcdserver: ID removed"
    ID_EXISTS = "etcdserver: ID exists"
    ID_NOT_FOUND = "etcdserver: ID not found"
    PEER_URL_EXISTS = "etcdserver: peerURL exists"
    NOT_ENOUGH_STARTED = "etcdserver: re-configuration failed due to not enough started members"


class ChangeRefused(MemberError):
    """A change of members that the members there are do not allow."""

    def __init__(self, why: ChangeRefusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(slots=True, frozen=True)
class Member:
    """``name`` and ``client_urls`` are empty until the member has started and published them."""

    id: int
    name: str = ""
    peer_urls: tuple[str, ...] = ()
    client_urls: tuple[str, ...] = ()

    @property
    def context(self) -> bytes:
        """The member as conf changes and the peers' /members carry it: JSON with the id as a DECIMAL
        number."""
        return compact_json({"id": self.id, "peerURLs": list(self.peer_urls), **self._attributes()})

    @property
    def attributes(self) -> bytes:
        """What the member publishes of itself."""
        return compact_json(self._attributes())

    def _attributes(self) -> dict[str, object]:
        fields: dict[str, object] = {}
        if self.name:
            fields["name"] = self.name
        if self.client_urls:
            fields["clientURLs"] = list(self.client_urls)
        return fields

    @property
    def attributes_path(self) -> str:
        return f"{MEMBERS}/{id_text(self.id)}/attributes"

    @classmethod
    def from_context(cls, context: bytes) -> "Member":
        """The member that a conf change is about. Raises MemberError."""
        return cls.from_json(_json_object(context, "the context of a conf change"))

    @classmethod
    def from_json(cls, value: object) -> "Member":
        """The member in a JSON value that was read from a conf change or the peers' /members. Raises MemberError."""
        number = value.get("id") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(number, int) or not 0 <= number < 1 << 64:
            raise MemberError(f"a member's JSON has no id: {str(value)[:80]}")
        return cls(number)._with(value)

    def _with(self, fields: dict[str, object]) -> "Member":
        """With what these JSON fields say, as far as they say it."""
        changes: dict[str, object] = {}
        for key, field in (("peerURLs", "peer_urls"), ("clientURLs", "client_urls")):
            value = fields.get(key)
            if isinstance(value, list):
                changes[field] = tuple(as_utf8(url) for url in value if isinstance(url, str))
        if isinstance(name := fields.get("name"), str):
            changes["name"] = as_utf8(name)
        return replace(self, **changes)  # type: ignore[arg-type]


class Members:
    """The members and the cluster version, as of the last entry applied."""

    def __init__(self, cluster: int) -> None:
        self.cluster_id = cluster
        self.version: str | None = None
        """major.minor.patch as stored, None until the first leader has set it."""
        self._members: dict[int, Member] = {}
        self._removed: set[int] = set()

    def __iter__(self) -> Iterator[Member]:
        return iter(sorted(self._members.values(), key=lambda member: member.id))

    def get(self, member: int) -> Member | None:
        return self._members.get(member)

    def is_removed(self, member: int) -> bool:
        return member in self._removed

    def client_urls(self) -> list[str]:
        """Those of all members, sorted."""
        return sorted(url for member in self._members.values() for url in member.client_urls)

    def recover(self, store: Store, now: int) -> None:
        """Reads the table from a key space that came out of a snapshot. Raises MemberError for what is not
        one."""
        self._members, self._removed = _tables(store, now)
        version = _value(store, VERSION, now)
        self.version = None if version is None else version.decode("utf-8", "replace")

    def apply_conf_change(self, change: ConfChange, store: Store, now: int) -> Member | None:
        """A committed change of members: into the table and the key space. Returns the member as it is now,
        None for one that was removed. Raises MemberError, with nothing changed, when the change is not valid
        any more."""
        if change.type not in _KINDS:
            raise MemberError("etcd 2.x has no learners")
        members, removed = _tables(store, now)  # as etcd does, and counts: clients see it in /v2/stats/store
        if change.node_id in removed:
            raise ChangeRefused(ChangeRefusal.ID_REMOVED)
        key = f"{MEMBERS}/{id_text(change.node_id)}"
        known = members.get(change.node_id)
        adds = change.type is ConfChangeType.ADD_NODE
        if adds == (known is not None):
            raise ChangeRefused(ChangeRefusal.ID_EXISTS if adds else ChangeRefusal.ID_NOT_FOUND)
        if change.type is ConfChangeType.REMOVE_NODE:
            store.delete(key, dir=True, recursive=True, now=now)
            store.create(f"{REMOVED}/{id_text(change.node_id)}", now=now)
            del self._members[change.node_id]
            self._removed.add(change.node_id)
            return None
        member = Member.from_context(change.context)
        if member.id != change.node_id:
            raise MemberError(f"a conf change for {id_text(change.node_id)} describes {id_text(member.id)}")
        taken = {url for other in members.values() if other.id != member.id for url in other.peer_urls}
        if taken & set(member.peer_urls):
            raise ChangeRefused(ChangeRefusal.PEER_URL_EXISTS)
        raft_attributes = compact_json({"peerURLs": list(member.peer_urls)})
        if adds:
            store.create(f"{key}/raftAttributes", raft_attributes, now=now)
        else:
            store.update(f"{key}/raftAttributes", raft_attributes, now=now)
            member = replace(self._members[member.id], peer_urls=member.peer_urls)
        self._members[member.id] = member
        return member

    def check_can_add(self) -> None:
        """What --strict-reconfig-check asks before an addition. Raises ChangeRefused.

        One member may always be joined by a second, though the two have no quorum until that one has started.
        """
        started, after = self._started(), len(self._members) + 1
        if (started, after) != (1, 2):
            _check_quorum("add", started, after)

    def check_can_remove(self, member: int) -> None:
        """What --strict-reconfig-check asks before a removal. Raises ChangeRefused."""
        after = len(self._members) - (member in self._members)
        _check_quorum("remove", self._started(without=member), after)

    def _started(self, without: int = 0) -> int:
        return sum(bool(member.name) for member in self._members.values() if member.id != without)

    def check_put(self, path: str) -> None:
        """Raises MemberError for a PUT of the attributes of a member that was never there."""
        found = _ATTRIBUTES_PATH.fullmatch(path)
        if found is None:
            return
        member = parse_id(found[1])
        if member not in self._members and member not in self._removed:
            raise MemberError(f"error updating attributes of unknown member {id_text(member)}")

    def apply_put(self, path: str, value: bytes) -> bool:
        """A plain PUT is about to be applied: takes over what it says of a member or of the cluster version.

        False when it concerns a removed member, and then is not to be applied. Raises MemberError for a
        member that was never there, and for what is not JSON: real members never write such entries.
        """
        if path == VERSION:
            self.version = value.decode("utf-8", "replace")
            return True
        self.check_put(path)
        found = _ATTRIBUTES_PATH.fullmatch(path)
        if found is None:
            return True
        member = parse_id(found[1])
        if member in self._removed:
            return False
        unpublished = replace(self._members[member], name="", client_urls=())
        self._members[member] = unpublished._with(_json_object(value, path))
        return True


def check_put(path: str, value: bytes) -> None:
    """Raises MemberError when a plain PUT of a member's attributes is none that ``Members.apply_put`` could take,
    whichever members there are."""
    if _ATTRIBUTES_PATH.fullmatch(path):
        _json_object(value, path)


def compact_json(value: object) -> bytes:
    """JSON as Go writes it: no blanks, ``<``, ``>``, ``&`` and the two odd line ends escaped, the rest UTF-8. What is
    not UTF-8, as in a name from the command line, is escaped as U+FFFD, or no member could read it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    text = _NOT_UTF8.sub(r"\\ufffd", text)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _json_object(data: bytes, where: str) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MemberError(f"{where}: not a JSON object: {data[:80]!r}")
    return value


def _check_quorum(change: str, started: int, members: int) -> None:
    quorum = members // 2 + 1
    if started < quorum:
        logger.warning(
            "Reject %s member request: the number of started member (%d) will be less than "
            "the quorum number of the cluster (%d)",
            change,
            started,
            quorum,
        )
        raise ChangeRefused(ChangeRefusal.NOT_ENOUGH_STARTED)


def _tables(store: Store, now: int) -> tuple[dict[int, Member], set[int]]:
    """The members and the removed ids, as the key space has them."""
    nodes = _children(store, MEMBERS, now)
    if nodes is None:
        return {}, set()
    members = {}
    for node in nodes:
        member = Member(_id_of(node))
        for attribute in node.nodes or ():
            member = member._with(_json_object(attribute.value or b"", attribute.key))
        members[member.id] = member
    return members, {_id_of(node) for node in _children(store, REMOVED, now) or ()}


def _id_of(node: StoreNode) -> int:
    try:
        return parse_id(node.key.rpartition("/")[2])
    except ValueError as error:
        raise MemberError(f"{node.key}: {error}") from None


def _children(store: Store, path: str, now: int) -> list[StoreNode] | None:
    """None when there is nothing at ``path``."""
    node = _node(store, path, now, recursive=True)
    return None if node is None else node.nodes or []


def _value(store: Store, path: str, now: int) -> bytes | None:
    node = _node(store, path, now)
    return None if node is None else node.value


def _node(store: Store, path: str, now: int, *, recursive: bool = False) -> StoreNode | None:
    try:
        return store.get(path, recursive=recursive, sorted=recursive, now=now).node
    except EtcdError as error:
        if error.code == ErrorCode.KEY_NOT_FOUND:
            return None
        raise MemberError(f"{path}: {error}") from error
