"""The table of the commands: each is found, has its help, and refuses what it does not know in one line."""

from __future__ import annotations

from importlib import import_module

import pytest

from compat import __version__
from migrate02.cli.exits import DONE, REFUSED
from migrate02.cli.main import COMMANDS
from tests.migrate02.running import migrate02

WORDS = [
    *([name] for name in COMMANDS),
    *([name, word] for name, command in COMMANDS.items() for word in command.below),
]


@pytest.mark.parametrize("argv", [[], ["convrt"], ["--bogus"], [""]])
def test_an_unknown_command_is_told_in_one_line(argv: list[str]) -> None:
    run = migrate02(*argv)
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)


@pytest.mark.parametrize(
    "argv", [["--help"], ["-h"], ["convert", "--help"], ["convert", "x", "-h"], ["explain", "-h"]]
)
def test_help(argv: list[str]) -> None:
    run = migrate02(*argv)
    assert (run.status, run.err) == (DONE, "")
    assert run.out.startswith("usage: migrate02")


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_command_has_its_help(words: list[str]) -> None:
    run = migrate02(*words, "--help")
    assert (run.status, run.err) == (DONE, "")
    assert run.out.startswith(f"usage: migrate02 {' '.join(words)} ")
    assert max(map(len, run.out.splitlines())) <= 120


@pytest.mark.parametrize("words", [words for words in WORDS if words != ["explain"]], ids=" ".join)
def test_an_unknown_option_is_refused_in_one_line_that_names_the_help(words: list[str]) -> None:
    run = migrate02(*words, "--bogus")
    assert (run.status, run.out, len(run.err.splitlines())) == (REFUSED, "", 1)
    name = " ".join(words)
    assert run.err.startswith(f"migrate02 {name}: ")
    assert run.err.endswith(f"(see migrate02 {name} --help)\n")


def test_the_help_lists_every_command_with_what_it_does() -> None:
    lines = [line.split(maxsplit=1) for line in migrate02("--help").out.splitlines()]
    assert all([name, command.summary] in lines for name, command in COMMANDS.items())


def test_every_module_of_a_command_has_what_the_parser_asks_it_for() -> None:
    commands = [*COMMANDS.values(), *(one for command in COMMANDS.values() for one in command.below.values())]
    for command in commands:
        if command.module:
            module = import_module(f"migrate02.cli.{command.module}")
            assert callable(module.add_arguments)
            assert callable(module.run)
        else:
            assert command.below


def test_version() -> None:
    assert migrate02("--version") == (DONE, f"migrate02 {__version__}\n", "")
