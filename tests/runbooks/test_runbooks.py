"""The runbook of every fleet in ``fixtures`` is carried out, there, back, and there again: from recorded directories of
0.4 to a cluster that serves their keys. What of it was not executed is listed here.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.migrate02 import starts
from tests.migrate02.running import migrate02
from tests.runbooks.person import Person
from tests.runbooks.world import World
from tests.support.datadirs04 import Recorded, renamed
from tests.support.process import PATIENCE, keys_below, request, without_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"


class Fleet(NamedTuple):
    """A folder of ``fixtures``, the one with all machines, or what is on one; and what a person adds to the plan of it."""

    folder: str
    options: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return FIXTURES / self.folder


FLEETS = (
    Fleet("convert/procfile-cluster"),
    Fleet("demo"),
    Fleet("discovery"),
    Fleet("fleet"),
    Fleet("legacy"),
    Fleet("walkthrough", ("--standby", "n4")),
)
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

SERVICE, BRING, PUT_BACK, NEXT_START = "service", "bring", "put back", "next start"
NOT_EXECUTED = {
    "Let the clients write again": "nothing to execute: the clients are a person's",
    "Before you go on to etcd 3.x": "nothing to execute: another day's work, which tests/e2e and tests/migrate02/v2store do",
    "Write down what is not converted": "its way back is in words: the step before puts the whole files back",
    SERVICE: "a comment: nothing tells how a container, a Procfile or a file of settings by itself is started. What the "
    "file says is started, by the test",
    BRING: "a comment: nothing tells where the file was on its machine. It is copied there, by the test",
    PUT_BACK: "a comment: the way back of the same",
    NEXT_START: "a comment: only its owner knows where a machine of CoreOS reads its cloud-config. No machine is started",
}
"""Steps and comments of runbooks that are no commands, and why."""

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

RECORDED = {1: [Recorded("s-ops", "solo")], 3: [Recorded("s-standby", f"n{at}") for at in (1, 2, 3)]}
"""By the number of members."""
STANDBY = Recorded("s-standby", "n4")


def every(*texts: str) -> Callable[[list[str]], bool]:
    return lambda outputs: all(text in output for output in outputs for text in texts)


def _serves(outputs: list[str]) -> bool:
    *healths, cluster, verified = outputs
    return (
        all('{"health": "true"}' in health for health in healths)
        and "cluster is healthy" in cluster
        and "0 differences" in verified
    )


SEEN: Mapping[str, Callable[[list[str]], bool]] = {
    "See that the old cluster is well": every("X-Etcd-Index: "),
    "Build the image of etcd02": every("etcd Version: 2.3"),
    "Stop the writers, then every node": every(),
    "Bring the data of all members together": every("kind            0.4", "role            member"),
    "Convert the data": every("; 0 differences"),
    "Put the new directories in their place": lambda outputs: all(output == "member\n" for output in outputs),
    "Convert the configuration": every(),
    "Bring the configuration to its machines": lambda outputs: not any(outputs),
    "Put etcd02 in the place of etcd": every("etcd Version: 2.3"),
    "Start the member": _serves,
    "Start all members": _serves,
    "Start the standbys as proxies": every('"nodes":['),
}
"""What the checks of a step show when all is well, as its words say."""


@cache
def planned(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Its clusters by name."""
    inputs = sorted(path.name for path in fleet.path.glob("input*")) or [""]
    paths = [f"{fleet.path.name}/{name}" for name in inputs]
    run = migrate02("plan", "--json", *fleet.options, *paths, cwd=fleet.path.parent)
    clusters = json.loads(run.out)["clusters"] if run.out else []
    return {cluster["name"]: cluster for cluster in clusters}


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


