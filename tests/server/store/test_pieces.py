"""Long listings and long values in pieces: put together, the same text as in one go, of the moment they were frozen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store, StoreNode, apply_request
from server.store.gojson import (
    SLICE,
    encode_event,
    event_pieces,
    is_long,
    listing_pieces,
    quote_bytes,
)
from server.store.listing import BYTES_AT_ONCE, LISTED_AT_ONCE

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000

NAMES = st.sampled_from(["a", "b", "_h", "é", "c<", "\udcff"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/1/" + "/".join(names))
VALUES = st.sampled_from([b"", b"v", b"<\xff>", b"x" * 40, b"y" * (SLICE + 1), "é".encode() * SLICE])
WRITES = st.builds(
    StoreRequest,
    method=st.sampled_from(["PUT", "PUT", "PUT", "POST", "DELETE"]),
    path=PATHS,
    val=VALUES,
    dir=st.sampled_from([False, False, False, True]),
    expiration=st.sampled_from([0, 0, NOW + SECOND, NOW + 5 * SECOND]),
    recursive=st.booleans(),
)


def write(store: Store, requests: list[StoreRequest]) -> None:
    for request in requests:
        try:
            apply_request(store, request, NOW)
        except EtcdError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITES, max_size=15), st.lists(WRITES, max_size=8), st.booleans(), st.booleans())
def test_the_pieces_of_a_listing_are_the_listing_of_when_it_was_frozen(
    before: list[StoreRequest], after: list[StoreRequest], recursive: bool, in_order: bool
) -> None:
    store = Store()
    write(store, before)
    expected = {}
    for directory in store.freeze().directories:
        expected[directory] = encode_event(store.get(directory, recursive, in_order, now=NOW), "/1")
    frozen = store.freeze()
    write(store, after)
    for directory, whole in expected.items():
        rows: list[StoreNode | None] = []
        for portion in frozen.rows(directory, recursive, in_order, NOW):
            rows += portion
            store.set("/1/between", b"", now=NOW)
        assert "".join(listing_pieces(rows, NOW, "/1")) == whole


def test_a_huge_directory_comes_in_portions_and_pieces_of_a_bounded_size() -> None:
    store = Store()
    for n in range(20_000):
        store.set(f"/1/d/{'_' * (n % 2)}{n:05d}", b"v" * 50, now=NOW)
    frozen = store.freeze()
    for in_order in (False, True):
        portions = list(frozen.rows("/1", True, in_order, NOW))
        assert max(map(len, portions)) < 1100
        rows = [row for portion in portions for row in portion]
        pieces = list(listing_pieces(rows, NOW))
        assert max(map(len, pieces)) < SLICE + 500
        assert len(pieces) > 20
        assert "".join(pieces) == encode_event(store.get("/1", True, in_order, now=NOW))


def test_depth_is_no_limit() -> None:
    store = Store()
    store.set("/1" + "/d" * 5000, b"v", now=NOW)
    rows = [row for portion in store.freeze().rows("/1", True, True, NOW) for row in portion]
    assert "".join(listing_pieces(rows, NOW)) == encode_event(store.get("/1", True, True, now=NOW))


LONG_VALUES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"v",
                b"<",
                "é".encode(),
                "\U0001f600".encode(),
                b"\xff",
                b"\x80",
                b"\xe4\xb8",
                b"\n",
                b"\xf0\x9f\x98",
            ]
        ),
        st.integers(1, SLICE),
    ),
    min_size=1,
    max_size=5,
).map(lambda parts: b"".join(part * times for part, times in parts))


@settings(max_examples=60, deadline=None)
@given(LONG_VALUES, LONG_VALUES, st.sampled_from([None, NOW + SECOND]), st.booleans())
def test_the_pieces_of_an_event_are_the_event(
    value: bytes, previous: bytes, expiration: int | None, replaces: bool
) -> None:
    node = StoreNode("/1/a<", value, 7, 5, expiration, 3 if expiration else 0)
    event = Event("set", node, StoreNode("/1/a<", previous, 5, 5) if replaces else None, 7)
    pieces = list(event_pieces(event, "/1"))
    assert "".join(pieces) == encode_event(event, "/1")
    assert max(map(len, pieces)) <= 6 * SLICE + 200
    assert is_long(event) == (len(value) + len(previous) * replaces > SLICE)


def test_an_event_without_values_has_pieces_too() -> None:
    for event in (
        Event("delete", StoreNode("/1/a", None, 7, 5), StoreNode("/1/a", b"v" * 2 * SLICE, 5, 5), 7),
        Event("expire", StoreNode("/1/d", None, 7, 5), StoreNode("/1/d", None, 5, 5, NOW, dir=True), 7),
        Event("get", StoreNode("/1", None, 0, 0, dir=True, nodes=[]), None, 7),
        Event("get", StoreNode("/1", b"v" * 2 * SLICE, 0, 0), None, 7),
    ):
        assert "".join(event_pieces(event, "/1")) == encode_event(event, "/1")


_SPECIAL = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _naively(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT.get(char) or ("\\ufffd" if "\ud800" <= char <= "\udfff" else f"\\u{ord(char):04x}")


@given(
    st.binary()
    | st.lists(st.sampled_from([*'"\\<>&\n\r\t\x00\x1f', "u003c", "\u2028", "é"]))
    .map("".join)
    .map(str.encode)
)
def test_quoting_in_passes_is_quoting_letter_by_letter(value: bytes) -> None:
    text = value.decode("utf-8", "surrogateescape")
    assert quote_bytes(value) == f'"{_SPECIAL.sub(_naively, text)}"'


@pytest.mark.parametrize("recursive", [True, False])
def test_a_listing_too_long_for_one_go_is_not_made_unless_it_has_to_be(recursive: bool) -> None:
    store = Store()
    for n in range(LISTED_AT_ONCE):
        store.set(f"/1/d/{n}", b"", now=NOW)
    assert not store.get("/1/d", recursive, now=NOW, whole=False).unlisted
    store.set("/1/d/more", b"", now=NOW)
    event = store.get("/1/d", recursive, now=NOW, whole=False)
    assert (event.unlisted, event.node.dir, event.node.nodes, event.etcd_index) == (
        True,
        True,
        None,
        store.index,
    )
    assert len(store.get("/1/d", recursive, now=NOW).node.nodes or ()) == LISTED_AT_ONCE + 1
    assert store.get("/1", now=NOW, whole=False).unlisted is False
    assert store.get("/1", recursive=True, now=NOW, whole=False).unlisted is True
    assert store.stats.gets_success == 5
    assert store.recursive_gets == 1 + 3 * recursive


def test_values_count_as_well() -> None:
    store = Store()
    store.set("/1/d/a", b"v" * BYTES_AT_ONCE, now=NOW)
    assert not store.get("/1/d", now=NOW, whole=False).unlisted
    store.set("/1/d/b", b"v", now=NOW)
    assert store.get("/1/d", now=NOW, whole=False).unlisted
    assert store.get("/1", recursive=True, now=NOW, whole=False).unlisted
    assert not store.get("/1/d/a", now=NOW, whole=False).unlisted


def test_a_quorum_read_that_nobody_here_has_asked_for_lists_nothing_long() -> None:
    store = Store()
    for n in range(LISTED_AT_ONCE + 1):
        store.set(f"/1/d/{n}", b"", now=NOW)
    event = apply_request(store, StoreRequest(method="QGET", path="/1/d"), NOW)
    assert event is not None
    assert event.unlisted
    assert store.stats.gets_success == 1
