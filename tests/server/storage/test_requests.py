"""Requests in log entries, in the bare form of 2.x and in the wrapped one of 3.x."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.proto import etcdserver_pb2
from server.storage.errors import CodecError
from server.storage.requests import StoreRequest, decode_request, encode_request

METHODS = ["PUT", "POST", "DELETE", "QGET", "GET", "HEAD", "SYNC"]
uint64 = st.integers(0, 2**64 - 1)
int64 = st.integers(-(2**63), 2**63 - 1)

requests = st.builds(
    StoreRequest,
    id=uint64,
    method=st.sampled_from(METHODS),
    path=st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    val=st.binary(max_size=40),
    dir=st.booleans(),
    prev_value=st.binary(max_size=20),
    prev_index=uint64,
    prev_exist=st.none() | st.booleans(),
    expiration=int64,
    wait=st.booleans(),
    since=uint64,
    recursive=st.booleans(),
    sorted=st.booleans(),
    quorum=st.booleans(),
    time=int64,
    stream=st.booleans(),
    refresh=st.none() | st.booleans(),
)


@given(requests)
def test_requests_come_back(request: StoreRequest) -> None:
    assert decode_request(encode_request(request)) == request


@given(requests)
def test_wrapped_requests_come_back(request: StoreRequest) -> None:
    wrapped = etcdserver_pb2.InternalRaftRequest(
        ID=7, v2=etcdserver_pb2.Request.FromString(encode_request(request))
    )
    assert decode_request(wrapped.SerializeToString()) == request


@pytest.mark.parametrize("method", METHODS)
def test_a_bare_request_is_told_from_a_wrapped_one_by_its_method(method: str) -> None:
    decoded = decode_request(encode_request(StoreRequest(id=1, method=method, path="/1/a")))
    assert decoded == StoreRequest(id=1, method=method, path="/1/a")


def test_every_scalar_is_written_and_the_optional_ones_only_when_given() -> None:
    plain = encode_request(StoreRequest(id=1, method="PUT", path="/1/a", val=b"v"))
    head = "0801" + "1203505554" + "1a042f312f61" + "220176" + "2800" + "3200" + "3800"
    tail = "4800" + "5000" + "5800" + "6000" + "6800" + "7000" + "7800" + "800100"
    assert plain.hex() == head + tail
    given_ones = encode_request(StoreRequest(1, "PUT", "/1/a", b"v", prev_exist=False, refresh=False))
    assert given_ones.hex() == head + "4000" + tail + "880100"


def test_a_v3_request_holds_nothing_for_a_v2_member() -> None:
    put = bytes.fromhex("0805") + bytes.fromhex("2206") + b"\x0a\x01k\x12\x01v"
    assert decode_request(put) is None
    lease = bytes.fromhex("0805") + bytes.fromhex("4202") + b"\x08\x0a"
    assert decode_request(lease) is None


def test_a_refused_value_says_what_it_is() -> None:
    with pytest.raises(CodecError, match="do not decode as a request"):
        decode_request(b"\x12\x03PUT\x1a")


@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda rest: b"\x08\x01\x12\x03PUT" + rest))
def test_garbage_raises_nothing_but_codec_errors(data: bytes) -> None:
    with suppress(CodecError):
        decode_request(data)


def test_a_number_that_does_not_fit_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="range"):
        encode_request(StoreRequest(expiration=2**63))
