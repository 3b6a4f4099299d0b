"""One process at a time: 2.x asks with one kind of lock, 3.x with another, and both must find the door shut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.raft.types import Entry, HardState
from server.storage.codec import WalMetadata, WalPosition
from server.storage.errors import LockedError
from server.storage.purge import purge
from server.storage.replay import list_segments
from server.storage.wal import WAL

METADATA = WalMetadata(1, 2)

LIKE_2X = "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
LIKE_3X = "fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))"


@contextmanager
def another_process(statement: str, path: Path) -> Iterator[None]:
    """A process that has run ``statement`` with ``file`` open, and lives until the end of the block."""
    program = (
        f"import fcntl, struct, sys\nfile = open({str(path)!r}, 'r+b')\n{statement}\nprint('done', flush=True)\n"
        "sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"done\n"
        yield
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def created(directory: Path) -> Path:
    WAL.create(directory, METADATA).close()
    (segment,) = list_segments(directory)
    return segment.path


@pytest.mark.slow
@pytest.mark.parametrize("lock", [LIKE_2X, LIKE_3X], ids=["2.x", "3.x"])
def test_a_log_in_use_by_another_etcd_is_refused(tmp_path: Path, lock: str) -> None:
    path = created(tmp_path)
    with another_process(lock, path):
        with pytest.raises(LockedError, match="open wal error: file already locked") as caught:
            WAL.open(tmp_path)
        assert caught.value.path == path
    WAL.open(tmp_path)[0].close()  # free again


@pytest.mark.slow
@pytest.mark.parametrize("lock", [LIKE_2X, LIKE_3X], ids=["2.x", "3.x"])
def test_another_etcd_finds_our_log_locked(tmp_path: Path, lock: str) -> None:
    wal = WAL.create(tmp_path, METADATA)
    (segment,) = list_segments(tmp_path)
    attempt = f"try:\n    {lock}\nexcept OSError:\n    pass\nelse:\n    sys.exit('not locked')"
    with another_process(attempt, segment.path):
        pass
    wal.close()
    with another_process(lock, segment.path):
        pass


def test_a_log_is_opened_once_in_one_process_too(tmp_path: Path) -> None:
    created(tmp_path)
    wal, _ = WAL.open(tmp_path)
    with pytest.raises(LockedError, match="file already locked"):
        WAL.open(tmp_path)
    wal.close()
    WAL.open(tmp_path)[0].close()


def test_a_log_that_is_being_made_is_locked_too(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA)
    with pytest.raises(LockedError):
        WAL.open(tmp_path)
    wal.close()


def test_a_new_segment_is_locked_from_its_first_moment(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA, segment_bytes=80)
    wal.save(HardState(1, 1, 1), [])
    segments = list_segments(tmp_path)
    assert len(segments) == 2
    segments[0].path.unlink()
    assert purge(tmp_path, "wal", keep=0) == []
    segments[1].path.rename(tmp_path / "0000000000000000-0000000000000000.wal")
    with pytest.raises(LockedError):
        WAL.open(tmp_path)
    wal.close()


def test_released_segments_may_be_purged_and_the_others_not(tmp_path: Path) -> None:
    wal = WAL.create(tmp_path, METADATA, segment_bytes=100)
    for index in range(1, 11):
        wal.save(HardState(1, 1, index), [Entry(1, index, b"x")])
    before = list_segments(tmp_path)
    assert purge(tmp_path, "wal", keep=1) == []  # all in use
    wal.save_snapshot(WalPosition(7, 1))
    wal.release(7)
    needed = [segment for segment in before if segment.index < 7][-1:] + [s for s in before if s.index >= 7]
    assert purge(tmp_path, "wal", keep=1) == [s.path for s in before if s not in needed]
    wal.close()
    wal, contents = WAL.open(tmp_path, WalPosition(7, 1), segment_bytes=100)
    assert [entry.index for entry in contents.entries] == [8, 9, 10]
    wal.close()
