"""What a proxy counts of what it does, under the names that etcd 2.3 has for it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.api.metrics import cumulated
from server.http.messages import Response
from server.metrics import Histogram

_TEXT = ("Content-Type", "text/plain; version=0.0.4")


class Dropped(Enum):
    """Why a request got no answer of a member's."""

    ZERO_ENDPOINTS = "zero_endpoints"
    FAILED_SENDING_REQUEST = "failed_sending_request"
    FAILED_GETTING_RESPONSE = "failed_getting_response"


@dataclass(slots=True)
class ProxyMetrics:
    """Of clients' requests, by method."""

    handled: defaultdict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    """Those that a member answered, by method and status."""
    dropped: defaultdict[tuple[str, Dropped], int] = field(default_factory=lambda: defaultdict(int))
    durations: defaultdict[str, Histogram] = field(
        default_factory=lambda: defaultdict(lambda: Histogram(0.0005, 13))
    )
    """Until the answer began."""


def serve_metrics(metrics: ProxyMetrics) -> Response:
    """All of them, and the process's; whatever the method, as in etcd."""
    registry = CollectorRegistry()
    registry.register(_Proxy(metrics))
    ProcessCollector(registry=registry)
    return Response(200, (_TEXT,), generate_latest(registry))


class _Proxy(Collector):
    def __init__(self, metrics: ProxyMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        dropped = CounterMetricFamily(
            "etcd_proxy_dropped",
            "Requests that got no answer of a member's.",
            labels=("method", "proxying_error"),
        )
        for (method, why), count in sorted(
            metrics.dropped.items(), key=lambda item: (item[0][0], item[0][1].value)
        ):
            dropped.add_metric((method, why.value), count)
        yield dropped
        handled = CounterMetricFamily(
            "etcd_proxy_handled", "Requests that a member answered.", labels=("method", "code")
        )
        for (method, status), count in sorted(metrics.handled.items()):
            handled.add_metric((method, str(status)), count)
        yield handled
        durations = HistogramMetricFamily(
            "etcd_proxy_handling_duration_seconds",
            "Seconds from a request to the beginning of its answer.",
            labels=("method",),
        )
        for method, histogram in sorted(metrics.durations.items(), key=itemgetter(0)):
            durations.add_metric((method,), *cumulated(histogram))
        yield durations
