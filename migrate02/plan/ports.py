"""What becomes of 0.4's ports: kept, moved to 2.x's, or moved with the old client port open until all have followed.

Only members call each other at the peer port, and all members change at once, so that one needs no time between. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from migrate02.plan.nodes import CLIENT_URLS, LISTEN_CLIENT_URLS, LISTEN_PEER_URLS, PEER_URLS

KEEP, MOVE, BOTH = "keep", "move", "both"
CHOICES = (KEEP, MOVE, BOTH)

_SIDES = ((PEER_URLS, LISTEN_PEER_URLS, "7001", "2380"), (CLIENT_URLS, LISTEN_CLIENT_URLS, "4001", "2379"))
"""Advertised, listened at, 0.4's port, 2.x's."""


def with_ports(settings: Mapping[str, str], choice: str) -> dict[str, str]:
    """The settings with 0.4's own ports changed as ``choice`` says.

    A side whose advertised or listening port is another than 0.4's stays as it is: somebody chose that port, or maps it
    to another one on its way.
    """
    changed = dict(settings)
    if choice == KEEP:
        return changed
    for advertised, listened, old, new in _SIDES:
        if not all(_has_port(settings.get(name, ""), old) for name in (advertised, listened)):
            continue
        for name in (advertised, listened):
            moved = _at_port(settings[name], old, new)
            stays_open = choice == BOTH and name == LISTEN_CLIENT_URLS
            changed[name] = f"{moved},{settings[name]}" if stays_open else moved
    return changed


def _has_port(urls: str, port: str) -> bool:
    return bool(urls) and all(url.rpartition(":")[2] == port for url in urls.split(","))


def _at_port(urls: str, old: str, new: str) -> str:
    return ",".join(f"{url.removesuffix(old)}{new}" for url in urls.split(","))
