"""What the API needs of that which it serves: a member, or a gateway to an etcd 3. Types only."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from server.cluster.members import Member
from server.metrics import MemberMetrics
from server.node import Answer, Network
from server.raft import Raft
from server.storage.requests import StoreRequest
from server.store import Event, Store, Watcher


class ServedMembers(Protocol):
    """Who serves this key space, in order of their ids."""

    @property
    def cluster_id(self) -> int: ...
    @property
    def version(self) -> str | None:
        """``major.minor.patch``; None while the cluster has not decided on it."""

    def __iter__(self) -> Iterator[Member]: ...
    def get(self, member: int, /) -> Member | None: ...
    def client_urls(self) -> list[str]:
        """Those of all members, sorted."""


class ServedLeadership(Protocol):
    """``last_leader`` is NOBODY when there never was one; ``leader_since`` is unix nanoseconds."""

    @property
    def last_leader(self) -> int: ...
    @property
    def leader_since(self) -> int: ...


class ServedReconfiguration(Protocol):
    """Changes of members. Each returns when it is applied, and raises MemberError or ChangeFailed."""

    def add(self, member: Member, /) -> Awaitable[None]: ...
    def remove(self, member: int, /) -> Awaitable[None]: ...
    def update(self, member: Member, /) -> Awaitable[None]: ...


class ServedNode(Protocol):
    """``local`` is the member itself, ``clock`` gives unix nanoseconds, ``started_at`` is one of those."""

    @property
    def local(self) -> Member: ...
    @property
    def store(self) -> Store: ...
    @property
    def members(self) -> ServedMembers: ...
    @property
    def metrics(self) -> MemberMetrics: ...
    @property
    def clock(self) -> Callable[[], int]: ...
    @property
    def started_at(self) -> int: ...

    @property
    def raft_index(self) -> int:
        """Of the last entry applied; another one whenever the key space may have changed."""

    @property
    def raft_term(self) -> int: ...
    @property
    def pending(self) -> int:
        """Requests that wait for the log."""

    @property
    def leader(self) -> int:
        """The member that leads, NOBODY while none does."""

    @property
    def is_leader(self) -> bool: ...
    @property
    def leadership(self) -> ServedLeadership: ...
    @property
    def network(self) -> Network | None:
        """The ways to the other members; None where there are none to count on."""

    @property
    def consensus(self) -> Raft | None:
        """Its own, for who looks inside; None where it has the log from somebody else."""

    @property
    def reconfiguration(self) -> ServedReconfiguration: ...
    @property
    def fixed_members(self) -> str:
        """Why the API changes no members, in a sentence; empty where it does."""

    def do(self, request: StoreRequest, /) -> Event | Watcher | Answer: ...
    def propose(self, request: StoreRequest, /) -> Answer: ...
    def makes_progress(self, within: float, /) -> Awaitable[bool]: ...
