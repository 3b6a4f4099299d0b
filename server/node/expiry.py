"""The expiry of keys in the cluster, etcd's SYNC: the leader logs a time, and all members remove the keys due then."""

from collections.abc import Awaitable, Callable

from server.clocks import Time
from server.storage.requests import StoreRequest
from server.store.errors import EtcdError
from server.store.store import Store

EXPIRY_INTERVAL = 0.5
"""Seconds between two SYNCs of a leader, or looks for keys whose time is up (etcd 2.3's value)."""

EXPIRED_AT_ONCE = 1000
"""Keys that one entry of the log removes. A choice: that takes a few milliseconds, in which nothing else is answered;
fewer keys would need more entries."""


class SyncProposer:
    """``propose`` puts a request into the log, and raises EtcdError when it gets no answer in time.

    ``syncs_when_idle`` returns whether a leader logs a SYNC at each interval even if no key is due.
    """

    def __init__(
        self,
        store: Store,
        *,
        propose: Callable[[StoreRequest], Awaitable[object]],
        leads: Callable[[], bool],
        syncs_when_idle: Callable[[], bool],
        time: Time,
    ) -> None:
        self._store = store
        self._propose = propose
        self._leads = leads
        self._syncs_when_idle = syncs_when_idle
        self._clock = time.wall
        self._sleep = time.sleep

    async def run(self) -> None:
        """As a leader, proposes a SYNC at each interval if keys are due, or always with ``syncs_when_idle``. With many
        keys due it proposes several; between them other requests get their answers."""
        while True:
            await self._sleep(EXPIRY_INTERVAL)
            cutoff = self._store.due(self._clock(), EXPIRED_AT_ONCE)
            if cutoff is None and self._syncs_when_idle():
                cutoff = self._clock()
            while self._leads() and cutoff is not None:
                try:
                    await self._propose(StoreRequest(method="SYNC", time=cutoff))
                except EtcdError:
                    break  # no answer in time: what is still due will be proposed again
                cutoff = self._store.due(self._clock(), EXPIRED_AT_ONCE)
