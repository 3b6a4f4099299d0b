"""Backslashes, as most languages write what a text cannot say by itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable


def without_backslash(found: str) -> str:
    return found[1:]


def with_backslash(found: re.Match[str]) -> str:
    return "\\" + found[0]


def of_c(said: str, letters: dict[str, str], unknown: Callable[[str], str]) -> str:
    """One escape of C: a letter, or the number of a character."""
    letter, digits = said[1], said[2:]
    if letter in letters:
        return letters[letter]
    if letter in "xuU" and digits:
        return _character(int(digits, 16))
    if letter in "01234567":
        return _character(int(said[1:], 8) & 0xFF)
    return unknown(said)


def _character(number: int) -> str:
    try:
        return chr(number)
    except (ValueError, OverflowError):
        return "\ufffd"
