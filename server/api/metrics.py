"""``/metrics``: the member's numbers in Prometheus' text form, under the names that etcd 2.3 has for them.

Counts nothing itself: it reads ``server.metrics`` and the store when it is asked.
"""

import os
from collections.abc import Iterator
from operator import itemgetter

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.api.node import ServedNode
from server.http.messages import Response
from server.metrics import Histogram, RequestMetrics
from server.store.stats import Stats

_TEXT = ("Content-Type", "text/plain; version=0.0.4")

_WRITES = (
    ("set", "sets"),
    ("create", "create"),
    ("update", "update"),
    ("delete", "delete"),
    ("compareAndSwap", "compare_and_swap"),
    ("compareAndDelete", "compare_and_delete"),
)
"""The names of writes in metrics, and in ``Stats``."""


def serve_metrics(node: ServedNode, requests: RequestMetrics) -> Response:
    """All of them; whatever the method, as in etcd."""
    registry = CollectorRegistry()
    registry.register(_Member(node, requests))
    ProcessCollector(registry=registry)
    body = generate_latest(registry)
    length = ("Content-Length", str(len(body)))  # which etcd says here, however long the body is
    return Response(200, (length, _TEXT), body)


class _Member(Collector):
    def __init__(self, node: ServedNode, requests: RequestMetrics) -> None:
        self._node = node
        self._requests = requests

    def collect(self) -> Iterator[Metric]:
        """In the order of their names. A family whose members have labels is there once it has one."""
        yield from self._http()
        yield from self._server()
        yield from self._snapshots()
        yield from self._store()
        yield from self._log()

    def _http(self) -> Iterator[Metric]:
        requests = self._requests
        if requests.failed:
            failed = _counter(
                "etcd_http_failed", "Requests for keys that failed, watches too.", "method", "code"
            )
            for (method, status), count in sorted(requests.failed.items()):
                failed.add_metric((method, str(status)), count)
            yield failed
        if requests.received:
            received = _counter(
                "etcd_http_received",
                "Requests for keys that were understood and allowed, no watches.",
                "method",
            )
            for method, count in sorted(requests.received.items()):
                received.add_metric((method,), count)
            yield received
        if requests.durations:
            durations = HistogramMetricFamily(
                "etcd_http_successful_duration_second",
                "Seconds from a request for a key to its answer, no watches and no failures.",
                labels=("method",),
            )
            for method, histogram in sorted(requests.durations.items(), key=itemgetter(0)):
                durations.add_metric((method,), *cumulated(histogram))
            yield durations

    def _server(self) -> Iterator[Metric]:
        node = self._node
        yield GaugeMetricFamily(
            "etcd_server_file_descriptors_used_total", "Open file descriptors.", _open_files()
        )
        if node.metrics.etcd3_release:
            release = GaugeMetricFamily(
                "etcd_server_version",
                "The release of the etcd 3 that keeps the keys of this gateway, under the name that it has there.",
                labels=("server_version",),
            )
            release.add_metric((node.metrics.etcd3_release,), 1)
            yield release
        refused = node.metrics.messages_refused
        if refused:
            family = _counter(
                "etcd_server_peer_messages_refused",
                "Messages to the peer port that were not taken.",
                "reason",
            )
            for reason, count in sorted(refused.items()):
                family.add_metric((reason,), count)
            yield family
        yield GaugeMetricFamily(
            "etcd_server_pending_proposal_total", "Requests that wait to get through the log.", node.pending
        )
        yield _histogram(
            "etcd_server_proposal_durations_seconds",
            "Seconds from when a request is put forward for the log until it is applied.",
            node.metrics.proposals,
        )
        yield CounterMetricFamily(
            "etcd_server_proposal_failed",
            "Requests that did not get through the log in time.",
            node.metrics.proposals_failed,
        )

    def _snapshots(self) -> Iterator[Metric]:
        metrics = self._node.metrics
        yield _histogram(
            "etcd_snapshot_save_marshalling_durations_seconds",
            "Seconds to turn the key space into bytes; requests are served meanwhile.",
            metrics.snapshot_encodings,
        )
        yield _histogram(
            "etcd_snapshot_save_total_durations_seconds",
            "Seconds to write a snapshot file.",
            metrics.snapshots,
        )

    def _store(self) -> Iterator[Metric]:
        store = self._node.store
        stats = store.stats_of_process()
        yield CounterMetricFamily(
            "etcd_store_expires", "Keys and directories that have expired.", stats.expire_count
        )
        recursive = store.recursive_gets
        yield from _actions(
            "etcd_store_reads",
            "Reads of the key space, by kind.",
            {"get": stats.gets_success + stats.gets_fail - recursive, "getRecursive": recursive},
        )
        yield CounterMetricFamily(
            "etcd_store_watch_requests", "Watches that were asked for.", store.watch_requests
        )
        yield GaugeMetricFamily("etcd_store_watchers", "Watches that are open.", store.watchers)
        yield from _actions(
            "etcd_store_writes",
            "Writes to the key space, by kind, refused ones too.",
            {action: _count(stats, field) for action, field in _WRITES},
        )

    def _log(self) -> Iterator[Metric]:
        metrics = self._node.metrics
        yield _histogram(
            "etcd_wal_fsync_durations_seconds",
            "Seconds that a sync of the write-ahead log takes.",
            metrics.log_syncs,
        )
        yield GaugeMetricFamily(
            "etcd_wal_last_index_saved",
            "The last entry that was written to the log in this process.",
            metrics.last_index_saved,
        )


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=labels)


def _actions(name: str, text: str, counts: dict[str, int]) -> Iterator[Metric]:
    family = _counter(name, text, "action")
    for action, count in counts.items():
        if count:
            family.add_metric((action,), count)
    if family.samples:
        yield family


def _count(stats: Stats, field: str) -> int:
    succeeded: int = getattr(stats, f"{field}_success")
    failed: int = getattr(stats, f"{field}_fail")
    return succeeded + failed


def _histogram(name: str, text: str, histogram: Histogram) -> HistogramMetricFamily:
    buckets, total = cumulated(histogram)
    return HistogramMetricFamily(name, text, buckets, total)


def cumulated(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Buckets as Prometheus has them: each counts what the ones before it count too."""
    buckets = []
    so_far = 0
    for bound, count in zip((*histogram.bounds, "+Inf"), list(histogram.counts), strict=True):
        so_far += count
        buckets.append((str(bound), float(so_far)))
    return buckets, histogram.total


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
