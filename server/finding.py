"""Finds the first members before anything runs: by a discovery URL, or by DNS. The only module that goes and asks.

A way of finding them ends as settings: what DNS has is an initial cluster, what a discovery service has is one and its
URL as the token. Everything here blocks, is not for a thread with a running loop, and raises BootstrapError.
"""

import asyncio
import socket
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from server.cluster.bootstrap import BootstrapError
from server.cluster.discovery import Discovery, Found
from server.cluster.ids import id_text, member_id
from server.cluster.resolved import Resolve
from server.cluster.srv import LookupFailed, Names, initial_cluster
from server.config import Config, urls_map_text

if TYPE_CHECKING:
    from server.discoveryclient import DiscoveryClient

_T = TypeVar("_T")


def dns_names(config: Config) -> Names | None:
    """What looks names up in the place of the system, when --dns-server says so."""
    return _names(config) if config.dns_server else None


def resolver(names: Names | None) -> Resolve:
    """A host's address, from there or from the system."""
    if names is None:
        return socket.gethostbyname

    def resolve(host: str) -> str:
        try:
            return _run(names.addresses(host))[0]
        except LookupFailed as error:
            raise OSError(str(error)) from error

    return resolve


def members_by_dns(config: Config) -> Config:
    """With the members of --discovery-srv as the initial cluster. A proxy need not be among them."""
    advertised = () if config.proxy != "off" else config.initial_advertise_peer_urls
    from server.names import survey

    names = _names(config)
    found = _run(survey(config.discovery_srv, config.discovery_srv_name, advertised, names))
    return config._replace(initial_cluster=initial_cluster(found, config.name))


def join_by_discovery(config: Config) -> Found:
    """Registers this member at --discovery and waits for the others, or learns that it came too late."""
    urls = config.initial_advertise_peer_urls
    me = id_text(member_id(urls, config.discovery))
    contents = urls_map_text({config.name: list(urls)})

    from server.discoveryclient import DiscoveryClient  # late: few members are found so

    async def join() -> Found:
        async with DiscoveryClient(config.discovery, config.discovery_proxy) as client:
            return await _discovery(config, client).join(me, contents, config.data_dir)

    return _run(join())


def cluster_by_discovery(config: Config) -> str:
    """The initial cluster of --discovery, when all of it has registered, for a proxy of it."""

    from server.discoveryclient import DiscoveryClient  # late, as above

    async def find() -> str:
        async with DiscoveryClient(config.discovery, config.discovery_proxy) as client:
            return await _discovery(config, client).find()

    return _run(find())


def members_found_before(config: Config) -> Config:
    """With the members that this one has found once, and registered among: nothing is registered now."""
    if config.discovery_srv:
        return members_by_dns(config)
    if config.discovery:
        return with_found_members(config, Found(cluster_by_discovery(config)))
    return config


def with_found_members(config: Config, found: Found) -> Config:
    """The settings of a member that found the others by discovery."""
    return config._replace(initial_cluster=found.initial_cluster, initial_cluster_token=config.discovery)


def _discovery(config: Config, client: "DiscoveryClient") -> Discovery:
    return Discovery(
        config.discovery,
        client.ask,
        sleep=asyncio.sleep,
        now=time.monotonic,
        limit=float(config.discovery_timeout),
    )


def _names(config: Config) -> Names:
    from server.names import BadServer, DnsNames  # late: few members need dnspython

    try:
        return DnsNames(config.dns_server)
    except BadServer as error:
        raise BootstrapError("C", f"error setting up initial cluster: {error}") from error


def _run(question: Coroutine[Any, Any, _T]) -> _T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(question)
