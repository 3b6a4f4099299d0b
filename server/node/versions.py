"""The cluster's version: the oldest of its members' versions, decided by the leader, and never lowered. Pure.

The rules are etcd 2.3's.
"""

from collections.abc import Iterable

from server.version import MIN_CLUSTER_VERSION, numbers

_FIRST_OF_3 = (3, 0)
"""The first version that is not of 2.x."""


def decide_version(of_members: Iterable[str | None], known: str | None) -> str | None:
    """The version that the leader should propose for the cluster, ``major.minor.0``; None when it does not change.

    ``of_members`` are the releases that the members report, None for one that does not answer. While a release is
    missing or invalid, the version is not raised, and a cluster without a version gets the lowest possible one.
    """
    releases = [_numbers(release) for release in of_members]
    answered = [release for release in releases if release is not None]
    if len(answered) < len(releases):
        return MIN_CLUSTER_VERSION if known is None else None
    decided = min(answered)
    if known is not None and decided <= numbers(known):
        return None
    return f"{decided[0]}.{decided[1]}.0"


def is_of_2(known: str | None, of_members: Iterable[str | None] | None) -> bool:
    """Whether all members are of 2.x, by the cluster's version and the releases that they last reported.

    False while the cluster has no version, or no member was asked yet (``of_members`` is None). A member that never
    answered counts as one of 2.x when the cluster's version does: 3.6 does not join a cluster of a version before 3.0,
    and earlier 3.x can apply a SYNC.
    """
    if known is None or of_members is None:
        return False
    releases = (_numbers(release) for release in (known, *of_members))
    return all(release is None or release < _FIRST_OF_3 for release in releases)


def _numbers(release: str | None) -> tuple[int, int] | None:
    try:
        return None if release is None else numbers(release)
    except ValueError:
        return None
