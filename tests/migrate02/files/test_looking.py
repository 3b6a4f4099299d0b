"""A file is what it was only when nothing about it has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate02.files.folders import Folders
from migrate02.files.looking import is_still, look_at


def rewritten(path: Path) -> None:
    """With the same size and times."""
    state = path.stat()
    path.write_text("two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


CHANGES: list[Callable[[Path], object]] = [rewritten, lambda path: path.chmod(0o400), Path.unlink]


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_changed_is_not_what_it_was(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = Path(os.path.realpath(tmp_path)) / "etcd.env"
    path.write_text("one")
    with Folders() as folders:
        before = look_at(folders, str(path))
        assert is_still(look_at(folders, str(path)), before)
        change(path)
        assert not is_still(look_at(folders, str(path)), before)


def test_what_was_not_there_is_still_not_there_until_somebody_makes_it(tmp_path: Path) -> None:
    path = Path(os.path.realpath(tmp_path)) / "etcd.env"
    with Folders() as folders:
        assert is_still(look_at(folders, str(path)), None)
        path.write_text("one")
        assert not is_still(look_at(folders, str(path)), None)


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path) -> None:
    path = Path(os.path.realpath(tmp_path)) / "etcd.env"
    os.mkfifo(path)
    with Folders() as folders, pytest.raises(OSError, match="is no regular file"):
        look_at(folders, str(path))
