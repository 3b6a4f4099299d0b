"""Stopped, failed or cut off at any step: every node is as it was or as it should be, and there is a way back."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from migrate02.cli.exits import DONE, REFUSED
from migrate02.files.stopping import Stopped, stoppable
from tests.migrate02.disk import Crash, Disk, Event, ask_to_stop, crash, fail
from tests.migrate02.running import Files, Run, convert, migrate02, state

UNIT = "[Service]\nEnvironmentFile=/etc/default/etcd\nExecStart=/usr/bin/etcd -name m1 -peer-addr 10.0.0.1:7001\n"
DEFAULTS = "ETCD_ADDR=10.0.0.1:4001\n"
ALONE = "ETCD_NAME=m9\nETCD_ADDR=10.0.0.9:4001\nETCD_PEER_ADDR=10.0.0.9:7001\n"
NODES = [["m1/etc/systemd/system/etcd.service", "m1/etc/default/etcd"], ["z/m9.env"]]
ALL = [name for node in NODES for name in node]


def plant(where: Path) -> Path:
    """A node of two files, and one of a single file."""
    for path, text in zip(ALL, (UNIT, DEFAULTS, ALONE), strict=True):
        file = where / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        os.utime(file, ns=(10**18, 10**18))
    os.chmod(where / NODES[1][0], 0o640)
    return where


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """A crash is played here by what happens after it, not by what a disk forgets: nothing has to be waited for."""
    with mock.patch.multiple(os, sync=lambda: None, fsync=lambda _descriptor: None):
        yield


def told(files: Files) -> dict[str, bytes]:
    return {name: data for name, (data, _, _) in files.items()}


class Story:
    """A tree before and after, from which every step begins anew."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.tree = where / "tree"
        plant(where / "old")
        self.start()
        self.before = state(self.tree)
        disk = Disk()
        with disk.watched():
            assert convert("--write", self.tree).status == DONE
        self.steps = disk.made
        self.after = state(self.tree)
        assert all(self.before[name][0] != self.after[name][0] for name in ALL)
        disk = Disk()
        with disk.watched():
            assert migrate02("undo", self.tree).status == DONE
        self.steps_back = disk.made
        assert state(self.tree) == self.before

    def start(self) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(self.where / "old", self.tree)

    def written(self, *, nodes: bool = True) -> list[str]:
        """The files that are as they should be; the others are as they were. Nothing else is there."""
        found = told(state(self.tree))
        assert found.keys() == self.before.keys()
        assert all(data in (self.before[name][0], self.after[name][0]) for name, data in found.items())
        changed = [name for name, data in found.items() if data == self.after[name][0]]
        if nodes:
            assert all(len({name in changed for name in node}) == 1 for node in NODES)
        return changed

    def undone(self) -> None:
        assert migrate02("undo", self.tree).status == DONE
        assert state(self.tree) == self.before


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("interrupted"))


def each(story: Story, event: Event, *, back: bool = False) -> Iterator[tuple[Run | None, Disk]]:
    """Every run in which ``event`` happens at some step of converting, or of going back; None for one that ended so."""
    for step in range(1, (story.steps_back if back else story.steps) + 1):
        story.start()
        if back:
            assert convert("--write", story.tree).status == DONE
        disk = Disk(step, event)
        with disk.watched():
            try:
                run = migrate02("undo", story.tree) if back else convert("--write", story.tree)
            except Crash:
                run = None
        yield run, disk


def test_a_signal_at_any_step_leaves_every_node_whole_and_nothing_behind(story: Story) -> None:
    lengths = set()
    for run, _disk in each(story, ask_to_stop):
        assert run is not None
        assert run.status == 128 + signal.SIGINT
        changed = story.written()
        lengths.add(len(changed))
        (line,) = run.err.splitlines()
        if not changed:
            assert line == "migrate02 convert: stopped by SIGINT: nothing was changed"
            assert not (story.tree / ".migrate02").exists()
            continue
        count = f"{len(changed)} of 3 files were written, the others are as they were"
        count = "all 3 files were written" if len(changed) == 3 else count
        way = f"the way back: migrate02 undo {story.tree}"
        assert line == f"migrate02 convert: stopped by SIGINT: {count}; {way}"
        story.undone()
    assert lengths == {0, 2, 3}


