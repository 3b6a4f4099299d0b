"""What the system refuses is told as such: a full disk or a missing right is no fault of the input."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import REFUSED
from migrate02.files.system import WRONG_NAME, remedy_for
from tests.migrate02.running import convert, state
from tests.migrate02.trees import OLD, plant


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_what_to_do_is_known_by_the_systems_words(number: int) -> None:
    assert remedy_for(f"no backup: {os.strerror(number)}") == remedy_for(os.strerror(number)) != ""
    assert number not in WRONG_NAME


def test_of_other_words_nothing_is_known() -> None:
    assert remedy_for("it was changed") == ""


@pytest.mark.parametrize(
    ("number", "todo"),
    [(errno.ENOSPC, "The disk is full: make room there"), (errno.EROFS, "mount it writable")],
)
def test_a_full_disk_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, todo: str
) -> None:
    plant(tmp_path, {"etcd.env": OLD})
    before = state(tmp_path)

    def fail(*_args: Any, **_options: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", fail)
    run = convert("--write", "--severity", "error", tmp_path / "etcd.env")
    monkeypatch.undo()
    assert (run.status, run.codes, state(tmp_path)) == (REFUSED, ["cannot-write"], before)
    assert f"not written: {os.strerror(number)} -> " in run.err
    assert todo in run.err


def test_a_file_that_the_system_does_not_give_is_told_as_such() -> None:
    run = convert("/proc/self/mem")
    assert run.status == REFUSED
    assert run.err.startswith("error[cannot-read] /proc/self/mem: Input/output error -> Check the disk")


@pytest.mark.parametrize("path", ["/nonexistent/etcd.conf", "/dev/null/x", "x" * 300])
def test_a_wrong_name_is_the_inputs_fault(path: str) -> None:
    assert set(convert("--severity", "error", path).codes) <= {"unusable-input"}
