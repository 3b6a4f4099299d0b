"""Answers taken apart: what their heads say, what of them goes on, and that nothing but BadAnswer escapes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.http.answers import (
    UNTIL_CLOSE,
    AnswerHead,
    AnswerHeads,
    BadAnswer,
    Verbatim,
    passed_on,
    read_head,
)
from server.http.heads import CHUNKED


def head(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


OK = "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("lines", "length", "keeps", "plain"),
    [
        ((OK, "Content-Length: 12"), 12, True, True),
        ((OK, "content-length:12"), 12, True, True),
        ((OK, "X-Connection: close", "Content-Length: 12"), 12, True, True),
        ((OK, "Connection: close", "Content-Length: 12"), 12, False, False),
        ((OK, "Content-Length: 12", "Connection: X-A, Close"), 12, False, False),
        ((OK, "Keep-Alive: timeout=5", "Content-Length: 0"), 0, True, False),
        ((OK, "Transfer-Encoding: chunked"), CHUNKED, True, False),
        ((OK, "Content-Length: 4", "Transfer-Encoding: Chunked"), CHUNKED, True, False),
        ((OK,), UNTIL_CLOSE, False, False),
        (("HTTP/1.0 200 OK", "Content-Length: 5"), 5, False, False),
        (("HTTP/1.0 200 OK", "Content-Length: 5", "Connection: keep-alive"), 5, True, False),
        (("HTTP/1.1 204 No Content",), 0, True, False),
        (("HTTP/1.1 304 Not Modified", "Content-Length: 7"), 0, True, False),
        (("HTTP/1.1 100 Continue",), 0, True, False),
        (("HTTP/1.1 200", "Content-Length: 5"), 5, True, False),
    ],
)  # fmt: skip
def test_a_head_says_how_long_the_body_is_and_whether_the_connection_stays(
    lines: tuple[str, ...], length: int, keeps: bool, plain: bool
) -> None:
    data = head(*lines)
    status = int(lines[0].split()[1])
    assert read_head(data + b"body", is_head=False) == AnswerHead(status, len(data), length, keeps, plain)


@pytest.mark.parametrize("cut", [0, 1, 20, 34, 37])
def test_a_head_that_is_not_whole_is_none(cut: int) -> None:
    assert read_head(head(OK, "Content-Length: 2")[:cut], is_head=False) is None


def test_the_answer_to_a_head_request_has_no_body_whatever_it_tells() -> None:
    data = head(OK, "Content-Length: 84")
    assert read_head(data, is_head=True) == AnswerHead(200, len(data), 0, True, False)
    assert passed_on(data, is_head=True) == (("Content-Length", "84"),)


def test_heads_are_read_wherever_they_begin_and_the_same_when_they_come_again() -> None:
    heads = AnswerHeads()
    one, other = head(OK, "Content-Length: 1"), head(OK, "Content-Length: 2", "Connection: close")
    data = one + b"x" + other
    for _ in range(2):
        assert heads.read(data, 0, is_head=False) == read_head(one, is_head=False)
        assert heads.read(data, len(one) + 1, is_head=False) == read_head(other, is_head=False)
        assert heads.read(data, 0, is_head=True) == read_head(one, is_head=True)
        assert heads.read(data[:-1], len(one) + 1, is_head=False) is None


def test_no_more_than_so_many_heads_are_remembered() -> None:
    heads = AnswerHeads()
    for n in range(10_000):
        data = head(OK, f"Content-Length: {n}")
        assert heads.read(data, 0, is_head=False) == AnswerHead(200, len(data), n, True, True)
    assert len(heads) <= 256


def test_long_heads_are_read_and_not_remembered() -> None:
    heads = AnswerHeads()
    data = head(OK, "Content-Length: 1", "X-Long: " + "x" * 2000)
    assert heads.read(data, 0, is_head=False) == AnswerHead(200, len(data), 1, True, True)
    assert len(heads) == 0


@pytest.mark.parametrize(
    "lines",
    [
        ("SSH-2.0-OpenSSH_9.2",),
        ("HTTP/2.0 200 OK", "Content-Length: 1"),
        ("HTTP/1.1 999 Odd", "Content-Length: 1"),
        (OK, "Content-Length: 1", "Content-Length: 2"),
        (OK, "Content-Length: -1"),
        (OK, "Content-Length: 1, 1"),
        (OK, "Content-Length: " + "9" * 19),
        (OK, "Transfer-Encoding: gzip, chunked"),
        (OK, "Transfer-Encoding: gzip"),
        (OK, "Transfer-Encoding: chunked", "no colon"),
        (OK, "Connection: close", "Folded: a", " b"),
    ],
)
def test_what_is_no_answer_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(BadAnswer):
        read_head(head(*lines), is_head=False)


def test_headers_about_the_connection_and_framing_are_not_passed_on() -> None:
    data = head(
        OK, "X-Etcd-Index: 4", "content-type: application/json", "Connection: X-Secret", "X-Secret: 1",
        "Keep-Alive: 5", "Date: now", "Transfer-Encoding: chunked", "Trailer: x", "Upgrade: h2c", "Allow: GET",
    )  # fmt: skip
    expected = (("Allow", "GET"), ("Content-Type", "application/json"), ("X-Etcd-Index", "4"))
    assert passed_on(data, is_head=False) == expected


def test_an_answer_on_the_wire_can_be_changed_again() -> None:
    response = Verbatim(200, head(OK, "B: 2", "A: 1", "Content-Length: 2") + b"{}").apart(is_head=False)
    assert (response.status, response.headers, response.body) == (200, (("A", "1"), ("B", "2")), b"{}")


LINES = st.lists(
    st.sampled_from(
        [OK, "HTTP/1.0 404 x", "Content-Length: 3", "Content-Length: x", "Transfer-Encoding: chunked", "Connection: close", ": x", "a", "A: \x00"]
    ),
    max_size=5,
)  # fmt: skip


@given(LINES, st.binary(max_size=30), st.booleans())
def test_nothing_but_bad_answer_escapes(lines: list[str], more: bytes, is_head: bool) -> None:
    data = head(*lines) + more
    try:
        found = read_head(data, is_head=is_head)
        if found is not None:
            passed_on(data[: found.size], is_head=is_head)
    except BadAnswer:
        return
    assert found is None or found.size <= len(data)
