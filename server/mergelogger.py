"""Log lines that would come again and again are written once, and then summed up, as etcd's merge logger does it
(``pkg/logutil`` of 2.3). Unlike etcd's, it has a bound: what some lines say is the choice of a client.
"""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

MOST_LINES = 50
"""Kinds of lines that are written in one period, whatever they say; a log with more of them cannot be read, and a
sender who varies his lines could fill the disk."""

_LONGEST = 500
"""Characters of a line: more than any line of ours, and some carry text from outside."""

_TOO_MANY = f"more than {MOST_LINES} different lines at once, further ones are not written"


class Timer(Protocol):
    """What can be taken back until its time has come."""

    def cancel(self) -> object: ...


class Loop(Protocol):
    """What is used of an event loop."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[Hashable], object], arg: Hashable) -> Timer: ...


@dataclass(slots=True)
class _Merged:
    """Lines of one kind since one was last written, at ``since``: how many, and the latest."""

    logger: logging.Logger
    level: int
    line: str
    since: float
    timer: Timer
    count: int = 0


class MergeLogger:
    """Writes the first line of a kind, counts those that follow within ``period`` seconds, and then writes the latest
    of them with their number. A kind without a line for a whole period is forgotten. Lives on one ``loop``, and uses
    its clock.
    """

    def __init__(self, period: float, loop: Loop) -> None:
        self._period = period
        self._loop = loop
        self._kinds: dict[Hashable, _Merged] = {}

    def log(self, logger: logging.Logger, level: int, line: str, kind: Hashable = None) -> None:
        """Writes the line, or counts it. Lines are of one ``kind`` if they are equal, unless they come with one."""
        line = line[:_LONGEST]
        kind = line if kind is None else kind
        merged = self._kinds.get(kind)
        if merged is None and len(self._kinds) >= MOST_LINES:
            level, line, kind = logging.WARNING, _TOO_MANY, _TOO_MANY
            merged = self._kinds.get(kind)
        if merged is not None:
            merged.count += 1
            merged.line = line
            return
        timer = self._loop.call_later(self._period, self._end_period, kind)
        self._kinds[kind] = _Merged(logger, level, line, self._loop.time(), timer)
        logger.log(level, "%s", line)

    def forget(self, kind: Hashable) -> None:
        """The trouble of this kind is over: the next line about it is written at once."""
        merged = self._kinds.pop(kind, None)
        if merged is not None:
            merged.timer.cancel()

    def _end_period(self, kind: Hashable) -> None:
        merged = self._kinds[kind]
        if not merged.count:
            del self._kinds[kind]
            return
        now = self._loop.time()
        seconds = now - merged.since
        merged.logger.log(
            merged.level, "%s [merged %d repeated lines in %.2fs]", merged.line, merged.count, seconds
        )
        merged.since, merged.count = now, 0
        merged.timer = self._loop.call_later(self._period, self._end_period, kind)
