"""How many tokens are made: for one address in a time, and for all together. Pure; times are seconds of one clock."""

import heapq
import ipaddress
from collections import OrderedDict
from collections.abc import Iterable

_MOST_ADDRESSES = 10_000
"""Addresses that are remembered, lest clients of many addresses fill the memory. One that is forgotten for others
may begin again; the limit for all addresses together still holds."""

_NETWORK = 64
"""Bits of an IPv6 address that identify a client: the rest is the choice of the client itself (RFC 4291, 2.5.1)."""

_NEVER = 3600.0
"""Seconds to wait for what has no end: until a person has made room."""


def who_asks(address: str) -> str:
    """What an address counts as: the network of an IPv6 address; an IPv4 address, however it came; else the text."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _NETWORK), strict=False))


class Rate:
    """``per_hour`` for each that asks: so many at once, and then one by one, evenly. 0 for no limit."""

    def __init__(self, per_hour: int, most_addresses: int = _MOST_ADDRESSES) -> None:
        self._most = per_hour
        self._interval = 3600 / per_hour if per_hour else 0.0
        self._most_addresses = most_addresses
        self._full_again: OrderedDict[str, float] = OrderedDict()
        """When each will have all again that it may have at once; the latest to ask is last."""

    def take(self, who: str, now: float) -> float:
        """Takes one; 0, or the seconds after which there is one again."""
        if not self._most:
            return 0.0
        full = max(self._full_again.get(who, now), now) + self._interval
        wait = full - now - self._most * self._interval
        if wait > 1e-6:
            return wait
        self._full_again[who] = full
        self._full_again.move_to_end(who)
        if len(self._full_again) > self._most_addresses:
            self._full_again.popitem(last=False)
        return 0.0

    @property
    def addresses(self) -> int:
        """That are remembered."""
        return len(self._full_again)


class Living:
    """The tokens that there are, at ``most`` so many, 0 for no limit. One that lives without end ends at infinity."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ends: list[float] = []

    def know(self, ends: Iterable[float]) -> None:
        """These there are, and no others."""
        self._ends = list(ends)
        heapq.heapify(self._ends)

    def add(self, end: float) -> None:
        heapq.heappush(self._ends, end)

    def remove(self, end: float) -> None:
        """One that was added was not made after all."""
        if end in self._ends:
            self._ends.remove(end)
            heapq.heapify(self._ends)

    def wait(self, now: float) -> float:
        """Seconds after which there is room for one more; 0 when there is."""
        if not self._most:
            return 0.0
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        if len(self._ends) < self._most:
            return 0.0
        return min(_NEVER, max(1.0, heapq.nsmallest(len(self._ends) - self._most + 1, self._ends)[-1] - now))
