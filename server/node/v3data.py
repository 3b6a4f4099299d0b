"""A cluster that holds data of etcd 3 must not be led by this server, which does not keep them."""

import logging
from collections.abc import Awaitable, Callable

from server.raft import Entry, Raft
from server.storage.v3 import V3Data, stores_v3_data

logger = logging.getLogger(__name__)


class V3DataWatch:
    """``remember`` writes to the disk that there are such data; ``begin`` waits for that beside the loop."""

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
        """Looks at an entry that the key space has no part in."""
        if self._raft.may_lead and (what := stores_v3_data(entry.data)):
            self.see(V3Data(what, entry.index))

    def see(self, seen: V3Data) -> None:
        """From now on this member must not lead: to a follower that lags it would send a database without any v3 data,
        with the word of a leader that this is all there is."""
        if not self._raft.may_lead:
            return
        self._raft.give_up_leading()
        logger.warning(
            "this cluster holds v3 data, which the bundled server does not keep (%s, entry %d): this member votes and "
            "serves the v2 keys, but never leads any more. Replace it by a real etcd when you can",
            seen.what,
            seen.index,
        )
        # Asked for at once: no snapshot is marked in the log before it is known.
        remembered = self._remember(seen)
        self._begin(lambda: remembered)
