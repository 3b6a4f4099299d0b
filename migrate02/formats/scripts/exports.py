"""Variables of etcd's that a script exports: every program that it starts is given them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from compat.flags04 import BY_VARIABLE, SAME
from migrate02.formats.scripts.scan import Assignment, Export, Script
from migrate02.formats.starts.dialects import SHELL
from migrate02.formats.starts.variables import Assigned, Named, commented
from migrate02.formats.view import Edit, View


class Reaching(NamedTuple):
    """A variable of etcd 0.4's that a script exports, and the line where it first does something with it."""

    name: str
    line: int

    @property
    def changes(self) -> bool:
        """2.x knows it by another name, or not at all."""
        return BY_VARIABLE[self.name].in_238 != SAME


def exported(script: Script) -> list[Assigned]:
    exported: dict[str, list[Named]] = {}
    for export in script.exports:
        exported.setdefault(export.name, []).append(_named(export))
    at_times = {
        item.name for item in script.assignments if item.conditional or item.adds or item.value.is_array
    }
    return [
        _assigned(item.value.words[0].view, item)._replace(named=tuple(exported.get(item.name, ())))
        for item in script.assignments
        if item.name.startswith("ETCD_")
        and item.name not in at_times
        and (item.exported or item.name in exported or script.exports_all)
    ]


def reaching(script: Script) -> list[Reaching]:
    named = {item.name for item in script.exports}
    found: dict[str, Reaching] = {}
    for item in script.assignments:
        if item.exported or item.name in named or script.exports_all:
            found.setdefault(item.name, Reaching(item.name, item.line))
    for export in script.exports:
        found.setdefault(export.name, Reaching(export.name, export.word.view.line(export.start)))
    return [item for item in found.values() if item.name in BY_VARIABLE]


def _named(export: Export) -> Named:
    view, word = export.word.view, export.word
    line, end = view.line_around(export.start, export.end)
    if not export.only:
        before = len(view.text[: word.start].rstrip(" \t"))
        gone = Edit(before, word.end, "")
    elif view.text[line : export.start].strip() or not _NOTHING_BEHIND.match(view.text, export.end):
        gone = Edit(export.start, export.end, ":")
    else:
        gone = commented(view, line, end)
    return Named(view, word.start, word.end, gone)


def _assigned(view: View, item: Assignment) -> Assigned:
    word = item.value.words[0]
    text = view.text
    line, end = view.line_around(item.start, item.end)
    lead = text[line : item.start] if item.start - line < _WIDEST else "..."
    alone = (
        not re.sub(r"export|declare|-x|\s", "", lead) and _NOTHING_BEHIND.match(text, item.end) is not None
    )

    def write(name: str, value: str) -> str:
        return f"{name}={word.quoted(value, word.raw)}"

    gone = commented(view, line, end) if alone else Edit(item.start, item.end, "")
    return Assigned(
        view,
        item.start,
        item.end,
        item.name,
        word.text,
        write,
        view.newline + lead if alone else " ",
        gone,
        SHELL.mask,
    )


_NOTHING_BEHIND = re.compile(r"[^\S\n]*+(?:#|$)", re.MULTILINE)
_WIDEST = 1000
"""Columns of an indentation."""


def used_elsewhere(view: View, exported: Sequence[Assigned]) -> list[Assigned]:
    """Variables of etcd's that the script itself looks at too: under a new name they would be missed."""
    return [
        item
        for item in exported
        if item.name in view.once(_names_used) or item.name in item.view.once(_names_used)
    ]


def _names_used(view: View) -> frozenset[str]:
    return frozenset(re.findall(r"\$\{?(\w+)", view.text))
