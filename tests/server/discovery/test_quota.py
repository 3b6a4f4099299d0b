"""How many tokens are made, whatever the order in which they are asked for; the time is passed in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.discovery.quota import Living, Rate, who_asks

asked = st.lists(st.tuples(st.floats(0, 2000), st.sampled_from("abc")), max_size=60)


@given(asked, st.integers(1, 20))
def test_nobody_has_more_than_so_many_at_once_and_then_one_by_one(
    gaps: list[tuple[float, str]], per_hour: int
) -> None:
    rate = Rate(per_hour)
    now = 0.0
    taken: dict[str, list[float]] = {}
    for gap, who in gaps:
        now += gap
        wait = rate.take(who, now)
        assert wait >= 0
        if not wait:
            taken.setdefault(who, []).append(now)
    for times in taken.values():
        for first in range(len(times)):
            for last in range(first, len(times)):
                span = times[last] - times[first]
                assert last - first + 1 <= per_hour + span * per_hour / 3600 + 1e-3


@given(asked, st.integers(1, 20))
def test_who_waits_as_long_as_said_has_one_and_not_much_sooner(
    gaps: list[tuple[float, str]], per_hour: int
) -> None:
    rate = Rate(per_hour)
    now = 0.0
    for gap, who in gaps:
        now += gap
        if wait := rate.take(who, now):
            assert rate.take(who, now + wait * 0.5)
            now += wait
            assert rate.take(who, now) == 0.0


def test_what_one_has_taken_is_nothing_to_another() -> None:
    rate = Rate(1)
    assert rate.take("a", 0.0) == 0.0
    assert rate.take("a", 0.0) == 3600.0
    assert rate.take("b", 0.0) == 0.0


def test_only_so_many_addresses_are_remembered() -> None:
    rate = Rate(5, most_addresses=100)
    for n in range(10_000):
        rate.take(str(n), n * 0.01)
        assert rate.addresses <= 100


def test_no_limit() -> None:
    rate, living = Rate(0), Living(0)
    for _ in range(1000):
        living.add(float("inf"))
        assert rate.take("a", 0.0) == living.wait(0.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(1, 1000)), max_size=60), st.integers(1, 8))
def test_no_more_live_than_may(gaps: list[tuple[int, int]], most: int) -> None:
    living = Living(most)
    now = 0.0
    ends: list[float] = []
    for gap, life in gaps:
        now += gap
        if wait := living.wait(now):
            now += wait
            assert living.wait(now) == 0.0
        living.add(now + life)
        ends.append(now + life)
        assert sum(end > now for end in ends) <= most


def test_one_that_was_not_made_leaves_its_room() -> None:
    living = Living(1)
    living.add(100.0)
    assert living.wait(0.0) == 100.0
    living.remove(100.0)
    assert living.wait(0.0) == 0.0
    living.know([float("inf")])
    assert living.wait(0.0) == 3600.0


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_an_address_counts_as(address: str, counts_as: str) -> None:
    assert who_asks(address) == counts_as
