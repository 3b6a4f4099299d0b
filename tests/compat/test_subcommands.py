"""Command lines of what ``etcd02`` has beside the server."""

import pytest

from compat.subcommands import BAD_FLAG, REFUSED, Subcommand

COMMAND = Subcommand(
    "do it", "usage: etcd02 do it\n\n", {"to": ("WHERE", "the place"), "by": ("", "the way")}
)


@pytest.mark.parametrize("args", [["--to", "x", "-by=y"], ["--to=x", "--by", "y"]])
def test_values_are_read_by_name(args: list[str]) -> None:
    assert COMMAND.read(args) == {"to": "x", "by": "y"}
    assert COMMAND.read([]) == {}


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_lists_the_flags(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMAND.read([word]) == 0
    out = "usage: etcd02 do it\n\n  --to WHERE\n      the place\n  --by\n      the way\n"
    assert capsys.readouterr() == (out, "")


@pytest.mark.parametrize(
    ("args", "status", "why"),
    [
        (["--from", "x"], BAD_FLAG, "etcd02 do it: flag provided but not defined: -from\n"),
        (["x"], REFUSED, "etcd02 do it: 'x' is not a valid flag; see etcd02 do it --help\n"),
        (["\x1b"], REFUSED, "etcd02 do it: '\\x1b' is not a valid flag; see etcd02 do it --help\n"),
    ],
)
def test_what_makes_no_sense_ends_with_a_reason(
    args: list[str], status: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMAND.read(args) == status
    assert capsys.readouterr() == ("", why)
