"""A leader's snapshot takes the place of the log: what it overruled stays away, and what follows it is not read without it.

The same files are read by the rules of etcd 2.3.8 beside ours, to say where it does the same and where it does not.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from google_crc32c import extend

from server.raft.types import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.codec import (
    WalMetadata,
    WalPosition,
    decode_entry,
    decode_hard_state,
    decode_position,
    encode_entry,
    encode_hard_state,
    encode_position,
)
from server.storage.errors import DamagedError, WriteFailedError
from server.storage.records import RecordType, encode_record, read_records
from server.storage.replay import choose_segments, list_segments, read_wal
from server.storage.snapshots import SnapshotDir, persist_received_snapshot
from server.storage.wal import WAL
from tests.server.storage.test_faults import FailingFiles

METADATA = WalMetadata(1, 2)
AT = WalPosition(10, 2)


def entries(first: int, last: int, term: int = 1, data: bytes = b"x") -> list[Entry]:
    return [Entry(term, index, data) for index in range(first, last + 1)]


def as_2_3_8_reads(directory: Path, at: WalPosition) -> tuple[list[Entry], HardState]:
    """Entries and hard state by the rules of 2.3.8: an entry takes back those from its index on, no more."""
    kept: list[Entry] = []
    state, crc, found = EMPTY_HARD_STATE, 0, False
    for segment in choose_segments(directory, at.index):
        for record in read_records(segment.path, crc):
            crc = record.crc
            if record.type == RecordType.ENTRY:
                entry = decode_entry(record.data)
                if entry.index > at.index:
                    assert entry.index - at.index - 1 <= len(kept), "2.3.8 panics: slice bounds out of range"
                    kept[entry.index - at.index - 1 :] = [entry]
            elif record.type == RecordType.STATE:
                state = decode_hard_state(record.data)
            elif record.type == RecordType.SNAPSHOT:
                found |= decode_position(record.data) == at
    assert found
    return kept, state


def marked(directory: Path, at: WalPosition) -> None:
    """Appends the marker of a leader's snapshot as etcd 2.1 to 2.3 write it: into the segment that is there."""
    wal, _ = WAL.open(directory)
    wal.save_snapshot(at)
    wal.close()


def appended(directory: Path, *records: tuple[RecordType, bytes]) -> None:
    """Adds records behind what is there, which no WAL would write."""
    path = list_segments(directory)[-1].path
    crc = list(read_records(path))[-1].crc
    with path.open("ab") as file:
        for kind, data in records:
            crc = extend(crc, data)
            file.write(encode_record(kind, crc, data))


def log(directory: Path, *saves: tuple[HardState, list[Entry]]) -> None:
    wal = WAL.create(directory, METADATA)
    for state, new in saves:
        wal.save(state, new)
    wal.close()


# The rule for a marker in the middle of a log, as etcd writes it


@pytest.mark.parametrize("overruled", [1, 3], ids=["earlier term", "later term"])
def test_what_a_leaders_snapshot_has_overruled_does_not_come_back(tmp_path: Path, overruled: int) -> None:
    """Of a later term too: a candidate of term 3 may have written what a leader of term 4, with the entries of
    term 2, overruled (figure 8 of the paper). 2.3.8 brings it back."""
    log(tmp_path, (HardState(3, 1, 3), [*entries(1, 7), *entries(8, 12, overruled)]))
    marked(tmp_path, AT)
    assert read_wal(tmp_path, AT).entries == []
    assert as_2_3_8_reads(tmp_path, AT)[0] == entries(11, 12, overruled)


def test_what_is_saved_behind_the_marker_follows_the_snapshot(tmp_path: Path) -> None:
    log(tmp_path, (HardState(1, 1, 3), entries(1, 15)))
    marked(tmp_path, AT)
    appended(tmp_path, *((RecordType.ENTRY, encode_entry(entry)) for entry in entries(11, 12, 2)))
    assert read_wal(tmp_path, AT).entries == entries(11, 12, 2)
    assert as_2_3_8_reads(tmp_path, AT)[0] == entries(11, 12, 2)


