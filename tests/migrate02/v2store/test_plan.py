"""``migrate02 v2store plan`` on recorded directories: which steps, in which order, and what is refused."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from migrate02.cli.exits import DONE, REFUSED, RESIDUE
from migrate02.cli.main import COMMANDS
from migrate02.cli.parsing import Parser, Subcommand
from migrate02.datadir.member3x import read_member
from migrate02.v2store.plan_texts import as_html
from migrate02.v2store.planning import Examined, cluster_of, examine, refusals
from tests.migrate02.plan.pages import assert_needs_nothing_else
from tests.migrate02.running import migrate02
from tests.support.datadirs35 import NAMES, facts, unpack

BACKUP, LOOK_36, LOOK_37, BEFORE_37 = "backup", "well on 3.6", "well on 3.7", "Before 3.7"
OFF, TAKE_AWAY, EXPORT = "See that --enable-v2 is off", "Take --enable-v2 away", "Write the v2 keys out"
THREE = [f"m{at}: stop it, clean its directory, start it as 3.6" for at in range(3)]
STEPS = {
    "clean": [BACKUP, OFF, "Start the member as 3.6", LOOK_36, BEFORE_37],
    "hidden": [BACKUP, OFF, EXPORT, "Start the member as 3.6", LOOK_36, BEFORE_37],
    "health-34": [BACKUP, TAKE_AWAY, THREE[0], LOOK_36, BEFORE_37],
    "ttl": [BACKUP, OFF, EXPORT, THREE[0], LOOK_36, BEFORE_37],
    "three": [BACKUP, TAKE_AWAY, EXPORT, *THREE, LOOK_36, BEFORE_37],
    "three-from-2.3": [BACKUP, OFF, EXPORT, *THREE, LOOK_36, BEFORE_37],
    "on-36": [BACKUP, "m0: stop it, clean its directory, start it as 3.7", LOOK_37],
}
Recorded = Callable[[str], list[Path]]
Read = Callable[[str], list[Examined]]
Planned = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The directories of a recorded cluster, unpacked once: they stay as they are."""
    return cache(lambda name: unpack(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def read(recorded: Recorded) -> Read:
    """The same as read, to be changed at will."""
    found = cache(lambda name: [examine(read_member(path)) for path in recorded(name)])
    return lambda name: deepcopy(found(name))


@pytest.fixture(scope="module")
def planned(recorded: Recorded) -> Planned:
    """The plan of them, as JSON."""
    return cache(lambda name: json.loads(migrate02("v2store", "plan", "--json", *recorded(name)).out))


@pytest.mark.parametrize("name", STEPS)
def test_the_steps_are_those_that_the_directories_need(name: str, planned: Planned) -> None:
    titles = [step["title"] for step in planned(name)["steps"]]
    assert len(titles) == len(STEPS[name])
    assert all(part in title for part, title in zip(STEPS[name], titles, strict=True)), titles


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_cluster_has_a_plan(name: str, planned: Planned, read: Read) -> None:
    made, noted = planned(name), facts(name)
    refused = [each["exit"] == 1 for each in noted["before"]["etcdutl_3.5.33_check"]]
    assert made["release"] == ("3.7" if name == "on-36" else "3.6")
    assert made["clean"] == (not any(refused) and name != "on-36")
    assert made["findings"] == []
    assert [each["name"] for each in made["members"]] == [node["name"] for node in noted["nodes"]]
    assert [each["clientUrl"] for each in made["members"]] == [node["client"] for node in noted["nodes"]]
    assert_needs_nothing_else(as_html(cluster_of(read(name))))


def test_the_plan_is_markdown_unless_asked(recorded: Recorded) -> None:
    run = migrate02("v2store", "plan", *recorded("ttl"))
    assert run.out.startswith("# From etcd 3.5 to 3.6: cluster 9f97930fc324d3ea, 1 member\n")
    assert (run.status, run.err) == (DONE, "")
    page = migrate02("v2store", "plan", "--html", *recorded("ttl"))
    assert page.out.startswith("<!DOCTYPE html>")
    assert page.status == DONE


def command_lines(plan: dict[str, Any]) -> list[list[str]]:
    """The words of each command of migrate02 in a plan, without what a shell takes."""
    found = []
    for step in plan["steps"]:
        for line in [*step["run"], *step["check"], *step["back"]]:
            for command in line.partition(" > ")[0].split(" || "):
                words = shlex.split(command, comments=True)
                if words[:1] == ["migrate02"]:
                    found.append(words[1:])
    return found


@pytest.mark.parametrize("name", STEPS)
def test_the_commands_of_a_plan_are_those_that_there_are(name: str, planned: Planned) -> None:
    commands = command_lines(planned(name))
    assert len(commands) >= 3
    for words in commands:
        assert words[0] == "v2store"
        args = argparse.Namespace(prog="migrate02", refusals=())
        Parser("migrate02", Subcommand("", below=COMMANDS)).parse_args(words, args)
        assert callable(args.run)


@pytest.mark.parametrize("name", ["ttl", "health-34", "on-36"])
def test_who_follows_the_plan_has_nothing_of_v2_left(name: str, tmp_path: Path) -> None:
    (path,) = unpack(name, tmp_path)
    plan = json.loads(migrate02("v2store", "plan", "--json", path).out)
    cleaning = [words for words in command_lines(plan) if "--write" in words]
    assert [migrate02(*words).status for words in cleaning] == [DONE]
    assert migrate02("v2store", "check", "--for", plan["release"], path).status == DONE
    assert json.loads(migrate02("v2store", "plan", "--json", path).out)["clean"]


def test_a_member_that_is_not_given_is_named_and_planned_for(recorded: Recorded) -> None:
    first, second, _ = recorded("three")
    run = migrate02("v2store", "plan", first, second)
    assert run.status == RESIDUE
    assert run.codes == ["member-not-given"]
    assert "m2 is also a member of this cluster, and its data directory was not given." in run.err
    assert "clean --write DATA-DIR-OF-m2" in run.out


def test_directories_of_different_clusters_are_refused(recorded: Recorded) -> None:
    paths = [*recorded("clean"), *recorded("ttl")]
    run = migrate02("v2store", "plan", *paths)
    assert (run.status, run.out) == (REFUSED, "")
    assert "these directories are of different clusters" in run.err


def test_a_member_given_twice_is_refused_and_a_path_given_twice_counts_once(tmp_path: Path) -> None:
    (path,) = unpack("clean", tmp_path)
    shutil.copytree(path, tmp_path / "copy")
    run = migrate02("v2store", "plan", path, tmp_path / "copy")
    assert (run.status, run.out) == (REFUSED, "")
    assert "are of the same member" in run.err
    assert migrate02("v2store", "plan", path, path).out == migrate02("v2store", "plan", path).out


def empty_it(path: Path) -> None:
    shutil.rmtree(path / "member")


def damage_its_database(path: Path) -> None:
    (path / "member" / "snap" / "db").write_bytes(b"x" * 8192)


def damage_its_log(path: Path) -> None:
    wal = min((path / "member" / "wal").glob("*.wal"))
    wal.write_bytes(b"\xff" * 64)


@pytest.mark.parametrize("harm", [empty_it, damage_its_database, damage_its_log])
def test_a_directory_that_cannot_be_read_is_refused(
    harm: Callable[[Path], None], tmp_path: Path, recorded: Recorded
) -> None:
    (path,) = unpack("clean", tmp_path)
    harm(path)
    run = migrate02("v2store", "plan", path, *recorded("three"))
    assert (run.status, run.out) == (REFUSED, "")
    assert str(path) in run.err
    assert len(run.err.splitlines()) == 1


def test_a_damaged_snapshot_is_told(tmp_path: Path) -> None:
    (path,) = unpack("clean", tmp_path)
    newest = max((path / "member" / "snap").glob("*.snap"))
    newest.write_bytes(newest.read_bytes()[:-1])
    run = migrate02("v2store", "plan", path)
    assert run.status == RESIDUE
    assert run.codes == ["doubtful-directory"]
    assert newest.name in run.err


def test_a_directory_that_clean_would_refuse_is_told(recorded: Recorded) -> None:
    (path,) = recorded("clean")
    member = read_member(path)
    assert member.database is not None
    member.database.members[0xDEAD] = ("http://10.0.0.9:2380",)
    (finding,) = cluster_of([examine(member)]).findings[1:]
    assert finding.code == "doubtful-directory"
    assert "only the database knows dead" in finding.message


def test_a_removed_member_has_no_step(read: Read) -> None:
    found = read("three")
    for each in found:
        assert each.member.database is not None
        each.member.database.members.pop(found[2].report.member_id)
    cluster = cluster_of(found)
    assert [member.name for member in cluster.members] == ["m0", "m1"]
    assert [finding.code for finding in cluster.findings] == ["doubtful-directory"]
    assert refusals(found) == []
    assert refusals(found[2:]) == ["none of these directories is of a member that the cluster still has"]


def test_the_database_that_goes_furthest_knows_the_members(read: Read) -> None:
    found = read("three")
    old = found[0].member.database
    assert old is not None
    old.members.clear()
    old.index = 1
    old.members[7] = ("http://gone:2380",)
    assert [member.name for member in cluster_of(found).members] == ["m0", "m1", "m2"]


def test_a_cluster_that_has_not_come_to_35_goes_there_first(read: Read) -> None:
    (one,) = read("health-34")
    assert one.member.database is not None
    for version, codes in (("3.4.0", ["doubtful-directory"]), ("3.5.0", []), ("", []), ("odd", [])):
        one.member.database.version = version
        assert [finding.code for finding in cluster_of([one]).findings] == codes


def test_keys_are_taken_from_the_directory_that_goes_furthest(read: Read) -> None:
    found = read("three")
    assert cluster_of(found).exports_from == cluster_of(found).members[0]
    found[1].report.committed_index += 1
    assert cluster_of(found).exports_from == cluster_of(found).members[1]


def test_a_log_in_a_place_of_its_own_is_read_and_named(tmp_path: Path) -> None:
    (path,) = unpack("ttl", tmp_path)
    shutil.move(path / "member" / "wal", tmp_path / "wal")
    run = migrate02("v2store", "plan", "--wal-dir", tmp_path / "wal", path)
    assert run.status == DONE
    assert f"clean --write --wal-dir {tmp_path / 'wal'} {path}" in run.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no data directory is given"),
        (["--wal-dir", "w", "a", "b"], "--wal-dir goes with one directory"),
        (["--html", "--json", "a"], "not allowed with argument"),
    ],
)
def test_options_that_cannot_be_used_are_refused(words: list[str], said: str) -> None:
    run = migrate02("v2store", "plan", *words)
    assert (run.status, run.out) == (REFUSED, "")
    assert said in run.err


def test_help_is_there() -> None:
    run = migrate02("v2store", "plan", "--help")
    assert run.status == DONE
    assert "--html" in run.out
