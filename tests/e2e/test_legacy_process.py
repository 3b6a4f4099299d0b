"""0.4's endpoints from the outside: on for a command line of 0.4, off for one of 2.x, and the stories of old programs."""

import contextlib
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.process import PATIENCE, Process, request

pytestmark = pytest.mark.slow

ETCD02 = str(Path(sys.executable).with_name("etcd02"))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def old_words(client_port: int, peer_port: int) -> list[str]:
    """0.4's own command line."""
    client, peer = f"127.0.0.1:{client_port}", f"127.0.0.1:{peer_port}"
    words = ["-name", "m1", "-addr", client, "-bind-addr", "127.0.0.1"]
    return [*words, "-peer-addr", peer, "-peer-bind-addr", "127.0.0.1", "-cluster-active-size", "9"]


def new_words(client_port: int, peer_port: int) -> list[str]:
    """The same in 2.x's words."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    words = ["--name", "m1", "--listen-client-urls", client, "--advertise-client-urls", client]
    words += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
    return [*words, "--initial-cluster", f"m1={peer}"]


def lock(member: Process, name: str, **form: str) -> "Asking":
    return Asking(member, "POST", f"/mod/v2/lock/{name}", form)


class Asking:
    """A request that takes its time; ``hang_up`` ends the connection as a program that dies does."""

    def __init__(self, member: Process, method: str, path: str, form: dict[str, str]) -> None:
        body = "&".join(f"{name}={value}" for name, value in form.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        self._socket = socket.create_connection(("127.0.0.1", member.client_port), PATIENCE)
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def answer(self) -> tuple[int, str]:
        response = http.client.HTTPResponse(self._socket)
        response.begin()
        with contextlib.closing(self._socket):
            return response.status, response.read().decode()

    def stop_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def hang_up(self) -> None:
        self._socket.close()


def waiting(member: Process, name: str, count: int) -> None:
    """Returns when so many have the lock or wait for it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        got = member.get(f"/_etcd/mod/lock/{name}").json().get("node")
        if len(got.get("nodes", ()) if isinstance(got, dict) else ()) == count:
            return
        time.sleep(0.02)
    raise AssertionError(f"never {count}: {member.get(f'/_etcd/mod/lock/{name}').body.decode()}")


@pytest.mark.parametrize(
    ("words", "more", "on"),
    [
        (old_words, (), True),
        (old_words, ("-legacy-api=false",), False),
        (old_words, ("-legacy-api",), True),
        (new_words, (), False),
        (new_words, ("--legacy-api",), True),
    ],
    ids=["0.4", "0.4, off", "0.4, on", "2.x", "2.x, on"],
)
def test_a_command_line_of_0_4_has_the_clients_of_0_4(
    words: Callable[[int, int], list[str]], more: tuple[str, ...], on: bool
) -> None:
    client, peer = free_ports(2)
    with Process([ETCD02, *words(client, peer), *more], client) as member:
        member.wait_until_serving()
        leader = member.request("GET", "/v2/leader")
        version = member.request("GET", "/version")
        machines = request(peer, "GET", "/v2/admin/machines")
        assert ("--legacy-api" in member.log) == on
        if on:
            assert (leader.status, leader.body.decode()) == (200, f"http://127.0.0.1:{peer}")
            assert version.body == b"etcd 0.4.9"
            assert json.loads(machines.body)[0]["state"] == "leader"
        else:
            assert (leader.status, leader.body) == (404, b"404 page not found\n")
            assert version.json()["etcdserver"] == "2.3.8"
            assert machines.status == 404
        assert "etcdserver" in request(peer, "GET", "/version").json()


def test_a_variable_has_the_last_word_after_flags() -> None:
    client, peer = free_ports(2)
    env = {"ETCD_LEGACY_API": "false"}
    with Process([ETCD02, *old_words(client, peer)], client, env=env) as member:
        assert member.wait_until_serving().request("GET", "/v2/leader").status == 404


@pytest.fixture
def member() -> Iterator[Process]:
    client, peer = free_ports(2)
    with Process([ETCD02, *old_words(client, peer)], client) as process:
        yield process.wait_until_serving()


