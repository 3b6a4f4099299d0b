"""Consensus messages on the wire, as etcd 2.3 writes and reads them: ``raftpb.Message``, and the frames of the two
streams that members keep open to each other.

Bytes in, messages out, and back; no I/O. Written is what 2.3.8 writes, to the byte: every scalar, also when it is 0,
and an empty snapshot. Read is what 2.x and 3.x write. Whatever a peer sends, decoding it raises WireError or nothing,
and what comes out is something that ``Raft.step`` can take.

    message stream    8 bytes of length (big-endian), a message; a heartbeat of the link is a message from 0 to 0
    msgapp stream     00                                                             heartbeat of the link
                      01, count, count x (length, entry), commit (8 bytes each)      APPEND that follows the last
                      02, length, message                                            any other APPEND
"""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol

from google.protobuf.message import DecodeError

from server.proto import raft_pb2
from server.raft import Entry, Message, MessageType, Snapshot
from server.storage.codec import decode_entry, encode_entry, entry_in
from server.storage.errors import CodecError
from server.storage.varint import read_varint

MAX_MESSAGE = 512 << 20
"""Bytes of one message or frame; what 3.x lets through, too."""


MAX_ENTRIES = 1 << 20
"""Entries of one message. Leaders send a megabyte of them at most, which is 170,000 empty ones."""

MAX_MEMBERS = 1 << 12
"""Members in a snapshot. Clusters have up to nine; a forged list would make as many voters."""

MAX_DATABASE = 64 << 20
"""Bytes of a database of 3.x that are worth looking at: one without data in it is much smaller."""


class WireError(Exception):
    """Bytes from a peer that are not what they should be."""


# Messages

_NO_SNAPSHOT = raft_pb2.Snapshot(
    metadata=raft_pb2.SnapshotMetadata(conf_state=raft_pb2.ConfState(), index=0, term=0)
)
_TYPES = {int(kind): kind for kind in MessageType}


def encode_message(message: Message) -> bytes:
    """Raises ValueError for numbers that do not fit into 64 bits."""
    return raft_pb2.Message(
        type=message.type,
        to=message.to,
        term=message.term,
        logTerm=message.log_term,
        index=message.index,
        entries=map(_from_entry, message.entries),
        commit=message.commit,
        snapshot=_NO_SNAPSHOT if message.snapshot is None else _from_snapshot(message.snapshot),
        reject=message.reject,
        rejectHint=message.hint,
        context=message.context or None,
        **{"from": message.sender},  # a keyword of Python
    ).SerializeToString()


def decode_message(data: bytes) -> Message | None:
    """The message, or None for one of a type that is none of a 2.x member's business.

    Raises WireError also for entries that do not follow the one that the message names, or each other, and for more of
    them than anybody sends: they would take many times the memory of their bytes.
    """
    if len(data) > 2 * MAX_ENTRIES:  # bytes; an entry has two at least
        _check_count(data)
    try:
        got = raft_pb2.Message.FromString(data)
    except DecodeError:
        raise WireError(f"{len(data)} bytes that are no raft message") from None
    kind = _TYPES.get(got.type)
    if kind is None:
        return None
    try:
        entries = tuple(map(entry_in, got.entries))
    except CodecError as error:
        raise WireError(str(error)) from None
    message = Message(
        kind,
        got.to,
        getattr(got, "from"),
        got.term,
        got.index,
        got.logTerm,
        got.commit,
        entries,
        got.reject,
        got.rejectHint,
        _to_snapshot(got.snapshot),
        got.context,
    )
    if kind is MessageType.APPEND:
        _check_order(message)
    if kind is MessageType.SNAPSHOT and message.snapshot is None:
        raise WireError("a snapshot message without a snapshot")
    return message


_ENTRIES_KEY = 7 << 3 | 2
"""What comes before each entry of a message."""

_FIXED_SIZES = {1: 8, 5: 4}
"""Bytes, by the kind of a field. No message has such fields, but they may be skipped."""