class Carrying:
    """The steps of one runbook, carried out; or those of several, side by side."""

    def __init__(self, world: World, runbooks: list[list[dict[str, Any]]]) -> None:
        self.world = world
        self.steps = [step for steps in zip(*runbooks, strict=True) for step in steps]
        self.person = Person(world)
        self.not_executed: dict[str, str] = {}

    def there(self, *, to_the_end: bool = True) -> None:
        for step in self.steps:
            if step["title"] == "Let go of the old files" and not to_the_end:
                continue
            self._do(step)

    def _do(self, step: dict[str, Any]) -> None:
        title = step["title"]
        if not (step["run"] or step["check"] or step["sets"]):
            self.not_executed[title] = NOT_EXECUTED[title]
            return
        for name, lines in step["sets"].items():
            self.person.writes(title, name, lines)
        for line in step["run"]:
            self._line(line)
        if step["check"]:
            self._look(title, step["check"])
        if step["backInWords"]:
            self.not_executed[title] = NOT_EXECUTED[title]

    def _line(self, line: str) -> None:
        if line.startswith("#"):
            kind = self.person.does(line)
            self.not_executed[kind] = NOT_EXECUTED[kind]
            return
        done = self.world.run(line)
        assert done.status == 0, f"{done.line}\n{done.output}\n{self.world.logs()}"

    def _look(self, title: str, lines: list[str]) -> None:
        """Again and again, as who waits for a cluster does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            shown = [self.world.run(line) for line in lines]
            if all(done.status == 0 for done in shown) and SEEN[title]([done.output for done in shown]):
                return
            said = "\n".join(f"{done.line}\n{done.output}= {done.status}" for done in shown)
            assert time.monotonic() < deadline, f"{title}\n{said}\n{self.world.logs()}"
            time.sleep(0.5)

    def back(self) -> None:
        for step in reversed(self.steps):
            for line in step["back"]:
                self._line(line)
            if step["title"].startswith("Start the standbys"):
                for name in step["sets"]:
                    self.person.takes_back(name)

    def start_04(self) -> None:
        """As the runbook itself does it when it goes back."""
        for stop in [step for step in self.steps if step["title"].startswith("Stop the writers")]:
            for line in stop["back"]:
                self._line(line)


@pytest.fixture(autouse=True)
def nothing_of_etcd_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)


@pytest.fixture
def world(fleet: Fleet, names: list[str], tmp_path: Path) -> Iterator[World]:
    clusters = planned(fleet)
    world = World(tmp_path, fleet.path, [clusters[name] for name in names])
    for host in world.machines:
        world.install(host, "/usr/bin/etcd")
    for name in world.nodes.keys() & {"d2", "sup1"}:
        world.install(world.machine(name).host, "/usr/local/bin/etcd")
    for node in world.nodes.values():
        if node["files"][0].endswith("user-data"):
            host = world.machine(node["name"]).host
            world.install_02(host, "/usr/bin/etcd2")
            done = world.run("coreos-cloudinit --from-file=/root/user-data", host)
            assert done.status == 0, done.output
    yield world
    world.close()


def fill(world: World, nodes: list[dict[str, Any]], folder: Path) -> Recorded:
    """The nodes' directories of 0.4. What it served from them is the answer's."""
    members = [node for node in nodes if node["becomes"] == "member"]
    recorded = RECORDED[len(members)]
    names = {one.directory: node["name"] for one, node in zip(recorded, members, strict=True)}
    standbys = [node for node in nodes if node["becomes"] != "member"]
    for one, node in zip([*recorded, *[STANDBY] * len(standbys)], [*members, *standbys], strict=True):
        source = one.unpack(folder / node["name"])
        directory = DIRECTORIES.get(node["name"], node["before"].get("data-dir", "")).replace(
            "/var/lib/etcd2", "/var/lib/etcd"
        )
        machine = world.machine(node["name"])
        target = machine.root / directory[1:] if directory.startswith("/") else machine.cwd / directory
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target)
        if node in members:
            renamed(target, names)
    return recorded[0]


DIRECTORIES = {"box1": "/var/lib/etcd", "box2": "/var/lib/etcd", "kube1": "/mnt/etcd/data"}
"""Of containers, on their hosts."""


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
            assert served(world.machine(node["name"]).address, int(port_of(node))) == expected
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
        step["title"] for fleet in FLEETS for cluster in planned(fleet).values() for step in cluster["steps"]
    }
    told = {"Read what becomes of the configuration", "Let go of the old files"}
    assert titles == (SEEN.keys() | told | NOT_EXECUTED.keys()) - {SERVICE, BRING, PUT_BACK, NEXT_START}


Listed = dict[str, tuple[bytes | None, int, int]]
"""Value, created and modified index by path."""


def still_there(recorded: Recorded) -> Listed:
    """The keys that 0.4.9 served, but for hidden ones, which a listing has not, and those whose time is over."""
    return {
        path: (key.value, key.created_index, key.modified_index)
        for path, key in recorded.keys().items()
        if "/_" not in path and (key.expiration is None or key.expiration > time.time_ns())
    }


def served(host: str, port: int) -> Listed:
    reply = request(port, "GET", "/v2/keys/?recursive=true", host=host)
    return {
        path: (None if value is None else value.encode(), created, modified)
        for path, value, created, modified in keys_below(reply.json()["node"])
        if path != "/"
    }


def is_of_04(start: dict[str, Any]) -> bool:
    return starts.is_of_04(starts.Start(tuple(start["words"]), start["variables"]))


def port_of(node: dict[str, Any]) -> str:
    urls = node["before"]["advertise-client-urls"]
    return str(urls.rpartition(":")[2])
