"""What was asked of ``migrate02 convert``, and what does not go together."""

from __future__ import annotations

import argparse

from migrate02.cli.parsing import Misuse

TYPE_CHECKING = False  # as typing's own, which costs more than this module
if TYPE_CHECKING:
    from migrate02.cli.configured import Configured

OURS_ALONE = (
    "--to", "--target", "--format", "--from", "--include", "--exclude", "--within", "--config", "--hostname",
    "--member-has-data", "--write", "--check", "--diff", "--json", "--output", "--select", "--ignore", "--severity",
    "--quiet",
    "--allow-residue",
)  # fmt: skip
"""Options of ``convert`` whose names no etcd knows: after ``--`` they are in the wrong place."""


class ConvertArguments(argparse.Namespace):
    """What was asked of ``convert``. ``words`` are the command line after ``--``, None when there was none."""

    inputs: list[str]
    words: list[str] | None
    to: str
    target: str
    format: str
    era: str
    include: list[str]
    exclude: list[str]
    within: str
    config: str
    project: Configured
    hostname: str
    initial_cluster: str
    member_has_data: bool
    write: bool
    check: bool
    output: str
    select: list[str]
    ignore: list[str]
    severity: str
    quiet: bool
    verbose: bool
    allow_residue: bool


def check(args: ConvertArguments) -> None:
    """Raises Misuse."""
    if args.words is not None and args.inputs:
        raise Misuse("give files or, after --, a command line; not both")
    if late := next((word for word in args.words or () if word.partition("=")[0] in OURS_ALONE), ""):
        raise Misuse(f"{late} is after --; put options of convert before it")
    if not args.inputs and not args.words:
        raise Misuse("nothing to convert; give FILE, DIR, - or, after --, a command line")
    if args.write and (args.words is not None or "-" in args.inputs):
        raise Misuse("--write needs a file to write to; without it the result is printed")
    if args.write and args.to == "args-json":
        raise Misuse(
            "--write --to args-json would lose the file's comments; print the result and put it where it belongs"
        )
    if args.within and (args.write or "-" in args.inputs or not args.inputs):
        raise Misuse("--within is about files of a tree, and writes nothing; give them, without --write")
    if args.to == "yaml" and args.target:
        from compat.fit import parse_target

        if parse_target(args.target).major < 3:
            raise Misuse(
                f"etcd {args.target} reads no configuration file; use --to env or flags, or --target 3.0 or later"
            )
