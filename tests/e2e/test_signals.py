"""The signals that etcd survives end none of ours, and those that end it end ours."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.signals import SURVIVED
from tests.support import real_etcd
from tests.support.discovery import DiscoveryService, answers, wait_for
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process

pytestmark = pytest.mark.slow

WITHOUT_EFFECT = {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH}
"""By the kernel's default."""

STOP = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
ENDS = set(signal.valid_signals()) - SURVIVED - WITHOUT_EFFECT - STOP - {signal.SIGKILL}


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Process]:
    with Member(tmp_path / "m").start() as process:
        yield process


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Process]:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    with Member(tmp_path / "m").start_real(str(binary), "--enable-v2") as process:
        yield process


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Process]:
    with Member(tmp_path / "m").start() as member, ExitStack() as stack:
        (port,) = free_ports(1)
        settings = Member(tmp_path / "p", proxy="on", listen_client_urls=f"http://127.0.0.1:{port}")
        settings.client_port = port
        settings.settings["initial-cluster"] = f"m1=http://127.0.0.1:{_peer_port(member)}"
        process = stack.enter_context(settings.launch())
        wait_for(lambda: answers(process, "/health"), process)
        yield process


def _peer_port(member: Process) -> str:
    return str(member.request("GET", "/v2/members").json()["members"][0]["peerURLs"][0]).rpartition(":")[2]  # type: ignore[index]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Process]:
    with DiscoveryService("--data-dir", str(tmp_path / "tokens")).start() as process:
        yield process


@pytest.mark.parametrize("who", ["member", "proxy", "service", "real"])
def test_a_signal_that_etcd_survives_ends_nobody(who: str, request: pytest.FixtureRequest) -> None:
    process: Process = request.getfixturevalue(who)
    for number in sorted({*SURVIVED, *WITHOUT_EFFECT}):
        process.popen.send_signal(number)
        assert process.request("GET", "/health").status == 200, number
    assert process.popen.poll() is None


@pytest.mark.parametrize("number", sorted(ENDS), ids=lambda number: signal.Signals(number).name)
@pytest.mark.parametrize("who", ["member", "real"])
def test_a_signal_that_ends_etcd_ends_a_member(
    who: str, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    process: Process = request.getfixturevalue(who)
    process.popen.send_signal(number)
    assert process.popen.wait(PATIENCE) != 0


@pytest.fixture
def ignored(number: signal.Signals) -> Iterator[None]:
    """What is started inherits it."""
    before = signal.signal(number, signal.SIG_IGN)
    yield
    signal.signal(number, before)


@pytest.mark.parametrize("number", sorted(ENDS - {34}), ids=lambda number: signal.Signals(number).name)
@pytest.mark.parametrize("who", ["member", "real"])
@pytest.mark.usefixtures("ignored")
def test_a_signal_that_was_ignored_at_the_start_ends_a_member_if_it_ends_etcd(
    who: str, number: signal.Signals, request: pytest.FixtureRequest
) -> None:
    process: Process = request.getfixturevalue(who)
    process.popen.send_signal(number)
    if number is signal.SIGHUP:
        assert process.request("GET", "/health").status == 200
    else:
        assert process.popen.wait(PATIENCE) != 0
