"""The runbook of every fleet in ``fixtures`` is carried out, there, back, and there again: from recorded directories of
0.4 to a cluster that serves their keys. What of it was not executed is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.migrate02 import starts
from tests.runbooks.carrying import (
    BRING,
    FIXTURES,
    NEXT_START,
    NOT_EXECUTED,
    PUT_BACK,
    SEEN,
    SERVICE,
    Carrying,
    Fleet,
    check_served,
    fill,
    planned,
    port_of,
    still_there,
    world_of,
)
from tests.runbooks.world import World
from tests.support.process import without_settings

FLEETS = (
    Fleet("convert/procfile-cluster"),
    Fleet("demo"),
    Fleet("discovery"),
    Fleet("fleet"),
    Fleet("legacy"),
    Fleet("walkthrough", ("--standby", "n4")),
)
GATEWAYS = Fleet("legacy", ("--gateway", "http://10.9.240.1:2379"), ("cluster",))
"""Of ``test_gateway_runbooks``, for the kinds of its steps."""
MIXED = Fleet("discovery", GATEWAYS.options)
NO_FLEETS = {
    "convert": "inputs by themselves, each in a folder with what becomes of it. Those with more than one node are below",
    "findings": "pages that show files, with the commands that write them",
}
"""Folders in which a plan finds nodes, whose runbooks are not executed."""
NEVER_RAN = {
    "shell-members-through-a-variable": "two members, of which no directories of 0.4 were recorded",
    "shell-su": "both nodes take port 7001 of one machine: they never ran together",
    "systemd-two-starts": "Type=oneshot starts the second when the first has ended, which etcd does not",
    "cloud-config-in-terraform": "one of its nodes has no name that --initial-cluster can list, and no plan",
}
"""Inputs of ``convert`` that set up more than one node, whose runbooks are not executed."""

ALWAYS = frozenset(("Let the clients write again", "Before you go on to etcd 3.x"))
CONTAINER = frozenset((SERVICE, "Write down what is not converted"))
FILE_ALONE = frozenset((SERVICE, BRING, PUT_BACK))
OF_CLUSTER = {
    "box1": CONTAINER | FILE_ALONE,
    "box2": CONTAINER,
    "d1": {NEXT_START, PUT_BACK},
    "core1": {NEXT_START, PUT_BACK},
    "dev1": FILE_ALONE,
    "farm": FILE_ALONE,
    "infra0": FILE_ALONE,
    "infra1": set(),
    "kube1": CONTAINER,
    "n1": set(),
    "run1": set(),
    "sup1": set(),
    "unit1": set(),
    "up1": set(),
}
"""Which of these each cluster has besides those that all have."""
BY_FILES_ALONE = {"legacy-infra1": FILE_ALONE, "procfile-cluster-infra1": FILE_ALONE}


def side_by_side(fleet: Fleet) -> list[list[str]]:
    """Names of clusters: each by itself, but for those that one file sets up."""
    clusters = planned(fleet)
    shared = [
        name
        for name, cluster in clusters.items()
        if any(finding["code"] == "shared-file" for finding in cluster["findings"])
    ]
    return [*([shared] if shared else []), *([name] for name in clusters if name not in shared)]


CLUSTERS = [
    pytest.param(fleet, names, id=f"{fleet.folder}-{names[0]}")
    for fleet in FLEETS
    for names in side_by_side(fleet)
]


@pytest.fixture(autouse=True)
def nothing_of_etcd_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)


@pytest.fixture
def world(fleet: Fleet, names: list[str], tmp_path: Path) -> Iterator[World]:
    clusters = planned(fleet)
    world = world_of(tmp_path, fleet, [clusters[name] for name in names])
    yield world
    world.close()


@pytest.mark.slow
@pytest.mark.parametrize(("fleet", "names"), CLUSTERS)
def test_it_leads_to_a_cluster_that_serves_and_back(
    fleet: Fleet, names: list[str], world: World, tmp_path: Path
) -> None:
    clusters = [planned(fleet)[name] for name in names]
    world.variables |= {
        variable: world.machine(node).address
        for node, variable in (("box2", "PUBLIC_IP"), ("up1", "HOST_IP"))
        if node in world.nodes
    }
    recorded = [fill(world, cluster["nodes"], tmp_path / "recorded") for cluster in clusters]
    carrying = Carrying(world, [cluster["steps"] for cluster in clusters])
    carrying.start_04()
    before = world.state()
    carrying.there(to_the_end=False)
    carrying.back()
    after = world.state()
    assert {path: content for path, content in after.items() if ".2x/" not in path} == before

    carrying.there()
    for cluster, one in zip(clusters, recorded, strict=True):
        expected = still_there(one)
        assert len(expected) > 10
        for node in cluster["nodes"]:
            check_served(world.machine(node["name"]).address, int(port_of(node)), expected)
    assert [one for one in world.started() if is_of_04(one)] == []
    listed = BY_FILES_ALONE.get(f"{fleet.path.name}-{names[0]}", OF_CLUSTER[names[0]])
    assert set(carrying.not_executed) == {*ALWAYS, *listed}


@pytest.mark.slow
def test_every_folder_of_fixtures_with_nodes_of_04_is_a_fleet() -> None:
    folders = [path.name for path in FIXTURES.iterdir() if path.is_dir()]
    found = {folder for folder in folders if folder not in NO_FLEETS and planned(Fleet(folder))}
    assert found == {fleet.folder for fleet in FLEETS if "/" not in fleet.folder}
    assert set(NO_FLEETS) <= set(folders)


@pytest.mark.slow
def test_every_input_of_convert_with_several_nodes_is_a_fleet_or_listed() -> None:
    found = set()
    for path in sorted((FIXTURES / "convert").iterdir()):
        clusters = planned(Fleet(f"convert/{path.name}")).values() if list(path.glob("input*")) else ()
        if sum(len(each["nodes"]) for each in clusters) > 1 and not all(each["refused"] for each in clusters):
            found.add(path.name)
    assert found == {fleet.path.name for fleet in FLEETS if "/" in fleet.folder} | NEVER_RAN.keys()


def test_every_kind_of_step_is_executed_or_listed() -> None:
    """A new one fails here, and in every runbook that has it."""
    titles = {
        step["title"]
        for fleet in (*FLEETS, GATEWAYS, MIXED)
        for cluster in planned(fleet).values()
        for step in cluster["steps"]
    }
    told = {"Read what becomes of the configuration", "Let go of the old files"}
    assert titles == (SEEN.keys() | told | NOT_EXECUTED.keys()) - {SERVICE, BRING, PUT_BACK, NEXT_START}


def is_of_04(start: dict[str, Any]) -> bool:
    return starts.is_of_04(starts.Start(tuple(start["words"]), start["variables"]))
