"""``migrate02 convert``: its arguments, what is printed, and the exit status. The work is done in ``convert``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from migrate02.cli import values
from migrate02.cli.convert_arguments import ConvertArguments, check
from migrate02.cli.exits import DONE, REFUSED, RESIDUE, WOULD_CHANGE
from migrate02.cli.options import add_amount_of_findings, add_choice_of_files, add_of_a_project
from migrate02.cli.output import tell

TYPE_CHECKING = False  # as typing's own, which costs more than this module
if TYPE_CHECKING:
    from migrate02.convert.conversion import Conversion, Options

STDIN = "standard input"
OF_MACHINES = ("sarif", "github", "junit", "gitlab")
"""Of ``--output``, the kinds of ``migrate02.cli.machines``, which --help does not import."""

DESCRIPTION = """\
Convert configuration of etcd 0.4 to etcd 2.x: its etcd.conf (TOML), environment files, command lines, units,
scripts, cloud-configs, container files. For a directory, the files in it that are about etcd are converted; - is
standard input. The result goes to standard output, the findings to standard error."""
EPILOG = """\
exit status:
  0  nothing to do, or done
  1  --check: something would change
  2  converted, but something needs your attention (see the findings)
  3  refused, or could not be read or written; that file was not changed, nor the other files of
     the same node
  128 + N  stopped by signal N (130: Ctrl-C, 143: SIGTERM); the last line says what was written
With several files the worst status wins: 3, then 1, then 2, then 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [options] FILE|DIR|- ...\n       %(prog)s [options] -- etcd -addr ..."
    parser.description, parser.epilog = DESCRIPTION, EPILOG
    parser.set_defaults(words=None)
    parser.add_argument("inputs", nargs="*", help=argparse.SUPPRESS)
    add = parser.add_argument
    forms = ("flags", "env", "yaml", "args-json")
    add(
        "--to",
        metavar="FORM",
        choices=forms,
        help=f"write {', '.join(forms)} (default: the form of the input)",
    )
    add(
        "--target",
        metavar="VERSION",
        type=values.target,
        help="write for this etcd, 2.0 to 3.7 (default: 2.3)",
    )
    add(
        "--format",
        metavar="KIND",
        type=values.kind_of_file,
        help="the kind of the input file (default: detected by its content)",
    )
    add(
        "--from",
        dest="era",
        metavar="ERA",
        choices=("auto", "0.4", "2.x"),
        default="auto",
        help="treat the input as written for 0.4 or 2.x (default: auto)",
    )
    add_choice_of_files(parser)
    add_of_a_project(parser)
    add("--hostname", metavar="NAME", help="the host name, which 0.4 used as the name of an unnamed member")
    add(
        "--initial-cluster",
        metavar="LIST",
        type=values.initial_cluster,
        help="all members, NAME=URL,...: replaces -peers and -discovery",
    )
    add("--member-has-data", action="store_true", help="the member has 2.x data already: ignore -peers")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--write",
        action="store_true",
        help="replace the files; the originals are kept in FILE.0.4, or for a directory in DIR/.migrate02",
    )
    ways.add_argument(
        "--check",
        action="store_true",
        help="print only findings; exit 1 if something would change",
    )
    outputs = parser.add_mutually_exclusive_group()
    for name, text in (
        ("diff", "print a diff instead of the result"),
        ("json", "print one JSON object: the files, their config and findings"),
    ):
        outputs.add_argument(
            f"--{name}", dest="output", action="store_const", const=name, default="text", help=text
        )
    outputs.add_argument(
        "--output",
        metavar="KIND",
        choices=("text", "json", *OF_MACHINES),
        default="text",
        help=f"print the findings as text, json (like --json), {', '.join(OF_MACHINES)}",
    )
    for name, text in (
        ("--select", "report only findings of this code; may be given again"),
        ("--ignore", "report no finding of this code, except errors; may be given again"),
    ):
        add(name, metavar="CODE", type=values.code, action="append", default=[], help=text)
    add_amount_of_findings(parser)
    add("--allow-residue", action="store_true", help="exit 0, not 2, when something needs your attention")


