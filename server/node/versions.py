"""Which version the cluster is of: the oldest of its members', decided by the leader and only ever raised. Pure.

Rules are etcd 2.3's.
"""

from collections.abc import Iterable

from server.version import MIN_CLUSTER_VERSION, numbers


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


def _numbers(release: str | None) -> tuple[int, int] | None:
    try:
        return None if release is None else numbers(release)
    except ValueError:
        return None
