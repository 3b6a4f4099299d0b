"""Whose configuration it is: decided once, the same way by the translation and by the converter."""

from __future__ import annotations

import pytest

from compat.settings import FLAG, Given, Origin
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import convert_text
from migrate02.convert.era import era_of_setup
from migrate02.convert.inputs import convert_words
from migrate02.formats.reading import Setup


def codes(words: list[str]) -> list[str]:
    return [finding.code for finding in convert_words(words, Options()).findings]


def test_a_deprecated_short_name_marks_a_line_as_04s_and_leaves_nothing_unclear() -> None:
    assert "era-unclear" not in codes(["etcd", "-n", "x", "-d", "y"])


def test_names_that_both_eras_have_are_unclear() -> None:
    assert "era-unclear" in codes(["etcd", "-name", "x", "-data-dir", "y"])


def test_an_unclear_text_is_left_as_it_is() -> None:
    text = "ETCD_NAME=x\nETCD_DATA_DIR=y\n"
    assert convert_text(text, "etcd.env", Options()).text == text


def given(*names: str) -> dict[str, Given]:
    return {name: Given(name, "x", Origin(FLAG, f"-{name}")) for name in names}


SETUPS = {
    "what was asked for": ("2.x", "0.4", True, given("addr"), "2.x"),
    "what stands around": ("", "0.4", False, given("name"), "0.4"),
    "what stands around, but for 2.x's names": ("", "0.4", False, given("listen-peer-urls"), "2.x"),
    "0.4's own file": ("", "", True, given("name"), "0.4"),
    "0.4's own file, but for 2.x's names": ("", "", True, given("name", "listen-peer-urls"), "2.x"),
    "the names": ("", "", False, given("addr"), "0.4"),
    "names that both have": ("", "", False, given("name"), "2.x"),
}


@pytest.mark.parametrize("decides", SETUPS)
def test_the_era_of_a_setup_is_decided_by_the_first_that_knows_it(decides: str) -> None:
    asked, around, has_04_file, settings, era = SETUPS[decides]
    setup = Setup(1, [], [], [], era=around)
    assert era_of_setup(setup, settings, Options(era=asked), has_04_file=has_04_file) == era
