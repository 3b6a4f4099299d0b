"""The disk fails at the n-th call, or the power goes: what was acknowledged is there, nothing wrong is."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.raft.types import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import WriteFailedError
from server.storage.files import Files
from server.storage.replay import list_segments
from server.storage.snapshots import SnapshotDir, persist_snapshot
from server.storage.wal import WAL

METADATA = WalMetadata(11, 22)
SEGMENT_BYTES = 500


class FailingFiles(Files):
    """A disk that fails at its n-th call, a write after half of the data; and that knows what it has synced."""

    def __init__(self, fail_at: int) -> None:
        self.calls = 0
        self.fail_at = fail_at
        self._synced: dict[int, int] = {}  # inode -> bytes

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fail_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def create(self, path: Path, mode: int) -> int:
        self._count()
        return super().create(path, mode)

    def write(self, fd: int, data: bytes) -> None:
        try:
            self._count()
        except OSError:
            super().write(fd, data[: len(data) // 2])
            raise
        super().write(fd, data)

    def datasync(self, fd: int) -> None:
        self._count()
        super().datasync(fd)
        status = os.fstat(fd)
        self._synced[status.st_ino] = status.st_size

    def sync(self, fd: int) -> None:
        self.datasync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._count()
        super().truncate(fd, size)

    def rename(self, source: Path, target: Path) -> None:
        self._count()
        super().rename(source, target)

    def sync_directory(self, path: Path) -> None:
        self._count()
        super().sync_directory(path)

    def cut_power(self, directory: Path, rng: random.Random) -> None:
        """Of what was written and not synced, some of it survives."""
        for path in directory.iterdir():
            status = path.stat()
            os.truncate(path, rng.randint(self._synced.get(status.st_ino, 0), status.st_size))


@dataclass(slots=True)
class Model:
    """What must be on disk, and what may be there because the last call was cut short."""

    entries: dict[int, Entry] = field(default_factory=dict)
    hard_states: list[HardState] = field(default_factory=lambda: [EMPTY_HARD_STATE])
    snapshots: list[int] = field(default_factory=list)
    attempted_entries: list[Entry] = field(default_factory=list)
    attempted_snapshot: int = 0

    def acknowledge(self, state: HardState, entries: list[Entry]) -> None:
        for entry in entries:
            self.entries = {index: known for index, known in self.entries.items() if index < entry.index}
            self.entries[entry.index] = entry
        if entries or state[:2] != self.hard_states[-1][:2]:
            self.hard_states = [state]  # synced, and so are those before it
        else:
            self.hard_states.append(state)  # a commit index alone may be lost
        self.attempted_entries = []

    def allowed_logs(self, start: int) -> Iterator[list[Entry]]:
        for count in range(len(self.attempted_entries) + 1):
            log = dict(self.entries)
            for entry in self.attempted_entries[:count]:
                log = {index: known for index, known in log.items() if index < entry.index} | {
                    entry.index: entry
                }
            yield [entry for index, entry in sorted(log.items()) if index > start]


def run(wal_dir: Path, snap_dir: Path, files: Files, model: Model, *, at_once: bool) -> None:
    """A member's life with every kind of write in it, until the disk fails. Snapshots are stored ``at_once``,
    or with saves between their steps."""
    rng = random.Random(7)
    snapshots = SnapshotDir(snap_dir, files=files)
    wal = WAL.create(wal_dir, METADATA, files=files, segment_bytes=SEGMENT_BYTES)
    storing: Iterator[None] = iter(())
    try:
        last, term = 0, 1
        for step in range(24):
            term += rng.random() < 0.2
            first = max(last + 1 - rng.choice((0, 0, 0, 1, 2)), model.attempted_snapshot + 1)
            entries = [
                Entry(term, first + n, b"%d.%d" % (term, step)) for n in range(rng.choice((0, 1, 1, 3)))
            ]
            last = entries[-1].index if entries else last
            state = HardState(term, 1, last)
            model.attempted_entries = entries
            model.hard_states.append(state)
            wal.save(state, entries)
            model.hard_states.pop()
            model.acknowledge(state, entries)
            if step % 7 == 4:
                snapshot = Snapshot(last, model.entries[last].term, (1,), b"{%d}" % last)
                storing = store_in_steps(wal, snapshots, snapshot, model)
            if not at_once:
                next(storing, None)
            elif step % 7 == 4:
                model.attempted_snapshot = last
                persist_snapshot(wal, snapshots, snapshot)
                model.snapshots.append(last)
                model.hard_states = model.hard_states[-1:]  # the marker's sync carried it
    finally:
        wal.close()


def store_in_steps(wal: WAL, snapshots: SnapshotDir, snapshot: Snapshot, model: Model) -> Iterator[None]:
    """As a running member does it, which goes on saving between the steps."""
    model.attempted_snapshot = snapshot.index
    wal.save_snapshot(WalPosition(snapshot.index, snapshot.term))
    model.hard_states = model.hard_states[-1:]
    yield
    snapshots.save(snapshot)
    model.snapshots.append(snapshot.index)
    yield
    wal.release(snapshot.index)


def check(wal_dir: Path, snap_dir: Path, model: Model) -> None:
    snapshot = SnapshotDir(snap_dir).load_newest()
    start = WalPosition(snapshot.index, snapshot.term) if snapshot else WalPosition()
    assert start.index in {*(model.snapshots[-1:] or [0]), model.attempted_snapshot}
    wal, contents = WAL.open(wal_dir, start, segment_bytes=SEGMENT_BYTES)
    assert contents.metadata == METADATA
    assert contents.hard_state in model.hard_states
    assert contents.hard_state.commit >= start.index
    assert contents.entries in list(model.allowed_logs(start.index))
    following = start.index + len(contents.entries) + 1
    wal.save(HardState(99, 1, following), [Entry(99, following, b"goes on")])
    wal.close()
    wal, again = WAL.open(wal_dir, start, segment_bytes=SEGMENT_BYTES)
    wal.close()
    assert again.entries == [*contents.entries, Entry(99, following, b"goes on")]


def count_calls(tmp_path: Path, *, at_once: bool) -> int:
    files = FailingFiles(fail_at=0)
    (tmp_path / "snap").mkdir()
    run(tmp_path / "wal", tmp_path / "snap", files, Model(), at_once=at_once)
    return files.calls


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False], ids=["snapshots at once", "saves between"])
@pytest.mark.parametrize("power", ["stays on", "fails"])
def test_whatever_call_fails_the_next_start_finds_what_was_acknowledged(
    tmp_path: Path, power: str, at_once: bool
) -> None:
    total = count_calls(tmp_path, at_once=at_once)
    assert total > 60
    for fail_at in range(1, total + 1):
        directory = tmp_path / f"{fail_at}"
        wal_dir, snap_dir = directory / "wal", directory / "snap"
        snap_dir.mkdir(parents=True)
        files, model = FailingFiles(fail_at), Model()
        with pytest.raises(WriteFailedError, match="Input/output error"):
            run(wal_dir, snap_dir, files, model, at_once=at_once)
        if power == "fails":
            files.cut_power(wal_dir, random.Random(fail_at))
        if list_segments(wal_dir):
            check(wal_dir, snap_dir, model)
        else:  # creation failed: nothing was acknowledged, and it can be done again
            assert not model.entries
            WAL.create(wal_dir, METADATA).close()


def test_after_a_failed_write_nothing_more_is_written(tmp_path: Path) -> None:
    files = FailingFiles(fail_at=0)
    wal = WAL.create(tmp_path, METADATA, files=files)
    files.fail_at = files.calls + 1
    with pytest.raises(WriteFailedError, match=r"cannot write to 0000000000000000-0000000000000000\.wal"):
        wal.save(HardState(1, 1, 1), [Entry(1, 1, b"a")])
    (segment,) = list_segments(tmp_path)
    size = segment.path.stat().st_size
    attempts: list[Callable[[], None]] = [
        lambda: wal.save(HardState(1, 1, 1), [Entry(1, 1, b"a")]),
        lambda: wal.save_snapshot(WalPosition(1, 1)),
    ]
    for attempt in attempts:
        with pytest.raises(WriteFailedError, match="takes nothing more: cannot write to"):
            attempt()
    wal.close()
    assert segment.path.stat().st_size == size


def test_after_a_failed_sync_nothing_more_is_written(tmp_path: Path) -> None:
    files = FailingFiles(fail_at=0)
    wal = WAL.create(tmp_path, METADATA, files=files)
    files.fail_at = files.calls + 2
    with pytest.raises(WriteFailedError, match="cannot sync"):
        wal.save(HardState(1, 1, 1), [Entry(1, 1, b"a")])
    with pytest.raises(WriteFailedError, match="takes nothing more: cannot sync"):
        wal.save(HardState(1, 1, 1), [])
    wal.close()


def test_a_disk_that_takes_part_of_a_write_gets_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, data[:7]))
    wal = WAL.create(tmp_path, METADATA)
    wal.save(HardState(1, 1, 1), [Entry(1, 1, b"longer than seven bytes")])
    wal.close()
    monkeypatch.undo()
    wal, contents = WAL.open(tmp_path)
    wal.close()
    assert contents.entries == [Entry(1, 1, b"longer than seven bytes")]


def test_a_snapshot_that_failed_can_be_saved_again(tmp_path: Path) -> None:
    for fail_at in range(1, 6):
        files = FailingFiles(fail_at)
        with pytest.raises(WriteFailedError, match="cannot save the snapshot"):
            SnapshotDir(tmp_path, files=files).save(Snapshot(5, 1, (1,), b"{}"))
        assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
        SnapshotDir(tmp_path, files=files).save(Snapshot(5, 1, (1,), b"{}"))
        assert SnapshotDir(tmp_path).load_newest() == Snapshot(5, 1, (1,), b"{}")
        for path in tmp_path.iterdir():
            path.unlink()
