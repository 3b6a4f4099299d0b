"""Files that are not as they were written: a torn tail is cut off with a backup, all else is refused untouched.

What real 2.3.8 does with each kind of damage stands in its words in the messages; where it would throw away good
records (a damaged length far from the end), the log is refused here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from google_crc32c import extend

from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState
from server.storage.codec import WalMetadata, WalPosition, encode_entry
from server.storage.errors import DamagedError, NewerFormatError, StorageError
from server.storage.files import Files
from server.storage.records import Record, RecordType, encode_record, read_records
from server.storage.replay import WalContents, list_segments, read_wal
from server.storage.wal import WAL

METADATA = WalMetadata(node_id=0xD2304450BBEDAB53, cluster_id=0x258FD313DC12711)


def written(directory: Path, *, segment_bytes: int = 10**6) -> list[Path]:
    """A log with every kind of record, also those that one flipped bit could turn into another kind."""
    wal = WAL.create(directory, METADATA, segment_bytes=segment_bytes)
    wal.save(HardState(1, 0, 1), [Entry(1, 1, b"\x08\x00\x10\x00\x18\x05", EntryType.CONF_CHANGE)])
    wal.save(HardState(2, 5, 1), [Entry(2, 2)])
    wal.save(HardState(2, 5, 4), [Entry(2, 3, b"PUT a"), Entry(2, 4, b"PUT bb")])
    wal.save_snapshot(WalPosition(3, 2))
    wal.save(EMPTY_HARD_STATE, [Entry(2, 5, b"z" * 40), Entry(2, 6)])
    wal.save(HardState(2, 5, 6), [])
    wal.close()
    return [segment.path for segment in list_segments(directory)]


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def opened(directory: Path) -> WalContents:
    wal, contents = WAL.open(directory)
    wal.close()
    return contents


def refused(directory: Path, kind: type[StorageError] = DamagedError) -> StorageError:
    """Opening is refused, says where, and leaves everything as it is."""
    before = content(directory)
    with pytest.raises(kind) as caught:
        WAL.open(directory)
    assert content(directory) == before
    assert caught.value.path is not None
    assert str(caught.value.path) in str(caught.value)
    return caught.value


# Torn tails


def test_a_tail_torn_at_any_byte_is_cut_off_and_kept_as_a_backup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = written(tmp_path / "whole")
    whole = path.read_bytes()
    last = list(read_records(path))[-1]
    expected = opened(tmp_path / "whole")
    for size in range(last.offset + 1, last.end):
        directory = tmp_path / f"torn-{size}"
        directory.mkdir()
        (directory / path.name).write_bytes(whole[:size])
        caplog.clear()
        contents = opened(directory)
        assert (contents.entries, contents.hard_state) == (expected.entries, HardState(2, 5, 4))
        assert content(directory) == {path.name: whole[: last.offset], path.name + ".broken": whole[:size]}
        assert f"repairing {directory / path.name}" in caplog.messages
        assert "repaired WAL error (unexpected EOF)" in caplog.messages


def test_a_log_torn_in_any_of_its_records_gives_those_before(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    whole = path.read_bytes()
    records = list(read_records(path))
    for record in records[3:]:
        for size in (record.offset + 3, record.offset + 8, record.end - 1):
            path.write_bytes(whole[:size])
            contents = opened(tmp_path)
            before = [r for r in records if r.end <= size]
            assert len(contents.entries) == sum(r.type == RecordType.ENTRY for r in before)
            assert contents.crc == before[-1].crc


def test_a_repaired_log_takes_new_entries(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    os.truncate(path, path.stat().st_size - 3)
    wal, contents = WAL.open(tmp_path)
    wal.save(HardState(3, 5, 7), [Entry(3, 7, b"new")])
    wal.close()
    assert opened(tmp_path).entries == [*contents.entries, Entry(3, 7, b"new")]


def test_a_backup_never_replaces_an_older_one(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    torn = []
    for _ in range(3):
        os.truncate(path, path.stat().st_size - 1)
        torn.append(path.read_bytes())
        opened(tmp_path)
    names = [".broken", ".broken.2", ".broken.3"]
    assert [(tmp_path / (path.name + name)).read_bytes() for name in names] == torn


@pytest.mark.parametrize("stray", [b"\x00", b"\xff" * 7, b"\x00" * 7, b"random!"])
def test_stray_bytes_fewer_than_a_length_are_a_torn_tail(tmp_path: Path, stray: bytes) -> None:
    (path,) = written(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + stray)
    opened(tmp_path)
    assert content(tmp_path) == {path.name: whole, path.name + ".broken": whole + stray}


def test_nothing_is_cut_when_the_backup_cannot_be_written(tmp_path: Path) -> None:
    class FullDisk(Files):
        def write(self, fd: int, data: bytes) -> None:
            super().write(fd, data[:100])
            raise OSError(28, "No space left on device")

    (path,) = written(tmp_path)
    os.truncate(path, path.stat().st_size - 1)
    before = content(tmp_path)
    with pytest.raises(StorageError, match="cannot repair: No space left on device"):
        WAL.open(tmp_path, files=FullDisk())
    assert content(tmp_path) == before
    opened(tmp_path)


def test_a_reader_sees_past_a_torn_tail_without_cutting_it(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    last = list(read_records(path))[-1]
    os.truncate(path, last.end - 1)
    before = content(tmp_path)
    contents = read_wal(tmp_path)
    assert contents.torn_at == last.offset
    assert contents.hard_state == HardState(2, 5, 4)
    assert content(tmp_path) == before


def test_a_torn_segment_that_is_not_the_newest_is_refused(tmp_path: Path) -> None:
    first, *_ = written(tmp_path, segment_bytes=150)
    os.truncate(first, first.stat().st_size - 1)
    error = refused(tmp_path)
    assert "read wal error (unexpected EOF) and cannot be repaired" in str(error)
    assert error.path == first
    assert error.offset is not None


@pytest.mark.parametrize("size", [0, 5, 12, 20])
def test_a_newest_segment_without_a_whole_head_is_refused(tmp_path: Path, size: int) -> None:
    *_, last = written(tmp_path, segment_bytes=150)
    os.truncate(last, size)
    error = refused(tmp_path)
    assert "head was not written whole" in str(error)
    assert error.path == last


def test_a_creation_cut_short_by_another_etcd_is_refused(tmp_path: Path) -> None:
    WAL.create(tmp_path, METADATA).close()
    (segment,) = list_segments(tmp_path)
    os.truncate(segment.path, segment.path.stat().st_size - 1)
    assert "wal: snapshot not found" in str(refused(tmp_path))


# Flipped bits


@pytest.mark.slow
@pytest.mark.parametrize("segment_bytes", [10**6, 150])
def test_a_bit_flipped_anywhere_is_refused_or_harmless(tmp_path: Path, segment_bytes: int) -> None:
    """Also in lengths and types, which no checksum covers. Harmless: the unused high bits of a checksum's last byte."""
    paths = written(tmp_path, segment_bytes=segment_bytes)
    right = read_wal(tmp_path)
    accepted = flips = 0
    for path in paths:
        whole = path.read_bytes()
        for position in range(len(whole)):
            for bit in range(8):
                path.write_bytes(
                    whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :]
                )
                flips += 1
                try:
                    assert read_wal(tmp_path) == right
                    accepted += 1
                except DamagedError:
                    pass
        path.write_bytes(whole)
    assert accepted < flips / 50


