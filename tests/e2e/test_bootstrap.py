"""Starts of ``etcd02`` that cannot begin or join a cluster: exit status and words, and nothing left behind.

The words are those of etcd 2.3.8, recorded from it, and then the clustering guide's where it has others.
"""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process

pytestmark = pytest.mark.slow

DIFFERENT = (
    "I | etcdmain: error setting up initial cluster: "
    "infra0 has different advertised URLs in the cluster and advertised peer URLs list"
)
"""The guide's words, after those of 2.3.8."""

ETCD02 = str(Path(sys.executable).with_name("etcd02"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


class Refused:
    """A start that is expected to end by itself; ``lines`` without their time, those about listening apart."""

    def __init__(self, data_dir: Path, *words: str) -> None:
        done = subprocess.run(
            [ETCD02, "--data-dir", str(data_dir), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert not data_dir.exists(), done.stderr
        self.status = done.returncode
        lines = [re.sub(r"^[\d-]+ [\d:.]+ ", "", line) for line in done.stderr.splitlines()]
        self.lines = [
            line for line in lines if " listening for " not in line and "| etcdmain: listening" not in line
        ]


def urls(ports: list[int]) -> list[str]:
    return [f"http://127.0.0.1:{port}" for port in ports]


class Machine:
    """The addresses of one member that has never run, and its flags."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client, self.peer, self.unused = urls(free_ports(3))

    def flags(self, *more: str) -> list[str]:
        return [
            *("--name", self.name),
            *("--listen-client-urls", self.client, "--advertise-client-urls", self.client),
            *("--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer),
            *more,
        ]


@pytest.fixture
def infra0() -> Machine:
    return Machine("infra0")


def refused(machine: Machine, tmp_path: Path, *more: str) -> list[str]:
    """The lines of a start that exits 1, without those of every start."""
    got = Refused(tmp_path / "never", *machine.flags(*more))
    assert got.status == 1, got.lines
    return [
        line for line in got.lines if "etcd Version" not in line and "bundled server of migrate02" not in line
    ]


def test_the_guides_member_that_is_not_listed(infra0: Machine, tmp_path: Path) -> None:
    assert refused(infra0, tmp_path, "--initial-cluster", f"infra1={infra0.peer}") == [
        'C | etcdmain: couldn\'t find local name "infra0" in the initial cluster configuration',
        f"I | etcdmain: infra0 not listed in the initial cluster config: add infra0={infra0.peer} to --initial-cluster",
    ]


def test_the_guides_member_with_other_advertised_urls(infra0: Machine, tmp_path: Path) -> None:
    other = infra0.unused
    assert refused(infra0, tmp_path, "--initial-cluster", f"infra0={other},infra1=http://127.0.0.1:1") == [
        f"I | etcdmain: --initial-cluster must include infra0={infra0.peer} "
        f"given --initial-advertise-peer-urls={infra0.peer}",
        DIFFERENT,
    ]


def test_no_list_at_all(infra0: Machine, tmp_path: Path) -> None:
    assert refused(infra0, tmp_path) == [
        f"I | etcdmain: --initial-cluster must include infra0={infra0.peer} "
        f"given --initial-advertise-peer-urls={infra0.peer}",
        "I | etcdmain: forgot to set --initial-cluster flag?",
        "I | etcdmain: if you want to use discovery service, please set --discovery flag.",
        DIFFERENT,
    ]


def test_a_url_twice_and_an_item_without_one(infra0: Machine, tmp_path: Path) -> None:
    twice = f"infra0={infra0.peer},infra1={infra0.peer}"
    assert refused(infra0, tmp_path, "--initial-cluster", twice) == [
        f"C | etcdmain: initial cluster {twice} has duplicate url"
    ]
    assert refused(infra0, tmp_path, "--initial-cluster", f"infra0={infra0.peer},infra1") == [
        "C | etcdmain: error setting up initial cluster: URL scheme must be http or https: "
    ]


def test_joining_when_nobody_answers(infra0: Machine, tmp_path: Path) -> None:
    words = f"infra0={infra0.peer},infra1={infra0.unused}", "--initial-cluster-state", "existing"
    first, second, _ = refused(infra0, tmp_path, "--initial-cluster", *words)
    address = infra0.unused.removeprefix("http://")
    assert first == (
        f"W | etcdserver: could not get cluster response from {infra0.unused}: "
        f'Get "{infra0.unused}/members": dial tcp {address}: connect: connection refused'
    )
    assert second == (
        "C | etcdmain: cannot fetch cluster info from peer urls: "
        "could not retrieve cluster information from the given urls"
    )


def test_joining_by_discovery(infra0: Machine, tmp_path: Path) -> None:
    token = f"{infra0.unused}/v2/keys/_etcd/registry/x"
    assert refused(infra0, tmp_path, "--discovery", token, "--initial-cluster-state", "existing") == [
        "C | etcdmain: discovery URL should not be set when joining existing initial cluster"
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_member_that_waits_for_an_answer(
    infra0: Machine, tmp_path: Path, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        listed = f"infra0={infra0.peer},infra1=http://127.0.0.1:{silent.getsockname()[1]}"
        words = infra0.flags("--initial-cluster", listed, "--initial-cluster-state", "existing")
        argv = [ETCD02, "--data-dir", str(tmp_path / "d"), *words]
        with Process(argv, int(infra0.client.rpartition(":")[2])) as process:
            connection, _ = silent.accept()
            with connection:
                assert process.stop(number) == -number
            assert "Traceback" not in process.log


# beside a member that runs


class Running:
    """A cluster of one, m1."""

    def __init__(self, member: Member, process: Process) -> None:
        self.peer = member.settings["initial-advertise-peer-urls"]
        self.process = process
        self.client = process.url
        self.id = process.request("GET", "/v2/stats/self").json()["id"]
        self.cluster = process.get("/").headers["x-etcd-cluster-id"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    member = Member(tmp_path / "m1")
    with member.launch() as process:
        process.wait_until_serving()
        yield Running(member, process)


def test_the_guides_member_with_another_list(infra0: Machine, running: Running, tmp_path: Path) -> None:
    lines = refused(infra0, tmp_path, "--initial-cluster", f"infra0={infra0.peer},m1={running.peer}")
    found = re.fullmatch(
        r"C \| etcdmain: conflicting cluster ID to the target cluster \(([0-9a-f]+) != ([0-9a-f]+)\)\. Exiting\.",
        lines[0],
    )
    assert found is not None
    assert found[1] != found[2] == running.cluster


def test_a_member_that_ran_elsewhere_before(running: Running, tmp_path: Path) -> None:
    """Its list names another member too, at whose address the one that runs can be asked."""
    twin = Machine("m1")
    twin.peer = running.peer
    lines = refused(
        twin, tmp_path, "--listen-peer-urls", twin.unused, "--initial-cluster", f"m1={twin.peer},x={twin.peer.replace('127.0.0.1', 'localhost')}",
    )  # fmt: skip
    assert lines[0] == f"C | etcdmain: member {running.id} has already been bootstrapped"


def test_joining_with_another_count_of_members(infra0: Machine, running: Running, tmp_path: Path) -> None:
    words = f"infra0={infra0.peer},m1={running.peer}", "--initial-cluster-state", "existing"
    assert refused(infra0, tmp_path, "--initial-cluster", *words)[0] == (
        f"C | etcdmain: error validating peerURLs {{ClusterID:{running.cluster} Members:[&{{ID:{running.id} "
        f"RaftAttributes:{{PeerURLs:[{running.peer}]}} Attributes:{{Name:m1 ClientURLs:[{running.client}]}}}}] "
        "RemovedMemberIDs:[]}: member count is unequal"
    )


def test_joining_with_other_urls(infra0: Machine, running: Running, tmp_path: Path) -> None:
    added = running.process.add_member(infra0.unused)
    words = f"infra0={infra0.peer},m1={running.peer}", "--initial-cluster-state", "existing"
    line = refused(infra0, tmp_path, "--initial-cluster", *words)[0]
    assert f"{{ClusterID:{running.cluster} Members:[" in line
    assert (
        f"{{ID:{added} RaftAttributes:{{PeerURLs:[{infra0.unused}]}} Attributes:{{Name: ClientURLs:[]}}}}"
        in line
    )
    assert line.endswith(": unmatched member while checking PeerURLs")


def test_joining_as_the_member_that_was_added(infra0: Machine, running: Running, tmp_path: Path) -> None:
    added = running.process.add_member(infra0.peer)
    words = f"infra0={infra0.peer},m1={running.peer}", "--initial-cluster-state", "existing"
    argv = [ETCD02, "--data-dir", str(tmp_path / "d"), *infra0.flags("--initial-cluster", *words)]
    restarting = f"restarting member {added} in cluster {running.cluster}"
    for wanted in (f"starting member {added} in cluster {running.cluster}", restarting):
        with Process(argv, int(infra0.client.rpartition(":")[2])) as process:
            process.wait_for_line(wanted)
            process.kill()
