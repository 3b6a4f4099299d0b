"""``undo`` puts back what it can, and changes nothing but the files of its tree."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import DONE, REFUSED
from migrate02.files import undoing
from tests.migrate02.files.planted import NAMES, OLD, World, plant_node, put
from tests.migrate02.running import convert, migrate02
from tests.migrate02.trees import OLD as OLD_WITH_DATA
from tests.migrate02.trees import plant

# What may stand where the manifest says.


@pytest.mark.parametrize("kind", ["fifo", "link", "broken link", "directory"])
@pytest.mark.parametrize("which", ["target", "backup"])
def test_what_is_no_file_refuses_the_whole_manifest(world: World, which: str, kind: str) -> None:
    path = (world.tree if which == "target" else world.folder / "files") / NAMES[1]
    path.unlink()
    put(path, kind, world.outside / "victim")
    world.refused("entry 2", f"files/{NAMES[1]}", str(path))


@pytest.mark.parametrize("which", ["target", "backup"])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_on_the_way_refuses_the_whole_manifest(world: World, which: str, *, there: bool) -> None:
    folder = (world.tree if which == "target" else world.folder / "files") / "b"
    shutil.rmtree(folder)
    folder.symlink_to(world.outside)
    if there:
        (world.outside / "etcd.env").write_text(world.new if which == "target" else OLD)
    world.refused("entry 2", f"files/{NAMES[1]}", "no link is followed")


@pytest.mark.parametrize("which", [".migrate02", ".migrate02/0001"])
def test_a_folder_of_backups_that_is_a_link_is_not_followed(world: World, which: str) -> None:
    real = world.tree / which
    real.rename(world.outside / "backups")
    real.symlink_to(world.outside / "backups")
    world.refused("no link is followed")


# What is damaged, changed, or of before.


@pytest.mark.parametrize("damage", ["other bytes", "cut", "gone"])
def test_a_backup_with_other_bytes_is_not_put_back_and_the_others_are(world: World, damage: str) -> None:
    backup = world.folder / "files" / NAMES[1]
    if damage == "gone":
        backup.unlink()
    else:
        backup.write_text(OLD[:-1] + ("!" if damage == "other bytes" else ""))
    run = migrate02("undo", world.tree)
    assert run.status == REFUSED
    assert f"{NAMES[1]}: its backup {backup} is gone or damaged" in run.err
    assert [(world.tree / name).read_text() for name in NAMES] == [OLD, world.new]


def test_a_manifest_of_version_1_can_still_be_undone(world: World) -> None:
    rows = [
        {"backup": row["backup"], "size": row["size"], "written": row["written"]}
        for row in world.manifest["files"]
    ]
    world.say({"version": 1, "files": rows})
    (world.tree / NAMES[1]).write_text("mine\n")
    run = migrate02("undo", world.tree)
    assert run.status == REFUSED
    assert [(world.tree / name).read_text() for name in NAMES] == [OLD, "mine\n"]
    assert migrate02("undo", "--force", world.tree).status == DONE
    assert [(world.tree / name).read_text() for name in NAMES] == [OLD, OLD]


def test_a_file_that_was_changed_since_is_left_with_its_node(tmp_path: Path) -> None:
    unit, defaults = plant_node(tmp_path / "m1")
    (tmp_path / "other.env").write_text(OLD)
    before = unit.read_text(), defaults.read_text()
    assert convert("--write", tmp_path).status == DONE
    new = defaults.read_text()
    unit.write_text("mine\n")
    run = migrate02("undo", tmp_path)
    assert run.status == REFUSED
    assert "etcd.service: changed since it was converted; the original is " in run.err
    assert (
        "m1/etc/default/etcd: not changed: it goes back together with m1/etc/systemd/system/etcd.service"
        in run.err
    )
    assert (unit.read_text(), defaults.read_text()) == ("mine\n", new)
    assert (tmp_path / "other.env").read_text() == OLD
    run = migrate02("undo", "--force", tmp_path)
    assert run.status == DONE
    kept = tmp_path / ".migrate02" / "0001.undone" / "changed" / "m1/etc/systemd/system/etcd.service"
    assert f"etcd.service: put back; what it was is {kept}\n" in run.err
    assert kept.read_text() == "mine\n"
    assert (unit.read_text(), defaults.read_text()) == before


def test_a_file_that_changes_while_it_is_put_back_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = undoing._Undoing._judged

    def judged(self: Any, one: Any, *more: Any) -> Any:
        found = real(self, one, *more)
        if one.path == NAMES[0]:
            (world.tree / NAMES[0]).write_text("mine\n")
        return found

    monkeypatch.setattr(undoing._Undoing, "_judged", judged)
    run = migrate02("undo", world.tree)
    monkeypatch.undo()
    assert run.status == REFUSED
    assert f"{NAMES[0]}: it is being changed; undo it again" in run.err
    assert [(world.tree / name).read_text() for name in NAMES] == ["mine\n", OLD]


def test_over_a_border_between_file_systems_a_copy_goes_back_with_all_its_rights(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = world.folder / "files" / NAMES[0]
    backup.chmod(0o640)
    os.utime(backup, ns=(10**18, 10**18))
    real = os.rename

    def rename(*args: Any, src_dir_fd: int, dst_dir_fd: int) -> None:
        if src_dir_fd != dst_dir_fd:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(*args, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "rename", rename)
    run = migrate02("undo", world.tree)
    monkeypatch.undo()
    assert run.status == DONE
    found = world.tree / NAMES[0]
    assert (found.read_text(), stat.S_IMODE(found.stat().st_mode), found.stat().st_mtime_ns) == (
        OLD,
        0o640,
        10**18,
    )
    assert os.listdir(found.parent) == ["etcd.env"]


@pytest.mark.parametrize("spelled", ["tree", "tree/", "tree//", "./tree", "tree/../tree", "link"])
def test_a_directory_is_the_same_however_it_is_spelled(tmp_path: Path, spelled: str) -> None:
    for name in NAMES:
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        (tmp_path / "tree" / name).write_text(OLD)
    (tmp_path / "link").symlink_to("tree")
    assert convert("--write", spelled, cwd=tmp_path).status == DONE
    assert all((tmp_path / "tree" / name).read_text() != OLD for name in NAMES)
    assert migrate02("undo", spelled, cwd=tmp_path).status == DONE
    assert all((tmp_path / "tree" / name).read_text() == OLD for name in NAMES)


# One run after the other.


def test_undo_goes_back_one_run_at_a_time(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD_WITH_DATA})
    convert("--write", tmp_path)
    first = (tmp_path / "a.env").read_text()
    plant(tmp_path, {"b.env": OLD_WITH_DATA})
    convert("--write", tmp_path)
    assert migrate02("undo", tmp_path).status == DONE
    assert ((tmp_path / "a.env").read_text(), (tmp_path / "b.env").read_text()) == (first, OLD_WITH_DATA)
    assert migrate02("undo", tmp_path).status == DONE
    assert (tmp_path / "a.env").read_text() == OLD_WITH_DATA
    assert migrate02("undo", tmp_path).status == REFUSED


def test_undo_leaves_what_was_changed_since(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD_WITH_DATA, "b.env": OLD_WITH_DATA})
    convert("--write", tmp_path)
    (tmp_path / "a.env").write_text("mine\n")
    run = migrate02("undo", tmp_path)
    assert run.status == REFUSED
    assert "a.env: changed since it was converted; the original is " in run.err
    assert ((tmp_path / "a.env").read_text(), (tmp_path / "b.env").read_text()) == ("mine\n", OLD_WITH_DATA)
    (tmp_path / "a.env").unlink()
    assert migrate02("undo", tmp_path).status == DONE
    assert (tmp_path / "a.env").read_text() == OLD_WITH_DATA


def test_undo_keeps_bytes_that_are_no_utf_8_and_line_ends(tmp_path: Path) -> None:
    data = OLD_WITH_DATA.replace("\n", "\r\n").encode() + b"# \xff\r\n"
    (tmp_path / "a.env").write_bytes(data)
    convert("--write", tmp_path)
    assert (tmp_path / "a.env").read_bytes() != data
    migrate02("undo", tmp_path)
    assert (tmp_path / "a.env").read_bytes() == data


@pytest.mark.parametrize("damage", ["gone", "cut", "manifest"])
def test_undo_with_a_damaged_backup_changes_nothing(tmp_path: Path, damage: str) -> None:
    plant(tmp_path, {"a.env": OLD_WITH_DATA})
    convert("--write", tmp_path)
    written = (tmp_path / "a.env").read_text()
    folder = tmp_path / ".migrate02" / "0001"
    if damage == "gone":
        (folder / "files" / "a.env").unlink()
    elif damage == "cut":
        (folder / "files" / "a.env").write_text(OLD_WITH_DATA[:10])
    else:
        (folder / "manifest.json").write_text("{")
    assert migrate02("undo", tmp_path).status == REFUSED
    assert (tmp_path / "a.env").read_text() == written