def test_what_was_saved_before_the_marker_of_ones_own_snapshot_stays(tmp_path: Path) -> None:
    log(tmp_path, (HardState(2, 1, 10), [*entries(1, 7), *entries(8, 12, 2)]))
    marked(tmp_path, AT)
    assert read_wal(tmp_path, AT).entries == entries(11, 12, 2)


def test_an_entry_that_was_replaced_before_the_marker_does_not_count(tmp_path: Path) -> None:
    log(tmp_path, (HardState(1, 1, 3), entries(1, 12)), (HardState(2, 1, 10), entries(9, 12, 2)))
    marked(tmp_path, AT)
    assert read_wal(tmp_path, AT).entries == entries(11, 12, 2)


def test_what_etcdctl_backup_writes_is_read(tmp_path: Path) -> None:
    """The entries after the snapshot, then the hard state, then the marker; of the entry at its index nothing."""
    log(tmp_path)
    appended(
        tmp_path,
        *((RecordType.ENTRY, encode_entry(entry)) for entry in entries(11, 13, 2)),
        (RecordType.STATE, encode_hard_state(HardState(2, 1, 13))),
        (RecordType.SNAPSHOT, encode_position(AT)),
    )
    contents = read_wal(tmp_path, AT)
    assert (contents.entries, contents.hard_state) == (entries(11, 13, 2), HardState(2, 1, 13))


def test_a_log_that_ends_before_the_snapshot_is_stepped_over(tmp_path: Path) -> None:
    log(tmp_path, (HardState(1, 1, 3), entries(1, 5)))
    marked(tmp_path, AT)
    assert read_wal(tmp_path, AT).entries == []


# Without the snapshot that a later marker is for


def test_a_snapshot_that_never_became_whole_changes_nothing(tmp_path: Path) -> None:
    log(tmp_path, (HardState(1, 1, 3), entries(1, 12)))
    marked(tmp_path, AT)
    assert read_wal(tmp_path).entries == entries(1, 12)
    wal, _ = WAL.open(tmp_path)
    wal.save(HardState(3, 1, 11), entries(4, 11, 2))  # a leader sends the log instead
    wal.save(EMPTY_HARD_STATE, entries(12, 14, 2))
    wal.close()
    assert read_wal(tmp_path).entries == [*entries(1, 3), *entries(4, 14, 2)]


@pytest.mark.parametrize("end", [5, 10, 15])
def test_what_follows_a_leaders_snapshot_is_refused_without_it(tmp_path: Path, end: int) -> None:
    """2.3.8 panics where the gap shows, and where it is full of what was overruled it takes that for the truth."""
    log(tmp_path, (HardState(1, 1, 3), entries(1, end)))
    marked(tmp_path, AT)
    appended(tmp_path, (RecordType.ENTRY, encode_entry(Entry(2, 11, b"new"))))
    assert read_wal(tmp_path, AT).entries == [Entry(2, 11, b"new")]
    with pytest.raises(
        DamagedError, match=r"wal: file not found.*entry 11 stands on a leader's snapshot at index 10"
    ):
        WAL.open(tmp_path)


def test_a_commit_index_that_came_with_a_snapshot_is_refused_without_it(tmp_path: Path) -> None:
    log(tmp_path, (HardState(1, 1, 3), entries(1, 15)))
    marked(tmp_path, AT)
    appended(tmp_path, (RecordType.STATE, encode_hard_state(HardState(2, 0, 10))))
    assert read_wal(tmp_path, AT).entries == []
    with pytest.raises(
        DamagedError, match="commit index 10 stands on a leader's snapshot at index 10, term 2"
    ):
        WAL.open(tmp_path)


def test_an_own_snapshot_that_cannot_be_read_does_without(tmp_path: Path) -> None:
    log(tmp_path, (HardState(2, 1, 12), [*entries(1, 7), *entries(8, 12, 2)]))
    marked(tmp_path, AT)
    appended(
        tmp_path,
        (RecordType.ENTRY, encode_entry(Entry(2, 13, b"x"))),
        (RecordType.STATE, encode_hard_state(HardState(2, 1, 13))),
    )
    assert read_wal(tmp_path).entries == [*entries(1, 7), *entries(8, 13, 2)]


# The way such a snapshot is stored here


