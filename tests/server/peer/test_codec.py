"""Messages and stream frames: the bytes of real members, both ways, and whatever else a wire may bring."""

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.peer.codec import (
    MAX_ENTRIES,
    MAX_MEMBERS,
    MAX_MESSAGE,
    AppendEncoder,
    Decoder,
    Encoder,
    MessageEncoder,
    SnapshotReader,
    WireError,
    append_decoder,
    decode_message,
    encode_message,
    message_decoder,
    snapshot_body,
)
from server.proto import raft_pb2
from server.raft import Entry, EntryType, Message, MessageType, Snapshot

RECORDED = Path(__file__).parents[3] / "fixtures" / "streams"

MESSAGE_STREAMS = sorted(path.stem for path in RECORDED.glob("message-*.bin"))
APPEND_STREAMS = sorted(path.stem for path in RECORDED.glob("msgappv2-*.bin"))
POSTS = sorted(path.stem for path in RECORDED.glob("pipeline-*.bin"))
SNAPSHOT_POSTS = sorted(path.stem for path in RECORDED.glob("snapshot-post-*.bin"))

EMPTY_SNAPSHOT = bytes.fromhex("4a0812060a0010001800")
EMPTY_SNAPSHOT_OF_3X = bytes.fromhex("4a0a12080a02280010001800")
"""3.4 has a field more in the snapshot that is not there."""


def recorded(name: str) -> tuple[bytes, dict[str, Any]]:
    return (RECORDED / f"{name}.bin").read_bytes(), json.loads((RECORDED / f"{name}.json").read_text())


def same(message: Message, told: dict[str, Any]) -> bool:
    """Whether a message is what its description says."""
    fields = {
        "type": int(message.type),
        "to": f"{message.to:x}",
        "from": f"{message.sender:x}",
        "term": message.term,
        "logTerm": message.log_term,
        "index": message.index,
        "commit": message.commit,
        "reject": message.reject,
        "rejectHint": message.hint,
    }
    entries = [
        {"type": int(entry.type), "term": entry.term, "index": entry.index, "hasData": bool(entry.data)}
        for entry in message.entries
    ]
    told_entries = [{key: entry[key] for key in entries[0]} for entry in told["entries"]] if entries else []
    return fields == {key: told[key] for key in fields} and entries == told_entries


def decoder_of(name: str, told: dict[str, Any]) -> Decoder:
    if name.startswith("message"):
        return message_decoder()
    return append_decoder(int(told["to"], 16), int(told["from"], 16))


def encoder_of(name: str) -> Encoder:
    return MessageEncoder() if name.startswith("message") else AppendEncoder()


@pytest.mark.parametrize("name", MESSAGE_STREAMS + APPEND_STREAMS)
def test_recorded_streams_decode_to_what_they_are_known_to_say(name: str) -> None:
    data, told = recorded(name)
    messages = decoder_of(name, told).feed(data)
    expected = [frame["message"] for frame in told["frames"] if "message" in frame]
    assert len(messages) == len(expected) > 1
    assert all(map(same, messages, expected))


@pytest.mark.parametrize("name", MESSAGE_STREAMS + APPEND_STREAMS)
def test_recorded_streams_encode_to_the_same_bytes(name: str) -> None:
    """Byte for byte 2.3.8's; of 3.x's, all but the field that 2.3 does not have."""
    data, told = recorded(name)
    messages = iter(decoder_of(name, told).feed(data))
    encoder = encoder_of(name)
    for frame in told["frames"]:
        theirs = data[frame["offset"] : frame["offset"] + frame["frame_bytes"]]
        ours = encoder.heartbeat if "linkHeartbeat" in frame else encoder.encode(next(messages))
        assert ours == (theirs if "2.3.8" in name else as_2_3_writes_it(theirs))


def as_2_3_writes_it(frame: bytes) -> bytes:
    if EMPTY_SNAPSHOT_OF_3X not in frame:
        return frame
    shorter = frame.replace(EMPTY_SNAPSHOT_OF_3X, EMPTY_SNAPSHOT)
    kind, rest = (shorter[:1], shorter[1:]) if shorter[0] else (b"", shorter)
    length = int.from_bytes(rest[:8], "big") - (len(frame) - len(shorter))
    return kind + length.to_bytes(8, "big") + rest[8:]