def test_a_call_that_fails_at_any_step_leaves_every_node_whole_and_a_way_back(story: Story) -> None:
    for run, _disk in each(story, fail):
        assert run is not None
        if story.written():
            story.undone()
        else:
            assert run.status == REFUSED
            assert "No space left on device" in run.err


def test_after_a_crash_at_any_step_undo_goes_back_and_cleans(story: Story) -> None:
    for run, _disk in each(story, crash):
        assert run is None
        if (story.tree / ".migrate02").exists() and list((story.tree / ".migrate02").glob("0*")):
            story.undone()
        else:  # before anything that could be undone
            assert state(story.tree) == story.before
        assert state(story.tree) == story.before


def test_after_a_crash_at_any_step_the_next_run_goes_on_or_asks_for_undo(story: Story) -> None:
    asked = 0
    for run, _disk in each(story, crash):
        assert run is None
        again = convert("--write", story.tree)
        if again.status == REFUSED:
            asked += 1
            assert "was cut short after" in again.err
            assert f"migrate02 undo {story.tree}" in again.err
            story.undone()
            again = convert("--write", story.tree)
        assert again.status == DONE
        assert story.written() == sorted(story.before)
        while any((story.tree / ".migrate02").glob("0???")):
            assert migrate02("undo", story.tree).status == DONE
        assert told(state(story.tree)) == told(story.before)
    assert asked == 2  # between the first of three files and the last


@pytest.mark.parametrize("event", [ask_to_stop, fail, crash])
def test_what_stops_undo_at_any_step_another_undo_finishes(story: Story, event: Event) -> None:
    for run, _disk in each(story, event, back=True):
        nodes = event is ask_to_stop
        left = story.written(nodes=nodes)
        if event is ask_to_stop:
            assert run is not None
            assert run.status == 128 + signal.SIGINT
            assert (
                f"migrate02 undo: stopped by SIGINT: {3 - len(left)} of 3 files are as they were" in run.err
            )
        folders = [path.name for path in (story.tree / ".migrate02").glob("0*")]
        if folders == ["0001"]:
            story.undone()
        else:
            assert folders == ["0001.undone"]
        assert state(story.tree) == story.before


# Files that are named by themselves: the original stays beside them.


@pytest.mark.parametrize("event", [ask_to_stop, fail])
def test_of_files_that_are_named_a_node_is_whole_and_nothing_else_is_there(
    tmp_path: Path, event: Event
) -> None:
    tree = tmp_path / "tree"
    step = 0
    while True:
        step += 1
        shutil.rmtree(tree, ignore_errors=True)
        plant(tree)
        files = [tree / name for name in ALL]
        before = state(tree)
        disk = Disk(step, event)
        with disk.watched():
            run = convert("--write", *files)
        now = state(tree)
        changed = {name for name in before if now[name] != before[name]}
        assert all(len({name in changed for name in node}) == 1 for node in NODES)
        assert now.keys() - before.keys() == {f"{name}.0.4" for name in changed}
        assert all(now[f"{name}.0.4"] == before[name] for name in changed)
        if disk.made < step:
            assert run.status == DONE
            break
        if event is ask_to_stop:
            assert run.status == 128 + signal.SIGINT
            assert len(run.err.splitlines()) == 1
    assert step > 20


def test_of_files_that_are_named_a_crash_loses_none_and_the_next_run_reports_what_is_left(
    tmp_path: Path,
) -> None:
    tree = tmp_path / "tree"
    step = reported = 0
    while True:
        step += 1
        shutil.rmtree(tree, ignore_errors=True)
        plant(tree)
        files = [tree / name for name in ALL]
        before = state(tree)
        disk = Disk(step, crash)
        with disk.watched(), contextlib.suppress(Crash):
            convert("--write", *files)
        if disk.made < step:
            break
        now = state(tree)
        changed = {name for name in before if now[name] != before[name]}
        assert all(now[f"{name}.0.4"] == before[name] for name in changed)
        left = [name for name in now if ".migrate02-" in name]
        again = convert("--write", *files)
        assert again.status in (DONE, 2)
        assert all(
            f"{tree / name}: left by another run" in again.err
            for name in left
            if f"{tree / name}" in again.err
        )
        reported += again.err.count("left by another run")
    assert step > 20
    assert reported > 0


