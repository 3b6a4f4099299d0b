"""One argparse parser for all commands. It imports the module of a command when that command is asked for.

The module of a command has:

* ``add_arguments(parser)``: its usage, description, options and epilog;
* ``run(args)``: does it and returns the exit status; raises Misuse for options that do not go together;
* ``REFUSALS``, the other exceptions of ``run`` whose message is what there is to say, if there are any;
* ``split(words)``, if argparse is not to see all of its words: those that it sees, and those for ``args.words``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

TYPE_CHECKING = False  # as typing's own, which costs more than all else that --version needs
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn


class Misuse(Exception):
    """The command line cannot be used; the message is one line. ``prog`` is the command, if it does not run yet."""

    def __init__(self, message: str, prog: str = "") -> None:
        super().__init__(message)
        self.prog = prog


class Subcommand:
    """What a command does, in one line; its module in ``migrate02.cli``, if any; and the commands below it."""

    def __init__(self, summary: str, module: str = "", below: Mapping[str, Subcommand] | None = None) -> None:
        self.summary = summary
        self.module = module
        self.below = below or {}


class Parser(argparse.ArgumentParser):
    """The parser of one command. It raises Misuse instead of ending the program."""

    def __init__(self, prog: str, command: Subcommand, **more: Any) -> None:
        super().__init__(prog=prog, formatter_class=_Formatter, allow_abbrev=False, **more)
        self._command = command

    def parse_known_args(  # type: ignore[override]  # typeshed has an overload for each kind of namespace
        self, args: Sequence[str], namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Takes every word: files may stand between options, which argparse by itself takes from one place alone."""
        words, taken = list(args), None
        self._refuse_misspelt_command(words)
        if (words and words[0] in self._command.below) or not self._command.module:
            self._add_commands()
        else:
            module = self._add_arguments()
            if hasattr(module, "split"):
                words, taken = module.split(words)
        found, rest = super().parse_known_args(words, namespace)
        if rest and (not hasattr(found, "inputs") or any(map(_is_option, rest))):
            odd = next(filter(_is_option, rest), "").partition("=")[0]
            hint = _hint(odd, filter(_is_long, self._option_string_actions)) if _is_long(odd) else ""
            self.error(f"unrecognized arguments: {' '.join(rest)}{hint}")
        if rest:
            found.inputs += rest
        if taken is not None:
            found.words = taken
        return found, []

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            raise argparse.ArgumentError(
                action, f"{error.message}{_hint(str(value), map(str, action.choices or ()))}"
            ) from None

    def _refuse_misspelt_command(self, words: Sequence[str]) -> None:
        """Where a file or a directory may stand, too, nobody else would say so."""
        below = self._command.below
        if not self._command.module or not words or words[0] in below or os.path.lexists(words[0]):
            return
        if hint := _hint(words[0], below):
            self.error(f"there is no {words[0]}, neither a command nor a file{hint}")

    def _add_arguments(self) -> ModuleType:
        """Those of the command itself; returns its module."""
        module = import_module(f"migrate02.cli.{self._command.module}")
        module.add_arguments(self)
        self.set_defaults(prog=self.prog, run=module.run, refusals=getattr(module, "REFUSALS", ()))
        if self._command.below:
            self.epilog = f"{_listing(self._command.below)}\n\n{self.epilog}"
        return module

    def _add_commands(self) -> None:
        below, summary = self._command.below, self._command.summary
        self.usage = "%(prog)s COMMAND ..."
        self.description = f"{summary[:1].upper()}{summary[1:]}.\n\n{_listing(below)}"
        self.epilog = "For more: %(prog)s COMMAND --help"
        parsers = self.add_subparsers(
            metavar="COMMAND", required=True, help=argparse.SUPPRESS, prog=self.prog, parser_class=Parser
        )
        for name, command in below.items():
            parsers.add_parser(name, command=command)

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message} (see {self.prog} --help)", self.prog)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Has a fixed width: argparse would import shutil at every start to ask for the terminal's."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=27, width=100)


def _listing(commands: Mapping[str, Subcommand]) -> str:
    """As argparse's own, which breaks the lines of long names."""
    width = max(map(len, commands))
    return "\n".join(["commands:", *(f"  {name:{width}}  {one.summary}" for name, one in commands.items())])


def _hint(word: str, known: Iterable[str]) -> str:
    from compat.likely import did_you_mean  # late: mostly nothing is misspelt

    return did_you_mean(word, known)


def _is_long(word: str) -> bool:
    return word.startswith("--")


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"
