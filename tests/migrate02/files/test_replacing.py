"""What ``--write`` does to files, and what it must never do to them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrate02.files import aside, originals, replacing
from tests.migrate02.files.planted import NEW_FIRST_LINE, OLD_TOML, OTHER_TOML, fail, names
from tests.migrate02.running import convert


def test_result_takes_the_files_place_and_the_original_stays_as_a_backup(old_toml: Path) -> None:
    run = convert("--write", old_toml)
    assert (run.status, run.out) == (0, "")
    assert old_toml.read_text().startswith(NEW_FIRST_LINE)
    backup = old_toml.with_name("etcd.conf.0.4")
    assert backup.read_text() == OLD_TOML
    assert names(old_toml.parent) == {"etcd.conf", "etcd.conf.0.4"}
    assert f"{old_toml}: written; the original is {backup}" in run.err


def test_unchanged_files_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "etcd.env"
    path.write_text("ETCD_NAME=m1\nETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:2379\n")
    os.utime(path, ns=(10**18, 10**18))
    before = path.stat()
    run = convert("--write", path)
    assert (run.status, run.err) == (0, "")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert names(tmp_path) == {"etcd.env"}


def test_a_second_run_has_nothing_to_do(old_toml: Path) -> None:
    convert("--write", old_toml)
    before = {path.name: path.stat().st_mtime_ns for path in old_toml.parent.iterdir()}
    assert convert("--write", old_toml).status == 0
    assert {path.name: path.stat().st_mtime_ns for path in old_toml.parent.iterdir()} == before


def test_a_refused_file_is_left_as_it_is(old_toml: Path) -> None:
    old_toml.write_text('addr = "http://10.0.0.1:4001"\n')
    assert convert("--write", old_toml).status == 3
    assert names(old_toml.parent) == {"etcd.conf"}


def test_of_many_files_the_refused_ones_are_left_and_the_others_written(tmp_path: Path) -> None:
    for name, text in (("a", OLD_TOML), ("b", 'addr = "http://10.0.0.1:4001"\n'), ("c", OTHER_TOML)):
        (tmp_path / name).write_text(text)
    run = convert("--write", *sorted(tmp_path.iterdir()))
    assert run.status == 3
    assert names(tmp_path) == {"a", "a.0.4", "b", "c", "c.0.4"}


FAULTS = ("open", "write", "fsync", "fchmod", "fchown", "link", "replace")
"""System calls on the way; ``link`` with the copy that would stand in for it."""


@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_when_writing_fails_the_original_stays_and_nothing_is_left_behind(
    old_toml: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    if call == "fchown":
        if os.geteuid() != 0:
            pytest.skip("the owner of a file that one may replace is then oneself")
        os.chown(old_toml, 65534, 65534)
    if call == "link":
        monkeypatch.setattr(originals, "write_new", failing_for_backups(number))
    monkeypatch.setattr(os, call, fail(number))
    run = convert("--write", old_toml)
    monkeypatch.undo()
    assert run.status == 3
    assert f"{old_toml}: not written: {os.strerror(number)}" in run.err
    assert old_toml.read_text() == OLD_TOML
    assert names(old_toml.parent) == {"etcd.conf"}


def failing_for_backups(number: int) -> Callable[..., None]:
    real = aside.write_new

    def write(folder: int, name: str, *more: Any, **others: Any) -> None:
        if name.endswith(".0.4"):
            fail(number)()
        real(folder, name, *more, **others)

    return write


def test_the_result_and_the_backup_are_on_disk_before_it_is_seen(
    old_toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def note(call: str) -> None:
        real = getattr(os, call)

        def noting(*args: Any, **more: Any) -> Any:
            what = call
            if call == "fsync":
                what = "sync a directory" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else "sync a file"
            order.append(what)
            return real(*args, **more)

        monkeypatch.setattr(os, call, noting)

    for call in ("fsync", "link", "replace"):
        note(call)
    convert("--write", old_toml)
    assert order == ["sync a file", "link", "sync a directory", "replace", "sync a directory"]


def test_many_files_are_synced_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(replacing.MANY):
        (tmp_path / f"{number}.conf").write_text(OLD_TOML)
    order: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: order.append("sync"))
    real = os.replace

    def replace(*names: Any, **folders: Any) -> None:
        order.append("replace")
        real(*names, **folders)

    monkeypatch.setattr(os, "replace", replace)
    assert convert("--write", tmp_path).status == 0
    assert order == ["sync", *["replace"] * replacing.MANY]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_a_directory_is_no_error(
    old_toml: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert convert("--write", old_toml).status == 0
