"""The calls that reach the disk are really made, and in an order that survives a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.raft.types import Entry, HardState
from server.storage.codec import WalMetadata
from server.storage.files import REAL_FILES, make_private_directory, write_new_file
from server.storage.snapshots import SnapshotDir
from server.storage.wal import WAL


class Calls(list[tuple[str, str]]):
    """What the operating system was asked for: (call, name of the file or directory)."""

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("write", "fdatasync", "fsync", "ftruncate"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))
        for name in ("rename", "mkdir"):
            monkeypatch.setattr(Path, name, self._watched_path(name, getattr(Path, name)))

    def _watched(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def watched(fd: int, *rest: object) -> object:
            self.append((name, Path(os.readlink(f"/proc/self/fd/{fd}")).name))
            return call(fd, *rest)

        return watched

    def _watched_path(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def watched(path: Path, *args: object, **rest: object) -> object:
            self.append((name, path.name))
            return call(path, *args, **rest)

        return watched


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    calls.watch(monkeypatch)
    return calls


def test_the_real_files_ask_the_operating_system(tmp_path: Path, calls: Calls) -> None:
    fd = REAL_FILES.create(tmp_path / "a", 0o600)
    REAL_FILES.write(fd, b"x")
    REAL_FILES.datasync(fd)
    REAL_FILES.sync(fd)
    os.close(fd)
    REAL_FILES.sync_directory(tmp_path)
    assert calls == [("write", "a"), ("fdatasync", "a"), ("fsync", "a"), ("fsync", tmp_path.name)]


def test_a_new_file_has_its_name_when_it_is_whole_and_the_name_is_synced_too(
    tmp_path: Path, calls: Calls
) -> None:
    write_new_file(REAL_FILES, tmp_path / "a", [b"x", b"y"], 0o600)
    assert calls == [
        ("ftruncate", "a.tmp"),
        ("write", "a.tmp"),
        ("write", "a.tmp"),
        ("fsync", "a.tmp"),
        ("rename", "a.tmp"),
        ("fsync", tmp_path.name),
    ]


def test_a_large_file_is_synced_as_it_grows(tmp_path: Path, calls: Calls) -> None:
    write_new_file(REAL_FILES, tmp_path / "a", [b"x" * 700_000] * 5, 0o600)
    write, sync = ("write", "a.tmp"), ("fdatasync", "a.tmp")
    assert calls[1:-3] == [write, write, sync, write, write, sync, write]
    assert calls[-3:] == [("fsync", "a.tmp"), ("rename", "a.tmp"), ("fsync", tmp_path.name)]
    assert (tmp_path / "a").read_bytes() == b"x" * 3_500_000


def test_a_new_directory_is_synced_in_the_one_above_it(tmp_path: Path, calls: Calls) -> None:
    make_private_directory(tmp_path / "a" / "b")
    assert calls == [("mkdir", "a"), ("fsync", tmp_path.name), ("mkdir", "b"), ("fsync", "a")]


def test_entries_are_synced_before_save_returns(tmp_path: Path, calls: Calls) -> None:
    wal = WAL.create(tmp_path, WalMetadata(1, 2))
    segment = f"{0:016x}-{0:016x}.wal"
    calls.clear()
    wal.save(HardState(1, 1, 0), [Entry(1, 1, b"a")])
    assert calls == [("write", segment), ("fdatasync", segment)]
    calls.clear()
    wal.save(HardState(1, 1, 1), [])  # a commit index alone
    assert calls == [("write", segment)]
    wal.close()
    assert calls == [("write", segment), ("fdatasync", segment)]


def test_a_segment_is_whole_and_its_name_synced_before_anything_is_saved_in_it(
    tmp_path: Path, calls: Calls
) -> None:
    begun = [("fdatasync", "{}.tmp"), ("rename", "{}.tmp"), ("fsync", tmp_path.name)]
    first, second = f"{0:016x}-{0:016x}.wal", f"{1:016x}-{2:016x}.wal"
    wal = WAL.create(tmp_path, WalMetadata(1, 2), segment_bytes=100)
    assert calls[-3:] == [(call, name.format(first)) for call, name in begun]
    calls.clear()
    wal.save(HardState(1, 1, 0), [Entry(1, 1, b"a" * 100)])
    assert calls[:2] == [("write", first), ("fdatasync", first)]
    assert calls[-3:] == [(call, name.format(second)) for call, name in begun]
    wal.close()


def test_what_is_set_aside_is_synced_under_its_new_name(tmp_path: Path, calls: Calls) -> None:
    (tmp_path / "1-1.snap").write_bytes(b"no snapshot")
    calls.clear()
    assert SnapshotDir(tmp_path).load_newest() is None
    assert calls == [("rename", "1-1.snap"), ("fsync", tmp_path.name)]
