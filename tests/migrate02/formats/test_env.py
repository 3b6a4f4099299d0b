"""Environment files."""

from __future__ import annotations

import pytest

from migrate02.formats.document import UnusableInput
from migrate02.formats.env import parse_value
from tests.migrate02.formats.readers import converted, document, given, read

VALUES = [
    ("m1", "m1"),
    ("m1 # mine", "m1"),
    ("a b", "a b"),  # as systemd has it
    ('"a b" # mine', "a b"),
    ("'a b'", "a b"),
    ("a'b'\"c\"", "abc"),
    (r"a\ b", "a b"),
    (r'"\"a\""', '"a"'),
    ("", ""),
    ("a#b", "a#b"),
    ("a; export ETCD_NAME", "a"),
]


@pytest.mark.parametrize(("raw", "value"), VALUES)
def test_a_value_is_what_a_shell_or_systemd_makes_of_it(raw: str, value: str) -> None:
    assert parse_value(raw).text == value


@pytest.mark.parametrize("raw", ['"a', "'a", '"a" b'])
def test_a_quote_that_is_left_open_is_refused_with_its_line(raw: str) -> None:
    with pytest.raises(UnusableInput) as refusal:
        read("env", f"# one\nETCD_NAME={raw}\n")
    assert refusal.value.line == 2


def test_settings_are_given_with_their_lines() -> None:
    text = "# one\nexport ETCD_NAME=m1\nGOMAXPROCS=2\nETCD_ADDR=10.0.0.9:\\\n4001\n"
    assert given("env", text) == [("name", "m1", 2), ("addr", "10.0.0.9:4001", 4)]


def test_flags_in_a_variable_are_reported() -> None:
    found = document("env", 'OPTS="-peer-addr 10.0.0.9:7001"\n')
    assert [finding.code for finding in found.findings] == ["flags-elsewhere"]


def test_what_is_about_others_stays() -> None:
    text = "# other\nGOMAXPROCS=2\n\nexport PATH\n"
    assert converted(text) == text


def test_lines_keep_how_they_were_written() -> None:
    text = "export ETCD_NAME='m 1' # mine\nETCD_SNAPSHOTCOUNT=20000\n"
    assert "export ETCD_NAME='m 1' # mine\n" in converted(text)
