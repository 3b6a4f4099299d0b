"""The values of a log of etcd 3.x that 2.x has in another form, or not at all. See ``server.storage.codec``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from server.proto import etcd3_pb2, raft_pb2
from server.raft.types import HardState
from server.storage.codec import parse
from server.storage.errors import CodecError


@dataclass(slots=True, frozen=True)
class ConfState:
    """The ids of the members at some index, by whether they vote."""

    voters: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()


@dataclass(slots=True, frozen=True)
class Marker:
    """What the log says of a snapshot. ``conf_state`` is None in those of 3.4 and older."""

    index: int = 0
    term: int = 0
    conf_state: ConfState | None = None


@dataclass(slots=True, frozen=True)
class SnapshotOf3x:
    """A .snap file: the key space of v2 at ``index``, as JSON."""

    index: int
    term: int
    conf_state: ConfState
    data: bytes


def encode_marker(marker: Marker) -> bytes:
    message = etcd3_pb2.Marker(index=marker.index, term=marker.term)
    if marker.conf_state is not None:
        message.conf_state.CopyFrom(_conf_state_message(marker.conf_state))
    return message.SerializeToString()


def decode_marker(data: bytes) -> Marker:
    message = _parse_known(etcd3_pb2.Marker, data, "snapshot marker")
    state = _conf_state(message.conf_state) if message.HasField("conf_state") else None
    return Marker(message.index, message.term, state)


def decode_hard_state(data: bytes) -> HardState:
    message = _parse_known(raft_pb2.HardState, data, "hard state")
    return HardState(message.term, message.vote, message.commit)


def encode_snapshot(snapshot: SnapshotOf3x) -> bytes:
    metadata = etcd3_pb2.SnapshotMetadata(
        conf_state=_conf_state_message(snapshot.conf_state), index=snapshot.index, term=snapshot.term
    )
    return etcd3_pb2.Snapshot(data=snapshot.data or None, metadata=metadata).SerializeToString()


def decode_snapshot(data: bytes) -> SnapshotOf3x:
    message = parse(etcd3_pb2.Snapshot, data, "snapshot")
    metadata = message.metadata
    return SnapshotOf3x(metadata.index, metadata.term, _conf_state(metadata.conf_state), message.data)


def _conf_state_message(state: ConfState) -> etcd3_pb2.ConfState:
    return etcd3_pb2.ConfState(voters=state.voters, learners=state.learners, auto_leave=False)


def _conf_state(message: etcd3_pb2.ConfState) -> ConfState:
    if message.voters_outgoing or message.learners_next or message.auto_leave:
        raise CodecError(
            "a joint change of members is under way here, which no etcd makes: this is not understood"
        )
    return ConfState(tuple(message.voters), tuple(message.learners))


_M = TypeVar("_M", bound=Message)


def _parse_known(kind: type[_M], data: bytes, what: str) -> _M:
    """Refuses fields that this message does not have: a record's checksum does not cover its type, so one kind of
    record may have turned into another. A field that is 0 may be missing."""
    message = parse(kind, data, what)
    message.DiscardUnknownFields()
    if message.SerializeToString() != data:
        raise CodecError(f"{len(data)} bytes that do not have the fields of a {what}")
    return message
