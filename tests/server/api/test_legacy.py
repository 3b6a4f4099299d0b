"""0.4's paths on the two ports: answers as recorded from etcd 0.4.9, and 404 as in 2.x while they are off."""

import json
from pathlib import Path

import pytest

from server.api.peer import PeerApi
from server.cluster import Member
from server.http.messages import Request, Response
from server.node import Node
from server.raft import NOBODY
from server.storage.codec import ConfChange, ConfChangeType
from tests.support.served import CLIENT, CLUSTER, JSON, NOSNIFF, PEER, TEXT, Served, serve

NOT_FOUND = Response(404, (TEXT, NOSNIFF), b"404 page not found\n")
A = {"name": "a", "state": "leader", "clientURL": CLIENT, "peerURL": PEER}

CLIENT_PATHS = (
    "/v2/leader",
    "/v2/peers",
    "/v1/leader",
    "/v1/machines",
    "/v1/peers",
    "/v1/stats/store",
    "/v1/keys/a",
    "/v1/watch/a",
    "/mod/v2/lock/a",
    "/mod/v2/leader/a",
    "/v2/keys/_etcd/machines",
    "/v2/keys/_etcd/config",
)
PEER_PATHS = ("/name", "/etcdURL", "/v2/admin/machines", "/v2/admin/machines/a", "/v2/admin/config")


def peer(node: Node, method: str, path: str, *, legacy: bool = True) -> Response:
    return PeerApi(node, legacy=legacy).handle(Request(method, path.encode(), {}))


def let_join(node: Node, member: Member) -> None:
    """Writes a member into the table of members, as if it had been added, and had started if it has client URLs."""
    change = ConfChange(ConfChangeType.ADD_NODE, member.id, context=member.context)
    node.members.apply_conf_change(change, node.store, 0)
    if member.client_urls:
        node.store.set(member.attributes_path, member.attributes, now=0)
        node.members.apply_put(member.attributes_path, member.attributes)


@pytest.mark.parametrize("path", CLIENT_PATHS)
def test_all_of_it_is_404_while_it_is_off(tmp_path: Path, path: str) -> None:
    async def test(served: Served) -> None:
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
            if path.startswith("/v2/keys") and method not in ("GET", "HEAD"):
                continue  # a key like any other
            assert (await served.ask(method, path)).status == 404

    serve(tmp_path / "d", test)


@pytest.mark.parametrize("path", PEER_PATHS)
def test_the_peer_port_knows_none_of_it_while_it_is_off(tmp_path: Path, path: str) -> None:
    async def test(served: Served) -> None:
        assert peer(served.node, "GET", path, legacy=False) == NOT_FOUND

    serve(tmp_path / "d", test)


def test_2x_answers_its_own_version_and_machines_while_it_is_off(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask("GET", "/version")).body == b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'
        assert (await served.ask("POST", "/v2/machines")).status == 405

    serve(tmp_path / "d", test)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/version", "etcd 0.4.9"),
        ("/v2/leader", PEER),
        ("/v2/machines", CLIENT),
        ("/v2/peers", CLIENT),
        ("/v1/leader", PEER),
        ("/v1/machines", CLIENT),
        ("/v1/peers", CLIENT),
    ],
)
def test_answers_are_mere_text(tmp_path: Path, path: str, body: str) -> None:
    async def test(served: Served) -> None:
        assert await served.ask("GET", path) == Response(200, (TEXT,), body.encode())
        if path != "/version":
            assert (await served.ask("HEAD", path)).status == 200
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            assert await served.ask(method, path) == NOT_FOUND
        assert await served.ask("GET", f"{path}/") == NOT_FOUND

    serve(tmp_path / "d", test, legacy=True)


