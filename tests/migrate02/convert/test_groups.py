"""Whatever is joined, in whatever order, has one leader, and nothing else has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrate02.convert.groups import Groups

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)


@given(PAIRS)
def test_keys_have_one_leader_exactly_when_pairs_lead_from_one_to_the_other(
    pairs: list[tuple[int, int]],
) -> None:
    groups = Groups[int]()
    together = {key: {key} for key in range(10)}
    for pair in pairs:
        groups.join(pair)
        union = together[pair[0]] | together[pair[1]]
        together |= dict.fromkeys(union, union)
    for key in range(10):
        assert {other for other in range(10) if groups.leader(other) == groups.leader(key)} == together[key]
