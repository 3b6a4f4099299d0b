"""Changes of members on running processes: a lost quorum and its remedy, a removed member, and a real etcd beside it."""

import http.client
import json
import time
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member, Process, Reply
from tests.support.real_etcd import HOW_34, RunningEtcd, etcd34, required, running

pytestmark = pytest.mark.slow


def ask(process: Process, method: str, path: str, body: str = "", kind: str = "application/json") -> Reply:
    """A request with a body of any type."""
    connection = http.client.HTTPConnection("127.0.0.1", process.client_port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {"Content-Type": kind})
        got = connection.getresponse()
        return Reply(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
    finally:
        connection.close()


def listed(process: Process) -> list[dict[str, object]]:
    members: list[dict[str, object]] = json.loads(process.request("GET", "/v2/members").body)["members"]
    return members


def wait_until_answering(process: Process) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.popen.poll() is None:
        try:
            process.request("GET", "/version")
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(process.log)


def wait_for_line(process: Process, words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while words not in process.log:
        assert time.monotonic() < deadline, process.log
        time.sleep(0.02)


def test_a_second_member_that_never_comes_and_the_way_out(tmp_path: Path) -> None:
    member = Member(tmp_path / "d", heartbeat_interval="10", election_timeout="100")
    with member.start() as process:
        assert process.put("/a", "1").status == 201
        added = ask(process, "POST", "/v2/members", '{"peerURLs":["http://127.0.0.1:7"]}')
        assert added.status == 201
        assert process.get("/a").status == 200
        health = process.request("GET", "/health")
        assert (health.status, health.body) == (503, b'{"health": "false"}\n')
        write = process.put("/a", "2")
        assert (write.status, write.json()["cause"]) == (500, "etcdserver: request timed out")
        assert process.request("GET", "/v2/members/leader").status == 200
        assert process.stop() == -15

    with member.launch() as process:
        wait_until_answering(process)
        assert process.get("/a").json()["node"]["value"] == "1"  # type: ignore[index]
        leader = process.request("GET", "/v2/members/leader")
        assert (leader.status, leader.body) == (503, b'{"message":"During election"}')
        assert process.request("GET", "/health").status == 503
        assert len(listed(process)) == 2
        wait_for_line(process, "start once with --force-new-cluster")
        assert "Traceback" not in process.log
        assert process.stop() == -15

    member.settings["force-new-cluster"] = "true"
    with member.start() as process:
        assert process.put("/a", "3").status == 200
        (left,) = listed(process)
        assert left["name"] == "m1"
        gone = ask(process, "DELETE", f"/v2/members/{json.loads(added.body)['id']}")
        assert (gone.status, gone.json()["message"]) == (
            410,
            f"Member permanently removed: {json.loads(added.body)['id']}",
        )
        moved = ask(
            process,
            "PUT",
            f"/v2/members/{json.loads(added.body)['id']}",
            '{"peerURLs":["http://127.0.0.1:8"]}',
        )
        assert (moved.status, moved.body) == (500, b'{"message":"Internal Server Error"}')
        assert process.stop() == -15

    del member.settings["force-new-cluster"]
    with member.start() as process:
        assert process.get("/a").json()["node"]["value"] == "3"  # type: ignore[index]


def test_the_only_member_removed_says_so_and_exits_0_then_and_when_started_again(tmp_path: Path) -> None:
    member = Member(tmp_path / "d")
    with member.start() as process:
        (only,) = listed(process)
        removed = ask(process, "DELETE", f"/v2/members/{only['id']}")
        assert (removed.status, removed.body) == (204, b"")
        assert process.request("GET", "/v2/members").body == b'{"members":[]}\n'
        assert process.popen.wait(PATIENCE) == 0
        assert " E | etcdserver: the member has been permanently removed from the cluster" in process.log
        assert " I | etcdserver: the data-dir used by this member must be removed." in process.log
    with member.launch() as process:
        assert process.popen.wait(PATIENCE) == 0
        assert " E | etcdserver: the member has been permanently removed from the cluster" in process.log
        assert "Traceback" not in process.log


def test_strict_reconfig_check_keeps_the_quorum(tmp_path: Path) -> None:
    with Member(tmp_path / "d", strict_reconfig_check="true").start() as process:
        (only,) = listed(process)
        refused = ask(process, "DELETE", f"/v2/members/{only['id']}")
        assert (refused.status, refused.body) == (500, b'{"message":"Internal Server Error"}')
        assert "not enough started members" in process.log
        assert process.put("/a", "1").status == 201


REQUESTS = [
    ("GET", "", "", ""),
    ("GET", "/", "", ""),
    ("GET", "/leader", "", ""),
    ("GET", "/nobody", "", ""),
    ("HEAD", "", "", ""),
    ("PUT", "", "", ""),
    ("DELETE", "/", "", ""),
    ("DELETE", "/abc", "", ""),
    ("DELETE", "/00ABC", "", ""),
    ("DELETE", "/a/b", "", ""),
    ("DELETE", "/-1", "", ""),
    ("POST", "", "text/plain", ""),
    *(
        ("POST", "", "application/json", body)
        for body in (
            "",
            "{}",
            "null",
            "[]",
            "tru",
            '{"peerURLs":[1]}',
            '{"peerURLs":"x"}',
            '{"PEERURLS":[]}',
            '{"peerURLs":["http://a:1"]} x',
            '{"peerURLs":["http://a:1/"]}',
            '{"peerURLs":["http://a"]}',
        )
    ),
    ("PUT", "/abc", "application/json", '{"peerURLs":["http://a:1"]}'),
    ("PUT", "/ID", "application/json", '{"peerURLs":["http://b:1"," http://a:1"]}'),
    ("GET", "", "", ""),
]


@pytest.mark.real_etcd
def test_members_are_answered_as_by_a_real_etcd(tmp_path: Path) -> None:
    """3.4 answers all of these as 2.3.8 does. It also takes JSON with a charset, and URLs of Unix
    sockets, and words the refusal of a URL in use another way."""
    binary = required(etcd34(), HOW_34)
    with (
        running(binary, tmp_path / "real", tmp_path / "log", "--name=m1", "--enable-v2") as theirs,
        Member(tmp_path / "d").start() as ours,
    ):
        for method, path, kind, body in REQUESTS:
            assert answer(ours, method, path, kind, body) == answer(theirs, method, path, kind, body)


def answer(
    of: Process | RunningEtcd, method: str, path: str, kind: str, body: str
) -> tuple[int, object, str]:
    """Status, headers that are not volatile, and body, with the member's own ids and URLs taken out."""
    port = of.client_port if isinstance(of, Process) else int(of.url.rpartition(":")[2])

    def ask(method: str, path: str, body: str = "", kind: str = "") -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            got = connection.getresponse()
            return got.status, dict(got.getheaders()), got.read().decode()
        finally:
            connection.close()

    (own,) = json.loads(ask("GET", "/v2/members")[2])["members"]
    path = path.replace("ID", own["id"])
    status, headers, text = ask(method, f"/v2/members{path}", body, kind)
    named = {name: headers.get(name) for name in ("Content-Type", "Allow", "X-Content-Type-Options")}
    for value, name in ((own["id"], "ID"), (own["peerURLs"][0], "OWN"), (own["clientURLs"][0], "CLIENT")):
        text = text.replace(value, name)
    return status, (named, "X-Etcd-Cluster-Id" in headers), text
