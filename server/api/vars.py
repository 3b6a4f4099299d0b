"""``/debug/vars``: what Go programs publish of themselves, as far as it is true of this one."""

import json
import resource
import sys

from server.api.node import ServedNode
from server.cluster import id_text
from server.cluster.members import compact_json
from server.http.messages import Request, Response, method_not_allowed
from server.raft import Raft


def serve_vars(node: ServedNode, request: Request) -> Response:
    """One JSON object, a line for each variable. Go's ``memstats`` is not among them."""
    if request.method != "GET":
        return method_not_allowed("GET")
    variables: dict[str, object] = {
        "cmdline": sys.orig_argv,
        "file_descriptor_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }
    if node.consensus is not None:
        variables["raft.status"] = _raft_status(node.consensus)
    lines = ",\n".join(
        f"{json.dumps(name)}: {compact_json(value).decode()}" for name, value in variables.items()
    )
    return Response(
        200, (("Content-Type", "application/json; charset=utf-8"),), f"{{\n{lines}\n}}\n".encode()
    )


def _raft_status(raft: Raft) -> dict[str, object]:
    return {
        "id": id_text(raft.id),
        "term": raft.term,
        "vote": id_text(raft.vote),
        "commit": raft.log.committed,
        "lead": id_text(raft.leader),
        "raftState": raft.role.value,
        "progress": {
            id_text(voter): {"match": match, "next": following, "state": _state(raft, voter, match)}
            for voter, (match, following) in raft.progress.items()
        },
    }


def _state(raft: Raft, voter: int, match: int) -> str:
    """etcd counts itself among those it has heard nothing of."""
    return "ProgressStateReplicate" if match and voter != raft.id else "ProgressStateProbe"
