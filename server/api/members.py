"""``/v2/members``, where members are listed, added, changed and removed, and ``/v2/machines``, for clients of 0.4.

Who may change members is asked before this is called. Statuses and texts are etcd 2.3.8's, and so is their order.
"""

import logging
import re
from collections.abc import Awaitable, Callable

from server.api.errors import message
from server.api.jsonscan import JsonError, strings_of
from server.api.node import ServedNode
from server.cluster import ChangeRefusal, ChangeRefused, Member, MemberError, id_text, runtime_member_id
from server.cluster.members import compact_json
from server.config import UrlError, parse_url
from server.http.messages import (
    JSON,
    TEXT,
    Body,
    Headers,
    ReadBody,
    Reply,
    Request,
    Response,
    method_not_allowed,
    text,
)
from server.node import ChangeFailed
from server.raft import NOBODY

logger = logging.getLogger(__name__)

PREFIX = "/v2/members"

MAX_BODY = 64 << 10
"""Bytes of a list of peer URLs; etcd knows no limit."""

_HEX = re.compile("[0-9a-fA-F]+")
_SECOND = 1_000_000_000
"""In nanoseconds: the id of a new member is made of its URLs and the second."""

_GO_TYPE = 'struct { PeerURLs []string "json:\\"peerURLs\\"" }'


def serve_members(node: ServedNode, request: Request, path: str) -> Reply:
    """Answers a request for ``/v2/members`` or what is below it."""
    name = path.removeprefix(PREFIX).removeprefix("/")
    if node.fixed_members and request.method in ("POST", "PUT", "DELETE"):
        return _message(node, 501, node.fixed_members)
    match request.method:
        case "GET":
            return _show(node, name)
        case "POST":
            return _read_urls(node, request, lambda urls: _add(node, urls))
        case "PUT" | "DELETE":
            return _change(node, request, name)
        case _:
            return method_not_allowed("GET", "POST", "DELETE", "PUT")


def serve_machines(node: ServedNode, request: Request) -> Response:
    """The client URLs of all members as one line of text."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed("GET", "HEAD")
    body = ", ".join(node.members.client_urls()).encode()
    return Response(200, (TEXT,) if body else (), body)


def _show(node: ServedNode, name: str) -> Response:
    match name:
        case "":
            body = compact_json({"members": [_shown(member) for member in node.members]})
        case "leader":
            leader = node.members.get(node.leader)
            if node.leader == NOBODY or leader is None:
                return _message(node, 503, "During election")
            body = compact_json(_shown(leader))
        case _:
            return _message(node, 404, "Not found")
    return Response(200, (JSON, *_cluster(node)), body + b"\n")


def _change(node: ServedNode, request: Request, name: str) -> Reply:
    if not name:
        return text(405, "Method Not Allowed", *_cluster(node))
    if _HEX.fullmatch(name) is None or (member := int(name, 16)) >= 1 << 64:
        return _message(node, 404, f"No such member: {name}")
    if request.method == "DELETE":
        return _remove(node, member)
    return _read_urls(node, request, lambda urls: _update(node, Member(member, peer_urls=urls)))


def _read_urls(
    node: ServedNode, request: Request, go_on: Callable[[tuple[str, ...]], Awaitable[Response]]
) -> Reply:
    """Has the body read, and continues with the peer URLs it names; or refuses."""
    kind = request.headers.get("Content-Type", "")
    if kind != "application/json":
        return _message(node, 415, f"Bad Content-Type {kind}, accept application/json")

    def parse(body: Body) -> Reply:
        try:
            urls = _peer_urls(body)
        except (JsonError, UrlError) as error:
            return _message(node, 400, str(error))
        return go_on(urls)

    return ReadBody(MAX_BODY, parse)


def _peer_urls(body: Body) -> tuple[str, ...]:
    if body.fault or len(body.data) > MAX_BODY:
        raise JsonError(body.fault or "http: request body too large")
    urls = strings_of("peerURLs", body.data, _GO_TYPE)
    if not urls:
        raise UrlError("no valid URLs given")
    return tuple(sorted(str(parse_url(url)) for url in urls))


async def _add(node: ServedNode, urls: tuple[str, ...]) -> Response:
    member = Member(runtime_member_id(urls, node.clock() // _SECOND), peer_urls=urls)
    try:
        await node.reconfiguration.add(member)
    except (MemberError, ChangeFailed) as error:
        return _refused(node, error, "adding", member.id)
    return Response(201, (JSON, *_cluster(node)), compact_json(_shown(member)) + b"\n")


async def _remove(node: ServedNode, member: int) -> Response:
    try:
        await node.reconfiguration.remove(member)
    except (MemberError, ChangeFailed) as error:
        if isinstance(error, ChangeRefused) and error.why is ChangeRefusal.ID_REMOVED:
            return _message(node, 410, f"Member permanently removed: {id_text(member)}")
        return _refused(node, error, "removing", member)
    return Response(204, _cluster(node))


async def _update(node: ServedNode, member: Member) -> Response:
    try:
        await node.reconfiguration.update(member)
    except (MemberError, ChangeFailed) as error:
        return _refused(node, error, "updating", member.id)
    return Response(204, _cluster(node))


def _refused(node: ServedNode, error: MemberError | ChangeFailed, doing: str, member: int) -> Response:
    why = error.why if isinstance(error, ChangeRefused) else None
    if why in (ChangeRefusal.ID_EXISTS, ChangeRefusal.PEER_URL_EXISTS):
        return _message(node, 409, str(error))
    if why is ChangeRefusal.ID_NOT_FOUND:
        return _message(node, 404, f"No such member: {id_text(member)}")
    logger.error("error %s member %s (%s)", doing, id_text(member), error)
    return _message(node, 500, "Internal Server Error")


def _cluster(node: ServedNode) -> Headers:
    return (("X-Etcd-Cluster-Id", id_text(node.members.cluster_id)),)


def _message(node: ServedNode, status: int, words: str) -> Response:
    return message(status, words, *_cluster(node))


def _shown(member: Member) -> dict[str, object]:
    return {
        "id": id_text(member.id),
        "name": member.name,
        "peerURLs": list(member.peer_urls),
        "clientURLs": list(member.client_urls),
    }