def test_a_received_snapshot_begins_a_segment_of_its_own(tmp_path: Path) -> None:
    """Which is why etcd 2.3.8, too, finds nothing there of what was overruled."""
    wal = WAL.create(tmp_path / "wal", METADATA)
    (tmp_path / "snap").mkdir()
    wal.save(HardState(1, 1, 3), entries(1, 15))
    snapshot = Snapshot(10, 2, (1, 2), b"{}")
    persist_received_snapshot(wal, SnapshotDir(tmp_path / "snap"), snapshot, HardState(4, 0, 10))
    _, second = list_segments(tmp_path / "wal")
    assert second.path.name == "0000000000000001-000000000000000a.wal"
    head = [(record.type, record.data) for record in read_records(second.path)][2:4]
    assert head == [
        (RecordType.STATE, encode_hard_state(HardState(4, 0, 3))),
        (RecordType.SNAPSHOT, encode_position(AT)),
    ]
    assert as_2_3_8_reads(tmp_path / "wal", AT) == ([], HardState(4, 0, 10))
    wal.save(HardState(4, 0, 12), entries(11, 12, 4))
    wal.close()
    wal, contents = WAL.open(tmp_path / "wal", AT)
    assert (contents.entries, contents.hard_state) == (entries(11, 12, 4), HardState(4, 0, 12))
    wal.save(EMPTY_HARD_STATE, entries(13, 13, 4))
    wal.close()
    assert as_2_3_8_reads(tmp_path / "wal", AT)[0] == entries(11, 13, 4)


@pytest.mark.parametrize("state", [EMPTY_HARD_STATE, HardState(1, 1, 10)])
def test_term_and_vote_may_be_those_saved_before(tmp_path: Path, state: HardState) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 3), entries(1, 3))
    wal.begin_behind(WalPosition(10, 1), state)
    wal.close()
    assert read_wal(tmp_path).hard_state == HardState(1, 1, 3)


def test_a_new_member_begins_with_a_snapshot(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA)
    (tmp_path / "snap").mkdir()
    snapshot = Snapshot(10, 2, (1, 2), b"{}")
    persist_received_snapshot(
        wal, SnapshotDir(tmp_path / "snap"), snapshot, HardState(2, 0, 11), entries(11, 11, 2)
    )
    wal.close()
    contents = read_wal(tmp_path / "wal", AT)
    assert (contents.entries, contents.hard_state) == (entries(11, 11, 2), HardState(2, 0, 11))


def test_only_entries_right_behind_it_are_taken(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 3), entries(1, 15))
    wal.begin_behind(AT, HardState(2, 0, 10))
    with pytest.raises(ValueError, match="where entry 11 was expected"):
        wal.save(EMPTY_HARD_STATE, entries(16, 16))  # behind what is no more
    wal.save(EMPTY_HARD_STATE, entries(11, 16, 2))
    wal.close()


def test_a_snapshot_whose_term_goes_back_is_not_begun(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(5, 1, 3), entries(1, 3))
    with pytest.raises(ValueError, match="cannot follow"):
        wal.begin_behind(AT, HardState(4, 0, 10))
    wal.close()
    assert len(list_segments(tmp_path)) == 1


def test_a_crash_before_the_hard_state_leaves_the_snapshot_committed(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 3), entries(1, 15))
    wal.begin_behind(AT, HardState(2, 0, 10))
    wal.close()
    assert read_wal(tmp_path, AT).hard_state == HardState(2, 0, 10)
    assert read_wal(tmp_path).hard_state == HardState(2, 0, 3)  # if the .snap file never came to be


def test_a_leader_of_an_earlier_term_adds_nothing_after_a_crash(tmp_path: Path) -> None:
    """Its entry right behind the marker could not be told from one that follows the snapshot."""
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 3), entries(1, 10))
    wal.begin_behind(AT, HardState(4, 0, 10))
    wal.close()
    assert read_wal(tmp_path).hard_state.term == 4


# Crashes


