"""Which nodes expire, and which of them first: a min-heap of expiry times.

Nodes whose TTL was changed or that were removed stay in the heap until they come to its top or outnumber the rest;
a caller that takes an entry asks the tree whether it still holds.

Equal times go in the order of their paths. So a member that has carried out every write expires keys in the same order
as one that has read them from a snapshot, which does not say which was set first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

from server.store.node import Directory, StoreNode

_SMALL = 1024
"""Entries up to which outdated ones are kept: so small a heap is not worth building again."""


class Expiry(NamedTuple):
    """``node``, whose path is ``path``, is due at ``at`` (Unix nanoseconds). ``number`` is unique, so nodes are never
    compared."""

    at: int
    path: str
    number: int
    node: StoreNode | Directory


class ExpiryQueue:
    """``holds`` says whether an entry is still what the tree says."""

    __slots__ = ("_heap", "_holds", "_limit", "_number")

    def __init__(self, holds: Callable[[Expiry], bool]) -> None:
        self._holds = holds
        self._heap: list[Expiry] = []
        self._number = 0
        self._limit = _SMALL

    def add(self, node: StoreNode | Directory) -> None:
        """Note the expiry of a node just stored; nothing for one without TTL."""
        if node.expiration is None:
            return
        self._number += 1
        heapq.heappush(self._heap, Expiry(node.expiration, node.key, self._number, node))
        if len(self._heap) > self._limit:
            # Keys refreshed over and over must not fill the memory with outdated entries.
            self._heap = [entry for entry in self._heap if self._holds(entry)]
            heapq.heapify(self._heap)
            self._limit = max(_SMALL, 2 * len(self._heap))

    def first(self) -> Expiry | None:
        """The entry due next, if any; it stays until the tree no longer agrees with it."""
        heap = self._heap
        while heap and not self._holds(heap[0]):
            heapq.heappop(heap)
        return heap[0] if heap else None

    def due(self, now: int, most: int) -> int | None:
        """A time at which some are due already, but no more than ``most`` (outdated ones, and those of the very same
        time, not counted); None when none is due at ``now``."""
        first = self.first()
        if first is None or first.at > now:
            return None
        heap, at = self._heap, first.at
        next_in_heap = [(first.at, 0)]  # for a walk in order of the times that takes nothing out
        for _ in range(most):
            if not next_in_heap or next_in_heap[0][0] > now:
                return now
            at, position = heapq.heappop(next_in_heap)
            for child in range(2 * position + 1, min(2 * position + 3, len(heap))):
                heapq.heappush(next_in_heap, (heap[child].at, child))
        return at

    def __len__(self) -> int:
        """Entries held, outdated ones included."""
        return len(self._heap)
