"""The command line of ``migrate02``, read with argparse and held against itself. Does nothing.

argparse is imported when there is an option to read: it costs a third of a plain ``convert FILE``.
"""

from __future__ import annotations

from collections.abc import Sequence

from compat import __version__

TYPE_CHECKING = False  # as typing's own, which costs more than this module
if TYPE_CHECKING:
    import argparse

FORMS = ("flags", "env", "yaml", "args-json")
ERAS = ("auto", "0.4", "2.x")
OUTPUTS = ("text", "json", "sarif", "github")

OPTIONS: dict[str, tuple[str, str]] = {
    "--to": ("FORM", f"what to write: {', '.join(FORMS)} (default: by input)"),
    "--target": ("VERSION", "the etcd to write for, 2.0 to 3.7 (default: 2.3)"),
    "--format": ("KIND", "what kind of file the input is (default: found out by its content)"),
    "--from": ("ERA", "treat the input as written for 0.4 or 2.x (default: auto)"),
    "--include": ("GLOB", "of directories, only such files; may be given again"),
    "--exclude": ("GLOB", "of directories, no such files; may be given again"),
    "--hostname": ("NAME", "the host's name, which 0.4 gave to an unnamed member"),
    "--initial-cluster": ("LIST", "all members, NAME=URL,...: in the place of -peers and -discovery"),
    "--member-has-data": ("", "the member has its 2.x data: ignore -peers"),
    "--write": ("", "replace the files; originals: FILE.0.4, of a directory DIR/.migrate02"),
    "--diff": ("", "print a diff instead of the result"),
    "--check": ("", "print nothing but findings; exit 1 if something would change"),
    "--json": ("", "print one JSON object: config and findings"),
    "--output": ("KIND", "how to print the findings: text, json (as --json), sarif, github"),
    "--select": ("CODE", "tell only findings of this code; may be given again"),
    "--ignore": ("CODE", "tell no finding of this code, unless it refuses; may be given again"),
    "--allow-residue": ("", "exit 0, not 2, when something is left for a person"),
}
"""Each option of ``convert``: its value, if it takes one, and what it is for."""

_CONVERT_USAGE = """\
migrate02 convert [options] FILE|DIR|- ...
       migrate02 convert [options] -- etcd -addr ..."""
_CONVERT_HEAD = """\
Convert what sets up etcd 0.4 to etcd 2.x: its etcd.conf (TOML), environment files, command lines,
units, scripts, cloud-configs, containers. A directory stands for the files in it that are about etcd,
- for standard input. The result goes to standard output, the findings to standard error."""
_CONVERT_TAIL = """\
exit status:
  0  nothing to do, or done
  1  --check: something would change
  2  converted, but something is left for a person (see the findings)
  3  refused or unusable input; that file is left as it was
  128 + N  stopped by signal N (130: Ctrl-C, 143: SIGTERM); what was written is said
With several files, the highest that applies to one of them, but 1 before 2."""

_COMMANDS_HEAD = """\
Take an etcd 0.4 deployment to etcd 2.x.

commands:
  convert   convert a configuration of etcd 0.4
  undo      put back what convert --write replaced in a directory
  data      convert, inspect, export and compare data directories
  import    carry keys into a running cluster
  plan      plan the way of whole clusters: start lines, what does not fit together, a runbook
  explain   tell the whole story of a finding's code or of a flag
  discovery inspect URL
            show who has registered under a discovery URL, and what comes of it
  srv check DOMAIN
            show the DNS records that members find each other by, and those that are missing

migrate02 COMMAND --help tells more."""


class Misuse(Exception):
    """The command line cannot be used; the message is one line."""


class Arguments:
    """What was asked of ``convert``, at first the defaults. ``words`` are the command line after ``--``, None when
    there was none."""

    inputs: list[str]
    words: list[str] | None = None
    output = "text"
    to = ""
    format = ""
    target = ""
    era = "auto"
    hostname = ""
    initial_cluster = ""
    member_has_data = False
    write = False
    diff = False
    check = False
    json = False
    allow_residue = False

    def __init__(self) -> None:
        self.include: list[str] = []
        self.exclude: list[str] = []
        self.select: list[str] = []
        self.ignore: list[str] = []


_NAMES = "convert, undo, data, import, plan, explain, discovery, srv"

_PLAINER = (
    (r"^unrecognized arguments: (\S+).*", r"\1 is no option (see PROG --help)"),
    (r"^argument (\S+): expected one argument$", r"\1 needs a value"),
    (r"^argument (\S+): ignored explicit argument .*", r"\1 takes no value"),
    (r"^argument command: invalid choice: '([^']*)'.*", rf"\1 is no command: give one of {_NAMES}"),
    (r"^the following arguments are required: command$", f"no command is given: give one of {_NAMES}"),
)
"""argparse's words, and ours."""