def histories() -> Iterator[tuple[str, list[Entry], WalPosition, list[Entry]]]:
    """What the log holds before, the leader's snapshot, what comes with it."""
    yield "a log that is shorter", entries(1, 6), WalPosition(20, 2), entries(21, 23, 2)
    yield "a log that was overruled", entries(1, 30), WalPosition(20, 2), entries(21, 23, 2)
    yield (
        "overruled by an earlier term",
        [*entries(1, 8), *entries(9, 30, 3)],
        WalPosition(20, 2),
        entries(21, 22, 4),
    )
    yield "nothing comes with it", entries(1, 30), WalPosition(20, 2), []
    yield "an empty log", [], WalPosition(20, 2), entries(21, 21, 4)


@pytest.mark.slow
@pytest.mark.parametrize("power", ["stays on", "fails"])
@pytest.mark.parametrize(
    ("before", "at", "behind"),
    [pytest.param(*rest, id=name) for name, *rest in histories()],
)
def test_whatever_call_fails_the_member_is_as_before_or_has_the_snapshot(
    tmp_path: Path, before: list[Entry], at: WalPosition, behind: list[Entry], power: str
) -> None:
    old, new = HardState(3, 1, 4 if before else 0), HardState(4, 0, at.index + len(behind))
    snapshot = Snapshot(at.index, at.term, (1, 2, 3), b"{}" * 100)
    outcomes = set()
    for fail_at in range(1, 100):
        directory = tmp_path / f"{fail_at}"
        snap_dir, wal_dir = directory / "snap", directory / "wal"
        snap_dir.mkdir(parents=True)
        files = FailingFiles(fail_at=0)
        wal = WAL.create(wal_dir, METADATA, files=files, segment_bytes=300)
        for entry in before:
            wal.save(old, [entry])
        files.fail_at = files.calls + fail_at
        acknowledged = False
        try:
            persist_received_snapshot(wal, SnapshotDir(snap_dir, files=files), snapshot, new, behind)
            acknowledged = True
        except WriteFailedError:
            pass
        files.fail_at = 0
        wal.close()
        if power == "fails":
            files.cut_power(wal_dir, random.Random(fail_at))
        outcomes.add(outcome(directory, before, old, at, behind, new, acknowledged=acknowledged))
        if acknowledged:
            break
    assert acknowledged
    assert outcomes >= {"as before", "all of it"}


def outcome(
    directory: Path,
    before: list[Entry],
    old: HardState,
    at: WalPosition,
    behind: list[Entry],
    new: HardState,
    *,
    acknowledged: bool,
) -> str:
    found = SnapshotDir(directory / "snap").load_newest()
    start = WalPosition(found.index, found.term) if found else WalPosition()
    wal, contents = WAL.open(directory / "wal", start, segment_bytes=300)
    if not before and contents.hard_state == EMPTY_HARD_STATE:
        contents.hard_state = old  # nothing was saved yet
    if found is None:
        assert not acknowledged
        assert contents.entries == before
        assert contents.hard_state in (old, new._replace(commit=old.commit))
        what = "as before"
    else:
        assert start == at
        count = len(contents.entries)
        assert contents.entries == behind[:count]
        assert contents.hard_state in (new, new._replace(commit=at.index))
        what = "all of it" if contents.entries == behind and contents.hard_state == new else "a part"
        assert what == "all of it" or not acknowledged
    following = start.index + len(contents.entries) + 1
    wal.save(HardState(99, 1, following), [Entry(99, following, b"goes on")])
    wal.close()
    again = read_wal(directory / "wal", start)
    assert again.entries == [*contents.entries, Entry(99, following, b"goes on")]
    assert as_2_3_8_reads(directory / "wal", start) == (again.entries, again.hard_state)
    return what


def test_segments_before_a_received_snapshot_may_be_purged(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA, segment_bytes=200)
    (tmp_path / "snap").mkdir()
    for entry in entries(1, 30):
        wal.save(HardState(1, 1, 3), [entry])
    persist_received_snapshot(
        wal, SnapshotDir(tmp_path / "snap"), Snapshot(20, 2, (1,), b"{}"), HardState(2, 0, 20)
    )
    wal.save(EMPTY_HARD_STATE, entries(21, 40, 2))
    wal.close()
    for segment in list_segments(tmp_path / "wal"):
        if segment.sequence < choose_segments(tmp_path / "wal", 20)[0].sequence:
            os.unlink(segment.path)
    assert read_wal(tmp_path / "wal", WalPosition(20, 2)).entries == entries(21, 40, 2)
