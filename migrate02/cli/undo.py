"""``migrate02 undo``: its arguments, what is printed, and the exit status. The work is done in ``files.undoing``."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from itertools import takewhile

from migrate02.cli.exits import DONE, REFUSED
from migrate02.cli.output import tell
from migrate02.files.manifests import BackupError
from migrate02.files.originals import names_beside
from migrate02.files.stopping import Stopped, held
from migrate02.files.undoing import Undone, tree_above, undo

DESCRIPTION = """\
Restore the files of a directory from before the last 'migrate02 convert --write DIR': bytes, owner, mode, extended
attributes and times. A file that was changed since is not restored, nor are the files that were converted together
with it. The originals are in DIR/.migrate02."""


EPILOG = """\
exit status:
  0  all files are restored
  3  a file was not restored, or there is no backup

The original of a single file is beside it, in FILE.0.4: mv FILE.0.4 FILE"""

REFUSALS = (BackupError,)


class UndoArguments(argparse.Namespace):
    dir: str
    force: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage, parser.epilog = "%(prog)s [--force] DIR", EPILOG
    parser.description = DESCRIPTION
    parser.add_argument("dir", metavar="DIR", help="the directory that was given to convert --write")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also restore files that were changed since; their changed content is kept",
    )


def run(args: UndoArguments) -> int:
    """Put back what ``convert --write DIR`` replaced, newest first."""
    if not os.path.isdir(args.dir):
        tell([f"migrate02 undo: {of_a_file(args.dir)}"])
        return REFUSED
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


def of_a_file(path: str) -> str:
    """What to do about something that is no directory: where the original of a file is."""
    if not os.path.lexists(path):
        return f"{path}: there is no such directory"
    tree = tree_above(path)
    if tree:
        return f"{path} is a file of {tree}, which goes back as a whole: migrate02 undo {shlex.quote(tree)}"
    file = re.sub(r"\.0\.4(?:\.\d+)?\Z", "", path)
    originals = [*takewhile(os.path.lexists, names_beside(file))]
    if not originals:
        return f"{path} is a file, and no original of it is beside it: {file}.0.4 does not exist"
    return (
        f"{path} is a file; the original of {file} is {originals[-1]}. "
        f"To put it back: mv {shlex.quote(originals[-1])} {shlex.quote(file)}"
    )


def _line(item: Undone) -> str:
    outcome = item.error or ("put back" if item.was_changed else "is as it was")
    return f"{item.path}: {outcome}{'; ' if item.note else ''}{item.note}"
