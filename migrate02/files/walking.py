"""Walks a tree for files worth reading: not what version control ignores, not our own backups. Reads nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from migrate02.files.reading import FOLDER, Unreadable, read_text

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_OURS = r"\.0\.4(\.\d+)?\Z|\A\..*\.migrate02-\d+\Z"
"""Backups, and what a crash left behind."""

_NOT_ENTERED = frozenset((".git", ".hg", ".svn", FOLDER))


class Choice(NamedTuple):
    """Patterns as in a .gitignore for paths below a directory: only these files, if any are given, but not those.
    ``but`` is about paths below another folder where ``but_below`` names one."""

    only: Sequence[str] = ()
    but: Sequence[str] = ()
    but_below: str = ""


ALL = Choice()


class _Ignore(NamedTuple):
    """The rules of one .gitignore, for what is below ``folder``."""

    folder: str
    rules: GitIgnoreSpec

    def says(self, path: str) -> bool | None:
        """Whether a path is ignored; None when no rule is about it."""
        ending = os.sep if path.endswith(os.sep) else ""
        return self.rules.check_file(os.path.relpath(path, self.folder) + ending).include


def walk(directory: str, on_error: Callable[[OSError], None], choice: Choice = ALL) -> Iterator[str]:
    """What is below a directory, in a stable order: files, and pipes, sockets and devices too, which are told apart
    when they are opened. Links lead elsewhere, and are left out.

    ``on_error`` gets the error of a directory that cannot be read.
    """
    wanted, unwanted = _spec(choice.only), _spec(choice.but)
    waiting = [(directory, _ignores_above(directory))]
    while waiting:
        folder, rules = waiting.pop()
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            on_error(error)
            continue
        if any(entry.name == ".gitignore" for entry in entries):
            rules = [*_read(folder), *rules]
        folders = []
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _NOT_ENTERED and not (rules and _is_ignored(path + os.sep, rules)):
                    folders.append((path, rules))
                continue
            if _is_ours(entry.name) or (rules and _is_ignored(path, rules)):
                continue
            if (wanted or unwanted) and not _is_wanted(path, directory, choice, wanted, unwanted):
                continue
            if not entry.is_symlink():
                yield path
        waiting += reversed(folders)


def is_chosen(path: str, directory: str, choice: Choice) -> bool:
    """Whether the patterns take this file of a directory, which is not one of our own."""
    folders = os.path.relpath(path, directory).split(os.sep)
    if _is_ours(folders[-1]) or not _NOT_ENTERED.isdisjoint(folders):
        return False
    return _is_wanted(path, directory, choice, _spec(choice.only), _spec(choice.but))


def _is_ours(name: str) -> bool:
    return re.search(_OURS, name) is not None


def _is_wanted(
    path: str, directory: str, choice: Choice, wanted: GitIgnoreSpec | None, unwanted: GitIgnoreSpec | None
) -> bool:
    if wanted is not None and not wanted.match_file(os.path.relpath(path, directory)):
        return False
    return unwanted is None or not unwanted.match_file(os.path.relpath(path, choice.but_below or directory))


def _is_ignored(path: str, rules: Sequence[_Ignore]) -> bool:
    """The nearest .gitignore that says anything has the last word."""
    return next((said for rule in rules if (said := rule.says(path)) is not None), False)


def _spec(patterns: Sequence[str]) -> GitIgnoreSpec | None:
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def _read(folder: str) -> list[_Ignore]:
    try:
        spec = _spec(read_text(os.path.join(folder, ".gitignore"), named=False).split("\n"))
    except Unreadable:  # as if it were not there: nothing is ignored then
        return []
    return [_Ignore(folder, spec)] if spec is not None else []


def _ignores_above(directory: str) -> list[_Ignore]:
    """The rules of the repository that a directory is a part of."""
    found: list[_Ignore] = []
    folder = os.path.abspath(directory)
    if os.path.exists(os.path.join(folder, ".git")):
        return []
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        found += _read(folder)
        if os.path.exists(os.path.join(folder, ".git")):
            return found
    return []
