"""Lines for a person at a terminal: no wider than that, and in colour, unless ``NO_COLOR`` says otherwise."""

from __future__ import annotations

import os
import re
import textwrap
from typing import TextIO

from compat.findings import ERROR, INFO, REVIEW

NARROWEST = 40
"""Columns; in fewer nothing is folded."""

_COLOURS = {ERROR: "1;31", REVIEW: "33", INFO: "36"}
_HEAD = re.compile(rf"({'|'.join(_COLOURS)})(?=\[[a-z0-9-]+\] )")
_INDENT = "  "


def columns(stream: TextIO) -> int:
    """How wide the terminal is; ``COLUMNS`` has the last word, as in other programs."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def has_colour() -> bool:
    """See https://no-color.org."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"


def folded(line: str, width: int) -> str:
    """The line in several, broken at blanks, with what to do in one of its own."""
    if width < NARROWEST or len(line) <= width:
        return line
    said, arrow, remedy = line.partition(" -> ")
    parts = [(said, "")] + ([(f"-> {remedy}", _INDENT)] if arrow else [])
    return "\n".join(
        textwrap.fill(
            part,
            width,
            initial_indent=indent,
            subsequent_indent=_INDENT + indent,
            break_on_hyphens=False,
            break_long_words=False,
        )
        for part, indent in parts
    )


def coloured(line: str) -> str:
    """With the severity that a finding begins with in colour."""
    found = _HEAD.match(line)
    return f"\x1b[{_COLOURS[found[1]]}m{found[1]}\x1b[0m{line[found.end() :]}" if found else line
