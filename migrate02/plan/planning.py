"""Nodes of 0.4 in, one plan for every cluster of them out: members, proxies, start lines, what does not fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count, repeat
from typing import NamedTuple

from compat.findings import ERROR, REVIEW, Finding, worst
from compat.settings import FILE, FLAG, Origin
from compat.translate import ORDER
from migrate02.plan import checks
from migrate02.plan.findings import (
    GONE_FROM_NOWHERE,
    NO_SUCH_NODE,
    NOBODY_VOTES,
    ONLY_PEER_URL,
    SETS_UP_SEVERAL,
)
from migrate02.plan.gateways import about_gateways, as_gateway
from migrate02.plan.grouping import clusters_of, rank
from migrate02.plan.nodes import (
    CLIENT_URLS,
    LISTEN_PEER_URLS,
    PEER_URLS,
    STANDBY,
    Node,
    to_write_in,
)
from migrate02.plan.ports import KEEP, with_ports
from server.config.gateway import GatewaySettings

PROGRAM = "etcd02"

MEMBER, PROXY, GATEWAY = "member", "proxy", "gateway"
"""What a node becomes."""

_OF_MEMBERS_ALONE = frozenset(
    (
        LISTEN_PEER_URLS,
        PEER_URLS,
        CLIENT_URLS,
        "election-timeout",
        "heartbeat-interval",
        "max-snapshots",
        "max-wals",
        "snapshot-count",
    )
)
"""A proxy keeps no log and is called by no member."""


class PlanOptions(NamedTuple):
    """What a person decided. ``members`` are (name, peer URL) of nodes that no file describes, ``gone`` addresses of
    nodes that are no more, ``standbys`` names. ``together`` takes all nodes for one cluster. With a ``gateway`` the
    keys go into an etcd 3, and the nodes become gateways to it."""

    ports: str = KEEP
    token: str = ""
    standbys: tuple[str, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    together: bool = False
    gateway: GatewaySettings | None = None


NO_OPTIONS = PlanOptions()


class Planned(NamedTuple):
    """A node as it will run: ``settings`` are all it is started with."""

    node: Node
    becomes: str
    settings: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_proxy(self) -> bool:
        return self.becomes == PROXY

    @property
    def command(self) -> list[str]:
        """Its words. A boolean of etcd's takes its value after ``=`` alone, so all do."""
        return [PROGRAM, *(f"--{name}={value}" for name, value in self.settings.items())]


class ClusterPlan(NamedTuple):
    """``name`` is its first node's. ``members`` have voted, and have the data; ``proxies`` have stood by, and become
    gateways as well where the others do. Nothing is to be started where it ``is_refused``."""

    name: str
    members: tuple[Planned, ...]
    proxies: tuple[Planned, ...]
    initial_cluster: str
    token: str
    ports: str
    findings: tuple[Finding, ...]
    shared_with: tuple[ClusterPlan, ...] = ()
    """Other clusters with nodes in the same files, which are converted with this one's."""
    gateway: GatewaySettings | None = None
    """The etcd 3 that gets the keys; None for a cluster of 2.x."""

    @property
    def nodes(self) -> tuple[Planned, ...]:
        return self.members + self.proxies

    @property
    def files(self) -> frozenset[str]:
        return frozenset(file for node in self.nodes for file in node.node.files)

    @property
    def is_refused(self) -> bool:
        return worst(list(self.findings)) == ERROR


