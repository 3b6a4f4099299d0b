"""What a data directory is, and what is made of it before a member starts."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

import pytest

from server.storage.codec import WalMetadata
from server.storage.datadir import Kind, check_writable, has_wal, layout, move_old_layout, prepare, strangers
from server.storage.errors import NewerFormatError, StorageError
from server.storage.replay import read_wal
from server.storage.wal import WAL


def fill(directory: Path, names: Iterable[str | tuple[str, str]]) -> Path:
    """Makes files; a name that ends in a slash is a directory, a pair is a file with content."""
    directory.mkdir(exist_ok=True)
    for name in names:
        path, text = (name, "") if isinstance(name, str) else name
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            target.mkdir(exist_ok=True)
        else:
            target.write_text(text)
    return directory


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ([], Kind.EMPTY),
        (["lost+found/", "notes.txt"], Kind.EMPTY),
        (["member/"], Kind.MEMBER),
        (["proxy/"], Kind.PROXY),
        (["member/", "proxy/"], Kind.BOTH),
        (["snap/", "wal/0000000000000000-0000000000000000.wal"], Kind.OLD_MEMBER),
        (["member.tmp/snap/", "wal/0000000000000000-0000000000000000.wal"], Kind.OLD_MEMBER),
        (["snap/", "wal/"], Kind.EMPTY),
        ([("log", "       e\n\x08\x02")], Kind.ETCD04),
        ([("log", "")], Kind.EMPTY),
        ([("log", "2014-05-01 10:00:00 a text log\n")], Kind.EMPTY),
        (["log/", "conf/"], Kind.EMPTY),
        ([("conf", '{"commitIndex":1,"peers":[]}')], Kind.ETCD04),
        ([("conf", "[" * 100_000)], Kind.EMPTY),
        ([("conf", "listen = 1")], Kind.EMPTY),
        ([("conf", "[1]")], Kind.EMPTY),
        (["snapshot/0_175.ss"], Kind.ETCD04),
        (["snapshot/", ("log", "")], Kind.EMPTY),
        ([("log", ""), ("standby_info", '{"Running":true,"Cluster":[],"SyncInterval":5}')], Kind.ETCD04),
        (["member/", "snapshot/0_175.ss", ("log", "       e\n")], Kind.MEMBER),
    ],
)
def test_a_directory_is_known_by_what_lies_in_it(
    tmp_path: Path, names: list[str | tuple[str, str]], kind: Kind
) -> None:
    assert layout(fill(tmp_path / "d", names)) is kind


def test_a_directory_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert layout(tmp_path / "none") is Kind.EMPTY
    assert strangers(tmp_path / "none") == []


def test_a_file_in_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(StorageError, match="error listing data dir: Not a directory"):
        layout(path)
    with pytest.raises(StorageError, match="cannot access data directory: File exists"):
        check_writable(path)


def test_strangers_are_named(tmp_path: Path) -> None:
    assert strangers(fill(tmp_path, ["member/", "log", "conf"])) == ["conf", "log"]


def test_a_member_is_known_by_any_name_in_its_log(tmp_path: Path) -> None:
    assert not has_wal(tmp_path / "none")
    assert not has_wal(tmp_path)
    (tmp_path / "0000000000000000-0000000000000000.wal.tmp").touch()
    assert not has_wal(tmp_path)  # a creation of ours that was cut short
    (tmp_path / "anything").touch()
    assert has_wal(tmp_path)


def test_directories_are_made_private_and_the_log_is_left_to_its_creation(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    wal, snap = prepare(data_dir)
    assert (wal, snap) == (data_dir / "member" / "wal", data_dir / "member" / "snap")
    assert not wal.exists()
    made = [data_dir.parent, data_dir, data_dir / "member", snap]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 4
    assert list(snap.iterdir()) == []  # .touch is gone
    assert prepare(data_dir) == (wal, snap)


def test_a_mode_the_operator_chose_stays(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o750)
    data_dir.chmod(0o750)
    prepare(data_dir)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o750


def test_the_log_may_live_elsewhere(tmp_path: Path) -> None:
    assert prepare(tmp_path / "data", tmp_path / "fast-disk")[0] == tmp_path / "fast-disk"


def test_a_member_and_a_proxy_in_one_place_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, ["member/", "proxy/"])
    with pytest.raises(StorageError, match=r"invalid datadir\. Both member and proxy directories exist"):
        prepare(tmp_path)


def test_the_database_of_3_x_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, ["member/snap/db"])
    with pytest.raises(NewerFormatError, match="experimental-v3demo cannot be disabled once it is enabled"):
        prepare(tmp_path)


def test_the_layout_of_2_0_0_is_moved(tmp_path: Path) -> None:
    WAL.create(tmp_path / "wal", WalMetadata(1, 2)).close()
    fill(tmp_path, ["snap/1-1.snap"])
    wal, snap = prepare(tmp_path)
    assert layout(tmp_path) is Kind.MEMBER
    assert strangers(tmp_path) == []
    assert read_wal(wal).metadata == WalMetadata(1, 2)
    assert [path.name for path in snap.iterdir()] == ["1-1.snap"]


@pytest.mark.parametrize("moved", [[], ["snap"], ["snap", "wal"]])
def test_a_move_that_was_cut_short_is_taken_up_again(tmp_path: Path, moved: list[str]) -> None:
    WAL.create(tmp_path / "wal", WalMetadata(1, 2)).close()
    fill(tmp_path, ["snap/", "member.tmp/"])
    for name in moved:
        (tmp_path / name).rename(tmp_path / "member.tmp" / name)
    assert layout(tmp_path) is Kind.OLD_MEMBER
    move_old_layout(tmp_path)
    assert read_wal(tmp_path / "member" / "wal").metadata == WalMetadata(1, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["member"]
