"""What ``echo`` and ``printf`` write to a file, as a text of its own. Pure."""

from __future__ import annotations

import re

from migrate02.formats.layers.printing import ECHO, PRINTF
from migrate02.formats.scripts.scan import Command
from migrate02.formats.starts.words import Word, inner
from migrate02.formats.view import View

_OPTIONS = re.compile(r"-[neE]+")
_OF_BASH = re.compile(r"#![^\n]*\bbash\b")
_AS_IT_IS = frozenset(("%s", "%s\\n", "%b", "%b\\n"))
"""Formats of ``printf`` that print one argument."""


def written_by(command: Command) -> View | None:
    """None for any other command, and for what only a shell could tell."""
    name, *said = command.words
    if not command.target or name.text not in ("echo", "printf"):
        return None
    return _by_echo(said) if name.text == "echo" else _by_printf(said)


def _by_echo(words: list[Word]) -> View | None:
    escapes = False
    while words and _OPTIONS.fullmatch(words[0].raw):
        escapes = "e" in words.pop(0).raw
    if len(words) != 1:
        return None
    text = inner(words[0])
    if escapes:
        return ECHO.inside(text, 0, len(text.text))
    # Of a backslash some shells make something else, others do not.
    return text if "\\" not in text.text or _OF_BASH.match(text.whole.text) else None


def _by_printf(words: list[Word]) -> View | None:
    if len(words) == 2 and words[0].text in _AS_IT_IS:
        text = inner(words[1])
        return text if words[0].text[:2] == "%s" else ECHO.inside(text, 0, len(text.text))
    if len(words) != 1:
        return None
    text = inner(words[0])
    return PRINTF.inside(text, 0, len(text.text))
