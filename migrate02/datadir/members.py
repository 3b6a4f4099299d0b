"""Who the members of a converted cluster are: names and addresses from 0.4's registry or from the caller. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from migrate02.datadir.errors import DataError
from migrate02.datadir.replay04 import Registered
from server.cluster.ids import cluster_id, member_id
from server.cluster.members import Member
from server.config import UrlError, parse_urls, parse_urls_map

DEFAULT_TOKEN = "etcd-cluster"


class Cluster(NamedTuple):
    """The members of 2.x by name, and the id of the cluster that they make."""

    id: int
    members: Mapping[str, Member]

    @property
    def initial_cluster(self) -> str:
        """As the value of the 2.x flag."""
        return ",".join(f"{name}={url}" for name, member in self.members.items() for url in member.peer_urls)


def cluster_of(
    registered: Mapping[str, Registered], initial_cluster: str = "", token: str = DEFAULT_TOKEN
) -> Cluster:
    """The cluster that goes on with the members of 0.4's registry.

    ``initial_cluster`` (NAME=URL,...) may give them other peer URLs; it has to name the very same members. The ids are
    those that 2.x gives to the first members of a new cluster with these URLs and this token. Raises DataError.
    """
    if not registered:
        raise DataError("no member has ever joined here, so there is no data: start 2.x on a new directory")
    urls = {name: [member.peer_url.rstrip("/")] for name, member in registered.items()}
    if initial_cluster:
        urls = _other_urls(initial_cluster, registered)
    members = {}
    for name, of_name in urls.items():
        peer_urls = _checked(name, of_name)
        client_url = registered[name].client_url
        members[name] = Member(
            member_id(peer_urls, token), name, peer_urls, (client_url,) if client_url else ()
        )
    _check_distinct(members.values())
    return Cluster(cluster_id(member.id for member in members.values()), members)


def _other_urls(text: str, registered: Mapping[str, Registered]) -> dict[str, list[str]]:
    try:
        urls = parse_urls_map(text)
    except UrlError as error:
        raise DataError(
            f"--initial-cluster: {error}", remedy="give NAME=http://host:port for each member"
        ) from error
    missing, strange = sorted(registered.keys() - urls.keys()), sorted(urls.keys() - registered.keys())
    if missing or strange:
        differ = [f"{name} is missing" for name in missing] + [f"{name} is no member" for name in strange]
        raise DataError(
            f"--initial-cluster does not name the members of the data: {', '.join(differ)}",
            remedy=f"the members are {', '.join(registered)}; others can be added and removed when 2.x runs",
        )
    return urls


def _checked(name: str, urls: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(parse_urls(",".join(urls)))
    except UrlError as error:
        raise DataError(
            f"member {name} has a peer URL that 2.x does not take: {error}",
            remedy="give all members' peer URLs with --initial-cluster NAME=URL,...",
        ) from error


def _check_distinct(members: Iterable[Member]) -> None:
    owners: dict[str, str] = {}
    for member in members:
        for url in member.peer_urls:
            if url in owners:
                raise DataError(
                    f"members {owners[url]} and {member.name} have the same peer URL {url}",
                    remedy="give all members' peer URLs with --initial-cluster NAME=URL,...",
                )
            owners[url] = member.name