def at_record(change: Callable[[bytes, Record], bytes], number: int = 4) -> Callable[[Path], int]:
    """Changes a file at its n-th record; returns where that begins."""

    def apply(path: Path) -> int:
        record = list(read_records(path))[number]
        path.write_bytes(change(path.read_bytes(), record))
        return record.offset

    return apply


def with_length(length: int) -> Callable[[bytes, Record], bytes]:
    return lambda raw, r: raw[: r.offset] + length.to_bytes(8, "little", signed=True) + raw[r.offset + 8 :]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(at_record(lambda raw, r: raw[: r.end - 1] + b"\x55" + raw[r.end :]), id="content"),
        pytest.param(at_record(with_length(0)), id="no length"),
        pytest.param(at_record(with_length(-1)), id="negative length"),
        pytest.param(at_record(with_length(-(2**63) + 20)), id="highest bit of a length"),
        pytest.param(at_record(with_length(5000)), id="length beyond the end"),
        pytest.param(at_record(with_length(2**40)), id="absurd length"),
        pytest.param(
            at_record(lambda raw, r: raw[: r.offset] + b"\0" * 8 + raw[r.offset :]), id="zeros between"
        ),
        pytest.param(at_record(lambda raw, r: raw[: r.offset] + raw[r.end :]), id="a record gone"),
        pytest.param(at_record(lambda raw, r: raw[: r.end] + raw[r.offset :]), id="a record twice"),
    ],
)
def test_damage_is_refused_with_file_byte_and_etcds_words(
    tmp_path: Path, damage: Callable[[Path], int]
) -> None:
    (path,) = written(tmp_path)
    offset = damage(path)
    error = refused(tmp_path)
    assert "read wal error (walpb: crc mismatch) and cannot be repaired" in str(error)
    assert error.path == path
    assert error.offset is not None
    assert error.offset >= offset
    assert f"{path}, byte {error.offset}: " in str(error)


