"""What is encoded and read by hand, for speed, against the protobuf library: the same bytes, the same numbers refused,
and the same read."""

import dataclasses

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from server.proto import etcdserver_pb2, raft_pb2, wal_pb2
from server.raft.types import Entry, EntryType, HardState
from server.storage.codec import _plain_entry, decode_entry, encode_entry, encode_hard_state
from server.storage.records import RecordType, _plain_record, encode_record
from server.storage.requests import (
    StoreRequest,
    _from_message,
    _plain_request,
    decode_request,
    encode_request,
)
from server.storage.varint import read_varint, signed_varint, varint

EDGES = sorted(
    {max(0, (1 << bits) + by) for bits in range(65) for by in (-1, 0, 1)} - {1 << 64, (1 << 64) + 1}
)
UNSIGNED = st.one_of(st.sampled_from(EDGES), st.integers(0, (1 << 64) - 1))
SIGNED = st.one_of(
    st.sampled_from([0, 1, -1, (1 << 63) - 1, -(1 << 63)]), st.integers(-(1 << 63), (1 << 63) - 1)
)
TEXTS = st.one_of(
    st.just("/1/a"), st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
)
VALUES = st.one_of(st.binary(max_size=20), st.integers(0, 20_000).map(bytes))
MAYBE = st.none() | st.booleans()
REQUESTS = st.builds(
    StoreRequest,
    id=UNSIGNED,
    method=st.sampled_from(["PUT", "POST", "DELETE", "QGET", "GET", "HEAD", "SYNC"]) | TEXTS,
    path=TEXTS,
    val=VALUES,
    dir=st.booleans(),
    prev_value=VALUES,
    prev_index=UNSIGNED,
    prev_exist=MAYBE,
    expiration=SIGNED,
    wait=st.booleans(),
    since=UNSIGNED,
    recursive=st.booleans(),
    sorted=st.booleans(),
    quorum=st.booleans(),
    time=SIGNED,
    stream=st.booleans(),
    refresh=MAYBE,
)


def by_protobuf(request: StoreRequest) -> bytes:
    given = {
        "".join(map(str.capitalize, name.split("_"))): value
        for name, value in dataclasses.asdict(request).items()
    }
    given["ID"] = given.pop("Id")
    for name in ("Method", "Path"):
        given[name] = given[name].encode("utf-8", "surrogateescape")
    return etcdserver_pb2.Request(**given).SerializeToString()


@pytest.mark.parametrize("number", EDGES)
def test_a_number_of_any_length(number: int) -> None:
    assert b"\x10" + varint(number) == raft_pb2.Entry(Term=number).SerializeToString()


@given(SIGNED)
def test_a_signed_number(number: int) -> None:
    assert b"\x48" + signed_varint(number) == etcdserver_pb2.Request(Expiration=number).SerializeToString()


@given(REQUESTS)
def test_a_request(request_: StoreRequest) -> None:
    data = encode_request(request_)
    assert data == by_protobuf(request_)
    if request_.method in ("PUT", "QGET"):
        assert decode_request(data) == request_


@given(st.builds(Entry, term=UNSIGNED, index=UNSIGNED, data=VALUES, type=st.sampled_from(EntryType)))
def test_an_entry(entry: Entry) -> None:
    message = raft_pb2.Entry(Type=entry.type, Term=entry.term, Index=entry.index, Data=entry.data or None)
    assert encode_entry(entry) == message.SerializeToString()


@given(st.builds(HardState, term=UNSIGNED, vote=UNSIGNED, commit=UNSIGNED))
def test_a_hard_state(state: HardState) -> None:
    message = raft_pb2.HardState(term=state.term, vote=state.vote, commit=state.commit)
    assert encode_hard_state(state) == message.SerializeToString()


@given(st.sampled_from(RecordType), st.integers(0, (1 << 32) - 1), VALUES)
def test_a_record(kind: RecordType, crc: int, data: bytes) -> None:
    body = wal_pb2.Record(type=kind, crc=crc, data=data or None).SerializeToString()
    assert encode_record(kind, crc, data) == len(body).to_bytes(8, "little") + body


def test_a_number_outside_its_field_is_refused() -> None:
    for number in (-1, 1 << 64, 1 << 90):
        with pytest.raises(ValueError, match=str(number)):
            varint(number)
        with pytest.raises(ValueError, match=str(number)):
            encode_entry(Entry(1, number, b""))
    for number in (1 << 63, -(1 << 63) - 1, 1 << 64):
        with pytest.raises(ValueError, match=str(number)):
            encode_request(StoreRequest(method="SYNC", time=number))
    for number in (-1, 1 << 32):
        with pytest.raises(ValueError, match=str(number)):
            encode_record(RecordType.CRC, number)


