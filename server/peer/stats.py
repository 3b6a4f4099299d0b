"""How much goes to and comes from the peers, counted as etcd's /v2/stats counts it. No I/O; times are seconds."""

import math
from collections import deque

from server.raft import Message

_SAMPLE = 200
"""APPENDs that rates are computed from (etcd 2.3)."""

_STALE = 1.0
"""Seconds after the last APPEND for which its rate still counts (etcd 2.3)."""

_HEAD = 50
_ENTRY_HEAD = 16
"""Bytes of a message and of an entry beside its data, about."""


class StatsQueue:
    """APPENDs in one direction."""

    def __init__(self) -> None:
        self.count = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=_SAMPLE)

    def note(self, message: Message, now: float) -> None:
        self.count += 1
        size = _HEAD + sum(_ENTRY_HEAD + len(entry.data) for entry in message.entries)
        self._recent.append((now, size))

    def rates(self, now: float) -> tuple[float, float]:
        """Messages and bytes per second lately; zeros when there have not been any for a second."""
        if not self._recent or now - self._recent[-1][0] > _STALE:
            self._recent.clear()
            return 0.0, 0.0
        took = self._recent[-1][0] - self._recent[0][0]
        if took <= 0:
            return 0.0, 0.0
        return len(self._recent) / took, sum(size for _, size in self._recent) / took


class FollowerStats:
    """How long APPENDs to one follower took to leave, and how many did: milliseconds, as etcd shows them."""

    def __init__(self) -> None:
        self.current = self.average = self.maximum = 0.0
        self.minimum = float(2**63)
        """etcd's value while there is none."""
        self.successes = self.failures = 0
        self._average_square = 0.0

    @property
    def standard_deviation(self) -> float:
        return math.sqrt(max(0.0, self._average_square - self.average**2))

    def succeeded(self, seconds: float) -> None:
        took = seconds * 1000
        count = self.successes = self.successes + 1
        self.current = took
        self.minimum, self.maximum = min(self.minimum, took), max(self.maximum, took)
        self.average += (took - self.average) / count
        self._average_square += (took * took - self._average_square) / count

    def failed(self) -> None:
        self.failures += 1
