"""What the power leaves of a last write: cut off with a copy kept where the bytes prove it, refused in doubt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from server.raft.types import EMPTY_HARD_STATE, Entry, HardState
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import DamagedError
from server.storage.records import Record, RecordType, encode_record, read_records
from server.storage.replay import list_segments, read_wal
from server.storage.tails import SECTOR
from server.storage.wal import WAL

METADATA = WalMetadata(0xD2304450BBEDAB53, 0x258FD313DC12711)


class Log:
    """A log of one segment: appends of entries with data of these sizes, each with a hard state behind it."""

    def __init__(self, directory: Path, *appends: Sequence[int], state: bool = True) -> None:
        self.directory = directory
        wal = WAL.create(directory, METADATA, hard_state=HardState(1, 1, 0) if state else EMPTY_HARD_STATE)
        index = 0
        self.begins: list[int] = []
        (segment,) = list_segments(directory)
        self.path = segment.path
        for sizes in appends:
            self.begins.append(self.path.stat().st_size)
            entries = [Entry(1, index + n, b"\xa5" * size) for n, size in enumerate(sizes, start=1)]
            index += len(sizes)
            wal.save(EMPTY_HARD_STATE, entries)
        wal.close()
        self.raw = self.path.read_bytes()
        self.records = list(read_records(self.path))

    def of(self, index: int) -> Record:
        """The record of an entry."""
        return [record for record in self.records if record.type == RecordType.ENTRY][index - 1]

    def without(self, *sectors: int) -> bytes:
        """Zeros where these sectors are."""
        raw = bytearray(self.raw)
        for sector in sectors:
            begins, ends = sector * SECTOR, min((sector + 1) * SECTOR, len(raw))
            raw[begins:ends] = bytes(ends - begins)
        return bytes(raw)

    def is_cut(self, raw: bytes, at: int, left: int) -> None:
        """Opening cuts there, keeps what was, says so, and finds that many entries; whoever only reads, changes nothing."""
        self.path.write_bytes(raw)
        seen = read_wal(self.directory)
        assert (seen.torn_at, len(seen.entries)) == (at, left)
        assert self.path.read_bytes() == raw
        wal, contents = WAL.open(self.directory)
        assert [entry.index for entry in contents.entries] == list(range(1, left + 1))
        assert self.path.read_bytes() == self.raw[:at]
        assert self.path.with_name(self.path.name + ".broken").read_bytes() == raw
        wal.save(HardState(2, 1, 0), [Entry(2, left + 1, b"more")])
        wal.close()
        assert read_wal(self.directory).entries[-1] == Entry(2, left + 1, b"more")

    def is_refused(self, raw: bytes) -> None:
        self.path.write_bytes(raw)
        with pytest.raises(DamagedError, match=r"cannot be repaired.*[Rr]estore") as caught:
            WAL.open(self.directory)
        assert caught.value.offset is not None
        assert {path: path.read_bytes() for path in self.directory.iterdir()} == {self.path: raw}


def second_append_at(directory: Path, place: int, sizes: Sequence[int]) -> Log:
    """A log whose second append, of entries of these sizes, begins at that byte of a sector."""
    begins = Log(directory / "a", [300], sizes).begins[1]
    log = Log(directory / "b", [300 + (place - begins) % SECTOR], sizes)
    assert log.begins[1] % SECTOR == place
    return log


def first_sector_behind(offset: int) -> int:
    return -(-offset // SECTOR)


@pytest.mark.parametrize("count", [8, 9, 511, 512, 513, 4096, 1_000_000])
def test_zeros_behind_the_last_record_are_cut_off(
    tmp_path: Path, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log(tmp_path, [100], [100])
    with caplog.at_level(logging.WARNING):
        log.is_cut(log.raw + bytes(count), len(log.raw), 2)
    (told,) = [text for text in caplog.messages if "power cut" in text]
    assert str(log.path) in told
    assert "zeros follow the last whole record" in told
    assert f"kept as {log.path.name}.broken" in told


def test_zeros_that_end_in_anything_else_are_refused(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [100])
    for count in (8, 600, 4096):
        log.is_refused(log.raw + bytes(count) + b"\x01")
        log.is_refused(log.raw + bytes(count) + log.raw[: log.of(1).end])


def test_zeros_between_segments_are_refused(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA, segment_bytes=400)
    for index in range(1, 12):
        wal.save(HardState(1, 1, index), [Entry(1, index, b"x" * 60)])
    wal.close()
    first, *_, last = (segment.path for segment in list_segments(tmp_path))
    assert first != last
    first.write_bytes(first.read_bytes() + bytes(512))
    with pytest.raises(DamagedError, match="walpb: crc mismatch"):
        WAL.open(tmp_path)


@pytest.mark.parametrize("zeros", [0, 1, 512, 5000])
@pytest.mark.parametrize("sector", range(1, 6))
def test_a_last_record_without_a_sector_is_cut_off(tmp_path: Path, sector: int, zeros: int) -> None:
    """With what is left of the hard state behind it, if that is lost too."""
    log = Log(tmp_path, [100], [5 * SECTOR])
    record = log.of(2)
    raw = log.without(first_sector_behind(record.offset) + sector - 1)[: record.end]
    log.is_cut(raw + bytes(zeros), record.offset, 1)


@pytest.mark.parametrize("sector", range(1, 6))
def test_an_entry_without_a_sector_is_cut_off_with_the_hard_state_that_ends_its_append(
    tmp_path: Path, sector: int
) -> None:
    log = Log(tmp_path, [100], [5 * SECTOR])
    record = log.of(2)
    sector += first_sector_behind(record.offset) - 1
    for zeros in (0, 7, 512):
        log.is_cut(log.without(sector) + bytes(zeros), record.offset, 1)
        log.path.with_name(log.path.name + ".broken").unlink()


def test_an_entry_without_sectors_is_cut_off_with_the_rest_of_its_append(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [50, 3000, 70, 2500, 20])
    first, second = log.of(3), log.of(5)
    raw = log.without(first_sector_behind(first.offset), first_sector_behind(second.offset))
    log.is_cut(raw, first.offset, 2)


def test_what_a_later_append_follows_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [3000], [20])
    record = log.of(2)
    for sector in range(first_sector_behind(record.offset), record.end // SECTOR):
        for end in (len(log.raw), len(log.raw) - 3, log.begins[2] + 3):
            log.is_refused(log.without(sector)[:end])
            log.is_refused(log.without(sector)[:end] + bytes(600))


def test_what_a_snapshots_marker_follows_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [3000])
    wal, _ = WAL.open(tmp_path)
    wal.save_snapshot(WalPosition(1, 1))
    wal.close()
    log.raw = log.path.read_bytes()
    log.is_refused(log.without(first_sector_behind(log.of(2).offset)))


def test_entries_behind_that_no_hard_state_ends_are_refused(tmp_path: Path) -> None:
    """Who wrote them marked no borders."""
    log = Log(tmp_path, [100], [3000], [20], state=False)
    assert log.records[-1].type == RecordType.ENTRY
    log.is_refused(log.without(first_sector_behind(log.of(2).offset)))


def test_a_lost_sector_with_the_border_of_two_records_is_refused(tmp_path: Path) -> None:
    for sizes in ([[100], [700, 700]], [[100], [700], [700]]):
        log = Log(tmp_path / f"{len(sizes)}", *sizes)
        lost = log.of(2).end // SECTOR
        assert lost * SECTOR > log.of(2).offset + 40
        log.is_refused(log.without(lost))


def as_before_the_last_append(log: Log) -> bytes:
    """Its first sector has not arrived, all else has."""
    begins = log.begins[-1]
    ends = begins + -begins % SECTOR
    assert begins % SECTOR
    return log.raw[:begins] + bytes(ends - begins) + log.raw[ends:]


@pytest.mark.parametrize("sizes", [[600], [5000], [300, 300], [10] * 40], ids=str)
def test_an_append_whose_first_sector_is_as_before_is_cut_off(tmp_path: Path, sizes: list[int]) -> None:
    log = Log(tmp_path, [100], sizes)
    raw = as_before_the_last_append(log)
    log.is_cut(raw + bytes(700), log.begins[-1], 1)
    log.path.with_name(log.path.name + ".broken").unlink()
    log.is_refused(raw[:-1])  # half of a hard state, which might be the second


def test_an_append_whose_first_sector_is_as_before_is_refused_with_another_behind(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [600])
    raw = as_before_the_last_append(log)
    for more in ([Entry(1, 3, b"x")], [Entry(1, 3, b"x" * 600)], []):
        wal, _ = WAL.open(tmp_path)
        wal.save(EMPTY_HARD_STATE if more else HardState(2, 1, 0), more)
        wal.close()
        log.is_refused(raw + log.path.read_bytes()[len(raw) :])
        log.path.write_bytes(log.raw)


def test_an_append_whose_first_sector_is_as_before_is_refused_behind_an_entry(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [600], state=False)
    log.is_refused(as_before_the_last_append(log))


def test_a_whole_sector_of_zeros_is_not_taken_for_one_as_before(tmp_path: Path) -> None:
    log = second_append_at(tmp_path, 0, [600])
    log.is_refused(log.without(log.begins[-1] // SECTOR))


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


@pytest.mark.parametrize("where", [lambda r: r.offset + 30, lambda r: r.end - 1], ids=["middle", "end"])
def test_a_flipped_bit_in_the_last_record_is_refused(tmp_path: Path, where: Callable[[Record], int]) -> None:
    log = Log(tmp_path, [100], [3000])
    for raw in (log.raw, log.raw[: log.of(2).end], log.raw + bytes(4096)):
        log.is_refused(flipped(raw, where(log.of(2))))


def test_a_wrong_byte_beside_a_lost_sector_is_refused(tmp_path: Path) -> None:
    """Where the lost sector is in another record than what is wrong."""
    log = Log(tmp_path, [100], [50, 3000, 10])
    log.is_refused(flipped(log.without(first_sector_behind(log.of(3).offset)), log.of(2).offset + 40))
    log.is_refused(flipped(log.without(first_sector_behind(log.of(3).offset)), log.of(4).end - 1))


def test_zeros_that_are_no_whole_sector_are_refused(tmp_path: Path) -> None:
    log = Log(tmp_path, [100], [3000])
    begins = first_sector_behind(log.of(2).offset) * SECTOR
    log.is_refused(log.raw[: begins + 1] + bytes(SECTOR + SECTOR - 2) + log.raw[begins + 2 * SECTOR - 1 :])


def test_an_entry_of_zeros_is_none_of_this(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 0), [Entry(1, 1, bytes(5000))])
    wal.close()
    assert read_wal(tmp_path).torn_at is None


def test_a_last_record_that_goes_beyond_the_end_may_lack_its_head(tmp_path: Path) -> None:
    log = second_append_at(
        tmp_path, SECTOR - 10, [5000]
    )  # its length, and two bytes of its head, end a sector
    begins = log.begins[1]
    log.is_cut(log.without(first_sector_behind(begins))[: len(log.raw) - 2000], begins, 1)
    log.path.with_name(log.path.name + ".broken").unlink()
    wrong = encode_record(RecordType.ENTRY, 5, b"x" * 9000)[:10]  # a length that its place contradicts
    log.is_refused(flipped(log.raw[:begins] + wrong + log.raw[begins + 10 :], begins + 9))
