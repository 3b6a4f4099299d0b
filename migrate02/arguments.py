"""The arguments of ``migrate02 convert``: read, and held against each other. Does nothing.

Read by hand from one table: argparse alone takes longer than a conversion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

FORMS = ("flags", "env", "yaml", "args-json")
ERAS = ("auto", "0.4")

OPTIONS: dict[str, tuple[str, str]] = {
    "--to": ("FORM", f"what to write: {', '.join(FORMS)} (default: by input)"),
    "--target": ("VERSION", "the etcd to write for, 2.0 to 3.7 (default: 2.3)"),
    "--from": ("ERA", "0.4: take the input for 0.4's in any case (default: auto)"),
    "--hostname": ("NAME", "the host's name, which 0.4 gave to an unnamed member"),
    "--initial-cluster": ("LIST", "all members, NAME=URL,...: the answer to -peers"),
    "--member-has-data": ("", "the member has its 2.x data: pass over -peers"),
    "--write": ("", "replace the file; the original stays as FILE.0.4"),
    "--diff": ("", "print a diff instead of the result"),
    "--check": ("", "print nothing but findings; exit 1 if something would change"),
    "--json": ("", "print one JSON object: config and findings"),
    "--allow-residue": ("", "exit 0, not 2, when something is left for a person"),
}
"""Each option's value, if it takes one, and what it is for."""

_USAGE = """\
usage: migrate02 convert [options] FILE|DIR|- ...
       migrate02 convert [options] -- etcd -addr ...

Convert 0.4's etcd.conf (TOML), environment files and command lines to etcd 2.x. A directory stands for the files in
it that look like etcd's, - for standard input. The result goes to standard output, the findings to standard error.

options:
{options}
exit status:
  0  nothing to do, or done
  1  --check: something would change
  2  converted, but something is left for a person (see the findings)
  3  refused or unusable input; that file is left as it was
With several files, the highest that applies to one of them, but 1 before 2.
"""


class Misuse(Exception):
    """The command line cannot be used; the message is one line."""


class HelpAsked(Exception):
    """``-h`` or ``--help`` came before any error."""


class Arguments:
    """What was asked for. ``words`` are the command line after ``--``, None when there was none."""

    def __init__(self, inputs: list[str], words: list[str] | None, values: dict[str, str]) -> None:
        self.inputs = inputs
        self.words = words
        self.to = values.get("--to", "")
        self.target = values.get("--target", "")
        self.era = values.get("--from", "auto")
        self.hostname = values.get("--hostname", "")
        self.initial_cluster = values.get("--initial-cluster", "")
        self.member_has_data = "--member-has-data" in values
        self.write = "--write" in values
        self.diff = "--diff" in values
        self.check = "--check" in values
        self.json = "--json" in values
        self.allow_residue = "--allow-residue" in values


def usage() -> str:
    rows = [(f"{name} {value}".rstrip(), text) for name, (value, text) in OPTIONS.items()]
    return _USAGE.format(options="".join(f"  {left:24}{text}\n" for left, text in rows))


def read_arguments(argv: Sequence[str]) -> Arguments:
    """Options may stand anywhere before ``--``, with their value behind ``=`` or as the next word; what comes after
    ``--`` is somebody else's command line, never ours. Raises Misuse and HelpAsked."""
    inputs: list[str] = []
    values: dict[str, str] = {}
    after: list[str] | None = None
    words = iter(argv)
    for word in words:
        if word == "--":
            after = list(words)
        elif word in ("-h", "--help"):
            raise HelpAsked
        elif word.startswith("-") and word != "-":
            name, value = _option(word, words)
            values[name] = value
        else:
            inputs.append(word)
    args = Arguments(inputs, after, values)
    trouble = _trouble(args)
    if trouble:
        raise Misuse(trouble)
    return args


def _option(word: str, following: Iterator[str]) -> tuple[str, str]:
    """An option and its value, which may be the next word."""
    name, equals, value = word.partition("=")
    if name not in OPTIONS:
        raise Misuse(f"{word} is no option (see migrate02 convert --help)")
    wanted = OPTIONS[name][0]
    if not wanted:
        if equals:
            raise Misuse(f"{name} takes no value")
        return name, ""
    if not equals:
        value = next(following, "")
    if not value:
        raise Misuse(f"{name} needs a value: {wanted}")
    return name, value


def _trouble(args: Arguments) -> str:
    """Options that do not go together, or ``""``."""
    if args.to not in ("", *FORMS):
        return f"--to {args.to}: give one of {', '.join(FORMS)}"
    if args.era not in ERAS:
        return f"--from {args.era}: give one of {', '.join(ERAS)}"
    if args.words is not None and args.inputs:
        return "give files or, after --, a command line; not both"
    if not args.inputs and not args.words:
        return "nothing to convert: give FILE, DIR, - or, after --, a command line"
    if args.write and (args.words is not None or "-" in args.inputs):
        return "--write needs a file to write to"
    if args.write and args.check:
        return "--check writes nothing: give it or --write"
    if args.json and args.diff:
        return "--json and --diff both say what comes out: give one of them"
    if args.write and args.to == "args-json":
        return "--write --to args-json would lose the file's comments: print it and put it where it belongs"
    return _bad_initial_cluster(args) or _bad_target(args)


def _bad_initial_cluster(args: Arguments) -> str:
    if not args.initial_cluster:
        return ""
    from server.config import UrlError, parse_urls_map

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
