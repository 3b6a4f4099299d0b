"""Which version the cluster is of: the oldest of its members', decided by the leader and only ever raised. Pure.

Rules are etcd 2.3's.
"""

from collections.abc import Iterable

from server.version import MIN_CLUSTER_VERSION, numbers

_FIRST_OF_3 = (3, 0)


def decide_version(of_members: Iterable[str | None], known: str | None) -> str | None:
    """What the leader is to propose as the cluster's version, ``major.minor.0``; None when it stays as it is.

    ``of_members`` are the releases that the members say they are, None for one that does not answer or says nothing
    sensible: then there is no decision, and a cluster that has no version yet gets the lowest there may be.
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
    """Whether all members are of 2.x, by the cluster's version and the releases that they said last.

    False while the cluster has no version, or nobody was asked yet (``of_members`` is None). A member that never
    answered counts as one of 2.x when the cluster's version does: 3.6 joins none of a version before 3.0, and earlier
    3.x stand a SYNC.
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
