"""What three members do when some of them are in trouble. Real etcd is asked for the same, as a control."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, ClusterMember, kind, kinds, wait_until
from tests.support.process import Reply

pytestmark = pytest.mark.slow

KINDS = kinds("bundled", "3.4")

ELECTION = 1.0
"""Seconds."""

REMOVED = "the member has been permanently removed from the cluster"


@pytest.fixture(params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cluster(tmp_path: Path, name: str) -> Iterator[Cluster]:
    with new_cluster(tmp_path, name) as cluster:
        yield cluster.start()
        assert cluster.panics() == []


def new_cluster(where: Path, name: str, *, snapshot_count: str = "10000") -> Cluster:
    return Cluster(
        where,
        [kind(name)] * 3,
        heartbeat_interval="100",
        election_timeout=f"{ELECTION * 1000:.0f}",
        strict_reconfig_check="false",
        snapshot_count=snapshot_count,
    )


def node(reply: Reply) -> dict[str, object]:
    found = reply.json()["node"]
    assert isinstance(found, dict), reply
    return found


# Any member, any request


def test_any_member_takes_any_request(cluster: Cluster) -> None:
    for member in cluster.members:
        (other, *_) = cluster.others(member)
        key = f"/{member.name}"
        assert member.put(f"{key}/a", "1").status == 201
        assert member.put(f"{key}/a", "2", prevValue="1").json()["action"] == "compareAndSwap"
        assert member.put(f"{key}/a", "3", prevValue="1").status == 412
        assert member.put(f"{key}/b", "", prevExist="false", ttl="100").json()["action"] == "create"
        created = member.request("POST", f"/v2/keys{key}/queue", {"value": "first"})
        assert node(created)["createdIndex"] == int(str(node(created)["key"]).rpartition("/")[2])
        assert member.request("DELETE", f"/v2/keys{key}/b").json()["action"] == "delete"
        # What was answered here is there for a quorum read anywhere.
        assert other.value(f"{key}/a", quorum=True) == "2"
        assert other.value(f"{key}/b", quorum=True) is None
    cluster.wait_until_same()


def test_a_watcher_at_one_member_hears_of_a_write_at_another(cluster: Cluster) -> None:
    one, two, three = cluster.members
    one.write("/watched", "1")
    index = node(one.request("GET", "/v2/keys/watched"))["modifiedIndex"]
    with ThreadPoolExecutor(2) as pool:
        path = f"/v2/keys/watched?wait=true&waitIndex={int(str(index)) + 1}"
        waiting = [pool.submit(member.request, "GET", path) for member in (one, three)]
        two.write("/watched", "2")
        assert [node(wait.result())["value"] for wait in waiting] == ["2", "2"]


# No quorum


def refused(reply: Reply) -> str:
    """The cause of an answer to a request that was given up."""
    assert reply.status == 500, reply
    assert (reply.json()["errorCode"], reply.json()["message"]) == (300, "Raft Internal Error")
    return str(reply.json()["cause"])


@pytest.mark.parametrize("role", ["leader", "follower"])
def test_without_a_quorum_writes_fail_and_when_it_returns_nothing_is_lost(
    cluster: Cluster, role: str
) -> None:
    leader = cluster.wait_for_leader()
    left = leader if role == "leader" else cluster.others(leader)[0]
    for number in range(50):
        cluster.members[number % 3].write(f"/acknowledged/{number}", "x")
    before = {key for key, *_ in left.content()}
    lost = cluster.others(left)
    for member in lost:
        member.kill()
    time.sleep(3 * ELECTION)  # so that no leader's end falls into the time of the requests below

    for method, path, form in (
        ("PUT", "/v2/keys/unacknowledged", {"value": "x"}),
        ("GET", "/v2/keys/acknowledged/1?quorum=true", None),
    ):
        cause = refused(left.request(method, path, form))
        assert cause in (
            "etcdserver: request timed out",
            "etcdserver: request timed out, possibly due to connection lost",
        )
    assert left.value("/acknowledged/1") == "x"

    lost[0].start()
    cluster.wait_until_healthy([left, lost[0]])
    lost[1].start()
    cluster.wait_until_healthy()
    for member in cluster.members:
        assert {key for key, *_ in member.content()} >= before
        assert member.value("/acknowledged/49", quorum=True) == "x"


# Leaders


def test_a_paused_leader_is_replaced_and_steps_down_when_it_comes_back(cluster: Cluster) -> None:
    old = cluster.wait_for_leader()
    others = cluster.others(old)
    old.write("/a", "by the old")
    old.pause()
    new = cluster.wait_for_leader(others)
    new.write("/a", "by the new")
    old.resume()
    # As soon as it answers, a quorum read through it finds what it has slept over.
    wait_until(
        lambda: old.request("GET", "/v2/keys/a?quorum=true").status == 200, "the old leader serves again"
    )
    assert old.value("/a", quorum=True) == "by the new"
    assert cluster.wait_for_leader() is not old
    assert old.request("GET", "/v2/stats/self").json()["state"] == "StateFollower"
    old.write("/a", "forwarded")
    cluster.wait_until_same()


def test_after_each_kill_there_is_a_new_leader(cluster: Cluster) -> None:
    """How soon, ``tests/server/node`` knows: here the figures are the machine's."""
    took = []
    for _ in range(5):
        old = cluster.wait_for_leader()
        others = cluster.others(old)
        old.kill()
        killed = time.monotonic()
        new = wait_until(lambda others=others: cluster.leader_of(others), "there is a new leader")  # type: ignore[misc]
        took.append((time.monotonic() - killed) / ELECTION)
        new.write("/a", "x")
        old.start()
        cluster.wait_until_healthy()
    print("election time-outs:", ", ".join(f"{time_outs:.2f}" for time_outs in took))


