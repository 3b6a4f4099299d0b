"""Three bundled members against three of a real etcd: rates through leader and follower, a leader's end, catching up.

    python bench/cluster.py [--only put,get] [--seconds N] [--rounds N] [--etcd PATH] [--data DIR]

Measures as ``server.py`` does: each workload starts a cluster of one kind on empty directories, loads
it and ends it, then the same with the other. Processor time per request is that of all three members together.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import generator
from comparison import Figures, Workload, compare
from members import Member, cluster

from server import KEYS, VALUE_BYTES, load

CONNECTIONS = 64
ELECTION = 1.0
"""Seconds; the default of both."""

BEHIND = 100_000
"""Entries that a member misses."""


def leader_of(members: list[Member]) -> Member:
    """The one that says so of itself; waits until there is one."""
    while True:
        for member in members:
            told = member.ask("/v2/stats/self")
            if told is not None and json.loads(told)["state"] == "StateLeader":
                return member
        time.sleep(0.05)


def by_leader(method: str) -> Callable[[list[Member], float], Figures]:
    def run(members: list[Member], seconds: float) -> Figures:
        return _loaded(members, leader_of(members), method, seconds)

    return run


def put_by_follower(members: list[Member], seconds: float) -> Figures:
    leader = leader_of(members)
    return _loaded(members, next(m for m in members if m is not leader), "PUT", seconds)


def _loaded(members: list[Member], to: Member, method: str, seconds: float) -> Figures:
    return load(
        to.running,
        method,
        CONNECTIONS,
        "",
        KEYS,
        seconds,
        cpu_seconds=lambda: sum(member.running.cpu_seconds() for member in members),
    )


def new_leader(members: list[Member], _: float) -> Figures:
    """Election time-outs from the end of the leader until the two others know another."""
    leader = leader_of(members)
    rest = [member for member in members if member is not leader]
    old = rest[0].ask("/v2/members/leader")
    leader.kill()
    began = time.monotonic()
    while any(member.ask("/v2/members/leader") in (None, old) for member in rest):
        time.sleep(0.005)
    return Figures((time.monotonic() - began) / ELECTION)


def catch_up(members: list[Member], _: float) -> Figures:
    """Seconds from the end of a member's pause until it has all that it missed."""
    leader = leader_of(members)
    behind = next(member for member in members if member is not leader)
    behind.pause()
    writes = (
        generator.put(f"bench/{n // 1000:03d}/{n % 1000:03d}", b"v" * VALUE_BYTES) for n in range(BEHIND)
    )
    generator.send_all(leader.port, writes, CONNECTIONS)
    leader.ask("/v2/keys/last", b"value=yes", "PUT")
    began = time.monotonic()
    behind.go_on()
    while behind.ask("/v2/keys/last") is None:
        time.sleep(0.01)
    return Figures(time.monotonic() - began)


WORKLOADS: dict[str, Workload[list[Member]]] = {
    "put": Workload("PUT to the leader, 64 connections", "/s", by_leader("PUT"), 1.3),
    "get": Workload("GET from the leader, 64 connections", "/s", by_leader("GET"), 2.8),
    "forward": Workload("PUT to a follower, 64 connections", "/s", put_by_follower, 1.3),
    "leader": Workload(
        "a new leader after the old one was killed",
        " election time-outs",
        new_leader,
        2,
        less_is_better=True,
        absolute=True,
        digits=2,
    ),
    "snapshot": Workload(
        f"a member {BEHIND:,} entries behind catches up, by a snapshot",
        " s",
        catch_up,
        2,
        less_is_better=True,
        digits=2,
        flags=("--snapshot-count=10000",),
    ),
    "log": Workload(
        f"a member {BEHIND:,} entries behind catches up, by the log",
        " s",
        catch_up,
        2,
        less_is_better=True,
        digits=2,
        flags=("--snapshot-count=1000000",),
    ),
}


if __name__ == "__main__":
    sys.exit(
        compare(
            __doc__ or "", WORKLOADS, lambda server, directory, flags: cluster(server, directory, 3, *flags)
        )
    )
