"""A runbook that is carried out: the fleet that it is for, what its checks show, and what of it is not executed."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.migrate02.running import migrate02
from tests.runbooks.person import Person
from tests.runbooks.world import World
from tests.support.datadirs04 import Recorded, renamed
from tests.support.process import PATIENCE, keys_below, request

FIXTURES = Path(__file__).parents[2] / "fixtures"


class Fleet(NamedTuple):
    """A folder of ``fixtures``, the one with all machines, or what is on one; and what a person adds to the plan of it."""

    folder: str
    options: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    """What of the folder is planned; all of it if none is named."""

    @property
    def path(self) -> Path:
        return FIXTURES / self.folder


SERVICE, BRING, PUT_BACK, NEXT_START = "service", "bring", "put back", "next start"
NOT_EXECUTED = {
    "Let the clients write again": "nothing to execute: the clients are a person's",
    "Before you go on to etcd 3.x": "nothing to execute: another day's work, which tests/e2e and tests/migrate02/v2store do",
    "Write down what is not converted": "its way back is in words: the step before puts the whole files back",
    "Write down what starts the gateways": "its way back is in words: the lines are removed, by the test",
    "When no client speaks v2 any more": "nothing to execute: another day's work, which tests/e2e/test_gateway.py does",
    SERVICE: "a comment: nothing tells how a container, a Procfile or a file of settings by itself is started. What the "
    "file says is started, by the test",
    BRING: "a comment: nothing tells where the file was on its machine. It is copied there, by the test",
    PUT_BACK: "a comment: the way back of the same",
    NEXT_START: "a comment: only its owner knows where a machine of CoreOS reads its cloud-config. No machine is started",
}
"""Steps and comments of runbooks that are no commands, and why."""


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


def _serves_keys(outputs: list[str]) -> bool:
    *healths, verified = outputs
    return all('{"health": "true"}' in health for health in healths) and "0 differences" in verified


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
    "See that the etcd 3 is well": every('"health":"true"'),
    "Bring the keys into the etcd 3": every("\n/"),
    "Move the old directories aside": lambda outputs: not any(outputs),
    "Put the gateway in the place of etcd": every("etcd Version: 2.3"),
    "Start the gateways": _serves_keys,
    "Start the member": _serves,
    "Start all members": _serves,
    "Start the standbys as proxies": every('"nodes":['),
}
"""What the checks of a step show when all is well, as its words say."""


@cache
def planned(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Its clusters by name."""
    inputs = sorted(path.name for path in fleet.path.glob("input*")) or [""]
    paths = [f"{fleet.path.name}/{name}" for name in fleet.parts or inputs]
    run = migrate02("plan", "--json", *fleet.options, *paths, cwd=fleet.path.parent)
    clusters = json.loads(run.out)["clusters"] if run.out else []
    return {cluster["name"]: cluster for cluster in clusters}


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
            if step["title"] == "Write down what starts the gateways":
                self.person.removes_what_was_written()

    def start_04(self) -> None:
        """As the runbook itself does it when it goes back."""
        for stop in [step for step in self.steps if step["title"].startswith("Stop the writers")]:
            for line in stop["back"]:
                self._line(line)


BY_PROCESSES = ("demo",)
"""Folders of which every line is run as a person would, the installed commands by a shell."""


def world_of(folder: Path, fleet: Fleet, clusters: list[dict[str, Any]]) -> World:
    """Its machines have an etcd of 0.4 where their files start one."""
    world = World(folder, fleet.path, clusters, by_processes=fleet.folder in BY_PROCESSES)
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
    return world


def fill(world: World, nodes: list[dict[str, Any]], folder: Path) -> Recorded:
    """The nodes' directories of 0.4. What it served from them is the answer's."""
    members = [node for node in nodes if node["was"] != "standby"]
    recorded = RECORDED[len(members)]
    names = {one.directory: node["name"] for one, node in zip(recorded, members, strict=True)}
    standbys = [node for node in nodes if node["was"] == "standby"]
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


Listed = dict[str, tuple[bytes | None, int, int]]
"""Value, created and modified index by path."""


def still_there(recorded: Recorded) -> Listed:
    """The keys that 0.4.9 served, but for hidden ones, which a listing has not, and those whose time is over."""
    return {
        path: (key.value, key.created_index, key.modified_index)
        for path, key in recorded.keys().items()
        if "/_" not in path and (key.expiration is None or key.expiration > time.time_ns())
    }


def check_served(host: str, port: int, wanted: Listed) -> None:
    """Exactly that, once what expired while nobody served is gone: an etcd that has just started lists those keys
    until its first SYNC."""
    deadline = time.monotonic() + PATIENCE
    while (
        (found := served(host, port)) != wanted
        and found.items() >= wanted.items()
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert found == wanted


def served(host: str, port: int) -> Listed:
    reply = request(port, "GET", "/v2/keys/?recursive=true", host=host)
    return {
        path: (None if value is None else value.encode(), created, modified)
        for path, value, created, modified in keys_below(reply.json()["node"])
        if path != "/"
    }


def port_of(node: dict[str, Any]) -> str:
    urls = node["before"]["advertise-client-urls"]
    return str(urls.rpartition(":")[2])
