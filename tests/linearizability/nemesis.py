"""What is done to a cluster while clients use it: a schedule from a seed, and the hands that carry it out."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.support.cluster import Cluster, ClusterMember

ROLES = ("leader", "follower")


class Fault(NamedTuple):
    """Something that befalls one member, or all, for some seconds."""

    what: str
    role: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} the {self.role} for {self.seconds:.1f} s"


def _kill(cluster: Cluster, member: ClusterMember) -> None:
    member.kill()


def _start(cluster: Cluster, member: ClusterMember) -> None:
    member.start()


def _kill_all(cluster: Cluster, member: ClusterMember) -> None:
    for one in cluster.members:
        one.kill()


def _start_all(cluster: Cluster, member: ClusterMember) -> None:
    for one in cluster.members:
        one.start()


def _pause(cluster: Cluster, member: ClusterMember) -> None:
    member.pause()


def _resume(cluster: Cluster, member: ClusterMember) -> None:
    member.resume()


def _isolate(cluster: Cluster, member: ClusterMember) -> None:
    cluster.proxy.isolate(member.name)


def _refuse(cluster: Cluster, member: ClusterMember) -> None:
    cluster.proxy.refuse([member.name], [other.name for other in cluster.members if other is not member])


def _mute(cluster: Cluster, member: ClusterMember) -> None:
    for other in cluster.others(member):
        cluster.proxy.cut(member.name, other.name)


def _deafen(cluster: Cluster, member: ClusterMember) -> None:
    for other in cluster.others(member):
        cluster.proxy.cut(other.name, member.name)


def _part(cluster: Cluster, member: ClusterMember) -> None:
    """From one other, while both stay together with the third."""
    other = cluster.others(member)[0]
    cluster.proxy.partition([member.name], [other.name])


def _slow(cluster: Cluster, member: ClusterMember) -> None:
    for other in cluster.others(member):
        cluster.proxy.slow(member.name, other.name, delay=0.2)
        cluster.proxy.slow(other.name, member.name, delay=0.1)


def _heal(cluster: Cluster, member: ClusterMember) -> None:
    cluster.proxy.heal()


Act = Callable[[Cluster, ClusterMember], None]

FAULTS: dict[str, tuple[Act, Act]] = {
    "kill": (_kill, _start),
    "kill everyone with": (_kill_all, _start_all),
    "pause": (_pause, _resume),
    "isolate": (_isolate, _heal),
    "refuse": (_refuse, _heal),
    "mute": (_mute, _heal),
    "deafen": (_deafen, _heal),
    "part": (_part, _heal),
    "slow": (_slow, _heal),
}
"""By name: how it is done to a member, and how it is undone."""


def schedule(seed: int, rounds: int) -> list[Fault]:
    """``rounds`` faults: first all there are, to leader and follower alike, in the order of chance; then any."""
    random = Random(seed)
    every = [(what, role) for what in FAULTS for role in ROLES]
    chosen: list[tuple[str, str]] = []
    while len(chosen) < rounds:
        chosen += random.sample(every, len(every))
    return [Fault(what, role, random.uniform(0.5, 2.5)) for what, role in chosen[:rounds]]


def inflict(cluster: Cluster, fault: Fault) -> None:
    """Waits until there is a leader, does it to a member of that role, and undoes it after its time."""
    leader = cluster.wait_for_leader()
    member = leader if fault.role == "leader" else cluster.others(leader)[0]
    do, undo = FAULTS[fault.what]
    do(cluster, member)
    time.sleep(fault.seconds)
    undo(cluster, member)
