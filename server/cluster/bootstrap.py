"""The first start of a cluster with a static list of members: who they are, or why it cannot begin.

Never listens, dials or writes; names are looked up through the function passed in. Checks, their order and
their words are etcd 2.3.8's.
"""

from collections.abc import Callable, Iterable

from server.cluster.ids import member_id
from server.cluster.members import Member
from server.config import Config, UrlError, parse_url, parse_urls_map, urls_map_text
from server.config.settings import DEFAULT_PEER_URLS, initial_cluster_of

Resolve = Callable[[str], str]
"""A host name to its address; raises OSError when there is none."""

_ONE = "the bundled server of this release runs clusters of one member"
_ENGINE = "run a real etcd with these settings instead: etcd02 --engine PATH (or ETCD02_ENGINE)"


class BootstrapError(Exception):
    """The cluster cannot begin; ``lines`` are what to log, each with its level letter, ``status`` is what
    to exit with."""

    def __init__(self, level: str, text: str, *more: tuple[str, str], status: int = 1) -> None:
        super().__init__(text)
        self.lines = ((level, text), *more)
        self.status = status


def refuse_what_needs_others(config: Config) -> None:
    """Raises BootstrapError for a setting that only a cluster of several members, or a proxy of one, can
    honour."""
    refused = (
        (config.discovery, f"--discovery {config.discovery}: {_ONE}, and asks no discovery service"),
        (config.discovery_srv, f"--discovery-srv {config.discovery_srv}: {_ONE}, and asks no DNS"),
        (config.experimental_v3demo, "--experimental-v3demo: the bundled server has no v3 API"),
    )
    for is_set, text in refused:
        if is_set:
            raise BootstrapError("C", f"{text}; {_ENGINE}")


def check_initial_cluster(config: Config) -> None:
    """Raises BootstrapError when initial-cluster cannot be read; etcd checks that even when it will not use
    it."""
    if config.discovery or config.discovery_srv:
        return
    try:
        parse_urls_map(config.initial_cluster)
    except UrlError as error:
        raise BootstrapError("C", f"error setting up initial cluster: {error}") from None


def initial_members(config: Config, resolve: Resolve) -> list[Member]:
    """The members the cluster begins with, ordered by id; for now exactly one, this one. Raises
    BootstrapError."""
    check_initial_cluster(config)
    urls = parse_urls_map(config.initial_cluster)
    if config.name not in urls:
        raise BootstrapError(
            "C", f'couldn\'t find local name "{config.name}" in the initial cluster configuration'
        )
    existing = config.initial_cluster_state == "existing"
    if not existing and not _same_urls(urls[config.name], config.initial_advertise_peer_urls, resolve):
        raise _differs(config)
    every_url = [url for of_name in urls.values() for url in of_name]
    if len(every_url) != len(set(every_url)):
        raise BootstrapError("C", f"initial cluster {urls_map_text(urls)} has duplicate url")
    if len(urls) > 1:
        names = ", ".join(urls)
        raise BootstrapError("C", f"--initial-cluster names {len(urls)} members ({names}): {_ONE}; {_ENGINE}")
    if existing:
        raise BootstrapError(
            "C",
            "cannot fetch cluster info from peer urls: "
            "could not retrieve cluster information from the given urls",
            (
                "I",
                "--initial-cluster-state existing joins the other members of --initial-cluster, which has none",
            ),
        )
    token = config.initial_cluster_token
    members = [Member(member_id(of_name, token), name, tuple(of_name)) for name, of_name in urls.items()]
    return sorted(members, key=lambda member: member.id)


def _differs(config: Config) -> BootstrapError:
    advertised = sorted(config.initial_advertise_peer_urls)
    wanted = ",".join(f"{config.name}={url}" for url in advertised)
    hints = []
    if config.initial_cluster == initial_cluster_of(config.name):
        hints.append(("I", "forgot to set --initial-cluster flag?"))
    if ",".join(advertised) == DEFAULT_PEER_URLS:
        hints.append(("I", "forgot to set --initial-advertise-peer-urls flag?"))
    if config.initial_cluster == initial_cluster_of(config.name) and not config.discovery:
        hints.append(("I", "if you want to use discovery service, please set --discovery flag."))
    text = (
        f"--initial-cluster must include {wanted} given --initial-advertise-peer-urls={','.join(advertised)}"
    )
    return BootstrapError("I", text, *hints)


def _same_urls(left: Iterable[str], right: Iterable[str], resolve: Resolve) -> bool:
    """Equal as texts, or after their host names are looked up. ``localhost`` is itself, as in etcd."""
    if sorted(left) == sorted(right):
        return True
    try:
        return sorted(_resolved(url, resolve) for url in left) == sorted(
            _resolved(url, resolve) for url in right
        )
    except OSError:
        return False


def _resolved(text: str, resolve: Resolve) -> str:
    url = parse_url(text)
    host = url.hostname
    if not host or host == "localhost" or ":" in host or host.replace(".", "").isdigit():
        return text
    return str(url._replace(host=f"{resolve(host)}:{url.port}"))
