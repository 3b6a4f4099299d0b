"""Some files of a tree: their nodes are read whole, and only what is about them is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED, WOULD_CHANGE
from tests.migrate02.running import Run, convert
from tests.migrate02.trees import OLD, UNIT, plant

DEFAULTS = "ETCD_NAME=a\nETCD_ADDR=10.0.0.1:4001\nETCD_CLUSTER_ACTIVE_SIZE=3\n"
NODE = {"etcd.service": UNIT, "etc/default/etcd": DEFAULTS, "other/etcd.env": OLD}


def check(tree: Path, *given: str) -> Run:
    return convert("--check", "--within", ".", *given, cwd=tree)


def test_a_file_is_read_with_its_node(tmp_path: Path) -> None:
    """By itself the file of variables has no peer address, and its own default is said."""
    plant(tmp_path, NODE)
    alone = convert("--check", "etc/default/etcd", cwd=tmp_path)
    assert "listens-everywhere" in alone.codes
    assert "single-member" in alone.codes
    run = check(tmp_path, "etc/default/etcd")
    assert (run.status, set(run.codes)) == (WOULD_CHANGE, {"no-counterpart", "listens-everywhere"})


def test_nothing_is_told_of_other_files(tmp_path: Path) -> None:
    plant(tmp_path, NODE)
    run = check(tmp_path, "etcd.service")
    assert run.err
    assert all(" etcd.service:" in line for line in run.err.splitlines())


def test_all_files_of_a_node_get_what_the_whole_tree_gets(tmp_path: Path) -> None:
    plant(tmp_path, NODE)
    whole = convert("--check", "--output", "github", ".", cwd=tmp_path)
    assert whole.out
    assert sorted(check(tmp_path, "--output", "github", *NODE).out.splitlines()) == sorted(
        whole.out.splitlines()
    )


WITHOUT_ETCD = {
    "README.md": "# etcd\n\nHow we run etcd.\n",
    "bad.yaml": "a: [b\n",
    "bad.toml": "a = [\n",
    "a.sh": "#!/bin/sh\necho hello\n",
    "picture.png": "\0PNG",
    "empty": "",
}


@pytest.mark.parametrize("name", WITHOUT_ETCD)
def test_a_file_without_etcd_is_passed_in_silence(tmp_path: Path, name: str) -> None:
    plant(tmp_path, {**NODE, **WITHOUT_ETCD})
    assert check(tmp_path, name) == Run(DONE, "", "")


def test_a_named_file_without_etcd_is_passed_in_silence_by_check(tmp_path: Path) -> None:
    plant(tmp_path, WITHOUT_ETCD)
    assert convert("--check", "a.sh", "empty", cwd=tmp_path) == Run(DONE, "", "")


def test_what_refuses_a_file_is_told_wherever_it_is(tmp_path: Path) -> None:
    plant(tmp_path, {**NODE, "etc/default/etcd": DEFAULTS + "ETCD_SNAPSHOT_COUNT=many\n"})
    run = check(tmp_path, "etcd.service")
    assert run.status == REFUSED
    assert "error[" in run.err


def test_files_that_the_walk_leaves_out_are_read_by_themselves(tmp_path: Path) -> None:
    plant(tmp_path, {"tracked.env": OLD, ".gitignore": "*.env\n", "excluded/etcd.env": OLD})
    assert check(tmp_path, "tracked.env").status == WOULD_CHANGE
    assert check(tmp_path, "missing.env").status == REFUSED
    (tmp_path / "link").symlink_to("tracked.env")
    assert check(tmp_path, "link") == Run(DONE, "", "")
    (tmp_path / ".migrate02.toml").write_text('exclude = ["excluded/"]\n')
    assert check(tmp_path, "excluded/etcd.env") == Run(DONE, "", "")


def test_backups_are_left_out_even_when_they_are_committed(tmp_path: Path) -> None:
    plant(tmp_path, {".migrate02/0001/files/etcd.env": OLD, "etcd.conf.0.4": OLD})
    assert check(tmp_path, ".migrate02/0001/files/etcd.env", "etcd.conf.0.4") == Run(DONE, "", "")


@pytest.mark.parametrize("kind", ["sarif", "junit", "gitlab"])
def test_reports_of_a_run_before_are_not_read(tmp_path: Path, kind: str) -> None:
    names = {"sarif": "a.sarif", "junit": "junit.xml", "gitlab": "gl-code-quality-report.json"}
    plant(tmp_path, {"etcd.env": OLD + "ETCD_PEERS=a:1\n"})
    report = convert("--check", "--output", kind, ".", cwd=tmp_path).out
    plant(tmp_path, {names[kind]: report, "etcd.env": ""})
    assert convert("--check", ".", cwd=tmp_path).status == DONE


def test_a_directory_stands_for_what_is_in_it(tmp_path: Path) -> None:
    plant(tmp_path, NODE)
    found = json.loads(convert("--within", ".", "--json", "etc", cwd=tmp_path).out)
    assert [file["file"] for file in found["files"]] == ["etc/default/etcd"]


@pytest.mark.parametrize("words", [["--write", "a"], ["-"], ["--", "etcd"]])
def test_it_goes_with_files_alone_and_writes_nothing(tmp_path: Path, words: list[str]) -> None:
    run = convert("--within", ".", *words, cwd=tmp_path)
    assert (run.status, len(run.err.splitlines())) == (REFUSED, 1)