@pytest.mark.parametrize("where", ["migrate02.convert.inputs.detected_in", "migrate02.cli.report.report"])
def test_a_signal_before_and_after_the_writing_says_what_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    plant(tmp_path)
    before = state(tmp_path)
    monkeypatch.setattr(where, lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    run = convert("--write", tmp_path)
    monkeypatch.undo()
    assert run.status == 128 + signal.SIGTERM
    last = run.err.splitlines()[-1]
    if where.endswith("report"):
        way = f"the way back: migrate02 undo {tmp_path}"
        assert last == f"migrate02 convert: stopped by SIGTERM: all 3 files were written; {way}"
        assert migrate02("undo", tmp_path).status == DONE
    else:
        assert run.err == "migrate02 convert: stopped by SIGTERM: nothing was changed\n"
    assert state(tmp_path) == before


def test_a_second_signal_does_not_disturb_the_cleaning_up() -> None:
    cleaned = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped) as caught, stoppable():
        work()
    assert (caught.value.number, cleaned) == (signal.SIGINT, [True])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    plant(tmp_path)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        disk = Disk(5, lambda _disk: signal.raise_signal(signal.SIGHUP))
        with disk.watched():
            assert convert("--write", tmp_path).status == DONE
    finally:
        signal.signal(signal.SIGHUP, before)


# A real process and a real signal.

_AT_THE_FIRST = """
import os, signal, sys
real, done = os.replace, []
def replace(*args, **more):
    real(*args, **more)
    done.append(args)
    if len(done) == 1:
        print("now", flush=True)
        sys.stdin.readline()
os.replace = replace
from migrate02.cli.main import entry
entry()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_real_signal_ends_a_process_between_two_nodes(tmp_path: Path, number: signal.Signals) -> None:
    tree = plant(tmp_path / "tree")
    before = state(tree)
    command = [sys.executable, "-c", _AT_THE_FIRST, "convert", "--write", str(tree)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(number)
    _out, err = process.communicate("go on\n", timeout=60)
    assert process.returncode == 128 + number
    assert err.startswith(f"migrate02 convert: stopped by {number.name}: 2 of 3 files were written")
    assert len(err.splitlines()) == 1
    assert migrate02("undo", tree).status == DONE
    assert state(tree) == before


def test_a_killed_process_leaves_what_undo_cleans(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree")
    before = state(tree)
    command = [sys.executable, "-c", _AT_THE_FIRST, "convert", "--write", str(tree)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.kill()
    process.communicate(timeout=60)
    assert state(tree) != before
    assert any(".migrate02-" in name for name in state(tree))
    assert migrate02("undo", tree).status == DONE
    assert state(tree) == before


def test_two_runs_do_not_work_on_one_tree_at_the_same_time(tmp_path: Path) -> None:
    tree = plant(tmp_path / "tree")
    command = [sys.executable, "-c", _AT_THE_FIRST, "convert", "--write", str(tree)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    seen = state(tree)
    for run in (convert("--write", tree), migrate02("undo", tree)):
        assert run.status == REFUSED
        assert "another migrate02 is at work on this directory" in run.err
    assert state(tree) == seen
    process.communicate("go on\n", timeout=60)
    assert process.returncode == DONE


def test_a_rename_that_fails_takes_the_whole_node_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = plant(tmp_path / "tree")
    before = state(tree)
    real = os.replace

    def replace(name: str, target: str, **folders: int) -> None:
        if target == "etcd.service":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(name, target, **folders)

    monkeypatch.setattr(os, "replace", replace)
    run = convert("--write", tree)
    monkeypatch.undo()
    assert run.status == REFUSED
    assert run.err.count("not written: Input/output error") == 1
    assert run.err.count("not written: it changes together with") == 1
    now = state(tree)
    assert [name for name in before if now[name] != before[name]] == NODES[1]
    assert migrate02("undo", tree).status == DONE
    assert state(tree) == before
