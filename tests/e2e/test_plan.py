"""Start lines of a plan form a cluster. Its runbook is carried out in ``tests/runbooks``."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.migrate02.running import migrate02
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