def _check_count(data: bytes) -> None:
    """Raises WireError if there are too many entries in a message, without unpacking any."""
    position = count = 0
    while position < len(data):
        key, position = read_varint(data, position)
        kind = key & 7
        if kind == 2:
            size, position = read_varint(data, position)
            position += size
            count += key == _ENTRIES_KEY
        elif kind == 0:
            _, position = read_varint(data, position)
        elif kind in _FIXED_SIZES:
            position += _FIXED_SIZES[kind]
        else:
            raise WireError(f"{len(data)} bytes that are no raft message")
        _within_count(count)


def _within_count(count: int) -> int:
    if count > MAX_ENTRIES:
        raise WireError(f"a message of {count} entries is too long, {MAX_ENTRIES} are the most")
    return count


def _from_entry(entry: Entry) -> raft_pb2.Entry:
    return raft_pb2.Entry(Type=entry.type, Term=entry.term, Index=entry.index, Data=entry.data or None)


def _from_snapshot(snapshot: Snapshot) -> raft_pb2.Snapshot:
    metadata = raft_pb2.SnapshotMetadata(
        conf_state=raft_pb2.ConfState(nodes=snapshot.nodes), index=snapshot.index, term=snapshot.term
    )
    return raft_pb2.Snapshot(data=snapshot.data or None, metadata=metadata)


def _to_snapshot(snapshot: raft_pb2.Snapshot) -> Snapshot | None:
    about = snapshot.metadata
    if about.index == 0:
        return None
    if len(about.conf_state.nodes) > MAX_MEMBERS:
        raise WireError(f"a snapshot of {len(about.conf_state.nodes)} members, {MAX_MEMBERS} are the most")
    return Snapshot(about.index, about.term, tuple(about.conf_state.nodes), snapshot.data)


def _check_order(message: Message) -> None:
    for index, entry in enumerate(message.entries, message.index + 1):
        _check_entry(entry, index, message.term)


def _check_entry(entry: Entry, index: int, term: int) -> None:
    if entry.index != index:
        raise WireError(f"entry {entry.index} where entry {index} belongs")
    if entry.term > term:
        raise WireError(f"an entry of term {entry.term} in a message of term {term}")


# Streams, writing


class Encoder(Protocol):
    """The writing side of one stream."""

    heartbeat: bytes
    """The frame that says the link is alive."""

    def encode(self, message: Message) -> bytes:
        """The message's frame."""


class MessageEncoder:
    """Of the message stream."""

    def __init__(self) -> None:
        self.heartbeat = self.encode(Message(MessageType.HEARTBEAT, 0, 0))

    def encode(self, message: Message) -> bytes:
        return _sized(encode_message(message))


class AppendEncoder:
    """Of the msgapp stream; takes APPENDs. What the last one said need not be said again by one that follows it."""

    heartbeat = b"\x00"

    def __init__(self) -> None:
        self._term = 0
        self._index = 0

    def encode(self, message: Message) -> bytes:
        if message.index == self._index and message.log_term == self._term == message.term:
            self._index += len(message.entries)
            entries = (_sized(encode_entry(entry)) for entry in message.entries)
            count, commit = (number.to_bytes(8, "big") for number in (len(message.entries), message.commit))
            return b"".join((b"\x01", count, *entries, commit))
        self._term, self._index = message.term, _last_index(message)
        return b"\x02" + _sized(encode_message(message))


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data


def _last_index(message: Message) -> int:
    return message.entries[-1].index if message.entries else message.index


# Streams, reading

_Frames = Generator[int, bytes, None]
"""Asks for a number of bytes, is sent them, asks for more."""

_Emit = Callable[[Message], None]