def make_parser(prog: str, usage: str, description: str, epilog: str = "") -> argparse.ArgumentParser:
    """A parser that says what is wrong in one line, by raising Misuse."""
    import argparse
    import re

    def formatter(prog: str) -> argparse.HelpFormatter:
        # With a fixed width: argparse would import shutil at every start to ask for the terminal's.
        return argparse.RawDescriptionHelpFormatter(prog, max_help_position=27, width=100)

    def refuse(message: str) -> None:
        for pattern, words in _PLAINER:
            message = re.sub(pattern, words.replace("PROG", prog), message)
        raise Misuse(message)

    parser = argparse.ArgumentParser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=epilog,
        formatter_class=formatter,
        allow_abbrev=False,
    )
    parser.error = refuse  # type: ignore[method-assign,assignment]
    return parser


def refuse_command(argv: Sequence[str], commands: Sequence[str]) -> None:
    """For what does not begin with a command: ``--help`` and ``--version`` end the program here, the rest is Misuse."""
    import argparse

    parser = make_parser("migrate02", "migrate02 COMMAND ...\n       migrate02 --version", _COMMANDS_HEAD)
    parser.add_argument("--version", action="version", version=f"migrate02 {__version__}")
    parser.add_argument("command", choices=commands, help=argparse.SUPPRESS)
    parser.parse_args(argv[:1])


def read_arguments(argv: Sequence[str]) -> Arguments:
    """The arguments of ``convert``. Options may stand anywhere before ``--``; what comes after it is somebody else's
    command line, never ours. Raises Misuse; ``--help`` ends the program here."""
    args = Arguments()
    words = list(argv)
    if "--" in words:
        place = words.index("--")
        words, args.words = words[:place], words[place + 1 :]
    if any(word.startswith("-") and word != "-" for word in words):
        _options_parser().parse_intermixed_args(words, args)
    else:
        args.inputs = words
    args.json = args.json or args.output == "json"
    trouble = _trouble(args)
    if trouble:
        raise Misuse(trouble)
    return args


def _options_parser() -> argparse.ArgumentParser:
    import argparse

    parser = make_parser("migrate02 convert", _CONVERT_USAGE, _CONVERT_HEAD, _CONVERT_TAIL)
    parser.add_argument("inputs", nargs="*", help=argparse.SUPPRESS)
    for name, (metavar, text) in OPTIONS.items():
        if name in _SEVERAL:
            parser.add_argument(name, metavar=metavar, help=text, action="append")
        elif metavar:
            parser.add_argument(name, metavar=metavar, help=text, dest=_DESTINATIONS.get(name))
        else:
            parser.add_argument(name, action="store_true", help=text)
    return parser


_SEVERAL = ("--include", "--exclude", "--select", "--ignore")
"""Options that may be given more than once."""

_DESTINATIONS = {"--from": "era"}


def _trouble(args: Arguments) -> str:
    """Options that do not go together, or ``""``."""
    if args.to not in ("", *FORMS):
        return f"--to {args.to}: give one of {', '.join(FORMS)}"
    if args.format and (kinds := _kinds_but(args.format)):
        return f"--format {args.format}: give one of {', '.join(kinds)}"
    if args.era not in ERAS:
        return f"--from {args.era}: give one of {', '.join(ERAS)}"
    if args.words is not None and args.inputs:
        return "give files or, after --, a command line; not both"
    late = next((word for word in args.words or () if word.partition("=")[0] in _OURS_ALONE), "")
    if late:
        return f"{late} stands after --: options of convert go before it"
    if not args.inputs and not args.words:
        return "nothing to convert: give FILE, DIR, - or, after --, a command line"
    if args.write and (args.words is not None or "-" in args.inputs):
        return "--write needs a file to write to"
    if args.write and args.check:
        return "--check writes nothing: give it or --write"
    if args.json and args.diff:
        return "--json and --diff both say what comes out: give one of them"
    if args.output not in OUTPUTS:
        return f"--output {args.output}: give one of {', '.join(OUTPUTS)}"
    if args.diff and args.output in ("sarif", "github"):
        return f"--diff and --output {args.output} both go to standard output: give one of them"
    if unknown := _unknown_code([*args.select, *args.ignore]):
        return f"{unknown} is no finding's code (see migrate02 explain)"
    if args.write and args.to == "args-json":
        return "--write --to args-json would lose the file's comments: print it and put it where it belongs"
    return _bad_initial_cluster(args) or _bad_target(args)


def _unknown_code(codes: Sequence[str]) -> str:
    if not codes:
        return ""
    from compat.findings import CODES

    return next((code for code in codes if code not in CODES), "")


def _kinds_but(kind: str) -> list[str]:
    """All kinds of files, none when ``kind`` is one of them."""
    from migrate02.formats import registry

    kinds = registry.names()
    return [] if kind in kinds else kinds


_OURS_ALONE = frozenset(OPTIONS) - {"--initial-cluster"}
"""No etcd has a flag of one of these names."""


def _bad_initial_cluster(args: Arguments) -> str:
    if not args.initial_cluster:
        return ""
    from server.config import UrlError, parse_urls_map

    for item in args.initial_cluster.split(","):
        if item and not item.partition("=")[2]:
            return f'--initial-cluster: "{item}" has no NAME=URL form; give NAME=http://host:port for each member'
    try:
        parse_urls_map(args.initial_cluster)
    except UrlError as error:
        return f"--initial-cluster: {error}; give NAME=http://host:port for each member, with commas between"
    return ""


def _bad_target(args: Arguments) -> str:
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
