"""One play with gateways: an etcd 3 of three members, gateways before it, clients of all gateways, and what befalls them.

All that goes between members, and between gateways and members, goes through a proxy that can cut it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.linearizability.checker import check
from tests.linearizability.recorder import CREATED, Recorder
from tests.support.etcd3 import Node, cluster_flags
from tests.support.faultproxy import FaultProxy
from tests.support.gateway import launch
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Process, Reply, keys_below, request

MEMBERS = 3


class Gateway:
    """One that can be killed and started again on its port; the recorder knows it as a member."""

    def __init__(self, name: str, endpoints: list[str]) -> None:
        self.name = name
        self.endpoints = endpoints
        (self.port,) = free_ports(1)
        self.logs: list[str] = []
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """0 while it does not run."""
        return 0 if self._process is None else self._process.popen.pid

    def start(self) -> None:
        self._process = launch(self.endpoints, name=self.name, port=self.port)
        self._process.wait_until_serving()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self.logs.append(self._process.log)
            self._process.__exit__()
            self._process = None

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, *, timeout: float = PATIENCE
    ) -> Reply:
        return request(self.port, method, path, form, timeout=timeout)

    def content(self) -> list[tuple[str, str | None, int, int]]:
        """All keys, as of a quorum read."""
        return sorted(keys_below(self.request("GET", "/v2/keys/?recursive=true&quorum=true").json()["node"]))


class Stage:
    """All of them."""

    def __init__(self, where: Path, binary: Path, count: int, random: Random) -> None:
        self.nodes = [Node(where / f"v3-{n}") for n in range(MEMBERS)]
        self._binary = binary
        self._random = random
        self._count = count
        self.gateways: list[Gateway] = []
        self.proxy = FaultProxy(self._pids)

    def _pids(self) -> dict[str, int]:
        members = {node.name: node.pid for node in self.nodes if node.runs}
        return members | {gateway.name: gateway.pid for gateway in self.gateways if gateway.pid}

    def __enter__(self) -> Stage:
        endpoints = []
        for node in self.nodes:
            front = self.proxy.front(node.name, node.peer_port)
            node.advertised_peer_url = f"http://127.0.0.1:{front}"
            endpoints.append(f"http://127.0.0.1:{self.proxy.front(node.name, node.client_port)}")
        for node in self.nodes:
            node.begin(self._binary, cluster_flags(self.nodes))
        for node in self.nodes:
            node.wait()
        self.gateways = [Gateway(f"g{n}", endpoints) for n in range(self._count)]
        for gateway in self.gateways:
            gateway.start()
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self.gateways:
            gateway.kill()
        for node in self.nodes:
            node.stop()
        self.proxy.close()

    def leader(self) -> Node:
        """The member that leads the etcd, or any while none does."""
        for node in self.nodes:
            told = node.api.ask("/v3/maintenance/status", {})
            if told.get("leader") == told["header"]["member_id"]:
                return node
        return self.nodes[0]

    def tender(self) -> Gateway:
        """The gateway that writes checkpoints, or any while there is none."""
        told = self._random.choice(self.gateways).request("GET", "/v2/members/leader").json().get("name")
        return next((gateway for gateway in self.gateways if gateway.name == told), self.gateways[0])

    # What befalls them: each undoes it when it goes on

    def kill_the_tender(self) -> Iterator[None]:
        yield from self._killed(self.tender())

    def kill_a_gateway(self) -> Iterator[None]:
        yield from self._killed(self._random.choice(self.gateways))

    def _killed(self, gateway: Gateway) -> Iterator[None]:
        gateway.kill()
        yield
        gateway.start()

    def pause_the_tender(self) -> Iterator[None]:
        yield from _paused(self.tender().pid)

    def pause_a_gateway(self) -> Iterator[None]:
        yield from _paused(self._random.choice(self.gateways).pid)

    def kill_a_member(self) -> Iterator[None]:
        yield from self._killed_member(self._random.choice(self.nodes))

    def kill_the_leader(self) -> Iterator[None]:
        yield from self._killed_member(self.leader())

    def _killed_member(self, node: Node) -> Iterator[None]:
        os.kill(node.pid, signal.SIGKILL)
        yield
        node.stop()
        node.start(self._binary, cluster_flags(self.nodes))

    def pause_a_member(self) -> Iterator[None]:
        yield from _paused(self._random.choice(self.nodes).pid)

    def pause_two_members(self) -> Iterator[None]:
        one, other, _ = self._random.sample(self.nodes, MEMBERS)
        with ExitStack() as stack:
            for node in (one, other):
                os.kill(node.pid, signal.SIGSTOP)
                stack.callback(os.kill, node.pid, signal.SIGCONT)
            yield

    def cut_off_the_leader(self) -> Iterator[None]:
        self.proxy.isolate(self.leader().name)
        yield
        self.proxy.heal()

    def cut_a_member_off_from_the_others(self) -> Iterator[None]:
        """While gateways reach it."""
        node = self._random.choice(self.nodes)
        self.proxy.partition([node.name], [other.name for other in self.nodes if other is not node])
        yield
        self.proxy.heal()

    def refuse_gateways_at_a_member(self) -> Iterator[None]:
        node = self._random.choice(self.nodes)
        self.proxy.refuse([node.name], [gateway.name for gateway in self.gateways])
        yield
        self.proxy.heal()

    def cut_off_the_tender(self) -> Iterator[None]:
        self.proxy.partition([self.tender().name], self._names())
        yield
        self.proxy.heal()

    def cut_off_a_gateway(self) -> Iterator[None]:
        self.proxy.partition([self._random.choice(self.gateways).name], self._names())
        yield
        self.proxy.heal()

    def mute_a_gateway(self) -> Iterator[None]:
        """Nothing that it sends arrives, while it hears all."""
        name = self._random.choice(self.gateways).name
        for member in self._names():
            self.proxy.cut(name, member)
        yield
        self.proxy.heal()

    def deafen_the_tender(self) -> Iterator[None]:
        """What it sends arrives, and it hears nothing."""
        name = self.tender().name
        for member in self._names():
            self.proxy.cut(member, name)
        yield
        self.proxy.heal()

    def _names(self) -> list[str]:
        return [node.name for node in self.nodes]

    def compact(self) -> Iterator[None]:
        node = self._random.choice(self.nodes)
        revision = int(node.api.ask("/v3/kv/range", {"key": "AA=="})["header"]["revision"])
        node.api.ask("/v3/kv/compaction", {"revision": str(max(1, revision - self._random.randint(0, 50)))})
        yield


def _paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


FAULTS: tuple[Callable[[Stage], Iterator[None]], ...] = (
    Stage.kill_the_tender,
    Stage.kill_a_gateway,
    Stage.pause_the_tender,
    Stage.pause_a_gateway,
    Stage.kill_a_member,
    Stage.pause_a_member,
    Stage.pause_two_members,
    Stage.kill_the_leader,
    Stage.cut_off_the_leader,
    Stage.cut_a_member_off_from_the_others,
    Stage.refuse_gateways_at_a_member,
    Stage.cut_off_the_tender,
    Stage.cut_off_a_gateway,
    Stage.mute_a_gateway,
    Stage.deafen_the_tender,
    Stage.compact,
)


def play(where: Path, binary: Path, seed: int, rounds: int, gateways: int) -> Counter[str]:
    """Runs it and returns how often what happened. Raises AssertionError where something does not hold: the history of
    every register is linearizable; every key whose creation was acknowledged is there, at every gateway; all gateways
    hold the same, and so does what v3 has; no fault was logged."""
    random = Random(seed)
    figures: Counter[str] = Counter()
    with Stage(where, binary, gateways, random) as stage:
        with Recorder(stage.gateways, seed) as recorder:  # type: ignore[arg-type]
            faults = [random.choice(FAULTS) if n >= len(FAULTS) else FAULTS[n] for n in range(rounds)]
            for fault in random.sample(faults, len(faults)):
                print(f"seed {seed}: {fault.__name__}", file=sys.stderr, flush=True)
                for _ in fault(stage):
                    # Longer than a lease now and then, so that a tender comes back that is none any more.
                    time.sleep(random.choice((0.5, 1.5, 1.5, 13.0)))
                figures[fault.__name__] += 1
                time.sleep(0.5)
            time.sleep(1)
        until(lambda: all(is_healthy(gateway) for gateway in stage.gateways))
        recorder.read_all()
        assert not recorder.errors, recorder.errors
        for key, history in recorder.histories.items():
            violation = check(history)
            assert violation is None, f"seed {seed} {key}: {violation}"
        contents = [gateway.content() for gateway in stage.gateways]
        for content in contents:
            assert content == contents[0], f"seed {seed}: gateways differ"
            lost = set(recorder.created) - {key for key, *_ in content if key.startswith(CREATED)}
            assert not lost, f"seed {seed} lost {sorted(lost)}"
        files = sorted(key for key, value, *_ in contents[0] if value is not None)
        until(lambda: published(stage) == files)
        for gateway in stage.gateways:
            gateway.kill()
            assert not [log for log in gateway.logs if "this is a fault" in log or "Traceback" in log], (
                gateway.logs
            )
    figures["creations acknowledged"] = len(recorder.created)
    figures.update({f"operations {what}": count for what, count in recorder.figures.items()})
    return figures


def is_healthy(gateway: Gateway) -> bool:
    try:
        return gateway.request("GET", "/health").status == 200
    except OSError:
        return False


def published(stage: Stage) -> list[str]:
    return sorted(key for key in stage.nodes[0].api.keys("/"))


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
