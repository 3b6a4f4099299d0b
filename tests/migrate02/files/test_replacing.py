"""What ``--write`` does to files, and what it must never do to them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from migrate02.files import changes, originals, replacing
from tests.migrate02.running import convert

OLD = 'name = "m1"\naddr = "10.0.0.9:4001"\n[peer]\naddr = "10.0.0.9:7001"\n'
OTHER = OLD.replace("m1", "m2")
NEW_FIRST_LINE = 'ETCD_NAME="m1"'


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "etcd.conf"
    path.write_text(OLD)
    return path


def fail(number: int) -> Callable[..., Any]:
    def failing(*_args: object, **_kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_result_takes_the_files_place_and_the_original_stays_as_a_backup(old: Path) -> None:
    run = convert("--write", old)
    assert (run.status, run.out) == (0, "")
    assert old.read_text().startswith(NEW_FIRST_LINE)
    backup = old.with_name("etcd.conf.0.4")
    assert backup.read_text() == OLD
    assert names(old.parent) == {"etcd.conf", "etcd.conf.0.4"}
    assert f"{old}: written; the original is {backup}" in run.err


def test_backup_is_never_overwritten(old: Path) -> None:
    for text in (OLD, OTHER, OLD):
        old.write_text(text)
        assert convert("--write", old).status == 0
    backups = [old.with_name(f"etcd.conf{end}") for end in (".0.4", ".0.4.1", ".0.4.2")]
    assert [path.read_text() for path in backups] == [OLD, OTHER, OLD]


def test_mode_and_owner_stay(old: Path) -> None:
    os.chmod(old, 0o640)
    if os.geteuid() == 0:
        os.chown(old, 65534, 65534)
    before = old.stat()
    convert("--write", old)
    after = old.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    backup = old.with_name("etcd.conf.0.4").stat()
    assert (backup.st_mode, backup.st_uid, backup.st_ino) == (before.st_mode, before.st_uid, before.st_ino)


def test_a_link_is_followed(old: Path) -> None:
    link = old.with_name("link.conf")
    link.symlink_to(old.name)
    assert convert("--write", link).status == 0
    assert link.is_symlink()
    assert old.read_text().startswith(NEW_FIRST_LINE)
    assert old.with_name("etcd.conf.0.4").read_text() == OLD


def test_two_paths_of_one_file_are_written_once(old: Path) -> None:
    link = old.with_name("link.conf")
    link.symlink_to(old.name)
    assert convert("--write", old, link, old.parent).status == 0
    assert names(old.parent) == {"etcd.conf", "link.conf", ".migrate02"}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EXDEV])
def test_where_files_cannot_be_linked_the_backup_is_a_copy(
    old: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    os.chmod(old, 0o600)
    os.utime(old, ns=(10**18, 10**18))
    old.with_name("etcd.conf.0.4").write_text("older still")
    monkeypatch.setattr(os, "link", fail(number))
    assert convert("--write", old).status == 0
    copy = old.with_name("etcd.conf.0.4.1")
    assert copy.read_text() == OLD
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.stat().st_mtime_ns == 10**18
    assert old.with_name("etcd.conf.0.4").read_text() == "older still"


def test_unchanged_files_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "etcd.env"
    path.write_text("ETCD_NAME=m1\nETCD_LISTEN_CLIENT_URLS=http://10.0.0.9:2379\n")
    os.utime(path, ns=(10**18, 10**18))
    before = path.stat()
    run = convert("--write", path)
    assert (run.status, run.err) == (0, "")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert names(tmp_path) == {"etcd.env"}


def test_a_second_run_has_nothing_to_do(old: Path) -> None:
    convert("--write", old)
    before = {path.name: path.stat().st_mtime_ns for path in old.parent.iterdir()}
    assert convert("--write", old).status == 0
    assert {path.name: path.stat().st_mtime_ns for path in old.parent.iterdir()} == before


def test_a_refused_file_is_left_as_it_is(old: Path) -> None:
    old.write_text('addr = "http://10.0.0.1:4001"\n')
    assert convert("--write", old).status == 3
    assert names(old.parent) == {"etcd.conf"}


def test_of_many_files_the_refused_ones_are_left_and_the_others_written(tmp_path: Path) -> None:
    for name, text in (("a", OLD), ("b", 'addr = "http://10.0.0.1:4001"\n'), ("c", OTHER)):
        (tmp_path / name).write_text(text)
    run = convert("--write", *sorted(tmp_path.iterdir()))
    assert run.status == 3
    assert names(tmp_path) == {"a", "a.0.4", "b", "c", "c.0.4"}


FAULTS = ("open", "write", "fsync", "fchmod", "fchown", "link", "replace")
"""System calls on the way; ``link`` with the copy that would stand in for it."""


@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_when_writing_fails_the_original_stays_and_nothing_is_left_behind(
    old: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    if call == "fchown":
        if os.geteuid() != 0:
            pytest.skip("the owner of a file that one may replace is then oneself")
        os.chown(old, 65534, 65534)
    if call == "link":
        monkeypatch.setattr(originals, "write_new", failing_for_backups(number))
    monkeypatch.setattr(os, call, fail(number))
    run = convert("--write", old)
    monkeypatch.undo()
    assert run.status == 3
    assert f"{old}: not written: {os.strerror(number)}" in run.err
    assert old.read_text() == OLD
    assert names(old.parent) == {"etcd.conf"}


def failing_for_backups(number: int) -> Callable[..., None]:
    real = originals.write_new

    def write(folder: int, name: str, *more: Any, **others: Any) -> None:
        if name.endswith(".0.4"):
            fail(number)()
        real(folder, name, *more, **others)

    return write


def test_a_full_disk_leaves_no_half_backup(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hard links, and the copy does not fit: the backup must not look like one."""
    syncs = iter([None, fail(errno.ENOSPC)])

    def fsync(_descriptor: int) -> None:
        then = next(syncs)
        if then is not None:
            then()

    monkeypatch.setattr(os, "link", fail(errno.EPERM))
    monkeypatch.setattr(os, "fsync", fsync)
    assert convert("--write", old).status == 3
    monkeypatch.undo()
    assert names(old.parent) == {"etcd.conf"}
    assert old.read_text() == OLD


