"""The first start of a cluster with a static list of members: who they are, or why it cannot begin.

Never listens, dials or writes; names are looked up, and other members asked, through functions passed in. Checks,
their order and their words are etcd 2.3.8's.

Members that are found in another way come in here as settings: what DNS has is an ``initial_cluster``, what a
discovery service has is one and its URL as the ``initial_cluster_token``.
"""

import logging
from typing import NamedTuple

from server.cluster.ids import cluster_id, id_text, member_id
from server.cluster.members import Member
from server.cluster.remote import AskPeer, peer_urls_of_others, running_cluster
from server.cluster.resolved import Resolve, same_urls
from server.config import Config, UrlError, parse_urls_map, urls_map_text
from server.config.settings import DEFAULT_PEER_URLS, initial_cluster_of

PATIENCE = 1.0
"""Seconds that each of the others may take to say whether this member has been in the cluster before. A cluster
that starts waits as long for each member that is not there yet, so it is short."""

_ENGINE = "run a real etcd with these settings instead: etcd02 --engine PATH (or ETCD02_ENGINE)"


class BootstrapError(Exception):
    """The cluster cannot begin; ``lines`` are what to log, each with its level letter, ``status`` is what
    to exit with."""

    def __init__(self, level: str, text: str, *more: tuple[str, str], status: int = 1) -> None:
        super().__init__(text)
        self.lines = ((level, text), *more)
        self.status = status


def refuse_what_needs_others(config: Config) -> None:
    """Raises BootstrapError for a setting that the bundled server of this release cannot honour."""
    refused = (
        (config.experimental_v3demo, "--experimental-v3demo: the bundled server has no v3 API"),
    )  # fmt: skip
    for is_set, text in refused:
        if is_set:
            raise BootstrapError("C", f"{text}; {_ENGINE}")


def check_initial_cluster(config: Config, *, begins: bool) -> None:
    """Raises BootstrapError when initial-cluster cannot be read, which etcd checks even when it will not use it, or
    when a member that begins is not in there.

    The second is for etcd a matter of later, when it listens: the clustering guide's own example listens on TLS without
    a certificate, and never gets as far.
    """
    if config.discovery or config.discovery_srv:
        return
    if config.name not in _urls_by_name(config) and begins:
        raise _not_listed(config)


class Founding(NamedTuple):
    """A cluster about to begin. ``members`` are ordered by id; ``local`` is one of them."""

    local: Member
    members: tuple[Member, ...]

    @property
    def cluster_id(self) -> int:
        return cluster_id(member.id for member in self.members)


def found(config: Config, *, resolve: Resolve, ask: AskPeer) -> Founding:
    """The cluster that the settings make, after the other members that run already were asked whether they know of
    it. Raises BootstrapError."""
    members = initial_members(config, resolve)
    founding = Founding(next(member for member in members if member.name == config.name), members)
    _check_with_others(config, founding, ask)
    return founding


def initial_members(config: Config, resolve: Resolve) -> tuple[Member, ...]:
    """The members a new cluster begins with, this one among them, ordered by id. Raises BootstrapError."""
    urls = listed_urls(config)
    if not same_urls(urls[config.name], config.initial_advertise_peer_urls, resolve):
        raise _differs(config)
    return members_of(urls, config.initial_cluster_token)


def listed_urls(config: Config) -> dict[str, list[str]]:
    """Name -> URLs as initial-cluster has them. Raises BootstrapError when this member is not in there."""
    urls = _urls_by_name(config)
    if config.name not in urls:
        raise _not_listed(config)
    return urls


def _urls_by_name(config: Config) -> dict[str, list[str]]:
    try:
        return parse_urls_map(config.initial_cluster)
    except UrlError as error:
        raise BootstrapError("C", f"error setting up initial cluster: {error}") from None


def members_of(urls: dict[str, list[str]], token: str) -> tuple[Member, ...]:
    """The members with these names and URLs, ordered by the ids that follow. Raises BootstrapError for a URL that
    comes twice."""
    every_url = [url for of_name in urls.values() for url in of_name]
    if len(every_url) != len(set(every_url)):
        raise BootstrapError("C", f"initial cluster {urls_map_text(urls)} has duplicate url")
    members = [Member(member_id(of_name, token), name, tuple(of_name)) for name, of_name in urls.items()]
    return tuple(sorted(members, key=lambda member: member.id))


def _check_with_others(config: Config, founding: Founding, ask: AskPeer) -> None:
    """The first that answers knows whether this member was here before, with data that are lost now, and whether it
    is in the same cluster at all.

    The second is what etcd 2.3.8 finds out again and again when it runs, to no end; 2.0 ended by it.
    """
    urls = peer_urls_of_others(founding.members, config.name)
    running = running_cluster(urls, ask, patience=PATIENCE, level=logging.DEBUG)
    if running is None:
        return
    here_before = running.member(founding.local.id)
    if here_before is not None and here_before.client_urls:
        raise BootstrapError(
            "C",
            f"member {id_text(founding.local.id)} has already been bootstrapped",
            (
                "I",
                f"its data are not in {config.data_dir}: start it with the directory it had, or remove the member from "
                "the cluster (etcdctl member remove), add it again and start with --initial-cluster-state existing",
            ),
        )
    if running.id != founding.cluster_id:
        mine, theirs = id_text(founding.cluster_id), id_text(running.id)
        raise BootstrapError(
            "C",
            f"conflicting cluster ID to the target cluster ({mine} != {theirs}). Exiting.",
            (
                "I",
                "the members of a new cluster need the same --initial-cluster and --initial-cluster-token; into one "
                "that runs already a member comes with --initial-cluster-state existing, after it was added there",
            ),
        )


# 2.3.8's words first, then those of the clustering guide


def _not_listed(config: Config) -> BootstrapError:
    return BootstrapError(
        "C",
        f'couldn\'t find local name "{config.name}" in the initial cluster configuration',
        (
            "I",
            f"{config.name} not listed in the initial cluster config: add {_listed(config)} to --initial-cluster",
        ),
    )


def _listed(config: Config) -> str:
    """This member as --initial-cluster should have it."""
    return ",".join(f"{config.name}={url}" for url in sorted(config.initial_advertise_peer_urls))


def _differs(config: Config) -> BootstrapError:
    advertised = sorted(config.initial_advertise_peer_urls)
    hints = []
    if config.initial_cluster == initial_cluster_of(config.name):
        hints.append(("I", "forgot to set --initial-cluster flag?"))
    if ",".join(advertised) == DEFAULT_PEER_URLS:
        hints.append(("I", "forgot to set --initial-advertise-peer-urls flag?"))
    if config.initial_cluster == initial_cluster_of(config.name) and not config.discovery:
        hints.append(("I", "if you want to use discovery service, please set --discovery flag."))
    differs = (
        f"error setting up initial cluster: {config.name} has different advertised URLs in the cluster and advertised "
        "peer URLs list"
    )
    text = (
        f"--initial-cluster must include {_listed(config)} "
        f"given --initial-advertise-peer-urls={','.join(advertised)}"
    )
    return BootstrapError("I", text, *hints, ("I", differs))
