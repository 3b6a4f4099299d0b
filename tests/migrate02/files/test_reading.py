"""Which files of a tree are read, and what is said of those that cannot be."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from migrate02.files import reading as files
from tests.migrate02.running import convert

OLD = 'name = "m1"\naddr = "10.0.0.9:4001"\n[peer]\naddr = "10.0.0.9:7001"\n'


def test_a_tree_is_walked_for_files_that_look_like_etcds(tmp_path: Path) -> None:
    wanted = {
        "a/etcd.conf": OLD,
        "a/etcd.env": "ETCD_NAME=m1\nETCD_ADDR=10.0.0.9:4001\n",
        "b/c/start": "exec etcd -name m1 -addr 10.0.0.9:4001\n",
        "b/args": '["etcd", "-name", "m1", "-addr", "10.0.0.9:4001"]\n',
    }
    passed_over = {
        "README.md": "# etcd\nSee `etcd -addr`.\nname = value\n",
        "a/etcd.conf.0.4": OLD,
        "a/etcd.conf.0.4.7": OLD,
        "a/.etcd.conf.migrate02-17": OLD,
        ".git/config": "[peer]\naddr = 1\n",
        "tool.ini": "[server]\nhost = 1\nname = 2\n",
        "compose.yml": "services:\n  db:\n    image: postgres\n",
        "run.sh": "#!/bin/sh\necho hello\n",
        "binary": "\0\0ETCD_ADDR=1",
        "empty": "",
        "big": "ETCD_ADDR=1\n" + "#" * files.MAX_BYTES,
    }
    for name, text in {**wanted, **passed_over}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "link").symlink_to("a/etcd.conf")
    os.mkfifo(tmp_path / "fifo")
    run = convert("--write", tmp_path)
    written = {line.partition(": written")[0] for line in run.err.splitlines() if ": written" in line}
    assert written == {str(tmp_path / name) for name in wanted}
    assert run.status == 0
    assert all((tmp_path / name).read_text() == text for name, text in passed_over.items())


def test_a_directory_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "etcd.conf").write_text(OLD)
    real = os.scandir

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    run = convert("--check", tmp_path)
    assert run.status == 3
    assert f"error[cannot-read] {tmp_path / 'closed'}: Permission denied -> " in run.err
