"""A bare command line."""

from __future__ import annotations

import pytest

from migrate02.formats.command import read_line, read_words, split
from migrate02.formats.document import UnusableInput
from tests.migrate02.formats.readers import converted, document, given, read

WORDS = [
    ("etcd -name m1", ["etcd", "-name", "m1"]),
    ("etcd '-name' \"m 1\"", ["etcd", "-name", "m 1"]),
    (r"etcd -name m\ 1", ["etcd", "-name", "m 1"]),
    (r'etcd -name "m \"1\""', ["etcd", "-name", 'm "1"']),
    ("etcd -name $(hostname -s)", ["etcd", "-name", "$(hostname -s)"]),
    ("etcd -name m1 # mine", ["etcd", "-name", "m1"]),
    ("etcd -name m1 > /var/log/etcd 2>&1 &", ["etcd", "-name", "m1"]),
]


@pytest.mark.parametrize(("code", "words"), WORDS)
def test_words_are_told_apart_as_a_shell_does(code: str, words: list[str]) -> None:
    assert [word.text for word in split(code).words] == words


def test_settings_are_given_over_several_lines() -> None:
    text = "# a member\nexec /usr/bin/etcd -name m1 \\\n  -addr 10.0.0.9:4001\n"
    assert [(name, value) for name, value, _ in given("command", text)] == [
        ("name", "m1"),
        ("addr", "10.0.0.9:4001"),
    ]


def test_variables_before_the_program_are_settings_too() -> None:
    assert [item.name for item in read_line("ETCD_CORS=x GOMAXPROCS=2 etcd -name m1").given] == [
        "cors",
        "name",
    ]


def test_the_words_of_an_argument_list_are_read_as_they_are() -> None:
    assert [item.value for item in read_words(["etcd", "-name", "m 1"]).given] == ["m 1"]


def test_what_only_a_shell_reads_is_kept_behind() -> None:
    assert document("command", "etcd -name m1 > log &\n").tail == ("> log &",)


def test_words_that_may_be_flags_are_reported_and_kept() -> None:
    found = document("command", "etcd -name m1 $MORE\n")
    assert [finding.code for finding in found.findings] == ["flags-elsewhere"]
    assert found.tail == ("$MORE",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("etcd -name 'm1\n", "quote"),
        ("consul -name m1\n", "not of etcd"),
        ("etcd -name m1\netcd -name m2\n", "more than one command"),
    ],
)
def test_what_is_not_etcds_command_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnusableInput, match=why):
        read("command", text)


def test_the_program_and_its_comments_stay() -> None:
    text = converted("# a member\nexec /usr/bin/etcd -name m1 -addr 10.0.0.9:4001\n")
    assert text.startswith("# a member\nexec /usr/bin/etcd ")
    assert "--advertise-client-urls http://10.0.0.9:4001" in text.replace("=", " ")
