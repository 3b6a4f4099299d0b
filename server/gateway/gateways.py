"""The gateways that run: each registers itself with a lease, and one of them, the tender, writes checkpoints and lets
keys expire.

The list is only used to show members to clients. A tender's transactions check again that it is the tender.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass

from server.clocks import Time
from server.cluster.ids import parse_id
from server.cluster.members import Member
from server.gateway.layout import FIRST_RULES, Layout, LayoutError, Registration
from server.gateway.v3 import V3, Compacted, Compare, KeyValue, LeaseLost, Put, V3Error, end_of
from server.raft import NOBODY

logger = logging.getLogger(__name__)

LEASE = 10
"""Seconds after which a silent gateway is removed from the list, and can append nothing under that lease. A choice:
shorter, and a short stall would end leases; longer, and a dead tender would be replaced later."""
RENEWAL = 3.0
"""Seconds between two renewals of the registration and its lease: two may fail before the lease ends."""
SKEW = 1_000
"""Milliseconds that clocks may differ by without a warning. TTLs become wrong by the difference, and a second is the
unit of a TTL."""


@dataclass(slots=True)
class Life:
    """The time of a gateway under one lease; ``seq`` counts its appends."""

    boot: str
    lease: int
    seq: int = 0


class Gateways:
    """The table, as the API shows members, and this gateway's own place in it.

    ``local`` is this one, and ``rules`` the highest number of rules that it knows.
    """

    version = "2.3.0"

    def __init__(self, v3: V3, layout: Layout, local: Member, time: Time, rules: int = FIRST_RULES) -> None:
        self.local = local
        self.rules = rules
        self.tender = ""
        """The BOOT of the tender; empty while there is none."""
        self.last_leader = NOBODY
        self.leader_since = time.wall()
        self.reached = time.monotonic()
        """When the etcd last answered."""
        self.life: Life | None = None
        self._v3 = v3
        self._layout = layout
        self._time = time
        self._known: dict[int, Registration] = {}
        self._skewed: set[int] = set()
        self._wake = asyncio.Event()
        self._beginning = asyncio.Lock()

    # As the API sees it

    @property
    def cluster_id(self) -> int:
        return self._v3.cluster_id

    def __iter__(self) -> Iterator[Member]:
        for member in sorted(self._known):
            found = self.get(member)
            if found is not None:
                yield found

    def get(self, member: int) -> Member | None:
        known = self._known.get(member)
        return None if known is None else Member(member, known.name, (), known.client_urls)

    def client_urls(self) -> list[str]:
        return sorted(url for known in self._known.values() for url in known.client_urls)

    @property
    def leader(self) -> int:
        """The id of the tender; NOBODY while there is none, or the etcd has not answered for the time of a lease."""
        if self._time.monotonic() - self.reached > LEASE:
            return NOBODY
        return next((member for member, known in self._known.items() if known.boot == self.tender), NOBODY)

    @property
    def is_tender(self) -> bool:
        return self.life is not None and self.life.boot == self.tender

    @property
    def common_rules(self) -> int:
        """The highest number of rules that all registered gateways know; 0 while this one is not registered."""
        if self.local.id not in self._known:
            return 0
        return min(known.rules for known in self._known.values())

    # This gateway's place

    async def run(self) -> None:
        """Keeps this gateway registered, and makes it the tender when there is none."""
        while True:
            try:
                await self._say()
                self.reached = self._time.monotonic()
            except LeaseLost:
                await self.begin(self.life)
                continue
            except V3Error as error:
                logger.debug("cannot say that this gateway is there: %s", error)
            self._wake.clear()
            await _either(self._time.sleep(RENEWAL), self._wake.wait())

    async def begin(self, ended: Life | None) -> Life:
        """Begins a new life after ``ended``, whose lease is lost or revoked; returns the one that another caller has
        begun meanwhile, if there is one."""
        async with self._beginning:
            if self.life is not None and self.life is not ended:
                return self.life
            if ended is not None:
                logger.warning("the lease of this gateway is lost, it continues under a new one")
            wait = 0.05
            while True:
                try:
                    lease = await self._v3.grant(LEASE)
                    break
                except V3Error:
                    await self._time.sleep(wait)
                    wait = min(1.0, 2 * wait)
            self.life = Life(secrets.token_hex(8), lease)
            self._wake.set()
            return self.life

    async def _say(self) -> None:
        life = self.life or await self.begin(None)
        await self._v3.keep_alive(life.lease)
        wall = self._time.wall() // 1_000_000
        said = Registration(self.local.name, self.local.client_urls, life.boot, wall, self.rules)
        key = self._layout.gateway(self.local.id)
        await self._v3.commit((), (Put(key, said.encode(), life.lease),))
        if not self.tender:
            guard = Compare(self._layout.tender, "version", 0)
            await self._v3.commit((guard,), (Put(self._layout.tender, life.boot.encode(), life.lease),))

    async def leave(self) -> None:
        """Revokes the lease, so that the other gateways see at once that this one has stopped."""
        life, self.life = self.life, None
        if life is not None:
            await self._v3.revoke(life.lease)

    # The others

    async def watch(self) -> None:
        """Keeps the table up to date."""
        prefix, end = self._layout.gateways, end_of(self._layout.gateways)
        while True:
            try:
                there = await self._v3.get(prefix, end)
                self._become(there.found)
                async for changes in self._v3.watch(prefix, end, there.revision + 1):
                    for change in changes:
                        self._take(change.now, deleted=change.deleted)
            except Compacted:
                continue
            except V3Error as error:
                logger.debug("cannot see the other gateways: %s", error)
                await self._time.sleep(0.5)

    def _become(self, found: list[KeyValue]) -> None:
        there = {kv.key for kv in found}
        if self._layout.tender not in there:
            self._see_tender("")
        for member in list(self._known):
            if self._layout.gateway(member) not in there:
                del self._known[member]
        for kv in found:
            self._take(kv, deleted=False)

    def _take(self, kv: KeyValue, *, deleted: bool) -> None:
        if kv.key == self._layout.tender:
            self._see_tender("" if deleted else kv.value.decode("utf-8", "replace"))
            return
        try:
            member = parse_id(kv.key[len(self._layout.gateways) :].decode("utf-8", "replace"))
            if deleted:
                self._known.pop(member, None)
                return
            self._known[member] = said = Registration.decode(kv.value)
        except (ValueError, LayoutError) as error:
            logger.warning("not a gateway: %s", error)
            return
        self._compare_clocks(member, said)
        self._see_leader()

    def _compare_clocks(self, member: int, said: Registration) -> None:
        apart = said.wall - self._time.wall() // 1_000_000
        if abs(apart) > SKEW and member != self.local.id and member not in self._skewed:
            self._skewed.add(member)
            logger.warning(
                "the clock of gateway %s is about %d ms from this one's: TTLs end by that much too early or too late",
                said.name,
                apart,
            )
        elif abs(apart) <= SKEW:
            self._skewed.discard(member)

    def _see_tender(self, boot: str) -> None:
        if boot == self.tender:
            return
        self.tender = boot
        self._see_leader()
        if not boot:
            self._wake.set()

    def _see_leader(self) -> None:
        leader = self.leader
        if leader not in (NOBODY, self.last_leader):
            self.last_leader, self.leader_since = leader, self._time.wall()
            known = self._known[leader]
            logger.info("gateway %s writes the checkpoints", known.name)


async def _either(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
