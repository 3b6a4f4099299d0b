"""Is a history of concurrent operations on one register linearizable? Pure: a history in, a verdict out.

To the checker every operation is the same thing: at one moment between its invocation and its return it found a value and
left a value. A read leaves what it found; a write finds anything; a compare-and-swap finds what it compared with. What an
answer tells of the value before a write makes the check sharper, and is found too.

Of an operation whose answer never came nobody knows whether it happened; if it did, then at any time after its invocation.

The search is that of Wing and Gong with Lowe's memory of (operations done, value): of those operations that no other
undone one precedes, do one that finds the value there is, and go on; come back when none fits.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Marker(enum.Enum):
    ANY = enum.auto()
    """Found: nobody knows what."""
    SAME = enum.auto()
    """Left: what was found."""

    def __repr__(self) -> str:
        return self.name


ANY, SAME = Marker.ANY, Marker.SAME
NEVER = math.inf
"""When an operation returned whose answer never came."""

Value = str | None
"""Of the register; None where there is none."""


class Operation(NamedTuple):
    """Times are of one monotonic clock, in any unit."""

    invoked: float
    returned: float
    found: Value | Marker = ANY
    left: Value | Marker = SAME
    label: str = ""
    """For people: who did what."""

    @property
    def certain(self) -> bool:
        """It is known to have happened."""
        return self.returned != NEVER

    def __str__(self) -> str:
        return (
            f"[{self.invoked:.6f}, {self.returned:.6f}] found {self.found!r}, left {self.left!r} {self.label}"
        )


class Violation(NamedTuple):
    """There is no order. ``placed`` operations fit into the longest one tried, which left ``value``; of the ``candidates``
    to be the next none found it."""

    placed: int
    value: Value
    candidates: tuple[Operation, ...]

    def __str__(self) -> str:
        head = f"not linearizable: after {self.placed} operations the value is {self.value!r}, and next would have to be"
        return "\n  ".join([head, *map(str, self.candidates)])


def check(history: Iterable[Operation], initial: Value = None) -> Violation | None:
    """None if there is an order in which a register that starts with ``initial`` would have answered like that."""
    operations = _to_be_placed(history)
    # A place in the search: what stands before `base` is done, and of the others those with a number in `ahead`.
    start = (0, frozenset[int](), initial)
    seen, stack = {start}, [start]
    deepest = Violation(-1, initial, ())
    while stack:
        base, ahead, value = stack.pop()
        candidates = _candidates(operations, base, ahead)
        if not any(operations[number].certain for number in candidates):
            return None
        placed = base + len(ahead)
        if placed > deepest.placed:
            deepest = Violation(placed, value, tuple(operations[number] for number in candidates))
        for number in reversed(candidates):
            operation = operations[number]
            if operation.found is ANY or operation.found == value:
                left = value if isinstance(operation.left, Marker) else operation.left
                place = (*_advance(base, ahead | {number}), left)
                if place not in seen:
                    seen.add(place)
                    stack.append(place)
    return deepest


def _to_be_placed(history: Iterable[Operation]) -> list[Operation]:
    """By invocation; without operations that need not have happened for the others to be explained.

    Those are uncertain ones that left a value which no other operation found, or left all as it was: if there is an order
    with such a one in it, the next operation took any value, and there is an order without it.
    """
    history = list(history)
    found = {operation.found for operation in history}
    needed = (operation for operation in history if operation.certain or operation.left in found)
    return sorted(needed, key=lambda operation: operation.invoked)


def _candidates(operations: Sequence[Operation], base: int, ahead: frozenset[int]) -> list[int]:
    """The undone operations that no other undone one precedes."""
    candidates, limit = [], NEVER
    for number in range(base, len(operations)):
        operation = operations[number]
        if operation.invoked > limit:
            break
        if number not in ahead:
            candidates.append(number)
            limit = min(limit, operation.returned)
    return candidates


def _advance(base: int, ahead: frozenset[int]) -> tuple[int, frozenset[int]]:
    """Moves the base over all that is done."""
    if base not in ahead:
        return base, ahead
    while base in ahead:
        base += 1
    return base, frozenset(number for number in ahead if number >= base)
