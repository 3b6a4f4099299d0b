"""What a member counts of what it does: plain numbers, written where things happen and read when someone asks.

On the way of a request nothing is dearer than an addition and the search for a bucket; no lock, no library. Each is
written by one thread only. How they are shown is the business of ``server.api.metrics``.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field


class Histogram:
    """Durations in seconds, counted by the first of ``bounds`` (ascending) that they do not exceed."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, first: float, count: int) -> None:
        """``count`` buckets, each bound twice the one before, and one more for what exceeds them all."""
        self.bounds = [first * 2**n for n in range(count)]
        self.counts = [0] * (count + 1)
        self.total = 0.0
        """Sum of all durations, in seconds."""

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


def _of_member() -> Histogram:
    return Histogram(0.001, 14)


@dataclass(slots=True)
class MemberMetrics:
    """Of the log and the disk, since the process began; the buckets are those of etcd 2.3."""

    proposals: Histogram = field(default_factory=_of_member)
    """From when a request was put forward for the log until it was applied."""
    proposals_failed: int = 0
    """Requests that nothing came of in time."""
    log_syncs: Histogram = field(default_factory=_of_member)
    last_index_saved: int = 0
    """0 until the first save."""
    snapshots: Histogram = field(default_factory=_of_member)
    """Writing a snapshot file, syncs included."""
    snapshot_encodings: Histogram = field(default_factory=_of_member)
    """Turning the key space into JSON for it; requests are served meanwhile."""
    messages_refused: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """What came to the peer port and was not taken, by a word for the reason."""
    etcd3_release: str = ""
    """Of the etcd 3 that a gateway has its keys in; empty for a member, and before the etcd has said it."""


def _of_request() -> Histogram:
    return Histogram(0.0005, 13)


class RequestMetrics:
    """Of clients' requests for keys, by method; QGET is a GET with quorum. Watches count only when they fail."""

    __slots__ = ("durations", "failed", "received")

    def __init__(self) -> None:
        self.received: defaultdict[str, int] = defaultdict(int)
        self.failed: defaultdict[tuple[str, int], int] = defaultdict(int)
        """By method and HTTP status."""
        self.durations: defaultdict[str, Histogram] = defaultdict(_of_request)
        """Of those that did not fail."""
