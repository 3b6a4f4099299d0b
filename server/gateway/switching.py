"""Which rules of applying are in force: gateways of two releases that apply a request otherwise must not do so side by
side.

Rules have numbers. A gateway says in its registration up to which it knows them. When all that are there have known a
higher number than the one in force for ``SETTLED`` seconds, the tender appends that number to the log, and from the
record behind it on all go by it. Who does not know it, and comes later or comes back, stops and says so.
"""

import logging
from collections.abc import Callable

from server.clocks import Time
from server.gateway.gateways import Gateways

logger = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two looks."""
SETTLED = 60.0
"""Seconds for which all have to know the rules: a gateway of the release before may just be starting again."""


class Switch:
    """``in_force`` says the number in force here, ``begin`` has another appended."""

    def __init__(
        self, gateways: Gateways, time: Time, *, in_force: Callable[[], int], begin: Callable[[int], object]
    ) -> None:
        self._gateways = gateways
        self._time = time
        self._in_force = in_force
        self._begin = begin
        self._wanted = 0
        self._since = 0.0

    async def run(self) -> None:
        while True:
            await self._time.sleep(INTERVAL)
            self.look()

    def look(self) -> None:
        common, now = self._gateways.common_rules, self._time.monotonic()
        if common != self._wanted:
            self._wanted, self._since = common, now
        is_due = common > self._in_force() and now - self._since >= SETTLED
        if is_due and self._gateways.is_tender:
            logger.info("all gateways know rules %d, and go by them from here on", common)
            self._begin(common)
