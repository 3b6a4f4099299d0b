"""Targets, paths and redirects as Go's net/http treats them; expectations seen with etcd 2.3.8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.paths import clean_path, is_keys_path, redirect_location, store_path
from server.http.targets import BadPathError, decode_path, split_target


@pytest.mark.parametrize(
    ("target", "path", "location"),
    [
        (b"/v2/keys/a", "/v2/keys/a", None),
        (b"/v2/keys/a/", "/v2/keys/a/", None),
        (b"/v2/keys/a..b/...", "/v2/keys/a..b/...", None),
        (b"/v2/keys/a%2Fb+c", "/v2/keys/a/b+c", None),
        (b"/v2/keys/%00%0a%0D", "/v2/keys/\x00\n\r", None),
        (b"/v2/keys/\xff%ff", "/v2/keys/\udcff\udcff", None),
        (b"http://host/v2/keys/x?a=//", "/v2/keys/x", None),
        (b"//v2/keys/x", "//v2/keys/x", "/v2/keys/x"),
        (b"/v2/keys//a/?recursive=true", "/v2/keys//a/", "/v2/keys/a/?recursive=true"),
        (b"/v2/keys/%2F%2Fa", "/v2/keys///a", "/v2/keys/a"),
        (b"/v2/keys/%2e", "/v2/keys/.", "/v2/keys"),
        (b"/v2/keys/..", "/v2/keys/..", "/v2"),
        (b"/v2/keys/a/../", "/v2/keys/a/../", "/v2/keys/"),
        (b"/v2/keys//", "/v2/keys//", "/v2/keys/"),
        (b"/../..", "/../..", "/"),
        (b"/v2/keys/./a#b?c", "/v2/keys/./a#b", "/v2/keys/a%23b?c"),
        (b"/v2/keys//a/b%20c%3Fd;\xc3\xa9/", "/v2/keys//a/b c?d;é/", "/v2/keys/a/b%20c%3Fd;%C3%A9/"),
        (b"/v2//keys/a?x=\xff%zz&y=<>\"", "/v2//keys/a", '/v2/keys/a?x=%ff%zz&y=<>"'),
        (b"/v2/keys//\xff?", "/v2/keys//\udcff", "/v2/keys/%FF"),
        (
            b"/v2/keys//a'<>&!*()[]{}|~^`?a='<",
            "/v2/keys//a'<>&!*()[]{}|~^`",
            "/v2/keys/a%27%3C%3E&%21%2A%28%29%5B%5D%7B%7D%7C~%5E%60?a='<",
        ),
        (b"http://foo//v2/keys/x", "//v2/keys/x", "/v2/keys/x"),
    ],
)  # fmt: skip
def test_an_unclean_path_is_redirected_with_its_query(target: bytes, path: str, location: str | None) -> None:
    raw, query = split_target(target)
    assert decode_path(raw) == path
    assert redirect_location(path, query) == location
    assert (clean_path(path) == path) == (location is None)


@pytest.mark.parametrize(
    "target", [b"/v2/keys/%zz", b"/v2/keys/a%", b"/a\x01", b"/a?b=\x7f", b"/a b", b"foo", b"*", b""]
)
def test_a_target_no_route_can_get_is_refused(target: bytes) -> None:
    with pytest.raises(BadPathError, match=r"invalid (URL|URI|control character)"):
        decode_path(split_target(target)[0])


@given(st.text("/.a"))
def test_a_redirect_leads_to_a_clean_path(tail: str) -> None:
    cleaned = clean_path("/" + tail)
    assert clean_path(cleaned) == cleaned
    assert redirect_location(cleaned, b"q") is None


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/v2/keys", True),
        ("/v2/keys/", True),
        ("/v2/keys/a", True),
        ("/v2/keysfoo", False),
        ("/V2/keys", False),
    ],
)
def test_the_keys_routes(path: str, is_one: bool) -> None:
    assert is_keys_path(path) is is_one


@pytest.mark.parametrize(
    ("path", "key"), [("/v2/keys", "/1"), ("/v2/keys//", "/1"), ("/v2/keys/_a/b/", "/1/_a/b")]
)
def test_trailing_slashes_are_no_part_of_a_key(path: str, key: str) -> None:
    assert store_path(path) == key
