"""A running cluster of 0.4 tells who is in it."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate02.plan.live import ask_cluster
from migrate02.plan.nodes import address_of
from migrate02.plan.planning import PlanOptions, make_plan
from tests.migrate02.running import migrate02
from tests.support.cluster04 import Answer, Cluster04, Door

HALF_KNOWN = ["half-known"] * 3


@pytest.fixture
def cluster() -> Iterator[Cluster04]:
    with Cluster04(["node1", "node2", "node3"], ["spare"]) as cluster:
        yield cluster


@pytest.mark.parametrize("door", ["client", "peer"])
def test_any_member_tells_of_all_by_either_port(cluster: Cluster04, door: str) -> None:
    found = ask_cluster([getattr(cluster.members[1], door).url])
    assert [(node.name, node.peer_url, node.client_url, node.was) for node in found.nodes] == [
        (member.name, member.peer.url, member.client.url, member.state) for member in cluster.members
    ]
    assert found.findings == []


def test_a_url_may_end_with_a_slash(cluster: Cluster04) -> None:
    assert len(ask_cluster([cluster.members[0].client.url + "/"]).nodes) == 3


def test_a_standby_sends_to_the_leader_and_becomes_a_proxy(cluster: Cluster04) -> None:
    spare = cluster.standbys[0].client.url
    found = ask_cluster([spare])
    assert [node.was for node in found.nodes] == ["leader", "follower", "follower", "standby"]
    plan = make_plan(found.nodes, PlanOptions(together=True))
    assert not plan.clusters[0].is_refused
    (proxy,) = plan.clusters[0].proxies
    assert proxy.settings["listen-client-urls"] == spare
    assert proxy.settings["initial-cluster"] == ",".join(
        f"{member.name}={member.peer.url}" for member in cluster.members
    )


def test_it_is_only_asked_and_nothing_that_writes(cluster: Cluster04) -> None:
    """0.4 answers ``GET /v2/speedTest`` with ten thousand writes."""
    ask_cluster([cluster.members[0].client.url, cluster.members[0].peer.url])
    seen = {target for member in cluster.members for target in member.client.seen + member.peer.seen}
    assert seen <= {
        "/v2/keys/_etcd/machines?recursive=true",
        "/v2/keys/_etcd/config",
        "/v2/keys/",
        "/v2/stats/self",
        "/v2/admin/machines",
        "/version",
    }


def test_a_member_that_is_down_is_in_the_plan_and_told(cluster: Cluster04) -> None:
    cluster.members[2].stop()
    found = ask_cluster([cluster.members[0].client.url])
    assert [node.name for node in found.nodes] == ["node1", "node2", "node3"]
    (finding,) = found.findings
    assert finding.code == "member-down"
    assert "node3" in finding.message


def test_a_member_with_another_name_is_told(cluster: Cluster04) -> None:
    cluster.members[1].calls_itself = "stranger"
    (finding,) = ask_cluster([cluster.members[0].client.url]).findings
    assert finding.code == "members-differ"
    assert "registered for node2 and calls itself stranger" in finding.message


def test_a_member_that_fell_behind_is_told(cluster: Cluster04) -> None:
    cluster.members[0].index = cluster.members[1].index = 5000
    (finding,) = ask_cluster([cluster.members[0].client.url]).findings
    assert finding.code == "members-differ"
    assert "node3 42" in finding.message


def test_more_members_than_the_active_size_are_told() -> None:
    with Cluster04(["a", "b", "c", "d"], active_size=3) as cluster:
        found = ask_cluster([cluster.members[0].client.url])
    assert [finding.setting for finding in found.findings] == ["cluster-active-size"]
    with Cluster04(["a", "b", "c", "d"], active_size=0) as cluster:
        assert ask_cluster([cluster.members[0].client.url]).findings == []


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = ask_cluster([f"http://127.0.0.1:{port}"])
    assert found.nodes == []
    assert [finding.code for finding in found.findings] == ["not-live"]
    assert "Connection refused" in found.findings[0].message


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, "404 page not found\n"),
        Answer(200, "<html>"),
        Answer(200, "[1]"),
        Answer(200, '{"node":{"nodes":[{"key":"/_etcd/machines/a","value":"raft=x"}]}}'),
        Answer(200, '{"action":"get"}'),
        Answer(307, "", {"Location": "/v2/keys/_etcd/machines?consistent=true"}),
        Answer(500, '{"errorCode":300,"message":"Raft Internal Error","index":8}'),
    ],
    ids=lambda answer: answer.text or answer.headers["Location"],
)
def test_what_is_no_member_of_04_is_told_as_that(answer: Answer) -> None:
    door = Door(lambda _target: answer)
    found = ask_cluster([door.url])
    door.close()
    assert found.nodes == []
    assert [finding.code for finding in found.findings] == ["not-live"]


def test_a_standby_that_knows_no_leader_is_told_as_that() -> None:
    door = Door(
        lambda _target: Answer(400, '{"errorCode":402,"message":"Standby Internal Error","index":0}\n')
    )
    found = ask_cluster([door.url])
    door.close()
    assert found.nodes == []
    assert "it is a standby that knows no leader at the moment" in found.findings[0].message


def test_a_registered_address_that_2x_does_not_take_refuses_the_plan() -> None:
    machines = [
        {"name": "a", "state": "leader", "clientURL": "http://127.0.0.1:1/", "peerURL": "10.0.0.1:7001"}
    ]
    door = Door(lambda target: Answer(200 if "admin" in target else 404, json.dumps(machines)))
    plan = make_plan(ask_cluster([door.url]).nodes)
    door.close()
    assert plan.clusters[0].is_refused
    assert [finding.code for finding in plan.clusters[0].findings].count("invalid-value") == 2


def test_nodes_that_send_us_in_a_circle_are_not_followed() -> None:
    door = Door(lambda target: Answer(307, "", {"Location": door.url + target}))
    found = ask_cluster([door.url])
    assert len(door.seen) < 5
    door.close()
    assert [finding.code for finding in found.findings] == ["not-live"]


def test_one_url_that_answers_is_enough(cluster: Cluster04) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = ask_cluster([f"http://127.0.0.1:{port}", cluster.members[0].client.url])
    assert len(found.nodes) == 3
    assert [finding.code for finding in found.findings] == ["not-live"]


def test_the_command_plans_a_running_cluster(cluster: Cluster04) -> None:
    run = migrate02("plan", "--live", cluster.members[0].client.url, "--json")
    assert run.status == 2, run.err
    (planned,) = json.loads(run.out)["clusters"]
    assert [node["was"] for node in planned["nodes"]] == ["leader", "follower", "follower"]
    assert [finding["code"] for finding in planned["findings"]] == HALF_KNOWN
    assert planned["nodes"][0]["command"][0] == "etcd02"


def test_the_command_says_when_it_finds_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    run = migrate02("plan", "--live", f"http://127.0.0.1:{port}")
    assert run.status == 3
    assert "not-live" in run.err
    assert run.out == ""


# With TLS

TLS = Path(__file__).parents[3] / "fixtures" / "tls"


@pytest.fixture
def secured() -> Iterator[Cluster04]:
    """Clients have to show a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=TLS / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    with Cluster04(["node1"], tls=context) as cluster:
        yield cluster


