"""Who forms a cluster with whom: nodes that joined through each other's addresses, or with the same token. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrate02.plan.nodes import Node


def clusters_of(nodes: Sequence[Node], *, together: bool = False) -> list[list[Node]]:
    """The nodes of each cluster by name, the clusters by the name of their first. ``together`` takes all for one.

    Two nodes belong together when one joined through the other's peer address, when both joined through an address that
    no node has, or with the same discovery token. The order of ``nodes`` does not matter.
    """
    group = list(range(len(nodes)))

    def first_of(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    seen: dict[str, int] = {}
    for place, node in enumerate(nodes):
        ties = [*node.peers, node.discovery, "all" if together else ""]
        for tie in filter(None, (*_own_if_joined_through(node, nodes), *ties)):
            group[first_of(place)] = first_of(seen.setdefault(tie, place))
    found: dict[int, list[Node]] = {}
    for place, node in enumerate(nodes):
        found.setdefault(first_of(place), []).append(node)
    return sorted((sorted(cluster, key=_rank) for cluster in found.values()), key=lambda it: _rank(it[0]))


def _own_if_joined_through(node: Node, nodes: Sequence[Node]) -> list[str]:
    """Its address, if anybody else asks for it: two machines by themselves may both be at 127.0.0.1:7001."""
    wanted = any(node.peer_address in other.peers for other in nodes if other is not node)
    return [node.peer_address] if wanted else []


def _rank(node: Node) -> tuple[list[tuple[int, str]], str]:
    """``infra2`` before ``infra10``."""
    parts = re.findall(r"\d+|\D+", node.name)
    return [
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts
    ], node.place
