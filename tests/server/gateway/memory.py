"""An etcd 3 in memory, as far as a gateway asks one, with the limits it has and the troubles it may be in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from server.gateway.v3 import (
    Change,
    Committed,
    Compacted,
    Compare,
    Delete,
    Get,
    KeyValue,
    LeaseLost,
    Put,
    Range,
    Refused,
    Status,
    V3Error,
)

MOST_OPERATIONS = 128
MOST_BYTES = 1_572_864


@dataclass
class Etcd:
    """The keys and all that ever happened to them. ``compacted`` is the oldest revision that can still be asked for."""

    cluster_id: int = 7
    revision: int = 1
    compacted: int = 0
    keys: dict[bytes, KeyValue] = field(default_factory=dict)
    leases: dict[int, set[bytes]] = field(default_factory=dict)
    history: list[list[Change]] = field(default_factory=list)
    """By revision, from 2 on."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    lost: set[int] = field(default_factory=set)
    """Revisions that no watch tells of."""

    def at(self, revision: int) -> dict[bytes, KeyValue]:
        if revision >= self.revision:
            return self.keys
        keys: dict[bytes, KeyValue] = {}
        for changes in self.history[: revision - 1]:
            for change in changes:
                if change.deleted:
                    keys.pop(change.now.key, None)
                else:
                    keys[change.now.key] = change.now
        return keys

    def do(self, operations: Sequence[Put | Delete | Get]) -> list[KeyValue]:
        """One revision for all, if anything changes."""
        changes: list[Change] = []
        found = []
        revision = self.revision + 1
        for operation in operations:
            if isinstance(operation, Get):
                found += [self.keys[operation.key]] if operation.key in self.keys else []
            elif isinstance(operation, Put):
                old = self.keys.get(operation.key)
                made = KeyValue(
                    operation.key,
                    operation.value,
                    revision,
                    1 if old is None else old.version + 1,
                    revision if old is None else old.create_revision,
                )
                self.keys[operation.key] = made
                for keys in self.leases.values():
                    keys.discard(operation.key)
                if operation.lease:
                    self.leases[operation.lease].add(operation.key)
                changes.append(Change(made))
            else:
                for key in self.within(operation.key, operation.end):
                    del self.keys[key]
                    changes.append(Change(KeyValue(key, b"", revision, 0)))
        if changes:
            self.revision = revision
            self.history.append(changes)
            self.wake()
        return found

    def within(self, key: bytes, end: bytes) -> list[bytes]:
        if not end:
            return [key] if key in self.keys else []
        return sorted(known for known in self.keys if key <= known < end)

    def holds(self, guard: Compare) -> bool:
        keys = self.within(guard.key, guard.end)
        if not keys:
            return guard.field != "value" and guard.wanted == 0
        return all(
            guard.wanted
            == {
                "version": self.keys[key].version,
                "mod": self.keys[key].mod_revision,
                "value": self.keys[key].value,
            }[guard.field]
            for key in keys
        )

    def end_lease(self, lease: int) -> None:
        keys = self.leases.pop(lease, set())
        self.do([Delete(key) for key in sorted(keys)])

    def compact(self, revision: int) -> None:
        self.compacted = max(self.compacted, revision)

    def wake(self) -> None:
        woken, self.woken = self.woken, asyncio.Event()
        woken.set()


@dataclass
class MemoryV3:
    """One gateway's connection to it. With ``cut`` nothing gets there; ``before`` is called with every transaction, and
    ``after`` when it has happened: what they raise is what the gateway gets."""

    etcd: Etcd
    cut: bool = False
    before: Callable[[Sequence[Put | Delete | Get]], object] = lambda operations: None
    after: Callable[[Sequence[Put | Delete | Get]], object] = lambda operations: None
    term: int = 2
    hanging: int = 0
    """So many watches from now on tell nothing."""

    @property
    def cluster_id(self) -> int:
        return self.etcd.cluster_id

    async def _get_there(self) -> None:
        await asyncio.sleep(0)
        if self.cut:
            raise V3Error("cut off")

    async def get(
        self, key: bytes, end: bytes = b"", *, revision: int = 0, limit: int = 0, keys_only: bool = False
    ) -> Range:
        await self._get_there()
        if revision and revision < self.etcd.compacted:
            raise Compacted(self.etcd.compacted)
        keys = self.etcd.at(revision) if revision else self.etcd.keys
        names = sorted(name for name in keys if name == key or (end and key <= name < end))
        some = names[: limit or None]
        found = [keys[name]._replace(value=b"") if keys_only else keys[name] for name in some]
        return Range(self.etcd.revision, found, len(some) < len(names), len(names))

    async def commit(
        self, guards: Sequence[Compare], then: Sequence[Put | Delete | Get], otherwise: Sequence[Get] = ()
    ) -> Committed:
        await self._get_there()
        self.before(then)
        check(guards, then)
        etcd = self.etcd
        succeeded = all(map(etcd.holds, guards))
        if succeeded and any(
            isinstance(operation, Put) and operation.lease and operation.lease not in etcd.leases
            for operation in then
        ):
            raise LeaseLost("etcdserver: requested lease not found")
        found = etcd.do(then if succeeded else otherwise)
        if succeeded:
            self.after(then)
        return Committed(succeeded, etcd.revision, found)

    async def watch(self, key: bytes, end: bytes, revision: int) -> AsyncIterator[list[Change]]:
        if self.hanging:
            self.hanging -= 1
            await asyncio.Event().wait()
        while True:
            await self._get_there()
            woken = self.etcd.woken
            if revision < self.etcd.compacted:
                raise Compacted(self.etcd.compacted)
            while revision <= self.etcd.revision:
                changes = [
                    change for change in self.etcd.history[revision - 2] if key <= change.now.key < end
                ]
                if changes and revision not in self.etcd.lost:
                    yield changes
                revision += 1
            if woken is self.etcd.woken:
                await woken.wait()

    async def grant(self, seconds: int) -> int:
        await self._get_there()
        lease = max(self.etcd.leases, default=0) + 1 + self.etcd.revision * 1000
        self.etcd.leases[lease] = set()
        return lease

    async def keep_alive(self, lease: int) -> None:
        await self._get_there()
        if lease not in self.etcd.leases:
            raise LeaseLost("the lease has run out")

    async def revoke(self, lease: int) -> None:
        await self.keep_alive(lease)
        self.etcd.end_lease(lease)

    async def compact(self, revision: int) -> None:
        await self._get_there()
        self.etcd.compact(revision)

    async def status(self) -> Status:
        await self._get_there()
        return Status("3.5.1", 1 << 20, 0)


def check(guards: Sequence[Compare], operations: Sequence[Put | Delete | Get]) -> None:
    """What etcd refuses (3.4.23 and 3.5.1: tried)."""
    if len(guards) > MOST_OPERATIONS or len(operations) > MOST_OPERATIONS:
        raise Refused("etcdserver: too many operations in txn request")
    put = [operation.key for operation in operations if isinstance(operation, Put)]
    if len(set(put)) < len(put):
        raise Refused("etcdserver: duplicate key given in txn request")
    for operation in operations:
        if isinstance(operation, Delete) and any(
            key == operation.key or operation.key <= key < operation.end for key in put
        ):
            raise Refused("etcdserver: duplicate key given in txn request")
    size = sum(
        len(operation.key) + len(operation.value) + 20
        for operation in operations
        if isinstance(operation, Put)
    )
    if size > MOST_BYTES:
        raise Refused("etcdserver: request is too large")