class Plan(NamedTuple):
    """``findings`` are about no cluster in particular: nodes left out, files that could not be read."""

    clusters: tuple[ClusterPlan, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def all_findings(self) -> list[Finding]:
        return [*self.findings, *(finding for cluster in self.clusters for finding in cluster.findings)]

    @property
    def worst(self) -> str:
        return worst(self.all_findings)

    @property
    def needs_review(self) -> bool:
        return any(finding.severity == REVIEW for finding in self.all_findings)


def make_plan(
    nodes: Iterable[Node], options: PlanOptions = NO_OPTIONS, findings: Sequence[Finding] = ()
) -> Plan:
    """``findings`` are what the search for the nodes had to say. The order of the nodes does not matter."""
    nodes = sorted([*nodes, *(_by_hand(name, url) for name, url in options.members)], key=rank)
    nodes = [node._replace(was=STANDBY) if node.name in options.standbys else node for node in nodes]
    shared = checks.across(nodes)
    clusters: dict[str, ClusterPlan] = {}
    for cluster in clusters_of(nodes, together=options.together):
        reported = [finding for finding, owners in shared if any(owner in cluster for owner in owners)]
        name = _unlike(clusters, cluster[0].name or cluster[0].source)
        clusters[name] = _planned(name, cluster, options, reported)
    return Plan(
        tuple(map(_with_sharing, clusters.values(), repeat(list(clusters.values())))),
        (*findings, *_of_strangers(nodes, options), *_of_gone(nodes, options)),
    )


def _with_sharing(plan: ClusterPlan, every: Sequence[ClusterPlan]) -> ClusterPlan:
    """A file that starts nodes of several clusters is converted once, for all of them."""
    others = tuple(other for other in every if other is not plan and plan.files & other.files)
    if not others:
        return plan
    files = ", ".join(sorted(plan.files & {file for other in others for file in other.files}))
    names = ", ".join(each.name for each in every if each is plan or each in others)
    finding = SETS_UP_SEVERAL.finding("", Origin(FILE, "", files), clusters=names)
    return plan._replace(shared_with=others, findings=(*plan.findings, finding))


def _by_hand(name: str, url: str) -> Node:
    settings = {"name": name, LISTEN_PEER_URLS: url, PEER_URLS: url}
    finding = ONLY_PEER_URL.finding("name", Origin(FLAG, "--member"), name=name)
    return Node(name, settings, "--member", findings=(finding,))


def _of_strangers(nodes: Sequence[Node], options: PlanOptions) -> list[Finding]:
    known = {node.name for node in nodes}
    names = ", ".join(sorted(filter(None, known)))
    return [
        NO_SUCH_NODE.finding("name", Origin(FLAG, "--standby"), name=name, names=names)
        for name in options.standbys
        if name not in known
    ]


def _of_gone(nodes: Sequence[Node], options: PlanOptions) -> list[Finding]:
    """Addresses that nobody asks for: with a slip of the pen, or a name, the one that was meant would stay unknown."""
    asked_for = {peer for node in nodes for peer in node.peers}
    unknown = ", ".join(sorted(asked_for - {node.peer_address for node in nodes}))
    hint = f"Give HOST:PORT as it is there: {unknown}." if unknown else "Leave it out: all peers are known."
    return [
        GONE_FROM_NOWHERE.finding("peers", Origin(FLAG, "--gone"), address=address, hint=hint)
        for address in options.gone
        if address not in asked_for
    ]


def _unlike(others: Collection[str], name: str) -> str:
    """The name, with a number if another cluster begins with a node of the same one."""
    numbered = (f"{name}-{number}" for number in count(2))
    return name if name not in others else next(each for each in numbered if each not in others)


def _planned(
    name: str, cluster: Sequence[Node], options: PlanOptions, shared: Sequence[Finding]
) -> ClusterPlan:
    voting = [node for node in cluster if node.was != STANDBY]
    standbys = [node for node in cluster if node.was == STANDBY]
    findings = [
        *shared,
        *checks.within(cluster, options.gone),
        *checks.of_size(cluster, len(standbys)),
        *(finding for node in cluster for finding in node.findings),
    ]
    if not voting:
        findings.append(_nobody_votes(standbys))
    if options.gateway is not None:
        return _planned_gateways(name, voting, standbys, options.gateway, findings)
    members = [(node, {**_directory(node), **with_ports(node.settings, options.ports)}) for node in voting]
    proxies = [(node, with_ports(node.settings, options.ports)) for node in standbys]
    initial_cluster = ",".join(_entry(node.name, settings) for node, settings in members)
    token = options.token or f"etcd-cluster-{name}"
    bootstrap = {
        "initial-cluster": initial_cluster,
        "initial-cluster-state": "new",
        "initial-cluster-token": token,
    }
    return ClusterPlan(
        name,
        tuple(Planned(node, MEMBER, _in_order({**settings, **bootstrap})) for node, settings in members),
        tuple(Planned(node, PROXY, _as_proxy(settings, initial_cluster)) for node, settings in proxies),
        initial_cluster,
        token,
        options.ports,
        tuple(findings),
    )


def _planned_gateways(
    name: str,
    voting: Sequence[Node],
    standbys: Sequence[Node],
    through: GatewaySettings,
    findings: Sequence[Finding],
) -> ClusterPlan:
    members, others = (
        tuple(Planned(node, GATEWAY, as_gateway(_in_order(node.settings), through)) for node in nodes)
        for nodes in (voting, standbys)
    )
    return ClusterPlan(name, members, others, "", "", KEEP, tuple(about_gateways(findings)), gateway=through)


def _directory(node: Node) -> dict[str, str]:
    """What to write in where nobody says: without a directory a member would start in one of its own, empty."""
    return {"data-dir": to_write_in(node)}


def _entry(name: str, settings: Mapping[str, str]) -> str:
    return ",".join(f"{name}={url}" for url in settings.get(PEER_URLS, "").split(","))


def _as_proxy(settings: Mapping[str, str], initial_cluster: str) -> dict[str, str]:
    kept = {name: value for name, value in settings.items() if name not in _OF_MEMBERS_ALONE}
    return _in_order({**kept, "proxy": "on", "initial-cluster": initial_cluster})


def _in_order(settings: Mapping[str, str]) -> dict[str, str]:
    rank = {name: number for number, name in enumerate(ORDER)}
    return {
        name: settings[name] for name in sorted(settings, key=lambda name: (rank.get(name, len(rank)), name))
    }


def _nobody_votes(standbys: Sequence[Node]) -> Finding:
    names = ", ".join(node.name for node in standbys)
    return NOBODY_VOTES.finding("peers", Origin(FLAG, "--standby"), names=names)
