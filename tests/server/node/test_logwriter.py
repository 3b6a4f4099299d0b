"""When the log is written in place, and when by its thread."""

from pathlib import Path

import pytest

from server.metrics import MemberMetrics
from server.node.disk import MemberDisk
from server.node.logwriter import IN_PLACE_BYTES, LogWriter, SyncTimes, _most_bytes
from server.node.timedfiles import TimedFiles
from server.raft import Entry, EntryType, HardState
from server.storage.snapshots import SnapshotDir
from server.storage.wal import WAL, WalMetadata, WalPosition
from tests.support import virtual_time
from tests.support.memory_disk import MemoryDisk

QUICK, SLOW = 0.0009, 0.001
TOO_LONG = 0.02
"""Seconds of one sync after which the thread makes the next."""


def writer_of(disk: MemoryDisk, now: list[float], *, count: int = 3) -> LogWriter:
    return LogWriter(
        disk,
        disk.worker("log"),
        sync_times=SyncTimes(count=count),
        monotonic=lambda: now[0],
        fail=lambda error: None,
    )


def entry(index: int = 1, size: int = 10) -> Entry:
    return Entry(1, index, b"d" * size)


def noted(times: SyncTimes, seconds: float, now: float, count: int = 1) -> bool:
    """Whether syncs are quick after these."""
    for _ in range(count):
        times.note(seconds, now)
    return times.are_quick(now)


def test_syncs_are_quick_when_each_of_the_last_hundred_was() -> None:
    times = SyncTimes()
    assert not noted(times, QUICK, 0.0, 99)
    assert not noted(times, SLOW, 0.0)
    assert not noted(times, QUICK, 0.0, 99)
    assert noted(times, QUICK, 0.0)


def test_a_hundredth_of_the_time_may_go_to_slow_ones() -> None:
    times = SyncTimes()
    assert noted(times, QUICK, 0.0, 100)
    for second in range(100):
        assert noted(times, 0.009, float(second))
    assert not noted(times, 0.009, 99.5)


def test_one_that_takes_too_long_is_remembered_for_ten_seconds_at_most_and_a_hundred_syncs() -> None:
    times = SyncTimes()
    noted(times, QUICK, 0.0, 100)
    assert not noted(times, 0.06, 50.0)
    assert not noted(times, QUICK, 50.0, 100)
    assert not times.are_quick(54.9)
    assert times.are_quick(55.1)
    assert not noted(times, 3.0, 70.0)
    assert not noted(times, QUICK, 81.0, 99)
    assert noted(times, QUICK, 80.1)


def test_slow_ones_of_the_thread_hold_up_nobody_and_are_only_waited_out() -> None:
    times = SyncTimes()
    assert not noted(times, 3.0, 0.0, 50)
    assert noted(times, QUICK, 0.0, 100)


def test_the_thread_writes_until_the_disk_is_known_to_be_quick() -> None:
    disk, now = MemoryDisk(), [0.0]
    told: list[BaseException | None] = []

    async def body() -> None:
        writer = writer_of(disk, now)
        for index in range(1, 4):
            assert not writer.writes_in_place([entry(index)])
            writer.hand_over(None, [entry(index)], told.append)
            while len(told) < index:
                await virtual_time.VIRTUAL_TIME.sleep(0)
        assert writer.writes_in_place([entry(4)])
        writer.write(None, [entry(4)])
        assert len(disk.syncs) == 4
        disk.sync_seconds = TOO_LONG
        writer.write(None, [entry(5)])
        assert not writer.writes_in_place([entry(6)])

    virtual_time.run(body())
    assert told == [None, None, None]


def test_nothing_overtakes_what_the_thread_has_not_written_yet() -> None:
    disk, now = MemoryDisk(), [0.0]

    async def body() -> None:
        writer = writer_of(disk, now, count=0)
        assert writer.writes_in_place([entry()])
        disk.gate.shut()
        told: list[BaseException | None] = []
        writer.hand_over(None, [entry()], told.append)
        assert not writer.writes_in_place([entry(2)])
        disk.gate.open()
        while not told:
            await virtual_time.VIRTUAL_TIME.sleep(0)
        assert writer.writes_in_place([entry(2)])

    virtual_time.run(body())


