"""Statements of templates, and the blocks between them: what is there only at times, once the file is filled in.

Of Jinja and Liquid (``{% if %}``), ERB and EPP (``<% if %>``), Go and Handlebars (``{{ if }}``, ``{{#if}}``). What only
puts a value in is no statement, see ``placeholders``. Pure.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from migrate02.formats.view import View

_STATEMENT = re.compile(
    r"\{%[-+]?\s*+(?P<jinja>\w++)(?:(?!\{%|%\})[^\n])*+%\}"
    r"|<%-?(?![=#%])\s*+(?P<ruby>(?:(?!<%|-?%>)[^\n])*+)\s*+-?%>"
    r"|\{\{[-~]?\s*+(?P<go>(?:if|else|end|range|with|block|define)\b|[#^/]\s*+\w++)(?:(?!\{\{|\}\})[^\n])*+\}\}"
)
_OPENS = re.compile(
    r"(?:if|ifchanged|unless|for|each|case|while|until|begin|range|with|block|define|filter|macro|call|tablerow)\b"
    r"|[#^]|.*(?:\bdo\b(?:\s*\|[^|]*\|)?|\{(?:\s*\|[^|]*\|)?)\Z"
)
_DIVIDES = re.compile(
    r"(?:else|elif|elsif|elseif|elsunless|when|empty|rescue|ensure)\b|\}\s*(?:else|elsif)\b"
)
_CLOSES = re.compile(r"(?!end(?:raw|set|verbatim)\b)end\w*\b|/|\}")


class Statement(NamedTuple):
    """``at`` is where it stands; ``depth`` how many blocks are open behind it; ``decides`` says that it opened, divided
    or closed one."""

    text: str
    at: int
    depth: int
    decides: bool

    @property
    def words(self) -> str:
        """What is said of a text whose settings hang on it."""
        return f"Not changed: {self.text} decides which settings exist when the template is filled in"


def may_be_template(text: str) -> bool:
    """Cheap, and true of every template that has statements."""
    return "{%" in text or "<%" in text or "{{" in text


def statements(text: str) -> list[Statement]:
    """All of them, in order."""
    found: list[Statement] = []
    depth = 0
    for match in _STATEMENT.finditer(text) if may_be_template(text) else ():
        said = match["jinja"] or (match["ruby"] or "").rstrip() or match["go"] or ""
        decides = True
        if _DIVIDES.match(said):
            pass
        elif _CLOSES.match(said):
            depth = max(depth - 1, 0)
        elif _OPENS.match(said):
            depth += 1
        else:
            decides = False  # it sets a variable, or includes a file
        found.append(Statement(match[0], match.start(), depth, decides))
    return found


def deciding(text: str) -> Statement | None:
    """The first statement that decides what of the text is there."""
    return next((one for one in statements(text) if one.decides), None)


class Blocks:
    """The blocks of a text, for telling whether two things in it are always there together."""

    def __init__(self, text: str) -> None:
        self._deciding = [one for one in statements(text) if one.decides]
        self._at = [one.at for one in self._deciding]
        self._innermost = list(_innermost(self._deciding))
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))] if self._deciding else [0]

    @property
    def is_empty(self) -> bool:
        return not self._deciding

    def of(self, at: int) -> Statement | None:
        """The statement that decides whether a place is there: the innermost that is open; None if it always is."""
        before = bisect_right(self._at, at)
        return self._innermost[before - 1] if before else None

    def of_line(self, number: int) -> Statement | None:
        """The same for the beginning of a line, from 1."""
        return self.of(self._lines[min(number, len(self._lines)) - 1])

    def first(self, start: int, end: int) -> Statement | None:
        """The first that stands between two places and decides what is there."""
        after = bisect_left(self._at, start)
        return self._deciding[after] if after < len(self._at) and self._at[after] < end else None


def blocks(view: View) -> Blocks:
    """Those of a text that is looked at more than once."""
    return Blocks(view.text)


def _innermost(deciding: Iterable[Statement]) -> Iterator[Statement | None]:
    """Behind each statement, the one that is open."""
    open_: list[Statement] = []
    for one in deciding:
        if one.depth < len(open_):
            open_.pop()
        elif one.depth > len(open_):
            open_.append(one)
        elif open_:
            open_[-1] = one
        yield open_[-1] if open_ else None


def comments_for_lines(text: str) -> str:
    """The text with every line of nothing but statements as a YAML comment of the same length."""
    if not may_be_template(text):
        return text
    return _ONLY_STATEMENTS.sub(lambda found: found[1] + "#" * len(found[2]), text)


_ONLY_STATEMENTS = re.compile(
    r"(?m)^([ \t]*+)((?:[ \t]*+(?:\{%(?:(?!%\})[^\n])*+%\}|<%(?!=)(?:(?!%>)[^\n])*+%>|\{\{(?:(?!\}\})[^\n])*+\}\}))++)"
    r"(?=[ \t]*+\r?$)"
)
