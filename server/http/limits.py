"""What the connections of a listener may take from a process: files, time and memory; and who gives way.

Pure: the time is passed in, in seconds of one clock.
"""

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple, Protocol, TypeVar

IDLE_SECONDS = 300.0
"""How long a client's connection may be silent between requests or within a head, and how long a body may take: etcd's
own read timeout of five minutes."""


class Limits(NamedTuple):
    """Of one listener. Times are seconds, sizes bytes; None for no limit.

    ``idle``: silence between requests, and all of a head. ``handshake``: all of a TLS handshake. ``body``: all of a
    body, and a second more for each ``rate`` bytes that have come. ``stall``: an answer that the client does not read.
    ``held``: what all bodies together hold in memory beyond ``FREE`` for each. A listener that ``makes_room`` closes a
    connection that is in nobody's way when there are as many as may be; else the new one waits, as with etcd.
    """

    idle: float = IDLE_SECONDS
    handshake: float = 60.0
    body: float = IDLE_SECONDS
    rate: int | None = None
    stall: float | None = None
    held: int | None = None
    makes_room: bool = False


FREE: Final = 256 << 10
"""Bytes of a body that are always taken: nearly all that members say to each other has room there."""

STALLED = 5.0
"""Seconds of silence after which a body has to give way to one that comes."""


class Doing(IntEnum):
    """What a connection is at. The lower the sooner it gives way."""

    WAITING = 0
    """For a request, a head or a TLS handshake to come whole."""

    BUSY = 1
    """With a request."""

    PATIENT = 2
    """With a body that may take as long as it likes."""

    STREAMING = 3
    """With an answer that has no end: never gives way."""


class Guest(Protocol):
    """A connection. ``since``: when something last came of it, or it began what it is at."""

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
    """Who gives way to a new connection; None when all have to stay.

    Whoever waits goes before who is served. Of those it is one of the address that has most of them, so that a crowd
    from one place does not drive out who comes from another; and of those the one that was silent longest.
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
    """What all bodies of a listener hold together, at ``most`` so many bytes beyond what is free; None for no limit."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._shares: set[Share] = set()

    @property
    def total(self) -> int:
        return sum(share.counted for share in self._shares)

    def share(self, guest: Guest) -> "Share":
        """Of one body, until that leaves."""
        share = Share(self, guest)
        self._shares.add(share)
        return share

    def leave(self, share: "Share") -> None:
        self._shares.discard(share)

    def has_room(self, share: "Share", now: float) -> bool:
        """Whether that one may have what it counts; others that have stalled are closed for it, the longest first."""
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
        """Bytes beyond those that are free."""
        self._holdings = holdings

    def hold(self, size: int, now: float) -> bool:
        """It holds ``size`` bytes in all now. False when that is too much for all together."""
        grown = max(0, size - FREE) > self.counted
        self.counted = max(0, size - FREE)
        return not grown or self._holdings.has_room(self, now)

    def leave(self) -> None:
        """There is no such body any more."""
        self._holdings.leave(self)


class Gathered:
    """A body, as far as it has come. It may come byte by byte, and an object for each would be fifty times as much."""

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
