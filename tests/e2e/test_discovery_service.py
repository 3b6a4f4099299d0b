"""The discovery service as a process: real etcd finds itself through it, and no token is lost to kill -9."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.cluster.discovery import Discovery, Found
from server.discoveryclient import DiscoveryClient
from tests.support import real_etcd
from tests.support.discovery import ETCD02, DiscoveryService, new_url
from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Member, Process

pytestmark = pytest.mark.slow

UNSUPPORTED = {"ETCD_UNSUPPORTED_ARCH": os.uname().machine}


def real_member(binary: Path, name: str, url: str, tmp_path: Path) -> Process:
    """A member of real etcd that finds the others by a discovery URL."""
    client, peer = free_ports(2)
    flags = {
        "name": name,
        "data-dir": str(tmp_path / name),
        "listen-client-urls": f"http://127.0.0.1:{client}",
        "advertise-client-urls": f"http://127.0.0.1:{client}",
        "listen-peer-urls": f"http://127.0.0.1:{peer}",
        "initial-advertise-peer-urls": f"http://127.0.0.1:{peer}",
        "discovery": url,
        "discovery-fallback": "exit",
        "enable-v2": "true",
    }
    return Process(
        [str(binary), *(f"--{key}={value}" for key, value in flags.items())], client, env=UNSUPPORTED
    )


@pytest.fixture
def local_store(tmp_path: Path) -> Iterator[Process]:
    with DiscoveryService("--data-dir", str(tmp_path / "tokens")).start() as service:
        yield service


@pytest.fixture
def store_in_real_etcd(tmp_path: Path) -> Iterator[Process]:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    with (
        real_etcd.running(binary, tmp_path / "store", tmp_path / "store.log", "--enable-v2") as etcd,
        DiscoveryService("--store", etcd.url).start() as service,
    ):
        yield service


@pytest.mark.real_etcd
@pytest.mark.parametrize("store", ["local_store", "store_in_real_etcd"])
def test_three_of_real_etcd_find_each_other_and_a_fourth_is_told_it_is_full(
    store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    service: Process = request.getfixturevalue(store)
    url = new_url(service, 3)
    with ExitStack() as stack:
        members = []
        for n in range(3):
            members.append(stack.enter_context(real_member(binary, f"infra{n}", url, tmp_path)))
        for member in members:
            member.wait_until_serving()
        members[0].wait_for_members("infra0", "infra1", "infra2")
        assert members[0].put("/a", "1").status == 201
        fourth = stack.enter_context(real_member(binary, "infra3", url, tmp_path))
        assert fourth.popen.wait(PATIENCE) == 1
        assert "discovery: cluster is full" in fourth.log


def test_twenty_race_for_three_places_and_no_key_is_lost(local_store: Process) -> None:
    url = new_url(local_store, 3)

    async def join(n: int) -> Found:
        async with DiscoveryClient(url) as client:
            discovery = Discovery(url, client.ask, sleep=asyncio.sleep, now=time.monotonic)
            return await discovery.join(f"{n + 1:x}", f"infra{n}=http://10.0.1.{n}:2380", "/data")

    async def race() -> list[Found]:
        return await asyncio.wait_for(asyncio.gather(*map(join, range(20))), PATIENCE)

    found = asyncio.run(race())
    assert sum(not one.full for one in found) == 3
    (cluster,) = {one.initial_cluster for one in found}
    node = local_store.request("GET", url.removeprefix(local_store.url)).json()["node"]
    assert isinstance(node, dict)
    registered = sorted(node["nodes"], key=lambda one: one["createdIndex"])
    assert ",".join(one["value"] for one in registered[:3]) == cluster


@pytest.mark.real_etcd
def test_real_etcd_prints_what_to_do_about_a_token_that_is_not_there(
    local_store: Process, tmp_path: Path
) -> None:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    with real_member(binary, "infra0", f"{local_store.url}/deadbeef", tmp_path) as member:
        assert member.popen.wait(PATIENCE) == 1
        assert "no such discovery token; it is mistyped or has expired" in member.log


@pytest.mark.real_etcd
def test_a_store_that_goes_away_is_answered_503_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = real_etcd.required(real_etcd.etcd34(), real_etcd.HOW_34)
    monkeypatch.setenv(*next(iter(UNSUPPORTED.items())))
    store = Member(tmp_path / "store")
    with store.start_real(str(binary), "--enable-v2") as etcd:
        service = DiscoveryService("--store", etcd.url).start()
    with service:
        refused = service.request("GET", "/new")
        assert refused.status == 503
        assert b"connection refused" in refused.body
        with store.start_real(str(binary), "--enable-v2"):
            assert new_url(service, 3)


def test_tokens_and_members_survive_kill_9(tmp_path: Path) -> None:
    service = DiscoveryService("--data-dir", str(tmp_path / "tokens"))
    with service.start() as process:
        path = new_url(process, 5).removeprefix(service.url)
        assert (
            process.request("PUT", f"{path}/a0?prevExist=false", {"value": "a=http://10.0.0.1:2380"}).status
            == 201
        )
        before = process.request("GET", path).json()
        process.kill()
    with service.start() as process:
        after = process.request("GET", path).json()
        assert _without_ttl(after) == _without_ttl(before)
        size = process.request("GET", f"{path}/_config/size").json()["node"]
        assert isinstance(size, dict)
        assert size["value"] == "5"


def _without_ttl(event: dict[str, object]) -> str:
    node = event["node"]
    assert isinstance(node, dict)
    return json.dumps({key: value for key, value in node.items() if key != "ttl"})


def test_a_signal_ends_it_even_while_members_wait(tmp_path: Path) -> None:
    service = DiscoveryService("--data-dir", str(tmp_path / "tokens"))
    with service.start() as process:
        path = new_url(process, 3).removeprefix(service.url)
        with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as waiting:
            waiting.sendall(f"GET {path}?wait=true&recursive=true HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert waiting.recv(65536).startswith(b"HTTP/1.1 200")
            assert process.stop(signal.SIGTERM) == -signal.SIGTERM
            assert waiting.recv(65536) == b""  # broken off, which is no end of a body


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    return subprocess.run(
        [ETCD02, "discovery-service", *words], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--help"], 0, "--token-ttl TIME"),
        (["--nosuch"], 2, "flag provided but not defined: -nosuch"),
        (["--token-ttl", "1w"], 2, "--token-ttl 1w: write a number with s, m, h or d"),
        (["now"], 1, "'now' is not a valid flag"),
        (["--listen-client-urls", "https://127.0.0.1:0"], 1, "KeyFile and CertFile are not presented"),
    ],
)
def test_what_it_does_not_start_with(words: list[str], status: int, said: str, tmp_path: Path) -> None:
    ended = run(*words)
    assert ended.returncode == status
    assert said in (ended.stdout if status == 0 else ended.stderr)


def test_a_port_that_is_taken_and_a_directory_of_something_else_are_told(tmp_path: Path) -> None:
    with DiscoveryService("--data-dir", str(tmp_path / "tokens")).start() as process:
        taken = run("--listen-client-urls", process.url, "--data-dir", str(tmp_path / "other"))
    assert taken.returncode == 1
    assert "bind: address already in use" in taken.stderr
    (tmp_path / "proxied" / "proxy").mkdir(parents=True)
    of_a_proxy = run("--listen-client-urls", "http://127.0.0.1:0", "--data-dir", str(tmp_path / "proxied"))
    assert of_a_proxy.returncode == 1
    assert "is none of a discovery service" in of_a_proxy.stderr


def test_who_asks_for_token_after_token_is_told_to_wait_and_what_lives_is_counted_after_a_restart(
    tmp_path: Path,
) -> None:
    flags = ("--data-dir", str(tmp_path / "tokens"), "--new-per-hour", "3")
    with DiscoveryService(*flags).start() as process:
        answers = [process.request("GET", "/new") for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 1200
        process.kill()
    with DiscoveryService(*flags, "--max-tokens", "4").start() as process:
        answers = [process.request("GET", "/new") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 429]
        assert int(answers[-1].headers["retry-after"]) == 3600


def test_a_crowd_of_idle_connections_keeps_nobody_out(tmp_path: Path) -> None:
    service = DiscoveryService("--data-dir", str(tmp_path / "tokens"))
    service.under = ("prlimit", "--nofile=200:200")
    with service.start() as process, ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), PATIENCE))
        assert new_url(process, 3)
        assert process.popen.poll() is None
