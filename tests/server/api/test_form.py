"""Parameters from query and body as Go reads them; expectations from etcd 2.3.8 (built with Go 1.19)."""

from __future__ import annotations

import sys
from types import FrameType
from typing import SupportsIndex
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.form import MAX_BODY, Parameters, takes_body
from server.goquote import quote_as_go
from server.store import EtcdError

FORM = "application/x-www-form-urlencoded"
read_form = Parameters(b"value", b"ttl", b"a", b"b").read


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", {}),
        (b"value=1&ttl=2", {b"value": b"1", b"ttl": b"2"}),
        (b"value=a+b%20c%2B", {b"value": b"a b c+"}),
        (b"value=%FF%00", {b"value": b"\xff\x00"}),
        (b"value=\xff", {b"value": b"\xff"}),
        (b"a=1&a=2", {b"a": b"1"}),
        (b"a=&a=2", {b"a": b""}),
        (b"a", {b"a": b""}),
        (b"&&a=b=c&", {b"a": b"b=c"}),
        (b"%61=1&=2&%41=3&%4a=4", {b"a": b"1"}),
        (b"%76%61%6Cu%65=1&value=2&val%6ce", {b"value": b"1"}),
        (b"values=1&avalue=2&x=value&value=3", {b"value": b"3"}),
        (b"a&b", {b"a": b"", b"b": b""}),
        (b"Value=1", {}),
    ],
)
def test_pairs_are_split_and_unescaped(data: bytes, form: dict[bytes, bytes]) -> None:
    assert read_form("GET", data, "", b"") == form
    assert read_form("PUT", b"", FORM, data) == form


def test_the_body_comes_before_the_query_even_when_it_is_empty() -> None:
    assert read_form("PUT", b"a=query&b=query", FORM, b"a=") == {b"a": b"", b"b": b"query"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_other_methods_have_no_body(method: str) -> None:
    assert read_form(method, b"a=1", FORM, b"a=2&%zz") == {b"a": b"1"}
    assert read_form(method, b"a=1", "not a type;;", b"") == {b"a": b"1"}


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        (FORM, True),
        ("Application/X-WWW-Form-URLencoded; Charset=utf-8", True),
        (f" {FORM} ;", True),
        (f'{FORM}; a="x; y\\"z" ; b=c', True),
        ("", False),
        ("text/plain", False),
        ("text", False),
        ("multipart/form-data; boundary=x", False),
        ("application/json", False),
    ],
)
def test_only_a_form_body_is_read_and_others_are_passed_over(content_type: str, read: bool) -> None:
    assert read_form("POST", b"", content_type, b"value=1") == ({b"value": b"1"} if read else {})
    assert takes_body("POST", content_type) is read
    assert not takes_body("GET", content_type)


@pytest.mark.parametrize(
    ("content_type", "cause"),
    [
        ("/", "mime: no media type"),
        (";", "mime: no media type"),
        ("foo bar", "mime: expected slash after first token"),
        ("a/", "mime: expected token after slash"),
        ("a/b c", "mime: unexpected content after media subtype"),
        (f"{FORM}; charset", "mime: invalid media parameter"),
        (f'{FORM}; a="b', "mime: invalid media parameter"),
        (f'{FORM}; a="b\\"', "mime: invalid media parameter"),
        (f"{FORM}; a=1; A=2", "mime: duplicate parameter name"),
    ],
)
def test_a_content_type_that_is_none_is_refused_before_the_body_is(content_type: str, cause: str) -> None:
    with pytest.raises(EtcdError) as raised:
        read_form("PUT", b"%q", content_type, b"value=%zz")
    assert not takes_body("PUT", content_type)
    assert (raised.value.code, raised.value.cause, raised.value.index) == (210, cause, 0)


class Counting(str):
    """Counts the characters that are copied out of it."""

    copied = 0

    def __getitem__(self, key: SupportsIndex | slice) -> Counting:
        piece = super().__getitem__(key)
        Counting.copied += len(piece)
        return Counting(piece)


def test_the_work_for_a_content_type_grows_with_its_length_alone() -> None:
    long = Counting(FORM + ";a=b" * 1000 + " ; ")
    assert takes_body("PUT", long)
    assert Counting.copied < 2 * len(long)


