"""A zone of IPv6 (``http://[fe80::77%25lo]:2379``) in URLs of every kind: where members, proxies and the discovery service
listen, what they advertise, whom they dial, and what the tools are given."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from server.listen import ListenError, listen
from tests.support import namespaces
from tests.support.namespaces import Namespace, Network
from tests.support.real_etcd import needed

BIN = Path(sys.executable).parent
HOST = "[fe80::77%25lo]"
PATIENCE = 90.0


class Machine:
    """Where all of it runs; what was started ends with it."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self._command = namespace.command
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.run("ip", "addr", "add", "fe80::77/64", "dev", "lo", "nodad")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def start(self, *words: str) -> None:
        with (self._folder / "log").open("ab") as log:
            self._running.append(
                subprocess.Popen([*self._command, BIN / "etcd02", *words], stdout=log, stderr=log)
            )

    def member(self, name: str, client: int, *more: str) -> None:
        clients, peers = f"http://{HOST}:{client}", f"http://{HOST}:{client + 1}"
        self.start(
            *("--name", name, "--data-dir", str(self._folder / name)),
            *("--listen-client-urls", clients, "--advertise-client-urls", clients),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *more,
        )

    def until(self, wanted: str, *words: str) -> str:
        """Runs it until it prints that."""
        deadline = time.monotonic() + PATIENCE
        while True:
            ran = self.run(*words)
            if wanted in ran.stdout:
                return ran.stdout
            if time.monotonic() > deadline:
                raise AssertionError(f"{ran.stdout}{ran.stderr}\n{(self._folder / 'log').read_text()}")
            time.sleep(0.1)

    def etcdctl(self, wanted: str, port: int, *words: str) -> str:
        return self.until(wanted, str(BIN / "etcdctl02"), "--endpoints", f"http://{HOST}:{port}", *words)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    needed(namespaces.trouble())
    with Network() as network, Machine(network.add("zones", "10.0.1.10"), tmp_path) as machine:
        yield machine


@pytest.mark.slow
def test_members_a_proxy_a_discovery_url_and_the_tools(machine: Machine, tmp_path: Path) -> None:
    cluster = f"a=http://{HOST}:2380,b=http://{HOST}:2480"
    machine.member("a", 2379, "--initial-cluster", cluster)
    machine.member("b", 2479, "--initial-cluster", cluster)
    machine.etcdctl("bar", 2379, "set", "foo", "bar")
    machine.etcdctl("bar", 2479, "get", "--quorum", "foo")
    listed = machine.etcdctl("name=b", 2479, "member", "list")
    assert f"peerURLs=http://{HOST}:2480 clientURLs=http://{HOST}:2479" in listed
    # the ids are those that etcd 2.3.8 gives to such members
    assert {line.partition(":")[0] for line in listed.splitlines()} == {
        "9f5238aa0b4f879a",
        "b8e573e47943964c",
    }
    machine.etcdctl("cluster is healthy", 2379, "cluster-health")

    machine.start(
        *("--proxy", "on", "--data-dir", str(tmp_path / "proxy"), "--initial-cluster", cluster),
        *("--listen-client-urls", f"http://{HOST}:2579"),
    )
    machine.etcdctl("bar", 2579, "--no-sync", "get", "foo")

    machine.etcdctl("1", 2379, "set", "/_etcd/registry/t/_config/size", "1")
    token = f"http://{HOST}:2379/v2/keys/_etcd/registry/t"
    machine.until("missing  1", str(BIN / "migrate02"), "discovery", "inspect", token)
    machine.member("d", 2679, "--discovery", token)
    machine.etcdctl("baz", 2679, "set", "foo", "baz")

    tool = str(BIN / "migrate02")
    machine.until("1 differences", tool, "data", "verify", f"http://{HOST}:2379", f"http://{HOST}:2679")
    carried = machine.run(
        tool, "import", "--live", f"http://{HOST}:2379", "--to", f"http://{HOST}:2679", "--overwrite"
    )
    assert "1 keys made" in carried.stdout, carried.stderr
    live = machine.run(tool, "plan", "--live", f"http://{HOST}:2380")
    assert "it answers 404 at" in live.stderr


def test_a_zone_that_is_not_there_is_refused_with_its_name() -> None:
    with pytest.raises(ListenError, match="fe80::77%nowhere"):
        listen("http://[fe80::77%25nowhere]:2379")
