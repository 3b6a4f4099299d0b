"""The folders of backups have numbers, and none has another's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrate02.files.folders import Folders
from migrate02.files.numbered import new_folder, newest

FOLDERS = {
    (): ("", "0001"),
    ("0001", "0002"): ("0002", "0003"),
    ("0001", "0002.undone"): ("0001", "0003"),
    ("0001.undone", "0001.undone.again"): ("", "0002"),
    ("9999", "10000"): ("10000", "10001"),
    ("0001", "notes", "12345678901"): ("0001", "0002"),
}


@pytest.mark.parametrize("there", FOLDERS)
def test_the_newest_is_what_undo_takes_and_the_next_has_a_number_of_its_own(
    tmp_path: Path, there: tuple[str, ...]
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    parent = os.path.realpath(tmp_path)
    with Folders() as folders:
        found = os.path.basename(newest(folders, parent)), os.path.basename(new_folder(folders, parent))
    assert found == FOLDERS[there]
