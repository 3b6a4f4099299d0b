"""The help texts, made from the tables and laid out as etcdctl lays them out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.etcdctl02.arguments import NUMBER, SECONDS, TEXT, TEXTS, Command, Option
from compat.etcdctl02.tree import HELP_COMMAND
from server import ETCD_VERSION

_TAB = 8


def of_program(
    name: str, usage: str, called: str, commands: Sequence[Command], options: Sequence[Option]
) -> str:
    """Everything there is. ``called`` is how the program was called, where ``name`` is its own."""
    return "\n".join(
        [
            "NAME:",
            f"   {name} - {usage}",
            "",
            "USAGE:",
            f"   {called} [global options] command [command options] [arguments...]",
            "   ",
            "VERSION:",
            f"   {ETCD_VERSION}",
            "   ",
            "COMMANDS:",
            *_indented(_aligned(_of_commands((*commands, HELP_COMMAND)))),
            "GLOBAL OPTIONS:",
            *_indented(_aligned(map(_of_option, options))),
            "",
        ]
    )


def of_group(called: str, group: Command, options: Sequence[Option]) -> str:
    """A command that groups others."""
    return "\n".join(
        [
            "NAME:",
            f"   {called} - {group.usage}",
            "",
            "USAGE:",
            f"   {called} command [command options] [arguments...]",
            "",
            "COMMANDS:",
            *_indented(_aligned(_of_commands((*group.commands, HELP_COMMAND)))),
            "OPTIONS:",
            *_indented(_aligned(map(_of_option, options))),
            "",
        ]
    )


def of_command(called: str, command: Command) -> str:
    """One command; ``called`` is all its words."""
    lines = [
        "NAME:",
        f"   {called} - {command.usage}",
        "",
        "USAGE:",
        f"   {called}{' [command options]' if command.options else ''} {command.arguments}",
    ]
    if command.description:
        lines += ["", "DESCRIPTION:", f"   {command.description}"]
    if command.options:
        lines += ["", "OPTIONS:", *_indented(_aligned(map(_of_option, command.options)))]
    return "\n".join([*lines, ""])


def _of_commands(commands: Iterable[Command]) -> Iterable[tuple[str, str]]:
    return ((", ".join((command.name, *command.aliases)), command.usage) for command in commands)


def _of_option(option: Option) -> tuple[str, str]:
    dashed = [f"{'-' if len(name) == 1 else '--'}{name}" for name in option.names]
    names = ", ".join(dashed)
    if option.kind == TEXTS:
        return f"{names} [{dashed[0]} option {dashed[0]} option]", option.usage
    if option.default or option.kind in (NUMBER, SECONDS):
        return f'{names} "{option.default}"', option.usage
    return f"{names} " if option.kind == TEXT else names, option.usage


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Two columns, the second at the first tab stop after all of the first, its indent counted in."""
    rows = list(rows)
    stop = (max(len(f"   {left}") for left, _ in rows) + 1 + _TAB - 1) // _TAB * _TAB
    return [left + "\t" * -(-(stop - len(f"   {left}")) // _TAB) + right for left, right in rows]


def _indented(lines: Iterable[str]) -> list[str]:
    """The indented lines, and one more that is only the indent: a list's end."""
    return [*(f"   {line}" for line in lines), "   "]
