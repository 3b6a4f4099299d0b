"""Who could not read a file cannot read what takes its place, nor its backup, nor what is written on the way."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import struct
import tempfile
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED
from migrate02.files import rights
from tests.migrate02.disk import Disk
from tests.migrate02.running import convert, migrate02

OLD = "ETCD_NAME=m9\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\n"

USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NOBODY = 65534


def acl(*entries: tuple[int, int, int]) -> bytes:
    """Of tag, permissions and id: acl(5) as the kernel keeps it."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, perm, who) for tag, perm, who in entries)


ALL = 0xFFFFFFFF
DENIED = acl((USER_OBJ, 6, ALL), (USER, 0, NOBODY), (GROUP_OBJ, 4, ALL), (MASK, 4, ALL), (OTHER, 4, ALL))
"""Everybody may read, but not one."""
FOR_ONE_MORE = acl(
    (USER_OBJ, 7, ALL), (USER, 7, NOBODY), (GROUP_OBJ, 5, ALL), (MASK, 7, ALL), (OTHER, 5, ALL)
)

ACL, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"


def give(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM):
            pytest.skip(f"this file system takes no {name}")
        raise


def attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "tree" / "etcd.env"
    path.parent.mkdir()
    path.write_text(OLD)
    os.chmod(path, 0o644)
    return path


@pytest.fixture(params=["named", "in a directory"])
def named(request: pytest.FixtureRequest, old: Path) -> tuple[Path, Path]:
    """What is named to convert it, and where the original will be."""
    if request.param == "named":
        return old, old.with_name("etcd.env.0.4")
    return old.parent, old.parent / ".migrate02" / "0001" / "files" / "etcd.env"


@pytest.mark.parametrize("linked", [True, False])
def test_every_extended_attribute_goes_over_to_the_result_and_the_backup(
    old: Path, named: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, *, linked: bool
) -> None:
    give(old, "user.note", b"\0binary\xff")
    give(old, ACL, DENIED)
    if os.geteuid() == 0:
        capability = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
        give(old, "security.capability", capability)
    before, mode = attributes(old), old.stat().st_mode
    if not linked:
        monkeypatch.setattr(os, "link", no_link)
    assert convert("--write", named[0]).status == DONE
    assert old.read_text() != OLD
    for path in (old, named[1]):
        assert (attributes(path), path.stat().st_mode) == (before, mode)
    if named[0] != old:
        assert migrate02("undo", named[0]).status == DONE
        assert (old.read_text(), attributes(old), old.stat().st_mode) == (OLD, before, mode)


def no_link(*_args: object, **_more: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_file_without_an_acl_gets_none_from_its_directory(old: Path, named: tuple[Path, Path]) -> None:
    give(old.parent, DEFAULT, FOR_ONE_MORE)
    os.chmod(old, 0o640)
    assert convert("--write", named[0]).status == DONE
    assert ACL not in attributes(old)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_nothing_on_the_way_can_be_read_by_more_than_the_original(
    old: Path, named: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, mode: int, *, linked: bool
) -> None:
    """Looked at before each call that changes the disk, and with a umask and a default ACL that would allow all."""
    give(old.parent, DEFAULT, FOR_ONE_MORE)
    os.chmod(old, mode)
    seen: set[str] = set()

    def look(_disk: Disk) -> None:
        for path in old.parent.rglob("*"):
            if path == old or not path.is_file() or "etcd.env" not in path.name:
                continue
            seen.add(path.name)
            assert stat.S_IMODE(path.stat().st_mode) & ~(mode | 0o600) == 0
            others = stat.S_IMODE(path.stat().st_mode) & 0o077
            assert not others or ACL not in attributes(path)

    class Looking(Disk):
        def _called(self, name: str) -> None:
            super()._called(name)
            look(self)

    if not linked:
        monkeypatch.setattr(os, "link", no_link)
    before = os.umask(0)
    try:
        with Looking().watched():
            assert convert("--write", named[0]).status == DONE
    finally:
        os.umask(before)
    assert {name.partition("-")[0] for name in seen} >= {".etcd.env.migrate02"}
    assert named[1].name in seen


def test_backups_of_a_directory_can_be_entered_by_nobody_else(old: Path) -> None:
    """A file that all may read can be behind a directory that they may not enter."""
    before = os.umask(0)
    try:
        assert convert("--write", old.parent).status == DONE
    finally:
        os.umask(before)
    folder = old.parent / ".migrate02"
    found = [path for path in (folder, *folder.rglob("*")) if path.is_dir()]
    assert len(found) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o700}


