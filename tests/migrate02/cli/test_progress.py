"""The bar that is shown while a person waits."""

from __future__ import annotations

import io

from migrate02.cli.progress import on_terminal


def test_the_bar_is_shown_when_there_is_something_to_wait_for_and_wiped_off() -> None:
    stream = io.StringIO()
    now = [0.0]
    show = on_terminal(stream, lambda: now[0])
    show("reading", 1, 100)
    assert stream.getvalue() == ""
    now[0] = 1.0
    show("reading", 50, 100)
    assert stream.getvalue() == "\rreading [###############...............] 50 of 100"
    now[0] = 1.01
    show("reading", 51, 100)
    show("reading", 100, 100)
    assert stream.getvalue().endswith("50 of 100\r\x1b[K")
