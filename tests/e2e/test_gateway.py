"""A gateway in a process of its own before real etcds: clients of v2 on one side, keys of v3 on the other."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.migrate02.running import migrate02
from tests.support import datadirs04, datadirs35
from tests.support.cluster import Cluster, kind
from tests.support.etcd3 import RELEASES, Node, binary_of, cluster_flags, encoded
from tests.support.gateway import launch, start
from tests.support.process import PATIENCE, Member, Process, keys_below, request
from tests.support.real_etcd import HOW_35, etcd35, etcdctl35, required
from tests.support.tls import make_certificates

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]


@pytest.fixture(params=RELEASES)
def etcd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    with Node(tmp_path / "v3") as node:
        node.start(binary_of(request.param))
        yield node


def published(etcd: Node, wanted: dict[str, str]) -> None:
    """Returns when v3 clients see these keys and no other; a checkpoint is a moment behind."""
    deadline = time.monotonic() + PATIENCE
    while (found := etcd.api.keys("/")) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_clients_of_v2_write_and_clients_of_v3_read(etcd: Node) -> None:
    with start([etcd.url]) as gateway:
        written = gateway.put("/foo", "bar")
        assert (written.status, written.headers["x-etcd-index"]) == (201, "1")
        assert gateway.put("/foo", "2", prevValue="no").status == 412
        heard: list[dict[str, object]] = []
        waiting = threading.Thread(
            target=lambda: heard.append(gateway.get("/d", "wait=true&recursive=true").json())
        )
        waiting.start()
        time.sleep(0.5)
        gateway.put("/d/e/f", "x", ttl="2")
        waiting.join(PATIENCE)
        assert heard[0]["action"] == "set"
        published(etcd, {"/foo": "bar", "/d/e/f": "x"})
        published(etcd, {"/foo": "bar"})
        expired = gateway.get("/d/e/f", "wait=true&waitIndex=3").json()
        assert expired["action"] == "expire"
        assert gateway.get("/foo", "quorum=true").json()["node"] == written.json()["node"]
        assert gateway.request("GET", "/health").status == 200
        assert json.loads(gateway.request("GET", "/version").body) == {
            "etcdserver": "2.3.8",
            "etcdcluster": "2.3.0",
        }
        release = json.loads(urllib.request.urlopen(f"{etcd.url}/version").read())["etcdserver"]
        numbers = gateway.request("GET", "/metrics").body.decode()
        assert f'etcd_server_version{{server_version="{release}"}} 1.0\n' in numbers
        assert "etcd_server_proposal_durations_seconds" in numbers
        assert gateway.stop() == -signal.SIGTERM


def test_a_gateway_that_was_killed_has_lost_nothing(etcd: Node) -> None:
    with start([etcd.url]) as gateway:
        for n in range(50):
            last = gateway.put(f"/d/{n}", str(n))
        gateway.kill()
    with start([etcd.url], name="g2") as gateway:
        found = list(keys_below(gateway.get("/d", "recursive=true").json()["node"]))
        assert sorted((key, value) for key, value, *_ in found if value) == sorted(
            (f"/d/{n}", str(n)) for n in range(50)
        )
        again = gateway.put("/d/50", "50")
        assert int(again.headers["x-etcd-index"]) == int(last.headers["x-etcd-index"]) + 1
        waited = gateway.get("/d", "wait=true&recursive=true&waitIndex=10").json()
        assert waited["node"]["key"] == "/d/9"  # type: ignore[index]


def test_what_others_write_over_v3_is_told_and_put_right(etcd: Node) -> None:
    with start([etcd.url]) as gateway:
        gateway.put("/a", "1")
        published(etcd, {"/a": "1"})
        etcd.api.put("/a", "stranger")
        etcd.api.put("/registry/x", "1")
        until(lambda: "/registry/x was written over the v3 API" in gateway.log)
        published(etcd, {"/a": "1", "/registry/x": "1"})
        assert gateway.log.count("/a was written over the v3 API") == 1
        assert gateway.get("/a").json()["node"]["value"] == "1"  # type: ignore[index]
        with start([etcd.url], name="g2") as another:
            assert another.get("/a").json()["node"]["value"] == "1"  # type: ignore[index]


def test_two_gateways_are_one_cluster_to_their_clients(etcd: Node) -> None:
    with start([etcd.url]) as one, start([etcd.url], name="g2") as two:
        one.wait_for_members("g1", "g2")
        two.wait_for_members("g1", "g2")
        machines = one.request("GET", "/v2/machines").body.decode().split(", ")
        assert sorted(machines) == sorted((one.url, two.url))
        for n in range(20):
            (one, two)[n % 2].put("/n", str(n))
            assert (two, one)[n % 2].get("/n", "quorum=true").json()["node"]["value"] == str(n)  # type: ignore[index]
        leaders = {gateway.request("GET", "/v2/members/leader").json()["name"] for gateway in (one, two)}
        assert leaders == {"g1"}
        refused = one.request("POST", "/v2/members", headers={"Content-Type": "application/json"})
        assert refused.status == 501
        assert b"etcdctl member" in refused.body
        one.stop()
        two.wait_for_members("g2")
        until(lambda: two.request("GET", "/v2/members/leader").json().get("name") == "g2")
        two.put("/after", "1")
        published(etcd, {"/n": "19", "/after": "1"})


def test_what_remains_when_gateways_are_given_up_are_keys_of_v3(etcd: Node) -> None:
    leave = [sys.executable, "-P", "-c", "from compat.etcd02 import entry; entry()", "gateway", "leave"]
    leave.append(f"--gateway-endpoints={etcd.url}")
    with start([etcd.url]) as gateway:
        gateway.put("/a", "1")
        gateway.put("/d/b", "2", ttl="1000")
        refused = subprocess.run(leave, capture_output=True, text=True, check=False)
        assert (refused.returncode, "gateways are running: g1" in refused.stderr) == (1, True)
        gateway.stop()
    left = subprocess.run(leave, capture_output=True, text=True, check=False)
    assert (left.returncode, left.stdout) == (0, "2 keys remain, 1 of them with a lease\n"), left.stderr
    served = etcd.api.served()
    assert served.keys == {"/a": "1", "/d/b": "2"}
    found = etcd.api.ask("/v3/kv/range", {"key": encoded("/d/b")})["kvs"][0]
    told = etcd.api.ask("/v3/lease/timetolive", {"ID": found["lease"]})
    assert 900 < int(told["TTL"]) <= 1000


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_while_the_etcd_is_gone_reads_go_on_and_writes_wait(etcd: Node) -> None:
    binary = os.readlink(f"/proc/{etcd.pid}/exe")
    with start([etcd.url]) as gateway:
        gateway.put("/a", "1")
        etcd.stop()
        assert gateway.get("/a").json()["node"]["value"] == "1"  # type: ignore[index]
        assert gateway.request("GET", "/health").status == 503
        failed = gateway.put("/a", "2")
        assert (failed.status, failed.json()["errorCode"]) == (500, 300)
        assert failed.json()["cause"] == "etcdserver: request timed out"
        etcd.start(Path(binary))
        until(lambda: gateway.request("GET", "/health").status == 200)
        assert gateway.put("/a", "3").status == 200


def writes(gateway: Process, value: str) -> bool:
    return gateway.put("/a", value).status == 200


def test_it_goes_on_when_members_of_the_etcd_are_killed_or_hang(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(tmp_path / f"v3-{n}")) for n in range(3)]
        for node in nodes:
            node.begin(binary, cluster_flags(nodes))
        for node in nodes:
            node.wait()
        gateway = stack.enter_context(start([node.url for node in nodes]))
        for n, (number, number_after) in enumerate(
            [(signal.SIGKILL, None), (signal.SIGSTOP, signal.SIGCONT), (signal.SIGSTOP, signal.SIGCONT)]
        ):
            assert gateway.put("/a", f"before {n}").status in (200, 201)
            os.kill(nodes[n].pid, number)
            until(partial(writes, gateway, f"after {n}"))
            assert gateway.get("/a", "quorum=true").json()["node"]["value"] == f"after {n}"  # type: ignore[index]
            if number_after is None:
                nodes[n].stop()
                nodes[n].start(binary, cluster_flags(nodes))
            else:
                os.kill(nodes[n].pid, number_after)
                until(lambda: gateway.request("GET", "/health").status == 200)
        assert "fault" not in gateway.log


def test_an_etcd_with_tls_and_users_is_asked_as_one_of_them(tmp_path: Path) -> None:
    binary = required(etcd35(), HOW_35)
    certificates = make_certificates(tmp_path)
    server = [f"--cert-file={certificates}/server.pem", f"--key-file={certificates}/server.key"]
    with Node(tmp_path / "v3", *server) as node:
        node.url = node.url.replace("http:", "https:")
        node.begin(binary)
        ctl = [
            str(required(etcdctl35(), HOW_35)),
            f"--endpoints={node.url}",
            f"--cacert={certificates}/ca.pem",
        ]
        until(
            lambda: (
                subprocess.run([*ctl, "endpoint", "health"], capture_output=True, check=False).returncode == 0
            )
        )
        for words in (
            "user add root:secret",
            "user grant-role root root",
            "role add gateway",
            "role grant-permission --prefix=true gateway readwrite /",
            "role grant-permission --prefix=true gateway readwrite etcd02/",
            "user add migrate:pass",
            "user grant-role migrate gateway",
            "auth enable",
        ):
            subprocess.run([*ctl, *words.split()], check=True, capture_output=True)
        told = {"ETCD02_GATEWAY_USER": "migrate:pass"}
        with start([node.url], f"--gateway-cacert={certificates}/ca.pem", env=told) as gateway:
            assert gateway.put("/a", "1").status == 201
            until(
                lambda: (
                    b"/a\n1"
                    in subprocess.run(
                        [*ctl, "--user=root:secret", "get", "/a"], check=True, capture_output=True
                    ).stdout
                )
            )
        with launch([node.url], f"--gateway-cacert={certificates}/ca.pem") as nobody:
            nobody.wait_for_line("user name is empty")
        with launch([node.url]) as distrusting:
            distrusting.wait_for_line("waiting for the etcd 3")


def test_keys_of_others_and_directories_with_keys_are_refused(etcd: Node, tmp_path: Path) -> None:
    etcd.api.put("/registry/x", "kubernetes")
    with launch([etcd.url]) as gateway:
        gateway.wait_for_line("name another prefix with --gateway-data-prefix")
        assert gateway.popen.wait(PATIENCE) == 1
    with start([etcd.url], "--gateway-data-prefix=/old") as gateway:
        gateway.put("/registry", "ours")
        published(etcd, {"/registry/x": "kubernetes", "/old/registry": "ours"})
    (tmp_path / "member" / "wal").mkdir(parents=True)
    (tmp_path / "member" / "wal" / "0000000000000000-0000000000000000.wal").touch()
    with launch([etcd.url], f"--data-dir={tmp_path}") as gateway:
        gateway.wait_for_line("holds keys, which a gateway would not serve")
        assert gateway.popen.wait(PATIENCE) == 1


def test_users_of_v2_and_its_roles_are_kept_in_the_etcd(etcd: Node) -> None:
    def ask(gateway: Process, method: str, path: str, body: object = None) -> int:
        headers = {"Authorization": "Basic cm9vdDpwdw=="} | (
            {"Content-Type": "application/json"} if body else {}
        )
        sent = json.dumps(body) if body else None
        return request(gateway.client_port, method, path, headers=headers, body=sent).status

    with start([etcd.url]) as gateway:
        assert ask(gateway, "PUT", "/v2/auth/users/root", {"user": "root", "password": "pw"}) == 201
        assert ask(gateway, "PUT", "/v2/auth/enable") == 200
        until(lambda: etcd.api.keys("etcd02/node/2/enabled"))
    with start([etcd.url], name="g2") as gateway:
        assert gateway.request("GET", "/v2/auth/users").status == 401
        assert ask(gateway, "GET", "/v2/auth/users") == 200
        published(etcd, {})


def test_keys_of_a_running_cluster_are_imported_through_a_gateway(etcd: Node, tmp_path: Path) -> None:
    with Member(tmp_path / "m1").start() as source, start([etcd.url]) as gateway:
        for n in range(30):
            source.put(f"/d{n % 7}/k{n}", f"value {n} é &%")
        source.put("/ttl", "x", ttl="1000")
        source.request("PUT", "/v2/keys/empty", {"dir": "true"})
        source.put("/_hidden/x", "h")
        source.put("/d0/k0", "another")
        gateway.put("/mine", "1")
        words = ("import", "--hidden", "/_hidden", "--live", source.url, "--to", gateway.url)
        first = migrate02(*words)
        assert first.out.startswith("33 keys made, 0 were there already, "), first.out + first.err
        again = migrate02(*words)
        assert again.out.startswith("0 keys made, 33 were there already, "), again.out + again.err
        gateway.request("DELETE", "/v2/keys/mine")
        verified = migrate02(
            "data", "verify", "--within", "3", "--hidden", "/_hidden", source.url, gateway.url
        )
        assert verified.status == 0, verified.out + verified.err
        until(lambda: etcd.api.keys("/d0/").get("/d0/k0") == "another")
        assert etcd.api.keys("/_hidden/") == {"/_hidden/x": "h"}


def old_04(where: Path) -> list[Path]:
    """Of the three members of a cluster, as they were stopped."""
    top = datadirs04.unpack("s-cluster4to3", where)
    return [top / one.directory for one in datadirs04.recorded("member") if one.fixture == "s-cluster4to3"]


def old_2x(where: Path) -> list[Path]:
    """A member of the bundled server, killed."""
    member = Member(where / "m1")
    with member.start() as process:
        for n in range(30):
            process.put(f"/dir{n % 7}/k{n}", f"value {n} é &%")
        process.put("/_hidden/x", "h")
        process.put("/ttl", "x", ttl="1000")
        process.request("PUT", "/v2/keys/empty", {"dir": "true", "ttl": "1000"})
        process.request("DELETE", "/v2/keys/dir0/k7")
        process.kill()
    return [where / "m1"]


def old_cluster(where: Path) -> list[Path]:
    """Three members of the bundled server, of which one was away for the last writes."""
    with Cluster(where, [kind("bundled")] * 3).start() as cluster:
        first, *_, last = cluster.members
        for n in range(20):
            first.write(f"/d/k{n}", str(n))
        last.stop()
        first.write("/d/last", "1")
        for member in cluster.running:
            member.stop()
        return [where / member.name for member in cluster.members]


def old_35(where: Path) -> list[Path]:
    return datadirs35.unpack("from-2.3", where)


@pytest.mark.parametrize(
    "directories_of", [old_04, old_2x, old_cluster, old_35], ids=["0.4", "2.x", "three of etcd02", "3.5"]
)
def test_two_commands_bring_an_old_cluster_onto_an_etcd_3(
    etcd: Node, tmp_path: Path, directories_of: Callable[[Path], list[Path]]
) -> None:
    directories = directories_of(tmp_path)
    imported = migrate02("data", *directories, "--gateway", etcd.url)
    assert imported.status in (0, 2), imported.err
    told = re.match(
        r"(.*): etcd .*, [0-9]+ keys and [0-9]+ directories at index ([0-9]+) are in", imported.out
    )
    assert told is not None
    source, index = told[1], int(told[2])
    with start([etcd.url]) as gateway:
        verified = migrate02("data", "verify", "--indexes", "--within", "3", source, gateway.url)
        assert verified.status == 0, verified.out
        written = gateway.put("/after", "1")
        assert int(written.headers["x-etcd-index"]) > index >= 1
        waited = gateway.get("/after", f"wait=true&waitIndex={index + 1}").json()
        assert waited["node"] == written.json()["node"]
        until(lambda: etcd.api.keys("/after"))
        listed = [
            key for key, value, *_ in keys_below(gateway.get("/", "recursive=true").json()["node"]) if value
        ]
        assert set(listed) <= set(etcd.api.keys("/"))
    again = migrate02("data", *directories, "--gateway", etcd.url)
    assert again.status == 3
    assert "name another prefix" in again.err