def split(words: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """What comes after ``--`` is somebody else's command line, never ours."""
    words = list(words)
    if "--" not in words:
        return words, None
    place = words.index("--")
    return words[:place], words[place + 1 :]


def run(args: ConvertArguments) -> int:
    from migrate02.cli.configured import apply

    args.project = apply(args)
    check(args)
    if args.write:
        return _convert_and_write(args)
    return _report(args, _conversions(args))


def _convert_and_write(args: ConvertArguments) -> int:
    from migrate02.files.stopping import Stopped, held, stoppable
    from migrate02.files.writing import Writing

    writing = Writing(args.inputs)
    try:
        with stoppable():
            conversions = _conversions(args)
            with held() as check:
                conversions = writing.write(conversions, check, tell)
            if not args.quiet:
                tell(writing.said)
            return _report(args, conversions)
    except Stopped as stopped:
        stopped.done = writing.done
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")  # in the place of the progress
        tell([f"migrate02 convert: {stopped}"])
        return stopped.status


def _conversions(args: ConvertArguments) -> list[Conversion]:
    found = _reported(args, _converted(args))
    return [item for item in found if item.says_something] if args.check and args.output == "text" else found


def _reported(args: ConvertArguments, conversions: Iterable[Conversion]) -> list[Conversion]:
    """With the findings that are to be reported."""
    from migrate02.cli.report import selected

    return args.project.without_ignored(selected(conversions, args.select, args.ignore))


def _converted(args: ConvertArguments) -> Iterator[Conversion]:
    """One for each file that is about etcd, ``-``, or command line. Files given together are one deployment."""
    from migrate02.cli.progress import if_on_terminal as progress
    from migrate02.convert.deployment import convert_text
    from migrate02.convert.inputs import convert_words
    from migrate02.files.reading import Unreadable
    from migrate02.files.walking import Choice

    options = _options(args)
    if args.words is not None:
        yield convert_words(args.words, options)
        return
    if "-" in args.inputs:
        try:
            yield convert_text(_standard_input(), STDIN, options)
        except Unreadable as error:
            from migrate02.files.tree import refused_reading

            yield refused_reading(STDIN, error)
    choice = Choice(
        args.include, args.exclude, args.project.folder if args.exclude is args.project.exclude else ""
    )
    if args.within:
        from migrate02.files.within import convert_within

        yield from convert_within(args.within, args.inputs, options, choice, progress())
    elif any(path != "-" for path in args.inputs):
        from migrate02.files.tree import convert_paths

        paths = [path for path in args.inputs if path != "-"]
        yield from convert_paths(paths, options, choice, tell, progress())


def _options(args: ConvertArguments) -> Options:
    from migrate02.convert.conversion import Options

    return Options(
        form=args.to or "",
        target=args.target or "",
        hostname=args.hostname or os.uname().nodename,
        hostname_given=bool(args.hostname),
        initial_cluster=args.initial_cluster or "",
        member_has_data=args.member_has_data,
        era="" if args.era == "auto" else args.era,
        kind=args.format or "",
    )


def _standard_input() -> str:
    """Raises Unreadable."""
    from migrate02.files.reading import Unreadable, read_all, unreadable

    if sys.stdin is None:
        raise Unreadable("closed")
    try:
        return read_all(sys.stdin.buffer)
    except OSError as error:
        raise unreadable(error) from None


def _report(args: ConvertArguments, conversions: list[Conversion]) -> int:
    """Prints it; returns the exit status."""
    from migrate02.cli.report import Manner, report

    manner = Manner(args.severity, args.quiet, args.verbose)
    told = conversions
    if args.check and args.output in OF_MACHINES:
        from migrate02.cli.spots import with_unconverted

        told = _reported(args, with_unconverted(conversions))
    report(told, args.output, manner, texts=not (args.check or args.write))
    if any(conversion.refused for conversion in conversions):
        return REFUSED
    if args.check and any(conversion.changed for conversion in conversions):
        return WOULD_CHANGE
    if not args.allow_residue and any(conversion.needs_review for conversion in conversions):
        return RESIDUE
    return DONE
