"""Whole parsers of the three commands, for what is generated from them; the commands themselves never build these.

``migrate02`` builds of its parser what a command line needs; here every command is built. The other two read their
flags as Go's programs do, by tables: here these are put into argparse's form.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module

from compat import flags04, gateway
from compat.etcdctl02 import tree
from compat.etcdctl02.arguments import SWITCH, Command, Option
from compat.usage import becomes
from migrate02.cli.main import COMMANDS
from migrate02.cli.parsing import Subcommand
from server.config import SETTINGS

ETCD02_FLAGS = {
    "engine": "start a real etcd instead of the bundled server: PATH, auto, bundled, "
    "or gateway to serve the keys of an etcd 3",
    **gateway.FLAGS,
    "auto-migrate": "convert a data directory of 0.4 before the start; its files are kept",
    "print-config": "print the effective 2.x configuration as JSON and exit",
    "version": "print the version and exit",
    "help": "print all flags and exit",
}
WITHOUT_VALUE = ("auto-migrate", "print-config", "version", "help")

_Parser = partial(ArgumentParser, formatter_class=RawDescriptionHelpFormatter)


def migrate02() -> ArgumentParser:
    parser = _Parser(prog="migrate02", description="Moves an etcd 0.4 deployment to etcd 2.x.")
    parser.add_argument("--version", action="version", version="", help="print the version and exit")
    _add_commands(parser, COMMANDS)
    return parser


def _add_commands(parser: ArgumentParser, commands: Mapping[str, Subcommand]) -> None:
    below = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, command in commands.items():
        added = below.add_parser(name, help=command.summary, formatter_class=RawDescriptionHelpFormatter)
        if command.below:
            _add_commands(added, command.below)
        if command.module:
            import_module(f"migrate02.cli.{command.module}").add_arguments(added)
            added.description = "\n\n".join(filter(None, (added.description, added.epilog)))
        else:
            added.description = f"{command.summary[:1].upper()}{command.summary[1:]}."


def etcd02() -> ArgumentParser:
    parser = _Parser(
        prog="etcd02",
        usage="%(prog)s [flags]",
        add_help=False,
        description="Starts an etcd 2.x server from 0.4 or 2.x flags and ETCD_* variables.",
    )
    own = parser.add_argument_group("etcd02's own flags")
    for name, text in ETCD02_FLAGS.items():
        _add_flag(own, [f"--{name}"], text, takes_value=name not in WITHOUT_VALUE)
    of_2x = parser.add_argument_group("2.x flags")
    for setting in SETTINGS:
        _add_flag(of_2x, [f"--{setting.name}"], setting.help, takes_value=True)
    of_04 = parser.add_argument_group("0.4 flags, and their new names")
    for flag in flags04.FLAGS:
        if flag.fate != flags04.COMMAND:
            names = [f"-{name}" for name in (flag.name, *flag.short)]
            _add_flag(of_04, names, f"{flag.meaning}: {becomes(flag)}", takes_value=True)
    return parser


def etcdctl02() -> ArgumentParser:
    parser = _Parser(prog="etcdctl02", add_help=False, description="The commands of etcdctl 2.3.")
    _add_options(parser, tree.GLOBAL_OPTIONS)
    _add_tree(parser, tree.COMMANDS)
    return parser


def _add_tree(parser: ArgumentParser, commands: Iterable[Command]) -> None:
    below = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command in commands:
        added = below.add_parser(command.name, help=command.usage, description=command.usage, add_help=False)
        _add_options(added, command.options)
        if command.commands:
            _add_tree(added, command.commands)


def _add_options(parser: ArgumentParser, options: Iterable[Option]) -> None:
    for option in options:
        names = [f"{'-' if len(name) == 1 else '--'}{name}" for name in option.names]
        _add_flag(parser, names, option.usage, takes_value=option.kind != SWITCH)


def _add_flag(to: object, names: list[str], text: str, *, takes_value: bool) -> None:
    """``to`` is a parser or a group of one. A name that is there already stays as it is."""
    taken = to._option_string_actions  # type: ignore[attr-defined]
    names = [name for name in names if name not in taken]
    if names:
        more = {"metavar": "VALUE"} if takes_value else {"action": "store_true"}
        to.add_argument(*names, help=text.replace("%", "%%") or SUPPRESS, **more)  # type: ignore[attr-defined]


PARSERS = (migrate02, etcd02, etcdctl02)