def test_a_cluster_with_tls_is_asked_with_a_certificate(secured: Cluster04) -> None:
    url = secured.members[0].client.url
    files = ("--ca-file", TLS / "ca.pem", "--cert-file", TLS / "client.pem", "--key-file", TLS / "client.key")
    run = migrate02("plan", "--json", "--live", url, *files)
    assert run.codes == ["half-known"]
    (planned,) = json.loads(run.out)["clusters"]
    assert planned["nodes"][0]["settings"]["advertise-client-urls"] == url


def test_a_server_that_is_not_trusted_is_not_believed(secured: Cluster04) -> None:
    run = migrate02("plan", "--live", secured.members[0].client.url)
    assert run.status == 3
    assert "certificate" in run.err.lower()


def test_tls_files_that_are_not_there_are_named(secured: Cluster04) -> None:
    run = migrate02("plan", "--live", secured.members[0].client.url, "--ca-file", "/nowhere/ca.pem")
    assert run.status == 3
    assert "/nowhere/ca.pem" in run.err


# Together with files


def files_of(cluster: Cluster04, folder: Path) -> Path:
    """The configurations of the cluster's nodes, standbys included."""
    folder.mkdir()
    peers = ",".join(address_of(member.peer.url) for member in cluster.members)
    for node in (*cluster.members, *cluster.standbys):
        text = f"ETCD_NAME={node.name}\nETCD_DATA_DIR=/var/lib/{node.name}\nETCD_PEERS={peers}\n"
        text += f"ETCD_ADDR={address_of(node.client.url)}\nETCD_PEER_ADDR={address_of(node.peer.url)}\n"
        (folder / f"{node.name}.env").write_text(text)
    return folder


def test_with_files_the_cluster_tells_who_stands_by(cluster: Cluster04, tmp_path: Path) -> None:
    folder = files_of(cluster, tmp_path / "files")
    run = migrate02("plan", "--json", "--live", cluster.members[0].client.url, folder)
    assert run.status == 0, run.err
    assert run.codes == ["standby-found"]
    (planned,) = json.loads(run.out)["clusters"]
    assert [(node["name"], node["was"], node["becomes"]) for node in planned["nodes"]] == [
        ("node1", "leader", "member"),
        ("node2", "follower", "member"),
        ("node3", "follower", "member"),
        ("spare", "standby", "proxy"),
    ]
    assert planned["nodes"][3]["settings"]["data-dir"] == "/var/lib/spare"


def test_files_and_cluster_that_disagree_are_told(cluster: Cluster04, tmp_path: Path) -> None:
    folder = files_of(cluster, tmp_path / "files")
    path = folder / "node2.env"
    address = address_of(cluster.members[1].client.url)
    path.write_text(path.read_text().replace(f"ETCD_ADDR={address}", "ETCD_ADDR=127.0.0.1:1"))
    run = migrate02("plan", "--live", cluster.members[0].client.url, folder)
    assert sorted(run.codes) == ["members-differ", "standby-found"]
    assert f"the files say http://127.0.0.1:1, and the running cluster says http://{address}" in run.err


def test_a_member_without_a_file_is_planned_as_it_is_known(cluster: Cluster04, tmp_path: Path) -> None:
    folder = files_of(cluster, tmp_path / "files")
    (folder / "node3.env").unlink()
    run = migrate02("plan", "--json", "--live", cluster.members[0].client.url, folder)
    assert sorted(run.codes) == ["half-known", "standby-found"]
    (planned,) = json.loads(run.out)["clusters"]
    assert f"node3={cluster.members[2].peer.url}" in planned["initialCluster"]


def test_another_cluster_of_the_files_stays_as_it_is(cluster: Cluster04, tmp_path: Path) -> None:
    folder = files_of(cluster, tmp_path / "files")
    (folder / "other.env").write_text(
        "ETCD_NAME=other\nETCD_ADDR=10.9.0.1:4001\nETCD_PEER_ADDR=10.9.0.1:7001\n"
    )
    run = migrate02("plan", "--json", "--live", cluster.members[0].client.url, folder)
    other = json.loads(run.out)["clusters"][1]
    assert [(node["name"], node["becomes"]) for node in other["nodes"]] == [("other", "member")]
