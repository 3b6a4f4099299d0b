"""Directories written by real 2.0.13 and 2.3.8: read as recorded, and written again to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.raft.types import Entry, EntryType
from server.storage.codec import (
    WalPosition,
    decode_conf_change,
    decode_entry,
    decode_hard_state,
    decode_metadata,
    decode_position,
    encode_conf_change,
    encode_entry,
    encode_hard_state,
    encode_metadata,
    encode_position,
)
from server.storage.records import Record, RecordType, TornTailError, encode_record, read_records
from server.storage.replay import list_segments, read_wal
from server.storage.requests import StoreRequest, decode_request, encode_request
from server.storage.snapshots import SnapshotDir, encode_snapshot_file, read_snapshot
from server.storage.wal import WAL
from tests.support.datadirs import Recorded, recorded

pytestmark = pytest.mark.parametrize("vector", recorded(), ids=str)


def whole_records(path: Path, crc: int) -> list[Record]:
    records = []
    try:
        for record in read_records(path, crc):
            records.append(record)
    except TornTailError:
        pass  # two of the vectors end so
    return records


def test_every_record_is_read_as_recorded(vector: Recorded, tmp_path: Path) -> None:
    wal_dir = vector.unpack(tmp_path) / "member" / "wal"
    facts = vector.records()["wal"]
    assert [segment.path.name for segment in list_segments(wal_dir)] == [fact["file"] for fact in facts]
    crc = 0
    for fact in facts:
        expected = [record for record in fact["records"] if record.get("kind") != "TORN"]
        records = whole_records(wal_dir / fact["file"], crc)
        assert [(r.offset, r.type, r.crc) for r in records] == [
            (e["off"], e["type"], e["crc"]) for e in expected
        ]
        for record, known in zip(records, expected, strict=True):
            assert described(record) == {
                key: known[key] for key in known if key not in ("off", "type", "crc")
            }
        crc = records[-1].crc


def described(record: Record) -> dict[str, Any]:
    """A record in the words of records.json."""
    match RecordType(record.type):
        case RecordType.METADATA:
            metadata = decode_metadata(record.data)
            return {"node": f"{metadata.node_id:x}", "cluster": f"{metadata.cluster_id:x}"}
        case RecordType.STATE:
            state = decode_hard_state(record.data)
            return {"term": state.term, "vote": f"{state.vote:x}", "commit": state.commit}
        case RecordType.SNAPSHOT:
            position = decode_position(record.data)
            return {"index": position.index, "term": position.term}
        case RecordType.ENTRY:
            return {"entry": described_entry(decode_entry(record.data), record.data)}
        case RecordType.CRC:
            return {}


def described_entry(entry: Entry, raw: bytes) -> dict[str, Any]:
    has_data = bool(entry.data) or raw.endswith(b"\x22\x00")  # 2.0 writes an empty field
    words: dict[str, Any] = {
        "type": entry.type,
        "term": entry.term,
        "index": entry.index,
        "hasData": has_data,
    }
    if entry.type is EntryType.CONF_CHANGE:
        change = decode_conf_change(entry.data)
        words["cc"] = {"ID": change.id, "type": change.type, "node": f"{change.node_id:x}"}
        words["cc"]["ctx"] = change.context.decode()
    elif entry.data:
        request = decode_request(entry.data)
        assert request is not None
        words["data"] = {"bare": described_request(request)}
    else:
        words["data"] = "EMPTY"
    return words


def described_request(request: StoreRequest) -> dict[str, Any]:
    values = {
        "ID": request.id,
        "Method": request.method,
        "Path": request.path,
        "Val": request.val.decode(),
        "Dir": request.dir,
        "PrevValue": request.prev_value.decode(),
        "PrevIndex": request.prev_index,
        "Expiration": request.expiration,
        "Wait": request.wait,
        "Since": request.since,
        "Recursive": request.recursive,
        "Sorted": request.sorted,
        "Quorum": request.quorum,
        "Time": request.time,
        "Stream": request.stream,
    }
    given = {"PrevExist": request.prev_exist, "Refresh": request.refresh}
    return {key: value for key, value in values.items() if value} | {
        key: value for key, value in given.items() if value is not None
    }


def test_a_log_rewritten_from_what_was_decoded_is_the_same_file(vector: Recorded, tmp_path: Path) -> None:
    wal_dir = vector.unpack(tmp_path) / "member" / "wal"
    crc = 0
    for segment in list_segments(wal_dir):
        records = whole_records(segment.path, crc)
        rewritten = b"".join(encode_record(RecordType(r.type), r.crc, reencoded(r)) for r in records)
        assert rewritten == segment.path.read_bytes()[: records[-1].end]
        crc = records[-1].crc


def reencoded(record: Record) -> bytes:
    match RecordType(record.type):
        case RecordType.METADATA:
            return encode_metadata(decode_metadata(record.data))
        case RecordType.STATE:
            return encode_hard_state(decode_hard_state(record.data))
        case RecordType.SNAPSHOT:
            return encode_position(decode_position(record.data))
        case RecordType.CRC:
            return b""
        case RecordType.ENTRY:
            return reencoded_entry(record.data)


def reencoded_entry(raw: bytes) -> bytes:
    entry = decode_entry(raw)
    data = entry.data
    if entry.type is EntryType.CONF_CHANGE:
        data = encode_conf_change(decode_conf_change(data))
        if entry.data.endswith(b"\x22\x00"):  # 2.0 writes an empty context
            data += b"\x22\x00"
    elif data:
        request = decode_request(data)
        assert request is not None
        data = encode_request(request)
    encoded = encode_entry(Entry(entry.term, entry.index, data, entry.type))
    return encoded + b"\x22\x00" if not data and raw.endswith(b"\x22\x00") else encoded


def test_every_snapshot_is_read_as_recorded_and_rewritten_the_same(vector: Recorded, tmp_path: Path) -> None:
    snap_dir = vector.unpack(tmp_path) / "member" / "snap"
    facts = vector.records()["snap"]
    assert sorted(path.name for path in snap_dir.iterdir()) == sorted(fact["file"] for fact in facts)
    for fact in facts:
        snapshot = read_snapshot(snap_dir / fact["file"])
        assert (snapshot.index, snapshot.term) == (fact["index"], fact["term"])
        assert [f"{node:x}" for node in snapshot.nodes] == fact["nodes"]
        assert encode_snapshot_file(snapshot) == (snap_dir / fact["file"]).read_bytes()


def test_the_directory_opens_at_its_newest_snapshot(vector: Recorded, tmp_path: Path) -> None:
    member = vector.unpack(tmp_path) / "member"
    records = [r for fact in vector.records()["wal"] for r in fact["records"] if r.get("kind") != "TORN"]
    snapshot = SnapshotDir(member / "snap").load_newest()
    at = WalPosition(snapshot.index, snapshot.term) if snapshot else WalPosition()
    looked_at = read_wal(member / "wal", at)
    wal, contents = WAL.open(member / "wal", at)
    wal.close()
    indexes = [r["entry"]["index"] for r in records if r["type"] == RecordType.ENTRY]
    states = [r for r in records if r["type"] == RecordType.STATE]
    assert [entry.index for entry in contents.entries] == [index for index in indexes if index > at.index]
    assert contents.hard_state.commit == states[-1]["commit"]
    assert f"{contents.metadata.node_id:x}" == next(
        r["node"] for r in records if r["type"] == RecordType.METADATA
    )
    assert (looked_at.metadata, looked_at.entries, looked_at.hard_state) == (
        contents.metadata,
        contents.entries,
        contents.hard_state,
    )


def test_only_a_torn_directory_is_changed_by_opening_it(vector: Recorded, tmp_path: Path) -> None:
    member = vector.unpack(tmp_path) / "member"
    before = {path.name: path.read_bytes() for path in (member / "wal").iterdir()}
    snapshot = SnapshotDir(member / "snap").load_newest()
    WAL.open(member / "wal", WalPosition(snapshot.index, snapshot.term) if snapshot else WalPosition())[
        0
    ].close()
    after = {path.name: path.read_bytes() for path in (member / "wal").iterdir()}
    if not vector.name.startswith("torn"):
        assert after == before
        return
    (name,) = before
    assert after[name + ".broken"] == before[name]
    torn = vector.records()["wal"][0]["records"][-1]
    assert after[name] == before[name][: torn["off"]]
