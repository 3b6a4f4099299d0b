"""What ``--write`` keeps of a tree, and that it changes nothing outside of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import DONE, REFUSED
from migrate02.files import backups
from tests.migrate02.files.planted import OLD
from tests.migrate02.running import convert
from tests.migrate02.trees import plant


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
        real = backups.TreeKeeper.begin

        def begin(self: backups.TreeKeeper, *args: Any) -> None:
            real(self, *args)
            self._folders.forget(str(tree / "a"))
            swap()

        monkeypatch.setattr(backups.TreeKeeper, "begin", begin)
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


def test_backups_are_kept_out_of_version_control(tmp_path: Path) -> None:
    plant(tmp_path, {"a.env": OLD})
    convert("--write", tmp_path)
    assert (tmp_path / ".migrate02" / ".gitignore").read_text() == "*\n"


def test_nothing_is_written_when_no_backup_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, {"a.env": OLD, "b.env": OLD})

    def mkdir(*_args: object, **_more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", mkdir)
    run = convert("--write", tmp_path)
    monkeypatch.undo()
    assert run.status == REFUSED
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.env": OLD, "b.env": OLD}
