"""The log as its owner uses it: what was saved is there after opening it again, in files as etcd 2.3 makes them."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from google_crc32c import extend
from hypothesis import given, settings
from hypothesis import strategies as st

from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState
from server.storage.codec import (
    WalMetadata,
    WalPosition,
    encode_entry,
    encode_hard_state,
    encode_metadata,
    encode_position,
)
from server.storage.errors import DamagedError, LockedError, StorageError, WriteFailedError
from server.storage.files import Files
from server.storage.records import RecordType, encode_record, read_records
from server.storage.replay import list_segments, read_wal
from server.storage.wal import SEGMENT_BYTES, WAL

METADATA = WalMetadata(node_id=0xD2304450BBEDAB53, cluster_id=0x258FD313DC12711)


def entries(first: int, last: int, term: int = 1, data: bytes = b"x") -> list[Entry]:
    return [Entry(term, index, data) for index in range(first, last + 1)]


def types(path: Path) -> list[int]:
    return [record.type for record in read_records(path, 0)]


class CountingFiles(Files):
    """Counts what reaches the disk."""

    def __init__(self) -> None:
        self.writes = 0
        self.syncs = 0

    def write(self, fd: int, data: bytes) -> None:
        self.writes += 1
        super().write(fd, data)

    def datasync(self, fd: int) -> None:
        self.syncs += 1
        super().datasync(fd)


def test_a_new_log_has_the_bytes_that_2_3_8_writes(tmp_path: Path) -> None:
    WAL.create(tmp_path / "wal", METADATA).close()
    (segment,) = list_segments(tmp_path / "wal")
    assert segment.path.name == "0000000000000000-0000000000000000.wal"
    assert segment.path.read_bytes() == bytes.fromhex(
        "0400000000000000" + "08041000"
        "1e00000000000000" + "080110bb8edc361a1508d3d6b6df8b8a9198d2011091ce84ee93a6bfac02"
        "0e00000000000000" + "080510f1a2b0c7031a0408001000"
    )  # fmt: skip


def test_directory_and_segments_are_private(tmp_path: Path) -> None:
    WAL.create(tmp_path / "new" / "wal", METADATA).close()
    (segment,) = list_segments(tmp_path / "new" / "wal")
    assert [
        stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new", segment.path.parent, segment.path)
    ] == [
        0o700,
        0o700,
        0o600,
    ]


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    change = Entry(1, 1, b"\x08\x00", EntryType.CONF_CHANGE)
    wal.save(HardState(1, 0, 1), [change])
    wal.save(HardState(2, 5, 3), entries(2, 3, term=2))
    wal.close()
    wal, contents = WAL.open(tmp_path)
    wal.close()
    assert contents.metadata == METADATA
    assert contents.entries == [change, *entries(2, 3, term=2)]
    assert contents.hard_state == HardState(2, 5, 3)
    assert contents.torn_at is None


def test_saving_goes_on_after_opening(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    for first in range(1, 10, 3):
        wal.save(EMPTY_HARD_STATE, entries(first, first + 2))
        wal.close()
        wal, contents = WAL.open(tmp_path)
        assert contents.entries == entries(1, first + 2)
    wal.close()


def test_entries_stand_before_the_hard_state(tmp_path: Path) -> None:
    with_state = WAL.create(tmp_path, METADATA)
    with_state.save(HardState(1, 1, 1), entries(1, 2))
    with_state.close()
    (segment,) = list_segments(tmp_path)
    assert types(segment.path)[3:] == [RecordType.ENTRY, RecordType.ENTRY, RecordType.STATE]


def test_nothing_to_save_writes_nothing(tmp_path: Path) -> None:
    files = CountingFiles()
    wal = WAL.create(tmp_path, METADATA, files=files)
    before = (files.writes, files.syncs)
    wal.save(EMPTY_HARD_STATE, [])
    assert (files.writes, files.syncs) == before
    wal.close()


@pytest.mark.parametrize(
    ("state", "new", "syncs"),
    [
        (HardState(1, 1, 2), [], 0),  # only the commit index moved
        (HardState(2, 1, 1), [], 1),
        (HardState(1, 2, 1), [], 1),
        (EMPTY_HARD_STATE, entries(2, 2), 1),
        (HardState(1, 1, 2), entries(2, 40), 1),
    ],
)
def test_a_save_is_one_write_and_synced_when_it_matters(
    tmp_path: Path, state: HardState, new: list[Entry], syncs: int
) -> None:
    files = CountingFiles()
    wal = WAL.create(tmp_path, METADATA, files=files)
    wal.save(HardState(1, 1, 1), entries(1, 1))
    files.writes = files.syncs = 0
    wal.save(state, new)
    assert (files.writes, files.syncs) == (1, syncs)
    wal.close()


def test_a_commit_index_alone_is_in_the_file_before_any_sync(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 0), entries(1, 1))
    wal.save(HardState(1, 1, 1), [])
    assert read_wal(tmp_path).hard_state == HardState(1, 1, 1)  # as after kill -9
    wal.close()


def test_entries_saved_again_take_back_what_was_there(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 1), entries(1, 5))
    wal.save(HardState(2, 2, 1), entries(3, 4, term=2))
    wal.close()
    wal, contents = WAL.open(tmp_path)
    assert contents.entries == [*entries(1, 2), *entries(3, 4, term=2)]
    wal.save(EMPTY_HARD_STATE, entries(5, 5, term=2))  # and the next one follows the new end, not the old
    wal.close()


@pytest.mark.parametrize(
    "wrong",
    [
        entries(7, 8),  # a gap after 5
        [Entry(1, 6), Entry(1, 8)],
        [Entry(1, 6), Entry(1, 6)],
        [Entry(1, 0)],
        [Entry(1, 6, b"", EntryType.CONF_CHANGE)],
    ],
)
def test_entries_that_could_not_be_read_back_are_not_written(tmp_path: Path, wrong: list[Entry]) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 1), entries(1, 5))
    with pytest.raises(ValueError, match="was expected"):
        wal.save(EMPTY_HARD_STATE, wrong)
    wal.save(EMPTY_HARD_STATE, entries(6, 6))  # the log is as good as before
    wal.close()
    assert read_wal(tmp_path).entries == entries(1, 6)


@pytest.mark.parametrize("wrong", [HardState(0, 0, 3), HardState(1, 1, 1)])
def test_a_hard_state_that_goes_back_is_not_written(tmp_path: Path, wrong: HardState) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(2, 1, 1), entries(1, 1))
    with pytest.raises(ValueError, match="cannot follow"):
        wal.save(wrong, [])
    wal.close()
    assert read_wal(tmp_path).hard_state == HardState(2, 1, 1)


def test_a_log_is_not_made_over_another(tmp_path: Path) -> None:
    WAL.create(tmp_path, METADATA).close()
    with pytest.raises(StorageError, match="already exists"):
        WAL.create(tmp_path, METADATA)


def test_what_an_interrupted_creation_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "0000000000000000-0000000000000000.wal.tmp").write_bytes(
        b"half of a segment, and much longer" * 9
    )
    WAL.create(tmp_path, METADATA).close()
    assert read_wal(tmp_path).metadata == METADATA
    assert [path.name for path in tmp_path.iterdir()] == ["0000000000000000-0000000000000000.wal"]


def test_what_an_interrupted_cut_left_is_removed_by_who_holds_the_log(tmp_path: Path) -> None:
    leftover = tmp_path / "0000000000000001-0000000000000002.wal.tmp"
    WAL.create(tmp_path, METADATA).close()
    leftover.write_bytes(b"begun")
    wal, _ = WAL.open(tmp_path)
    assert not leftover.exists()
    leftover.write_bytes(b"begun by the one that is running")
    with pytest.raises(LockedError):
        WAL.open(tmp_path)
    assert leftover.exists()
    wal.close()


def test_a_closed_log_takes_nothing_more_and_may_be_closed_again(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.close()
    wal.close()
    with pytest.raises(WriteFailedError, match="it was closed"):
        wal.save(HardState(1, 1, 1), entries(1, 1))
    with pytest.raises(WriteFailedError, match="it was closed"):
        wal.save_snapshot(WalPosition(1, 1))


# Segments


def filled(directory: Path, *, count: int = 20, segment_bytes: int = 400) -> None:
    wal = WAL.create(directory, METADATA, segment_bytes=segment_bytes)
    for index in range(1, count + 1):
        wal.save(HardState(1, 1, index), entries(index, index, data=b"y" * 50))
    wal.close()


def test_the_size_of_a_segment_is_that_of_2_3() -> None:
    assert SEGMENT_BYTES == 64_000_000


def test_a_segment_is_cut_when_a_save_has_made_it_large_enough(tmp_path: Path) -> None:
    filled(tmp_path)
    segments = list_segments(tmp_path)
    assert len(segments) > 3
    assert [segment.sequence for segment in segments] == list(range(len(segments)))
    assert all(segment.path.stat().st_size >= 400 for segment in segments[:-1])
    saved = 0
    for segment in segments:
        assert segment.index == (saved + 1 if segment.sequence else 0)
        saved += types(segment.path).count(RecordType.ENTRY)
    assert read_wal(tmp_path).entries == entries(1, 20, data=b"y" * 50)


def test_later_segments_begin_with_checksum_metadata_and_hard_state(tmp_path: Path) -> None:
    filled(tmp_path)
    before, after = list_segments(tmp_path)[:2]
    last = list(read_records(before.path))[-1]
    head = list(read_records(after.path))[:3]
    assert [record.type for record in head] == [RecordType.CRC, RecordType.METADATA, RecordType.STATE]
    assert head[0].crc == last.crc
    assert head[2].data == last.data  # the last hard state of the segment before


def test_a_segment_without_a_hard_state_yet_is_followed_by_one_without(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA, segment_bytes=100)
    wal.save(EMPTY_HARD_STATE, entries(1, 3))
    wal.close()
    assert types(list_segments(tmp_path)[1].path) == [RecordType.CRC, RecordType.METADATA]
    assert read_wal(tmp_path).entries == entries(1, 3)


def test_a_log_opens_from_the_segment_that_holds_the_snapshot(tmp_path: Path) -> None:
    filled(tmp_path)
    wal, _ = WAL.open(tmp_path, segment_bytes=400)
    wal.save_snapshot(WalPosition(20, 1))
    wal.save(HardState(1, 1, 25), entries(21, 25, data=b"y" * 50))
    wal.save(HardState(1, 1, 26), entries(26, 26))
    wal.close()
    holding = [segment for segment in list_segments(tmp_path) if segment.index <= 20]
    for segment in holding[:-1]:
        segment.path.unlink()  # purged
    wal, contents = WAL.open(tmp_path, WalPosition(20, 1))
    assert contents.entries == [*entries(21, 25, data=b"y" * 50), *entries(26, 26)]
    assert contents.hard_state == HardState(1, 1, 26)
    wal.close()


def test_an_entry_before_the_snapshot_takes_back_what_was_after_it(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 1), entries(1, 5))
    wal.save(HardState(1, 1, 3), entries(2, 3))
    wal.save_snapshot(WalPosition(3, 1))
    wal.close()
    assert read_wal(tmp_path, WalPosition(3, 1)).entries == []


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    filled(tmp_path)
    segments = list_segments(tmp_path)
    segments[2].path.unlink()
    with pytest.raises(DamagedError, match=r"wal: file not found: segment 0000000000000002 is missing"):
        WAL.open(tmp_path)
    segments[0].path.unlink()
    with pytest.raises(DamagedError, match=r"wal: file not found: the log must reach back to index 0"):
        WAL.open(tmp_path)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match=r"wal: file not found.*no segment is there"):
        WAL.open(tmp_path)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        WAL.open(tmp_path / "nothing")


def test_segments_of_two_logs_are_refused(tmp_path: Path) -> None:
    filled(tmp_path / "a", count=4)
    other = WAL.create(tmp_path / "b", WalMetadata(1, 2), segment_bytes=100)
    other.save(HardState(1, 1, 1), entries(1, 4))
    other.close()
    intruder = list_segments(tmp_path / "b")[1].path
    (tmp_path / "a" / intruder.name).write_bytes(intruder.read_bytes())
    with pytest.raises(DamagedError, match=r"walpb: crc mismatch"):
        WAL.open(tmp_path / "a")


def test_other_names_are_passed_over_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    WAL.create(tmp_path, METADATA).close()
    (tmp_path / "0-0.wal").touch()
    (tmp_path / "0000000000000001-0000000000000005.wal.tmp").touch()
    WAL.open(tmp_path)[0].close()
    assert "ignored file 0-0.wal in wal" in caplog.messages
    assert "ignored file 0000000000000001-0000000000000005.wal.tmp in wal" in caplog.messages


def test_a_marker_of_another_term_is_refused(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    wal.save_snapshot(WalPosition(7, 2))
    wal.close()
    with pytest.raises(
        DamagedError, match=r"wal: snapshot mismatch.*index 7 has term 3 in its file and term 2"
    ):
        WAL.open(tmp_path, WalPosition(7, 3))


def test_a_snapshot_without_a_marker_is_refused(tmp_path: Path) -> None:
    WAL.create(tmp_path, METADATA).close()
    with pytest.raises(DamagedError, match=r"wal: snapshot not found.*index 7, term 3"):
        WAL.open(tmp_path, WalPosition(7, 3))


def test_one_save_at_a_time_from_many_threads(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA, segment_bytes=2000)
    wal.save(HardState(1, 1, 0), entries(1, 1))

    def save_many() -> None:
        for commit in range(50):
            wal.save(HardState(1, 1, commit), [])

    threads = [threading.Thread(target=save_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wal.close()
    assert sum(types(s.path).count(RecordType.STATE) for s in list_segments(tmp_path)) >= 201
    assert read_wal(tmp_path).entries == entries(1, 1)


# Any history


saves = st.lists(
    st.tuples(
        st.integers(0, 5),  # how many entries
        st.integers(0, 4),  # how far back they begin
        st.integers(0, 1),  # how much the term rises
        st.integers(0, 120),  # bytes of data
        st.booleans(),  # with a hard state
        st.sampled_from(("go on", "go on", "reopen", "snapshot", "leader's snapshot")),
    ),
    max_size=25,
)


@given(saves, st.integers(60, 900))
@settings(max_examples=60, deadline=None)
def test_any_history_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[int, int, int, int, bool, str]], size: int
) -> None:
    directory = tmp_path_factory.mktemp("wal")
    model: list[Entry] = []
    state, term, start = EMPTY_HARD_STATE, 1, WalPosition()
    wal = WAL.create(directory, METADATA, segment_bytes=size)
    for count, back, rise, length, with_state, then in history:
        first = max(start.index + 1, start.index + len(model) + 1 - back)
        replaces = count > 0 and first <= start.index + len(model)
        term += max(rise, replaces)  # in one term there is one leader, who takes nothing back
        new = entries(first, first + count - 1, term, b"d" * length)
        if new:
            model = model[: first - start.index - 1] + new
        if with_state:
            state = HardState(term, 1, start.index + len(model))
        wal.save(state if with_state else EMPTY_HARD_STATE, new)
        if then == "snapshot" and model:
            start = WalPosition(model[-1].index, model[-1].term)
            model = []
            wal.save_snapshot(start)
            wal.release(start.index)
        if then == "leader's snapshot":
            last = start.index + len(model)
            term += 1  # the leader's, who has another entry at that index, if this log has any there
            start = WalPosition(max(start.index + 1, last + 2 - back), term)
            model, state = [], HardState(term, 0, start.index)
            wal.begin_behind(start, state)
            wal.save(state, [])
        if then == "reopen":
            wal.close()
            wal, contents = WAL.open(directory, start, segment_bytes=size)
            assert (contents.entries, contents.hard_state) == (model, committed(state, start))
    wal.close()
    contents = read_wal(directory, start)
    assert (contents.metadata, contents.entries) == (METADATA, model)
    assert contents.hard_state == committed(state, start)


def committed(state: HardState, start: WalPosition) -> HardState:
    """What a snapshot holds is committed, whatever the hard state says."""
    if state == EMPTY_HARD_STATE:
        return state
    return state._replace(commit=max(state.commit, start.index))


def test_the_empty_entry_that_etcd_20_puts_before_a_converted_log_is_passed_over(tmp_path: Path) -> None:
    records = [
        (RecordType.CRC, b""),
        (RecordType.METADATA, encode_metadata(METADATA)),
        (RecordType.SNAPSHOT, encode_position(WalPosition())),
        (RecordType.STATE, encode_hard_state(HardState(1, 0, 2))),
        (RecordType.ENTRY, b"\x08\x00\x10\x00\x18\x00\x22\x00"),
        *((RecordType.ENTRY, encode_entry(entry)) for entry in entries(1, 2)),
    ]
    raw, crc = b"", 0
    for kind, data in records:
        crc = extend(crc, data)
        raw += encode_record(kind, crc, data)
    (tmp_path / "0000000000000000-0000000000000000.wal").write_bytes(raw)
    assert list(read_wal(tmp_path, WalPosition()).entries) == entries(1, 2)
