"""The networks of the tests: who is on one reaches the others there and nobody else, and nothing is left of it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import namespaces
from tests.support.namespaces import Network, NetworkError
from tests.support.real_etcd import needed

SOON = 0.3
"""Seconds in which an answer that may not come would have come."""


@pytest.fixture(autouse=True)
def allowed() -> None:
    needed(namespaces.trouble())


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


def left(by: int) -> list[str]:
    """What there is of a process's networks."""
    return [
        str(path)
        for folder in ("/run/netns", "/etc/netns")
        for path in Path(folder).glob(f"migrate02-{by}-*")
    ]


def test_machines_reach_each_other_and_nobody_elses(network: Network) -> None:
    infra0, infra1 = network.add("infra0", "10.0.1.10"), network.add("infra1", "10.0.1.11")
    with Network() as other:
        outsider = other.add("infra0", "10.0.1.12")
        with infra0.inside(), socket.create_server(("10.0.1.10", 2379)) as server:
            server.settimeout(5)
            with infra1.inside(), socket.create_connection(("10.0.1.10", 2379), 5):
                accepted, address = server.accept()
                accepted.close()
                assert address[0] == "10.0.1.11"
            with outsider.inside(), pytest.raises(OSError):  # noqa: PT011 (unreachable, or no answer)
                socket.create_connection(("10.0.1.10", 2379), SOON)


def test_a_process_is_back_where_it_was_after_it_was_inside(network: Network) -> None:
    def where() -> str:
        return os.readlink("/proc/thread-self/ns/net")

    here = where()
    infra0 = network.add("infra0", "10.0.1.10")

    def fail_there() -> None:
        with infra0.inside():
            assert where() != here
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_there()
    assert where() == here


def test_a_machine_has_names_of_its_own(network: Network) -> None:
    infra0 = network.add("infra0", "10.0.1.10", hosts={"myetcd.local": "10.0.1.20"}, name_server="10.0.1.2")
    script = "import socket; print(socket.gethostbyname('myetcd.local'), socket.gethostbyname('localhost'), open('/etc/resolv.conf').read())"
    argv = [*infra0.command, sys.executable, "-c", script]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["10.0.1.20", "127.0.0.1", "nameserver", "10.0.1.2"]


def test_nothing_is_left_of_a_network() -> None:
    with Network() as network:
        network.add("infra0", "10.0.1.10")
        assert len(left(os.getpid())) == 3
    assert left(os.getpid()) == []


def test_nothing_is_left_after_a_failure() -> None:
    def fail() -> None:
        with Network() as network:
            network.add("infra0", "10.0.1.10")
            network.add("infra1", "10.0.1.300")

    with pytest.raises(NetworkError, match=r"10\.0\.1\.300"):
        fail()
    assert left(os.getpid()) == []


def test_what_a_killed_process_left_is_removed_by_the_next() -> None:
    script = "import os; from tests.support.namespaces import Network; Network().__enter__().add('a', '10.0.1.1'); os.kill(os.getpid(), 9)"
    killed = subprocess.Popen([sys.executable, "-c", script])
    assert killed.wait() == -9
    assert left(killed.pid)
    with Network():
        assert left(killed.pid) == []
