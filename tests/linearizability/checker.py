"""Is a history of concurrent operations on one register linearizable? Pure: a history in, a verdict out.

To the checker every operation is the same thing: at one moment between its invocation and its return it found a value and
left a value. A read leaves what it found; a write finds anything; a compare-and-swap finds what it compared with. What an
answer tells of the value before a write makes the check sharper, and is found too.

Of an operation whose answer never came nobody knows whether it happened; if it did, then at any time after its invocation.

The search goes through the history event by event, as in Lowe's "just-in-time linearization", and keeps every state in which
the register can be: its value, and which of the operations that have not returned yet have happened. When one returns, it must
have happened: at the latest now, perhaps after others that are under way. Where no state is left, there is no order.
"""

from __future__ import annotations

import enum
import heapq
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
    """``operation`` cannot have happened by the time it returned, as the ``returned``-th: not from any of the values there can
    have been, and not after any of those that were under way.
    """

    operation: Operation
    returned: int
    values: frozenset[Value]
    under_way: tuple[Operation, ...]

    def __str__(self) -> str:
        lines = [
            f"not linearizable: operation {self.returned} to return cannot have happened:",
            f"  {self.operation}",
            f"the value can have been {', '.join(sorted(map(repr, self.values)))}; under way were",
            *(f"  {operation}" for operation in self.under_way),
        ]
        return "\n".join(lines)


class State(NamedTuple):
    """``done`` are operations under way that have happened, ``spent`` uncertain ones that have."""

    value: Value
    done: frozenset[int] = frozenset()
    spent: frozenset[int] = frozenset()


def check(history: Iterable[Operation], initial: Value = None) -> Violation | None:
    """None if there is an order in which a register that starts with ``initial`` would have answered like that."""
    operations = _to_be_explained(history)
    under_way: list[int] = []
    states = {State(initial)}
    returned = 0
    for number, returns in _events(operations):
        if not returns:
            under_way.append(number)
            continue
        returned += 1
        after = _done(number, operations, under_way, states)
        if not after:
            others = tuple(operations[other] for other in under_way if other != number)
            values = frozenset(state.value for state in states)
            return Violation(operations[number], returned, values, others)
        states = after
        under_way.remove(number)
        if settled := frozenset.intersection(*(state.spent for state in states)):
            under_way = [other for other in under_way if other not in settled]
            states = {state._replace(spent=state.spent - settled) for state in states}
    return None


def _to_be_explained(history: Iterable[Operation]) -> list[Operation]:
    """Without operations that need not have happened for the others to be explained.

    Those are uncertain ones that left a value which no other operation found, or left all as it was: if there is an order
    with such a one in it, the next operation took any value, and there is an order without it.
    """
    history = list(history)
    found = {operation.found for operation in history}
    return [operation for operation in history if operation.certain or operation.left in found]


def _events(operations: Sequence[Operation]) -> list[tuple[int, bool]]:
    """The number of an operation and whether it returns, in the order of time; of what happens at once, invocations first."""
    times = [(operation.invoked, False, number) for number, operation in enumerate(operations)]
    times += [
        (operation.returned, True, number) for number, operation in enumerate(operations) if operation.certain
    ]
    return [(number, returns) for _, returns, number in sorted(times)]


def _done(
    number: int, operations: Sequence[Operation], under_way: Sequence[int], states: Iterable[State]
) -> set[State]:
    """The states after which that operation has happened: it at last, and before it as many others as one likes."""
    reached, after = _Thrifty(states), _Thrifty()
    while (state := reached.next()) is not None:
        if number in state.done:
            after.add(state._replace(done=state.done - {number}))
            continue
        if operations[number].left is SAME and _fits(operations[number], state.value):
            after.add(state)  # what would happen before a read may as well happen after it
            continue
        alike = set[tuple[object, object]]()
        for other in under_way:
            operation = operations[other]
            if other in state.done or other in state.spent or not _fits(operation, state.value):
                continue
            if not operation.certain:
                # Of uncertain ones that do the same, the first is as good as any.
                if operation[2:4] in alike:
                    continue
                alike.add(operation[2:4])
            reached.add(_after(operation, other, state))
    return after.states


def _fits(operation: Operation, value: Value) -> bool:
    return operation.found is ANY or operation.found == value


def _after(operation: Operation, number: int, state: State) -> State:
    value = state.value if isinstance(operation.left, Marker) else operation.left
    if operation.certain:
        return State(value, state.done | {number}, state.spent)
    return State(value, state.done, state.spent | {number})


class _Thrifty:
    """States, without those that spent all that another one did for the same, and more: they can go nowhere it cannot."""

    def __init__(self, states: Iterable[State] = ()) -> None:
        self.states = set[State]()
        self._spent: dict[tuple[Value, frozenset[int]], list[frozenset[int]]] = {}
        self._waiting: list[tuple[int, int, State]] = []
        for state in sorted(states, key=lambda state: len(state.spent)):
            self.add(state)

    def add(self, state: State) -> None:
        cheaper = self._spent.setdefault(state[:2], [])
        if not any(spent <= state.spent for spent in cheaper):
            cheaper.append(state.spent)
            self.states.add(state)
            heapq.heappush(self._waiting, (len(state.spent), len(self.states), state))

    def next(self) -> State | None:
        """One that was not asked for yet, of those that spent least; None when there is no more."""
        return heapq.heappop(self._waiting)[2] if self._waiting else None
