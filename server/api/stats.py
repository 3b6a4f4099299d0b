"""``/v2/stats``, ``/health`` and ``/version``: how the member is doing."""

import time

from server.api.errors import message
from server.api.node import ServedNode
from server.cluster import id_text
from server.cluster.members import compact_json
from server.http.messages import (
    JSON,
    TEXT,
    Request,
    Response,
    method_not_allowed,
    text,
)
from server.node import Flow, Latency
from server.raft import NOBODY
from server.store.gojson import format_time
from server.version import VERSION

HEALTH_PATIENCE = 0.75
"""Seconds that /health waits for an entry to be committed: etcd 2.3 looks three times, 0.25 s apart."""


def serve_self(node: ServedNode, request: Request) -> Response:
    """About this member. Rates of 0 are left out, as etcd does.

    What is said of the leader is as old as the last one, and nobody ever is a candidate, as in etcd.
    """
    if request.method != "GET":
        return method_not_allowed("GET")
    now, leadership = node.clock(), node.leadership
    leader = {
        "leader": "" if leadership.last_leader == NOBODY else id_text(leadership.last_leader),
        "uptime": go_duration(now - leadership.leader_since),
        "startTime": format_time(leadership.leader_since),
    }
    network = node.network
    body = {
        "name": node.local.name,
        "id": id_text(node.local.id),
        "state": "StateLeader" if leadership.last_leader == node.local.id else "StateFollower",
        "startTime": format_time(node.started_at),
        "leaderInfo": leader,
        **_flow("recv", None if network is None else network.received),
        **_flow("send", None if network is None else network.sent),
    }
    return Response(200, (JSON,), compact_json(body))


def _flow(direction: str, flow: Flow | None) -> dict[str, object]:
    """APPENDs in one direction: how many, and per second how many and how many bytes."""
    if flow is None:
        return {f"{direction}AppendRequestCnt": 0}
    messages, size = flow.rates(time.monotonic())
    fields: dict[str, object] = {f"{direction}AppendRequestCnt": flow.count}
    if messages:
        fields |= {f"{direction}PkgRate": go_number(messages), f"{direction}BandwidthRate": go_number(size)}
    return fields


def serve_leader(node: ServedNode, request: Request) -> Response:
    """How a leader's APPENDs to the others fare."""
    if request.method != "GET":
        return method_not_allowed("GET")
    if not node.is_leader:
        return message(403, "not current leader")
    network = node.network
    latencies = {} if network is None else network.latencies()
    followers = dict(sorted((id_text(member), _follower(latency)) for member, latency in latencies.items()))
    return Response(200, (JSON,), compact_json({"leader": id_text(node.local.id), "followers": followers}))


def _follower(latency: Latency) -> dict[str, object]:
    times = {
        "current": latency.current,
        "average": latency.average,
        "standardDeviation": latency.standard_deviation,
        "minimum": latency.minimum,
        "maximum": latency.maximum,
    }
    return {
        "latency": {name: go_number(value) for name, value in times.items()},
        "counts": {"fail": latency.failures, "success": latency.successes},
    }


def serve_store(node: ServedNode, request: Request) -> Response:
    if request.method != "GET":
        return method_not_allowed("GET")
    return Response(200, (JSON,), node.store.stats_json())


def serve_version(node: ServedNode, request: Request, release: str = VERSION) -> Response:
    """The ``release`` that this member says it is, and the cluster's version."""
    if request.method != "GET":
        return method_not_allowed("GET")
    cluster = node.members.version or "not_decided"
    return Response(200, (JSON,), compact_json({"etcdserver": release, "etcdcluster": cluster}))


async def serve_health(node: ServedNode, request: Request) -> Response:
    """A member is healthy if its log moves: an entry that it proposes goes through it, disk included."""
    if request.method != "GET":
        return method_not_allowed("GET")
    if await node.makes_progress(HEALTH_PATIENCE):
        return Response(200, (TEXT,), b'{"health": "true"}')
    return text(503, '{"health": "false"}')


def go_duration(nanoseconds: int) -> str:
    """A duration as Go prints it: ``1h2m3.4s``, ``12.5ms``, ``0s``."""
    if nanoseconds < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if nanoseconds >= size:
                return _decimal(nanoseconds, size) + unit
        return "0s"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{head}{_decimal(rest, 1_000_000_000)}s"


def go_number(value: float) -> float | int:
    """What JSON of it looks like as Go's: whole numbers without a point."""
    return int(value) if value.is_integer() else value


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    digits = f"{part:0{len(str(unit)) - 1}d}".rstrip("0") if unit > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)
