"""A running cluster of 0.4 tells who is in it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate02.plan.live import ask_cluster
from migrate02.plan.nodes import address_of
from migrate02.plan.planning import Wishes, make_plan
from tests.migrate02.running import migrate02
from tests.support.cluster04 import Cluster04

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
    plan = make_plan(found.nodes, Wishes(together=True))
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
    assert f"the files say http://127.0.0.1:1, and the running cluster http://{address}" in run.err


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
