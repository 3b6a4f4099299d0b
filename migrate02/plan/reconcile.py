"""What files say of nodes held against what a running cluster says: files know how a node is set up, the cluster
who is a member of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compat.findings import Finding
from compat.settings import FILE, FLAG, Origin
from migrate02.plan.findings import ADDRESS_DIFFERS, STANDS_BY
from migrate02.plan.grouping import clusters_of
from migrate02.plan.nodes import STANDBY, Found, Node


def reconcile(described: Sequence[Node], running: Sequence[Node]) -> Found:
    """The described nodes, each with what it is in the running cluster that ``running`` was found in.

    A described node of the same cluster that is no member of it stands by; other clusters stay as they are. A member
    that no file describes is among the nodes as far as the cluster tells of it.
    """
    members = {node.name: node for node in running if node.was != STANDBY}
    found = Found([], [])
    for cluster in clusters_of(described):
        if not any(node.name in members for node in cluster):
            found.nodes.extend(cluster)
            continue
        for node in cluster:
            member = members.get(node.name)
            found.nodes.append(node._replace(was=member.was if member is not None else STANDBY))
            found.findings.extend(_stands_by(node) if member is None else _differs(node, member))
    names = {node.name for node in described}
    found.nodes.extend(node for name, node in members.items() if name not in names)
    return found


def _stands_by(node: Node) -> Iterator[Finding]:
    yield STANDS_BY.finding("name", Origin(FILE, node.name, node.source), name=node.name)


def _differs(node: Node, member: Node) -> Iterator[Finding]:
    for setting, here, there in (
        ("peer-addr", node.peer_url, member.peer_url),
        ("addr", node.client_url, member.client_url),
    ):
        if here != there:
            fields = {"setting": setting, "name": node.name, "here": here, "there": there}
            yield ADDRESS_DIFFERS.finding(setting, Origin(FLAG, "--live"), **fields)
