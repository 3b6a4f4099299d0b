"""The disk fails at the n-th call of a cleaning, or the process is killed there: nothing is lost, it can be repeated."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from shutil import copytree

import pytest

from migrate02.datadir.errors import DataError
from migrate02.datadir.member3x import Member3x, read_member
from migrate02.v2store.cleaning import plan_cleaning
from migrate02.v2store.report import report_on
from migrate02.v2store.writing import backup_folder, clean, locked
from server.storage.files import Files
from tests.migrate02.running import migrate02
from tests.support.datadirs35 import facts, unpack
from tests.support.etcd3 import running
from tests.support.real_etcd import HOW_35, etcd35, required

CALLS = 40
"""More than a cleaning makes."""

DIRECTORIES = [("wal-only", 0), ("three-killed", 0), ("from-2.3", 0), ("snap-only", 0)]


class Killed(BaseException):
    """The process is gone: nobody cleans up."""


class StoppedFiles(Files):
    """Stops at the n-th call, a write after half of its data."""

    def __init__(self, stop_at: int, *, killed: bool) -> None:
        self.calls = 0
        self._stop_at = stop_at
        self._killed = killed

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self._stop_at:
            raise Killed if self._killed else OSError(errno.EIO, os.strerror(errno.EIO))

    def create(self, path: Path, mode: int) -> int:
        self._count()
        return super().create(path, mode)

    def write(self, fd: int, data: bytes) -> None:
        try:
            self._count()
        except BaseException:
            super().write(fd, data[: len(data) // 2])
            raise
        super().write(fd, data)

    def write_at(self, fd: int, offset: int, data: bytes) -> None:
        try:
            self._count()
        except BaseException:
            if len(data) > 8:  # eight bytes, within a sector, are written whole or not at all
                super().write_at(fd, offset, data[: len(data) // 2])
            raise
        super().write_at(fd, offset, data)

    def datasync(self, fd: int) -> None:
        self._count()
        super().datasync(fd)

    def sync(self, fd: int) -> None:
        self._count()
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._count()
        super().truncate(fd, size)

    def rename(self, source: Path, target: Path) -> None:
        self._count()
        super().rename(source, target)

    def sync_directory(self, path: Path) -> None:
        self._count()
        super().sync_directory(path)


def stop_cleaning(path: Path, stop_at: int, *, killed: bool) -> bool:
    """Whether it was stopped, and not done before."""
    files = StoppedFiles(stop_at, killed=killed)
    try:
        with locked(path, None) as target:
            clean(target, plan_cleaning(target.member), backup_folder(path, None, target.member), files)
    except (DataError, Killed):
        return True
    assert files.calls < stop_at
    return False


def everything(member: Member3x) -> object:
    """What of v3 and of consensus must not be lost: where the database stands, and the entries behind it but for the
    data of those that are v2's."""
    assert member.database is not None
    behind = [(entry.index, entry.term) for entry in member.entries if entry.index > member.database.index]
    return member.database, behind, member.log.metadata, member.log.hard_state[:2]


@pytest.mark.parametrize("killed", [False, True], ids=["fails", "killed"])
@pytest.mark.parametrize(("name", "number"), DIRECTORIES)
def test_a_cleaning_stopped_at_any_call_leaves_a_readable_member_and_can_be_repeated(
    name: str, number: int, killed: bool, tmp_path: Path
) -> None:
    reached_the_end = False
    original = unpack(name, tmp_path / "original", cut=True)[number]
    for stop_at in range(1, CALLS):
        path = copytree(original, tmp_path / str(stop_at))
        before = read_member(path)
        stopped = stop_cleaning(path, stop_at, killed=killed)
        after = read_member(path)
        assert everything(after) == everything(before)
        assert after.log.hard_state.commit >= before.log.hard_state.commit
        run = migrate02("v2store", "clean", "--write", path)
        assert run.status in (0, 2), run.err
        assert everything(read_member(path)) == everything(before)
        assert not report_on(path).stops("3.6")
        if not stopped:
            reached_the_end = True
            break
    assert reached_the_end


@pytest.mark.slow
@pytest.mark.real_etcd
@pytest.mark.parametrize("name", ["wal-only", "snap-only"])
def test_35_starts_with_everything_where_a_cleaning_was_killed(name: str, tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    told = facts(name)
    (original,) = unpack(name, tmp_path / "original", cut=True)
    stopped, stop_at = True, 0
    while stopped:
        stop_at += 1
        path = copytree(original, tmp_path / str(stop_at))
        stopped = stop_cleaning(path, stop_at, killed=True)
        with running(binary, [path], told["nodes"]) as cluster:
            served = cluster.served()
        assert served.keys == told["v3_all"]
        assert served.revision == told["v3_revision"]
        run = migrate02("v2store", "clean", "--write", path)
        assert run.status in (0, 2), run.err
        assert not report_on(path).stops("3.6")
