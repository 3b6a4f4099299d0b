"""The cluster-wide expiry of keys, etcd's SYNC: the leader logs the time up to which all members remove what is due."""

from collections.abc import Awaitable, Callable

from server.clocks import Time
from server.storage.requests import StoreRequest
from server.store.errors import EtcdError
from server.store.store import Store

EXPIRY_INTERVAL = 0.5
"""Seconds between two SYNCs of a leader, or looks for keys whose time is up (etcd 2.3)."""

EXPIRED_AT_ONCE = 1000
"""Keys that one entry of the log removes: a few milliseconds during which nobody else is answered."""


class SyncProposer:
    """``propose`` puts a request into the log, and raises EtcdError when nothing comes of it in time.

    ``syncs_when_idle`` says whether a leader logs a SYNC at each interval, with no key due as well.
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
        """Proposes one SYNC at each interval, by which others see the log move, and with many keys due further ones,
        between which others get their answers."""
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
