"""Old files go, oldest first, and never one that is in use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server.storage.errors import StorageError
from server.storage.locks import lock_file
from server.storage.purge import purge


def made(directory: Path, count: int) -> list[Path]:
    paths = [directory / f"{n:016x}-{n * 10:016x}.wal" for n in range(count)]
    for path in paths:
        path.touch()
    return paths


@pytest.mark.parametrize(("keep", "removed"), [(5, 2), (7, 0), (9, 0), (1, 6), (0, 0)])
def test_the_newest_are_kept(tmp_path: Path, keep: int, removed: int) -> None:
    paths = made(tmp_path, 7)
    assert purge(tmp_path, "wal", keep) == paths[:removed]
    assert sorted(tmp_path.iterdir()) == paths[removed:]


def test_other_files_are_neither_counted_nor_touched(tmp_path: Path) -> None:
    paths = made(tmp_path, 3)
    others = [tmp_path / name for name in ("0.wal.broken", "0.snap", "0.wal.tmp")]
    for other in others:
        other.touch()
    assert purge(tmp_path, "wal", keep=2) == paths[:1]
    assert sorted(tmp_path.iterdir()) == sorted([*paths[1:], *others])


def test_it_stops_at_a_file_in_use(tmp_path: Path) -> None:
    paths = made(tmp_path, 5)
    fd = os.open(paths[1], os.O_RDWR)
    lock_file(fd, paths[1])
    assert purge(tmp_path, "wal", keep=1) == paths[:1]
    os.close(fd)
    assert purge(tmp_path, "wal", keep=1) == paths[1:4]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        purge(tmp_path / "none", "wal", keep=1)
