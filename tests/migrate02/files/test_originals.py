"""The original stays, whatever the file system can do."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from tests.migrate02.files.planted import OLD_TOML, OTHER_TOML, fail, names
from tests.migrate02.running import convert


def test_backup_is_never_overwritten(old_toml: Path) -> None:
    for text in (OLD_TOML, OTHER_TOML, OLD_TOML):
        old_toml.write_text(text)
        assert convert("--write", old_toml).status == 0
    backups = [old_toml.with_name(f"etcd.conf{end}") for end in (".0.4", ".0.4.1", ".0.4.2")]
    assert [path.read_text() for path in backups] == [OLD_TOML, OTHER_TOML, OLD_TOML]


def test_mode_and_owner_stay(old_toml: Path) -> None:
    os.chmod(old_toml, 0o640)
    if os.geteuid() == 0:
        os.chown(old_toml, 65534, 65534)
    before = old_toml.stat()
    convert("--write", old_toml)
    after = old_toml.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    backup = old_toml.with_name("etcd.conf.0.4").stat()
    assert (backup.st_mode, backup.st_uid, backup.st_ino) == (before.st_mode, before.st_uid, before.st_ino)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV])
def test_where_files_cannot_be_linked_the_backup_is_a_copy(
    old_toml: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    os.chmod(old_toml, 0o600)
    os.utime(old_toml, ns=(10**18, 10**18))
    old_toml.with_name("etcd.conf.0.4").write_text("older still")
    monkeypatch.setattr(os, "link", fail(number))
    assert convert("--write", old_toml).status == 0
    copy = old_toml.with_name("etcd.conf.0.4.1")
    assert copy.read_text() == OLD_TOML
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_mtime_ns == 10**18
    assert old_toml.with_name("etcd.conf.0.4").read_text() == "older still"


def test_a_full_disk_leaves_no_half_backup(old_toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hard links, and the copy does not fit: the backup must not look like one."""
    syncs = iter([None, fail(errno.ENOSPC)])

    def fsync(_descriptor: int) -> None:
        then = next(syncs)
        if then is not None:
            then()

    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    monkeypatch.setattr(os, "fsync", fsync)
    assert convert("--write", old_toml).status == 3
    monkeypatch.undo()
    assert names(old_toml.parent) == {"etcd.conf"}
    assert old_toml.read_text() == OLD_TOML
