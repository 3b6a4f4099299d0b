"""Damage to any byte of a log, a snapshot or a database, and files cut at any length: refused, or read as if that part
had never been written; and what is read can be cleaned, or is refused then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import pytest

from migrate02.datadir import member3x
from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import read_member
from migrate02.v2store.cleaning import plan_cleaning
from migrate02.v2store.report import Report, report
from migrate02.v2store.verdicts import CLEAN
from migrate02.v2store.writing import clean, locked
from server.storage.bolt import META, PAGE
from server.storage.errors import DamagedError
from server.storage.etcd3.database import read_database
from server.storage.etcd3.frames import records_in
from server.storage.files import Files
from server.storage.records import Record, RecordType
from server.storage.requests import StoreRequest
from server.storage.tails import SECTOR
from tests.support.datadirs35 import unpack
from tests.support.handmade35 import add_entries, add_snapshot, bare, recorded

CHANGES: dict[str, Callable[[int], int]] = {
    "every bit of it": lambda byte: byte ^ 0xFF,
    "one bit of it": lambda byte: byte ^ 1,
    "set to zero": lambda byte: 0,
}
STEP = 41
"""The quick tests change every so many bytes."""
CLEANED = 29
"""Of what differs by the byte alone, every so many are cleaned."""

PAGE_BYTES = 4096
ZEROS_BEHIND = 8192

steps = pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])


def changes(test: Callable[..., None]) -> Callable[..., None]:
    """Runs it with each change, at some bytes or, slowly, at all of them: each byte has its way then, the next byte the
    next."""
    slowly = pytest.param(len(CHANGES), marks=pytest.mark.slow)
    with_steps = pytest.mark.parametrize("step", [STEP, slowly], ids=["some", "all"])(test)
    changed: Callable[..., None] = pytest.mark.parametrize("change", CHANGES)(with_steps)
    return changed


def in_turn(offsets: Sequence[int], step: int, change: str) -> Sequence[int]:
    """Those that this change is made to."""
    return offsets[list(CHANGES).index(change) :: step]


class Unsynced(Files):
    """Nothing here has to outlive a power cut."""

    def sync(self, fd: int) -> None:
        pass

    def datasync(self, fd: int) -> None:
        pass

    def sync_directory(self, path: Path) -> None:
        pass


@dataclass
class Site:
    """A member's directory with a snapshot of its own making, and what ``read`` says of it whole."""

    path: Path
    log: Path
    records: list[Record]
    snapshot: Path
    whole: Report

    @property
    def end(self) -> int:
        """Of the log's last record."""
        return self.records[-1].end

    def record_at(self, offset: int) -> Record:
        return next(record for record in self.records if record.end > offset)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """With v2 in its snapshot, in the log behind it, and nothing of it in the snapshot before."""
    path = recorded(tmp_path)
    add_snapshot(path, {"1": {"a": "x"}}, history=False)
    add_entries(
        path,
        bare(StoreRequest(method="SYNC", time=1)),
        bare(StoreRequest(method="PUT", path="/1/b", val=b"x")),
    )
    return made_ready(path, monkeypatch)


def made_ready(path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """With a short end of zeros, and without the pauses for a member that may be running."""
    monkeypatch.setattr(member3x, "ATTEMPTS", 0)
    member = read_member(path)
    log = member.log.end.segment.path
    raw = log.read_bytes()[: member.log.end.offset] + bytes(ZEROS_BEHIND)
    log.write_bytes(raw)
    whole = read(path)
    assert whole is not None
    return Site(
        path, log, list(records_in(raw, log, 0, is_newest=True)), member.chosen.path or member.snap, whole
    )


def read(path: Path) -> Report | None:
    """Without the notes, which name the damage; None if it is refused."""
    try:
        return replace(report(read_member(path)), notes=[])
    except DataError:
        return None


@contextmanager
def content(file: Path, damaged: bytes) -> Iterator[None]:
    before = file.read_bytes()
    file.write_bytes(damaged)
    try:
        yield
    finally:
        file.write_bytes(before)


@contextmanager
def byte_at(file: Path, offset: int, value: int) -> Iterator[None]:
    with file.open("r+b", buffering=0) as opened:
        opened.seek(offset)
        before = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([value]))
        yield
        opened.seek(offset)
        opened.write(before)


