"""``migrate02 undo``: its arguments, what is printed, and the exit status. The work is done in ``files.undoing``."""

from __future__ import annotations

import argparse
import os

from migrate02.cli.exits import DONE, REFUSED
from migrate02.cli.output import tell
from migrate02.files.manifests import BackupError
from migrate02.files.stopping import Stopped, held
from migrate02.files.undoing import Undone, undo

DESCRIPTION = """\
Put the files of a directory back as they were before the last 'migrate02 convert --write DIR': bytes, owner, mode,
extended attributes and times. A file that was changed since is not touched, nor are those that were converted together
with it. The originals are in DIR/.migrate02."""


REFUSALS = (BackupError,)


class UndoArguments(argparse.Namespace):
    dir: str
    force: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [--force] DIR"
    parser.description = DESCRIPTION
    parser.add_argument("dir", metavar="DIR", help="the directory that was given to convert --write")
    parser.add_argument(
        "--force",
        action="store_true",
        help="put back files that were changed since, too; what they were is kept",
    )


def run(args: UndoArguments) -> int:
    """Put back what ``convert --write DIR`` replaced, newest first."""
    outcomes: list[Undone] = []
    try:
        with held() as check:
            outcomes = undo(os.path.realpath(args.dir), force=args.force, check=check)
    except Stopped as stopped:
        if outcomes:
            back = sum(not item.error for item in outcomes)
            stopped.done = (
                f"{back} of {len(outcomes)} files are as they were; to go on: migrate02 undo {args.dir}"
            )
        tell([f"migrate02 undo: {stopped}"])
        return stopped.status
    tell(map(_line, outcomes))
    if not outcomes:
        tell(
            [
                f"{args.dir}: the last run was cut short before it changed anything; there is nothing to put back"
            ]
        )
    return REFUSED if any(item.error for item in outcomes) else DONE


def _line(item: Undone) -> str:
    outcome = item.error or ("put back" if item.was_changed else "is as it was")
    return f"{item.path}: {outcome}{'; ' if item.note else ''}{item.note}"