def test_the_story_of_a_client_that_looks_for_the_leader(
    member: Process,
) -> None:
    """What go-etcd of 0.4's time and health scripts do: machines, leader, a key by way of /v2 and of /v1."""
    machines = member.request("GET", "/v2/machines").body.decode().split(", ")
    assert machines == [member.url]
    registry = member.get("/_etcd/machines", "recursive=true").json()["node"]
    assert isinstance(registry, dict)
    assert (
        f"raft={member.request('GET', '/v2/leader').body.decode()}".replace(":", "%3A").replace("/", "%2F")
        in registry["nodes"][0]["value"]
    )
    assert member.put("/services/web", "10.0.0.1:80").status == 201
    assert b'"value":"10.0.0.1:80"' in member.request("GET", "/v1/keys/services/web").body
    answers: list[bytes] = []
    watch = threading.Thread(
        target=lambda: answers.append(member.request("GET", "/v1/watch/services/web").body)
    )
    watch.start()
    while watch.is_alive():
        member.put("/services/web", "10.0.0.2:80")
        watch.join(0.05)
    assert b'"value":"10.0.0.2:80"' in answers[0]


def test_the_story_of_a_program_that_locks(member: Process) -> None:
    """As python-etcd 0.3 does it: acquire, is it still mine, renew, release, while another waits for it."""
    status, index = lock(member, "job", ttl="30").answer()
    assert status == 200
    other = lock(member, "job", ttl="30", value="other")
    waiting(member, "job", 2)
    assert member.request("GET", "/mod/v2/lock/job?field=index").body.decode() == index
    assert member.request("PUT", "/mod/v2/lock/job", {"ttl": "30", "index": index}).status == 200
    waiting(member, "job", 2)
    assert member.request("DELETE", f"/mod/v2/lock/job?index={index}").status == 200
    status, theirs = other.answer()
    assert (status, int(theirs) > int(index)) == (200, True)
    assert member.request("GET", "/mod/v2/lock/job").body == b"other"


@pytest.mark.parametrize("ending", [Asking.hang_up, Asking.stop_sending], ids=["closed", "half closed"])
def test_who_hangs_up_is_not_waited_for(member: Process, ending: Callable[[Asking], None]) -> None:
    lock(member, "job", ttl="60", value="a").answer()
    gone = lock(member, "job", ttl="60", value="b")
    waiting(member, "job", 2)
    ending(gone)
    waiting(member, "job", 1)
    assert member.request("GET", "/mod/v2/lock/job").body == b"a"


_PATIENT = "from server.http import serving; serving._SHUTDOWN_PATIENCE = 600; from compat.etcd02 import entry; entry()"
"""One that gives requests ten minutes to finish when it ends, not a second."""


def test_a_lock_that_is_waited_for_does_not_hold_up_the_end() -> None:
    client, peer = free_ports(2)
    with Process([sys.executable, "-c", _PATIENT, *old_words(client, peer)], client) as member:
        member.wait_until_serving()
        lock(member, "job", ttl="600", value="a").answer()
        waits = lock(member, "job", ttl="600", value="b")
        waiting(member, "job", 2)
        member.stop()
        assert "fault in the server" not in member.log
        waits.hang_up()


def test_three_members_serve_one_lock_and_one_leader() -> None:
    ports = free_ports(6)
    clients, peers = ports[:3], ports[3:]
    cluster = ",".join(f"m{number}=http://127.0.0.1:{port}" for number, port in enumerate(peers))
    with contextlib.ExitStack() as stack:
        members = []
        for number, (client, peer) in enumerate(zip(clients, peers, strict=True)):
            words = new_words(client, peer)[2:-1]
            argv = [ETCD02, "--name", f"m{number}", *words, cluster, "--legacy-api"]
            members.append(stack.enter_context(Process(argv, client)))
        for each in members:
            each.wait_until_serving()
        one, two, three = members
        leaders = {each.request("GET", "/v2/leader").body.decode() for each in members}
        assert len(leaders) == 1
        at = peers.index(int(leaders.pop().rpartition(":")[2]))
        deadline = time.monotonic() + PATIENCE
        while len(shown := one.request("GET", "/v2/machines").body.decode().split(", ")) < 3:
            assert time.monotonic() < deadline, shown
        first, *others = (int(url.rpartition(":")[2]) for url in shown)
        assert first == clients[at]
        assert others == [client for client in clients if client != first]
        states = json.loads(request(peers[0], "GET", "/v2/admin/machines").body)
        assert [state["state"] for state in states] == ["leader", "follower", "follower"]

        assert lock(one, "job", ttl="60", value="a").answer()[0] == 200
        second = lock(two, "job", ttl="60", value="b")
        waiting(two, "job", 2)
        third = lock(three, "job", ttl="60", value="c")
        waiting(three, "job", 3)
        assert three.request("DELETE", "/mod/v2/lock/job?value=a").status == 200
        assert second.answer()[0] == 200
        assert one.request("DELETE", "/mod/v2/lock/job?value=b").status == 200
        assert third.answer()[0] == 200
        waiting(two, "job", 1)
        assert two.request("GET", "/mod/v2/lock/job").body == b"c"
