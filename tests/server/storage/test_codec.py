"""Values of the log as bytes: the forms etcd writes, and nothing but StorageError for everything else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.proto import raft_pb2
from server.raft.types import Entry, EntryType, HardState, Snapshot
from server.storage import codec
from server.storage.codec import ConfChange, ConfChangeType, WalMetadata, WalPosition
from server.storage.errors import CodecError
from server.storage.snapshots import decode_snapshot_file, encode_snapshot_file

uint64 = st.integers(0, 2**64 - 1)

entries = st.builds(
    Entry, term=uint64, index=uint64, data=st.binary(max_size=300), type=st.sampled_from(EntryType)
)
hard_states = st.builds(HardState, uint64, uint64, uint64)
metadata = st.builds(WalMetadata, uint64, uint64)
positions = st.builds(WalPosition, uint64, uint64)
snapshots = st.builds(
    Snapshot, uint64, uint64, st.lists(uint64, max_size=5).map(tuple), st.binary(max_size=300)
)
conf_changes = st.builds(ConfChange, st.sampled_from(ConfChangeType), uint64, uint64, st.binary(max_size=50))


@given(entries)
def test_entries_come_back(entry: Entry) -> None:
    assert codec.decode_entry(codec.encode_entry(entry)) == entry


@given(hard_states)
def test_hard_states_come_back(state: HardState) -> None:
    assert codec.decode_hard_state(codec.encode_hard_state(state)) == state


@given(metadata)
def test_metadata_comes_back(value: WalMetadata) -> None:
    assert codec.decode_metadata(codec.encode_metadata(value)) == value


@given(positions)
def test_positions_come_back(value: WalPosition) -> None:
    assert codec.decode_position(codec.encode_position(value)) == value


@given(snapshots)
def test_snapshots_come_back(snapshot: Snapshot) -> None:
    assert codec.decode_snapshot(codec.encode_snapshot(snapshot)) == snapshot
    assert decode_snapshot_file(encode_snapshot_file(snapshot)) == snapshot


@given(conf_changes)
def test_conf_changes_come_back(change: ConfChange) -> None:
    assert codec.decode_conf_change(codec.encode_conf_change(change)) == change


def test_every_scalar_is_written_and_empty_data_is_not() -> None:
    assert codec.encode_entry(Entry(0, 0)).hex() == "080010001800"
    assert codec.encode_hard_state(HardState()).hex() == "080010001800"
    assert codec.encode_position(WalPosition()).hex() == "08001000"
    assert codec.encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, 0)).hex() == "080010001800"


def test_members_of_a_snapshot_are_not_packed() -> None:
    encoded = codec.encode_snapshot(Snapshot(index=3, term=2, nodes=(1, 2), data=b"{}"))
    assert encoded.hex() == "0a027b7d" + "120a" + "0a04" + "0801" + "0802" + "1003" + "1802"


def test_an_entry_of_2_0_has_an_empty_data_field() -> None:
    assert codec.decode_entry(bytes.fromhex("0800100218022200")) == Entry(2, 2)


def test_an_entry_may_lack_fields() -> None:
    assert codec.decode_entry(bytes.fromhex("1805")) == Entry(0, 5)


def test_an_entry_type_of_later_etcd_is_refused_not_taken_for_a_normal_entry() -> None:
    with pytest.raises(CodecError, match="log entry 7 has type 2"):
        codec.decode_entry(raft_pb2.Entry(Type=2, Term=1, Index=7, Data=b"x").SerializeToString())


def test_a_conf_change_type_that_no_etcd_has_is_refused() -> None:
    with pytest.raises(CodecError, match="type 9"):
        codec.decode_conf_change(raft_pb2.ConfChange(ID=1, Type=9, NodeID=1).SerializeToString())


@pytest.mark.parametrize(
    ("decode", "data"),
    [
        (codec.decode_hard_state, codec.encode_position(WalPosition(1, 1))),
        (codec.decode_hard_state, codec.encode_entry(Entry(1, 1, b"x"))),
        (codec.decode_position, codec.encode_hard_state(HardState(1, 1, 1))),
        (codec.decode_position, b""),
        (codec.decode_metadata, codec.encode_hard_state(HardState(1, 1, 1))),
        (codec.decode_metadata, b""),
    ],
)
def test_content_of_another_type_of_record_is_refused(decode: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(CodecError):
        decode(data)


DECODERS: list[Callable[[bytes], object]] = [
    codec.decode_entry,
    codec.decode_hard_state,
    codec.decode_metadata,
    codec.decode_position,
    codec.decode_snapshot,
    codec.decode_conf_change,
    decode_snapshot_file,
]


@given(st.sampled_from(DECODERS), st.binary(max_size=60))
@example(codec.decode_entry, b"\x0b\x0b\x0b")
@example(decode_snapshot_file, b"")
def test_garbage_raises_nothing_but_codec_errors(decode: Callable[[bytes], object], data: bytes) -> None:
    with suppress(CodecError):
        decode(data)


@pytest.mark.parametrize("entry", [Entry(-1, 1), Entry(1, 2**64)])
def test_a_number_that_does_not_fit_is_the_callers_mistake(entry: Entry) -> None:
    with pytest.raises(ValueError, match="range"):
        codec.encode_entry(entry)