def test_a_save_that_was_put_off_goes_before_what_a_snapshot_has_the_thread_do() -> None:
    disk, now = MemoryDisk(), [0.0]

    async def body() -> None:
        writer = writer_of(disk, now, count=0)
        told: list[BaseException | None] = []
        writer.put_off(None, [entry()], told.append)
        with writer.beside_other_work():
            writer.save_put_off()
            assert disk.syncs == []
            disk_thread.begin(lambda *_: None, disk.mark_snapshot, WalPosition(1, 1))
            while not told:
                await virtual_time.VIRTUAL_TIME.sleep(0)
        writer.save_put_off()  # it is done once
        assert disk.calls == ["save", "mark 1"]

    disk_thread = disk.worker("log")
    disk.worker = lambda name: disk_thread  # type: ignore[method-assign]
    virtual_time.run(body())


def test_a_save_that_was_put_off_tells_why_it_failed() -> None:
    disk, now = MemoryDisk(), [0.0]
    writer = writer_of(disk, now, count=0)
    told: list[BaseException | None] = []
    disk.fail_at = 1
    writer.put_off(None, [entry()], told.append)
    writer.save_put_off()
    assert [str(error) for error in told if error is not None and "no space left" in str(error)]


def test_beside_a_snapshot_or_a_purge_nothing_is_written_in_place_and_no_sync_counts() -> None:
    disk, now = MemoryDisk(), [0.0]

    async def body() -> None:
        writer = writer_of(disk, now, count=0)
        told: list[BaseException | None] = []
        disk.sync_seconds = SLOW
        with writer.beside_other_work():
            assert not writer.writes_in_place([entry()])
            writer.hand_over(None, [entry()], told.append)
            while not told:
                await virtual_time.VIRTUAL_TIME.sleep(0)
        assert writer.writes_in_place([entry(2)])

    virtual_time.run(body())


def test_long_saves_are_the_thread_s_and_their_time_says_nothing_of_others() -> None:
    disk, now = MemoryDisk(), [0.0]

    async def body() -> None:
        writer = writer_of(disk, now, count=0)
        told: list[BaseException | None] = []
        long = [entry(size=IN_PLACE_BYTES)]
        assert not writer.writes_in_place(long)
        disk.sync_seconds = SLOW
        writer.hand_over(None, long, told.append)
        while not told:
            await virtual_time.VIRTUAL_TIME.sleep(0)
        assert writer.writes_in_place([entry(2)])

    virtual_time.run(body())


@pytest.mark.parametrize("size", [1, 7, 300, 20_000])
@pytest.mark.parametrize("kind", list(EntryType))
def test_a_save_in_place_never_begins_a_new_segment(tmp_path: Path, size: int, kind: EntryType) -> None:
    """It is known before how long a save can be at most, with the greatest numbers that there are."""
    metrics = MemberMetrics()
    files = TimedFiles(metrics.log_syncs)
    wal = WAL.create(tmp_path / "wal", WalMetadata(1, 2), files=files, segment_bytes=50_000)
    disk = MemberDisk(
        wal, SnapshotDir(tmp_path), metrics, wal_dir=tmp_path / "wal", max_wals=0, max_snapshots=0
    )
    huge = (1 << 62) - 1
    index = 1
    while True:
        entries = [Entry(huge, index, b"d" * size, kind), Entry(huge, index + 1, b"d", kind)]
        before = disk.room
        if _most_bytes(entries) >= before:
            break
        assert disk.save(HardState(huge, huge, 0), entries) > 0
        assert before - _most_bytes(entries) <= disk.room < before
        index += 2
    assert len(list((tmp_path / "wal").glob("*.wal"))) == 1
    disk.close()
