"""Lines that would fill the log are written once, and summed up."""

import logging

import pytest

from server.peer.repeats import Repeats


def test_a_line_is_written_once_a_second_with_what_was_held_back(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    repeats = Repeats(logging.getLogger("server.peer"), lambda: now)
    for tenth in range(25):
        now = tenth / 10
        repeats.log(logging.ERROR, "request sent was ignored (%s)")
    assert caplog.messages == [
        "request sent was ignored (%s)",
        "request sent was ignored (%s) [merged 9 repeated lines in 1.00s]",
        "request sent was ignored (%s) [merged 9 repeated lines in 1.00s]",
    ]


def test_a_long_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    Repeats(logging.getLogger("server.peer")).log(logging.ERROR, "x" * 100_000)
    assert len(caplog.messages[0]) == 500


def test_different_lines_do_not_hold_each_other_back_but_there_is_an_end_to_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    repeats = Repeats(logging.getLogger("server.peer"), lambda: now)
    for number in range(1000):
        repeats.log(logging.ERROR, f"line {number}")
    assert caplog.messages == [f"line {number}" for number in range(50)]
    caplog.clear()
    now = 1.0
    repeats.log(logging.ERROR, "line 999")
    assert caplog.messages == ["held back 950 further lines of different kinds", "line 999"]
