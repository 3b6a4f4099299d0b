"""``etcdctl cluster-health`` of etcd 2.0 and 2.1, by its requests (v2.0.13, ``etcdctl/command/cluster_health.go``): it takes a
cluster for healthy whose log moves while nobody writes."""

import time
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, ClusterMember, kind, kinds, wait_until

pytestmark = pytest.mark.slow

PAUSE = 1.0
"""Seconds between its two looks."""


class Unhealthy(Exception):
    """The message is what is not as it should be. etcdctl says ``cluster is unhealthy`` and ends with 1."""


def health(asked: ClusterMember, members: list[ClusterMember]) -> dict[str, bool]:
    """Whether each member is healthy, by id: the leader always, a follower when an append has succeeded meanwhile.
    Raises Unhealthy."""
    urls = asked.request("GET", "/v2/machines").body.decode().split(", ")
    known = [member for member in members if f"http://127.0.0.1:{member.client_port}" in urls]
    leader = next((member for member in known if leader_stats(member)), None)
    if leader is None:
        raise Unhealthy("no leader")
    before = leader_stats(leader)
    first = raft_position(leader)
    time.sleep(PAUSE)
    second = raft_position(leader)
    if first[0] != second[0]:
        raise Unhealthy(f"another term: {first[0]}, {second[0]}")
    if first[1] == second[1]:
        raise Unhealthy(f"the log stands still at {first[1]}")
    after = leader_stats(leader)
    if not after or not before.keys() <= after.keys():
        raise Unhealthy("the leader or the members have changed")
    return {member: count is None or count > (before[member] or 0) for member, count in after.items()}


def leader_stats(member: ClusterMember) -> dict[str, int | None]:
    """How many appends have succeeded, by follower; None for the leader itself. Empty when it does not lead."""
    if not member.running:
        return {}
    reply = member.request("GET", "/v2/stats/leader")
    if reply.status != 200:
        return {}
    document = reply.json()
    followers = document["followers"]
    assert isinstance(followers, dict)
    return {str(document["leader"]): None} | {
        follower: int(stats["counts"]["success"]) for follower, stats in followers.items()
    }


def raft_position(member: ClusterMember) -> tuple[int, int]:
    """Term and index, as the headers of a plain read have them."""
    headers = member.request("GET", "/v2/keys/?recursive=false&sorted=false").headers
    return int(headers["x-raft-term"]), int(headers["x-raft-index"])


def quiet(where: Path, name: str, idle_sync: str = "") -> Cluster:
    """A cluster with so much patience that nobody is elected meanwhile."""
    ours = {"idle_sync": idle_sync} if idle_sync else {}
    of_all = {"election_timeout": "5000", "heartbeat_interval": "200"}
    return Cluster(where, [kind(name)] * 3, proxied=False, **of_all, **ours)


@pytest.fixture(params=kinds("bundled"))
def of(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_idle_cluster_is_healthy_whoever_is_asked(tmp_path: Path, of: str) -> None:
    with quiet(tmp_path, of) as cluster:
        cluster.start()
        for member in cluster.members:
            assert health(member, cluster.members) == {one.id: True for one in cluster.members}


def test_a_member_that_is_down_is_the_only_unhealthy_one(tmp_path: Path, of: str) -> None:
    with quiet(tmp_path, of) as cluster:
        leader = cluster.start().wait_for_leader()
        down = cluster.others(leader)[0]
        expected = {one.id: one is not down for one in cluster.members}  # each says its id while it runs
        down.kill()
        assert health(leader, cluster.members) == expected
        down.start()
        cluster.wait_until_healthy()
        assert health(down, cluster.members) == {one.id: True for one in cluster.members}


def test_with_idle_sync_off_an_idle_cluster_is_called_unhealthy(tmp_path: Path) -> None:
    with quiet(tmp_path, "bundled", idle_sync="false") as cluster:
        cluster.start()

        def stands_still() -> bool:
            try:
                health(cluster.members[0], cluster.members)
            except Unhealthy as error:
                return "the log stands still" in str(error)
            return False

        wait_until(stands_still, "nothing is written any more")
