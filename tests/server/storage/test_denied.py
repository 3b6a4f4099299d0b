"""Directories that may not be looked into, and names that cannot be: one StorageError that names the path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.storage.datadir import has_wal, layout, prepare
from server.storage.errors import StorageError
from server.storage.snapshots import SnapshotDir
from server.storage.wal import WAL, WalMetadata

NOBODY = 65534


@contextmanager
def without_rights(directory: Path) -> Iterator[None]:
    """Nothing can be looked up in ``directory``, for root neither."""
    mode = directory.stat().st_mode
    directory.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(mode)


@pytest.mark.parametrize(
    ("closed", "look"),
    [
        ("d", lambda d: layout(d)),
        ("d", lambda d: prepare(d)),
        ("d/member", lambda d: has_wal(d / "member" / "wal")),
        ("d/member/wal", lambda d: has_wal(d / "member" / "wal")),
        ("d/member/wal", lambda d: WAL.open(d / "member" / "wal")),
        ("w", lambda d: has_wal(d.parent / "w" / "wal")),
        ("w", lambda d: prepare(d, d.parent / "w" / "wal")),
        ("w", lambda d: WAL.create(d.parent / "w" / "wal", WalMetadata(1, 2))),
        ("d/member/snap", lambda d: prepare(d)),
        ("d/member/snap", lambda d: SnapshotDir(d / "member" / "snap").load_newest()),
    ],
)
def test_what_may_not_be_looked_into_is_named(
    tmp_path: Path, closed: str, look: Callable[[Path], object]
) -> None:
    data_dir = tmp_path / "d"
    wal, _ = prepare(data_dir)
    WAL.create(wal, WalMetadata(1, 2)).close()
    (tmp_path / "w").mkdir()
    for directory in (tmp_path, *tmp_path.parents):  # what pytest made above is not what this is about
        if any(part.startswith("pytest-") for part in directory.parts):
            directory.chmod(directory.stat().st_mode | 0o011)
    for directory in (data_dir, data_dir / "member", wal, data_dir / "member" / "snap", tmp_path / "w"):
        directory.chmod(0o777)
    with without_rights(tmp_path / closed), pytest.raises(StorageError, match="Permission denied") as caught:
        look(data_dir)
    assert caught.value.path is not None
    assert caught.value.path.is_relative_to(tmp_path / closed)


@pytest.mark.parametrize(
    "look",
    [
        lambda path: has_wal(path),
        lambda path: layout(path),
        lambda path: prepare(path),
        lambda path: prepare(path.parent / "d", path),
        lambda path: WAL.create(path, WalMetadata(1, 2)),
        lambda path: SnapshotDir(path).load_newest(),
    ],
)
def test_a_name_too_long_is_an_error_that_says_so(tmp_path: Path, look: Callable[[Path], object]) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(StorageError, match="File name too long") as caught:
        look(path)
    assert caught.value.path == path
