"""Lines that would fill the log are written once, and summed up."""

import logging
from collections.abc import Callable, Hashable

import pytest

from server.mergelogger import MOST_LINES, MergeLogger

logger = logging.getLogger("server.peer")


class Timers:
    """A loop's clock and timers, which go when they are told to."""

    def __init__(self) -> None:
        self._now = 0.0
        self.waiting: list[tuple[float, Callable[[], object], Handle]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[Hashable], object], arg: Hashable) -> "Handle":
        handle = Handle(self)
        self.waiting.append((self._now + delay, lambda: callback(arg), handle))
        return handle

    def go_to(self, moment: float) -> None:
        while due := [timer for timer in self.waiting if timer[0] <= moment]:
            first = min(due, key=lambda timer: timer[0])
            self.waiting.remove(first)
            self._now = first[0]
            first[1]()
        self._now = moment


class Handle:
    def __init__(self, timers: Timers) -> None:
        self._timers = timers

    def cancel(self) -> None:
        self._timers.waiting = [timer for timer in self._timers.waiting if timer[2] is not self]


def test_a_line_is_written_at_once_and_those_like_it_are_summed_up_each_period(
    caplog: pytest.LogCaptureFixture,
) -> None:
    timers = Timers()
    merging = MergeLogger(1.0, timers)
    for tenth in range(25):
        timers.go_to(tenth / 10)
        merging.log(logger, logging.ERROR, "request sent was ignored (%s)")
    assert caplog.messages == [
        "request sent was ignored (%s)",
        "request sent was ignored (%s) [merged 9 repeated lines in 1.00s]",
        "request sent was ignored (%s) [merged 10 repeated lines in 1.00s]",
    ]
    assert {(record.name, record.levelno) for record in caplog.records} == {("server.peer", logging.ERROR)}


def test_the_end_of_a_burst_is_counted_without_another_line(caplog: pytest.LogCaptureFixture) -> None:
    timers = Timers()
    merging = MergeLogger(1.0, timers)
    for _ in range(3):
        merging.log(logger, logging.ERROR, "a")
    timers.go_to(10.0)
    assert caplog.messages == ["a", "a [merged 2 repeated lines in 1.00s]"]
    assert timers.waiting == []


def test_a_line_that_has_not_come_for_a_period_is_written_again(caplog: pytest.LogCaptureFixture) -> None:
    timers = Timers()
    merging = MergeLogger(60.0, timers)
    for moment in (0.0, 61.0, 122.0):
        timers.go_to(moment)
        merging.log(logger, logging.ERROR, "a")
    assert caplog.messages == ["a", "a", "a"]


def test_lines_of_one_kind_are_merged_and_the_latest_is_written(caplog: pytest.LogCaptureFixture) -> None:
    timers = Timers()
    merging = MergeLogger(60.0, timers)
    for number in range(4):
        timers.go_to(number)
        merging.log(logger, logging.WARNING, f"{number} endpoints", kind="endpoints")
    merging.log(logger, logging.ERROR, "another")
    timers.go_to(60.0)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "0 endpoints"),
        ("ERROR", "another"),
        ("WARNING", "3 endpoints [merged 3 repeated lines in 60.00s]"),
    ]


def test_a_kind_that_is_forgotten_is_written_at_once(caplog: pytest.LogCaptureFixture) -> None:
    timers = Timers()
    merging = MergeLogger(60.0, timers)
    merging.forget("a")
    for _ in range(2):
        merging.log(logger, logging.ERROR, "a")
    merging.forget("a")
    assert timers.waiting == []
    merging.log(logger, logging.ERROR, "a")
    timers.go_to(100.0)
    assert caplog.messages == ["a", "a"]


def test_a_long_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    MergeLogger(1.0, Timers()).log(logger, logging.ERROR, "x" * 100_000)
    assert len(caplog.messages[0]) == 500


def test_different_lines_do_not_hold_each_other_back_but_there_is_an_end_to_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    timers = Timers()
    merging = MergeLogger(1.0, timers)
    for number in range(1000):
        merging.log(logger, logging.ERROR, f"line {number}")
    written = [f"line {number}" for number in range(50)]
    too_many = "more than 50 different lines at once, further ones are not written"
    assert caplog.messages == [*written, too_many]
    assert len(timers.waiting) == MOST_LINES + 1
    caplog.clear()
    timers.go_to(1.0)
    assert caplog.messages == [f"{too_many} [merged 949 repeated lines in 1.00s]"]
    merging.log(logger, logging.ERROR, "line 999")
    assert caplog.messages[1:] == ["line 999"]