def check_cleaning(site: Site) -> bool:
    """Cleaned, and then clean, or refused with nothing written; then all but the database is put back. Whether it was
    cleaned."""
    kept = [file for file in site.path.rglob("*") if file.is_file() and file.name != "db"]
    before = {file: file.read_bytes() for file in kept}
    backup = site.path.with_name("backup")
    try:
        with locked(site.path, None) as target:
            clean(target, plan_cleaning(target.member), backup, Unsynced())
        after = read(site.path)
        assert after is not None
        assert after.sentence == CLEAN
        assert not after.stops("3.6")
    except DataError:
        assert {file: file.read_bytes() for file in kept} == before
        assert not backup.exists()
        return False
    for file in site.path.rglob("*"):
        if file.is_file() and file.name != "db" and file not in before:
            file.unlink()
    for file, data in before.items():
        file.write_bytes(data)
    rmtree(backup, ignore_errors=True)
    return True


def ends_before(site: Site, record: Record) -> Report | None:
    """As it would be read if the log had ended before a record."""
    raw = site.log.read_bytes()[: record.offset] + bytes(ZEROS_BEHIND)
    with content(site.log, raw):
        return read(site.path)


@changes
def test_a_damaged_log_is_refused_or_read_as_before(change: str, step: int, site: Site) -> None:
    """Or as if its last append had not been made, which is as etcd takes it."""
    raw = site.log.read_bytes()
    refused = 0
    last = next(record for record in reversed(site.records) if record.type == RecordType.ENTRY)
    for offset in in_turn(range(site.end), step, change):
        value = CHANGES[change](raw[offset])
        if value == raw[offset]:
            continue
        with byte_at(site.log, offset, value):
            found = read(site.path)
            if found is None:
                refused += 1
                continue
            if offset >= last.offset:
                assert found in (site.whole, ends_before(site, site.record_at(offset))), offset
            else:
                assert found == site.whole, offset
            check_cleaning(site)
    assert refused * step > site.end / 2


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_log_of_a_recorded_member_is_refused_or_read_as_before(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The length and the padding of each record: no checksum is over those."""
    site = made_ready(unpack("snap-only", tmp_path, cut=True)[0], monkeypatch)
    raw = site.log.read_bytes()
    for record in site.records[:-2]:
        for offset in (*range(record.offset, record.offset + 10), *range(record.end - 7, record.end)):
            value = CHANGES[change](raw[offset])
            with byte_at(site.log, offset, value):
                found = read(site.path)
            assert found in (None, site.whole), offset


@steps
def test_a_log_cut_at_any_length_is_read_up_to_there(step: int, site: Site) -> None:
    raw = site.log.read_bytes()
    shorter = {record.offset: ends_before(site, record) for record in site.records}
    for size in range(0, site.end, step):
        record = site.record_at(size)
        expected = shorter[record.offset]
        with content(site.log, raw[:size]):
            found = read(site.path)
            assert found == expected or (found is None and size < site.records[2].end), size
            assert not check_cleaning(site) or size == record.offset, size


def test_an_append_that_lost_a_sector_is_passed_over_if_it_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sector of a long entry that was being written when the power went; and of one before it, which is damage."""
    path = recorded(tmp_path)
    add_entries(path, bare(StoreRequest(method="PUT", path="/1/a", val=b"x" * 3000)))
    add_entries(path, bare(StoreRequest(method="PUT", path="/1/b", val=b"y" * 3000)))
    site = made_ready(path, monkeypatch)
    raw = site.log.read_bytes()
    older, newer = (record for record in site.records if len(record.data) > 3000)
    expected = ends_before(site, newer)
    assert expected is not None
    assert expected.last_index == site.whole.last_index - 1
    for record in (older, newer):
        sectors = range(record.offset + -record.offset % SECTOR, record.end - SECTOR, SECTOR)
        assert len(sectors) > 4
        for sector in sectors:
            with content(site.log, raw[:sector] + bytes(SECTOR) + raw[sector + SECTOR :]):
                assert read(path) == (expected if record is newer else None)
                assert not check_cleaning(site)


@changes
def test_behind_a_damaged_snapshot_the_one_before_is_read(change: str, step: int, site: Site) -> None:
    raw = site.snapshot.read_bytes()
    with content(site.snapshot, b""):
        older = read(site.path)
    assert older is not None
    assert older.snapshot_index < site.whole.snapshot_index
    seen = []
    for number, offset in enumerate(in_turn(range(len(raw)), step, change)):
        value = CHANGES[change](raw[offset])
        if value == raw[offset]:
            continue
        with byte_at(site.snapshot, offset, value):
            found = read(site.path)
            assert found in (site.whole, older), offset
            seen.append(found)
            if number % CLEANED == 0:
                assert check_cleaning(site)
    assert seen.count(older) > len(seen) * 0.99


@steps
def test_behind_a_snapshot_cut_at_any_length_the_one_before_is_read(step: int, site: Site) -> None:
    raw = site.snapshot.read_bytes()
    with content(site.snapshot, b""):
        older = read(site.path)
    for number, size in enumerate(range(0, len(raw), step)):
        with content(site.snapshot, raw[:size]):
            assert read(site.path) == older, size
            if number % CLEANED == 0:
                assert check_cleaning(site)


@changes
def test_a_damaged_database_changes_no_verdict_on_snapshot_and_log(
    change: str, step: int, site: Site
) -> None:
    """Bytes of the pages that are read: both meta pages, and the root, in which the small buckets are."""
    database = site.path / "member" / "snap" / "db"
    root = newest_meta(database).root
    read_in_meta = range(PAGE.size + META.size + 8)
    offsets = [
        *read_in_meta,
        *(PAGE_BYTES + offset for offset in read_in_meta),
        *range(root * PAGE_BYTES, (root + 1) * PAGE_BYTES),
    ]
    whole = read_database(database)
    with database.open("rb") as file:
        raw = file.read(max(offsets) + 1)
    outcomes = set()
    for offset in in_turn(offsets, step, change):
        value = CHANGES[change](raw[offset])
        if value == raw[offset]:
            continue
        with byte_at(database, offset, value):
            found = read(site.path)
            assert found is not None, offset
            assert found.sentence == site.whole.sentence
            assert found.content == site.whole.content
            if offset % CLEANED == 0 or found.trouble or read_database(database) != whole:
                outcomes.add((bool(found.trouble), check_cleaning(site)))
    assert (True, True) not in outcomes
    assert (True, False) in outcomes


@steps
def test_a_database_cut_short_is_refused(step: int, site: Site) -> None:
    database = site.path / "member" / "snap" / "db"
    whole = read_database(database)
    used = newest_meta(database).pages * PAGE_BYTES
    os.truncate(database, used)
    assert read_database(database) == whole
    for size in range(used - 1, -1, -step):
        os.truncate(database, size)
        with pytest.raises(DamagedError, match="database is"):
            read_database(database)


class Meta(NamedTuple):
    """``pages`` are those in use, from the beginning of the file."""

    transaction: int
    root: int
    pages: int


def newest_meta(database: Path) -> Meta:
    metas = []
    with database.open("rb") as file:
        for number in (0, 1):
            file.seek(number * PAGE_BYTES + PAGE.size)
            _, _, _, _, root, _, _, pages, transaction = META.unpack(file.read(META.size))
            metas.append(Meta(transaction, root, pages))
    return max(metas)
