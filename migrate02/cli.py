"""The command line of ``migrate02``: arguments, subcommands, exit codes. The work is done elsewhere.

Everything but this module is imported when it is needed: a start should cost little more than the interpreter's.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence

TYPE_CHECKING = False  # as typing's own, which costs more than all else that --version needs
if TYPE_CHECKING:
    from typing import NoReturn

    from migrate02.arguments import Arguments
    from migrate02.conversion import Conversion, Options

DONE, WOULD_CHANGE, RESIDUE, REFUSED = 0, 1, 2, 3

EXPLAIN_USAGE = """\
usage: migrate02 explain [CODE | -flag | VARIABLE | key ...]

Tell the whole story of a finding's code, or of a setting over etcd 0.4, 2.0 and later. Without a word, list the codes.
"""

STDIN = "standard input"

READER_GONE, INTERRUPTED = 141, 130
"""What a shell shows for a program that wrote into a closed pipe, or was stopped with Ctrl-C."""


def entry() -> NoReturn:
    """The console script.

    Leaves without taking the interpreter down piece by piece, which takes as long as a conversion: once the output is
    flushed, nothing is left to be done.
    """
    gc.disable()  # a short life with little garbage, none of it large
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        status = READER_GONE
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
    from migrate02.arguments import Misuse, refuse_command

    try:
        refuse_command(argv, list(COMMANDS))
    except Misuse as error:
        print(f"migrate02: {error}", file=sys.stderr)
    return REFUSED


def _explain(subjects: list[str]) -> int:
    """Takes no options, so that a subject may be a flag: ``migrate02 explain -peer-addr``."""
    from migrate02.explain import explain, list_codes

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
            print(f"migrate02: {subject} is neither a finding's code nor a setting of etcd", file=sys.stderr)
            status = REFUSED
        else:
            print(story, end="")
    return status


def _convert(argv: list[str]) -> int:
    from migrate02.arguments import Misuse, read_arguments

    try:
        args = read_arguments(argv)
    except Misuse as error:
        print(f"migrate02 convert: {error}", file=sys.stderr)
        return REFUSED
    conversions = list(_conversions(args))
    if args.write:
        conversions = _written(conversions)
    _print(args, conversions)
    return _status(args, conversions)


def _options(args: Arguments) -> Options:
    from migrate02.conversion import Options

    return Options(
        form=args.to,
        target=args.target,
        hostname=args.hostname or os.uname().nodename,
        hostname_given=bool(args.hostname),
        initial_cluster=args.initial_cluster,
        member_has_data=args.member_has_data,
        era="" if args.era == "auto" else args.era,
    )


def _conversions(args: Arguments) -> Iterator[Conversion]:
    """One for each file, ``-``, or command line; a directory stands for the files in it that look like etcd's."""
    from migrate02.conversion import convert_text, convert_words, refused
    from migrate02.files import walk

    options = _options(args)
    if args.words is not None:
        yield convert_words(args.words, options)
        return
    for path in args.inputs:
        if path == "-":
            text, trouble = _read_standard_input()
            yield refused(STDIN, trouble) if trouble else convert_text(text, STDIN, options)
        elif os.path.isdir(path):
            unread: list[OSError] = []
            seen = False
            for found in walk(path, unread.append):
                for conversion in _converted(found, options, only_if_etcd=True):
                    seen = True
                    yield conversion
            for error in unread:
                yield refused(str(error.filename), error.strerror or str(error))
            if not seen and not unread:
                _tell([f"no etcd configuration found in {path}"])
        else:
            yield from _converted(path, options)


def _read_standard_input() -> tuple[str, str]:
    """(text, what went wrong)."""
    from migrate02.files import decode

    if sys.stdin is None:
        return "", "closed"
    try:
        return decode(sys.stdin.buffer.read()), ""
    except OSError as error:
        return "", error.strerror or str(error)


def _converted(path: str, options: Options, *, only_if_etcd: bool = False) -> Iterator[Conversion]:
    from migrate02.conversion import convert_text, left_alone, refused
    from migrate02.files import TooLarge, Unreadable, read_text
    from migrate02.formats import looks_like_etcd, not_converted

    try:
        text = read_text(path)
    except Unreadable as error:
        if not (only_if_etcd and isinstance(error, TooLarge)):
            yield refused(path, str(error))
        return
    if only_if_etcd:
        reason, line = not_converted(text)
        if reason:
            yield left_alone(path, text, reason, line)
            return
    if not only_if_etcd or looks_like_etcd(text):
        yield convert_text(text, path, options)


def _written(conversions: list[Conversion]) -> list[Conversion]:
    """Replace the files that change; one that could not be written counts as refused."""
    from migrate02.conversion import refused
    from migrate02.files import replace_all

    texts = {item.name: item.text for item in conversions if item.changed and item.text is not None}
    outcomes = replace_all(texts)
    _tell([f"{item.path}: written; the original is {item.backup}" for item in outcomes if not item.error])
    errors = {item.path: f"not written: {item.error}" for item in outcomes if item.error}
    return [
        refused(item.name, errors[item.name], before=item.before) if item.name in errors else item
        for item in conversions
    ]


def _print(args: Arguments, conversions: list[Conversion]) -> None:
    from migrate02.report import as_json, diff, finding_lines, summary

    told = [line for conversion in conversions for line in finding_lines(conversion.findings)]
    if len(conversions) > 1:
        told.append(summary(conversions))
    _tell(told)
    if args.json:
        one = len(conversions) == 1 and not any(map(os.path.isdir, args.inputs))
        print(as_json(conversions, one=one))
        return
    for conversion in conversions:
        if args.diff:
            _emit(diff(conversion))
        elif not args.check and not args.write and conversion.text is not None and not conversion.left_alone:
            if len(conversions) > 1:
                _emit(f"# ==> {conversion.name} <==\n")
            _emit(conversion.text)


def _tell(lines: list[str]) -> None:
    """All at once: standard error is not buffered."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))


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


def _plan(argv: list[str]) -> int:
    from migrate02.plan_cli import plan

    return plan(argv)


def _discovery(argv: list[str]) -> int:
    from migrate02.discovery import main

    return main(argv)


def _srv(argv: list[str]) -> int:
    from migrate02.srv import main

    return main(argv)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "convert": _convert,
    "plan": _plan,
    "explain": _explain,
    "discovery": _discovery,
    "srv": _srv,
}
