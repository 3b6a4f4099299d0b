"""Where to ask who the members are: peer URLs, by the way that the configuration names. Blocks while it finds them."""

from collections.abc import Callable

from server.cluster.bootstrap import BootstrapError
from server.config import Config, UrlError, parse_urls_map
from server.finding import cluster_by_discovery, members_by_dns

FindPeers = Callable[[Config], list[str]]
"""Yields the peer URLs of some members, however long that takes. Raises BootstrapError."""


def find_peers(config: Config) -> list[str]:
    """By --discovery, by --discovery-srv or from --initial-cluster. Raises BootstrapError."""
    if config.discovery:
        return peer_urls(cluster_by_discovery(config))
    if config.discovery_srv:
        config = members_by_dns(config._replace(proxy="on"))  # which need not be among them
    return peer_urls(config.initial_cluster)


def peer_urls(initial_cluster: str) -> list[str]:
    """The URLs in an initial cluster, sorted. Raises BootstrapError."""
    try:
        urls = parse_urls_map(initial_cluster)
    except UrlError as error:
        raise BootstrapError("C", f"error setting up initial cluster: {error}") from None
    return sorted(url for of_name in urls.values() for url in of_name)
