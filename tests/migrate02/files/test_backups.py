"""What ``undo`` believes of a backup, and that it changes nothing but the files of its tree."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import DONE, REFUSED
from migrate02.files import backups
from tests.migrate02.running import Run, convert, migrate02

OLD = "ETCD_NAME=m9\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\n"
NAMES = ("a/etcd.env", "b/etcd.env")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class World:
    """A tree that was converted, and something outside that nobody may touch."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.tree = where / "tree"
        self.outside = where / "outside"
        self.outside.mkdir()
        (self.outside / "victim").write_text("precious\n")
        for name in NAMES:
            (self.tree / name).parent.mkdir(parents=True)
            (self.tree / name).write_text(OLD)
        assert convert("--write", self.tree).status == DONE
        self.folder = self.tree / ".migrate02" / "0001"
        self.new = (self.tree / NAMES[0]).read_text()

    @property
    def manifest(self) -> dict[str, Any]:
        found = json.loads((self.folder / "manifest.json").read_text())
        assert isinstance(found, dict)
        return found

    def say(self, manifest: object) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(manifest))

    def state(self) -> dict[str, object]:
        """All that is there, links as links."""
        return {
            str(path.relative_to(self.where)): os.readlink(path)
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else stat.S_IFMT(path.stat().st_mode)
            for path in sorted(self.where.rglob("*"))
        }

    def refused(self, *words: str) -> Run:
        """Undo changes nothing at all, and says so."""
        before = self.state()
        run = migrate02("undo", self.tree)
        assert self.state() == before
        assert (run.status, run.out) == (REFUSED, "")
        assert len(run.err.splitlines()) == 1
        assert run.err.startswith("migrate02 undo: ")
        for word in words:
            assert word in run.err
        return run


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def entry(backup: object, data: bytes = OLD.encode()) -> dict[str, Any]:
    return {
        "backup": backup,
        "size": len(data),
        "written": sha(b"precious\n"),
        "original": sha(data),
        "node": 7,
    }


# What a manifest may say.

ELSEWHERE = [
    "victim",
    "../new",
    "../../../outside/victim",
    "files",
    "files/",
    "files/../../../outside/victim",
    "files/a/../../new",
    "files//etc/passwd",
    "files/./a/x",
    "files/a/",
    "files/.migrate02/0001/files/a/etcd.env",
    "files/a/.migrate02/x",
    "other/a/etcd.env",
    "/etc/passwd",
    "",
    "files/a\0b",
    "files/\ud800",
]


@pytest.mark.parametrize("backup", ELSEWHERE)
def test_a_path_that_leads_elsewhere_refuses_the_whole_manifest(world: World, backup: str) -> None:
    found = world.manifest
    found["files"].append(entry(backup))
    world.say(found)
    world.refused("manifest.json: entry 3", repr(backup).encode("utf-8", "backslashreplace").decode())


@pytest.mark.parametrize("backup", ELSEWHERE)
def test_so_it_does_in_a_manifest_of_version_1(world: World, backup: str) -> None:
    files = [{"backup": f"files/{NAMES[0]}", "size": len(OLD), "written": sha(world.new.encode())}]
    files.append({"backup": backup, "size": len(OLD), "written": sha(b"precious\n")})
    world.say({"version": 1, "files": files})
    world.refused("manifest.json: entry 2")


