"""What was read at a start is on disk before anything depends on it, however whoever wrote it came to an end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from server.raft.types import Entry, HardState, Snapshot
from server.storage.codec import WalMetadata, WalPosition
from server.storage.datadir import prepare
from server.storage.errors import DamagedError, StorageError, WriteFailedError
from server.storage.files import Files
from server.storage.replay import list_segments, read_wal
from server.storage.snapshots import SnapshotDir, encode_snapshot_file, persist_snapshot
from server.storage.wal import WAL
from tests.support.power import Disk, Recorder

METADATA = WalMetadata(11, 22)
LOST: list[Callable[[Recorder, Path], object]] = [
    lambda recorder, disk: recorder.dies_before.update({disk: "sync"}),
    lambda recorder, disk: recorder.fails_sync.add(disk),
]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "disk"


@pytest.fixture
def recorder(disk: Path) -> Iterator[Recorder]:
    recorder = Recorder()
    recorder.disks = [disk]
    with recorder.installed():
        yield recorder


def after_a_cut(recorder: Recorder, disk: Path, into: Path) -> Iterator[Path]:
    """What may be left, in many ways."""
    left = Disk(disk)
    for op in recorder.ops:
        left.take(op)
    for seed in range(30):
        place = into / f"{seed}"
        (place / "wal").mkdir(parents=True)
        (place / "snap").mkdir()
        left.cut(Random(seed)).put(disk, place)
        yield place


@pytest.mark.parametrize("lose", LOST, ids=["killed before the sync", "the sync failed"])
def test_an_entry_that_was_read_outlives_a_power_cut(
    tmp_path: Path, recorder: Recorder, disk: Path, lose: Callable[[Recorder, Path], object]
) -> None:
    wal = WAL.create(disk / "wal", METADATA)
    wal.save(HardState(1, 1, 0), [Entry(1, 1, b"sure")])
    lose(recorder, disk)
    with pytest.raises(WriteFailedError):
        wal.save(HardState(2, 2, 1), [Entry(2, 2, b"x" * 2000)])
    wal.close()
    recorder.revive(disk)
    wal, contents = WAL.open(disk / "wal")
    assert len(contents.entries) == 2  # may be acknowledged from now on
    for left in after_a_cut(recorder, disk, tmp_path):
        found = read_wal(left / "wal")
        assert (found.entries, found.hard_state) == (contents.entries, HardState(2, 2, 1))
    wal.close()


def test_a_segment_that_was_read_keeps_its_name(tmp_path: Path, recorder: Recorder, disk: Path) -> None:
    wal = WAL.create(disk / "wal", METADATA, segment_bytes=200)
    recorder.dies_before[disk] = "sync directory"
    with pytest.raises(WriteFailedError):
        wal.save(HardState(1, 1, 0), [Entry(1, 1, b"x" * 300)])
    wal.close()
    recorder.revive(disk)
    assert len(list_segments(disk / "wal")) == 2
    wal, _ = WAL.open(disk / "wal")
    wal.save(HardState(1, 1, 1), [Entry(1, 2, b"acknowledged")])
    for left in after_a_cut(recorder, disk, tmp_path):
        assert [entry.index for entry in read_wal(left / "wal").entries] == [1, 2]
    wal.close()


@pytest.mark.parametrize("before", ["sync directory", "copied"])
def test_a_snapshot_that_was_read_is_there_when_nothing_else_is(
    tmp_path: Path, recorder: Recorder, disk: Path, before: str
) -> None:
    (disk / "snap").mkdir(parents=True)
    snapshot = Snapshot(1, 1, (1,), b"{}" * 1000)
    wal = WAL.create(disk / "wal", METADATA)
    wal.save(HardState(1, 1, 1), [Entry(1, 1, b"x")])
    snapshots = SnapshotDir(disk / "snap")
    if before == "copied":  # by who does not sync
        wal.save_snapshot(WalPosition(1, 1))
        fd = Files().create(disk / "snap" / "0000000000000001-0000000000000001.snap", 0o666)
        Files().write(fd, encode_snapshot_file(snapshot))
        os.close(fd)
    else:
        recorder.dies_before[disk] = before
        with pytest.raises(WriteFailedError):
            persist_snapshot(wal, snapshots, snapshot)
        recorder.revive(disk)
    with suppress(StorageError):
        wal.close()
    assert snapshots.load_newest() == snapshot
    wal, _ = WAL.open(disk / "wal", WalPosition(1, 1))
    snapshots.make_sure()
    for left in after_a_cut(recorder, disk, tmp_path):
        assert SnapshotDir(left / "snap").load_newest() == snapshot
    wal.close()


def test_making_sure_changes_nothing(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path / "wal", METADATA, segment_bytes=3000)
    for index in range(1, 40):
        wal.save(HardState(1, 1, index), [Entry(1, index, b"x" * 200)])
    wal.close()
    SnapshotDir(tmp_path).save(Snapshot(1, 1, (1,), b"{}" * 1_000_000))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before) > 3
    snapshots = SnapshotDir(tmp_path)
    snapshots.load_newest()
    snapshots.make_sure()
    WAL.open(tmp_path / "wal")[0].close()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_snapshot_that_changes_between_two_looks_is_refused(tmp_path: Path) -> None:
    snapshots = SnapshotDir(tmp_path)
    path = snapshots.save(Snapshot(1, 1, (1,), b"{}"))
    snapshots.load_newest()
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(DamagedError, match="not what it was a moment ago"):
        snapshots.make_sure()


class Refusing(Files):
    """Fails where what was read is written again."""

    def reopen(self, path: Path) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_disk_that_does_not_take_it_again_stops_the_start(tmp_path: Path) -> None:
    WAL.create(tmp_path, METADATA).close()
    with pytest.raises(StorageError, match="cannot write again: Input/output error"):
        WAL.open(tmp_path, files=Refusing())
    WAL.open(tmp_path)[0].close()  # no lock is left


def test_directories_that_an_earlier_start_made_are_synced_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been killed before it could."""
    data_dir, wal_dir = tmp_path / "a" / "d", tmp_path / "b" / "wal"
    prepare(data_dir, wal_dir)
    wal_dir.mkdir(parents=True)
    synced: list[Path] = []
    monkeypatch.setattr(Files, "sync_directory", lambda files, path: synced.append(path))
    prepare(data_dir, wal_dir)
    assert {data_dir / "member", data_dir, data_dir.parent, wal_dir.parent} <= set(synced)
