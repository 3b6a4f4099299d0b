"""This server does not store data of etcd 3, so it must not lead a cluster that has such data."""

import logging
from collections.abc import Awaitable, Callable

from server.raft import Entry, Raft
from server.storage.v3 import V3Data, stores_v3_data

logger = logging.getLogger(__name__)


class V3DataWatch:
    """``remember`` writes to the disk that there is such data; ``begin`` starts a task that waits for that."""

    def __init__(
        self,
        raft: Raft,
        *,
        remember: Callable[[V3Data], Awaitable[None]],
        begin: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        self._raft = raft
        self._remember = remember
        self._begin = begin

    def notice(self, entry: Entry) -> None:
        """Looks at an entry that does not concern the key space."""
        if self._raft.may_lead and (what := stores_v3_data(entry.data)):
            self.see(V3Data(what, entry.index))

    def see(self, seen: V3Data) -> None:
        """From now on this member must not lead: as a leader it would send a follower that lags a database without any
        v3 data, and the follower would take that for all there is."""
        if not self._raft.may_lead:
            return
        self._raft.give_up_leading()
        logger.warning(
            "this cluster holds v3 data, which the bundled server does not keep (%s, entry %d): this member votes and "
            "serves the v2 keys, but never leads any more. Replace it by a real etcd when you can",
            seen.what,
            seen.index,
        )
        # Begun at once: the mark must be on disk before a snapshot is marked in the log.
        remembered = self._remember(seen)
        self._begin(lambda: remembered)