def appended(path: Path, kind: int, data: bytes) -> int:
    """Adds a record with a right checksum; returns where it begins."""
    last = list(read_records(path))[-1]
    record = encode_record(RecordType.ENTRY, extend(last.crc, data), data)
    path.write_bytes(path.read_bytes() + record.replace(b"\x08\x02\x10", b"\x08%c\x10" % kind, 1))
    return last.end


def test_an_unknown_type_of_record_is_refused(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    offset = appended(path, 6, b"what is this")
    error = refused(tmp_path)
    assert "unexpected block type 6" in str(error)
    assert error.offset == offset


def test_metadata_of_another_member_is_refused(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    offset = appended(path, RecordType.METADATA, b"\x08\x01\x10\x02")
    error = refused(tmp_path)
    assert "wal: conflicting metadata found" in str(error)
    assert error.offset == offset


def test_an_entry_of_a_later_etcd_is_refused(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    appended(path, RecordType.ENTRY, b"\x08\x02\x10\x02\x18\x07\x22\x01x")
    assert "log entry 7 has type 2" in str(refused(tmp_path))


def test_a_gap_between_entries_is_refused(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    appended(path, RecordType.ENTRY, encode_entry(Entry(2, 9, b"x")))
    assert "entry 9 follows entry 6" in str(refused(tmp_path))


# Directories of etcd 3.x


def test_a_padded_record_is_refused_as_written_by_3_x(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    record = encode_record(RecordType.CRC, 1)
    padded = record[:7] + b"\x84" + record[8:] + b"\0" * 4
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + padded)
    error = refused(tmp_path, NewerFormatError)
    assert "written by etcd 3.x" in str(error)
    assert error.offset == size


def test_a_segment_filled_up_with_zeros_is_refused_as_written_by_3_x(tmp_path: Path) -> None:
    (path,) = written(tmp_path)
    size = path.stat().st_size
    os.truncate(path, 64_000_000)
    with pytest.raises(NewerFormatError, match=r"written by etcd 3\.x") as caught:
        WAL.open(tmp_path)
    assert caught.value.offset == size


@pytest.mark.parametrize("size", [63_999_999, 64_000_001, 64_300_000])
def test_zeros_up_to_another_size_are_no_segment_of_3_x(tmp_path: Path, size: int) -> None:
    """As of a last write that made the segment large enough to be closed, and of which nothing arrived but the size."""
    (path,) = written(tmp_path)
    whole = path.read_bytes()
    os.truncate(path, size)
    opened(tmp_path)
    assert path.read_bytes() == whole
