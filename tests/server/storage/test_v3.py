"""Requests of the v3 API in a log, told apart by whether they store something; and the mark that one was there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.proto import wal_pb2
from server.raft.types import Entry, EntryType
from server.storage.codec import decode_entry
from server.storage.errors import CodecError, StorageError, WriteFailedError
from server.storage.records import RecordType
from server.storage.replay import read_wal
from server.storage.requests import METHODS, StoreRequest, encode_request
from server.storage.v3 import MARK, V3Data, read_mark, stores_v3_data, write_mark
from tests.server.storage.test_boltfile import database_after
from tests.server.storage.test_faults import FailingFiles
from tests.support import real_etcd
from tests.support.datadirs import recorded


@pytest.fixture(
    params=[(real_etcd.etcd34, real_etcd.HOW_34), (real_etcd.etcd35, real_etcd.HOW_35)], ids=["3.4", "3.5"]
)
def binary(request: pytest.FixtureRequest) -> Path:
    find, how = request.param
    return real_etcd.required(find(), how)


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
    bare = encode_request(StoreRequest(id=4, method=method.decode(), path="/1/a", val=b"\x22\x03xyz"))
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


DOINGS = {
    "put a 1": "put",
    "put a 1 --lease=0": "put",
    "del a": "delete range",
    "lease grant 1000": "lease grant",
    "user add u:p": "auth user add",
    "user passwd u --interactive=false": "auth user change password",
    "role add r": "auth role add",
    "role grant-permission r read a": "auth role grant permission",
    "user grant-role u r": "auth user grant role",
    "user revoke-role u r": "auth user revoke role",
    "role revoke-permission r a": "auth role revoke permission",
    "role delete r": "auth role delete",
    "user delete u": "auth user delete",
    "get a": "",
    "compact 1": "",
    "user list": "",
    "role list": "",
    "alarm list": "",
    "alarm disarm": "",
    "endpoint health": "",
    "member list": "",
}


@pytest.mark.slow
@pytest.mark.real_etcd
def test_what_clients_of_a_real_etcd_do_is_told_by_its_log(binary: Path, tmp_path: Path) -> None:
    def act(member: real_etcd.RunningEtcd, v3: Callable[..., str]) -> None:
        assert member.request("PUT", "/v2/keys/a", {"value": "1"}).status == 201
        for doing in DOINGS:
            v3(*doing.split(), stdin="p\n")

    database = database_after(binary, tmp_path, act)
    (segment,) = (database.parents[1] / "wal").glob("*.wal")
    told = [
        stores_v3_data(entry.data)
        for entry in entries_of_3x(segment)
        if entry.type is EntryType.NORMAL and entry.data
    ]
    assert [name for name in told if name] == [name for name in DOINGS.values() if name]
    assert told.count("") > 5  # what the v2 API did, and the members themselves


def entries_of_3x(segment: Path) -> Iterator[Entry]:
    """The entries in a segment that etcd 3.x wrote: records are padded, and zeros follow the last."""
    raw, offset = segment.read_bytes(), 0
    while length := int.from_bytes(raw[offset : offset + 8], "little"):
        size = length & (1 << 56) - 1
        padding = length >> 56 & 0x7
        record = wal_pb2.Record.FromString(raw[offset + 8 : offset + 8 + size])
        offset += 8 + size + padding
        if record.type == RecordType.ENTRY:
            yield decode_entry(record.data)


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
