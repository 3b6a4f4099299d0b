"""What a peer may ask on the peer port beside the talk of raft: who is here, which version, are you alive.

The paths, headers and bodies of etcd 2.3's rafthttp; everything else there is 404.
"""

import json

from server.api.node import ServedNode
from server.api.stats import serve_version
from server.cluster import id_text
from server.http.messages import (
    JSON,
    TEXT,
    Request,
    Response,
    about_all,
    bad_request,
    method_not_allowed,
    not_found,
)
from server.http.targets import BadPathError, decode_path, split_target
from server.store.gojson import format_time
from server.version import version_in_cluster


class PeerApi:
    """Serves one node's peers; ``legacy``: and what 0.4's admin API showed, to read."""

    def __init__(self, node: ServedNode, *, legacy: bool = False) -> None:
        self._node = node
        self._legacy = legacy

    def handle(self, request: Request) -> Response:
        """Answers a request; never raises."""
        if request.target == b"*":
            return about_all(request)
        try:
            path = decode_path(split_target(request.target)[0])
        except BadPathError:
            return bad_request()
        match path:
            case "/members":
                return self._members(request)
            case "/version":
                return serve_version(self._node, request, version_in_cluster(self._node.members.version))
            case "/raft/probing":
                now = format_time(self._node.clock())
                return Response(200, (TEXT,), f'{{"OK":true,"Now":"{now}"}}\n'.encode())
            case _ if self._legacy:
                from server.api.legacy import serve_admin  # late: few members serve it

                return serve_admin(self._node, request, path)
            case _:
                return not_found()

    def _members(self, request: Request) -> Response:
        if request.method != "GET":
            return method_not_allowed("GET")
        members = [json.loads(member.context) for member in self._node.members]
        cluster = ("X-Etcd-Cluster-Id", id_text(self._node.members.cluster_id))
        return Response(200, (JSON, cluster), json.dumps(members, separators=(",", ":")).encode() + b"\n")
