"""The known differences are those that the docs tell."""

from pathlib import Path

import pytest

from tests.differential.compare import differences
from tests.differential.known import GATEWAY, KNOWN, Known
from tests.differential.sequences import Ask
from tests.differential.wire import Answer

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.what)
def test_a_known_difference_is_a_line_of_the_docs(known: Known) -> None:
    ours, later = PAGE.read_text().split("## Where 2.3.8 and later etcd differ")
    assert f"\n| {known.what}" in (later if known.since > (0, 0) else ours)


@pytest.mark.parametrize("known", GATEWAY, ids=lambda known: known.what)
def test_a_known_difference_of_a_gateway_is_a_line_of_its_docs(known: Known) -> None:
    assert f"\n| {known.what}" in PAGE.with_name("gateway.md").read_text()


_JSON, _TEXT = ("Content-Type", "application/json"), ("Content-Type", "text/plain; charset=utf-8")
_INDEX = ("X-Etcd-Index", "5")
_BROKEN = Answer("HTTP/1.1 500 Internal Server Error", (_JSON,), b'{"message":"Internal Server Error"}\n')


def _answer(status: str, body: bytes, *headers: tuple[str, str]) -> Answer:
    return Answer(f"HTTP/1.1 {status}", (*headers, ("Content-Length", str(len(body)))), body)


_CASES = [
    (
        Ask("PUT", b"/v2/keys/d/%ff", b"value=1"),
        _answer(
            "400 Bad Request",
            b'{"errorCode":209,"message":"Invalid field","cause":"the key is not UTF-8: byte 0xff at its offset 3",'
            b'"index":0}\n',
            _JSON,
        ),
        _answer("201 Created", b'{"action":"set","node":{"key":"/d/\\ufffd"}}\n', _JSON, _INDEX),
    ),
    (
        Ask("GET", b"/version"),
        _answer("200 OK", b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}', _JSON),
        _answer("200 OK", b'{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}', _JSON),
    ),
    (
        Ask("GET", b"/health"),
        _answer("200 OK", b'{"health": "true"}', _TEXT),
        _answer("200 OK", b'{"health":"true","reason":""}', _TEXT),
    ),
    (
        Ask("GET", b"/metrics"),
        _answer("200 OK", b"# HELP a\n", ("Content-Type", "text/plain; version=0.0.4")),
        _answer("200 OK", b"# HELP b\n", ("Content-Type", "text/plain; version=0.0.4; charset=utf-8")),
    ),
    (
        Ask("PUT", b"/v3/kv"),
        _answer("404 Not Found", b"404 page not found\n", _TEXT),
        _answer("404 Not Found", b"Not Found\n", _TEXT),
    ),
    (
        Ask("PUT", b"/v2/keys/a", b"noValueOnSuccess=true"),
        _answer(
            "200 OK", b'{"action":"set","node":{"key":"/a","value":"","modifiedIndex":5}}\n', _JSON, _INDEX
        ),
        _answer("200 OK", b'{"action":"set"}\n', _JSON, _INDEX),
    ),
    (
        Ask("GET", b"/v2/keys/a", b"noValueOnSuccess"),
        _answer("404 Not Found", b'{"errorCode":100,"message":"m","cause":"/a","index":5}\n', _JSON, _INDEX),
        _answer(
            "400 Bad Request",
            b'{"errorCode":209,"message":"m","cause":"noValueOnSuccess","index":5}\n',
            _JSON,
            _INDEX,
        ),
    ),
]


def _expected(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    for known in KNOWN:
        theirs = known.expected(ask, ours, theirs)
    return theirs


@pytest.mark.parametrize(("ask", "ours", "theirs"), _CASES)
def test_a_known_difference_excuses_the_answer_of_2_3_8_and_no_other(
    ask: Ask, ours: Answer, theirs: Answer
) -> None:
    assert not differences(ask, ours, _expected(ask, ours, theirs))
    for other in (
        _BROKEN,
        ours._replace(body=b"x"),
        ours._replace(status="HTTP/1.1 500 Internal Server Error"),
    ):
        assert differences(ask, other, _expected(ask, other, theirs)), other


def _event(key: str, index: int) -> bytes:
    return b'{"action":"set","node":{"key":"%s","modifiedIndex":%d}}\n' % (key.encode(), index)


@pytest.mark.parametrize(
    ("ours", "query", "fits"),
    [
        (b"", b"", True),
        (_event("/d/x", 6), b"", True),
        (_event("/d", 7), b"", True),
        (_event("/d/x", 6) + _event("/d/x", 7), b"&stream=true", True),
        (_event("/d/x", 6) + _event("/d/x", 7), b"", False),
        (_event("/d/x", 7) + _event("/d/x", 6), b"&stream=true", False),
        (_event("/d/x", 4), b"", False),
        (_event("/dx", 6), b"", False),
        (b'{"errorCode":300}\n', b"", False),
        (b"Internal Server Error\n", b"", False),
    ],
)
def test_a_recursive_watch_may_only_get_what_came_later(ours: bytes, query: bytes, fits: bool) -> None:
    ask = Ask("GET", b"/v2/keys/d", b"wait=true&recursive=true&waitIndex=3" + query)
    answer = Answer(body=ours)
    assert (_expected(ask, answer, Answer(body=_event("/d", 5))) == answer) is fits
