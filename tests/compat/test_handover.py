"""The database that etcd 3.x wants beside a snapshot: added at the hand-over, and only where it is wanted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from packaging.version import Version

from compat.engines import Engine, EngineError
from compat.handover import hand_over, told_of_2x
from server.raft.types import Entry, HardState, Snapshot
from server.storage.boltfile import empty_database
from server.storage.datadir import prepare
from server.storage.snapshots import SnapshotDir, persist_snapshot
from server.storage.v3 import V3Data, write_mark
from server.storage.wal import WAL, WalMetadata

ETCD_35 = Engine("/e", Version("3.5.1"))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A member's directory with snapshots at 3 and 7."""
    return member_dir(tmp_path / "d")


def member_dir(data_dir: Path, wal_dir: Path | None = None) -> Path:
    wal_path, snap = prepare(data_dir, wal_dir)
    wal = WAL.create(wal_path, WalMetadata(1, 2))
    for index in range(1, 10):
        wal.save(HardState(2, 1, index), [Entry(2, index, b"x")])
        if index in (3, 7):
            persist_snapshot(wal, SnapshotDir(snap), Snapshot(index, 2, (1,), b"{}"))
    wal.close()
    return data_dir


def content(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("version", ["3.1.20", "3.2.0", "3.3.27", "3.4.23", "3.5.1"])
def test_an_empty_database_as_of_the_newest_snapshot_is_added(data_dir: Path, version: str) -> None:
    before = content(data_dir)
    handed_over = hand_over(Engine("/e", Version(version)), str(data_dir))
    database = data_dir / "member" / "snap" / "db"
    assert content(data_dir) == {**before, "member/snap/db": empty_database(7, 2)}
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    (finding,) = handed_over.findings
    assert finding.code == "v3-database"
    assert str(finding).startswith(f"review[v3-database] {database}: Added an empty v3 database")
    assert "etcd 2.x and the bundled server do not start on a directory that has one" in finding.message
    assert "there is no other way" in finding.remedy


@pytest.mark.parametrize("version", ["2.0.13", "2.3.8", "3.0.17", "3.6.0rc1", "3.6.0", "4.0"])
def test_an_etcd_that_does_not_want_one_gets_none(data_dir: Path, version: str) -> None:
    before = content(data_dir)
    assert hand_over(Engine("/e", Version(version)), str(data_dir)).findings == []
    assert content(data_dir) == before


def test_a_directory_without_a_snapshot_needs_none(data_dir: Path, tmp_path: Path) -> None:
    for path in (data_dir / "member" / "snap").iterdir():
        path.unlink()
    before = content(data_dir)
    assert hand_over(ETCD_35, str(data_dir)).findings == []
    assert content(data_dir) == before
    assert hand_over(ETCD_35, str(tmp_path / "none")).findings == []
    assert not (tmp_path / "none").exists()


def test_one_that_is_there_is_left_alone(data_dir: Path) -> None:
    (data_dir / "member" / "snap" / "db").write_bytes(b"somebody's data")
    before = content(data_dir)
    assert hand_over(ETCD_35, str(data_dir)).findings == []
    assert content(data_dir) == before


def test_it_can_be_taken_back(data_dir: Path) -> None:
    before = content(data_dir)
    handed_over = hand_over(ETCD_35, str(data_dir))
    handed_over.take_back()
    assert content(data_dir) == before
    handed_over.take_back()


def test_a_damaged_snapshot_does_not_count(data_dir: Path) -> None:
    """etcd sets it aside and takes the one before; nothing is renamed here."""
    newest = data_dir / "member" / "snap" / "0000000000000002-0000000000000007.snap"
    newest.write_bytes(b"damaged")
    hand_over(ETCD_35, str(data_dir))
    assert (data_dir / "member" / "snap" / "db").read_bytes() == empty_database(3, 2)
    assert newest.exists()


def test_nothing_is_added_to_a_directory_of_damaged_snapshots(data_dir: Path) -> None:
    for path in (data_dir / "member" / "snap").iterdir():
        path.write_bytes(b"damaged")
    assert hand_over(ETCD_35, str(data_dir)).findings == []
    assert not (data_dir / "member" / "snap" / "db").exists()


@pytest.mark.parametrize("apart", [False, True], ids=["wal in the data dir", "wal elsewhere"])
def test_a_directory_in_use_is_refused(tmp_path: Path, apart: bool) -> None:
    wal_dir = tmp_path / "w" if apart else None
    data_dir = member_dir(tmp_path / "d", wal_dir)
    running, _ = WAL.open(wal_dir or data_dir / "member" / "wal")
    before = content(data_dir)
    with pytest.raises(EngineError, match="file already locked"):
        hand_over(ETCD_35, str(data_dir), str(wal_dir or ""))
    assert content(data_dir) == before
    running.close()
    assert hand_over(ETCD_35, str(data_dir), str(wal_dir or "")).findings
    WAL.open(wal_dir or data_dir / "member" / "wal")[0].close()  # the lock went with it


@pytest.mark.parametrize(("seen_at", "refused"), [(1, True), (7, True), (8, False)])
def test_v3_data_that_the_log_does_not_hold_any_more_is_refused(
    data_dir: Path, seen_at: int, refused: bool
) -> None:
    """Of what is behind the snapshot, the engine reads all in the log."""
    write_mark(data_dir / "member", V3Data("put", seen_at))
    before = content(data_dir)
    if not refused:
        assert hand_over(ETCD_35, str(data_dir)).findings
        return
    with pytest.raises(
        EngineError, match=rf"data of the v3 API \(first seen: put, at index {seen_at}\)"
    ) as caught:
        hand_over(ETCD_35, str(data_dir))
    assert "remove this member from the cluster, add it again" in caught.value.remedy
    assert content(data_dir) == before


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_disk_that_fails_leaves_no_half_of_it(
    data_dir: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(data_dir)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if call == "rename":
        monkeypatch.setattr(Path, "rename", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(EngineError, match="snap/db: cannot write: No space left on device"):
        hand_over(ETCD_35, str(data_dir))
    monkeypatch.undo()
    assert content(data_dir) == before


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.0.17", "Without a snapshot taken on 3.4"),
        ("3.4.23", "Without a snapshot taken on 3.4"),
        ("3.5.0-rc.1", "leaves the cluster at version 2.3"),
        ("3.5.33", "leaves the cluster at version 2.3"),
        ("3.6.14", "refuses v2 keys and v2 requests"),
        ("3.7.1", "refuses v2 keys and v2 requests"),
    ],
)
def test_a_3x_on_data_of_2x_is_told_what_comes_of_it(data_dir: Path, version: str, words: str) -> None:
    (finding,) = told_of_2x(Engine("/e", Version(version)), str(data_dir))
    assert finding.code == "straight-from-2x"
    assert words in finding.message
    assert ("etcdserver: not capable" in finding.message) == (version < "3.6")


def test_a_2x_is_told_nothing_of_it(data_dir: Path) -> None:
    assert told_of_2x(Engine("/e", Version("2.3.8")), str(data_dir)) == []


def test_nothing_is_told_of_a_directory_that_a_3x_has_opened_or_that_is_new(
    data_dir: Path, tmp_path: Path
) -> None:
    assert told_of_2x(ETCD_35, str(tmp_path / "new")) == []
    (data_dir / "member" / "snap" / "db").write_bytes(b"")
    assert told_of_2x(ETCD_35, str(data_dir)) == []


def test_a_log_elsewhere_is_of_2x_too(tmp_path: Path) -> None:
    member_dir(tmp_path / "d", tmp_path / "wal")
    (finding,) = told_of_2x(ETCD_35, str(tmp_path / "d"), str(tmp_path / "wal"))
    assert finding.code == "straight-from-2x"
