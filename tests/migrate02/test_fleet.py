"""A fleet of mixed formats, each folder one machine: what one command makes of it, and the way back.

``fixtures/fleet.diff`` and ``fixtures/fleet.findings`` have what is printed; MIGRATE02_REWRITE=1 writes them anew.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from migrate02.cli.exits import RESIDUE, WOULD_CHANGE
from tests.migrate02.running import convert, migrate02, state

FIXTURES = Path(__file__).parents[2] / "fixtures"
FLEET = FIXTURES / "fleet"
REWRITE = bool(os.environ.get("MIGRATE02_REWRITE"))

INFRA = "infra1=http://10.7.0.11:7001,infra2=http://10.7.0.12:7001,infra3=http://10.7.0.13:7001"
CORE = "core1=http://10.7.1.11:7001,core2=http://10.7.1.12:7001,core3=http://10.7.1.13:7001"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FLEET, tmp_path / "fleet"))


def machines() -> list[str]:
    return sorted(path.name for path in FLEET.iterdir() if path.is_dir())


def test_the_fleet_is_large_and_mixed() -> None:
    assert len(machines()) >= 12


def test_the_diff_and_the_findings_are_as_recorded() -> None:
    run = convert("--diff", *machines(), cwd=FLEET)
    if REWRITE:
        (FIXTURES / "fleet.diff").write_text(run.out)
        (FIXTURES / "fleet.findings").write_text(run.err)
    assert run.status == RESIDUE
    assert run.out == (FIXTURES / "fleet.diff").read_text()
    assert run.err == (FIXTURES / "fleet.findings").read_text()


def test_writing_and_undoing_leaves_every_byte_mode_and_time_as_it_was(fleet: Path) -> None:
    os.chmod(fleet / "infra1/etc/default/etcd", 0o640)
    before = state(fleet)
    assert convert("--write", fleet).status == RESIDUE
    written = state(fleet)
    changed = {name for name in before if before[name][0] != written[name][0]}
    assert len(changed) >= 15
    assert all(before[name][1] == written[name][1] for name in before)
    run = migrate02("undo", fleet)
    assert (run.status, run.err.count(": put back\n")) == (0, len(changed))
    assert state(fleet) == before


def test_what_was_written_has_nothing_left_to_convert(fleet: Path) -> None:
    convert("--write", fleet)
    before = state(fleet)
    assert convert("--check", fleet).status != WOULD_CHANGE
    convert("--write", fleet)
    assert state(fleet) == before


def test_clusters_are_told_from_the_members_files(fleet: Path) -> None:
    convert("--write", fleet)
    texts = {name: data.decode() for name, (data, _, _) in state(fleet).items()}
    with_infra = {name.partition("/")[0] for name, text in texts.items() if INFRA in text}
    with_core = {name.partition("/")[0] for name, text in texts.items() if CORE in text}
    assert with_infra == {"infra1", "infra2", "infra3"}
    assert with_core == {"core1", "core2", "core3"}


def test_a_cluster_with_a_member_missing_is_not_guessed(fleet: Path) -> None:
    shutil.rmtree(fleet / "core2")
    run = convert("--write", fleet)
    assert (run.status, "incomplete-cluster" in run.codes) == (RESIDUE, True)
    after = {name: data.decode() for name, (data, _, _) in state(fleet).items()}
    assert "core3=http://10.7.1.13:7001,OTHERS=run-migrate02-plan" in after["core3/user-data"]
    assert CORE not in after["core1/user-data"]


def test_the_order_in_which_files_are_given_changes_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for tree in (one, two):
        shutil.copytree(FLEET, tree)
    convert("--write", *sorted(path for path in one.rglob("*") if path.is_file()))
    convert("--write", *sorted((path for path in two.rglob("*") if path.is_file()), reverse=True))

    def results(tree: Path) -> dict[str, bytes]:
        return {name: data for name, (data, _, _) in state(tree).items()}

    assert results(one) == results(two)


def test_json_has_every_file_that_is_about_etcd(fleet: Path) -> None:
    found = json.loads(convert("--json", fleet).out)["files"]
    names = {str(Path(item["file"]).relative_to(fleet)) for item in found}
    assert {name.partition("/")[0] for name in names} == set(machines())
    assert "README.md" not in names
    assert "new1/etc/systemd/system/confd.service" not in names
