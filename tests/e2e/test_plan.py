"""Plans carried out: start lines that form a cluster, and a runbook run line by line, there and back."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.migrate02.running import migrate02
from tests.support.datadirs04 import unpack
from tests.support.ports import free_ports
from tests.support.process import Process, request

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
_EVERYWHERE = r"(\A--listen-\S*?//|,http://)(?:0\.0\.0\.0|\[::\])"


def planned(*words: str | Path) -> list[dict[str, Any]]:
    """The nodes of the plan that is made, as they are to be started."""
    run = migrate02("plan", "--json", *words)
    assert run.status in (0, 2), run.err
    return [node for cluster in json.loads(run.out)["clusters"] for node in cluster["nodes"]]


# The fleet


def moved_to_loopback(folder: Path, host: str) -> None:
    """The three of the fleet that form a cluster, on addresses of this machine."""
    for name in ("infra1", "infra2", "infra3"):
        shutil.copytree(ROOT / "fixtures" / "fleet" / name, folder / name)
        for path in filter(Path.is_file, (folder / name).rglob("*")):
            text = path.read_text().replace("10.7.0.", host).replace("/var/lib/etcd", f"{folder}/data-{name}")
            path.write_text(text)


def on_one_machine(node: dict[str, Any]) -> list[str]:
    """Its start line; where it listens everywhere, at its own address alone, for the others are here, too."""
    host = node["settings"]["initial-advertise-peer-urls"].split("/")[2].rpartition(":")[0]
    words = [re.sub(_EVERYWHERE, rf"\g<1>{host}", word) for word in node["command"]]
    return [str(BIN / words[0]), *words[1:]]


@pytest.mark.parametrize(
    ("ports", "open_ports"), [("keep", [4001]), ("move", [2379]), ("both", [2379, 4001])]
)
def test_the_start_lines_of_the_fleet_form_its_cluster(
    ports: str, open_ports: list[int], tmp_path: Path
) -> None:
    net = {"keep": "127.77.1.", "move": "127.77.2.", "both": "127.77.3."}[ports]
    moved_to_loopback(tmp_path, net)
    nodes = planned("--ports", ports, tmp_path)
    assert [node["name"] for node in nodes] == ["infra1", "infra2", "infra3"]
    with contextlib.ExitStack() as stack:
        members = [
            stack.enter_context(Process(on_one_machine(node), open_ports[0], host=f"{net}{11 + place}"))
            for place, node in enumerate(nodes)
        ]
        for member in members:
            member.wait_until_serving()
        members[0].put("/hello", "fleet")
        for member in members:
            for port in open_ports:
                reply = request(port, "GET", "/v2/keys/hello?quorum=true", host=member.host)
                assert reply.json()["node"]["value"] == "fleet"  # type: ignore[index]
        members[2].wait_for_members("infra1", "infra2", "infra3")


# The runbook


class Machine:
    """One machine with four nodes of 0.4 on it, as ``fixtures/walkthrough`` has them, at ports that are free; and as much
    of systemd as starts and stops them. Nothing is started from a configuration of 0.4: there is no such etcd here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, Process] = {}
        shutil.copytree(ROOT / "fixtures" / "walkthrough", folder / "machines")
        unpack("s-standby", folder).rename(folder / "data")
        self.ports = dict(
            zip(
                ("24001", "24002", "24003", "24004", "27001", "27002", "27003", "27004"),
                free_ports(8),
                strict=True,
            )
        )
        for path in filter(Path.is_file, (folder / "machines").rglob("*")):
            text = path.read_text()
            for old, new in self.ports.items():
                text = text.replace(f":{old}", f":{new}")
            path.write_text(text)

    def content(self) -> dict[str, bytes]:
        """Every file of the nodes: their configuration and their data."""
        files = (
            path for top in ("machines", "data") for path in (self.folder / top).rglob("*") if path.is_file()
        )
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def run(self, lines: list[str]) -> str:
        """What the lines print; each must end well."""
        return "".join(
            self._systemctl(line) if line.startswith("systemctl ") else self._shell(line) for line in lines
        )

    def _shell(self, line: str) -> str:
        env = {"PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout

    def _systemctl(self, line: str) -> str:
        _, verb, unit = line.removeprefix("systemctl daemon-reload && ").split()
        name = unit.removeprefix("etcd-").removesuffix(".service")
        if verb == "stop":
            if name in self.running:
                assert self.running.pop(name).stop() == -15, line
            return ""
        root = self.folder / "machines" / name
        settings = dict(
            line.split("=", 1)
            for line in (root / "etc" / "default" / f"etcd-{name}").read_text().splitlines()
            if not line.startswith("#")
        )
        if "ETCD_ADDR" in settings:
            return ""
        text = (root / "etc" / "systemd" / "system" / unit).read_text()
        (start,) = [line.partition("=")[2] for line in text.splitlines() if line.startswith("ExecStart=")]
        words = [str(BIN / "etcd02"), *shlex.split(start)[1:]]
        port = self.ports[f"2400{name[1:]}"]
        self.running[name] = Process(words, port, env=settings, cwd=self.folder)
        return ""

    def stop(self) -> None:
        for process in self.running.values():
            process.__exit__()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def test_the_runbook_leads_there_and_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(machine.folder)
    before = machine.content()
    run = migrate02("plan", "--json", "--standby", "n4", "machines")
    assert run.status == 0, run.err
    (cluster,) = json.loads(run.out)["clusters"]
    steps = {step["title"]: step for step in cluster["steps"]}
    steps.pop("See that the old cluster is well")  # 0.4 is not here to answer
    steps.pop("Let go of the old files")
    diff = steps.pop("Read what becomes of the configuration")
    subprocess.run(
        ["bash", "-c", *diff["run"]], env={"PATH": f"{BIN}:{os.environ['PATH']}"}, capture_output=True
    )
    assert machine.content() == before

    for step in steps.values():
        if "proxies" in step["title"]:
            for name, lines in step["sets"].items():
                unit = machine.folder / "machines" / name / "etc" / "default" / f"etcd-{name}"
                unit.write_text("\n".join(lines) + "\n")
        machine.run(step["run"])
        for process in machine.running.values():
            process.wait_until_serving()
        shown = machine.run(step["check"])
        if step["title"] == "Start all members":
            assert shown.count('"health": "true"') == 3
            assert "cluster is healthy" in shown
    assert sorted(machine.running) == ["n1", "n2", "n3", "n4"]
    machine.running["n1"].put("/new", "written through a member")
    through_the_proxy = machine.running["n4"].get("/new", "quorum=true").json()
    assert through_the_proxy["node"]["value"] == "written through a member"  # type: ignore[index]

    (machine.folder / "machines/n4/etc/default/etcd-n4").write_bytes(
        before["machines/n4/etc/default/etcd-n4"]
    )
    for title in reversed(steps):
        machine.run(steps[title]["back"])
    assert machine.running == {}
    assert {name: machine.content().get(name) for name in before} == before
