"""The command line of ``migrate02``: arguments, subcommands, exit codes. The work is done elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from compat import __version__

if TYPE_CHECKING:
    from migrate02.conversion import Conversion, Options

DONE, WOULD_CHANGE, RESIDUE, REFUSED = 0, 1, 2, 3

EXIT_CODES = """\
exit status:
  0  nothing to do, or done
  1  --check: something would change
  2  converted, but something is left for a person (see the findings)
  3  refused or unusable input; nothing was written
"""


def entry() -> None:
    """The console script."""
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: not our error
        sys.exit(REFUSED)


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    words, rest = _split_at_double_dash(argv)
    try:
        args = _parser().parse_args(words)
    except SystemExit as stop:
        return REFUSED if stop.code else DONE
    if args.command == "explain":
        return _explain([*args.subject, *rest])
    return _convert(args, rest if len(words) < len(argv) else None)


def _split_at_double_dash(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What comes after ``--`` is somebody else's command line, never ours."""
    words = list(argv)
    if words[:1] == ["explain"]:
        return ["explain"], [word for word in words[1:] if word != "--"]
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="migrate02",
        description="Take an etcd 0.4 deployment to etcd 2.x.",
        formatter_class=_help_formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"migrate02 {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_convert(commands.add_parser)
    explain = commands.add_parser(
        "explain",
        help="tell the whole story of a finding's code or of a flag",
        formatter_class=_help_formatter,
    )
    explain.add_argument(
        "subject", nargs="*", help="a code, -flag, variable or TOML key; none lists the codes"
    )
    return parser


def _help_formatter(prog: str) -> argparse.HelpFormatter:
    """With a fixed width: argparse imports shutil at every start to ask for the terminal's."""
    return argparse.RawDescriptionHelpFormatter(prog, width=100)


