"""Trees as the tests of files and backups find them, before and after a run."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migrate02.cli.exits import DONE, REFUSED
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


def put(path: Path, kind: str, leads_to: Path) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(leads_to)
    elif kind == "broken link":
        path.symlink_to("nowhere")
    else:
        path.mkdir()


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


OLD_TOML = 'name = "m1"\naddr = "10.0.0.9:4001"\n[peer]\naddr = "10.0.0.9:7001"\n'
OTHER_TOML = OLD_TOML.replace("m1", "m2")
NEW_FIRST_LINE = 'ETCD_NAME="m1"'


def fail(number: int) -> Callable[..., Any]:
    def failing(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}
