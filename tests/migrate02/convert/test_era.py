"""Whose configuration it is: told once, the same way by the translation and by the converter."""

from __future__ import annotations

from migrate02.convert.conversion import Options
from migrate02.convert.deployment import convert_text
from migrate02.convert.inputs import convert_words


def codes(words: list[str]) -> list[str]:
    return [finding.code for finding in convert_words(words, Options()).findings]


def test_a_deprecated_short_name_marks_a_line_as_04s_and_leaves_nothing_unclear() -> None:
    assert "era-unclear" not in codes(["etcd", "-n", "x", "-d", "y"])


def test_names_that_both_eras_have_are_unclear() -> None:
    assert "era-unclear" in codes(["etcd", "-name", "x", "-data-dir", "y"])


def test_an_unclear_text_is_left_as_it_is() -> None:
    text = "ETCD_NAME=x\nETCD_DATA_DIR=y\n"
    assert convert_text(text, "etcd.env", Options()).text == text
