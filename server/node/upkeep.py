"""When a snapshot is due, for this member's own disk or for a follower that lags, and how much of the log is kept
before it. ``snapshots`` makes and writes them.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from server.metrics import MemberMetrics
from server.node.peers import Peers
from server.node.snapshots import Image, Snapshots
from server.raft import Message, Raft

logger = logging.getLogger(__name__)

CATCH_UP_ENTRIES = 5000
"""Entries before a snapshot that are kept in memory, for followers that lag a little (etcd 2.3's value)."""


class Upkeep:
    """A snapshot for the disk is due when more than ``snapshot_count`` entries were applied since the last. ``begin``
    starts a task."""

    def __init__(
        self,
        raft: Raft,
        peers: Peers,
        snapshots: Snapshots,
        metrics: MemberMetrics,
        *,
        snapshot_count: int,
        monotonic: Callable[[], float],
        begin: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        self._raft = raft
        self._peers = peers
        self._snapshots = snapshots
        self._metrics = metrics
        self._snapshot_count = snapshot_count
        self._monotonic = monotonic
        self._begin = begin
        self._newest = raft.log.applied
        """The index of the last snapshot: one for the disk that was begun, or a leader's."""
        self.is_taking_snapshot = False
        self._kept_from = 0
        """The entry that the log should begin with; 0 if the log is that short already."""

    def installed(self, index: int) -> None:
        """A leader's snapshot has replaced the key space."""
        self._newest = index

    def begin_snapshots(self) -> None:
        """Begins snapshots that followers wait for, and one for the disk if it is due. Call it only when raft knows
        what has been applied."""
        applied = self._raft.log.applied
        if self._peers.wanted:
            self._begin(partial(self._hand_over, self._peers.take_wanted(), self._snapshots.freeze()))
        if applied - self._newest <= self._snapshot_count or self.is_taking_snapshot:
            return
        logger.info("start to snapshot (applied: %d, lastsnap: %d)", applied, self._newest)
        self._newest = applied
        self.is_taking_snapshot = True
        self._begin(partial(self._take_snapshot, self._snapshots.freeze()))

    async def _take_snapshot(self, image: Image) -> None:
        """Writes a snapshot to the disk, and shortens the log to the entries that followers may still need."""
        began = self._monotonic()
        pieces = await self._snapshots.pieces(image)
        self._metrics.snapshot_encodings.observe(self._monotonic() - began)
        await self._snapshots.keep(image.about, pieces)
        self._kept_from = max(1, image.about.index - CATCH_UP_ENTRIES)
        self.shorten_log()
        self.is_taking_snapshot = False

    def shorten_log(self) -> None:
        """Shortens the log to the entries that followers may still need; later, while one receives a snapshot."""
        if self._kept_from and not self._peers.are_receiving_snapshots:
            self._raft.log.compact(self._kept_from)
            logger.info("compacted raft log at %d", self._kept_from)
            self._kept_from = 0

    async def _hand_over(self, messages: list[Message], image: Image) -> None:
        """Sends followers the key space; they continue with the log from there."""
        snapshot = await self._snapshots.encode(image)
        for message in messages:
            self._peers.hand_over(message, snapshot)
