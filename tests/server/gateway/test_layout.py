"""What lies in the etcd reads as it was written, and what no gateway has written is told from it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.gateway.layout import (
    EVENT_VALUE,
    Layout,
    LayoutError,
    Mark,
    Registration,
    decode_events,
    decode_node,
    decode_paths,
    decode_record,
    encode_batch,
    encode_events,
    encode_node,
    encode_paths,
    encode_rules,
    sum_of,
)
from server.store import Event, StoreNode
from server.store.node import Directory

PATHS = st.lists(st.binary(min_size=1, max_size=5).map(lambda name: name.replace(b"/", b"").decode("utf-8", "surrogateescape"))).map(lambda names: "/1/" + "/".join(names))  # fmt: skip


@given(st.lists(st.binary(), min_size=1))
def test_a_batch_reads_as_it_was_written(requests: list[bytes]) -> None:
    assert decode_record(b"key", encode_batch(requests)) == requests


@given(st.binary())
def test_no_bytes_at_all_are_anything_but_a_record_or_an_error(value: bytes) -> None:
    with suppress(LayoutError):
        decode_record(b"key", value)


def test_a_change_of_the_rules_reads_as_it_was_written() -> None:
    assert decode_record(b"key", encode_rules(12)) == 12


@given(PATHS, st.binary(), st.integers(0, 1 << 62), st.none() | st.integers(0, 1 << 62))
def test_a_file_reads_as_it_was_written(path: str, value: bytes, index: int, expiration: int | None) -> None:
    node = StoreNode(path, value, index, index, expiration)
    assert decode_node(path, encode_node(node), value) == node
    hidden = StoreNode("/2/users/x", value, index, index, expiration)
    assert decode_node("/2/users/x", encode_node(hidden), None) == hidden


def test_a_directory_reads_as_it_was_written() -> None:
    directory = Directory("/1/d", 7, 5, 12)
    assert decode_node("/1/d", encode_node(directory), None) == directory


@given(PATHS, st.none() | st.binary(max_size=100), st.booleans())
def test_events_read_as_they_were_written(path: str, value: bytes | None, refresh: bool) -> None:
    before = StoreNode(path, b"\xff", 3, 2, 99, 4)
    events = [
        Event("update", StoreNode(path, value, 4, 2), before, 4, refresh),
        Event("set", StoreNode(path, b"", 5, 5), None, 5),
    ]
    assert decode_events(encode_events(events)) == events


def test_an_event_with_long_values_is_not_kept() -> None:
    event = Event("set", StoreNode("/1/a", b"x" * (EVENT_VALUE + 1), 4, 4), None, 4)
    assert decode_events(encode_events([event])) == [None]


def test_the_sum_is_of_what_happened_and_not_of_what_is_shown_of_a_ttl() -> None:
    def event(value: bytes, ttl: int) -> Event:
        return Event("set", StoreNode("/1/a", value, 4, 4, 100, ttl), None, 4)

    assert sum_of(event(b"x", 5), 1) == sum_of(event(b"x", 6), 1)
    assert sum_of(event(b"x", 5), 1) != sum_of(event(b"y", 5), 1)
    assert sum_of(event(b"x", 5), 1) != sum_of(event(b"x", 5), 2)


@given(st.lists(PATHS, min_size=1))
def test_lists_of_paths_read_as_they_were_written(paths: list[str]) -> None:
    assert decode_paths(encode_paths(paths)) == paths


def test_a_mark_and_a_registration_read_as_they_were_written() -> None:
    mark = Mark(1, 2, 3, 4, 5)
    assert Mark.decode(mark.encode()) == mark
    said = Registration("g", ("http://a:1",), "0" * 16, 5)
    assert Registration.decode(said.encode()) == said


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"\xff", b'{"rev":"x"}', b"null"])
def test_what_is_no_mark_is_told(value: bytes) -> None:
    with pytest.raises(LayoutError):
        Mark.decode(value)
    with pytest.raises(LayoutError):
        Registration.decode(value)


def test_a_key_of_somebody_else_in_the_log_is_named_with_what_mends_it() -> None:
    layout = Layout()
    assert layout.read_record(layout.record("0123456789abcdef", 7)) == ("0123456789abcdef", 7)
    with pytest.raises(LayoutError, match="etcdctl del etcd02/log/mine"):
        layout.read_record(b"etcd02/log/mine")


def test_prefixes_stand_before_all_keys() -> None:
    layout = Layout("/old", "meta/")
    assert layout.published("/1/a/b") == b"/old/a/b"
    assert layout.node("/1/a/b") == b"meta/node/1/a/b"
    assert layout.read_path(b"meta/node/1/a/b") == "/1/a/b"