@pytest.mark.parametrize("name", POSTS)
def test_recorded_posts_decode_and_encode_to_the_same_bytes(name: str) -> None:
    data, told = recorded(name)
    message = decode_message(data)
    assert message is not None
    assert same(message, told["message"])
    assert encode_message(message) == data.replace(EMPTY_SNAPSHOT_OF_3X, EMPTY_SNAPSHOT)


def test_a_recorded_snapshot_is_read_whole() -> None:
    data, told = recorded("pipeline-Snap0-from-2.3.8")
    message = decode_message(data)
    assert message is not None
    assert message.snapshot is not None
    about = told["message"]["snapshot"]
    assert (message.snapshot.index, message.snapshot.term) == (about["index"], about["term"])
    assert [f"{node:x}" for node in message.snapshot.nodes] == about["nodes"]
    assert len(message.snapshot.data) == about["data_len"]


@pytest.mark.parametrize("name", SNAPSHOT_POSTS)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_a_snapshot_of_3x_gives_its_message_and_leaves_its_database(name: str, size: int) -> None:
    data, told = recorded(name)
    reader = SnapshotReader()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    assert reader.is_whole
    assert reader.message is not None
    assert reader.message.snapshot is not None
    assert reader.message.snapshot.index == told["message"]["snapshot"]["index"]
    assert len(reader.message.snapshot.data) == told["message"]["snapshot"]["data_len"]
    assert reader.database_size == told["db_bytes"]


def test_a_snapshot_for_3x_is_what_3x_sends() -> None:
    message = Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=Snapshot(7, 3, (1, 2), b"{}"))
    reader = SnapshotReader()
    reader.feed(snapshot_body(message, [b"data", b"base"]))
    assert (reader.message, reader.database_size) == (message, 8)


def test_the_heartbeat_of_the_link_is_2_3_8s() -> None:
    assert MessageEncoder().heartbeat.hex() == (
        "000000000000001c08081000180020002800300040004a0812060a001000180050005800"
    )
    assert AppendEncoder().heartbeat == b"\x00"


# Any message

numbers = st.integers(0, 2**64 - 1)


@st.composite
def entries(draw: st.DrawFn, index: int, term: int) -> tuple[Entry, ...]:
    kinds = st.sampled_from(list(EntryType))
    data = draw(st.lists(st.binary(max_size=40), max_size=min(4, 2**64 - 1 - index)))
    return tuple(
        Entry(draw(st.integers(0, term)), index + 1 + n, item, draw(kinds)) for n, item in enumerate(data)
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from(list(MessageType)))
    message = Message(
        kind,
        draw(numbers),
        draw(st.integers(1, 2**64 - 1)),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        draw(numbers),
        reject=draw(st.booleans()),
        hint=draw(numbers),
        context=draw(st.binary(max_size=20)),
    )
    if kind is MessageType.APPEND:
        return replace(message, entries=draw(entries(message.index, message.term)))
    if kind is MessageType.PROPOSE:
        data = draw(st.lists(st.binary(max_size=20), max_size=3))
        return replace(message, entries=tuple(Entry(0, 0, item) for item in data))
    if kind is MessageType.SNAPSHOT:
        nodes = tuple(draw(st.lists(numbers, max_size=3)))
        snapshot = Snapshot(
            draw(st.integers(1, 2**64 - 1)), draw(numbers), nodes, draw(st.binary(max_size=50))
        )
        return replace(message, snapshot=snapshot)
    return message


@st.composite
def appends(draw: st.DrawFn) -> list[Message]:
    """What a leader sends to one follower: often each where the last ended, sometimes not."""
    sent: list[Message] = []
    for _ in range(draw(st.integers(0, 8))):
        index, term = draw(st.integers(0, 100)), draw(st.integers(1, 3))
        follows_on: bool = draw(st.booleans())
        if sent and follows_on:
            index, term = sent[-1].index + len(sent[-1].entries), sent[-1].term
        log_term = draw(st.sampled_from((term, term - 1)))
        follows = draw(entries(index, term))
        sent.append(
            Message(MessageType.APPEND, 5, 6, term, index, log_term, draw(st.integers(0, 99)), follows)
        )
    return sent


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    for start, end in itertools.pairwise(bounds):
        yield data[start:end]


