"""What the gateway asks of an etcd 3, as it sees it: keys with revisions, guarded transactions, a watch, leases.

Types only, so that all above is tested with an etcd of a few lines in memory. ``server.gateway.grpc3`` is the real one.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol


class V3Error(Exception):
    """The etcd cannot do it now, or it is not known whether it did; the message is for the log."""


class Compacted(V3Error):
    """What was asked for is of a revision that has been compacted away, before ``revision``."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the history before revision {revision} has been compacted")
        self.revision = revision


class LeaseLost(V3Error):
    """The lease is not there any more, and nothing that goes with it will ever happen."""


class Refused(V3Error):
    """The etcd has understood it and will not do it: no rights, no space, too large. It did not happen."""


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
    """Of one key, or of all from ``key`` to before ``end``."""

    key: bytes
    end: bytes = b""


class Get(NamedTuple):
    key: bytes


class Compare(NamedTuple):
    """``field`` is one of ``version``, ``mod`` or ``value``; with ``end`` all keys of a range have to be so, and where
    there is none it is as if one had version 0."""

    key: bytes
    field: str
    wanted: int | bytes
    end: bytes = b""


class Committed(NamedTuple):
    """``found`` is what the Gets of the branch that was taken found."""

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
    """``quota`` is 0 where the release does not tell (before 3.6)."""

    version: str
    size: int
    quota: int
    alarms: tuple[str, ...] = ()


class V3(Protocol):
    """``cluster_id`` and ``term`` are as of the last answer. All calls raise V3Error, the kinds of it where they say
    so."""

    @property
    def cluster_id(self) -> int: ...
    @property
    def term(self) -> int: ...

    async def get(
        self, key: bytes, end: bytes = b"", *, revision: int = 0, limit: int = 0, keys_only: bool = False
    ) -> Range:
        """One key, or all from ``key`` to before ``end``, by their bytes. Linearizable without a ``revision``; with one
        what there was then, and that may raise Compacted."""

    async def commit(
        self, guards: Sequence[Compare], then: Sequence[Put | Delete | Get], otherwise: Sequence[Get] = ()
    ) -> Committed:
        """One transaction. Raises LeaseLost or Refused when nothing has happened; otherwise it is not known."""

    def watch(self, key: bytes, end: bytes, revision: int) -> AsyncIterator[list[Change]]:
        """All changes from a revision on, in order, those of one revision in one list, which may have several. Raises
        Compacted; any other V3Error only when it has to begin again."""

    async def grant(self, seconds: int) -> int:
        """A new lease's id."""

    async def keep_alive(self, lease: int) -> None:
        """Once; raises LeaseLost."""

    async def revoke(self, lease: int) -> None: ...

    async def compact(self, revision: int) -> None: ...

    async def status(self) -> Status: ...


def end_of(prefix: bytes) -> bytes:
    """The end of the range of all keys with a prefix; the prefixes here never end in 0xff."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))
