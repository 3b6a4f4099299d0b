"""Texts that come from outside, as they may be shown in a line to a person. Text to text.

Names, paths and values may hold anything: one with a line end in it could pass for a line of a log, one with an escape
sequence could control the terminal of the reader.
"""

from __future__ import annotations

import re

from server.config.urls import redacted

_ODD = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, ends a line, turns the direction of writing, or is not a character."""
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """The text in one line that does nothing to a terminal; what is odd in it is shown as an escape, a byte that is no
    UTF-8 as ``\\xff``."""
    return _ODD.sub(_escaped, text) if _ODD.search(text) else text


def printable_lines(text: str) -> str:
    """The same of each line of a text."""
    return "\n".join(map(printable, text.split("\n")))


def shown(text: str) -> str:
    """The text in one such line, and no password of a URL in it: whatever is printed for a person goes through here."""
    return printable(redacted(text))


def shown_lines(text: str) -> str:
    """The same of each line of a text."""
    return printable_lines(redacted(text))


def _escaped(found: re.Match[str]) -> str:
    if found[0] in _SHORT:
        return _SHORT[found[0]]
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
