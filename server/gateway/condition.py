"""The state of the etcd behind the gateways: known faults of its release, and how full it is. Each is logged once."""

import logging

from server.clocks import Time
from server.gateway.v3 import V3, Status, V3Error
from server.metrics import MemberMetrics

logger = logging.getLogger(__name__)

INTERVAL = 30.0
"""Seconds between two requests for the status. A choice: a database does not fill up in a few seconds, and a request
every half minute costs nothing."""
USUAL_QUOTA = 2 << 30
"""Bytes that a database may have by default in etcd 3; releases before 3.6 do not report their quota."""
_WARN, _STOP = 0.5, 0.9
"""Parts of the quota. From half of it on a warning leaves time to act; from nine tenths on nothing is appended, because
an etcd that is full takes no deletion either."""

_SOUND = {(3, 4): 34, (3, 5): 16}
"""The first patch of a release whose watches lose no events around a compaction."""


class Condition:
    """The condition of one etcd. ``is_full`` holds while nothing more may be written to it; only releases from 3.6 on,
    which report their quota, show that in time."""

    def __init__(self, v3: V3, time: Time, metrics: MemberMetrics) -> None:
        self.is_full = False
        self._v3 = v3
        self._time = time
        self._metrics = metrics
        self._told = ""

    async def run(self) -> None:
        while True:
            try:
                self.see(await self._v3.status())
            except V3Error as error:
                logger.debug("cannot get the status of the etcd: %s", error)
            await self._time.sleep(INTERVAL)

    def see(self, status: Status) -> None:
        if status.version != self._metrics.etcd3_release:
            self._metrics.etcd3_release = status.version
            logger.info("the etcd is of release %s, its database of %d bytes", status.version, status.size)
            if said := advice(status.version):
                logger.warning("%s", said)
        self.is_full = bool(status.quota) and status.size >= _STOP * status.quota
        said = _size(status, is_full=self.is_full)
        if said and said != self._told:
            logger.warning("%s", said)
        self._told = said


def advice(version: str) -> str:
    """A warning about a release; ``""`` for one without known faults."""
    try:
        major, minor, patch = (int(number) for number in version.partition("-")[0].split("."))
    except ValueError:
        return ""
    if (major, minor) < (3, 4):
        return f"gateways have been tried with etcd 3.4 and later, and this is {version}"
    sound = _SOUND.get((major, minor), 0)
    if patch >= sound:
        return ""
    return (
        f"etcd {version} may lose events of watches when it is compacted; the gateways notice, and read all keys "
        f"again. Update it to {major}.{minor}.{sound} or later"
    )


def _size(status: Status, *, is_full: bool) -> str:
    if status.alarms:
        return f"the etcd has raised an alarm: {', '.join(status.alarms)}"
    quota = status.quota or USUAL_QUOTA
    if is_full:
        return (
            f"the database of the etcd is nearly as large as it may be ({quota} bytes), and nothing more is written: "
            "compact and defragment it, or raise --quota-backend-bytes"
        )
    if status.size >= _WARN * quota:
        known = "it may be" if status.quota else "it may be by default"
        return (
            f"the database of the etcd is more than half as large as {known} ({quota} bytes): see that it is "
            "compacted, and defragment it"
        )
    return ""
