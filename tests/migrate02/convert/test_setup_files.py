"""0.4's ``-config FILE`` beside the start that names it: both are converted together where the file is one of the run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.migrate02.running import convert

ZINC = 'name = "zinc"\naddr = "zinc:4001"\npeers = ["zinc:7001","iron:7001"]\n[peer]\naddr = "zinc:7001"\n'
LIST = "zinc=http://zinc:7001,iron=http://iron:7001"
STARTS = ["-config etcd.conf", "-config=etcd.conf", "-config ./etcd.conf"]


def plant(root: Path, start: str) -> Path:
    (root / "etcd.conf").write_text(ZINC)
    script = root / "run"
    script.write_text(f"#!/bin/sh\nexec etcd {start}\n")
    return script


def words_of(script: Path) -> list[str]:
    """The start's, a flag and its value each by itself."""
    words = shlex.split(script.read_text().splitlines()[-1])
    return [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]


@pytest.mark.parametrize("start", STARTS)
def test_a_script_and_the_file_beside_it_are_converted_together(start: str, tmp_path: Path) -> None:
    script = plant(tmp_path, start)
    run = convert("--write", tmp_path)
    assert (run.status, run.codes.count("incomplete-cluster")) == (2, 1)
    words = words_of(script)
    assert words[words.index("--name") + 1] == "zinc"
    assert words[words.index("--initial-cluster") + 1] == "zinc=http://zinc:7001,OTHERS=run-migrate02-plan"
    assert "-config" not in words
    (tmp_path / "etcd.conf").unlink()  # as file-moved says
    completed = convert("--write", "--initial-cluster", LIST, tmp_path)
    assert (completed.status, completed.codes) == (0, [])
    assert words_of(script)[words.index("--initial-cluster") + 1] == LIST


def test_the_old_file_is_none_of_a_start_of_2x(tmp_path: Path) -> None:
    """It stays until somebody removes it, and 2.x reads no file."""
    script = plant(tmp_path, STARTS[0])
    convert("--write", "--initial-cluster", LIST, tmp_path)
    once = script.read_text()
    run = convert("--write", "--initial-cluster", LIST, tmp_path)
    assert (run.status, script.read_text()) == (0, once)


@pytest.mark.parametrize("start", STARTS)
def test_with_the_list_given_it_starts_as_zinc(start: str, tmp_path: Path) -> None:
    script = plant(tmp_path, start)
    run = convert("--write", "--initial-cluster", LIST, tmp_path)
    assert run.status == 0
    words = words_of(script)
    assert words[words.index("--initial-cluster") + 1] == LIST
    assert words[words.index("--name") + 1] == "zinc"


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    """0.4's order: flags, variables, file."""
    script = plant(tmp_path, "-config etcd.conf -addr 10.0.0.9:4001")
    convert("--write", tmp_path)
    assert "--advertise-client-urls http://10.0.0.9:4001" in script.read_text()
    assert "zinc:4001" not in script.read_text()


STARTS_ALONE = {
    "script": "#!/bin/sh\nexec etcd -config {path} -addr 10.0.0.9:4001\n",
    "unit": "[Service]\nExecStart=/usr/bin/etcd -config={path} -addr 10.0.0.9:4001\n",
    "command": "etcd -config {path} -addr 10.0.0.9:4001\n",
    "json": '["etcd", "-config={path}", "-addr", "10.0.0.9:4001"]\n',
    "compose": "etcd:\n  image: etcd\n  command: -config={path} -addr 10.0.0.9:4001\n",
}


@pytest.mark.parametrize("kind", STARTS_ALONE)
def test_where_the_file_is_not_there_no_default_wins_over_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text(STARTS_ALONE[kind].format(path="/srv/etcd.conf"))
    run = convert("--from", "0.4", path)
    assert run.status == 2
    assert "config-elsewhere" in run.codes
    assert "--advertise-client-urls" in run.out
    assert "initial-cluster" not in run.out
    assert "--name" not in run.out
    assert "listen-peer-urls" not in run.out


@pytest.mark.parametrize(
    ("path", "added"),
    [("/srv/etcd.conf", "/srv/etcd.conf"), ("etcd.conf", "{}/etcd.conf"), ("$(id)", "'{}/$(id)'")],
)
def test_the_command_that_adds_the_file_is_reported(path: str, added: str, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    script = folder / "run"
    script.write_text(f"#!/bin/sh\nexec etcd -config '{path}' -addr 10.0.0.9:4001\n")
    run = convert(script)
    assert f"-> Add that file to this run: migrate02 convert {script} {added.format(folder)}\n" in run.err


def test_a_path_of_a_text_is_not_opened_outside_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "etcd.conf").write_text(ZINC)
    folder = tmp_path / "inside"
    folder.mkdir()
    for name, path in (("one", "../etcd.conf"), ("two", str(tmp_path / "etcd.conf"))):
        (folder / name).write_text(f"#!/bin/sh\nexec etcd -config {path} -addr 10.0.0.9:4001\n")
    for given in (folder, folder / "one", folder / "two"):
        run = convert(given)
        assert "zinc" not in run.out
        assert "config-elsewhere" in run.codes


def test_the_command_that_is_reported_adds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "srv" / "old.conf"
    elsewhere.parent.mkdir()
    elsewhere.write_text(ZINC)
    script = tmp_path / "node" / "run"
    script.parent.mkdir()
    for path in (str(elsewhere), "../srv/old.conf"):
        script.write_text(f"#!/bin/sh\nexec etcd -config {path}\n")
        reported = next(line for line in convert("node/run").err.splitlines() if "[config-elsewhere]" in line)
        command = shlex.split(reported.partition("Add that file to this run: ")[2])
        run = convert(*command[2:])
        assert "config-elsewhere" not in run.codes
        assert "zinc=http://zinc:7001" in run.out
