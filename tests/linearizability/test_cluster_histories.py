"""What clients of three members see is linearizable, whatever befalls the members; and nothing acknowledged is lost.

Real etcd has to pass as well: a play that it does not pass is wrong itself. ``make soak-cluster`` plays for longer.
"""

from pathlib import Path

import pytest

from tests.linearizability.checker import check
from tests.linearizability.nemesis import FAULTS
from tests.linearizability.play import play
from tests.linearizability.recorder import Recorder, local_read, read, write
from tests.support.cluster import Cluster, kind, kinds, wait_until

pytestmark = pytest.mark.slow

ROUNDS = 2 * len(FAULTS)
"""Each fault once to a leader and once to a follower; the soak goes on for longer, with other seeds."""


@pytest.mark.parametrize("name", kinds("bundled", "3.4"))
def test_histories_are_linearizable(tmp_path: Path, name: str) -> None:
    figures = play(tmp_path, name, seed=1, rounds=ROUNDS)
    assert figures["faults"] == ROUNDS
    assert figures["operations answered"] > 10 * ROUNDS
    assert figures["operations no certain answer"] > 0
    assert figures["creations acknowledged"] > ROUNDS
    for what, count in sorted(figures.items()):
        print(f"{what:40}{count:8}")


@pytest.mark.real_etcd
def test_histories_of_a_mixed_cluster_are_linearizable(tmp_path: Path) -> None:
    figures = play(tmp_path, "bundled,3.4,3.5", seed=1, rounds=ROUNDS)
    assert figures["faults"] == ROUNDS


@pytest.mark.parametrize("name", kinds("bundled", "3.4"))
def test_reads_without_a_quorum_are_found_out(tmp_path: Path, name: str) -> None:
    """A history that is not linearizable, to see that it would be noticed."""
    with Cluster(tmp_path, [kind(name)] * 3, proxied=True) as cluster:
        leader = cluster.start().wait_for_leader()
        behind, *_ = cluster.others(leader)
        recorder = Recorder(cluster.members, seed=1)
        recorder.ask(leader, write("/register/a", "old"))
        wait_until(lambda: behind.value("/register/a") == "old", "all have it")
        cluster.proxy.isolate(behind.name)
        recorder.ask(leader, write("/register/a", "new"))
        recorder.ask(leader, read("/register/a"))
        assert check(recorder.histories["/register/a"]) is None
        recorder.ask(behind, local_read("/register/a"))
        assert recorder.histories["/register/a"][-1].found == "old", recorder.histories
        violation = check(recorder.histories["/register/a"])
        assert violation is not None
        assert violation.operation.found == "old"
        assert violation.values == {"new"}
