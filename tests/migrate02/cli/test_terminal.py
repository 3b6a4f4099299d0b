"""Lines are folded to a terminal's width, and nothing of them is lost."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate02.cli.terminal import NARROWEST, coloured, columns, folded

LINE = (
    "review[peers] fleet/node01/etcd.service:5: some words of a finding that go on for a while -> What to do."
)


def test_what_is_to_be_done_stands_in_a_line_of_its_own() -> None:
    assert folded(LINE, 60) == (
        "review[peers] fleet/node01/etcd.service:5: some words of a\n"
        "  finding that go on for a while\n"
        "  -> What to do."
    )
    assert folded(LINE, 200) == LINE


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1)),
    st.integers(1, 90),
)
def test_no_word_is_lost_or_broken(words: list[str], width: int) -> None:
    line = " ".join(words)
    assert folded(line, width).split() == line.split()
    if width >= NARROWEST:
        assert all(len(part) <= width or len(part.split()) == 1 for part in folded(line, width).split("\n"))


def test_columns_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "123")
    assert columns(io.StringIO()) == 123
    monkeypatch.setenv("COLUMNS", "wide")
    assert columns(io.StringIO()) == 80


def test_only_the_severity_of_a_finding_is_coloured() -> None:
    assert coloured("error[x] y") == "\x1b[1;31merror\x1b[0m[x] y"
    for line in ("12 files: error[x] y", "an error[x] y"):
        assert coloured(line) == line
