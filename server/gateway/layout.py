"""The keys in the etcd 3: their names, and what is in them. Pure.

============================== =============================================================== ======================
key                            value                                                           written by
============================== =============================================================== ======================
DATA + path of a file in /1    the value of the v2 key, raw                                    checkpoint
META ``node`` + store path     the rest of the node: indexes, expiration; JSON                 checkpoint
META ``event/`` FIRST          the events since the checkpoint before, for waitIndex           checkpoint
META ``gone/`` INDEX           paths whose published values are still to be removed            checkpoint
META ``log/`` BOOT ``/`` SEQ   a batch of requests                                             any gateway
META ``log/tail``              nothing; its version counts the appends there ever were         every append
META ``log/mark``              how far the checkpoints are                                     checkpoint
META ``seq/`` BOOT             nothing; its version counts the appends of that life            every append
META ``gateway/`` ID           name, client URLs, BOOT, wall clock                             its gateway
META ``gateway/tender``        BOOT of the gateway that writes checkpoints and lets keys end   the tender
META ``format``                ``1`` or what is under way, and DATA ``/``, to which META belongs   the first start
============================== =============================================================== ======================

BOOT is 16 random hex digits, of one life of a gateway; SEQ counts its appends from 1. The keys ``seq/``, ``gateway/``
ID and ``gateway/tender`` have a lease of that life: once it is lost, nothing of that life can be appended any more, not
even by a request that is still on its way.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from server.cluster.ids import id_text
from server.gateway.v3 import KeyValue
from server.storage.requests import StoreRequest, decode_request
from server.store import Event, StoreNode
from server.store.node import Directory

FORMAT, IMPORTING, LEAVING = b"1", b"importing", b"leaving"
"""What there is: keys that gateways may serve; of an import or of ``gateway leave`` that has not come to its end."""

FIRST_RULES = 1
"""The number of the rules by which requests are applied until a record of the log changes them; see ``switching``."""

KEYS = "/1"
"""The directory of the store with the clients' keys; nothing else is published."""
_PUBLISHED = KEYS + "/"

EVENT_VALUE = 4 << 10
"""Bytes of values, the old and the new together, up to which an event is kept for waitIndex. A choice: the last events
of small keys are kept, and a thousand of large ones do not fill the etcd."""

_BATCH, _RULES = b"\x01", b"\x02"


class LayoutError(Exception):
    """A key in the etcd does not have what a gateway writes; the message names the key."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the checkpoints are: they contain all records of the log before ``revision``, and ``done`` requests of
    the record there. ``index`` is the store's, ``sum`` the running sum of all events up to there, ``tail`` counts the
    records up to that one, ``rules`` is the number of those in force."""

    revision: int
    done: int
    index: int
    sum: int
    tail: int
    rules: int = FIRST_RULES

    def encode(self) -> bytes:
        return json.dumps(
            {
                "rev": self.revision,
                "done": self.done,
                "index": self.index,
                "sum": self.sum,
                "tail": self.tail,
                "rules": self.rules,
            },
            separators=(",", ":"),
        ).encode()

    @classmethod
    def decode(cls, value: bytes) -> "Mark":
        """Raises LayoutError."""
        try:
            found = json.loads(value)
            return cls(*(int(found[name]) for name in ("rev", "done", "index", "sum", "tail", "rules")))
        except (ValueError, KeyError, TypeError) as error:
            raise LayoutError(f"log/mark cannot be read: {error}") from None


