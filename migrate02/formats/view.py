"""A text inside another one: what a YAML scalar or a quoted word says, and where in the file each character stands.

An edit of the inner text becomes one of the file, with the quoting and the indentation that it needs there. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """Put ``text`` in the place of the characters from ``start`` to before ``end``."""

    start: int
    end: int
    text: str


class Overlap(ValueError):
    """Two edits want the same characters."""


def as_it_is(text: str) -> str:
    return text


class View:
    """``offsets`` has, for each character of ``text`` and for its end, where it stands in ``outer``; none for a whole
    file, which is called ``name``. ``encode`` writes a piece of text as it must stand in ``outer``."""

    __slots__ = ("encode", "name", "offsets", "outer", "text")

    def __init__(
        self,
        text: str,
        name: str,
        outer: View | None = None,
        offsets: Sequence[int] = (),
        encode: Callable[[str], str] = as_it_is,
    ) -> None:
        self.text = text
        self.name = name
        self.outer = outer
        self.offsets = offsets
        self.encode = encode

    def inside(self, text: str, offsets: Sequence[int], encode: Callable[[str], str] = as_it_is) -> View:
        return View(text, self.name, self, offsets, encode)

    def part(self, start: int, end: int, encode: Callable[[str], str] = as_it_is) -> View:
        """A run of this text as a text of its own."""
        return self.inside(self.text[start:end], range(start, end + 1), encode)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The edit of the whole file that makes this one here."""
        if self.outer is None:
            return Edit(start, end, text)
        return self.outer.edit(self.offsets[start], self.offsets[end], self.encode(text))

    @property
    def whole(self) -> View:
        """The file."""
        return self if self.outer is None else self.outer.whole

    def offset(self, at: int) -> int:
        """Where in the whole file the character stands."""
        return at if self.outer is None else self.outer.offset(self.offsets[at])

    def line(self, at: int) -> int:
        """The line of the file, from 1."""
        whole = self
        while whole.outer is not None:
            at, whole = whole.offsets[at], whole.outer
        return whole.text.count("\n", 0, at) + 1


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made, in whatever order they come. Raises Overlap."""
    parts = []
    at = 0
    for edit in sorted(set(edits)):
        if edit.start < at:
            raise Overlap(f"characters {edit.start} to {at}")
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])