@pytest.mark.parametrize("call", ["setxattr", "removexattr", "fchown"])
def test_what_cannot_be_kept_refuses_the_file_and_nothing_is_written(
    old: Path, named: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    if call == "setxattr":
        give(old, "user.note", b"1")
        said = "its extended attribute user.note cannot be kept"
    elif call == "removexattr":
        give(old.parent, DEFAULT, FOR_ONE_MORE)
        said = f"it would get {ACL}"
    else:
        if os.geteuid() != 0:
            pytest.skip("the owner of a file that one may replace is then oneself")
        os.chown(old, NOBODY, NOBODY)
        said = f"its owner and group {NOBODY}:{NOBODY} cannot be kept"
    monkeypatch.setattr(os, call, no_link)
    run = convert("--write", named[0])
    monkeypatch.undo()
    assert run.status == REFUSED
    assert f"{old}: not written: " in run.err
    assert said in run.err
    assert (old.read_text(), os.listdir(old.parent)) == (OLD, ["etcd.env"])


def test_a_seal_on_the_content_refuses_the_file(
    old: Path, named: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listxattr", lambda _file: ["security.ima"])
    monkeypatch.setattr(os, "getxattr", lambda _file, _name: b"\3signature")
    run = convert("--write", named[0])
    monkeypatch.undo()
    assert run.status == REFUSED
    assert "its security.ima is of its content" in run.err
    assert (old.read_text(), os.listdir(old.parent)) == (OLD, ["etcd.env"])


def test_a_file_system_without_extended_attributes_is_no_obstacle(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_file: object) -> list[str]:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "listxattr", none)
    assert convert("--write", old).status == DONE


FLAGS = [(0x10, "immutable"), (0x20, "append-only")]


@pytest.mark.parametrize(("flag", "said"), FLAGS)
@pytest.mark.parametrize("where", ["file", "directory"])
def test_what_may_not_be_replaced_is_refused_before_anything_is_written(
    old: Path, named: tuple[Path, Path], flag: int, said: str, where: str
) -> None:
    path = old if where == "file" else old.parent
    set_flag(path, flag)
    try:
        run = convert("--write", named[0])
    finally:
        set_flag(path, 0)
    assert run.status == REFUSED
    assert f"{old}: not written" in run.err
    assert (old.read_text(), os.listdir(old.parent)) == (OLD, ["etcd.env"])
    assert f"is {said}: take the flag away with chattr" in run.err


def set_flag(path: Path, flag: int) -> None:
    set_flags = 1 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 2
    descriptor = os.open(path, os.O_RDONLY)
    try:
        now = int.from_bytes(fcntl.ioctl(descriptor, rights._GET_FLAGS, bytes(8))[:4], "little")
        fcntl.ioctl(descriptor, set_flags, struct.pack("<Q", now & ~0x30 | flag))
    except OSError as error:
        pytest.skip(f"such a flag cannot be set here: {error.strerror}")
    finally:
        os.close(descriptor)


def test_of_a_file_with_two_names_the_other_one_keeps_the_original_which_is_said(
    old: Path, named: tuple[Path, Path]
) -> None:
    other = old.parent.parent / "other"
    os.link(old, other)
    run = convert("--write", named[0])
    assert run.status == DONE
    assert f"{old}: written; the original is {named[1]}; it had another name (hard links)" in run.err
    assert other.read_text() == OLD
    if named[0] != old:
        assert migrate02("undo", named[0]).status == DONE
        assert old.samefile(other)


def test_two_names_of_one_file_in_a_directory_are_both_converted_and_go_back(old: Path) -> None:
    other = old.with_name("other.env")
    os.link(old, other)
    assert convert("--write", old.parent).status == DONE
    assert old.read_text() == other.read_text() != OLD
    assert migrate02("undo", old.parent).status == DONE
    assert old.read_text() == other.read_text() == OLD
    assert old.samefile(other)


def test_who_cannot_keep_the_owner_leaves_the_file_as_it_is() -> None:
    """The directory is one's own, so the file could be replaced: by one that its owner may not read, or others may."""
    if os.geteuid() != 0:
        pytest.skip("it takes two users")
    tree = Path(tempfile.mkdtemp())
    try:
        old = tree / "etcd.env"
        old.write_text(OLD)
        os.chmod(old, 0o644)
        os.chown(tree, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            runs = [convert("--write", old), convert("--write", tree)]
        finally:
            os.seteuid(0)
            os.setegid(0)
        for run in runs:
            assert run.status == REFUSED
            assert "its owner and group 0:0 cannot be kept, so run this as its owner or as root" in run.err
        assert (old.read_text(), old.stat().st_uid, os.listdir(tree)) == (OLD, 0, ["etcd.env"])
    finally:
        shutil.rmtree(tree)
