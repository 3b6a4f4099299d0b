"""The checker of linearizability knows right histories from wrong ones."""

import itertools
from random import Random

import pytest

from tests.linearizability.checker import ANY, NEVER, SAME, Marker, Operation, Value, check


def read(invoked: float, returned: float, found: Value) -> Operation:
    return Operation(invoked, returned, found)


def write(invoked: float, returned: float, value: Value) -> Operation:
    return Operation(invoked, returned, ANY, value)


def swap(invoked: float, returned: float, old: Value, new: Value) -> Operation:
    return Operation(invoked, returned, old, new)


LINEARIZABLE = {
    "nothing at all": [],
    "a read before any write": [read(0, 1, None)],
    "one after the other": [write(0, 1, "a"), read(2, 3, "a"), write(4, 5, "b"), read(6, 7, "b")],
    "a read beside a write finds the old": [write(0, 1, "a"), write(2, 5, "b"), read(3, 4, "a")],
    "a read beside a write finds the new": [write(0, 1, "a"), write(2, 5, "b"), read(3, 4, "b")],
    "two reads beside a write, the old first": [write(0, 9, "a"), read(1, 2, None), read(3, 4, "a")],
    "concurrent writes in either order": [write(0, 9, "a"), write(0, 9, "b"), read(10, 11, "a")],
    "times that touch are concurrent": [write(0, 1, "a"), read(1, 2, None)],
    "a swap of what is there": [write(0, 1, "a"), swap(2, 3, "a", "b"), read(4, 5, "b")],
    "a swap needs the write beside it": [swap(0, 9, "a", "b"), write(1, 8, "a"), read(10, 11, "b")],
    "deleted": [write(0, 1, "a"), write(2, 3, None), read(4, 5, None)],
    "an unanswered write that happened": [write(0, NEVER, "a"), read(1, 2, "a")],
    "an unanswered write that did not": [write(0, NEVER, "a"), read(1, 2, None), read(9, 10, None)],
    "an unanswered write that happened late": [
        write(0, NEVER, "a"),
        write(1, 2, "b"),
        read(3, 4, "b"),
        read(5, 6, "a"),
    ],
    "an unanswered swap that happened": [write(0, 1, "a"), swap(2, NEVER, "a", "b"), read(3, 4, "b")],
    "an unanswered write of what another wrote": [
        write(0, 1, "a"),
        write(2, 3, "b"),
        write(4, NEVER, "a"),
        read(5, 6, "a"),
    ],
    "values that writes replaced, as answered": [
        Operation(0, 9, None, "a"),
        Operation(0, 9, "a", "b"),
        Operation(0, 9, "b", "c"),
        read(10, 11, "c"),
    ],
}

NOT_LINEARIZABLE = {
    "a value nobody wrote": [write(0, 1, "a"), read(2, 3, "b")],
    "a stale read": [write(0, 1, "a"), write(2, 3, "b"), read(4, 5, "a")],
    "a lost write": [write(0, 1, "a"), read(2, 3, None)],
    "a read before the write began": [read(0, 1, "a"), write(2, 3, "a")],
    "two reads see a write come and go": [write(0, 9, "a"), read(1, 2, "a"), read(3, 4, None)],
    "two readers see two writes in different orders": [
        write(0, 9, "a"),
        write(0, 9, "b"),
        read(10, 11, "a"),
        read(12, 13, "b"),
    ],
    "two swaps of one value": [
        write(0, 1, "a"),
        swap(2, 9, "a", "b"),
        swap(2, 9, "a", "c"),
        read(10, 11, "b"),
    ],
    "a swap of what was not there": [write(0, 1, "a"), swap(2, 3, "b", "c")],
    "a deleted value": [write(0, 1, "a"), write(2, 3, None), read(4, 5, "a")],
    "an unanswered write that came and went": [
        write(0, 1, "a"),
        write(2, NEVER, "b"),
        read(3, 4, "b"),
        read(5, 6, "a"),
    ],
    "an unanswered write that happened twice": [
        write(0, 1, "a"),
        write(2, NEVER, "b"),
        read(3, 4, "b"),
        write(5, 6, "c"),
        read(7, 8, "b"),
    ],
    "an unanswered write before it began": [read(0, 1, "a"), write(2, NEVER, "a")],
    "an unanswered swap of what was not there": [
        write(0, 1, "a"),
        swap(2, NEVER, "b", "c"),
        read(3, 4, "c"),
    ],
    "two writes replaced the same value": [
        write(0, 1, "a"),
        Operation(2, 9, "a", "b"),
        Operation(2, 9, "a", "c"),
    ],
}


@pytest.mark.parametrize("history", LINEARIZABLE.values(), ids=LINEARIZABLE)
def test_right_histories_pass(history: list[Operation]) -> None:
    for order in (history, history[::-1]):
        assert check(order) is None


@pytest.mark.parametrize("history", NOT_LINEARIZABLE.values(), ids=NOT_LINEARIZABLE)
def test_wrong_histories_do_not(history: list[Operation]) -> None:
    for order in (history, history[::-1]):
        assert check(order) is not None


def test_the_first_value_is_what_the_caller_says() -> None:
    assert check([read(0, 1, "old")], "old") is None
    assert check([read(0, 1, None)], "old") is not None


