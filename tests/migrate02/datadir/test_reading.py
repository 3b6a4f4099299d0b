"""Files of data that are none, or have no end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrate02.datadir import reading
from migrate02.datadir.errors import DataError
from migrate02.datadir.inspection import inspect
from migrate02.datadir.log04 import Log, Torn
from migrate02.datadir.notes04 import other_members
from migrate02.datadir.replay04 import MOST_PARTS
from migrate02.datadir.sides import read_side
from migrate02.datadir.snapshot04 import read_snapshot
from tests.migrate02.hostile_data import FIRST, entry, log


def test_a_pipe_in_a_directory_is_not_waited_for(tmp_path: Path) -> None:
    for read in (lambda path: list(Log(path)), lambda path: read_snapshot(path, bool), other_members):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        os.mkfifo(path)
        with pytest.raises(DataError, match="cannot be read: it is no file"):
            read(path)


def test_a_file_without_an_end_is_read_as_far_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 10 << 20)
    with pytest.raises(DataError, match=f"larger than {10 << 20} bytes"):
        read_side("/dev/zero")


def test_the_hole_at_the_end_of_a_log_is_not_looked_through(tmp_path: Path) -> None:
    whole = log(*FIRST)
    (tmp_path / "log").write_bytes(whole)
    os.truncate(tmp_path / "log", 20 << 30)
    read = Log(tmp_path / "log")
    assert len(list(read)) == len(FIRST)
    assert read.torn == Torn(len(whole), (20 << 30) - len(whole))


def test_an_entry_behind_a_hole_is_damage(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as file:
        file.write(log(*FIRST))
        file.seek(1 << 30)
        file.write(entry(3, "etcd:set", {"key": "/k"}))
    with pytest.raises(DataError, match=f"at byte {1 << 30} the log goes on"):
        list(Log(tmp_path / "log"))


def test_a_key_of_more_directories_than_anybody_has_room_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "conf").write_text("{}")
    (tmp_path / "log").write_bytes(log(*FIRST, ("etcd:set", {"key": "/a" * 500_000})))
    (damage,) = inspect(tmp_path).damage
    assert f"entry 3, etcd:set: its key has more than {MOST_PARTS} parts" in damage


def test_an_export_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "export").write_text('{"key":' + "[" * 100_000)
    with pytest.raises(DataError, match="not a line of an export"):
        read_side(str(tmp_path / "export"))
