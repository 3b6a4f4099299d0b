"""The line on a terminal that tells how far an import is."""

import io

from migrate02.data_cli import Progress


def test_the_first_and_the_last_are_always_shown() -> None:
    terminal = io.StringIO()
    progress = Progress(terminal)
    for done in range(1, 5001):
        progress(done, 5000)
    shown = terminal.getvalue().split("\r")
    assert shown[0] == ""
    assert shown[1].endswith("1/5000 keys")
    assert shown[-1] == f"[{'#' * 40}] 5000/5000 keys\n"
    assert len(shown) < 1000