@pytest.mark.parametrize(
    ("query", "body", "cause"),
    [
        (b"", b"value=%zz", 'invalid URL escape "%zz"'),
        (b"", b"%zz=1", 'invalid URL escape "%zz"'),
        (b"a=%", b"", 'invalid URL escape "%"'),
        (b"a=%4", b"", 'invalid URL escape "%4"'),
        (b"a=%4&b", b"", 'invalid URL escape "%4"'),
        (b"a%4=1", b"", 'invalid URL escape "%4"'),
        (b"a=b%4=1", b"", 'invalid URL escape "%4="'),
        (b"unknown=1&%=%zz", b"", 'invalid URL escape "%"'),
        (b"a=%4%41", b"", 'invalid URL escape "%4%"'),
        (b"a=%q1&b=%q2", b"", 'invalid URL escape "%q1"'),
        (b"a=%qq", b"a=%bb&b=%bx", 'invalid URL escape "%bx"'),
        (b"a=%zz&b=;", b"", 'invalid URL escape "%zz"'),
        (b"a=%4;b", b"", 'invalid URL escape "%4"'),
        (b"a=;", b"a=%zz", 'invalid URL escape "%zz"'),
        (b'a=%"b', b"", 'invalid URL escape "%\\"b"'),
        (b"a=%\xc3\xa9", b"", 'invalid URL escape "%é"'),
        (b"a=%\xff\x7f", b"", 'invalid URL escape "%\\xff\\x7f"'),
    ],
)
def test_a_bad_escape_is_refused_that_of_the_body_first(query: bytes, body: bytes, cause: str) -> None:
    with pytest.raises(EtcdError) as raised:
        read_form("PUT", query, FORM, body)
    assert (raised.value.code, raised.value.cause) == (210, cause)


def test_a_semicolon_separates_parameters_as_an_ampersand_does() -> None:
    # so in every Go before 1.17, and the releases of etcd 2.3 are older
    assert read_form("PUT", b"ttl=5;a=1&value=x", FORM, b"value=p;q;b=7") == {
        b"value": b"p",
        b"b": b"7",
        b"ttl": b"5",
        b"a": b"1",
    }


def test_a_body_has_at_most_ten_mebibytes() -> None:
    longest = b"value=" + b"x" * (MAX_BODY - 6)
    assert len(read_form("PUT", b"", FORM, longest)[b"value"]) == MAX_BODY - 6
    with pytest.raises(EtcdError, match="http: POST too large"):
        read_form("PUT", b"", FORM, longest + b"x")


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (b"a\x07\n\t\\", '"a\\a\\n\\t\\\\"'),
        (b"\x01\x1f\x7f", '"\\x01\\x1f\\x7f"'),
        ("\u00a0\u200b世".encode(), '"\\u00a0\\u200b世"'),
        ("\U000e0001".encode(), '"\\U000e0001"'),
    ],
)
def test_go_quotes_what_cannot_be_printed(text: bytes, quoted: str) -> None:
    assert quote_as_go(text) == quoted


@given(st.binary(), st.text(), st.binary())
def test_nothing_but_an_etcd_error_escapes(query: bytes, content_type: str, body: bytes) -> None:
    try:
        read_form("PUT", query, content_type, body)
    except EtcdError as error:
        assert error.code == 210  # noqa: PT017 - most inputs are fine


def calls_for(pairs: int) -> int:
    """How many functions run to read a form with that many parameters nobody knows, and one at the end."""
    body = b"&".join(b"a%d=1" % n for n in range(pairs)) + b"&value=last"
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        form = read_form("PUT", b"", FORM, body)
    finally:
        sys.setprofile(None)
    assert form == {b"value": b"last"}
    return calls


def test_parameters_nobody_knows_cost_no_work_each() -> None:
    assert calls_for(20_000) == calls_for(20)


@given(
    st.lists(
        st.sampled_from([b"a", b"%61", b"b", b"ab", b"=", b"=", b"&", b"&", b"%62", b"+", b"%26", b"%3d"])
    )
)
def test_the_first_value_of_each_name_is_that_of_a_plain_reading(parts: list[bytes]) -> None:
    plain: dict[bytes, bytes] = {}
    for name, value in parse_qsl(b"".join(parts), keep_blank_values=True):
        if name in (b"a", b"b"):
            plain.setdefault(name, value)
    assert read_form("GET", b"".join(parts), "", b"") == plain
