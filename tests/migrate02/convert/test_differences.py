"""Which lines differ, found quickly whatever the texts are."""

from __future__ import annotations

from difflib import unified_diff

from hypothesis import given
from hypothesis import strategies as st

from migrate02.convert.differences import opcodes, unified
from tests.migrate02.work import limited

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=30)


@given(lines, lines)
def test_the_one_becomes_the_other(old: list[str], new: list[str]) -> None:
    made: list[str] = []
    at = 0
    for tag, i1, i2, j1, j2 in opcodes(old, new):
        assert (i1, len(made)) == (at, j1)
        assert (tag == "equal") == (old[i1:i2] == new[j1:j2])
        assert (tag == "insert") == (i1 == i2)
        assert (tag == "delete") == (j1 == j2)
        made += new[j1:j2]
        at = i2
    assert (at, made) == (len(old), new)


@given(st.lists(st.integers(0, 300), unique=True), st.sets(st.integers(0, 300)))
def test_a_diff_is_difflibs_where_lines_only_go(numbers: list[int], gone: set[int]) -> None:
    old = [f"{number}\n" for number in numbers]
    new = [f"{number}\n" for number in numbers if number not in gone]
    assert list(unified(old, new, "a", "b")) == list(unified_diff(old, new, "a", "b"))


def test_many_lines_that_are_the_same_take_no_time() -> None:
    old = ["same\n"] * 20_000
    with limited(20):
        for new in (
            ["same\n", "other\n"] * 10_000,
            ["other\n"] * 20_000,
            old[1:],
            [f"{at}\n" for at in range(20_000)],
        ):
            assert opcodes(old, new)


def test_lines_that_both_have_once_are_kept_apart_from_what_changes_around_them() -> None:
    old = [line for at in range(2000) for line in (f"{at}\n", "same\n")]
    new = [line for at in range(2000) for line in (f"{at}\n", "other\n")]
    equal = sum(i2 - i1 for tag, i1, i2, _, _ in opcodes(old, new) if tag == "equal")
    assert equal == 2000
