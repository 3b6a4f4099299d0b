"""0.4's own file."""

from __future__ import annotations

import pytest

from migrate02.formats.document import NothingToConvert, UnusableInput
from tests.migrate02.formats.readers import converted, document, given, read

TEXT = """\
# a member
name = "m1"
addr = "10.0.0.9:4001" # for clients
peers = [ # all
  "10.0.0.8:7001",
]

[peer] # the others
addr = "10.0.0.9:7001"
"""


def test_settings_are_given_with_their_lines() -> None:
    assert given("toml", TEXT) == [
        ("name", "m1", 2),
        ("addr", "10.0.0.9:4001", 3),
        ("peers", "10.0.0.8:7001", 4),
        ("peer-addr", "10.0.0.9:7001", 9),
    ]


def test_it_is_04s_whatever_is_set_in_it() -> None:
    assert document("toml", 'name = "m1"\n').whole


def test_comments_stay_with_what_they_are_about() -> None:
    comments = {piece.keys: piece.comments for piece in document("toml", TEXT).pieces if piece.comments}
    assert comments == {("addr",): ("# for clients",), ("peers",): ("# all",), (): ("# the others",)}


def test_it_becomes_an_environment_file() -> None:
    lines = converted('name = "m1" # mine\n').splitlines()
    assert "# mine" in lines
    assert "ETCD_NAME=m1" in [line.replace('"', "") for line in lines]


@pytest.mark.parametrize(
    ("text", "line"), [('name = "m1\n', 1), ('name = "a"\nname = "b"\n', 2), ("a = \n", 1)]
)
def test_what_is_broken_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnusableInput, match="broken TOML") as refusal:
        read("toml", text)
    assert refusal.value.line == line


def test_a_file_of_others_has_nothing() -> None:
    with pytest.raises(NothingToConvert):
        read("toml", 'colour = "red"\n')