def bad(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    def apply(found: dict[str, Any]) -> None:
        change(found["files"][1])

    return apply


BAD_ENTRIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path that is a number": lambda one: one.update(backup=5),
    "a path that is a list": lambda one: one.update(backup=["files", "a"]),
    "no path": lambda one: one.pop("backup"),
    "a size in words": lambda one: one.update(size="5"),
    "a size that is true": lambda one: one.update(size=True),
    "a size with a fraction": lambda one: one.update(size=5.0),
    "a negative size": lambda one: one.update(size=-1),
    "no digest": lambda one: one.update(written=""),
    "a digest of another kind": lambda one: one.update(original="0" * 40),
    "no digest of the original": lambda one: one.pop("original"),
    "a digest that is none": lambda one: one.update(written=None),
    "a node in words": lambda one: one.update(node="1"),
    "one thing more": lambda one: one.update(command="rm"),
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_an_entry_that_is_not_as_we_write_it_refuses_the_whole_manifest(world: World, what: str) -> None:
    found = world.manifest
    BAD_ENTRIES[what](found["files"][1])
    world.say(found)
    world.refused("manifest.json: entry 2")


def test_a_file_that_is_listed_twice_refuses_the_whole_manifest(world: World) -> None:
    found = world.manifest
    found["files"].append(found["files"][0])
    world.say(found)
    world.refused("entry 3", "files/a/etcd.env", "listed twice")


@pytest.mark.parametrize("version", [3, 99, 0, -1, "2", True, None, 2.0, [2]])
def test_a_manifest_of_a_version_that_is_not_known_is_refused(world: World, version: object) -> None:
    world.say(world.manifest | {"version": version})
    world.refused("manifest.json: of version")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", "[" * 100_000, '{"a":' * 100_000, "\xff", "NaN"]
)
def test_a_manifest_that_is_none_is_refused(world: World, text: str) -> None:
    (world.folder / "manifest.json").write_bytes(text.encode("latin-1"))
    world.refused("manifest.json")


@pytest.mark.parametrize("files", [None, {}, "files", 5, [None], [[]], [5]])
def test_a_list_of_files_that_is_none_is_refused(world: World, files: object) -> None:
    world.say(world.manifest | {"files": files})
    world.refused("manifest.json")


@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_a_manifest_that_is_no_file_is_refused_and_not_waited_for(world: World, kind: str) -> None:
    path = world.folder / "manifest.json"
    path.rename(world.outside / "manifest.json")
    put(path, kind, world.outside / "manifest.json")
    world.refused("manifest.json")


def put(path: Path, kind: str, leads_to: Path) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(leads_to)
    elif kind == "broken link":
        path.symlink_to("nowhere")
    else:
        path.mkdir()


# What may stand where it says.


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


def test_a_folder_of_backups_that_is_a_link_is_not_written_to(tmp_path: Path) -> None:
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    (tree / "etcd.env").write_text(OLD)
    (tree / ".migrate02").symlink_to(outside)
    run = convert("--write", tree)
    assert run.status == REFUSED
    assert "not written: no backup: " in run.err
    assert "no link is followed" in run.err
    assert (os.listdir(outside), (tree / "etcd.env").read_text()) == ([], OLD)


@pytest.mark.parametrize("meanwhile", ["before", "after"])
def test_a_directory_that_becomes_a_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """Between reading and writing aside, and between that and the swap."""
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    for folder in (tree / "a", outside):
        folder.mkdir(parents=True)
        (folder / "etcd.env").write_text(OLD)

    def swap() -> None:
        (tree / "a").rename(tree / "moved")
        (tree / "a").symlink_to(outside)

    if meanwhile == "after":
        monkeypatch.setattr(os, "sync", swap)
    else:
        real = backups.Keeper.begin

        def begin(self: backups.Keeper, *args: Any) -> None:
            real(self, *args)
            self._folders.forget(str(tree / "a"))
            swap()

        monkeypatch.setattr(backups.Keeper, "begin", begin)
    run = convert("--write", tree)
    monkeypatch.undo()
    assert (outside / "etcd.env").read_text() == OLD
    assert os.listdir(outside) == ["etcd.env"]
    assert not any(".migrate02-" in name for name in os.listdir(tree / "moved"))
    if meanwhile == "before":
        assert run.status == REFUSED
        assert "no link is followed" in run.err


def test_a_link_that_somebody_named_is_followed_and_one_in_a_directory_is_not_read(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside.env", tmp_path / "tree"
    outside.write_text(OLD)
    tree.mkdir()
    (tree / "etcd.env").symlink_to(outside)
    assert convert("--write", tree).status == DONE
    assert outside.read_text() == OLD
    assert convert("--write", tree / "etcd.env").status == DONE
    assert outside.read_text() != OLD
    assert outside.with_name("outside.env.0.4").read_text() == OLD
    assert os.listdir(tree) == ["etcd.env"]


TAKEN_IN = {
    "a unit": "[Service]\nEnvironmentFile={path}\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001 $OPTS\n",
    "a script": "#!/bin/sh\n. {path}\nexec etcd -peer-addr 10.0.0.1:7001 $OPTS\n",
    "a start with its file": "exec etcd -peer-addr 10.0.0.1:7001 -config {path}\n",
    "containers": "etcd:\n  image: coreos/etcd\n  env_file: {path}\n  command: -peer-addr 10.0.0.1:7001\n",
    "a cloud-config": "#cloud-config\nwrite_files:\n  - path: {path}\n    content: |\n      ETCD_ADDR=10.0.0.1:4001\n"
    "coreos:\n  units:\n    - name: etcd.service\n      content: |\n        [Service]\n        EnvironmentFile={path}\n"
    "        ExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n",
}


@pytest.mark.parametrize("what", TAKEN_IN)
@pytest.mark.parametrize("path", ["../outside.env", "{outside}", "/../outside.env", "sub/../../outside.env"])
def test_a_file_that_is_named_in_another_is_not_written_when_it_is_elsewhere(
    tmp_path: Path, what: str, path: str
) -> None:
    outside, tree = tmp_path / "outside.env", tmp_path / "tree"
    outside.write_text(OLD)
    tree.mkdir()
    name = {"a unit": "etcd.service", "containers": "compose.yml"}.get(what, "etcd-start")
    (tree / name).write_text(TAKEN_IN[what].format(path=path.format(outside=outside)))
    convert("--write", tree)
    assert outside.read_text() == OLD
    assert sorted(os.listdir(tmp_path)) == ["outside.env", "tree"]
    assert sorted(set(os.listdir(tree)) - {".migrate02"}) == [name]


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


def plant_node(tree: Path) -> tuple[Path, Path]:
    """A unit and its environment, which change together."""
    unit, defaults = tree / "etc/systemd/system/etcd.service", tree / "etc/default/etcd"
    unit.parent.mkdir(parents=True)
    defaults.parent.mkdir(parents=True)
    unit.write_text(
        "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"
    )
    defaults.write_text("ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\n")
    return unit, defaults


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
        "m1/etc/default/etcd: left as it is: it goes back together with m1/etc/systemd/system/etcd.service"
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
    real = backups._Undoing._judged

    def judged(self: Any, one: Any, *more: Any) -> Any:
        found = real(self, one, *more)
        if one.path == NAMES[0]:
            (world.tree / NAMES[0]).write_text("mine\n")
        return found

    monkeypatch.setattr(backups._Undoing, "_judged", judged)
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
