"""What of a request goes on to a member."""

import pytest

from server.http.heads import HeaderMap
from server.http.messages import Request
from server.proxy.requests import RequestHeads, origin_form, request_head


def sent(
    *pairs: tuple[str, str],
    method: str = "GET",
    target: bytes = b"/v2/keys/a",
    length: int = 0,
    client: str = "10.0.0.9",
) -> list[str]:
    headers = HeaderMap([(name.encode(), value.encode()) for name, value in pairs])
    request = Request(method, target, headers, client)
    head = request_head(request, RequestHeads("me").lines(request), length)
    assert head.endswith(b"\r\n\r\n")
    return head.decode().split("\r\n")[:-2]


def test_what_is_not_about_the_connection_goes_on_as_it_came() -> None:
    assert sent(
        ("Host", "etcd.example:2379"), ("authorization", "Basic eDp5"), ("Accept", "a"), ("Accept", "b")
    ) == [
        "GET /v2/keys/a HTTP/1.1",
        "Host: etcd.example:2379",
        "authorization: Basic eDp5",
        "Accept: a",
        "Accept: b",
        "X-Forwarded-For: 10.0.0.9",
        "Via: 1.1 me",
    ]


@pytest.mark.parametrize(
    "name",
    ["Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers", "transfer-encoding", "Upgrade", "Proxy-Connection", "Expect"],
)  # fmt: skip
def test_what_is_about_the_connection_stays_behind(name: str) -> None:
    assert sent((name, "x"), ("Host", "h"))[1:2] == ["Host: h"]


def test_what_connection_names_stays_behind() -> None:
    lines = sent(("Connection", "close, X-Mine"), ("X-Mine", "1"), ("X-Other", "2"))
    assert lines[1:-2] == ["X-Other: 2"]


def test_x_forwarded_for_and_via_grow() -> None:
    lines = sent(("X-Forwarded-For", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2"), ("Via", "1.0 other"))
    assert lines[1:] == ["X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.9", "Via: 1.0 other, 1.1 me"]


@pytest.mark.parametrize(
    ("method", "length", "line"),
    [("PUT", 7, ["Content-Length: 7"]), ("PUT", 0, ["Content-Length: 0"]), ("DELETE", 0, []), ("DELETE", 3, ["Content-Length: 3"])],
)  # fmt: skip
def test_the_length_is_that_of_the_body_read(method: str, length: int, line: list[str]) -> None:
    lines = sent(("Content-Length", "99"), method=method, length=length)
    assert lines[3:] == line


@pytest.mark.parametrize(
    ("target", "form"),
    [
        (b"/v2/keys/a%2fb?x=%20", b"/v2/keys/a%2fb?x=%20"),
        (b"//a/../b", b"//a/../b"),
        (b"http://10.0.0.1:2379/v2/keys?a=1", b"/v2/keys?a=1"),
        (b"http://10.0.0.1:2379", b"/"),
    ],
)
def test_a_target_goes_on_as_it_came_but_for_a_host_in_it(target: bytes, form: bytes) -> None:
    assert origin_form(target) == form


def test_a_request_that_has_come_round_is_known_also_behind_others() -> None:
    heads = RequestHeads("me")
    for via, known in (("1.1 me", True), ("1.0 a, 1.1 me, 1.1 b", True), ("1.1 a", False), ("", False)):
        headers = HeaderMap([(b"via", via.encode())])
        assert heads.lines(Request("GET", b"/", headers)).come_round is known


def test_the_same_lines_from_two_clients_are_told_apart_and_passwords_not_remembered() -> None:
    heads = RequestHeads("me")
    shared = HeaderMap([(b"Host", b"h")])
    for client in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        lines = heads.lines(Request("GET", b"/", shared, client)).lines
        assert f"X-Forwarded-For: {client}\r\n".encode() in lines
    heads.lines(Request("GET", b"/", HeaderMap([(b"Authorization", b"Basic x")]), "10.0.0.3"))
    assert len(heads._known) == 2


@pytest.mark.parametrize(
    ("pairs", "bodiless"),
    [
        ([], True),
        ([("Content-Length", "0")], True),
        ([("Content-Length", "3")], False),
        ([("transfer-encoding", "chunked")], False),
    ],
)
def test_whether_a_body_comes_is_seen_by_the_framing(pairs: list[tuple[str, str]], bodiless: bool) -> None:
    headers = HeaderMap([(name.encode(), value.encode()) for name, value in pairs])
    assert RequestHeads("me").lines(Request("PUT", b"/", headers)).bodiless is bodiless
