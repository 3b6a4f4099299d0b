"""What does not fit together across the nodes of a cluster, and across clusters. Nodes in, findings out. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from compat.addresses import WILDCARDS
from compat.findings import Finding
from compat.settings import FILE, Origin
from migrate02.convert.clusters import active_size, standbys_unknown
from migrate02.plan.nodes import (
    CLIENT_URLS,
    LISTEN_CLIENT_URLS,
    LISTEN_PEER_URLS,
    PEER_URLS,
    Node,
    address_of,
    host_of,
    is_filled_in,
    is_loopback,
)

_SIDES = (("peer-addr", PEER_URLS, LISTEN_PEER_URLS), ("addr", CLIENT_URLS, LISTEN_CLIENT_URLS))
_TIMING = ("heartbeat-interval", "election-timeout")
_UNLISTABLE = "=,\r\n"
"""What --initial-cluster cannot have in a name."""


def _say(code: str, setting: str, node: Node, message: str, remedy: str) -> Finding:
    return Finding(code, setting, Origin(FILE, setting or node.name, node.source), message, remedy)


def across(nodes: Sequence[Node]) -> list[tuple[Finding, list[Node]]]:
    """What is wrong between nodes of whatever cluster, and between which: two of them cannot answer at one address."""
    at: dict[str, list[tuple[Node, str]]] = defaultdict(list)
    for node in nodes:
        for setting, advertised, _ in _SIDES:
            url = node.settings.get(advertised, "")
            if url and not is_filled_in(url) and not is_loopback(host_of(url)):
                at[address_of(url)].append((node, setting))
    shared = [(address, owners) for address, owners in at.items() if len(owners) > 1]
    return [(_shared(address, owners), [node for node, _ in owners]) for address, owners in shared]


def _shared(address: str, owners: list[tuple[Node, str]]) -> Finding:
    who = " and ".join(f"-{setting} of {node.name or 'a node'} ({node.source})" for node, setting in owners)
    node, setting = owners[-1]
    return _say(
        "same-address",
        setting,
        node,
        f"{address} is {who}",
        "give each its own address; if both files are about one node, give only the one that is used",
    )


def within(cluster: Sequence[Node], gone: Sequence[str] = ()) -> list[Finding]:
    """What is wrong between the nodes of one cluster. ``gone`` are addresses of nodes that are known to be no more."""
    findings = [*_of_names(cluster), *_of_loopback(cluster)]
    findings += _of_unknown_peers(cluster, gone)
    if len(cluster) > 1:
        findings += [*_of_unreachable(cluster), *_of_tls(cluster), *_of_timing(cluster)]
    for node in cluster:
        findings += [*_of_what_is_filled_in(node), *_of_listening(node)]
    return findings


def _of_names(cluster: Sequence[Node]) -> Iterator[Finding]:
    for node in cluster:
        if not node.name:
            remedy = "give it one with -name, as it was called in 0.4: its host's name where nothing was set"
            yield _say("name-unknown", "name", node, "the node has no name in its files", remedy)
        elif is_filled_in(node.name):
            message = (
                f"the node's name, {node.name}, is filled in when it starts, and --initial-cluster lists it"
            )
            yield _say("name-unknown", "name", node, message, "write its name out with -name")
        elif any(mark in node.name for mark in _UNLISTABLE):
            message = f"the name {node.name!r} cannot stand in --initial-cluster, where = and , separate"
            yield _say("name-unknown", "name", node, message, "give it another name")
    for name, times in Counter(node.name for node in cluster if node.name).items():
        if times > 1:
            twice = [node for node in cluster if node.name == name]
            sources = " and ".join(node.source for node in twice)
            remedy = (
                "give each its own -name; if both files are about one node, give only the one that is used"
            )
            yield _say("same-name", "name", twice[-1], f"{times} nodes are called {name}: {sources}", remedy)


def _of_loopback(cluster: Sequence[Node]) -> Iterator[Finding]:
    """Nodes of one machine, where ``across`` looks away because loopback is every machine's."""
    at: dict[str, list[tuple[Node, str]]] = defaultdict(list)
    for node in cluster:
        for setting, advertised, _ in _SIDES:
            url = node.settings.get(advertised, "")
            if is_loopback(host_of(url)):
                at[address_of(url)].append((node, setting))
    yield from (_shared(address, owners) for address, owners in at.items() if len(owners) > 1)


def _of_unknown_peers(cluster: Sequence[Node], gone: Sequence[str]) -> Iterator[Finding]:
    known = {node.peer_address for node in cluster} | set(gone)
    clients = {address_of(node.client_url): node for node in cluster}
    asking: dict[str, list[Node]] = defaultdict(list)
    for node in cluster:
        for peer in dict.fromkeys(node.peers):
            if peer not in known:
                asking[peer].append(node)
    for peer, nodes in asking.items():
        who = ", ".join(node.name or node.source for node in nodes)
        if peer in clients:
            owner = clients[peer]
            message = f"{peer} in -peers of {who} is the client address of {owner.name}, not its peer address"
            remedy = f"write {owner.peer_address}"
        else:
            message = f"{peer} in -peers of {who} is the address of no node that is described here"
            remedy = f"give its files too, or --member NAME=http://{peer}; if it is no more, --gone {peer}"
        yield _say("unknown-peer", "peers", nodes[0], message, remedy)


