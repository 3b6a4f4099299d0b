"""Files of languages that are not read (Ruby, Puppet, Go, argv lists): which of their lines set up etcd 0.4. Pure."""

from __future__ import annotations

import re
import shlex

from compat.flags04 import COMMAND, FLAGS
from migrate02.formats.advice import find_start
from migrate02.formats.document import NotRead
from migrate02.formats.settings04 import holds_settings_of_04, lines_of_04

_COMMENT = re.compile(r"\s*(?:#(?!\{)|//|;|--\s)")
_NOT_OURS = frozenset(("v", "vv", "f", "h", "config", "force", "trace", "snapshot"))
"""Flags that many programs have."""


def _pattern() -> re.Pattern[str]:
    flags = sorted(flag.name for flag in FLAGS if flag.fate != COMMAND and flag.name not in _NOT_OURS)
    names = "|".join(map(re.escape, flags))
    variables = "|".join(sorted(flag.variable for flag in FLAGS if flag.variable))
    return re.compile(
        rf"(?<![\w-])--?(?:{names})(?![\w-])"  # -peer-addr, and "-peer-addr", of a list
        rf"|\b(?:{variables})\b"
    )


def setting_lines(text: str) -> list[int]:
    """The lines, from 1, that set something of etcd where a file is surely about 0.4; none where it is not."""
    sure = lines_of_04(text)
    if not sure and not holds_settings_of_04(text):
        return []
    pattern = _pattern()
    lines = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if pattern.search(line) and not _COMMENT.match(line)
    ]
    return sorted({*sure, *lines})


def is_a_program_that_starts_04(text: str) -> bool:
    """Stricter, for sources of programs, which may drive etcd without starting it."""
    return bool(lines_of_04(text))


def not_read(text: str) -> NotRead | None:
    """What there is to say of a text that sets up etcd 0.4; None of any other."""
    lines = setting_lines(text)
    return NotRead(said_of(lines), lines[0]) if lines else None


def refuse(text: str) -> None:
    """Raises NotRead for a text that sets up etcd 0.4."""
    if (error := not_read(text)) is not None:
        raise error


def remedy(text: str) -> str:
    """How to have it converted: by the command itself where a line of it stands there as a shell reads it."""
    start = find_start(text)
    words = shlex.join(start.words) if start is not None and start.words else "etcd FLAGS"
    return f"Convert the settings separately, and insert the result: migrate02 convert -- {words}"


def said_of(lines: list[int]) -> str:
    """What is said of such a file; the place is its first line."""
    where = f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"
    return f"Not changed: this kind of file is not converted, and it sets up etcd 0.4 in {where}"
