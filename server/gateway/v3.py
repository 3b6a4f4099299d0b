"""What the gateway uses of an etcd 3: keys with revisions, guarded transactions, a watch, leases.

Types only, so that the modules above can be tested with a small etcd in memory. ``server.gateway.grpc3`` is the real
one.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol


class V3Error(Exception):
    """The etcd cannot do the call now, or it is not known whether it did; the message is for the log."""


class Compacted(V3Error):
    """The call was for a revision that has been compacted away, before ``revision``."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the history before revision {revision} has been compacted")
        self.revision = revision


class LeaseLost(V3Error):
    """The lease does not exist any more, and no call that needs it will ever succeed."""


class Refused(V3Error):
    """The etcd refuses the call: no rights, no space, too large. Nothing was done."""


class KeyValue(NamedTuple):
    """``version`` counts the writes since the key was made."""

    key: bytes
    value: bytes
    mod_revision: int
    version: int = 1
    create_revision: int = 0


class Put(NamedTuple):
    key: bytes
    value: bytes
    lease: int = 0


class Delete(NamedTuple):
    """Deletes one key, or all from ``key`` to before ``end``."""

    key: bytes
    end: bytes = b""


class Get(NamedTuple):
    key: bytes


class Compare(NamedTuple):
    """``field`` is one of ``version``, ``mod`` or ``value``; with ``end`` it must hold for all keys of a range. A key
    that does not exist has version 0."""

    key: bytes
    field: str
    wanted: int | bytes
    end: bytes = b""


class Committed(NamedTuple):
    """``found`` is the result of the Gets in the branch that was taken."""

    succeeded: bool
    revision: int
    found: list[KeyValue]


class Range(NamedTuple):
    """``revision`` is the etcd's when it answered, ``total`` how many keys there are, whatever the limit."""

    revision: int
    found: list[KeyValue]
    more: bool
    total: int


class Change(NamedTuple):
    """One change of a key; ``now`` is its value and revisions, and of a deletion has the version 0."""

    now: KeyValue

    @property
    def deleted(self) -> bool:
        return self.now.version == 0


class Status(NamedTuple):
    """``quota`` is 0 where the release does not report it (before 3.6)."""

    version: str
    size: int
    quota: int
    alarms: tuple[str, ...] = ()


class V3(Protocol):
    """``cluster_id`` and ``term`` are as of the last answer. All calls raise V3Error, and those of its subclasses that
    they name."""

    @property
    def cluster_id(self) -> int: ...
    @property
    def term(self) -> int: ...

    async def get(
        self, key: bytes, end: bytes = b"", *, revision: int = 0, limit: int = 0, keys_only: bool = False
    ) -> Range:
        """One key, or all from ``key`` to before ``end``, in the order of their bytes. Linearizable without a
        ``revision``; with one, the keys as of then, and that may raise Compacted."""

    async def commit(
        self, guards: Sequence[Compare], then: Sequence[Put | Delete | Get], otherwise: Sequence[Get] = ()
    ) -> Committed:
        """One transaction. Raises LeaseLost or Refused when nothing was done; after any other V3Error that is not
        known."""

    def watch(self, key: bytes, end: bytes, revision: int) -> AsyncIterator[list[Change]]:
        """All changes from a revision on, in order, one list for each revision. Raises Compacted; any other V3Error
        means that the watch has ended and must be begun again."""

    async def grant(self, seconds: int) -> int:
        """A new lease's id."""

    async def keep_alive(self, lease: int) -> None:
        """Renews a lease once. Raises LeaseLost."""

    async def revoke(self, lease: int) -> None: ...

    async def compact(self, revision: int) -> None: ...

    async def status(self) -> Status: ...


def end_of(prefix: bytes) -> bytes:
    """The end of the range of all keys with a prefix; the prefixes here never end in 0xff."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))
