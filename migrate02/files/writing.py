"""``convert --write``: which files change, where their originals go, and what is to be said of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from migrate02.convert.conversion import Conversion, refused
from migrate02.convert.findings import NOT_WRITTEN
from migrate02.files.backups import TreeKeeper
from migrate02.files.changes import Change
from migrate02.files.reading import encode
from migrate02.files.replacing import Replaced, replace_all
from migrate02.files.stopping import Check
from migrate02.files.system import remedy_for

Report = Callable[[list[str]], None]
"""Takes lines for a person."""


class Writing:
    """``inputs`` are the files and directories that were named; where these lead is looked at before they are read."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self._trees = [path for path in dict.fromkeys(inputs) if os.path.isdir(path)]
        self._named = {path for path in inputs if path not in self._trees}
        self._keepers = [TreeKeeper(path) for path in self._trees]
        self._outcomes: list[Replaced] = []

    def write(self, conversions: Sequence[Conversion], check: Check, report: Report) -> list[Conversion]:
        """Replace the files that change; one that could not be written counts as refused."""
        changes = [
            Change(item.name, encode(item.before), encode(item.text), item.node, self._tree_of(item.name))
            for item in conversions
            if item.changed and item.text is not None
        ]
        self._outcomes = replace_all(changes, self._keepers, check, lambda line: report([line]))
        errors = {item.path: item.error for item in self._outcomes if item.error}
        return [
            _not_written(item, errors[item.name]) if item.name in errors else item for item in conversions
        ]

    def _tree_of(self, name: str) -> str:
        """The directory that it was found in."""
        if name in self._named:
            return ""
        return next(tree for tree in self._trees if name.startswith(os.path.join(tree, "")))

    @property
    def said(self) -> list[str]:
        """A line on every file that was written, and on the way back."""
        written = [item for item in self._outcomes if item.backup]
        return [
            *(f"{item.path}: written; the original is {item.backup}{_also(item.note)}" for item in written),
            *(f"to put everything back: migrate02 undo {tree}" for tree in self._undoable),
        ]

    @property
    def _undoable(self) -> list[str]:
        return [keeper.tree for keeper in self._keepers if keeper.folder]

    @property
    def done(self) -> str:
        """In one line, for when it was stopped; empty when nothing was changed."""
        written = [item for item in self._outcomes if item.backup]
        if not written:
            return ""
        count = f"{len(written)} of {len(self._outcomes)} files were written, the others are as they were"
        if len(written) == len(self._outcomes):
            count = f"all {len(written)} files were written"
        ways = [f"migrate02 undo {tree}" for tree in self._undoable]
        folders = tuple(os.path.join(keeper.folder, "") for keeper in self._keepers if keeper.folder)
        ways += [] if all(item.backup.startswith(folders) for item in written) else ["FILE.0.4 back to FILE"]
        return f"{count}; the way back: {', '.join(ways)}"


def _also(note: str) -> str:
    return f"; {note}" if note else ""


def _not_written(item: Conversion, error: str) -> Conversion:
    said = error if error.startswith(("it was written", "not written")) else f"not written: {error}"
    return refused(item.name, said, before=item.before, remedy=remedy_for(error), text=NOT_WRITTEN)