def test_0_4_did_not_know_head_for_its_version(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert await served.ask("HEAD", "/version") == NOT_FOUND

    serve(tmp_path / "d", test, legacy=True)


def test_without_a_leader_it_is_error_301(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        node = served.node
        node.raft.leader = NOBODY
        index = str(node.store.index)
        assert await served.ask("GET", "/v2/leader") == Response(
            500,
            (JSON, CLUSTER, ("X-Etcd-Index", index)),
            f'{{"errorCode":301,"message":"During Leader Election","index":{index}}}\n'.encode(),
        )
        assert (await served.ask("GET", "/v2/machines")).body == CLIENT.encode()

    serve(tmp_path / "d", test, legacy=True)


def test_the_leader_comes_first_and_the_others_by_name(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        node = served.node
        let_join(node, Member(1, "c", ("http://c:7001",), ("http://c:4001",)))
        let_join(node, Member(2, "b", ("http://b:7001", "http://b:2380"), ("http://b:4001", "http://b:2379")))
        let_join(node, Member(3, "not-started", ("http://d:7001",)))  # as of --initial-cluster
        machines = f"{CLIENT}, http://b:4001, http://b:2379, http://c:4001"
        for path in ("/v2/machines", "/v2/peers", "/v1/machines"):
            assert (await served.ask("GET", path)).body.decode() == machines
        node.raft.leader = 1
        assert (await served.ask("GET", "/v2/leader")).body == b"http://c:7001"
        assert (await served.ask("GET", "/v2/machines")).body.startswith(b"http://c:4001, " + CLIENT.encode())
        shown = json.loads(peer(node, "GET", "/v2/admin/machines").body)
        assert [(machine["name"], machine["state"]) for machine in shown] == [
            ("c", "leader"),
            ("a", "follower"),
            ("b", "follower"),
        ]
        registry = json.loads((await served.ask("GET", "/v2/keys/_etcd/machines")).body)["node"]["nodes"]
        assert [entry["key"].rpartition("/")[2] for entry in registry] == ["a", "b", "c"]
        assert json.loads(peer(node, "GET", "/v2/admin/machines/b").body) == {
            "name": "b",
            "state": "follower",
            "clientURL": "http://b:4001",
            "peerURL": "http://b:7001",
        }

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/name", Response(200, (TEXT,), b"a")),
        ("/etcdURL", Response(200, (TEXT,), CLIENT.encode())),
        ("/v2/admin/machines", Response(200, (JSON,), json.dumps([A], separators=(",", ":")).encode())),
        ("/v2/admin/machines/a", Response(200, (JSON,), json.dumps(A, separators=(",", ":")).encode())),
        ("/v2/admin/machines/zz", Response(200, (JSON,), b"null")),
        ("/v2/admin/config", Response(200, (JSON,), b'{"activeSize":3,"removeDelay":1800,"syncInterval":5}')),
        ("/v2/admin", NOT_FOUND),
        ("/v2/admin/machines/a/b", NOT_FOUND),
        ("/v2/admin/machinesx", NOT_FOUND),
    ],
)
def test_the_admin_api_is_there_to_read(tmp_path: Path, path: str, answer: Response) -> None:
    async def test(served: Served) -> None:
        assert peer(served.node, "GET", path) == answer

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize(
    ("method", "path", "remedy"),
    [
        ("DELETE", "/v2/admin/machines/a", b"DELETE /v2/members/ID on a client URL"),
        ("PUT", "/v2/admin/config", b"etcd 2.x has no standbys"),
    ],
)
def test_the_admin_api_changes_nothing_and_says_what_does(
    tmp_path: Path, method: str, path: str, remedy: bytes
) -> None:
    async def test(served: Served) -> None:
        got = peer(served.node, method, path)
        assert got.status == 403
        assert remedy in got.body
        assert [member.name for member in served.node.members] == ["a"]
        assert peer(served.node, "POST", path) == NOT_FOUND
        assert peer(served.node, "DELETE", "/v2/admin/machines") == NOT_FOUND

    serve(tmp_path / "d", test, legacy=True)


def test_members_still_tell_each_other_2x_versions(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert json.loads(peer(served.node, "GET", "/version").body)["etcdcluster"] == "2.3.0"
        assert json.loads(peer(served.node, "GET", "/members").body)[0]["name"] == "a"

    serve(tmp_path / "d", test, legacy=True)


ENTRY = "etcd=http%3A%2F%2F127.0.0.1%3A24200&raft=http%3A%2F%2F127.0.0.1%3A24201"


def test_the_registry_can_be_read_as_keys(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        for path in ("/v2/keys/_etcd/machines", "/v2/keys/_etcd/machines/?recursive=true&sorted=true"):
            got = await served.ask("GET", path)
            node = json.loads(got.body)["node"]
            assert (got.status, node["key"], node["dir"]) == (200, "/_etcd/machines", True)
            assert [(entry["key"], entry["value"]) for entry in node["nodes"]] == [
                ("/_etcd/machines/a", ENTRY)
            ]
        one = json.loads((await served.ask("GET", "/v2/keys/_etcd/machines/a")).body)
        assert (one["action"], one["node"]) == ("get", node["nodes"][0])
        config = json.loads((await served.ask("GET", "/v2/keys/_etcd/config")).body)["node"]
        assert json.loads(config["value"]) == {"activeSize": 3, "removeDelay": 1800, "syncInterval": 5}
        assert (await served.ask("GET", "/v2/keys/_etcd/machines/zz")).status == 404
        assert (await served.ask("GET", "/v2/keys/_etcd/machinesx")).status == 404

    serve(tmp_path / "d", test, legacy=True)


def test_the_registry_is_not_what_writes_to_its_keys_change(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        form = "application/x-www-form-urlencoded"
        put = await served.ask("PUT", "/v2/keys/_etcd/machines/z", "value=etcd%3Dhttp%3A%2F%2Fz", form)
        assert put.status == 201
        assert (await served.ask("GET", "/v2/machines")).body == CLIENT.encode()
        assert (
            json.loads((await served.ask("GET", "/v2/keys/_etcd/machines/a")).body)["node"]["value"] == ENTRY
        )

    serve(tmp_path / "d", test, legacy=True)


def test_what_2x_serves_is_as_without(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask("GET", "/health")).body == b'{"health": "true"}'
        assert json.loads((await served.ask("GET", "/v2/members")).body)["members"][0]["name"] == "a"
        assert json.loads((await served.ask("GET", "/v2/stats/self")).body)["state"] == "StateLeader"
        assert (await served.ask("GET", "/v2/speedTest")) == NOT_FOUND
        assert (await served.ask("GET", "/mod/dashboard/")) == NOT_FOUND
        root = json.loads((await served.ask("GET", "/v2/keys/")).body)["node"]
        assert root == {"dir": True}

    serve(tmp_path / "d", test, legacy=True)
