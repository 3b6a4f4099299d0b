"""The work for an input grows no faster than the input: every kind of file, every reader of data. The soak has larger
ones, and what only takes time: ``make soak-hostile``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from migrate02.datadir.commands04 import FIELDS
from migrate02.formats.registry import AMONG_OTHER_THINGS, SETTINGS_ALONE
from tests.migrate02 import hostile, hostile_data, work
from tests.migrate02.hostile import Case

SIZES = (24, 48, 96)


def test_every_format_has_inputs_that_grow() -> None:
    names = {format.name for format in (*SETTINGS_ALONE, *AMONG_OTHER_THINGS)}
    assert set(hostile.REPEATED) == set(hostile.SAMPLES) == {*names, "shell, no first line"}


def test_every_command_of_a_log_is_among_the_data_that_grow(tmp_path: Path) -> None:
    found = b""
    for make in hostile_data.INSPECTED.values():
        (tmp_path / "log").unlink(missing_ok=True)
        make(tmp_path, 1)
        found += (tmp_path / "log").read_bytes()
    assert [name for name in FIELDS if name.encode() not in found] == []


@pytest.mark.parametrize("case", list(hostile.cases()), ids=str)
def test_what_is_repeated_in_a_file_is_linear(case: Case) -> None:
    with work.limited(60), work.as_if_large(product=case.what in hostile.PRODUCTS):
        measures = [work.of_text(case.text, size, work.lines_for) for size in SIZES]
    assert work.growth(measures) < work.MOST


@pytest.mark.parametrize("what", hostile_data.INSPECTED)
def test_a_data_directory_is_read_in_proportion_to_it(what: str) -> None:
    make = hostile_data.INSPECTED[what]
    measures = [work.of_data(make, hostile_data.inspected, size, work.lines_for) for size in SIZES]
    assert work.growth(measures) < work.MOST


@pytest.mark.parametrize("what", hostile_data.EXPORTED)
def test_an_export_is_read_in_proportion_to_it(what: str) -> None:
    make = hostile_data.EXPORTED[what]
    measures = [work.of_data(make, hostile_data.exported, size, work.lines_for) for size in SIZES]
    assert work.growth(measures) < work.MOST


@pytest.mark.parametrize("kind", hostile.SAMPLES)
def test_nothing_repeated_forty_times_is_more_than_a_moment(kind: str) -> None:
    """What grows by the power of two, as a regular expression can, would take days. Another tenth is tried each time."""
    cases = [case for case in hostile.pumped() if case.kind == kind]
    for case in random.sample(cases, len(cases) // 10):
        with work.limited(20):
            work.convert(case.text(40))


@pytest.mark.parametrize("repeated", ["ExecStart=", "command=", "exec ", "A=b "])
def test_the_line_of_a_start_is_found_in_one_pass(repeated: str) -> None:
    """What looks at a line again from each of its words took a minute for these."""
    text = f'["etcd", "-addr", "10.0.0.9:4001", "-name", "a\n{repeated * (200_000 // len(repeated))}"]\n'
    with work.limited(20):
        work.convert(text)
