"""A text inside another one: what a YAML scalar or a quoted word says, and where in the file each character stands.

An edit of the inner text becomes one of the file, with the quoting and the indentation that it needs there. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from migrate02.formats.document import UnusableInput
from migrate02.formats.placeholders import placeholder, unmask

Made = TypeVar("Made")

MOST_SETTINGS, CHARACTERS_A_SETTING = 20_000, 8
"""So many settings may be looked at in one file, and one more for each so many characters of it. Those that are for
several starts of etcd count for each of them: what is said once and used often could else be more than anybody can wait
for."""


class TooMuch(UnusableInput):
    """A file that is made to be slow."""


class Edit(NamedTuple):
    """Put ``text`` in the place of the characters from ``start`` to before ``end``."""

    start: int
    end: int
    text: str


class Overlap(ValueError):
    """Two edits want the same characters."""


Encode = Callable[[str, bool], str]
"""(a piece of text, whether it begins a line) -> the piece as it must stand in the text around."""


def as_it_is(text: str, _first: bool) -> str:
    return text


class View:
    """``offsets`` has, for each character of ``text`` and for its end, where it stands in ``outer``; none for a whole
    file, which is called ``name``. ``encode`` writes a piece of text as it must stand in ``outer``; see ``layers``."""

    __slots__ = ("_known", "_spent", "depth", "encode", "name", "offsets", "outer", "text")

    def __init__(
        self,
        text: str,
        name: str,
        outer: View | None = None,
        offsets: Sequence[int] = (),
        encode: Encode = as_it_is,
    ) -> None:
        self.text = text
        self.name = name
        self.outer = outer
        self.depth: int = 0 if outer is None else outer.depth + 1
        """How many texts it is in."""
        self.offsets = offsets
        self.encode = encode
        self._known: dict[Any, Any] = {}
        self._spent = 0

    def once(self, make: Callable[[View], Made]) -> Made:
        """What a function makes of this text, which is done once."""
        if make not in self._known:
            self._known[make] = make(self)
        return self._known[make]  # type: ignore[no-any-return]

    def spend(self, settings: int) -> None:
        """Count settings that are looked at. Raises TooMuch when they are more than any file has."""
        whole = self.whole
        whole._spent += settings
        most = MOST_SETTINGS + len(whole.text) // CHARACTERS_A_SETTING
        if whole._spent > most:
            raise TooMuch(f"more than {most} settings, counted for every start of etcd that they are for")

    @property
    def newline(self) -> str:
        """The line end that the text uses."""
        return self.once(_newline)

    def line_around(self, start: int, end: int | None = None) -> tuple[int, int]:
        """Where the line of a place begins in this text, and where that of another place ends, before its line end."""
        starts = self.once(_line_starts)
        after = bisect_right(starts, start if end is None else end)
        last = starts[after] - 1 if after < len(starts) else len(self.text)
        return starts[bisect_right(starts, start) - 1], last

    def inside(self, text: str, offsets: Sequence[int], encode: Encode = as_it_is) -> View:
        return View(text, self.name, self, offsets, encode)

    def part(self, start: int, end: int, encode: Encode = as_it_is) -> View:
        """A run of this text as a text of its own."""
        return self.inside(self.text[start:end], range(start, end + 1), encode)

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The edit of the whole file that makes this one here."""
        if self.outer is None:
            return Edit(start, end, unmask(text))
        first = start == 0 or self.text[start - 1] == "\n"
        return self.outer.edit(self.offsets[start], self.offsets[end], self.encode(text, first))

    def as_written(self, start: int, end: int) -> str:
        """A run of blanks, with the line ends that only a text around has there: as a marker for them."""
        if self.outer is None:
            return self.text[start:end]
        first, after = self.offsets[start], self.offsets[end]
        raw = self.outer.text[first:after]
        if raw == self.text[start:end]:
            return self.outer.as_written(first, after)
        return placeholder(raw, self.depth) if "\\" in raw else self.text[start:end]

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
        return bisect_right(whole.once(_line_starts), at)

    def start_of_line(self, number: int) -> int:
        """Where a line of this text begins, counted from 1."""
        starts = self.once(_line_starts)
        return starts[number - 1] if number <= len(starts) else len(self.text)


def _line_starts(view: View) -> list[int]:
    starts = [0]
    at = view.text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = view.text.find("\n", at + 1)
    return starts


def _newline(view: View) -> str:
    return "\r\n" if "\r\n" in view.text else "\n"


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
