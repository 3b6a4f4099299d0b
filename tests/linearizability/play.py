"""One play: a cluster, its clients, what befalls it, and what must hold in the end."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from tests.linearizability.checker import check
from tests.linearizability.nemesis import inflict, schedule
from tests.linearizability.recorder import CREATED, Recorder
from tests.support.cluster import Cluster, kind

SIZE = 3


def play(where: Path, kinds: str, seed: int, rounds: int) -> Counter[str]:
    """Runs it with three members, of one kind or of ``kinds`` with commas between, and returns how often what happened.
    Raises AssertionError where something does not hold:

    the history of every register is linearizable, quorum reads through every member at its end included; every key whose
    creation was acknowledged is there, at every member; all members hold the same; nobody panicked.
    """
    figures: Counter[str] = Counter()
    names = kinds.split(",")
    with Cluster(
        where,
        [kind(name) for name in names * (SIZE // len(names))],
        proxied=True,
        heartbeat_interval="50",
        election_timeout="500",
    ) as cluster:
        cluster.start()
        with Recorder(cluster.members, seed) as recorder:
            for fault in schedule(seed, rounds):
                print(f"seed {seed}: {fault}", flush=True)
                inflict(cluster, fault)
                figures[f"fault: {fault.what}"] += 1
                figures["faults"] += 1
            time.sleep(1)
        figures += verdict(cluster, recorder, f"seed {seed}")
    return figures


def verdict(cluster: Cluster, recorder: Recorder, about: str = "") -> Counter[str]:
    """Judges a recorder whose clients are done, by all members, which have to be well again. Raises as ``play`` does."""
    figures: Counter[str] = Counter()
    cluster.wait_until_healthy()
    recorder.read_all()
    assert not recorder.errors, recorder.errors
    for key, history in recorder.histories.items():
        violation = check(history)
        assert violation is None, f"{about} {key}: {violation}"
        figures["histories"] += 1
    for member in cluster.members:
        lost = set(recorder.created) - {key for key, *_ in member.content() if key.startswith(CREATED)}
        assert not lost, f"{about}: {member} lost {sorted(lost)}"
    panics = cluster.panics()
    assert not panics, panics
    figures["creations acknowledged"] = len(recorder.created)
    figures.update({f"operations {what}": count for what, count in recorder.figures.items()})
    return figures
