"""The command line of ``migrate02``: arguments, subcommands, exit codes. The work is done elsewhere.

Everything but this module is imported when it is needed: a start should cost little more than the interpreter's.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from compat import standard
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE

TYPE_CHECKING = False  # as typing's own, which costs more than all else that --version needs
if TYPE_CHECKING:
    from typing import NoReturn

    from migrate02.cli.arguments import Arguments
    from migrate02.convert.conversion import Conversion, Options
    from migrate02.files.tree import Progress

EXPLAIN_USAGE = """\
usage: migrate02 explain [CODE | -flag | VARIABLE | key ...]

Tell the whole story of a finding's code, or of a setting over etcd 0.4, 2.0 and later. Without a word, list the codes.
"""

UNDO_USAGE = """\
usage: migrate02 undo [--force] DIR

Put the files of a directory back as they were before the last 'migrate02 convert --write DIR': bytes, owner, mode,
extended attributes and times. A file that was changed since is left as it is, with those that were converted together
with it; with --force it goes back too, and what it was is kept. The originals are in DIR/.migrate02.
"""

STDIN = "standard input"

INTERRUPTED = 130
"""What a shell shows for a program that was stopped with Ctrl-C."""


def entry() -> NoReturn:
    """The console script.

    Leaves without taking the interpreter down piece by piece, which takes as long as a conversion: once the output is
    flushed, nothing is left to be done.
    """
    gc.disable()  # a short life with little garbage, none of it large
    standard.prepare()
    try:
        status = standard.run("migrate02", lambda: main(sys.argv[1:]), REFUSED)
    except OSError as error:
        print(f"migrate02: {error.strerror or error}", file=sys.stderr)
        status = REFUSED
    except KeyboardInterrupt:
        status = INTERRUPTED
    os._exit(status)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    run = COMMANDS.get(argv[0]) if argv else None
    try:
        if run is not None:
            return run(list(argv[1:]))
        return _no_command(argv)
    except SystemExit as stop:  # argparse has printed the help or the version
        return REFUSED if stop.code else DONE


def _no_command(argv: Sequence[str]) -> int:
    from migrate02.cli.arguments import Misuse, refuse_command

    try:
        refuse_command(argv, list(COMMANDS))
    except Misuse as error:
        _tell([f"migrate02: {error}"])
    return REFUSED


def _explain(subjects: list[str]) -> int:
    """Takes no options, so that a subject may be a flag: ``migrate02 explain -peer-addr``."""
    from migrate02.cli.explain import explain, list_codes

    subjects = [subject for subject in subjects if subject != "--"]
    if "-h" in subjects or "--help" in subjects:
        print(EXPLAIN_USAGE, end="")
        return DONE
    if not subjects or subjects == ["--list"]:
        print(list_codes(), end="")
        return DONE
    status = DONE
    for subject in subjects:
        story = explain(subject)
        if story is None:
            _tell([f"migrate02: {subject} is neither a finding's code nor a setting of etcd"])
            status = REFUSED
        else:
            print(story, end="")
    return status


def _convert(argv: list[str]) -> int:
    from migrate02.cli.arguments import Misuse, read_arguments

    try:
        args = read_arguments(argv)
    except Misuse as error:
        _tell([f"migrate02 convert: {error}"])
        return REFUSED
    if args.write:
        return _convert_and_write(args)
    conversions = [_told(conversion, args) for conversion in _conversions(args)]
    _print(args, conversions)
    return _status(args, conversions)


def _convert_and_write(args: Arguments) -> int:
    from migrate02.files.stopping import Stopped, held, stoppable
    from migrate02.files.writing import Writing

    writing = Writing(args.inputs)
    try:
        with stoppable():
            conversions = [_told(conversion, args) for conversion in _conversions(args)]
            with held() as check:
                conversions = writing.write(conversions, check, _tell)
            _tell(writing.said)
            _print(args, conversions)
    except Stopped as stopped:
        stopped.done = writing.done
        _wipe_progress()
        _tell([f"migrate02 convert: {stopped}"])
        return stopped.status
    return _status(args, conversions)


def _undo(argv: list[str]) -> int:
    """Put back what ``convert --write DIR`` replaced, newest first."""
    from migrate02.files.manifests import BackupError
    from migrate02.files.stopping import Stopped, held
    from migrate02.files.undoing import Undone, undo

    trees = [word for word in argv if word != "--force"]
    if len(trees) != 1 or len(argv) > 2 or trees[0].startswith("-"):
        print(UNDO_USAGE, end="", file=sys.stdout if argv else sys.stderr)
        return DONE if argv[:1] in (["-h"], ["--help"]) else REFUSED
    tree = os.path.realpath(trees[0])
    outcomes: list[Undone] = []
    try:
        with held() as check:
            outcomes = undo(tree, force="--force" in argv, check=check)
    except BackupError as error:
        _tell([f"migrate02 undo: {error}"])
        return REFUSED
    except Stopped as stopped:
        if outcomes:
            back = sum(not item.error for item in outcomes)
            stopped.done = (
                f"{back} of {len(outcomes)} files are as they were; to go on: migrate02 undo {trees[0]}"
            )
        _tell([f"migrate02 undo: {stopped}"])
        return stopped.status
    for item in outcomes:
        said = item.error or ("put back" if item.was_changed else "is as it was")
        _tell([f"{item.path}: {said}{'; ' if item.note else ''}{item.note}"])
    if not outcomes:
        _tell(
            [f"{trees[0]}: the last run was cut short before it changed anything: nothing is to be put back"]
        )
    return REFUSED if any(item.error for item in outcomes) else DONE


def _options(args: Arguments) -> Options:
    from migrate02.convert.conversion import Options

    return Options(
        form=args.to,
        target=args.target,
        hostname=args.hostname or os.uname().nodename,
        hostname_given=bool(args.hostname),
        initial_cluster=args.initial_cluster,
        member_has_data=args.member_has_data,
        era="" if args.era == "auto" else args.era,
        kind=args.format,
    )


def _conversions(args: Arguments) -> Iterator[Conversion]:
    """One for each file that is about etcd, ``-``, or command line. Files given together are one deployment."""
    from migrate02.convert.conversion import refused
    from migrate02.convert.deployment import convert_text
    from migrate02.convert.inputs import convert_words
    from migrate02.files.reading import Unreadable

    options = _options(args)
    if args.words is not None:
        yield convert_words(args.words, options)
        return
    if "-" in args.inputs:
        try:
            yield convert_text(_standard_input(), STDIN, options)
        except Unreadable as error:
            yield refused(STDIN, str(error), remedy=error.remedy)
    if any(path != "-" for path in args.inputs):
        from migrate02.files.tree import convert_paths
        from migrate02.files.walking import Choice

        paths = [path for path in args.inputs if path != "-"]
        yield from convert_paths(paths, options, Choice(args.include, args.exclude), _tell, _progress())


def _progress() -> Progress:
    """A line on the terminal that is written over, once there is enough to wait for; nothing elsewhere."""
    from migrate02.cli.progress import on_terminal
    from migrate02.files.tree import nothing

    return on_terminal(sys.stderr) if sys.stderr.isatty() else nothing


def _standard_input() -> str:
    """Raises Unreadable."""
    from migrate02.files.reading import Unreadable, read_all, reason

    if sys.stdin is None:
        raise Unreadable("closed")
    try:
        return read_all(sys.stdin.buffer)
    except OSError as error:
        raise Unreadable(reason(error)) from None


def _wipe_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def _told(conversion: Conversion, args: Arguments) -> Conversion:
    """With the findings that were asked for. What refuses a file is always told."""
    if not (args.select or args.ignore):
        return conversion
    told = [
        finding
        for finding in conversion.findings
        if finding.severity == "error"
        or ((not args.select or finding.code in args.select) and finding.code not in args.ignore)
    ]
    return conversion._replace(findings=told)


def _print(args: Arguments, conversions: list[Conversion]) -> None:
    from migrate02.cli.report import as_github, as_json, as_sarif, diff, finding_lines, summary
    from server.config import redacted
    from server.printable import shown

    if args.output == "sarif":
        print(redacted(as_sarif(conversions)))
        return
    if args.output == "github":
        print(redacted("".join(f"{line}\n" for line in as_github(conversions))), end="")
        return
    told = [line for conversion in conversions for line in finding_lines(conversion.findings)]
    if len(conversions) > 1:
        told += summary(conversions)
    _tell(told)
    if args.json:
        one = len(conversions) == 1 and not any(map(os.path.isdir, args.inputs))
        print(redacted(as_json(conversions, one=one)))
        return
    for conversion in conversions:
        if args.diff:
            _emit(diff(conversion))
        elif not args.check and not args.write and conversion.text is not None and not conversion.left_alone:
            if len(conversions) > 1:
                _emit(f"# ==> {shown(conversion.name)} <==\n")
            _emit(conversion.text)


def _tell(lines: list[str]) -> None:
    """All at once: standard error is not buffered. A password in a URL is not shown."""
    from server.printable import shown

    sys.stderr.write("".join(f"{shown(line)}\n" for line in lines))


def _emit(text: str) -> None:
    """Bytes that were no UTF-8 go out as they came in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _status(args: Arguments, conversions: list[Conversion]) -> int:
    if any(conversion.refused for conversion in conversions):
        return REFUSED
    if args.check and any(conversion.changed for conversion in conversions):
        return WOULD_CHANGE
    if not args.allow_residue and any(conversion.needs_review for conversion in conversions):
        return RESIDUE
    return DONE


def _data(argv: list[str]) -> int:
    from migrate02.cli.data import data

    return data(argv)


def _import(argv: list[str]) -> int:
    from migrate02.cli.data import import_

    return import_(argv)


def _plan(argv: list[str]) -> int:
    from migrate02.cli.plan import plan

    return plan(argv)


def _discovery(argv: list[str]) -> int:
    from migrate02.cli.discovery import main

    return main(argv)


def _srv(argv: list[str]) -> int:
    from migrate02.cli.srv import main

    return main(argv)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "convert": _convert,
    "undo": _undo,
    "data": _data,
    "import": _import,
    "plan": _plan,
    "explain": _explain,
    "discovery": _discovery,
    "srv": _srv,
}
