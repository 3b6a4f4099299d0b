"""What does not fit together across the nodes of a cluster, and across clusters. Nodes in, findings out. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address

from compat.addresses import WILDCARDS
from compat.findings import Finding, Text
from compat.settings import FILE, Origin
from migrate02.convert.clusters import active_size, standbys_unknown
from migrate02.plan.findings import (
    ADDRESS_FILLED_IN,
    ADDRESS_SHARED,
    BOTH_SCHEMES,
    CLIENT_ADDRESS,
    LISTENS_ON_ANOTHER,
    NAME_FILLED_IN,
    NAME_SHARED,
    NAME_UNLISTABLE,
    NO_NAME,
    NOBODYS_ADDRESS,
    SIZES_DIFFER,
    STANDBYS_AMONG_NODES,
    TIMES_DIFFER,
    UNREACHABLE,
)
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


def _say(text: Text, setting: str, node: Node, **fields: str) -> Finding:
    """The text's ``name`` and ``setting`` are the node's and the one that it is about."""
    known = {"name": node.name, "setting": setting}
    return text.finding(setting, Origin(FILE, setting or node.name, node.source), **(known | fields))


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
    return _say(ADDRESS_SHARED, setting, node, address=address, owners=who)


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
            yield _say(NO_NAME, "name", node)
        elif is_filled_in(node.name):
            yield _say(NAME_FILLED_IN, "name", node)
        elif any(mark in node.name for mark in _UNLISTABLE):
            yield _say(NAME_UNLISTABLE, "name", node, name=repr(node.name))
    for name, times in Counter(node.name for node in cluster if node.name).items():
        if times > 1:
            twice = [node for node in cluster if node.name == name]
            sources = " and ".join(node.source for node in twice)
            yield _say(NAME_SHARED, "name", twice[-1], count=str(times), places=sources)


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
            fields = {"owner": owner.name, "address": owner.peer_address}
            yield _say(CLIENT_ADDRESS, "peers", nodes[0], peer=peer, nodes=who, **fields)
        else:
            yield _say(NOBODYS_ADDRESS, "peers", nodes[0], peer=peer, nodes=who)


def _of_unreachable(cluster: Sequence[Node]) -> Iterator[Finding]:
    """An address that means something else to every other node."""
    known = [node for node in cluster if node.host]
    local = [is_loopback(node.host) for node in known]
    for node, is_local in zip(known, local, strict=True):
        wildcard = node.host in WILDCARDS
        if not wildcard and (not is_local or all(local)):
            continue
        what = "every interface" if wildcard else "each machine itself"
        yield _say(UNREACHABLE, "peer-addr", node, address=node.peer_address, what=what)


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
            yield _say(BOTH_SCHEMES, setting, schemes["http"][0], nodes=who, prefix=prefix)


def _of_timing(cluster: Sequence[Node]) -> Iterator[Finding]:
    pairs: dict[tuple[str, ...], list[Node]] = defaultdict(list)
    for node in cluster:
        pairs[tuple(node.settings.get(name, "") for name in _TIMING)].append(node)
    if len(pairs) > 1:
        who = "; ".join(
            f"{', '.join(node.name for node in nodes)}: {'/'.join(value or 'default' for value in pair)}"
            for pair, nodes in pairs.items()
        )
        yield _say(TIMES_DIFFER, _TIMING[0], min(pairs.values(), key=len)[0], nodes=who)


def _of_what_is_filled_in(node: Node) -> Iterator[Finding]:
    sides = [(setting, node.settings.get(advertised, "")) for setting, advertised, _ in _SIDES]
    filled_in = [(setting, url) for setting, url in sides if is_filled_in(url)]
    if filled_in:
        said = " and ".join(f"{address_of(url)} (-{setting})" for setting, url in filled_in)
        yield _say(ADDRESS_FILLED_IN, filled_in[0][0], node, addresses=said)


def _of_listening(node: Node) -> Iterator[Finding]:
    for setting, advertised, listened in _SIDES:
        called, bound = (host_of(node.settings.get(name, "")) for name in (advertised, listened))
        if bound == called or bound in WILDCARDS or not (_is_ip(called) and _is_ip(bound)):
            continue
        yield _say(LISTENS_ON_ANOTHER, setting, node, heard=bound, told=called)


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
        findings.append(_say(SIZES_DIFFER, "cluster-active-size", node, sizes=said, url=_client_of(cluster)))
    size = active_size(sizes)
    voting = len(cluster) - standbys
    if voting > size and len(sizes) <= 1:
        fields = {"reason": standbys_unknown(voting, size), "url": _client_of(cluster)}
        findings.append(_say(STANDBYS_AMONG_NODES, "cluster-active-size", cluster[-1], **fields))
    return findings


def _client_of(cluster: Sequence[Node]) -> str:
    client: Mapping[str, str] = next((node.settings for node in cluster if node.client_url), {})
    return client.get(CLIENT_URLS, "URL")
