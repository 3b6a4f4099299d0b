"""What a node needs of the ways to the other members, and what it wants to know of them: ``server.peer.Transport``,
as seen from below. Types only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from server.raft import Message


class Flow(Protocol):
    """APPENDs in one direction."""

    count: int

    def rates(self, now: float) -> tuple[float, float]:
        """Messages and bytes per second, at a time of the monotonic clock."""


class Latency(Protocol):
    """How APPENDs to one follower have fared: milliseconds, and numbers."""

    current: float
    average: float
    minimum: float
    maximum: float
    successes: int
    failures: int

    @property
    def standard_deviation(self) -> float: ...


class Network(Protocol):
    """The ways to all other members. Nothing here waits but ``version_of``, and nothing raises."""

    @property
    def peers(self) -> frozenset[int]:
        """The members that messages go to."""

    @property
    def sent(self) -> Flow: ...

    @property
    def received(self) -> Flow: ...

    def send(self, messages: Iterable[Message]) -> None:
        """Puts messages on their way; a SNAPSHOT has its ``snapshot``."""

    def add_peer(self, member: int, urls: Sequence[str]) -> None: ...

    def add_remote(self, member: int, urls: Sequence[str]) -> None: ...

    def update_peer(self, member: int, urls: Sequence[str]) -> None: ...

    def remove_peer(self, member: int) -> None: ...

    def active_since(self, member: int) -> float | None:
        """Since when something gets through, in seconds of the monotonic clock; None while nothing does."""

    def latencies(self) -> Mapping[int, Latency]: ...

    async def version_of(self, member: int) -> str | None:
        """The release that a peer says it is, ``a.b.c``; None when it does not answer."""
