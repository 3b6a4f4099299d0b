"""From a command line to an exit status: which command, with what, or which help. Runs nothing itself."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from compat import standard
from compat.etcdctl02 import tree
from compat.etcdctl02.arguments import HELP_OPTION, Command, GivenOptions, read, read_command
from compat.etcdctl02.console import Console

if TYPE_CHECKING:
    from compat.etcdctl02.call import Call


class Level(NamedTuple):
    """A place in the tree where a word names a command: the program itself, or a command that groups others.

    ``called`` is what stands before a command's name in its help. ``overview`` is what no word at all gives, and
    ``all_help`` what the word ``help`` gives.
    """

    called: str
    commands: tuple[Command, ...]
    overview: Callable[[], str]
    all_help: Callable[[], str]

    def command(self, word: str) -> Command | None:
        return next((each for each in (*self.commands, tree.HELP_COMMAND) if each.is_called(word)), None)

    def topic(self, word: str) -> str:
        """The help for one of its commands."""
        command = self.command(word)
        if command is None:
            return f"No help topic for '{word}'\n"
        from compat.etcdctl02.usage import of_command

        return of_command(f"{self.called} {command.name}", command)


def entry() -> None:
    """The console script."""
    standard.prepare()
    stdin = sys.stdin.buffer if sys.stdin is not None else io.BytesIO()
    console = Console(stdin, sys.stdout.buffer, sys.stderr.buffer)
    argv = [os.fsencode(word).decode("utf-8", "surrogateescape") for word in sys.argv]
    try:
        status = standard.run(tree.NAME, lambda: main(argv, os.environ, console), 1)
    except KeyboardInterrupt:
        status = _end_by(signal.SIGINT)
    sys.exit(_end_by(signal.SIGPIPE) if status == standard.READER_GONE else status)


def _end_by(number: signal.Signals) -> int:
    """As a program ends that knows nothing of signals. Comes back in an init process alone, which no signal ends."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def main(argv: Sequence[str], environ: Mapping[str, str], console: Console) -> int:
    """Returns the exit status. A command line that makes no sense gets help and 0, as from etcdctl 2.3.8."""
    called = os.path.basename(argv[0])
    line = read(argv[1:], tree.GLOBAL_OPTIONS, "\n")
    if line.complaint or line.given.switch("help"):
        console.out(line.complaint + _program_help(called))
        return 0
    if line.given.switch("version"):
        from server import ETCD_VERSION

        console.out(f"{tree.NAME} version {ETCD_VERSION}\n")
        return 0
    own_help = partial(_program_help, called)
    level = Level(called, tree.COMMANDS, own_help, own_help)
    return _choose(level, line.words, CommandContext(line.given, environ, console))


class CommandContext(NamedTuple):
    """What a command has around it beside its own words; ``program`` is the options in front of it."""

    program: GivenOptions
    environ: Mapping[str, str]
    console: Console


def _choose(level: Level, words: list[str], around: CommandContext) -> int:
    """Goes down to the command that the first word names."""
    command = level.command(words[0]) if words else None
    if command is None:
        around.console.out(level.topic(words[0]) if words else level.overview())
        return 0
    if command.commands:
        return _group(command, words[1:], around)
    line = read_command(words[1:], (*command.options, HELP_OPTION))
    if line.complaint or line.given.switch("help"):
        around.console.out(line.complaint + level.topic(command.name))
        return 0
    if command is tree.HELP_COMMAND:
        around.console.out(level.topic(line.words[0]) if line.words else level.all_help())
        return 0
    from compat.etcdctl02.call import Call

    return _run(command, Call(line.words, line.given, *around))


def _group(group: Command, words: list[str], around: CommandContext) -> int:
    """A command that groups others. Its own ``--help`` does nothing, there as here."""
    called = f"{tree.NAME} {group.name}"
    level = Level(
        called, group.commands, partial(_overview, called, group), partial(_group_help, called, group)
    )
    line = read(words, (HELP_OPTION,))
    if line.complaint:
        around.console.out(line.complaint + level.overview())
        return 0
    return _choose(level, line.words, around)


def _run(command: Command, call: Call) -> int:
    """Imports the command's module and runs it; what stops it is told on standard error."""
    from importlib import import_module

    from compat.etcdctl02.errors import Stop

    module, _, function = command.run.partition(":")
    try:
        status: int | None = getattr(import_module(f"compat.etcdctl02.commands.{module}"), function)(call)
    except Stop as stop:
        call.console.err(stop.text)
        return stop.status
    return status or 0


def _program_help(called: str) -> str:
    from compat.etcdctl02.usage import of_program

    return of_program(tree.NAME, tree.USAGE, called, tree.COMMANDS, tree.GLOBAL_OPTIONS)


def _group_help(called: str, group: Command) -> str:
    from compat.etcdctl02.usage import of_program

    return of_program(called, group.usage, called, group.commands, (HELP_OPTION,))


def _overview(called: str, group: Command) -> str:
    from compat.etcdctl02.usage import of_group

    return of_group(called, group, (HELP_OPTION,))
