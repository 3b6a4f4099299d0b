"""The etcd release this server takes the place of, and the ones it can share a cluster with. Pure."""

VERSION = "2.3.8"
"""It answers, publishes and logs as that one."""

MIN_CLUSTER_VERSION = "2.2.0"
"""What a cluster is taken for until its members have said what they are."""

NEWEST_CLUSTER_VERSION = "3.5.0"
"""The newest cluster that this server can be a member of, in which nothing but the v2 key space is used."""


def version_in_cluster(cluster_version: str | None) -> str:
    """What a member says to its peers that it is: the release above, or in a newer cluster that cluster's own, which is
    what the newer members expect of one that may stay."""
    if cluster_version is None or numbers(cluster_version) <= numbers(VERSION):
        return VERSION
    return cluster_version


def numbers(version: str) -> tuple[int, int]:
    """Major and minor, to be compared. Raises ValueError for what is not a version."""
    major, minor, *_ = (*version.split("."), "")
    return int(major), int(minor)


def major_minor(version: str) -> str:
    """The part of a version that members compare, for the log."""
    return ".".join(version.split(".")[:2])
