"""What an answer may be: read from its bytes however they come in pieces, and its JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.asking import NoAnswer, redirected
from server.bounded import AnswerReader, BodyCollector, Bounds, HungUp, UnusableAnswer, index_in, parse_json

BOUNDS = Bounds(body=1000, seconds=1.0, depth=8, head=2000)
OK = b"HTTP/1.1 200 OK\r\n"


def read(wire: bytes, size: int = 65536, bounds: Bounds = BOUNDS) -> AnswerReader:
    reader = AnswerReader(bounds)
    for at in range(0, len(wire), size):
        if reader.done:
            break
        reader.feed(wire[at : at + size])
    if not reader.done:
        reader.end()
    return reader


@pytest.mark.parametrize(
    ("wire", "keeps"),
    [
        (OK + b"X-Etcd-Index: 7\r\nContent-Length: 4\r\n\r\nbody", True),
        (
            OK
            + b"X-Etcd-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nbo\r\n2\r\ndy\r\n0\r\nT: u\r\n\r\n",
            True,
        ),
        (OK + b"X-Etcd-Index: 7\r\nConnection: close\r\n\r\nbody", False),
        (b"HTTP/1.0 200\r\nX-Etcd-Index: 7\r\n\r\nbody", False),
        (
            b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"
            + OK
            + b"X-Etcd-Index: 7\r\nContent-Length: 4\r\n\r\nbody",
            True,
        ),
        (OK + b"x-etcd-index: 7\r\nContent-Encoding: identity\r\nContent-Length: 4\r\n\r\nbody", True),
    ],
)
@given(size=st.integers(1, 200))
def test_an_answer_is_the_same_in_whatever_pieces(wire: bytes, keeps: bool, size: int) -> None:
    reader = read(wire, size)
    assert (reader.answer.status, reader.answer.body, reader.answer.etcd_index) == (200, b"body", 7)
    assert reader.keeps == keeps


@given(st.binary(max_size=3000), st.integers(1, 100))
def test_any_bytes_are_an_answer_or_refused(wire: bytes, size: int) -> None:
    for start in (b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"):
        try:
            read_length = len(read(start + wire, size).answer.body)
        except UnusableAnswer as error:
            refused, read_length = str(error), 0
        else:
            refused = ""
        assert "\n" not in refused
        assert read_length <= BOUNDS.body


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (b"", "EOF"),
        (OK, "unexpected EOF"),
        (OK + b"Content-Length: 1001\r\n\r\n", "the answer is longer than 1000 bytes"),
        (OK + b"Connection: close\r\n\r\n" + b"a" * 1001, "the answer is longer than 1000 bytes"),
        (OK + b"A: b\r\n" * 101 + b"\r\n", "the answer has more than 100 headers"),
        (OK + b"A: " + b"b" * 2001 + b"\r\n\r\n", "the answer has a head of more than 2000 bytes"),
        (b"HTTP/1.1 100 Go on\r\n\r\n" * 100, "the answer has a head of more than 2000 bytes"),
        (
            OK + b"Content-Encoding: gzip\r\n\r\n",
            'the answer is compressed ("gzip"), which was not asked for',
        ),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 'unsupported transfer encoding "gzip, chunked"'),
        (b"SSH-2.0\r\n", 'malformed HTTP response "SSH-2.0"'),
    ],
)
def test_what_is_refused_and_in_which_words(wire: bytes, why: str) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        read(wire)
    assert str(caught.value) == why
    assert isinstance(caught.value, HungUp) == (wire == b"")


def test_what_comes_after_an_answer_costs_the_connection() -> None:
    answer = OK + b"Content-Length: 2\r\n\r\nok"
    assert read(answer).keeps
    reader = read(answer + answer)
    assert reader.answer.body == b"ok"
    assert not reader.keeps


def test_json_as_deep_as_it_may_be_and_deeper() -> None:
    assert parse_json('[[{"a":"[[[[[["}]]', 3) == [[{"a": "[[[[[["}]]
    with pytest.raises(UnusableAnswer, match=r"^JSON nested deeper than 2$"):
        parse_json('[[{"a":1}]]', 2)
    deep = 5000
    value = parse_json("[" * deep + "]" * deep, deep)
    for _ in range(deep - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    "text", ["1e999", "-1e999", "NaN", "Infinity", "9" * 21, "9" * 5000, "\ud800", '"', "", "[1,]"]
)
def test_json_that_go_does_not_take(text: str) -> None:
    with pytest.raises(UnusableAnswer, match=r"^invalid JSON: ") as caught:
        parse_json(text.encode("utf-8", "surrogatepass"), 8)
    assert len(str(caught.value)) < 200


def test_the_depth_is_counted_in_one_pass() -> None:
    """Quotes that do not end are gone over once: the time would grow with the square, and this would not end."""
    with pytest.raises(UnusableAnswer):
        parse_json("[" * 100 + '"' + '\\"' * 2_000_000, 99)


@pytest.mark.parametrize(
    ("text", "index"), [("7", 7), ("", 0), ("-1", 0), ("9" * 20, 0), ("\u0667", 0), ("1e3", 0)]
)
def test_an_index_is_a_number_or_none(text: str, index: int) -> None:
    assert index_in(text) == index


@pytest.mark.parametrize("length", ["ten", "-1", "+1", "1 1", "\u0667", "2, 3"])
def test_a_length_that_is_none(length: str) -> None:
    with pytest.raises(UnusableAnswer, match="bad Content-Length"):
        BodyCollector(10).announced(length)


@pytest.mark.parametrize(
    ("location", "goal"),
    [
        ("/b?c", "http://u:p@h:80/b?c"),
        ("b", "http://u:p@h:80/x/b"),
        ("http://h:80/b", "http://u:p@h:80/b"),
        ("https://h/b", "https://u:p@h/b"),
    ],
)
def test_a_redirect_that_stays_is_followed(location: str, goal: str) -> None:
    assert redirected("http://u:p@h:80/x/y", location) == goal


@pytest.mark.parametrize(
    "location",
    ["http://h:81/b", "http://g/b", "//g/b", "file:///etc/passwd", "ftp://h/", "http://h.evil/", "http://[/"],
)
def test_a_redirect_that_does_not_is_not(location: str) -> None:
    with pytest.raises(NoAnswer, match=r"^redirects to "):
        redirected("http://u:p@h:80/x/y", location)


def test_nobody_is_sent_from_https_to_http() -> None:
    with pytest.raises(NoAnswer):
        redirected("https://h/x", "http://h/x")
