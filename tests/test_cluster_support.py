"""The tests' clusters do what tests ask of them."""

from pathlib import Path

import pytest

from tests.support.cluster import Cluster, kind, kinds, wait_until

pytestmark = pytest.mark.slow

KINDS = kinds("bundled", "3.4")


@pytest.mark.parametrize("name", KINDS)
def test_a_member_is_killed_paused_cut_off_and_comes_back(tmp_path: Path, name: str) -> None:
    with Cluster(
        tmp_path, [kind(name)] * 3, proxied=True, heartbeat_interval="100", election_timeout="1000"
    ) as cluster:
        cluster.start()
        one, two, three = cluster.members
        one.write("/a", "1")

        three.kill()
        assert not three.running
        cluster.wait_for_leader()
        two.write("/a", "2")
        three.start()
        cluster.wait_until_healthy()
        assert three.value("/a") == "2"

        leader = cluster.wait_for_leader()
        leader.pause()
        new = cluster.wait_for_leader(cluster.others(leader))
        new.write("/a", "3")
        leader.resume()
        cluster.wait_until_healthy()
        assert leader.value("/a", quorum=True) == "3"

        leader = cluster.wait_for_leader()
        cluster.proxy.isolate(leader.name)
        new = cluster.wait_for_leader(cluster.others(leader))
        new.write("/a", "4")
        assert leader.value("/a") == "3"
        cluster.proxy.heal()
        cluster.wait_until_healthy()
        assert leader.value("/a") == "4"

        for member in cluster.members:
            member.kill()
        for member in cluster.members:
            member.start()
        cluster.wait_until_healthy()
        assert {member.value("/a") for member in cluster.members} == {"4"}
        assert cluster.panics() == []


@pytest.mark.parametrize("name", KINDS)
def test_members_come_and_go(tmp_path: Path, name: str) -> None:
    with Cluster(
        tmp_path,
        [kind(name)],
        strict_reconfig_check="false",
        heartbeat_interval="100",
        election_timeout="1000",
    ) as cluster:
        cluster.start()
        (one,) = cluster.members
        one.write("/a", "1")
        two = cluster.add(kind(name))
        two.start()
        cluster.wait_until_healthy()
        assert two.value("/a") == "1"
        wait_until(
            lambda: sorted(str(listed["name"]) for listed in cluster.listed(via=two)) == ["m1", "m2"],
            "both have published their names",
        )
        cluster.remove(two, via=one)
        assert two.wait_for_end() == 0
        wait_until(lambda: len(cluster.listed(via=one)) == 1, "the other is gone")
        one.write("/a", "2")
