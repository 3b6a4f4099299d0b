"""Nodes of 0.4 as tests describe them."""

from __future__ import annotations

from compat.settings import FILE, Given, Origin
from migrate02.plan.nodes import Node, node_of
from migrate02.plan.planning import ClusterPlan, Plan


def node(name: str = "", host: str = "", /, **settings: str) -> Node:
    """A node at ``host`` with 0.4's ports; ``settings`` are 0.4's, with underscores."""
    given = {key.replace("_", "-"): value for key, value in settings.items()}
    if host:
        given = {"addr": f"{host}:4001", "peer-addr": f"{host}:7001"} | given
    if name:
        given["name"] = name
    place = f"{name or host}.conf"
    origins = {key: Given(key, value, Origin(FILE, key, place, 1)) for key, value in given.items()}
    return node_of(origins, place, files=(place,))


def three(**settings: str) -> list[Node]:
    """infra1 to infra3, who join through each other; ``settings`` are all's."""
    peers = "10.7.0.11:7001,10.7.0.12:7001,10.7.0.13:7001"
    settings = {"peers": peers, "data_dir": "/var/lib/etcd"} | settings
    return [node(f"infra{at}", f"10.7.0.1{at}", **settings) for at in (1, 2, 3)]


def only(plan: Plan) -> ClusterPlan:
    (cluster,) = plan.clusters
    return cluster


def codes(plan: Plan) -> list[str]:
    return [finding.code for finding in plan.all_findings]
