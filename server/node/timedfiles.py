"""The real files of a log, with the times of their syncs for a member's metrics."""

from collections.abc import Callable

from server.clocks import REAL_TIME
from server.metrics import Histogram
from server.storage.files import Files


class TimedFiles(Files):
    """Measures each sync of content."""

    def __init__(self, syncs: Histogram, monotonic: Callable[[], float] = REAL_TIME.monotonic) -> None:
        self._syncs = syncs
        self._monotonic = monotonic

    def datasync(self, fd: int) -> None:
        began = self._monotonic()
        super().datasync(fd)
        self._syncs.observe(self._monotonic() - began)
