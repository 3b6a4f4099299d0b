"""The ports that tests give to servers are nobody else's."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.support.ports import free_ports, loopback_network

_ANOTHER = "from tests.support.ports import free_ports; print(*free_ports(40), flush=True); input()"


def test_ports_are_different_and_not_for_outgoing_connections() -> None:
    ports = free_ports(20) + free_ports(20)
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(ports)) == 40
    assert max(ports) < first


def test_no_other_process_that_runs_tests_gets_them() -> None:
    given = set(free_ports(40))
    with ExitStack() as stack:
        for _ in range(3):
            other = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _ANOTHER],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=Path(__file__).parents[1],
                )
            )
            assert other.stdout is not None
            ports = set(map(int, other.stdout.readline().split()))
            assert len(ports) == 40
            assert not ports & given
            given |= ports


def test_addresses_are_this_process_s_alone() -> None:
    network = loopback_network()
    assert network == loopback_network()
    said = "from tests.support.ports import loopback_network; print(loopback_network(), flush=True); input()"
    with ExitStack() as stack:
        given = {network}
        for _ in range(3):
            other = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", said],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[1],
                )
            )
            assert other.stdout is not None
            found = other.stdout.readline().strip()
            assert found.startswith("127.")
            assert found not in given
            given.add(found)
