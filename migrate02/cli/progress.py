"""How far a long piece of work is, for a person at a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_WIDTH = 30
_PATIENCE = 0.5
"""Seconds before the first bar, so that what is quick shows none."""
_PAUSE = 0.1
"""Seconds between two bars."""


def on_terminal(
    stream: TextIO, clock: Callable[[], float] = time.monotonic
) -> Callable[[str, int, int], None]:
    """A bar that is written over, and wiped off when all is done. It is given what is being done, how much of it is,
    and of how much."""
    due = clock() + _PATIENCE
    shown = False

    def show(what: str, done: int, total: int) -> None:
        nonlocal due, shown
        if done >= total:
            if shown:
                stream.write("\r\x1b[K")
                stream.flush()
            shown = False
            return
        now = clock()
        if now < due:
            return
        filled = _WIDTH * done // total
        stream.write(f"\r{what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {done} of {total}")
        stream.flush()
        due, shown = now + _PAUSE, True

    return show


def if_on_terminal() -> Callable[[str, int, int], None]:
    """The same on standard error, if that is a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        return on_terminal(sys.stderr)
    return lambda _what, _done, _total: None
