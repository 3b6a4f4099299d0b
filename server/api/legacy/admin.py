"""0.4's admin API on the peer port, to read: members, configuration, name. What changed things there is refused with
the way that 2.x has for it.

``/version`` there stays 2.x's, which members need of each other.
"""

from server.api.legacy.cluster import cluster_config, first, leader_first, plain
from server.api.node import ServedNode
from server.cluster import Member
from server.cluster.members import compact_json
from server.http.messages import (
    JSON,
    Request,
    Response,
    not_found,
    text,
)

_MACHINES = "/v2/admin/machines"
_CONFIG = "/v2/admin/config"

_NO_REMOVAL = (
    "members are not removed on the peer port any more: DELETE /v2/members/ID on a client URL, or "
    "'etcdctl member remove ID'; 'etcdctl member list' shows the IDs"
)
_NO_CONFIG = (
    "there is no cluster configuration to change any more: etcd 2.x has no standbys, and removes no member by "
    "itself; see /v2/members on a client URL"
)


def serve_admin(node: ServedNode, request: Request, path: str) -> Response:
    """Answers a request on the peer port that is none of 2.x's."""
    if path == "/name":
        return plain(node.local.name.encode())
    if path == "/etcdURL":
        return plain(first(node.local.client_urls).encode())
    names, _, name = path.removeprefix(_MACHINES).partition("/")
    if path == _CONFIG:
        refusal = {"PUT": _NO_CONFIG}
    elif path.startswith(_MACHINES) and not names and "/" not in name:
        refusal = {"DELETE": _NO_REMOVAL} if name else {}
    else:
        return not_found()
    if request.method in refusal:
        return text(403, refusal[request.method])
    if request.method != "GET":
        return not_found()
    return Response(
        200, (JSON,), compact_json(cluster_config(node) if path == _CONFIG else _machines(node, name))
    )


def _machines(node: ServedNode, name: str) -> object:
    """All of them, or the one of that name, None if there is none."""
    shown = [_shown(node, member) for member in leader_first(node)]
    return next((machine for machine in shown if machine["name"] == name), None) if name else shown


def _shown(node: ServedNode, member: Member) -> dict[str, str]:
    return {
        "name": member.name,
        "state": "leader" if member.id == node.leader else "follower",
        "clientURL": first(member.client_urls),
        "peerURL": first(member.peer_urls),
    }