def _add_convert(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    parser = add_parser(
        "convert",
        help="convert a configuration of etcd 0.4",
        usage="migrate02 convert [options] FILE|DIR|- ...\n       migrate02 convert [options] -- etcd -addr ...",
        description="Convert 0.4's etcd.conf (TOML), environment files and command lines to etcd 2.x. The result goes "
        "to standard output, the findings to standard error.",
        epilog=EXIT_CODES,
        formatter_class=_help_formatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("inputs", nargs="*", metavar="FILE", help="a file, a directory to walk, or - for standard input")
    add(
        "--to",
        choices=("flags", "env", "yaml", "args-json"),
        default="",
        help="what to write (default: by input)",
    )
    add("--target", default="", metavar="VERSION", help="the etcd to write for, 2.0 to 3.7 (default: 2.3)")
    add(
        "--from",
        dest="era",
        choices=("auto", "0.4"),
        default="auto",
        help="take the input for 0.4's in any case",
    )
    add(
        "--hostname", default="", metavar="NAME", help="the host's name, which 0.4 took for an unnamed member"
    )
    add(
        "--initial-cluster",
        default="",
        metavar="LIST",
        help="all members, NAME=URL,...: the answer to -peers",
    )
    add(
        "--member-has-data", action="store_true", help="the member already has its 2.x data: pass over -peers"
    )
    add("--write", action="store_true", help="replace the file; the original stays as FILE.0.4")
    add("--diff", action="store_true", help="print a diff instead of the result")
    add("--check", action="store_true", help="print nothing but findings; exit 1 if something would change")
    add("--json", action="store_true", help="print one JSON object: config and findings")
    add("--allow-residue", action="store_true", help="exit 0, not 2, when something is left for a person")


def _explain(subjects: list[str]) -> int:
    from migrate02.explain import explain, list_codes

    if not subjects or subjects == ["--list"]:
        print(list_codes(), end="")
        return DONE
    for subject in subjects:
        if subject in ("-h", "--help"):
            print(
                "usage: migrate02 explain [CODE | -flag | VARIABLE | key ...]\n  no argument lists the codes"
            )
            return DONE
        story = explain(subject)
        if story is None:
            print(f"migrate02: {subject} is neither a finding's code nor a setting of etcd", file=sys.stderr)
            return REFUSED
        print(story, end="")
    return DONE


def _convert(args: argparse.Namespace, words: list[str] | None) -> int:
    trouble = _misuse(args, words)
    if trouble:
        print(f"migrate02 convert: {trouble}", file=sys.stderr)
        return REFUSED
    conversions = list(_conversions(args, words))
    if args.write:
        conversions = _written(conversions)
    _print(args, conversions)
    return _status(args, conversions)


def _misuse(args: argparse.Namespace, words: list[str] | None) -> str:
    """Options that do not go together, or ``""``."""
    if words is not None and args.inputs:
        return "give files or, after --, a command line; not both"
    if not args.inputs and not words:
        return "nothing to convert: give FILE, DIR, - or, after --, a command line"
    if args.write and (words is not None or "-" in args.inputs):
        return "--write needs a file to write to"
    if args.write and args.check:
        return "--check writes nothing: give it or --write"
    if args.write and args.to == "args-json":
        return "--write --to args-json would lose the file's comments: print it and put it where it belongs"
    if not args.target:
        return ""
    from compat.fit import TargetError, parse_target

    try:
        version = parse_target(args.target)
    except TargetError as error:
        return f"--target: {error}"
    if args.to == "yaml" and version.major < 3:
        return (
            f"etcd {args.target} reads no configuration file: use --to env or flags, or --target 3.0 or later"
        )
    return ""


def _options(args: argparse.Namespace) -> Options:
    from migrate02.conversion import Options

    return Options(
        form=args.to,
        target=args.target,
        hostname=args.hostname or os.uname().nodename,
        initial_cluster=args.initial_cluster,
        member_has_data=args.member_has_data,
        era="" if args.era == "auto" else args.era,
    )


def _conversions(args: argparse.Namespace, words: list[str] | None) -> Iterator[Conversion]:
    """One for each file, ``-``, or command line; a directory stands for the files in it that look like etcd's."""
    from migrate02.conversion import convert_text, convert_words
    from migrate02.files import walk

    options = _options(args)
    if words is not None:
        yield convert_words(words, options)
        return
    for path in args.inputs:
        if path == "-":
            text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
            yield convert_text(text, "standard input", options)
        elif os.path.isdir(path):
            for found in walk(path):
                yield from _converted(found, options, only_if_etcd=True)
        else:
            yield from _converted(path, options)


def _converted(path: str, options: Options, *, only_if_etcd: bool = False) -> Iterator[Conversion]:
    from migrate02.conversion import convert_text, refused
    from migrate02.files import Unreadable, read_text
    from migrate02.formats import looks_like_etcd

    try:
        text = read_text(path)
    except Unreadable as error:
        yield refused(path, str(error))
        return
    if not only_if_etcd or looks_like_etcd(text):
        yield convert_text(text, path, options)


def _written(conversions: list[Conversion]) -> list[Conversion]:
    """Replace the files that change; one that could not be written counts as refused."""
    from migrate02.conversion import refused
    from migrate02.files import replace_all

    texts = {item.name: item.text for item in conversions if item.changed and item.text is not None}
    errors: dict[str, str] = {}
    for outcome in replace_all(texts):
        if outcome.error:
            errors[outcome.path] = f"not written: {outcome.error}"
        else:
            print(f"{outcome.path}: written; the original is {outcome.backup}", file=sys.stderr)
    return [
        refused(item.name, errors[item.name], before=item.before) if item.name in errors else item
        for item in conversions
    ]


def _print(args: argparse.Namespace, conversions: list[Conversion]) -> None:
    from migrate02.report import as_json, diff, finding_lines

    for conversion in conversions:
        for line in finding_lines(conversion.findings):
            print(line, file=sys.stderr)
    if args.json:
        print(as_json(conversions))
        return
    for conversion in conversions:
        if args.diff:
            _emit(diff(conversion))
        elif not args.check and not args.write and conversion.text is not None:
            _emit(conversion.text)


def _emit(text: str) -> None:
    """Bytes that were no UTF-8 go out as they came in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _status(args: argparse.Namespace, conversions: list[Conversion]) -> int:
    if any(conversion.refused for conversion in conversions):
        return REFUSED
    if args.check and any(conversion.changed for conversion in conversions):
        return WOULD_CHANGE
    if not args.allow_residue and any(conversion.needs_review for conversion in conversions):
        return RESIDUE
    return DONE
