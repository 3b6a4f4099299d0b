"""The legacy deployments that stand in for real ones: what the demo shows must hold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.migrate02.running import convert

ROOT = Path(__file__).parents[2] / "fixtures" / "legacy"


def test_every_file_of_the_tree_is_found() -> None:
    found = json.loads(convert("--json", ROOT).out)["files"]
    assert {item["file"] for item in found} == {str(path) for path in ROOT.rglob("*") if path.is_file()}


def test_a_single_member_needs_a_look_at_what_had_to_be_bent() -> None:
    run = convert(ROOT / "single" / "etcd.conf")
    assert run.status == 2
    assert [line for line in run.err.splitlines() if line.startswith("error")] == []
    assert {"timing-bent", "no-counterpart"} == {code for code in run.codes if f"review[{code}]" in run.err}


def test_a_cluster_is_converted_once_its_members_are_named(tmp_path: Path) -> None:
    tree = tmp_path / "cluster"
    shutil.copytree(ROOT / "cluster", tree)
    alone = tree / "infra2.default"
    first = convert("--write", alone)  # joined through -peers, and the others are not at hand
    assert (first.status, "incomplete-cluster" in first.codes) == (2, True)
    members = ",".join(f"infra{n}=http://10.7.0.1{n}:7001" for n in (1, 2, 3))
    run = convert("--write", "--initial-cluster", members, tree)
    assert run.status == 0
    for n in (1, 2, 3):
        assert f'ETCD_INITIAL_CLUSTER="{members}"' in (tree / f"infra{n}.default").read_text()
    assert convert("--check", tree).status == 0


def test_a_cluster_is_converted_when_all_its_members_are_at_hand(tmp_path: Path) -> None:
    tree = tmp_path / "cluster"
    shutil.copytree(ROOT / "cluster", tree)
    run = convert("--write", "-v", tree)
    assert run.status == 0
    assert run.codes.count("members-from-files") == 3
    members = ",".join(f"infra{n}=http://10.7.0.1{n}:7001" for n in (1, 2, 3))
    for n in (1, 2, 3):
        assert f'ETCD_INITIAL_CLUSTER="{members}"' in (tree / f"infra{n}.default").read_text()


def test_the_containers_are_converted_with_what_a_shell_fills_in() -> None:
    run = convert(ROOT / "container" / "command")
    assert run.status == 2
    assert '--advertise-client-urls "http://${PUBLIC_IP:-127.0.0.1}:4001"' in run.out
    assert run.out.endswith('  "$@" >>/var/log/etcd.log 2>&1\n')
