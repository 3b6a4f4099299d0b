"""Where to ask who the members are: peer URLs, by the way that the configuration names."""

from collections.abc import Awaitable, Callable

from server.cluster.bootstrap import BootstrapError, refuse_what_needs_others
from server.config import Config, UrlError, parse_urls_map

FindPeers = Callable[[Config], Awaitable[list[str]]]
"""Yields the peer URLs of some members, however long that takes. Raises BootstrapError."""


async def find_peers(config: Config) -> list[str]:
    """Those of --initial-cluster: other ways are refused."""
    refuse_what_needs_others(config)
    return static_peers(config)


def static_peers(config: Config) -> list[str]:
    """The peer URLs in --initial-cluster, sorted. Raises BootstrapError."""
    try:
        urls = parse_urls_map(config.initial_cluster)
    except UrlError as error:
        raise BootstrapError("C", f"error setting up initial cluster: {error}") from None
    return sorted(url for of_name in urls.values() for url in of_name)
