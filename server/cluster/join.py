"""How a member comes into a cluster that runs already: it asks the others who is in it, and takes over what they say.

Never dials, never writes. The checks, their order and their words are etcd 2.3.8's.
"""

import logging
from dataclasses import replace
from typing import NamedTuple

from server.cluster.bootstrap import BootstrapError, listed_urls, members_of
from server.cluster.ids import id_text
from server.cluster.members import Member
from server.cluster.remote import (
    AskPeer,
    RunningCluster,
    joinable_version,
    peer_urls_of_others,
    running_cluster,
)
from server.cluster.resolved import Resolve, same_urls
from server.config import Config

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that each question may take. Without the answer there is no start, so a slow peer has time."""


class Joining(NamedTuple):
    """The cluster that this member joins, and who it is there.

    ``local`` has the id that the cluster gave it, and the name and peer URLs of the settings. ``version`` is the
    cluster's, ``a.b.c``.
    """

    local: Member
    cluster: RunningCluster
    version: str

    @property
    def others(self) -> tuple[Member, ...]:
        return tuple(member for member in self.cluster.members if member.id != self.local.id)


def join(config: Config, *, resolve: Resolve, ask: AskPeer) -> Joining:
    """Asks the other members of initial-cluster. Raises BootstrapError when this member is not one that they expect,
    or too old or too new for them."""
    urls = listed_urls(config)
    listed = members_of(urls, config.initial_cluster_token)
    if config.discovery:
        raise BootstrapError("C", "discovery URL should not be set when joining existing initial cluster")
    cluster = running_cluster(peer_urls_of_others(listed, config.name), ask, patience=PATIENCE)
    if cluster is None:
        raise _nobody_answered(alone=len(listed) == 1)
    listed = _with_their_ids(listed, cluster, resolve)
    local = next(member for member in listed if member.name == config.name)
    version = joinable_version((member for member in listed if member != local), ask, patience=PATIENCE)
    if version is None:
        raise BootstrapError("C", "incomptible with current running cluster")  # spelled as etcd does
    _warn_of_lost_data(local.id, cluster)
    return Joining(local, cluster, version)


def others_of(config: Config, member: int, cluster: int, ask: AskPeer) -> tuple[Member, ...]:
    """For a member that had nothing of the log yet when it stopped: the others of its cluster, as far as the settings
    still say where to ask and somebody answers. Without them it waits for the leader to dial it."""
    try:
        listed = members_of(listed_urls(config), config.initial_cluster_token)
    except BootstrapError:
        return ()
    running = running_cluster(peer_urls_of_others(listed, config.name), ask, patience=PATIENCE)
    if running is None or running.id != cluster:
        return ()
    return tuple(other for other in running.members if other.id != member)


def _warn_of_lost_data(local: int, cluster: RunningCluster) -> None:
    """etcd lets such a member in without a message."""
    known = cluster.member(local)
    if known is not None and known.client_urls:
        logger.warning(
            "member %s was in this cluster before, and comes back without what it has agreed to there: writes that it "
            "and few others had may be lost. Remove it and add it again before it joins (etcdctl member remove, add)",
            id_text(local),
        )


def _with_their_ids(
    listed: tuple[Member, ...], cluster: RunningCluster, resolve: Resolve
) -> tuple[Member, ...]:
    """The listed members with the ids that the cluster has for their URLs, in the order of these."""
    if len(listed) != len(cluster.members):
        raise _not_the_same(cluster, "member count is unequal")
    pairs = zip(sorted(listed, key=_first_url), sorted(cluster.members, key=_first_url), strict=True)
    taken = []
    for ours, theirs in pairs:
        if not same_urls(ours.peer_urls, theirs.peer_urls, resolve):
            raise _not_the_same(cluster, "unmatched member while checking PeerURLs")
        taken.append(replace(ours, id=theirs.id))
    return tuple(sorted(taken, key=lambda member: member.id))


def _first_url(member: Member) -> str:
    return member.peer_urls[0] if member.peer_urls else ""


def _not_the_same(cluster: RunningCluster, why: str) -> BootstrapError:
    return BootstrapError(
        "C",
        f"error validating peerURLs {cluster}: {why}",
        (
            "I",
            "--initial-cluster has to list the members as the cluster knows them, this one included: add it with "
            "POST /v2/members (etcdctl member add) first, and take the list that this answers with",
        ),
    )


def _nobody_answered(*, alone: bool) -> BootstrapError:
    hint = (
        "--initial-cluster-state existing joins the other members of --initial-cluster, which has none"
        if alone
        else "--initial-cluster-state existing joins a cluster that runs: one other member of --initial-cluster has "
        "to answer on its peer URL. For a new cluster the state is new"
    )
    return BootstrapError(
        "C",
        "cannot fetch cluster info from peer urls: "
        "could not retrieve cluster information from the given urls",
        ("I", hint),
    )
