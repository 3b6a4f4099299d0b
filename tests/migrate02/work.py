"""Counts the work for an input that grows: lines of Python that run, and where those do not tell, processor time."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

from migrate02.convert import differences
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import convert_text
from migrate02.datadir.errors import DataError
from migrate02.formats import view, yamlparsing
from tests.migrate02.hostile import Grow
from tests.migrate02.hostile_data import Make

MOST = 1.25
"""How much more work a byte may be in a longer input. What is quadratic has twice as much in one of twice the length."""
SLACK = 400
"""Lines that do not count: what is done once is done at another time in one input than in another."""


class Measure(NamedTuple):
    """An input's bytes, and the work for it."""

    size: int
    work: float


class TooLong(Exception):
    """Nobody waits for this."""


@contextmanager
def as_if_large(*, product: bool) -> Iterator[None]:
    """Small files are looked at as large ones are. Of a ``product`` they have none of what they may take beyond
    proportion."""
    most = 0 if product else view.MOST_SETTINGS
    with (
        patch.object(view, "MOST_SETTINGS", most),
        patch.object(yamlparsing, "SURELY_FLAT", 0),
        patch.object(differences, "_FEW", 0),
    ):
        yield


def convert(text: str) -> None:
    convert_text(text, "file", Options(hostname="host", hostname_given=True))


def lines_for(run: Callable[[], None]) -> int:
    """The lines of Python that run, the same each time: what is imported and compiled once is so before."""
    run()
    count = 0

    def local(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda _frame, _event, _arg: local)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def seconds_for(run: Callable[[], None], most: float = 60) -> float:
    """The least of some runs, in seconds of the processor. Raises TooLong."""
    with limited(most):
        times: list[float] = []
        while len(times) < 3 and sum(times) < 1:
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
    return min(times)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises TooLong where more of the processor's time is taken. Regular expressions can be interrupted, too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def of_text(grow: Grow, size: int, count: Callable[[Callable[[], None]], float]) -> Measure:
    text = grow(size)
    return Measure(len(text), count(lambda: convert(text)))


def of_data(
    make: Make, read: Callable[[Path], None], size: int, count: Callable[[Callable[[], None]], float]
) -> Measure:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "snapshot").mkdir()
        (directory / "conf").write_text("{}")
        make(directory, size)
        size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())

        def run() -> None:
            try:
                read(directory)
            except DataError:
                return

        return Measure(size, count(run))


def growth(measures: Iterable[Measure]) -> float:
    """Of three inputs, each larger than the one before: the work for one more byte between the last two, in terms of
    that between the first two. 1 is linear."""
    small, middle, large = measures
    first = (middle.work - small.work + SLACK) / (middle.size - small.size or 1)
    second = (large.work - middle.work) / (large.size - middle.size or 1)
    return second / first if first > 0 else 0.0