def test_the_result_and_the_backup_are_on_disk_before_it_is_seen(
    old: Path, monkeypatch: pytest.MonkeyPatch
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
    convert("--write", old)
    assert order == ["sync a file", "link", "sync a directory", "replace", "sync a directory"]


def test_many_files_are_synced_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(replacing.MANY):
        (tmp_path / f"{number}.conf").write_text(OLD)
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
    old: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert convert("--write", old).status == 0


# Changed underneath: between reading a file and putting the result in its place.


def add(path: Path) -> None:
    with path.open("a") as file:
        file.write("# mine\n")


def change_in_place(path: Path) -> None:
    """Of the same size, with the old times."""
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"10.0.0", b"10.9.9"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def take_its_place(path: Path) -> None:
    other = path.with_name("written by an editor")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def close(path: Path) -> None:
    path.chmod(0o600)


def label(path: Path) -> None:
    try:
        os.setxattr(path, "user.note", b"1")
    except OSError:
        path.chmod(0o600)


def remove(path: Path) -> None:
    path.unlink()


def lead_elsewhere(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES = (
    add,
    change_in_place,
    take_its_place,
    close,
    label,
    remove,
    lead_elsewhere,
    become_a_directory,
    become_a_pipe,
)


def described(path: Path) -> object:
    """What is there, links as links."""
    state = path.lstat() if os.path.lexists(path) else None
    text = path.read_bytes() if state is not None and stat.S_ISREG(state.st_mode) else b""
    return state and (state.st_ino, state.st_mode, text)


OF_THE_RIGHTS = (take_its_place, close, label)
"""With the same content: before anything is written they are no obstacle, and the result gets the new rights."""
STRIKES = [(change, "before it is swapped") for change in CHANGES] + [
    (change, "before it is written aside") for change in CHANGES if change not in OF_THE_RIGHTS
]


@pytest.mark.parametrize(("change", "when"), STRIKES)
@pytest.mark.parametrize("named", [True, False])
def test_what_was_changed_underneath_is_left_with_its_node_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], when: str, *, named: bool
) -> None:
    unit, defaults = tmp_path / "etcd.service", tmp_path / "etcd.default"
    other = tmp_path / "z.env"
    unit.write_text(
        f"[Service]\nEnvironmentFile={defaults}\nExecStart=/usr/bin/etcd -peer-addr 10.0.0.1:7001\n"
    )
    defaults.write_text("ETCD_NAME=m1\nETCD_ADDR=10.0.0.1:4001\n")
    other.write_text("ETCD_NAME=m9\nETCD_ADDR=10.0.0.9:4001\n")
    was = described(unit)
    seen: list[object] = []

    def strike() -> None:
        if not seen:
            change(defaults)
            seen.append(described(defaults))

    if when == "before it is swapped":
        real = os.link

        def link(name: str, *more: Any, **folders: Any) -> None:
            real(name, *more, **folders)
            if name == other.name:  # the last one: everything is written aside
                strike()

        monkeypatch.setattr(os, "link", link)
    else:
        run_all = replacing._Replacement.run

        def run_then(self: Any, check: Callable[[], None]) -> Any:
            strike()
            return run_all(self, check)

        monkeypatch.setattr(replacing._Replacement, "run", run_then)
    run = convert("--write", *([unit, defaults, other] if named else [tmp_path]))
    monkeypatch.undo()
    assert run.status == 3
    assert f"{defaults}: not written: " in run.err
    assert described(defaults) == seen[0]
    assert described(unit) == was
    assert "ETCD_ADVERTISE_CLIENT_URLS" in other.read_text()
    left = {name for name in names(tmp_path) if "migrate02-" in name or ".0.4" in name}
    assert left == ({"z.env.0.4"} if named else set())


def test_files_of_one_node_that_are_named_twice_are_one_node(tmp_path: Path) -> None:
    """By another path the same file is another conversion: they are written together all the same."""
    first = [changes.Change(str(tmp_path / name), b"", b"", "one") for name in "ab"]
    again = [changes.Change(f"{tmp_path}/./{name}", b"", b"", "two") for name in "bc"]
    jobs = changes.jobs_of([*first, *again])
    assert {job.node for job in jobs.values()} == {"one"}
    assert len(set(jobs.values())) == 3
