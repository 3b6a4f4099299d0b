"""A file that is written aside takes no other's name, and one that a crash left is found again."""

from __future__ import annotations

import os
from pathlib import Path

from migrate02.files.aside import write_aside, written_aside
from migrate02.files.folders import Folders
from migrate02.files.looking import READ
from migrate02.files.rights import rights_of


def test_a_second_file_written_aside_leaves_the_first_one(tmp_path: Path) -> None:
    original = tmp_path / "etcd.env"
    original.write_text("old")
    descriptor = os.open(original, READ)
    rights = rights_of(descriptor)
    os.close(descriptor)
    with Folders() as folders:
        folder = folders.at(os.path.realpath(tmp_path))
        names = [write_aside(folder, "etcd.env", data, rights, sync=False) for data in (b"one", b"two")]
        assert [(tmp_path / name).read_text() for name in names] == ["one", "two"]
        assert written_aside(folder) == dict.fromkeys(names, "etcd.env")
