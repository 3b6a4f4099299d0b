"""The values of the log as bytes, and back: what 2.3.8 writes, to the byte.

etcd's generators write every scalar, also when it is 0, and leave an empty ``bytes`` field out; so does this.
(etcd 2.0 wrote an empty ``Data`` as ``22 00``; it is read like a missing one.) Decoders raise CodecError and nothing
else. Encoders raise ValueError when a number does not fit its field, which is a mistake of the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from server.proto import raft_pb2, wal_pb2
from server.raft.types import Entry, EntryType, HardState, Snapshot
from server.storage.errors import CodecError
from server.storage.varint import is_whole, read_size, read_varint, varint

_PLAIN = 1 << 63
"""Numbers below need no look at how protobuf treats the 64th bit."""

_ENTRY_TYPES = (EntryType.NORMAL, EntryType.CONF_CHANGE)


class WalMetadata(NamedTuple):
    """Whose log this is; is at the head of every segment and never changes."""

    node_id: int
    cluster_id: int


@dataclass(slots=True, frozen=True, order=True)
class WalPosition:
    """A place in the log: that of a snapshot, or (0, 0) for its beginning."""

    index: int = 0
    term: int = 0


class ConfChangeType(IntEnum):
    ADD_NODE = 0
    REMOVE_NODE = 1
    UPDATE_NODE = 2
    ADD_LEARNER = 3  # 3.4 and later; a 2.x member has to refuse it


@dataclass(slots=True, frozen=True)
class ConfChange:
    """The data of a conf-change entry. ``context`` is JSON about the member, empty when one is removed.

    ``id`` is a request id, 0 in the entries a cluster is born with; ``node_id`` is the member's.
    """

    type: ConfChangeType
    node_id: int
    id: int = 0
    context: bytes = b""


def encode_entry(entry: Entry) -> bytes:
    data = entry.data
    fields = (b"\x08", varint(entry.type), b"\x10", varint(entry.term), b"\x18", varint(entry.index))
    return b"".join((*fields, b"\x22", varint(len(data)), data) if data else fields)


def decode_entry(data: bytes) -> Entry:
    """Raises CodecError also for the entry types that came after 2.x: to skip one would be to lose a write."""
    entry = _plain_entry(data)
    if entry is not None:
        return entry
    return entry_in(parse(raft_pb2.Entry, data, "log entry"))


def entry_in(message: raft_pb2.Entry) -> Entry:
    """Raises CodecError, as ``decode_entry``."""
    if not 0 <= message.Type < len(_ENTRY_TYPES):
        raise CodecError(
            f"log entry {message.Index} has type {message.Type}, which etcd 2.x does not have; "
            "it was written by a newer etcd, or is damaged"
        )
    return Entry(message.Term, message.Index, message.Data, _ENTRY_TYPES[message.Type])


def _plain_entry(data: bytes) -> Entry | None:
    """An entry with its fields as ``encode_entry`` writes them, read in a quarter of the time: a start may read
    hundreds of thousands. None for all else, which the protobuf library judges."""
    size = len(data)
    if size < 6 or data[0] != 0x08 or data[1] > 1 or data[2] != 0x10:
        return None
    term, at = read_varint(data, 3)
    if not is_whole(data, 3, at, term, _PLAIN) or at >= size or data[at] != 0x18:
        return None
    begin = at + 1
    index, at = read_varint(data, begin)
    if not is_whole(data, begin, at, index, _PLAIN):
        return None
    kind = EntryType.CONF_CHANGE if data[1] else EntryType.NORMAL
    if at == size:
        return Entry(term, index, b"", kind)
    if data[at] != 0x22:
        return None
    length, at = read_size(data, at + 1)
    return Entry(term, index, data[at:], kind) if length > 0 and at + length == size else None


def encode_hard_state(state: HardState) -> bytes:
    return b"".join((b"\x08", varint(state.term), b"\x10", varint(state.vote), b"\x18", varint(state.commit)))


def decode_hard_state(data: bytes) -> HardState:
    message = _parse_exact(raft_pb2.HardState, data, "hard state")
    return HardState(message.term, message.vote, message.commit)


def encode_metadata(metadata: WalMetadata) -> bytes:
    return wal_pb2.Metadata(NodeID=metadata.node_id, ClusterID=metadata.cluster_id).SerializeToString()


def decode_metadata(data: bytes) -> WalMetadata:
    message = _parse_exact(wal_pb2.Metadata, data, "log metadata")
    return WalMetadata(message.NodeID, message.ClusterID)


def encode_position(position: WalPosition) -> bytes:
    return wal_pb2.Snapshot(index=position.index, term=position.term).SerializeToString()


def decode_position(data: bytes) -> WalPosition:
    message = _parse_exact(wal_pb2.Snapshot, data, "snapshot marker")
    return WalPosition(message.index, message.term)


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """A ``raftpb.Snapshot``: the content of a .snap file inside its checksum, and part of a snapshot message."""
    metadata = raft_pb2.SnapshotMetadata(
        conf_state=raft_pb2.ConfState(nodes=snapshot.nodes), index=snapshot.index, term=snapshot.term
    )
    return raft_pb2.Snapshot(data=snapshot.data or None, metadata=metadata).SerializeToString()


def decode_snapshot(data: bytes) -> Snapshot:
    message = parse(raft_pb2.Snapshot, data, "snapshot")
    metadata = message.metadata
    return Snapshot(metadata.index, metadata.term, tuple(metadata.conf_state.nodes), message.data)


def encode_conf_change(change: ConfChange) -> bytes:
    return raft_pb2.ConfChange(
        ID=change.id, Type=change.type, NodeID=change.node_id, Context=change.context or None
    ).SerializeToString()


def decode_conf_change(data: bytes) -> ConfChange:
    message = parse(raft_pb2.ConfChange, data, "conf change")
    try:
        kind = ConfChangeType(message.Type)
    except ValueError:
        raise CodecError(f"conf change has type {message.Type}, which no etcd up to 3.5 has") from None
    return ConfChange(kind, message.NodeID, message.ID, message.Context)


_M = TypeVar("_M", bound=Message)


def parse(kind: type[_M], data: bytes, what: str) -> _M:
    """Bytes as a protobuf message of ``kind``; CodecError saying that this is no ``what`` otherwise."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise CodecError(f"{len(data)} bytes that do not decode as a {what}") from error


def _parse_exact(kind: type[_M], data: bytes, what: str) -> _M:
    """Refuses fields that are missing or too many.

    A record's checksum covers its data and not its type, so a flipped bit can turn one kind of record into another;
    that etcd always writes the same fields in the same order is what gives it away.
    """
    message = parse(kind, data, what)
    message.DiscardUnknownFields()
    if message.SerializeToString() != data or len(message.ListFields()) != len(kind.DESCRIPTOR.fields):
        raise CodecError(f"{len(data)} bytes that do not have the fields of a {what}")
    return message
