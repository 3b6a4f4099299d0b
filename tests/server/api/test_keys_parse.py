"""From an HTTP request to a StoreRequest: each parameter, each refusal, and which refusal comes first."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api.keys import METHODS, parse_keys_request
from server.storage.requests import StoreRequest, decode_request, encode_request
from server.store import EtcdError

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
FORM = "application/x-www-form-urlencoded"


def parse(method: str, query: str = "", body: bytes = b"", path: str = "/v2/keys/a") -> StoreRequest:
    return parse_keys_request(method, path, query.encode(), FORM if body else "", body, NOW)


def refusal(method: str, query: str) -> tuple[int, str]:
    with pytest.raises(EtcdError) as raised:
        parse(method, query)
    assert raised.value.index == 0
    return raised.value.code, raised.value.cause


def test_a_plain_request_has_nothing_but_method_and_path() -> None:
    assert parse("GET") == StoreRequest(method="GET", path="/1/a")
    assert parse("PUT", body=b"value=%FF+x") == StoreRequest(method="PUT", path="/1/a", val=b"\xff x")


def test_every_parameter_arrives() -> None:
    query = "recursive=true&sorted=1&dir=T&quorum=t&stream=True&prevValue=p&prevIndex=7&waitIndex=8&prevExist=false"
    assert parse("PUT", query + "&refresh=0&ttl=5&value=v&noValueOnSuccess=x&consistent=x") == StoreRequest(
        method="PUT",
        path="/1/a",
        val=b"v",
        recursive=True,
        sorted=True,
        dir=True,
        quorum=True,
        stream=True,
        prev_value=b"p",
        prev_index=7,
        since=8,
        prev_exist=False,
        refresh=False,
        expiration=NOW + 5 * SECOND,
    )
    assert parse("GET", "wait=true").wait


@pytest.mark.parametrize(
    ("path", "store_path"),
    [
        ("/v2/keys", "/1"),
        ("/v2/keys/", "/1"),
        ("/v2/keys/a/b/", "/1/a/b"),
        ("/v2/keys/a b+c\udcff", "/1/a b+c\udcff"),
        (
            "/v2/keys//../../0/x",
            "/1/0/x",
        ),  # never redirected to here, but it must not leave the prefix either
    ],
)
def test_the_path_becomes_a_store_path(path: str, store_path: str) -> None:
    assert parse("GET", path=path).path == store_path


@pytest.mark.parametrize("path", ["/v2/keysfoo", "/v2", "/v2/members", ""])
def test_a_path_of_another_route_is_refused(path: str) -> None:
    with pytest.raises(EtcdError, match="incorrect key prefix"):
        parse("GET", path=path)


@pytest.mark.parametrize(
    "name", ["recursive", "sorted", "wait", "dir", "quorum", "stream", "prevExist", "refresh"]
)
@pytest.mark.parametrize("text", ["", "yes", "TrUe", "tRUE", "2", "01", "%20true", "on", "\u0661"])
def test_a_boolean_is_one_of_twelve_words(name: str, text: str) -> None:
    quoted = name if name in ("prevExist", "refresh") else f'"{name}"'
    assert refusal("GET", f"{name}={text}") == (209, f"invalid value for {quoted}")


@pytest.mark.parametrize("name", ["recursive", "sorted", "wait", "dir", "quorum", "stream"])
def test_the_twelve_words(name: str) -> None:
    for text in ("1", "t", "T", "TRUE", "true", "True"):
        assert getattr(parse("GET", f"{name}={text}"), name) is True
    for text in ("0", "f", "F", "FALSE", "false", "False"):
        assert getattr(parse("GET", f"{name}={text}"), name) is False
    assert refusal("GET", name) == (209, f'invalid value for "{name}"')


BAD_NUMBERS = [
    "-1",
    "%2B1",
    "1e3",
    "0x1",
    "1_0",
    "%201",
    "1.5",
    "x",
    "18446744073709551616",
    "9" * 5000,
    "\u0661",
]


@pytest.mark.parametrize("text", ["", *BAD_NUMBERS])
@pytest.mark.parametrize("name", ["prevIndex", "waitIndex"])
@pytest.mark.parametrize("method", METHODS)
def test_an_index_is_digits_only_whatever_the_method(method: str, name: str, text: str) -> None:
    assert refusal(method, f"{name}={text}") == (203, f'invalid value for "{name}"')


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("007", 7), ("18446744073709551615", (1 << 64) - 1), ("0" * 5000 + "3", 3)]
)
def test_an_index_is_unsigned_64_bit(text: str, number: int) -> None:
    assert parse("PUT", f"prevIndex={text}").prev_index == number
    assert parse("GET", f"waitIndex={text}").since == number


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_a_ttl_is_digits_only(text: str) -> None:
    assert refusal("PUT", f"ttl={text}") == (202, 'invalid value for "ttl"')


@pytest.mark.parametrize(
    ("text", "expiration"),
    [
        ("", 0),
        ("0", NOW),
        ("100", NOW + 100 * SECOND),
        ("9223372037", NOW + 9_223_372_037 * SECOND - (1 << 64)),  # wraps into the past
        ("18446744073", NOW + 18_446_744_073 * SECOND - (1 << 64)),
        ("18446744073709551615", NOW - SECOND),
    ],
)
def test_a_ttl_counts_from_now_and_wraps_in_64_bits(text: str, expiration: int) -> None:
    assert parse("PUT", f"ttl={text}").expiration == expiration


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_prev_value_is_refused_on_every_method(method: str) -> None:
    assert refusal(method, "prevValue=") == (201, '"prevValue" cannot be empty')
    assert refusal(method, "prevValue") == (201, '"prevValue" cannot be empty')


@pytest.mark.parametrize("method", [method for method in METHODS if method != "GET"])
def test_wait_is_for_get_only(method: str) -> None:
    assert refusal(method, "wait=true") == (209, '"wait" can only be used with GET requests')
    assert parse(method, "wait=false").wait is False


@pytest.mark.parametrize("method", METHODS)
def test_a_refresh_needs_a_ttl_and_no_value(method: str) -> None:
    assert refusal(method, "refresh=true&value=x&ttl=5") == (211, "A value was provided on a refresh")
    assert refusal(method, "refresh=true&value=x") == (211, "A value was provided on a refresh")
    assert refusal(method, "refresh=true&value=&ttl=") == (212, "No TTL value set")
    assert parse(method, "refresh=true&value=&ttl=5").refresh is True
    assert parse(method, "refresh=false&value=x").refresh is False


# In the order etcd checks them.
FAULTS = [
    ("x=%zz", (210, 'invalid URL escape "%zz"')),
    ("prevIndex=x", (203, 'invalid value for "prevIndex"')),
    ("waitIndex=x", (203, 'invalid value for "waitIndex"')),
    ("recursive=x", (209, 'invalid value for "recursive"')),
    ("sorted=x", (209, 'invalid value for "sorted"')),
    ("dir=x", (209, 'invalid value for "dir"')),
    ("quorum=x", (209, 'invalid value for "quorum"')),
    ("stream=x", (209, 'invalid value for "stream"')),
    ("wait=true", (209, '"wait" can only be used with GET requests')),
    ("prevValue=", (201, '"prevValue" cannot be empty')),
    ("ttl=x", (202, 'invalid value for "ttl"')),
    ("prevExist=x", (209, "invalid value for prevExist")),
    ("refresh=true&value=v", (211, "A value was provided on a refresh")),
]


@pytest.mark.parametrize("first", range(len(FAULTS)), ids=[fault for fault, _ in FAULTS])
def test_of_several_faults_the_first_to_be_checked_is_the_answer(first: int) -> None:
    faults = [fault for fault, _ in FAULTS[first:]]
    assert refusal("PUT", "&".join(faults)) == FAULTS[first][1]
    assert refusal("PUT", "&".join(reversed(faults))) == FAULTS[first][1]


def test_a_wait_that_is_no_boolean_is_refused_among_the_flags() -> None:
    assert refusal("PUT", "dir=x&wait=x") == (209, 'invalid value for "wait"')
    assert refusal("PUT", "wait=x&sorted=x") == (209, 'invalid value for "sorted"')


@pytest.mark.parametrize("field", dataclasses.fields(StoreRequest), ids=lambda field: str(field.name))
def test_a_parsed_request_survives_the_log(field: dataclasses.Field[object]) -> None:
    request = parse(
        "PUT", "prevExist=true&prevValue=%FF&prevIndex=1&ttl=18446744073&refresh=false&dir=1", b"value=%FE"
    )
    again = decode_request(encode_request(request))
    assert again is not None
    assert getattr(again, field.name) == getattr(request, field.name)


NAMES = [
    *("prevIndex", "waitIndex", "recursive", "sorted", "wait", "dir", "quorum", "stream", "prevValue"),
    *("ttl", "prevExist", "refresh", "value", "other"),
]
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.binary(max_size=8)
        | st.sampled_from([b"true", b"false", b"1", b"0", b"", b"18446744073709551615"]),
    ),
    max_size=6,
).map(lambda pairs: b"&".join(name.encode() + b"=" + quote_from_bytes(text).encode() for name, text in pairs))


@given(
    st.sampled_from(METHODS),
    st.text(st.characters(), max_size=20),
    PAIRS | st.binary(),
    st.sampled_from(["", FORM, "text/plain"]) | st.text(max_size=20),
    PAIRS | st.binary(),
)
def test_nothing_but_an_etcd_error_escapes_and_what_parses_can_be_logged(
    method: str, key: str, query: bytes, content_type: str, body: bytes
) -> None:
    key = key.encode("utf-8", "replace").decode()
    try:
        request = parse_keys_request(method, "/v2/keys/" + key, query, content_type, body, NOW)
    except EtcdError as error:
        assert 201 <= error.code <= 212  # noqa: PT017 - most inputs are refused
    else:
        assert request.path == "/1" or request.path.startswith("/1/")
        assert decode_request(encode_request(request)) == request