places = st.lists(st.integers(0, 10_000), max_size=12)


@given(messages())
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@given(st.lists(messages(), max_size=5), places)
def test_a_message_stream_may_come_in_any_pieces(sent: list[Message], where: list[int]) -> None:
    encoder, decoder = MessageEncoder(), message_decoder()
    data = encoder.heartbeat.join((b"", *map(encoder.encode, sent), b""))
    assert [message for piece in cut(data, where) for message in decoder.feed(piece)] == sent


@given(appends(), places)
def test_a_stream_of_appends_may_come_in_any_pieces(sent: list[Message], where: list[int]) -> None:
    encoder, decoder = AppendEncoder(), append_decoder(5, 6)
    data = encoder.heartbeat.join((b"", *map(encoder.encode, sent), b""))
    assert [message for piece in cut(data, where) for message in decoder.feed(piece)] == sent


def test_an_append_that_follows_the_last_says_only_what_is_new() -> None:
    encoder = AppendEncoder()
    first = Message(MessageType.APPEND, 5, 6, 2, 44, 2, 44, (Entry(2, 45, b"x"),))
    assert encoder.encode(first)[0] == 2
    assert encoder.encode(Message(MessageType.APPEND, 5, 6, 2, 45, 2, 45)).hex() == (
        "01" + "0000000000000000" + "000000000000002d"
    )
    other_term = Message(MessageType.APPEND, 5, 6, 3, 45, 2, 45)
    assert encoder.encode(other_term)[0] == 2


# Anything else

SOME_APPEND = AppendEncoder().encode(Message(MessageType.APPEND, 5, 6, 2, 44, 2, 44, (Entry(2, 45, b"x"),)))


@given(st.binary(max_size=300), places)
@pytest.mark.parametrize("head", [b"", b"\0" * 7, SOME_APPEND, SOME_APPEND + b"\x01" + b"\0" * 7])
def test_any_bytes_are_messages_or_a_wire_error(head: bytes, data: bytes, where: list[int]) -> None:
    for decoder in (message_decoder(), append_decoder(5, 6)):
        try:
            for piece in cut(head + data, where):
                decoder.feed(piece)
        except WireError:
            pass


@given(st.binary(max_size=300))
def test_any_body_is_a_message_or_none_or_a_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        decode_message(data)


@given(st.sampled_from(MESSAGE_STREAMS + APPEND_STREAMS), st.integers(0, 5000), st.integers(1, 255))
def test_a_bit_flipped_anywhere_is_no_surprise(name: str, at: int, flip: int) -> None:
    data, told = recorded(name)
    changed = bytearray(data)
    changed[at % len(data)] ^= flip
    with contextlib.suppress(WireError):
        decoder_of(name, told).feed(bytes(changed))


@given(st.binary(max_size=100), st.integers(1, 20))
@example(bytes(9), 1)
def test_any_snapshot_body_is_whole_or_not_or_a_wire_error(data: bytes, size: int) -> None:
    reader = SnapshotReader()
    try:
        for start in range(0, len(data), size):
            reader.feed(data[start : start + size])
    except WireError:
        return
    assert reader.is_whole == (len(data) >= 8 and len(data) >= 8 + int.from_bytes(data[:8], "big"))


@pytest.mark.parametrize("length", [MAX_MESSAGE + 1, 2**64 - 1])
def test_a_length_that_no_message_has_is_refused_before_it_comes(length: int) -> None:
    size = length.to_bytes(8, "big")
    for decoder, head in (
        (message_decoder(), b""),
        (append_decoder(5, 6), b"\x02"),
        (append_decoder(5, 6), SOME_APPEND + b"\x01" + bytes(7) + b"\x01"),
    ):
        with pytest.raises(WireError, match="too long"):
            decoder.feed(head + size)


def test_many_entries_that_are_too_long_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.peer.codec.MAX_MESSAGE", 1000)
    decoder = append_decoder(5, 6)
    entry = encode_of(Entry(2, 46, b"x" * 600))
    assert len(decoder.feed(SOME_APPEND + b"\x01" + (2).to_bytes(8, "big") + entry)) == 1
    with pytest.raises(WireError, match="too long"):
        decoder.feed(entry[:8])


