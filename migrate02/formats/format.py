"""What a format is: what it is called, the sign that its files bear, and a reader of one signature for all. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from migrate02.formats.heredocs import without_bodies
from migrate02.formats.reading import NOTHING, FileNamed, Reading
from migrate02.formats.view import View

if TYPE_CHECKING:
    from migrate02.formats.starts.variables import Assigned

Sourced = Callable[[str], View | None]
"""Finds a file that is taken in, by its path on the machine it is for."""
Embedded = Callable[[View, str], Reading]
"""(a text inside another one, the path it is to be put at) -> what it holds, of whatever format it is."""


def no_files(_path: str) -> None:
    """Where no other file is known."""


def no_texts(_view: View, _path: str) -> Reading:
    """Where texts inside are not read."""
    return NOTHING


class Context(NamedTuple):
    """What is known around a text. ``era`` is given where it is known. Commands are started with the variables
    ``assigned`` and those of ``files``; ``hostname`` is how their host's name can be said there, empty for the format's
    own way."""

    era: str = ""
    sourced: Sourced = no_files
    embedded: Embedded = no_texts
    hostname: str = ""
    assigned: Sequence[Assigned] = ()
    files: tuple[FileNamed, ...] = ()


AROUND, WHOLE, CODE = "around", "whole", "code"
"""Where a sign is looked for: in what stands around here-documents, which may hold files of other formats; in the whole
text; or where the first line begins that is neither blank nor a comment."""

_LEADING_COMMENTS = r"\s*+(?:#[^\n]*+(?:\n\s*+|\Z))*+"


class Text:
    """A text as signs are looked for in it, each part of it made once."""

    def __init__(self, whole: str) -> None:
        self.whole = whole

    @cached_property
    def around(self) -> str:
        return without_bodies(self.whole)

    @cached_property
    def code(self) -> str:
        """Without leading comments, and the blanks before the first line behind them."""
        begin = re.match(_LEADING_COMMENTS, self.whole)
        return self.whole[begin.end() :] if begin else self.whole


@cache
def _compiled(sign: str) -> re.Pattern[str]:
    """When it is first looked for: most texts are looked at for few signs."""
    return re.compile(sign)


def _has_one_of(hints: Sequence[str], text: str) -> bool:
    for hint in hints:  # noqa: SIM110  # a generator for any() takes as long as all the rest
        if hint in text:
            return True
    return False


class Format(NamedTuple):
    """A kind of file. Its reader is ``read(view, context) -> Reading`` in the module that has its name, without dashes.

    ``title`` is what messages call it. ``sign`` is a pattern that texts of this format alone bear, ``weak_sign`` one
    that others may bear too: it counts where no other format is found. ``hints`` and ``weak_hints``: one of these words
    is in every text with that sign, and much quicker to look for. ``begins``: no text of settings and nothing else
    begins so; nor is the sign anywhere in one where that is ``certain``. A format that is not ``offered`` has no name
    for --format.
    """

    name: str
    title: str
    sign: str = ""
    weak_sign: str = ""
    aliases: tuple[str, ...] = ()
    looks_at: str = AROUND
    hints: tuple[str, ...] = ()
    weak_hints: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    certain: bool = False
    offered: bool = True

    def is_sure_of(self, text: Text) -> bool:
        return bool(self.sign) and self._finds(self.sign, self.hints, text)

    def may_be(self, text: Text) -> bool:
        return bool(self.weak_sign) and self._finds(self.weak_sign, self.weak_hints, text)

    def _finds(self, sign: str, hints: Sequence[str], text: Text) -> bool:
        part: str = getattr(text, self.looks_at)
        if hints and not _has_one_of(hints, part):
            return False
        pattern = _compiled(sign)
        return (pattern.match(part) if self.looks_at == CODE else pattern.search(part)) is not None

    def read(self, view: View, context: Context) -> Reading:
        """What the text holds. Raises UnusableInput when it is not of this format."""
        module = import_module(f"migrate02.formats.{self.name.replace('-', '')}")
        reading: Reading = module.read(view, context)
        return reading
