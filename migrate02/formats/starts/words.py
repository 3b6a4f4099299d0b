"""Words and where they stand, as the programs that split command lines see them; see ``dialects``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from migrate02.formats.placeholders import TEMPLATE
from migrate02.formats.view import View


class Dialect(NamedTuple):
    """How words are told apart, written, and put behind each other. ``mask`` matches placeholders."""

    blank: str
    part: str
    unquote: Callable[[str], str]
    quote: Callable[[str, str, int], str]
    """(text, the raw word it takes the place of, the level of its markers) -> as it must be written."""
    joint: str = " "
    mask: str = TEMPLATE
    inside: Callable[[View, int, int], View] = View.part
    """(text, where a word begins and ends) -> what it says, as a text of its own."""


class Word(NamedTuple):
    """``start`` and ``end`` are offsets in ``view``; ``text`` is the word without its quotes. ``lines`` are the
    lines that it has to itself, with the line end before them: an item of a list in YAML."""

    view: View
    start: int
    end: int
    text: str
    dialect: Dialect
    lines: tuple[int, int] | None = None

    @property
    def raw(self) -> str:
        return self.view.text[self.start : self.end]

    @property
    def level(self) -> int:
        """Of what is filled in in the word, see ``placeholders``."""
        return self.view.depth + 1

    def quoted(self, text: str, raw: str) -> str:
        """A text as a word in the place of a raw one of the same command."""
        return self.dialect.quote(text, raw, self.level)

    @property
    def is_expansion(self) -> bool:
        """``$ETCD_OPTS`` or ``"$@"``: may stand for any number of words."""
        raw = self.raw
        return "$" in raw and bool(re.fullmatch(r"""("?)\$(?:@|\*|\w+|\{[^{}]*\})\1""", raw))


def split(view: View, start: int, end: int, dialect: Dialect) -> list[Word]:
    """The words between two offsets; what the dialect has no part for ends them."""
    blank, part = re.compile(dialect.blank), re.compile(dialect.part, re.DOTALL)
    words: list[Word] = []
    text = view.text
    at = start
    while at < end:
        if found := blank.match(text, at, end):
            at = found.end()
            continue
        first, said = at, ""
        while at < end and (found := part.match(text, at, end)):
            said += dialect.unquote(found[0])
            at = found.end()
        if at == first:
            break
        words.append(Word(view, first, at, said, dialect))
    return words


def inner(word: Word) -> View:
    """What a word says, as a text of its own: a command for a shell, say. What is filled in in it is a marker."""
    return word.dialect.inside(word.view, word.start, word.end)
