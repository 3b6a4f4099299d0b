"""Requests of the v3 API in a log, told apart by whether they store something; and the mark that one was there."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.raft.types import EntryType
from server.storage.errors import CodecError, StorageError, WriteFailedError
from server.storage.replay import read_wal
from server.storage.requests import METHODS, Request, encode_request
from server.storage.v3 import MARK, V3Data, read_mark, stores_v3_data, write_mark
from tests.server.storage.test_faults import FailingFiles
from tests.support.datadirs import recorded

HEADER = bytes.fromhex("a2060808c1b2c3d4e5f60c")
"""Field 100, with the request's id: what etcd puts in front of a v3 request."""


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


PUT = bytes.fromhex("0a0161120131")  # key "a", value "1"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (4, "put"),
        (5, "delete range"),
        (6, "transaction"),
        (8, "lease grant"),
        (1000, "auth enable"),
        (1011, "auth disable"),
        (1100, "auth user add"),
        (1101, "auth user delete"),
        (1103, "auth user change password"),
        (1104, "auth user grant role"),
        (1105, "auth user revoke role"),
        (1200, "auth role add"),
        (1201, "auth role delete"),
        (1203, "auth role grant permission"),
        (1204, "auth role revoke permission"),
    ],
)
def test_what_stores_is_named(number: int, name: str) -> None:
    assert stores_v3_data(HEADER + field(number, PUT)) == name
    assert stores_v3_data(field(number, PUT) + HEADER) == name
    assert stores_v3_data(b"\x08\x05" + field(number, b"")) == name  # with an id, and nothing in it


@pytest.mark.parametrize("number", [3, 7, 9, 11, 1012, 1013, 1102, 1106, 1107, 1202, 1300, 1301, 1302])
def test_what_stores_nothing_of_a_user_is_passed_over(number: int) -> None:
    assert stores_v3_data(HEADER + field(number, PUT)) == ""


@pytest.mark.parametrize(
    ("request_", "name"), [("", ""), ("0800", ""), ("0801", "alarm"), ("0802", ""), ("080110051801", "alarm")]
)
def test_asking_for_alarms_is_no_alarm(request_: str, name: str) -> None:
    assert stores_v3_data(HEADER + field(10, bytes.fromhex(request_))) == name


def test_a_request_of_a_later_etcd_counts() -> None:
    assert stores_v3_data(HEADER + field(1400, b"")) == "request of kind 1400, which came after etcd 3.5"


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_v2_request_is_none_of_it_in_either_form(method: bytes) -> None:
    bare = encode_request(Request(id=4, method=method.decode(), path="/1/a", val=b"\x22\x03xyz"))
    assert stores_v3_data(bare) == ""
    assert stores_v3_data(HEADER + field(2, bare)) == ""


def test_the_logs_of_etcd_2_have_none_of_it(tmp_path: Path) -> None:
    seen = 0
    for vector in recorded():
        if vector.name.startswith("snap"):
            continue
        for entry in read_wal(vector.unpack(tmp_path) / "member" / "wal").entries:
            if entry.type is EntryType.NORMAL and entry.data:
                assert stores_v3_data(entry.data) == ""
                seen += 1
    assert seen > 100


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_but_codec_errors(data: bytes) -> None:
    with suppress(CodecError):
        assert isinstance(stores_v3_data(data), str)


# The mark


def test_a_mark_is_there_when_it_was_written(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None
    write_mark(tmp_path, V3Data("put", 17))
    assert read_mark(tmp_path) == V3Data("put", 17)
    assert [path.name for path in tmp_path.iterdir()] == [MARK]
    assert stat.S_IMODE((tmp_path / MARK).stat().st_mode) == 0o600


def test_the_first_mark_stays(tmp_path: Path) -> None:
    write_mark(tmp_path, V3Data("put", 17))
    write_mark(tmp_path, V3Data("lease grant", 18))
    assert read_mark(tmp_path) == V3Data("put", 17)


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\0", b"{}", b"[]", b'{"what": "put"}', b'{"what": 1, "index": "x"}']
)
def test_a_mark_that_cannot_be_understood_is_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARK).write_bytes(content)
    assert read_mark(tmp_path) == V3Data("something, of which the mark cannot be read", 0)
    write_mark(tmp_path, V3Data("put", 17))
    assert (tmp_path / MARK).read_bytes() == content


def test_a_mark_that_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / MARK).mkdir()
    with pytest.raises(StorageError, match="cannot read: Is a directory"):
        read_mark(tmp_path)


def test_a_mark_is_whole_or_not_there_whatever_fails(tmp_path: Path) -> None:
    for fail_at in range(1, 20):
        directory = tmp_path / f"{fail_at}"
        directory.mkdir()
        files = FailingFiles(fail_at)
        try:
            write_mark(directory, V3Data("put", 17), files=files)
        except WriteFailedError:
            assert read_mark(directory) in (None, V3Data("put", 17))
            write_mark(directory, V3Data("put", 17))
        else:
            break
        assert read_mark(directory) == V3Data("put", 17)
        assert os.listdir(directory) == [MARK]
    assert fail_at > 4
