"""``migrate02 data``: what a person at the command line sees, and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from tests.migrate02.running import migrate02
from tests.support.datadirs04 import JOIN, unpack


def test_a_conversion_says_what_was_read_and_written_and_how_to_start(old_data: Path, tmp_path: Path) -> None:
    found = migrate02("data", old_data, tmp_path / "new")
    assert (found.status, found.err) == (DONE, "")
    first, overdue, second, start = found.out.splitlines()
    assert first.startswith(f"{old_data}: member m, last entry 8 of term 0, 7 keys at index 7, digest ")
    assert overdue.startswith("1 keys are past their TTL")
    assert second.startswith(f"{tmp_path / 'new'}: written, 7 keys at index 7, member ")
    assert start == (
        f"  start it with: etcd02 --name m --data-dir {tmp_path / 'new'} "
        "--initial-advertise-peer-urls http://127.0.0.1:7001 --listen-peer-urls http://127.0.0.1:7001 "
        "--initial-cluster m=http://127.0.0.1:7001 "
        "--advertise-client-urls http://127.0.0.1:4001 --listen-client-urls http://127.0.0.1:4001"
    )


def test_json(old_data: Path, tmp_path: Path) -> None:
    found = json.loads(migrate02("data", "--json", old_data, tmp_path / "new").out)
    assert (found["index"], found["keys"], found["initialCluster"]) == (7, 7, "m=http://127.0.0.1:7001")
    assert [one["name"] for one in found["written"]] == ["m"]
    assert found["read"][0]["taken"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give SRC and DST, or the directories of all members and --out OUT"),
        (("a",), "give SRC and DST"),
        (("a", "b", "c"), "give SRC and DST"),
        (("--out", "o"), "no directory is given"),
        (("--out", "o", "--beside", "a"), "argument --beside: not allowed with argument --out"),
        (("--beside", "a", "b"), "--beside takes one directory"),
        (("--all-members", "a", "b"), "--all-members needs --out"),
        (("--name", "x", "--name", "y", "a", "b"), "--name is given twice"),
        (("--nonsense",), "unrecognized arguments: --nonsense (see migrate02 data --help)"),
        (("nowhere", "new"), "nowhere: does not exist"),
    ],
)
def test_what_cannot_be_is_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    found = migrate02("data", *words, cwd=tmp_path)
    assert found.status == REFUSED
    assert found.err.startswith("migrate02 data: ")
    assert says in found.err
    assert (found.out, found.err.count("\n")) == ("", 1)


def test_damage_that_was_passed_over_exits_with_2(tmp_path: Path) -> None:
    source = unpack("s-torn-zeros", tmp_path) / "torn"
    found = migrate02("data", source, tmp_path / "new")
    assert found.status == RESIDUE
    assert f"warning: {source / 'log'}, byte 4017: " in found.err


def test_a_cluster_at_once(tmp_path: Path) -> None:
    source = unpack("s-cluster4to3", tmp_path)
    found = migrate02("data", *sorted(source.iterdir()), "--out", tmp_path / "out")
    assert found.status == DONE
    assert found.out.count("<- used for all") == 1
    assert f"{source / 'n4'}: was a standby of its cluster" in found.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["n1", "n2", "n3"]


def test_beside(old_data: Path) -> None:
    assert migrate02("data", old_data, "--beside").status == DONE
    assert sorted(path.name for path in old_data.iterdir()) == ["conf", "log", "member", "snapshot"]
    again = migrate02("data", old_data, "--beside")
    assert (again.status, "holds the data of etcd 2.x" in again.err) == (REFUSED, True)


def test_the_first_line_of_a_log_is_the_member(tmp_path: Path) -> None:
    assert JOIN[1] is not None
    assert JOIN[1]["name"] == "m"