class Registration(NamedTuple):
    """What a gateway says about itself; ``wall`` is its clock in unix milliseconds, ``rules`` the highest number of
    rules that it knows."""

    name: str
    client_urls: tuple[str, ...]
    boot: str
    wall: int
    rules: int = FIRST_RULES

    def encode(self) -> bytes:
        return json.dumps(
            {
                "name": self.name,
                "clientURLs": self.client_urls,
                "boot": self.boot,
                "wall": self.wall,
                "rules": self.rules,
            }
        ).encode()

    @classmethod
    def decode(cls, value: bytes) -> "Registration":
        """Raises LayoutError."""
        try:
            found = json.loads(value)
            urls = tuple(map(str, found["clientURLs"]))
            return cls(
                str(found["name"]), urls, str(found["boot"]), int(found["wall"]), int(found.get("rules", 1))
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LayoutError(f"a gateway's registration cannot be read: {error}") from None


class Layout:
    """The names of keys, below the two prefixes. Paths are those of the store."""

    def __init__(self, data: str = "", meta: str = "etcd02/") -> None:
        prefix = meta.encode("utf-8", "surrogateescape")
        self.data = data.encode("utf-8", "surrogateescape")
        self.meta = prefix
        self._node = prefix + b"node"
        self.format = prefix + b"format"
        self.log = prefix + b"log/"
        self.tail = prefix + b"log/tail"
        self.mark = prefix + b"log/mark"
        self.nodes = prefix + b"node/"
        self.events = prefix + b"event/"
        self.gone = prefix + b"gone/"
        self.gateways = prefix + b"gateway/"
        self.tender = prefix + b"gateway/tender"
        self.published_root = self.data + b"/"

    def format_value(self, state: bytes) -> bytes:
        """What is in the format key: FORMAT, IMPORTING or LEAVING, and where the published keys are."""
        return b"%s %s" % (state, self.published_root)

    def state_in(self, value: bytes) -> bytes:
        """The state in the format key's value; of a format that is not known, its number. Raises LayoutError when the
        records belong to keys below another DATA: all would be missing, and seem to have been deleted over v3."""
        state, _, root = value.partition(b" ")
        if state in (FORMAT, IMPORTING, LEAVING) and root != self.published_root:
            raise LayoutError(
                f"the records below {shown(self.meta)} are of the keys below {shown(root)}, not of those below "
                f"{shown(self.published_root)}: give --gateway-data-prefix={shown(root[:-1])}, as at the first start"
            )
        return state

    def record(self, boot: str, seq: int) -> bytes:
        return b"%s%s/%010d" % (self.log, boot.encode(), seq)

    def seq(self, boot: str) -> bytes:
        return self.meta + b"seq/" + boot.encode()

    def gateway(self, member: int) -> bytes:
        return self.gateways + id_text(member).encode()

    def node(self, path: str) -> bytes:
        return self._node + path.encode("utf-8", "surrogateescape")

    def event(self, first: int) -> bytes:
        return b"%s%020d" % (self.events, first)

    def gone_at(self, index: int) -> bytes:
        return b"%s%020d" % (self.gone, index)

    def published(self, path: str) -> bytes:
        """Of a file below /1."""
        return self.data + path[len(KEYS) :].encode("utf-8", "surrogateescape")

    def read_record(self, key: bytes) -> tuple[str, int]:
        """BOOT and SEQ of a record of the log. Raises LayoutError."""
        boot, _, seq = key[len(self.log) :].partition(b"/")
        if len(boot) == 16 and len(seq) == 10 and seq.isdigit():
            try:
                int(boot, 16)
                return boot.decode(), int(seq)
            except ValueError:
                pass
        raise LayoutError(
            f"{shown(key)} is not a record of a gateway: somebody else has written into the log. To continue "
            f"without it, delete it: etcdctl del {shown(key)}"
        )

    def read_path(self, key: bytes) -> str:
        """The store path of a node's record."""
        return key[len(self._node) :].decode("utf-8", "surrogateescape")


def is_published(path: str) -> bool:
    return path.startswith(_PUBLISHED)


def shown(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")


# Records of the log


def encode_batch(requests: Iterable[bytes]) -> bytes:
    """``requests`` are as ``encode_request`` makes them."""
    parts = [_BATCH]
    for data in requests:
        parts += (len(data).to_bytes(4, "big"), data)
    return b"".join(parts)


def encode_rules(rules: int) -> bytes:
    return _RULES + str(rules).encode()


def decode_record(key: bytes, value: bytes) -> list[bytes] | int:
    """The requests of a batch, or the number of the rules in force from there on. Raises LayoutError."""
    kind, at = value[:1], 1
    if kind == _RULES and value[1:].isdigit():
        return int(value[1:])
    found = []
    if kind == _BATCH:
        while at + 4 <= len(value):
            size = int.from_bytes(value[at : at + 4], "big")
            at += 4 + size
            found.append(value[at - size : at])
    if at != len(value) or not found:
        raise LayoutError(f"{shown(key)} is not a record that a gateway of this release can read")
    return found


def read_request(key: bytes, data: bytes) -> StoreRequest:
    """Raises LayoutError."""
    try:
        request = decode_request(data)
    except Exception as error:  # of protobuf, or of the codec
        raise LayoutError(f"{shown(key)}: {error}") from error
    if request is None:
        raise LayoutError(f"{shown(key)} has a request of another kind in it")
    return request


# Nodes


def encode_node(node: StoreNode | Directory) -> bytes:
    """The record of a node: what its published value does not say."""
    text = f'{{"c":{node.created_index},"m":{node.modified_index}'
    if node.expiration is not None:
        text += f',"e":{node.expiration}'
    if isinstance(node, Directory):
        text += ',"d":true'
    elif not is_published(node.key):
        text += f',"v":"{_base64(node.value or b"")}"'
    return (text + "}").encode()


def decode_node(path: str, record: bytes, published: bytes | None) -> StoreNode | Directory | None:
    """The node of a record; None for a file that has no value any more. Raises LayoutError."""
    try:
        found = json.loads(record)
        created, modified = int(found["c"]), int(found["m"])
        expiration = int(found["e"]) if "e" in found else None
        if found.get("d"):
            return Directory(path, modified, created, expiration)
        value = base64.b64decode(found["v"]) if "v" in found else published
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise LayoutError(f"the record of {path} cannot be read: {error}") from None
    return None if value is None else StoreNode(path, value, modified, created, expiration)


def is_directory(record: bytes) -> bool:
    return b'"d":true' in record


def has_drifted(record: KeyValue, value: KeyValue | None) -> bool:
    """Whether somebody else has written the published ``value``: a file's two keys are always written by the same
    transaction."""
    if is_directory(record.value):
        return False
    return value is None or value.mod_revision != record.mod_revision


# Events


def encode_events(events: Iterable[Event]) -> bytes:
    """One line for each event; a dash for one whose values are longer than ``EVENT_VALUE``."""
    return b"\n".join(map(_encode_event, events))


def _encode_event(event: Event) -> bytes:
    previous = event.prev_node
    size = len(event.node.value or b"") + (0 if previous is None else len(previous.value or b""))
    if size > EVENT_VALUE:
        return b"-"
    before = "null" if previous is None else _fields_of(previous)
    refresh = ",true" if event.refresh else ""
    return f'["{event.action}",{_fields_of(event.node)},{before}{refresh}]'.encode()


def _fields_of(node: StoreNode) -> str:
    """A list in JSON. Put together by hand: a gateway under load makes thousands a second, and one that ``json`` makes
    takes five times as long."""
    value = "null" if node.value is None else f'"{_base64(node.value)}"'
    expiration = "null" if node.expiration is None else str(node.expiration)
    is_dir = "true" if node.dir else "false"
    indexes = f"{node.modified_index},{node.created_index}"
    return f"[{json.dumps(node.key)},{value},{indexes},{expiration},{node.ttl},{is_dir}]"


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def decode_events(value: bytes) -> list[Event | None]:
    """The events of a chunk, None for one that was not kept. Raises LayoutError."""
    try:
        return [None if line == b"-" else _decode_event(line) for line in value.split(b"\n") if line]
    except (ValueError, TypeError, KeyError, IndexError, binascii.Error) as error:
        raise LayoutError(f"a chunk of events cannot be read: {error}") from None


def _decode_event(line: bytes) -> Event:
    action, node, previous, *refresh = json.loads(line)
    shown_node = _node_of(node)
    before = None if previous is None else _node_of(previous)
    return Event(action, shown_node, before, shown_node.modified_index, bool(refresh))


def _node_of(fields: list[object]) -> StoreNode:
    key, value, modified, created, expiration, ttl, is_dir = fields
    data = None if value is None else base64.b64decode(str(value))
    return StoreNode(
        str(key),
        data,
        int(str(modified)),
        int(str(created)),
        None if expiration is None else int(str(expiration)),
        int(str(ttl)),
        bool(is_dir),
    )


def sum_of(event: Event, before: int) -> int:
    """The running sum of all events. The remaining TTL is not in it: every gateway counts that by its own clock."""
    node = event.node
    head = f"{event.action} {node.modified_index} {node.created_index} {node.expiration} {node.key}"
    return zlib.crc32(node.value or b"", zlib.crc32(head.encode("utf-8", "surrogateescape"), before))


# Paths whose published values are still to be removed


def encode_paths(paths: Sequence[str]) -> bytes:
    return zlib.compress("\n".join(map(_escaped, paths)).encode("utf-8", "surrogateescape"), 1)


def decode_paths(value: bytes) -> list[str]:
    """Raises LayoutError."""
    try:
        text = zlib.decompress(value).decode("utf-8", "surrogateescape")
    except zlib.error as error:
        raise LayoutError(f"a list of removed paths cannot be read: {error}") from None
    return [json.loads(line) for line in text.split("\n")]


def _escaped(path: str) -> str:
    return json.dumps(path, ensure_ascii=True)