# Members that go


@pytest.mark.parametrize("role", ["leader", "follower"])
def test_a_removed_member_stops_by_itself_and_says_why(cluster: Cluster, role: str) -> None:
    leader = cluster.wait_for_leader()
    gone = leader if role == "leader" else cluster.others(leader)[0]
    cluster.remove(gone)
    assert gone.wait_for_end() == 0
    assert REMOVED in gone.log
    cluster.wait_until_healthy()

    gone.start()  # nobody told it to
    assert gone.wait_for_end() == 0
    assert gone.log.count(REMOVED) >= 2
    assert cluster.panics([gone]) == []


def test_a_member_that_is_asked_to_remove_itself_says_that_it_is_done(cluster: Cluster) -> None:
    gone = cluster.others(cluster.wait_until_healthy())[0]
    removal = "DELETE", f"/{gone.id}"

    def is_done() -> bool:
        try:
            return cluster.change_members(*removal, via=gone).status == 204
        except ConnectionError:
            return (
                gone.kind.name != "bundled" and not gone.running
            )  # a real one may be gone before it answers

    # A member of 3.x refuses changes for some seconds after a start.
    wait_until(is_done, f"{gone} takes its removal")
    cluster.members.remove(gone)
    assert gone.wait_for_end() == 0


def test_a_member_that_was_down_when_it_was_removed_hears_of_it(cluster: Cluster) -> None:
    gone, *_ = cluster.others(cluster.wait_for_leader())
    identity = gone.id
    gone.kill()
    cluster.remove(gone)
    cluster.running[0].write("/a", "1")
    gone.start()
    assert gone.wait_for_end() == 0
    assert REMOVED in gone.log
    again = cluster.change_members("DELETE", f"/{identity}", via=cluster.running[0])
    assert (again.status, again.json()["message"]) == (410, f"Member permanently removed: {identity}")


# Members that come


def snapshots(member: ClusterMember) -> list[Path]:
    return list((member.data_dir / "member" / "snap").glob("*.snap"))


def write_many(cluster: Cluster, count: int) -> None:
    leader = cluster.wait_for_leader()
    with ThreadPoolExecutor(32) as pool:
        for _ in pool.map(lambda number: leader.write(f"/many/{number % 100}", str(number)), range(count)):
            pass


def test_a_new_member_catches_up_by_the_log(cluster: Cluster, name: str) -> None:
    write_many(cluster, 200)
    new = cluster.add(kind(name), via=cluster.others(cluster.wait_for_leader())[0])
    new.start()
    cluster.wait_until_healthy()
    assert not snapshots(new)
    assert new.process is not None
    new.process.wait_for_members("m1", "m2", "m3", "m4")


def test_a_new_member_catches_up_by_a_snapshot(tmp_path: Path, name: str) -> None:
    with new_cluster(tmp_path, name, snapshot_count="50") as cluster:
        cluster.start()
        write_many(cluster, 200)
        cluster.wait_until_compacted()
        new = cluster.add(kind(name))
        new.settings["snapshot-count"] = "100000"  # so that one it has is one it was sent
        new.start()
        cluster.wait_until_healthy()
        assert snapshots(new)
        new.write("/a", "1")
        new.kill()
        new.start()
        cluster.wait_until_healthy()
        assert cluster.panics() == []


def test_a_member_that_fell_far_behind_catches_up_by_a_snapshot(tmp_path: Path, name: str) -> None:
    """5,000 entries are kept for those who lag."""
    with new_cluster(tmp_path, name, snapshot_count="500") as cluster:
        cluster.start()
        behind, *_ = cluster.others(cluster.wait_for_leader())
        behind.kill()
        behind.settings["snapshot-count"] = "100000"
        had = set(snapshots(behind))
        write_many(cluster, 6_500)
        cluster.wait_until_compacted(100)
        behind.start()
        cluster.wait_until_healthy()
        assert set(snapshots(behind)) - had
        assert behind.value("/many/99") == cluster.others(behind)[0].value("/many/99")
        assert cluster.panics() == []
