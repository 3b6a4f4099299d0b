"""Which rules of applying are in force: gateways of two releases that apply a request in different ways must use the
same rules at the same time.

Rules have numbers. A gateway's registration has the highest number that it knows. When all registered gateways have
known a higher number than the one in force for ``SETTLED`` seconds, the tender appends that number to the log, and from
the record behind it on all of them use it. A gateway that does not know it, and starts or returns later, stops with an
error.
"""

import logging
from collections.abc import Callable

from server.clocks import Time
from server.gateway.gateways import Gateways

logger = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two looks. A choice: small beside ``SETTLED``."""
SETTLED = 60.0
"""Seconds for which all must know the rules: a gateway of the release before may just be starting again. A choice:
longer than a start takes, and nobody waits for a switch."""


class Switch:
    """``in_force`` returns the number in force here, ``begin`` appends another."""

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
