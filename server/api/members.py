"""``/v2/members`` (reading) and ``/v2/machines``: who is in the cluster, as clients are told."""

from server.api.http import JSON, TEXT, Request, Response, method_not_allowed
from server.cluster import Member, id_text
from server.cluster.members import compact_json
from server.node import Node
from server.raft import NOBODY

PREFIX = "/v2/members"


def serve_members(node: Node, request: Request, path: str) -> Response:
    """The list, or ``leader``. Changing the members is not served yet, so only GET is allowed."""
    if request.method != "GET":
        return method_not_allowed("GET")
    cluster = ("X-Etcd-Cluster-Id", id_text(node.members.cluster_id))
    match path.removeprefix(PREFIX).strip("/"):
        case "":
            body = compact_json({"members": [_shown(member) for member in node.members]})
        case "leader":
            leader = node.members.get(node.raft.leader)
            if node.raft.leader == NOBODY or leader is None:
                return _message(503, "During election", cluster)
            body = compact_json(_shown(leader))
        case _:
            return _message(404, "Not found", cluster)
    return Response(200, (JSON, cluster), body + b"\n")


def serve_machines(node: Node, request: Request) -> Response:
    """The client URLs of all members as one line of text, for clients of 0.4."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed("GET", "HEAD")
    return Response(200, (TEXT,), ", ".join(node.members.client_urls()).encode())


def _shown(member: Member) -> dict[str, object]:
    return {
        "id": id_text(member.id),
        "name": member.name,
        "peerURLs": list(member.peer_urls),
        "clientURLs": list(member.client_urls),
    }


def _message(status: int, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, (JSON, *headers), compact_json({"message": text}))