class Decoder:
    """The reading side of one stream. Heartbeats of the link, and messages of unknown types, are ignored."""

    def __init__(self, frames: Callable[[_Emit], _Frames]) -> None:
        self._messages: list[Message] = []
        self._frames = frames(self._messages.append)
        self._wanted = next(self._frames)
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Takes the next bytes, in pieces of any size; returns the messages that are whole by them, in order.

        Raises WireError; the rest of the stream cannot be read then.
        """
        buffer, at = self._buffer, 0
        buffer += data
        with memoryview(buffer) as view:
            while len(view) - at >= self._wanted:
                end = at + self._wanted
                self._wanted = self._frames.send(bytes(view[at:end]))
                at = end
        del buffer[:at]
        messages = self._messages.copy()
        self._messages.clear()
        return messages


def message_decoder() -> Decoder:
    return Decoder(_message_frames)


def append_decoder(local: int, remote: int) -> Decoder:
    """Of the msgapp stream that the member ``remote`` writes for the member ``local``."""
    return Decoder(lambda emit: _append_frames(local, remote, emit))


def _message_frames(emit: _Emit) -> _Frames:
    while True:
        message = decode_message((yield _length((yield 8))))
        if message is not None and not _is_link_heartbeat(message):
            emit(message)


def _is_link_heartbeat(message: Message) -> bool:
    return message.type is MessageType.HEARTBEAT and message.sender == message.to == 0


def _append_frames(local: int, remote: int, emit: _Emit) -> _Frames:
    term = index = 0
    while True:
        match (yield 1):
            case b"\x00":
                continue
            case b"\x01":
                if term == 0:
                    raise WireError("an append that follows nothing")
                entries: list[Entry] = []
                size = 0
                for _ in range(_within_count(_number((yield 8)))):
                    length = _length((yield 8))
                    size = _within_limit(size + length)
                    entry = _decode_entry((yield length))
                    _check_entry(entry, index + 1 + len(entries), term)
                    entries.append(entry)
                commit = _number((yield 8))
                message = Message(
                    MessageType.APPEND, local, remote, term, index, term, commit, tuple(entries)
                )
            case b"\x02":
                full = decode_message((yield _length((yield 8))))
                if full is None or full.type is not MessageType.APPEND:
                    raise WireError("a message that is no append, on the stream of appends")
                message, term = full, full.term
            case kind:
                raise WireError(f"failed to parse type {kind[0]} in msgappv2 stream")
        index = _last_index(message)
        emit(message)


def _decode_entry(data: bytes) -> Entry:
    try:
        return decode_entry(data)
    except CodecError as error:
        raise WireError(str(error)) from None


def _number(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "big")


def _length(data: bytes | bytearray) -> int:
    return _within_limit(_number(data))


def _within_limit(size: int) -> int:
    if size > MAX_MESSAGE:
        raise WireError(f"a message of {size} bytes is too long, {MAX_MESSAGE} are the most")
    return size


def begins_snapshot(data: bytes) -> bool:
    """Whether an encoded message that begins like this is a SNAPSHOT: everybody writes the type first."""
    return data[:2] == bytes((8, MessageType.SNAPSHOT))


# Snapshots of 3.x


class SnapshotReader:
    """The body of a POST /raft/snapshot: 8 bytes of length, a message with a snapshot, and a database of 3.x.

    The database is only of interest for whether there is anything in it, so one that is large is forgotten.
    """

    def __init__(self) -> None:
        self.message: Message | None = None
        self.database_size = 0
        self.database: bytearray | None = bytearray()
        """None when it is larger than MAX_DATABASE."""
        self.is_whole = False
        """Whether the message has come; how long the database is supposed to be is not known."""
        self._head = bytearray()
        self._end = 0

    @property
    def has_begun(self) -> bool:
        return self.is_whole or bool(self._head)

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return max(len(self._head), self._end if self.is_whole else 0) + len(self.database or b"")

    def feed(self, data: bytes) -> None:
        """Takes the next bytes. Raises WireError for a message that does not decode."""
        if self.is_whole:
            self._feed_database(data)
            return
        self._head += data
        if not self._end and len(self._head) >= 8:
            self._end = 8 + _length(self._head[:8])
        if self._end and len(self._head) >= self._end:
            self.message = decode_message(bytes(self._head[8 : self._end]))
            self.is_whole = True
            self._feed_database(self._head[self._end :])
            self._head.clear()

    def _feed_database(self, data: bytes | bytearray) -> None:
        self.database_size += len(data)
        if self.database_size > MAX_DATABASE:
            self.database = None
        elif self.database is not None:
            self.database += data


def snapshot_body(message: Message, database: Iterable[bytes]) -> bytes:
    """The body that hands a snapshot and its database to a member of 3.x."""
    return b"".join((_sized(encode_message(message)), *database))
