"""Who forms a cluster with whom: nodes that joined through each other's addresses, or with the same token. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrate02.convert.groups import Groups
from migrate02.plan.nodes import Node


def clusters_of(nodes: Sequence[Node], *, together: bool = False) -> list[list[Node]]:
    """The nodes of each cluster by name, the clusters by the name of their first. ``together`` takes all for one.

    Two nodes belong together when one joined through the other's peer address, when both joined through an address that
    no node has, or with the same discovery token. The order of ``nodes`` does not matter.
    """
    nodes = sorted(nodes, key=rank)
    asked_for = {peer for node in nodes for peer in _others(node)}
    groups = Groups[int]()
    seen: dict[str, int] = {}
    for number, node in enumerate(nodes):
        own = node.peer_address if node.peer_address in asked_for else ""
        for tie in filter(None, (own, *_others(node), node.discovery, "all" if together else "")):
            groups.join([seen.setdefault(tie, number), number])
    found: dict[int, list[Node]] = {}
    for number, node in enumerate(nodes):
        found.setdefault(groups.leader(number), []).append(node)
    return list(found.values())


def rank(node: Node) -> tuple[list[tuple[int, str]], str]:
    """Sorts ``infra2`` before ``infra10``."""
    parts = re.findall(r"\d+|\D+", node.name)
    by_number = [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts]
    return by_number, node.source


def _others(node: Node) -> list[str]:
    """Whom it asks for, but for itself: two machines by themselves may both be at 127.0.0.1:7001."""
    return [peer for peer in node.peers if peer != node.peer_address]