@given(UNSIGNED, st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_is_read_as_it_was_written(number: int, before: bytes, behind: bytes) -> None:
    written = varint(number)
    assert read_varint(before + written + behind, len(before)) == (number, len(before + written))


@given(st.binary(max_size=30))
def test_of_what_is_no_number_no_more_than_ten_bytes_are_read(data: bytes) -> None:
    assert read_varint(data, 0)[1] <= min(10, len(data))


ENTRIES = st.builds(
    Entry, UNSIGNED, UNSIGNED, VALUES, st.sampled_from([EntryType.NORMAL, EntryType.CONF_CHANGE])
)


@st.composite
def nearly(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes with some changed, left out or added."""
    data = bytearray(draw(whole))
    for at in draw(st.lists(st.integers(0, 40), max_size=3)):
        if at < len(data):
            data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


@example(bytes.fromhex("0800 1080 0118"))  # which end with the tag of the index
@example(bytes.fromhex("0800 1080 8080 0018"))
@given(st.one_of(nearly(ENTRIES.map(encode_entry)), st.binary(max_size=20)))
def test_an_entry_read_by_hand_is_what_protobuf_reads(data: bytes) -> None:
    read = _plain_entry(data)
    if read is not None:
        message = raft_pb2.Entry.FromString(data)
        assert read == Entry(message.Term, message.Index, message.Data, EntryType(message.Type))


@given(ENTRIES)
def test_an_entry_as_this_server_writes_it_is_read_by_hand(entry: Entry) -> None:
    plain = max(entry.term, entry.index) < 1 << 63
    assert _plain_entry(encode_entry(entry)) == (entry if plain else None)
    assert decode_entry(encode_entry(entry)) == entry


@given(
    st.one_of(
        nearly(
            st.builds(
                lambda kind, crc, data: encode_record(kind, crc, data)[8:],
                st.sampled_from(RecordType),
                st.integers(0, (1 << 32) - 1),
                VALUES,
            )
        ),
        st.binary(max_size=20),
    ),
    st.binary(max_size=12),
)
def test_a_record_read_by_hand_is_what_protobuf_reads(body: bytes, after: bytes) -> None:
    read = _plain_record(b"01234567" + body + after, 8, 8 + len(body))
    if read is not None:
        message = wal_pb2.Record.FromString(body)
        assert read == (message.type, message.crc, message.data, 0, 8 + len(body))


def test_a_record_as_this_server_writes_it_is_read_by_hand() -> None:
    written = encode_record(RecordType.ENTRY, 1 << 31, b"data")
    assert _plain_record(written, 8, len(written)) == (RecordType.ENTRY, 1 << 31, b"data", 0, len(written))


PLAIN_REQUESTS = st.builds(
    StoreRequest,
    id=UNSIGNED,
    method=st.sampled_from(["PUT", "POST", "DELETE", "QGET", "GET", "HEAD", "SYNC"]),
    path=TEXTS,
    val=VALUES,
)


@given(nearly(st.one_of(PLAIN_REQUESTS, REQUESTS).map(encode_request)))
def test_a_request_read_by_hand_is_what_protobuf_reads(data: bytes) -> None:
    read = _plain_request(data)
    if read is not None:
        assert read == _from_message(etcdserver_pb2.Request.FromString(data))


@given(PLAIN_REQUESTS)
def test_a_request_without_options_is_read_by_hand(request_: StoreRequest) -> None:
    assert _plain_request(encode_request(request_)) == request_


SIZE_OF_FIVE = [
    b"\x05",
    b"\x85\x00",
    *(b"\x85" + b"\x80" * more + b"\x00" for more in range(1, 9)),
    b"\x85" + b"\x80" * 9,
]
"""Five, in ever more bytes; the last is not whole."""


@pytest.mark.parametrize("size", SIZE_OF_FIVE)
def test_a_size_in_more_bytes_than_it_needs_is_read_by_hand_only_as_protobuf_reads_it(size: bytes) -> None:
    entry = b"\x08\x00\x10\x01\x18\x01\x22" + size + b"abcde"
    try:
        by_protobuf = raft_pb2.Entry.FromString(entry).Data
    except DecodeError:
        assert _plain_entry(entry) is None
        assert _plain_record(b"01234567\x08\x02\x10\x01\x1a" + size + b"abcde", 8, 18 + len(size)) is None
    else:
        assert decode_entry(entry) == Entry(1, 1, by_protobuf)
