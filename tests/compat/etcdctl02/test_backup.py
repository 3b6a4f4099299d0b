"""``backup``: what is copied, what is not touched, and that nothing half written is ever seen."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from server.storage.codec import WalPosition
from server.storage.files import Files
from server.storage.replay import BEGINNING, WalContents, read_wal
from server.storage.snapshots import read_snapshot
from tests.compat.etcdctl02.ran import Ran, run
from tests.support.datadirs import Recorded, recorded
from tests.support.process import Member, Process, keys_below
from tests.support.real_etcd import HOW_34, etcd34, required

OF_ONE = Recorded("snap-2.3.8", "qa")


def backup(source: Path, target: Path, *more: str) -> Ran:
    return run("backup", "--data-dir", str(source), "--backup-dir", str(target), *more)


def tree(directory: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }


def snapshots(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "member" / "snap").glob("*.snap"))


def log(data_dir: Path, wal_dir: Path | None = None) -> WalContents:
    """From the newest snapshot on."""
    position = BEGINNING
    if snaps := snapshots(data_dir):
        newest = read_snapshot(snaps[-1])
        position = WalPosition(newest.index, newest.term)
    return read_wal(wal_dir or data_dir / "member" / "wal", position)


@pytest.mark.parametrize("of", recorded(), ids=str)
def test_a_backup_holds_the_newest_snapshot_and_the_log_after_it_under_new_ids(
    of: Recorded, tmp_path: Path
) -> None:
    source, target = of.unpack(tmp_path), tmp_path / "backup"
    before = tree(source)
    assert backup(source, target) == (0, "", "")
    assert tree(source) == before
    old, new = log(source), log(target)
    assert (new.entries, new.hard_state) == (old.entries, old.hard_state)
    assert not {new.metadata.node_id, new.metadata.cluster_id} & {0, *old.metadata}
    newest = [path.read_bytes() for path in snapshots(source)[-1:]]
    assert [path.read_bytes() for path in snapshots(target)] == newest
    assert {path.name for path in (target / "member").iterdir()} == {"snap", "wal"}
    assert [path.name for path in target.iterdir()] == ["member"]
    assert (target / "member").stat().st_mode & 0o777 == 0o700


def test_two_backups_are_two_clusters(tmp_path: Path) -> None:
    source = OF_ONE.unpack(tmp_path)
    for name in ("one", "two"):
        backup(source, tmp_path / name)
    assert not set(log(tmp_path / "one").metadata) & set(log(tmp_path / "two").metadata)


def test_the_log_may_lie_elsewhere_on_both_sides(tmp_path: Path) -> None:
    source, target = OF_ONE.unpack(tmp_path), tmp_path / "backup"
    (source / "member" / "wal").rename(tmp_path / "wal")
    (tmp_path / "new-wal").mkdir()
    words = "--wal-dir", str(tmp_path / "wal"), "--backup-wal-dir", str(tmp_path / "new-wal")
    assert backup(source, target, *words) == (0, "", "")
    assert not (target / "member" / "wal").exists()
    assert log(target, tmp_path / "new-wal").entries == log(source, tmp_path / "wal").entries


def test_a_damaged_snapshot_is_passed_over_and_nothing_is_lost(tmp_path: Path) -> None:
    source, target = OF_ONE.unpack(tmp_path), tmp_path / "backup"
    *_, older, newest = snapshots(source)
    newest.write_bytes(newest.read_bytes()[:-1])
    before = tree(source)
    ran = backup(source, target)
    assert ran.status == 0
    assert "snap: crc mismatch" in ran.err or "corrupted snapshot file" in ran.err
    assert tree(source) == before
    assert [path.name for path in snapshots(target)] == [older.name]
    position = read_snapshot(older)
    whole = read_wal(source / "member" / "wal", WalPosition(position.index, position.term))
    assert log(target).entries == whole.entries


def test_a_damaged_log_is_not_backed_up(tmp_path: Path) -> None:
    source, target = Recorded("single-2.3.8", "na").unpack(tmp_path), tmp_path / "backup"
    (segment,) = (source / "member" / "wal").iterdir()
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    ran = backup(source, target)
    assert ran.status == 1
    assert "crc mismatch" in ran.err
    assert not target.exists()


@pytest.mark.parametrize("other", [(), ("--backup-wal-dir", "elsewhere")])
def test_a_backup_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    source, target = OF_ONE.unpack(tmp_path), tmp_path / "backup"
    assert backup(source, target, *other).status == 0
    before = tree(tmp_path)
    ran = backup(source, target, *other)
    assert ran.status == 1
    assert f"{target}/member: file already exists" in ran.err
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--backup-dir", "b"), "open member/wal: no such file or directory: give the data directory of an etcd 2.x with "
         "--data-dir"),
        (("--data-dir", "nowhere", "--backup-dir", "b"), "open nowhere/member/wal: no such file or directory"),
        (("--wal-dir", "w", "--backup-dir", "b"), "open w: no such file or directory: .* with --wal-dir"),
        (("--data-dir", "d"), "give one with --backup-dir"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:

    monkeypatch.chdir(tmp_path)
    ran = run("backup", *words)
    assert (ran.status, ran.out) == (1, "")
    assert re.search(rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{6}} I \| .*{error}", ran.err)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fails_at_any_step_leaves_no_backup_and_the_next_run_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = OF_ONE.unpack(tmp_path), tmp_path / "backup"
    for failing in range(1, 100):
        with monkeypatch.context() as patch:
            _fail_at(failing, patch)
            ran = backup(source, target)
        if ran.status == 0:
            break
        assert os.strerror(errno.ENOSPC) in ran.err
        if (target / "member").exists():  # only its name was not yet synced
            assert log(target).entries == log(source).entries
            (target / "member").rename(tmp_path / f"left-{failing}")
    assert failing > 8
    assert log(target).entries == log(source).entries


def _fail_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """The n-th call that changes the disk fails."""
    left = [number]
    for name in ("create", "write", "datasync", "sync", "rename", "sync_directory"):
        real = getattr(Files, name)

        def call(*args: object, real: object = real) -> object:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            assert callable(real)
            return real(*args)

        patch.setattr(Files, name, call)


def write_some(process: Process) -> None:
    for number in range(25):
        assert process.put(f"/dir/k{number}", f"value {number} é").status == 201
    assert process.request("DELETE", "/v2/keys/dir/k4").status == 200
    assert process.put("/_hidden/a", "h").status == 201


def keys(process: Process) -> list[tuple[str, str | None, int, int]]:
    listings = [process.get(path, "recursive=true&sorted=true").json()["node"] for path in ("/", "/_hidden")]
    return [key for listing in listings for key in keys_below(listing)]


@pytest.mark.slow
@pytest.mark.parametrize("snapshot_count", ["10", "1000"])
def test_a_backup_of_a_running_server_begins_a_new_cluster(tmp_path: Path, snapshot_count: str) -> None:
    with Member(tmp_path / "d", snapshot_count=snapshot_count).start() as process:
        write_some(process)
        expected = keys(process)
        cluster = process.get("/").headers["x-etcd-cluster-id"]
        assert backup(tmp_path / "d", tmp_path / "backup").status == 0
        assert bool(snapshots(tmp_path / "backup")) == (snapshot_count == "10")
        with Member(tmp_path / "backup", force_new_cluster="true").start() as copy:
            assert keys(copy) == expected
            assert copy.get("/").headers["x-etcd-cluster-id"] != cluster
            assert copy.put("/more", "x").status == 201
        assert keys(process) == expected
    with Member(tmp_path / "backup").start() as copy:
        assert [key for key in keys(copy) if key[0] != "/more"] == expected


@pytest.mark.slow
@pytest.mark.real_etcd
def test_a_real_etcd_begins_a_new_cluster_from_a_backup(tmp_path: Path) -> None:
    binary = str(required(etcd34(), HOW_34))
    with Member(tmp_path / "d").start() as process:
        write_some(process)
        expected = keys(process)
    assert backup(tmp_path / "d", tmp_path / "backup").status == 0
    member = Member(tmp_path / "backup")
    with member.start_real(binary, "--enable-v2", "--force-new-cluster") as real:
        assert keys(real) == expected
        assert real.put("/more", "x").status == 201
