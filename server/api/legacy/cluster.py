"""Who the members are and who leads, as 0.4 showed it on the client port. Reads only."""

from collections.abc import Iterator
from urllib.parse import urlencode

from server.api.keys import answer_error
from server.api.node import ServedNode
from server.cluster import Member
from server.cluster.members import compact_json
from server.http.messages import TEXT, Request, Response
from server.store import ErrorCode, EtcdError, Event
from server.store.event import Action
from server.store.node import StoreNode

VERSION = b"etcd 0.4.9"
"""What programs of that time look for: the last release of 0.4."""

REGISTRY, CONFIG = "/1/_etcd/machines", "/1/_etcd/config"
"""Where 0.4 kept its members, and what was set for all of them, in the key space."""

_LEAST_ACTIVE = 3
"""0.4 takes no active size below this."""

_REMOVE_DELAY, _SYNC_INTERVAL = 1800, 5
"""0.4's defaults, in seconds. Nothing in 2.x removes a member automatically or waits to become one."""


def plain(body: bytes) -> Response:
    """Mere text without a newline, as 0.4 answered; Go sends no type for an empty body."""
    return Response(200, (TEXT,) if body else (), body)


def serve_version(_: ServedNode, __: Request) -> Response:
    return plain(VERSION)


def serve_leader(node: ServedNode, _: Request) -> Response:
    """The peer URL of the leader."""
    leader = node.members.get(node.leader)
    if leader is None:
        return answer_error(
            EtcdError(ErrorCode.LEADER_ELECTION, "", node.store.index), node.members.cluster_id
        )
    return plain(first(leader.peer_urls).encode())


def serve_machines(node: ServedNode, _: Request) -> Response:
    """The client URLs of all members, the leader's first."""
    return plain(", ".join(url for member in leader_first(node) for url in member.client_urls).encode())


def leader_first(node: ServedNode) -> list[Member]:
    """All members that have started, by which they are known to have client URLs: the leader, then the others by
    name."""
    started = (member for member in node.members if member.client_urls)
    return sorted(started, key=lambda member: (member.id != node.leader, member.name))


def first(urls: tuple[str, ...]) -> str:
    """The one URL that 0.4 would have known of several."""
    return urls[0] if urls else ""


def cluster_config(node: ServedNode) -> dict[str, int]:
    """What 0.4 kept of all members together: all are active ones, of which it knew no fewer than three."""
    active = max(_LEAST_ACTIVE, sum(1 for _ in node.members))
    return {"activeSize": active, "removeDelay": _REMOVE_DELAY, "syncInterval": _SYNC_INTERVAL}


def registry_event(node: ServedNode, path: str) -> Event | None:
    """What a get of a store path would find in 0.4's registry, had the members written it there; None elsewhere.

    All indexes are 1: it is not part of the key space, and no write has made it.
    """
    if path != CONFIG and path != REGISTRY and not path.startswith(f"{REGISTRY}/"):
        return None
    members = list(_entries(node))
    entries = {
        CONFIG: StoreNode(CONFIG, compact_json(cluster_config(node)), 1, 1),
        REGISTRY: StoreNode(REGISTRY, None, 1, 1, dir=True, nodes=members),
        **{entry.key: entry for entry in members},
    }
    found = entries.get(path)
    return None if found is None else Event(Action.GET, found, None, node.store.index)


def _entries(node: ServedNode) -> Iterator[StoreNode]:
    for member in sorted(leader_first(node), key=lambda member: member.name):
        value = urlencode({"etcd": first(member.client_urls), "raft": first(member.peer_urls)})
        yield StoreNode(f"{REGISTRY}/{member.name}", value.encode(), 1, 1)
