"""What the connections of a listener may take of a process: files, time and memory; and which one is closed for
another.

Pure: the time is an argument, in seconds of one clock.
"""

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple, Protocol, TypeVar

IDLE_SECONDS = 300.0
"""How long a client's connection may be silent between requests or within a head, and how long a body may take: etcd's
own read timeout of five minutes."""


class Limits(NamedTuple):
    """The limits of one listener. Times are seconds, sizes bytes; None for no limit.

    ``idle``: silence between requests, and the time for a whole head. ``handshake``: for a whole TLS handshake.
    ``body``: for a whole body, and a second more for each ``rate`` bytes that have come. ``stall``: how long a client
    may not read its answer. ``held``: what all bodies together hold in memory beyond ``FREE`` for each. When there are
    as many connections as allowed, a listener that ``makes_room`` closes another for a new one (``first_to_go``); else
    the new one waits, as with etcd.
    """

    idle: float = IDLE_SECONDS
    handshake: float = 60.0
    body: float = IDLE_SECONDS
    rate: int | None = None
    stall: float | None = None
    held: int | None = None
    makes_room: bool = False


FREE: Final = 256 << 10
"""Bytes of a body that do not count: nearly all messages between members are shorter."""

STALLED = 5.0
"""Seconds of silence after which a body may be closed for another. A choice: shorter would hit a client on a slow
network, longer would refuse bodies that come while others hang."""


class Doing(IntEnum):
    """What a connection is doing. The lower, the sooner it is closed for another."""

    WAITING = 0
    """It waits for a request, or for the rest of a head or a TLS handshake."""

    BUSY = 1
    """It has a request."""

    PATIENT = 2
    """It reads a body that may take any time."""

    STREAMING = 3
    """It sends an answer without end: never closed for another."""


class Guest(Protocol):
    """A connection. ``since``: when it began what it is doing, or last received something."""

    @property
    def doing(self) -> Doing: ...

    @property
    def since(self) -> float: ...

    @property
    def address(self) -> str:
        """Without the port."""

    def leave(self) -> None:
        """Closes it at once."""


G = TypeVar("G", bound=Guest)


def first_to_go(guests: Iterable[G]) -> G | None:
    """The connection to close for a new one; None when none may be closed.

    Connections that wait come before those that are served. Among them, the address with the most connections comes
    first, so that a crowd from one place does not drive out other clients; of these it is the one that was silent
    longest.
    """
    by_doing: dict[Doing, list[G]] = {}
    for guest in guests:
        by_doing.setdefault(guest.doing, []).append(guest)
    by_doing.pop(Doing.STREAMING, None)
    if not by_doing:
        return None
    lowest = by_doing[min(by_doing)]
    crowds = Counter(guest.address for guest in lowest)
    return min(lowest, key=lambda guest: (-crowds[guest.address], guest.since))


class Holdings:
    """What all bodies of a listener hold together. ``most`` limits the bytes beyond what is free, if not None."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._shares: set[Share] = set()

    @property
    def total(self) -> int:
        return sum(share.counted for share in self._shares)

    def share(self, guest: Guest) -> "Share":
        """The share of one body, which counts until ``leave``."""
        share = Share(self, guest)
        self._shares.add(share)
        return share

    def leave(self, share: "Share") -> None:
        self._shares.discard(share)

    def has_room(self, share: "Share", now: float) -> bool:
        """Whether a body may hold what it counts; others that have stalled are closed for it, the longest first."""
        if self._most is None:
            return True
        over = self.total - self._most
        stalled = [
            other
            for other in self._shares
            if other is not share and other.counted and now - other.guest.since >= STALLED
        ]
        for other in sorted(stalled, key=lambda other: other.guest.since):
            if over <= 0:
                break
            over -= other.counted
            self._shares.discard(other)
            other.guest.leave()
        return over <= 0


class Share:
    """What one body holds."""

    def __init__(self, holdings: Holdings, guest: Guest) -> None:
        self.guest = guest
        self.counted = 0
        """Bytes beyond the first ``FREE`` ones."""
        self._holdings = holdings

    def hold(self, size: int, now: float) -> bool:
        """The body holds ``size`` bytes in all now. False when all bodies together hold too much."""
        grown = max(0, size - FREE) > self.counted
        self.counted = max(0, size - FREE)
        return not grown or self._holdings.has_room(self, now)

    def leave(self) -> None:
        """The body holds nothing any more."""
        self._holdings.leave(self)


class Gathered:
    """The bytes of a body that have come. They may come one by one, and an object for each would take fifty times as
    much memory."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._small = bytearray()

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._small += piece
        if len(self._small) >= _PIECE:
            self._pieces.append(bytes(self._small))
            self._small.clear()

    def whole(self) -> bytes:
        return b"".join((*self._pieces, self._small))


_PIECE = 64 << 10
"""Bytes that are gathered before they become one object. A choice: much larger than an object's own size, and small
enough that a growing ``bytearray`` is seldom copied."""
