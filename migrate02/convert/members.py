"""Holds an initial cluster against the member it is for, as etcd does at the member's first start. Pure.

Names of hosts are not looked up, so URLs with one are taken for the same when all else agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

from server.config import parse_url, parse_urls_map


def refusal_of(cluster: str, config: Mapping[str, str]) -> tuple[str, str]:
    """(etcd's words, what to do) when a member with this configuration would refuse to start with ``cluster``.

    Both empty when it would start, and when that cannot be known: with placeholders in it, for a proxy, and when the
    name or the peer URLs are not in the configuration: they may come from elsewhere.
    """
    name = config.get("name", "")
    advertised = config.get("initial-advertise-peer-urls", "").split(",")
    if not name or not advertised[0]:
        return "", ""
    if config.get("proxy", "off") != "off" or any("$" in text for text in (cluster, name, *advertised)):
        return "", ""
    members = parse_urls_map(cluster)
    wanted = ",".join(f"{name}={url}" for url in advertised)
    if name not in members:
        return (
            f'couldn\'t find local name "{name}" in the initial cluster configuration',
            f"List this member too ({wanted}), or use its name in the list ({', '.join(members)}).",
        )
    if config.get("initial-cluster-state") == "existing" or _may_be_the_same(members[name], advertised):
        return "", ""
    return (
        f"--initial-cluster must include {wanted} given --initial-advertise-peer-urls={','.join(advertised)}",
        f"make both the same: {name} is listed with {','.join(members[name])}",
    )


def _may_be_the_same(listed: list[str], advertised: list[str]) -> bool:
    left = sorted(str(parse_url(url)) for url in listed)
    right = sorted(str(parse_url(url)) for url in advertised)
    if left == right:
        return True
    if not any(_has_host_name(url) for url in left + right):
        return False
    return sorted(map(_but_for_the_host, left)) == sorted(map(_but_for_the_host, right))


def _but_for_the_host(url: str) -> tuple[str, str]:
    scheme, _, address = url.partition("://")
    return scheme, address.rpartition(":")[2]


def _has_host_name(url: str) -> bool:
    host = url.partition("://")[2].rpartition(":")[0].strip("[]")
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False
