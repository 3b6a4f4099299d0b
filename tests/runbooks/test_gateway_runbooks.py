"""The runbooks of ``plan --gateway`` are carried out, there, back, and there again: from recorded directories of 0.4 to a
real etcd 3 and gateways in the places of the nodes. A client of v2 waits all the way.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from tests.migrate02.running import migrate02
from tests.runbooks.carrying import (
    BRING,
    PUT_BACK,
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
from tests.support.etcd3 import RELEASES, Node, binary_of
from tests.support.process import PATIENCE, request, without_settings
from tests.support.real_etcd import HOW_35, etcdctl35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

GATEWAY = ("--gateway", "http://10.9.240.1:2379")
"""Where the etcd 3 is, which is none of the machines."""

ALWAYS = frozenset(("Let the clients write again", "When no client speaks v2 any more"))
BY_HAND = frozenset(("Write down what starts the gateways", SERVICE))
FILE_ALONE = BY_HAND | {BRING, PUT_BACK}

FLEETS: Mapping[str, tuple[Fleet, frozenset[str]]] = {
    "units": (Fleet("walkthrough", (*GATEWAY, "--standby", "n4")), frozenset()),
    "an init script, a unit and CoreOS": (Fleet("discovery", GATEWAY), frozenset()),
    "units and an init script": (
        Fleet("fleet", GATEWAY, ("infra1", "infra2", "infra3")),
        frozenset(),
    ),
    "files of variables": (Fleet("legacy", GATEWAY, ("cluster",)), FILE_ALONE),
    "a file of settings": (Fleet("demo", GATEWAY), FILE_ALONE),
    "a Procfile": (Fleet("fleet", GATEWAY, ("dev1",)), frozenset((SERVICE,))),
    "compose": (Fleet("fleet", GATEWAY, ("box1",)), FILE_ALONE),
    "a script with docker": (Fleet("fleet", GATEWAY, ("box2",)), BY_HAND),
    "a pod": (Fleet("fleet", GATEWAY, ("kube1",)), BY_HAND),
    "runit": (Fleet("fleet", GATEWAY, ("run1",)), frozenset()),
    "supervisor": (Fleet("fleet", GATEWAY, ("sup1",)), frozenset()),
    "upstart": (Fleet("fleet", GATEWAY, ("up1",)), frozenset()),
}
"""And what of each is not executed, besides what is executed of none."""


class OldClient:
    """Waits for each event behind ``index``, as a client of v2 does whose server goes away: it asks again where it was.
    A context manager."""

    def __init__(self, host: str, port: int, index: int) -> None:
        self.events: list[dict[str, Any]] = []
        self._at, self._index = (host, port), index
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._wait)

    def _wait(self) -> None:
        host, port = self._at
        while not self._stopped.is_set():
            path = f"/v2/keys/?wait=true&recursive=true&waitIndex={self._index + 1}"
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                reply = request(port, "GET", path, host=host, timeout=2)
                if reply.status == 200:
                    event = reply.json()
                    self._index = event["node"]["modifiedIndex"]  # type: ignore[index]
                    self.events.append(event)
                    continue
            self._stopped.wait(0.1)

    def hears(self, index: int) -> list[dict[str, Any]]:
        """All events up to that index."""
        deadline = time.monotonic() + PATIENCE
        while self._index < index:
            assert time.monotonic() < deadline, self.events
            time.sleep(0.05)
        return self.events

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


@pytest.fixture(autouse=True)
def nothing_of_etcd_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    without_settings(monkeypatch)


CASES = [
    pytest.param(kind, release, id=f"{kind} to {release}")
    for kind in FLEETS
    for release in RELEASES
    if kind == "units" or release == "3.5"
]


@contextlib.contextmanager
def etcd3(world: World, release: str) -> Iterator[Node]:
    with Node(world.folder / "v3") as node:
        node.url = f"http://{world.mapped('10.9.240.1')}:2379"
        node.start(binary_of(release))
        yield node


@pytest.mark.parametrize(("kind", "release"), CASES)
def test_it_leads_to_an_etcd_3_that_old_clients_do_not_notice_and_back(
    kind: str, release: str, tmp_path: Path
) -> None:
    etcdctl = required(etcdctl35(), HOW_35)
    fleet, listed = FLEETS[kind]
    (cluster,) = planned(fleet).values()
    world = world_of(tmp_path, fleet, [cluster])
    (world.folder / "bin" / "operator" / "etcdctl").symlink_to(etcdctl)
    world.variables |= {
        variable: world.machine(node).address
        for node, variable in (("box2", "PUBLIC_IP"), ("up1", "HOST_IP"))
        if node in world.nodes
    }
    with contextlib.ExitStack() as stack:
        stack.callback(world.close)
        etcd = stack.enter_context(etcd3(world, release))
        recorded = fill(world, cluster["nodes"], tmp_path / "recorded")
        expected = still_there(recorded)
        carrying = Carrying(world, [cluster["steps"]])
        carrying.start_04()
        before = world.state()
        carrying.there(to_the_end=False)
        carrying.back()
        after = world.state()
        assert {path: text for path, text in after.items() if ".gateway/" not in path} == before
        assert etcd.api.served().keys == {}

        first = cluster["nodes"][0]
        host, port = world.machine(first["name"]).address, int(port_of(first))
        index = index_of(tmp_path / "recorded" / str(first["name"]) / str(recorded))
        with OldClient(host, port, index) as client:
            carrying.there()
            assert len(expected) > 10
            for node in cluster["nodes"]:
                at = world.machine(node["name"]).address
                check_served(at, int(port_of(node)), expected)
            written = request(port, "PUT", "/v2/keys/written", {"value": "after"}, host=host)
            assert written.status == 201, written.body
            *expired, last = client.hears(int(written.headers["x-etcd-index"]))
            assert last["node"] == written.json()["node"]
            assert {event["action"] for event in expired} <= {"expire"}
            indexes = [event["node"]["modifiedIndex"] for event in (*expired, last)]
            assert indexes == list(range(index + 1, index + 1 + len(indexes)))
        assert [one for one in world.started() if not is_gateway(one) and one["words"] != ["-version"]] == []
        seen_by_v3(etcd, {**expected, "/written": (b"after", 0, 0)})
        assert set(carrying.not_executed) == {*ALWAYS, *listed}


def index_of(directory: Path) -> int:
    return int(json.loads(migrate02("data", "inspect", "--json", directory).out)["etcdIndex"])


def is_gateway(start: dict[str, Any]) -> bool:
    by_variable = start["variables"].get("ETCD02_ENGINE") == "gateway"
    return by_variable or "--engine=gateway" in start["words"]


def seen_by_v3(etcd: Node, listed: Mapping[str, tuple[bytes | None, int, int]]) -> None:
    """All keys with a value, under the same paths; a checkpoint is a moment behind."""
    wanted = {path: value.decode() for path, (value, *_) in listed.items() if value is not None}
    deadline = time.monotonic() + PATIENCE
    while not wanted.items() <= (found := etcd.api.keys("/")).items():
        assert time.monotonic() < deadline, (wanted, found)
        time.sleep(0.1)
