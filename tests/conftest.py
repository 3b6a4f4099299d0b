"""How all tests run: against the sources, or what is installed when MIGRATE02_INSTALLED is set; hypothesis without
time limits on single examples, which a busy machine would break; on CI with
the same examples at every run, so that a red run is about the change."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

if os.environ.get("MIGRATE02_INSTALLED"):
    # ``make compiled``: what is tested is the package installed in this environment, and not the sources beside the tests.
    root = str(Path(__file__).parents[1])
    sys.path[:] = [*(path for path in sys.path if path not in ("", root)), root]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As of a job in the background. Programs that are started would ignore it too, and some tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # As of one that was started with nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_finish() -> None:
    """Tests by the ten thousand stay to the end, and so does what they import. A full garbage collection, of which every
    conversion of data makes one, took half a second to find that out again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def signals_stay_as_they_were() -> Iterator[None]:
    """A test that leaves SIGPIPE at its default ends, much later, the process in which another test writes to a closed
    connection."""
    before = _signals()
    yield
    after = _signals()
    changed = {number: now for number, now in after.items() if now != before[number]}
    for number in changed:
        signal.signal(number, before[number])
    assert not changed, f"signals are handled otherwise than before the test: {changed}"


def _signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}
