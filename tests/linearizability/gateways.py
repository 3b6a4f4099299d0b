"""One play with gateways: an etcd 3 of three members, gateways before it, clients of all gateways, and what befalls them."""

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
from tests.support.gateway import start
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
        assert self._process is not None
        return self._process.popen.pid

    def start(self) -> None:
        self._process = start(self.endpoints, name=self.name, port=self.port)

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

    def __enter__(self) -> Stage:
        for node in self.nodes:
            node.begin(self._binary, cluster_flags(self.nodes))
        for node in self.nodes:
            node.wait()
        self.gateways = [Gateway(f"g{n}", [node.url for node in self.nodes]) for n in range(self._count)]
        for gateway in self.gateways:
            gateway.start()
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self.gateways:
            gateway.kill()
        for node in self.nodes:
            node.stop()

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
        node = self._random.choice(self.nodes)
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
