"""Strings and times as Go's encoding/json writes them; expectations from answers of etcd 2.3.8."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store import StoreNode
from server.store.gojson import encode_node, format_time, parse_time, quote, quote_bytes


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (b"", '""'),
        (b"plain text/~\x7f", '"plain text/~\x7f"'),
        (b'a"b\\c', r'"a\"b\\c"'),
        (b"<&>", r'"\u003c\u0026\u003e"'),
        (b"\n\r\t", r'"\n\r\t"'),
        (b"\x00\x08\x0b\x0c\x1f", r'"\u0000\u0008\u000b\u000c\u001f"'),
        ("é世😀".encode(), '"é世😀"'),
        ("\u2028\u2029\u2030".encode(), '"\\u2028\\u2029\u2030"'),
        (b"\xff", r'"\ufffd"'),
        (b"\xe4\xb8", r'"\ufffd\ufffd"'),
        (b"\xed\xa0\x80", r'"\ufffd\ufffd\ufffd"'),
        (b"\xc0\xaf", r'"\ufffd\ufffd"'),
        (b"\xe4\xb8\xe4\xb8\x96", '"\\ufffd\\ufffd世"'),
        (b"\xf4\x90\x80\x80", r'"\ufffd\ufffd\ufffd\ufffd"'),
        ("\ufffd".encode(), '"\ufffd"'),
    ],
)
def test_strings_are_escaped_as_go_escapes_them(value: bytes, quoted: str) -> None:
    assert quote_bytes(value) == quoted
    assert quote(value.decode("utf-8", "surrogateescape")) == quoted


@given(st.text())
def test_any_text_comes_back_from_its_json(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert json.loads(quote(text)) == text
    assert json.loads(quote_bytes(text.encode())) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_795_338_262_259_265_870, "2026-11-22T09:04:22.25926587Z"),
        (1_795_338_262_500_000_000, "2026-11-22T09:04:22.5Z"),
        ((1 << 63) - 1, "2262-04-11T23:47:16.854775807Z"),
        (-(1 << 63), "1677-09-21T00:12:43.145224192Z"),
        (-62_135_596_799_000_000_000, "0001-01-01T00:00:01Z"),
    ],
)
def test_times_have_as_many_digits_as_they_need(nanoseconds: int, text: str) -> None:
    assert format_time(nanoseconds) == text
    assert parse_time(text) == nanoseconds


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_every_time_comes_back(nanoseconds: int) -> None:
    assert parse_time(format_time(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T18:30:00.5-05:30", 500_000_000),
    ],
)
def test_times_of_other_zones_are_read_and_the_zero_time_is_none(text: str, nanoseconds: int | None) -> None:
    assert parse_time(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "2020-01-01", "2020-13-01T00:00:00Z", "2020-01-01T00:00:00", "١٩٧٠-01-01T00:00:00Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|month"):
        parse_time(text)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (StoreNode("/1", None, 0, 0, dir=True, nodes=[]), '{"dir":true}'),
        (StoreNode("/1/a", b"", 3, 2), '{"key":"/a","value":"","modifiedIndex":3,"createdIndex":2}'),
        (StoreNode("/1/a", None, 3, 2), '{"key":"/a","modifiedIndex":3,"createdIndex":2}'),
        (StoreNode("/1/a", None, 3, 2, dir=True), '{"key":"/a","dir":true,"modifiedIndex":3,"createdIndex":2}'),
        (StoreNode("/1/a", b"v", 0, 0), '{"key":"/a","value":"v"}'),
        (
            StoreNode("/1/a", b"v", 3, 2, 1_500_000_000, 0),
            '{"key":"/a","value":"v","expiration":"1970-01-01T00:00:01.5Z","modifiedIndex":3,"createdIndex":2}',
        ),
        (
            StoreNode("/1/a", None, 3, 2, 1_000_000_000, 7, True, [StoreNode("/1/a/<", b"", 1, 1), StoreNode("/1/a/d", None, 4, 4, dir=True, nodes=[StoreNode("/1/a/d/x", b"", 5, 5)]), StoreNode("/1/a/z", b"", 6, 6)]),
            '{"key":"/a","dir":true,"expiration":"1970-01-01T00:00:01Z","ttl":7,"nodes":['
            '{"key":"/a/\\u003c","value":"","modifiedIndex":1,"createdIndex":1},'
            '{"key":"/a/d","dir":true,"nodes":[{"key":"/a/d/x","value":"","modifiedIndex":5,"createdIndex":5}],'
            '"modifiedIndex":4,"createdIndex":4},'
            '{"key":"/a/z","value":"","modifiedIndex":6,"createdIndex":6}],"modifiedIndex":3,"createdIndex":2}',
        ),
        (StoreNode("/1", None, 0, 0, dir=True, nodes=[StoreNode("/1/a", b"", 1, 1)]), '{"dir":true,"nodes":[{"key":"/a","value":"","modifiedIndex":1,"createdIndex":1}]}'),
    ],
)  # fmt: skip
def test_a_node_has_its_members_in_order_and_leaves_out_what_is_empty(node: StoreNode, text: str) -> None:
    assert encode_node(node, "/1") == text