def test_a_violation_names_the_operation_and_what_there_was() -> None:
    late = Operation(4, 5, "a", SAME, "client 3 at m2")
    violation = check([write(0, 1, "a"), write(2, 3, "b"), late, write(4.5, 6, "c"), read(7, 8, "c")])
    assert violation is not None
    assert violation.operation is late
    assert str(violation) == (
        "not linearizable: operation 3 to return cannot have happened:\n"
        "  [4.000000, 5.000000] found 'a', left SAME client 3 at m2\n"
        "the value can have been 'b'; under way were\n"
        "  [4.500000, 6.000000] found ANY, left 'c' "
    )


# Random histories


def recorded(random: Random, size: int, clients: int = 5, unanswered: float = 0.05) -> list[Operation]:
    """What clients of a real register would record: each operation takes effect at a moment between its two times.

    Some get no answer; half of those have no effect, the other half has it at any later time. The client goes on.
    """
    free = [0.0] * clients
    planned = []
    for number in range(size):
        client = random.randrange(clients)
        invoked = free[client] + random.random()
        returned = invoked + random.expovariate(1.0)
        free[client] = returned
        answered = random.random() >= unanswered
        moment = random.uniform(invoked, returned if answered else returned + 20)
        planned.append((moment, invoked, returned if answered else NEVER, number))
    value: Value = None
    history = []
    for _, invoked, returned, number in sorted(planned):
        new = f"v{number}"
        found: Value | Marker
        left: Value | Marker
        match random.choice(["read", "write", "write, answered with the old", "swap", "delete"]):
            case "read":
                found, left = value, SAME
            case "write":
                found, left = ANY, new
            case "write, answered with the old":
                found, left = value, new
            case "delete":
                found, left = value, None
            case _:
                expected = value if random.random() < 0.7 else "something else"
                found, left = (value, new) if expected == value else (value, SAME)
        if returned == NEVER:
            found = found if left not in (SAME, None) and random.random() < 0.5 else ANY
            if random.random() < 0.5:
                history.append(Operation(invoked, NEVER, found, left))
                continue
        history.append(Operation(invoked, returned, found, left))
        value = value if isinstance(left, Marker) else left
    random.shuffle(history)
    return history


@pytest.mark.parametrize("seed", range(200))
def test_what_a_real_register_answered_passes(seed: int) -> None:
    random = Random(seed)
    assert check(recorded(random, random.choice([10, 100, 300]))) is None


def with_a_value_nobody_wrote(random: Random, history: list[Operation]) -> list[Operation]:
    number = random.choice([n for n, one in enumerate(history) if one.certain and one.found is not ANY])
    return [one._replace(found="nobody's") if n == number else one for n, one in enumerate(history)]


def with_a_stale_read(random: Random, history: list[Operation]) -> list[Operation]:
    """A read at the very end of a value that is known to have been replaced by then."""
    end = max(one.returned for one in history if one.certain)
    last = Operation(end + 1, end + 2, ANY, "last")
    replaced = random.choice([one.left for one in history if one.certain and isinstance(one.left, str)])
    return [*history, last, Operation(end + 3, end + 4, replaced)]


def without_a_write_that_was_seen(random: Random, history: list[Operation]) -> list[Operation]:
    seen = {one.found for one in history if one.certain}
    number = random.choice(
        [n for n, one in enumerate(history) if isinstance(one.left, str) and one.left in seen]
    )
    return history[:number] + history[number + 1 :]


def with_a_read_before_its_write(random: Random, history: list[Operation]) -> list[Operation]:
    start = min(one.invoked for one in history)
    written = random.choice([one.left for one in history if isinstance(one.left, str)])
    return [*history, Operation(start - 2, start - 1, written)]


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize(
    "spoil",
    [
        with_a_value_nobody_wrote,
        with_a_stale_read,
        without_a_write_that_was_seen,
        with_a_read_before_its_write,
    ],
)
def test_a_spoilt_one_does_not(seed: int, spoil: object) -> None:
    random = Random(seed)
    history = recorded(random, 100)
    assert check(history) is None
    assert check(spoil(random, history)) is not None  # type: ignore[operator]


def by_trying_all_orders(history: list[Operation]) -> bool:
    """Slow, and so simple that one can see it is right."""
    certain = [one for one in history if one.certain]
    uncertain = [one for one in history if not one.certain]
    for count in range(len(uncertain) + 1):
        for happened in itertools.combinations(uncertain, count):
            for order in itertools.permutations([*certain, *happened]):
                if _in_time(order) and _fits(order):
                    return True
    return False


def _in_time(order: tuple[Operation, ...]) -> bool:
    return not any(later.returned < earlier.invoked for earlier, later in itertools.combinations(order, 2))


def _fits(order: tuple[Operation, ...]) -> bool:
    value: Value = None
    for one in order:
        if one.found is not ANY and one.found != value:
            return False
        value = value if isinstance(one.left, Marker) else one.left
    return True


def test_its_verdicts_are_those_of_trying_all_orders() -> None:
    random, verdicts = Random(2), []
    for _ in range(3000):
        history = []
        for _ in range(random.randint(1, 5)):
            invoked = random.randint(0, 10)
            returned = NEVER if random.random() < 0.25 else invoked + random.randint(0, 6)
            found = random.choice([ANY, None, "a", "b"])
            history.append(Operation(invoked, returned, found, random.choice([SAME, None, "a", "b"])))
        verdict = by_trying_all_orders(history)
        assert (check(history) is None) is verdict, history
        verdicts.append(verdict)
    assert 500 < sum(verdicts) < 2500


def test_a_long_history_takes_no_long_time() -> None:
    """Nor, then, with many deletions of which nobody knows whether they happened."""
    history = recorded(Random(7), 5_000, clients=8, unanswered=0.02)
    assert check(history) is None
    assert check(with_a_stale_read(Random(7), history)) is not None
