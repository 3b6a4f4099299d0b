"""Signals that ask a command to stop: where it may, it does so at once; where files change, between two nodes.

A signal that is ignored, as under nohup, stays ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Check = Callable[[], None]
"""Raises Stopped when a signal has come."""


class Stopped(BaseException):
    """A signal asked to stop. ``done`` says what was done before."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.done = ""

    @property
    def status(self) -> int:
        """What a shell shows for a program that a signal ended."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}: {self.done or 'nothing was changed'}"


@contextmanager
def stoppable() -> Iterator[None]:
    """The first signal raises Stopped; those that follow do not disturb the cleaning up."""
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            raise Stopped(number)

    with _handled_by(stop):
        yield


@contextmanager
def held() -> Iterator[Check]:
    """Signals wait; the body asks for them where it may stop. One that came raises Stopped at the end at the latest."""
    came: list[int] = []

    def check() -> None:
        if came:
            raise Stopped(came[0])

    with _handled_by(lambda number, _frame: came.append(number)):
        yield check
    check()


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there are signals handled
        yield
        return
    before = {number: signal.getsignal(number) for number in _ASKING}
    before = {number: found for number, found in before.items() if found not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, found in before.items():
            signal.signal(number, found)


def never() -> None:
    """For who has no signals to wait for."""