def encode_of(entry: Entry) -> bytes:
    data = raft_pb2.Entry(Type=0, Term=entry.term, Index=entry.index, Data=entry.data).SerializeToString()
    return len(data).to_bytes(8, "big") + data


@pytest.mark.parametrize("kind", [0, 1, 10, 11, 12, 13, 14, 19, 99])
def test_types_of_no_business_here_are_passed_over(kind: int) -> None:
    """0, 1 and 10 to 12 are what members say to themselves, 13 to 16 came with 3.x."""
    assert decode_message(raft_pb2.Message(type=kind, to=1, term=9).SerializeToString()) is None


@pytest.mark.parametrize(
    "wrong",
    [
        raft_pb2.Message(type=3, to=1, term=2, index=5, entries=[raft_pb2.Entry(Term=2, Index=7)]),
        raft_pb2.Message(type=3, to=1, term=2, index=5, entries=[raft_pb2.Entry(Term=3, Index=6)]),
        raft_pb2.Message(type=3, to=1, term=2, index=5, entries=[raft_pb2.Entry(Type=2, Term=2, Index=6)]),
        raft_pb2.Message(type=7, to=1, term=2),
    ],
)
def test_what_consensus_could_not_take_is_refused(wrong: raft_pb2.Message) -> None:
    with pytest.raises(WireError):
        decode_message(wrong.SerializeToString())


def test_the_stream_of_appends_has_appends_only() -> None:
    heartbeat = encode_message(Message(MessageType.HEARTBEAT, 5, 6, 2))
    with pytest.raises(WireError, match="no append"):
        append_decoder(5, 6).feed(b"\x02" + len(heartbeat).to_bytes(8, "big") + heartbeat)
    with pytest.raises(WireError, match="follows nothing"):
        append_decoder(5, 6).feed(b"\x01" + bytes(16))
    with pytest.raises(WireError, match="parse type 3"):
        append_decoder(5, 6).feed(b"\x03")


def test_a_number_that_is_too_big_for_the_wire_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match=r"out of range|Value"):
        encode_message(Message(MessageType.HEARTBEAT, 2**64, 1))


def test_a_count_of_entries_that_nobody_sends_is_refused_before_they_come() -> None:
    decoder = append_decoder(1, 2)
    full = Message(MessageType.APPEND, 1, 2, 5)
    decoder.feed(b"\x02" + _sized(encode_message(full)))
    for count in (MAX_ENTRIES + 1, 1 << 62, (1 << 64) - 1):
        decoder = append_decoder(1, 2)
        decoder.feed(b"\x02" + _sized(encode_message(full)))
        with pytest.raises(WireError, match=f"{count} entries is too long"):
            decoder.feed(b"\x01" + count.to_bytes(8, "big"))


@pytest.mark.parametrize("before", [b"", b"\x7d\0\0\0\0", b"\x79" + bytes(8), b"\x08\x03"])
def test_a_message_of_too_many_entries_is_refused_before_it_is_unpacked(before: bytes) -> None:
    """Two bytes each, which would be a hundred each in memory; odd fields before them change nothing."""
    with pytest.raises(WireError, match=r"1048577 entries is too long|no raft message"):
        decode_message(before + b"\x3a\x00" * (MAX_ENTRIES + 1))


def test_a_long_message_of_few_entries_is_read() -> None:
    entries = tuple(Entry(5, index, bytes(1 << 20)) for index in range(1, 4))
    message = Message(MessageType.APPEND, 1, 2, 5, entries=entries)
    assert decode_message(encode_message(message)) == message


def test_a_long_message_that_is_cut_short_is_refused() -> None:
    data = encode_message(Message(MessageType.APPEND, 1, 2, 5, entries=(Entry(5, 1, bytes(3 << 20)),)))
    for end in (len(data) - 1, len(data) - 30, 3 << 20):
        with pytest.raises(WireError):
            decode_message(data[:end])


def test_a_snapshot_of_more_members_than_there_can_be_is_refused() -> None:
    snapshot = Snapshot(1, 1, tuple(range(1, MAX_MEMBERS + 2)), b"")
    with pytest.raises(WireError, match="4097 members"):
        decode_message(encode_message(Message(MessageType.SNAPSHOT, 1, 2, 5, snapshot=snapshot)))


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(8, "big") + data
