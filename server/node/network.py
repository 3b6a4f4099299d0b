"""What a node needs of the network to the other members: the interface of ``server.peer.Transport``. Types only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from server.raft import Message


class Flow(Protocol):
    """APPENDs in one direction."""

    count: int

    def rates(self, now: float) -> tuple[float, float]:
        """Messages and bytes per second, at a time of the monotonic clock."""


class Latency(Protocol):
    """How long APPENDs to one follower took, in milliseconds, and how many succeeded and failed."""

    current: float
    average: float
    minimum: float
    maximum: float
    successes: int
    failures: int

    @property
    def standard_deviation(self) -> float: ...


class Network(Protocol):
    """The network to all other members. Only ``version_of`` waits, and nothing raises."""

    @property
    def peers(self) -> frozenset[int]:
        """The members that messages go to."""

    @property
    def sent(self) -> Flow: ...

    @property
    def received(self) -> Flow: ...

    def send(self, messages: Iterable[Message]) -> None:
        """Begins to send messages; a SNAPSHOT must have its ``snapshot``."""

    def add_peer(self, member: int, urls: Sequence[str]) -> None: ...

    def add_remote(self, member: int, urls: Sequence[str]) -> None: ...

    def update_peer(self, member: int, urls: Sequence[str]) -> None: ...

    def remove_peer(self, member: int) -> None: ...

    def active_since(self, member: int) -> float | None:
        """Since when messages arrive there, in seconds of the monotonic clock; None while none does."""

    def latencies(self) -> Mapping[int, Latency]: ...

    async def version_of(self, member: int) -> str | None:
        """The release that a peer reports, ``a.b.c``; None when it does not answer."""