def _of_unreachable(cluster: Sequence[Node]) -> Iterator[Finding]:
    """An address that means something else to every other node."""
    known = [node for node in cluster if node.host]
    local = [is_loopback(node.host) for node in known]
    for node, is_local in zip(known, local, strict=True):
        wildcard = node.host in WILDCARDS
        if not wildcard and (not is_local or all(local)):
            continue
        what = "every interface" if wildcard else "each machine itself"
        message = f"{node.name} tells the others to call {node.peer_address}, which is {what}"
        remedy = "set -peer-addr to an address that the other members reach"
        yield _say("unreachable-address", "peer-addr", node, message, remedy)


def _of_tls(cluster: Sequence[Node]) -> Iterator[Finding]:
    for setting, advertised, _ in _SIDES:
        schemes = defaultdict(list)
        for node in cluster:
            url = node.settings.get(advertised, "")
            if url:
                schemes[url.partition("://")[0]].append(node)
        if len(schemes) > 1:
            who = "; ".join(
                f"{scheme}: {', '.join(node.name for node in nodes)}"
                for scheme, nodes in sorted(schemes.items())
            )
            prefix = setting.removesuffix("addr")
            message = f"some of the -{setting} are https and some http ({who})"
            remedy = f"give all members -{prefix}cert-file and -{prefix}key-file, or none"
            yield _say("mixed-tls", setting, schemes["http"][0], message, remedy)


def _of_timing(cluster: Sequence[Node]) -> Iterator[Finding]:
    pairs: dict[tuple[str, ...], list[Node]] = defaultdict(list)
    for node in cluster:
        pairs[tuple(node.settings.get(name, "") for name in _TIMING)].append(node)
    if len(pairs) > 1:
        who = "; ".join(
            f"{', '.join(node.name for node in nodes)}: {'/'.join(value or 'default' for value in pair)}"
            for pair, nodes in pairs.items()
        )
        message = f"heartbeat and election time (ms) differ: {who}"
        node = min(pairs.values(), key=len)[0]
        yield _say("mixed-timing", _TIMING[0], node, message, "set the same pair on every member")


def _of_what_is_filled_in(node: Node) -> Iterator[Finding]:
    sides = [(setting, node.settings.get(advertised, "")) for setting, advertised, _ in _SIDES]
    filled_in = [(setting, url) for setting, url in sides if is_filled_in(url)]
    if filled_in:
        said = " and ".join(f"{address_of(url)} (-{setting})" for setting, url in filled_in)
        message = f"{node.name}'s address is filled in when it starts: {said}"
        remedy = "put what it becomes in its place here, above all in --initial-cluster"
        yield _say("filled-in-later", filled_in[0][0], node, message, remedy)


def _of_listening(node: Node) -> Iterator[Finding]:
    for setting, advertised, listened in _SIDES:
        called, bound = (host_of(node.settings.get(name, "")) for name in (advertised, listened))
        if bound == called or bound in WILDCARDS or not (_is_ip(called) and _is_ip(bound)):
            continue
        message = f"{node.name} listens on {bound} only, and tells others to call {called}"
        remedy = f"if nothing forwards from one to the other, bind to {called}"
        yield _say("listens-elsewhere", setting, node, message, remedy)


def _is_ip(host: str) -> bool:
    """A host name may be either address, and nothing here looks it up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def of_size(cluster: Sequence[Node], standbys: int) -> list[Finding]:
    """Nodes beyond the active size, of which nobody said that they are standbys; ``standbys`` are known to be."""
    sizes = {node.active_size for node in cluster if node.active_size}
    findings = []
    if len(sizes) > 1:
        said = ", ".join(f"{node.name}: {node.active_size}" for node in cluster if node.active_size)
        node = next(node for node in cluster if node.active_size)
        message = f"-cluster-active-size differs ({said}); the one of the node that came first counted"
        findings.append(_say("standby-unknown", "cluster-active-size", node, message, _asked_how(cluster)))
    size = active_size(sizes)
    voting = len(cluster) - standbys
    if voting > size and len(sizes) <= 1:
        message = standbys_unknown(voting, size)
        findings.append(
            _say("standby-unknown", "cluster-active-size", cluster[-1], message, _asked_how(cluster))
        )
    return findings


def _asked_how(cluster: Sequence[Node]) -> str:
    client: Mapping[str, str] = next((node.settings for node in cluster if node.client_url), {})
    return (
        f"ask the running cluster (--live {client.get(CLIENT_URLS, 'URL')}), or name each with --standby NAME"
    )
