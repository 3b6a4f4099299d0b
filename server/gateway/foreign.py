"""Reports what others write to the clients' keys over v3 while the gateways run, and restores v2's value.

The tender watches the published keys, from a revision before the last tender ended. A revision at which a checkpoint
was written is a gateway's. For any other it checks, a moment later, whether the key and its record were written by the
same transaction, as gateways always do.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from server.clocks import Time
from server.gateway.gateways import LEASE, Gateways
from server.gateway.layout import KEYS, Layout, has_drifted, is_directory, shown
from server.gateway.v3 import V3, Change, Compacted, Get, V3Error, end_of

logger = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between two looks at the suspects. A choice: it adds at most that to ``GRACE`` before a value is restored."""
GRACE = 1.0
"""Seconds until a suspect is checked: by then the watch of the log has usually brought the checkpoint, if it was one.
A checkpoint that comes later costs a check that finds nothing."""
MOST_TOLD = 1000
"""Keys that are named in the log, each once: more lines help nobody, and the names are kept in memory."""
_REMEMBERED = 20_000
"""Checkpoints whose revisions are remembered: some minutes of them at the greatest load, and ``GRACE`` is a second."""


class Suspect(NamedTuple):
    """``keys`` that were written at ``revision``; ``due`` is when to check them, on the monotonic clock."""

    due: float
    revision: int
    keys: tuple[bytes, ...]


class Foreign:
    """``put_right`` gets the store paths whose published values must be written again."""

    def __init__(
        self,
        v3: V3,
        layout: Layout,
        gateways: Gateways,
        time: Time,
        *,
        put_right: Callable[[str], object],
    ) -> None:
        self._v3 = v3
        self._layout = layout
        self._gateways = gateways
        self._time = time
        self._put_right = put_right
        self._checkpoints: dict[int, None] = {}
        """Their revisions, in order."""
        self._last = 0
        """The revision of the last checkpoint, or at which all keys were read."""
        self._past: deque[int] = deque(maxlen=int(3 * LEASE / INTERVAL))
        """The values that ``_last`` had in the last seconds, in which the tender before may have stopped watching."""
        self._suspects: deque[Suspect] = deque()
        self._told: set[bytes] = set()

    def loaded(self, revision: int) -> None:
        """All keys were read at ``revision``; what others had written by then is known."""
        self._last = revision
        self._past.clear()

    def see_checkpoint(self, revision: int) -> None:
        self._last = revision
        self._checkpoints[revision] = None
        if len(self._checkpoints) > _REMEMBERED:
            del self._checkpoints[next(iter(self._checkpoints))]

    async def watch(self) -> None:
        """Collects suspects while this gateway is the tender."""
        while True:
            if not self._gateways.is_tender:
                self._past.append(self._last)
                await self._time.sleep(INTERVAL)
                continue
            try:
                await self._watch_on(min(self._past, default=self._last))
            except Compacted as error:
                self.loaded(error.revision)
            except V3Error as error:
                logger.debug("cannot watch the published keys: %s", error)
                await self._time.sleep(INTERVAL)

    async def _watch_on(self, known: int) -> None:
        root = self._layout.published_root
        async for changed in self._v3.watch(root, end_of(root), known + 1):
            if not self._gateways.is_tender:
                return
            self._see(changed)
            self._past.clear()

    def _see(self, changed: list[Change]) -> None:
        revision = changed[0].now.mod_revision
        if revision not in self._checkpoints:
            keys = tuple(change.now.key for change in changed)
            self._suspects.append(Suspect(self._time.monotonic() + GRACE, revision, keys))

    async def judge(self) -> None:
        """Checks the suspects whose time has come."""
        while True:
            await self._time.sleep(INTERVAL)
            now = self._time.monotonic()
            while self._suspects and self._suspects[0].due <= now:
                suspect = self._suspects[0]
                try:
                    if suspect.revision not in self._checkpoints:
                        for key in suspect.keys:
                            await self._look(key)
                except V3Error as error:
                    logger.debug("cannot look who has written %s: %s", shown(suspect.keys[0]), error)
                    break
                self._suspects.popleft()

    async def _look(self, key: bytes) -> None:
        layout = self._layout
        path = KEYS + key[len(layout.data) :].decode("utf-8", "surrogateescape")
        there = await self._v3.commit((), (Get(layout.node(path)), Get(key)))
        of = {kv.key: kv for kv in there.found}
        record, value = of.get(layout.node(path)), of.get(key)
        if record is None or is_directory(record.value):
            if value is not None:
                self._tell(
                    key,
                    "%s was written over the v3 API: that does not make it a key of v2; it is not changed",
                )
        elif has_drifted(record, value):
            what = "written" if value is not None else "deleted"
            self._tell(
                key, f"%s was {what} over the v3 API: clients of v2 do not see that, it gets v2's value again"
            )
            self._put_right(path)

    def _tell(self, key: bytes, text: str) -> None:
        if key in self._told or len(self._told) >= MOST_TOLD:
            return
        self._told.add(key)
        logger.warning(text, shown(key))
        if len(self._told) == MOST_TOLD:
            logger.warning("%d keys have been written over the v3 API, no more are named", MOST_TOLD)
