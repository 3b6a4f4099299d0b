"""Log lines that would come ten times a second are written once, and then summed up once a second, as etcd does it. Of
lines that differ each time, as somebody from outside can make them, so many are written a second and no more."""

import logging
import time
from collections.abc import Callable

PERIOD = 1.0
"""Seconds."""

_MOST = 256
"""Different lines that are remembered; beyond it, all are forgotten and may be written again."""

_MOST_IN_A_PERIOD = 50
"""Lines that are written in a period, whatever they say; the others are counted."""

_LONGEST = 500
"""Characters of a line: some of them come from outside."""


class Repeats:
    """Writes lines to ``logger``; ``clock`` counts seconds."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}
        self._period = -PERIOD
        """When the present one began, in which"""
        self._written = 0
        """lines have been written, and"""
        self._dropped = 0
        """lines that had not been seen before were not."""

    def log(self, level: int, line: str) -> None:
        """Writes a line that has not been written in the last period; of one that was held back since it was last
        written, it says how often."""
        line = line[:_LONGEST]
        now = self._clock()
        since, held = self._seen.get(line, (now - 2 * PERIOD, 0))
        if now - since < PERIOD:
            self._seen[line] = (since, held + 1)
            return
        if now - self._period >= PERIOD:
            self._begin_period(now)
        if self._written >= _MOST_IN_A_PERIOD:
            self._dropped += 1
            return
        self._written += 1
        if len(self._seen) >= _MOST:
            self._seen.clear()
        self._seen[line] = (now, 0)
        merged = f" [merged {held} repeated lines in {now - since:.2f}s]" if held else ""
        self._logger.log(level, "%s%s", line, merged)

    def _begin_period(self, now: float) -> None:
        if self._dropped:
            self._logger.warning("held back %d further lines of different kinds", self._dropped)
        self._period, self._written, self._dropped = now, 0, 0
