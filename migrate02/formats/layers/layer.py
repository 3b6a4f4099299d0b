"""What every layer is: a pattern of what does not stand for itself, and how a text is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from migrate02.formats.document import UnusableInput
from migrate02.formats.placeholders import LITERAL, MARKER, PLACEHOLDER, placeholder, segments, unmask
from migrate02.formats.view import View


class CannotHold(UnusableInput):
    """A layer has no way to say a text."""


class Decoded(NamedTuple):
    """``offsets`` has, for each character of ``text`` and for its end, where it stands in the outer text."""

    text: str
    offsets: Sequence[int]


def as_it_is(text: str) -> str:
    return text


class Layer(NamedTuple):
    """``token`` matches, in the outer text, what does not stand for itself: a group ``placeholder`` for what is filled
    in, ``gone`` for what is dropped, ``escape`` for what ``unescape`` reads. ``escape`` writes a run of the inner
    text; ``fill`` what is filled in. ``refused`` matches what cannot be held, ``refused_first`` what cannot begin a
    line."""

    name: str
    token: str
    unescape: Callable[[str], str] = as_it_is
    escape: Callable[[str], str] = as_it_is
    fill: Callable[[str], str] = as_it_is
    refused: str = ""
    refused_first: str = ""

    def decode(self, text: str, level: int = 1, *, start: int = 0, end: int | None = None) -> Decoded:
        """A run of the outer text, its offsets counted from the beginning of ``text``. Markers in it are handed on."""
        end = len(text) if end is None else end
        parts: list[str] = []
        offsets: list[int] = []
        at = start
        for found in _compiled(self.token).finditer(text, start, end):
            first, after = found.span()
            if first > at:
                parts.append(text[at:first])
                offsets += range(at, first)
            at = after
            kind = found.lastgroup
            if kind == "marker":
                parts.append(found[0])
                offsets += range(first, after)
                continue
            if kind == "gone":
                continue
            said = placeholder(found[0], level) if kind == "placeholder" else self.unescape(found[0])
            parts.append(said)
            offsets += [first] * len(said)
        if at == start:  # it all stands for itself
            return Decoded(text[start:end], range(start, end + 1))
        parts.append(text[at:end])
        offsets += range(at, end + 1)
        return Decoded("".join(parts), offsets)

    def encode(self, text: str, level: int = 1, *, first: bool = True) -> str:
        """``first``: the text begins a line of the inner one. Raises CannotHold."""
        if self.refused and (odd := _compiled(self.refused).search(text)):
            raise CannotHold(f"{self.name} cannot hold {unmask(odd[0])!r}")
        if first and self.refused_first and (odd := _compiled(self.refused_first).match(text)):
            raise CannotHold(f"{self.name} cannot begin with {unmask(odd[0])!r}")
        if "${_m" not in text:
            return self.escape(text)
        return "".join(
            self.escape(said) if kind == LITERAL else self.fill(said) if kind == PLACEHOLDER else said
            for kind, said in segments(text, level)
        )

    def inside(self, view: View, start: int, end: int) -> View:
        """What a run of a text says, as a text of its own."""
        level = view.depth + 1
        said = self.decode(view.text, level, start=start, end=end)

        def encode(text: str, first: bool) -> str:
            return self.encode(text, level, first=first)

        return view.inside(said.text, said.offsets, encode)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is first needed: most files need few layers."""
    return re.compile(pattern, re.DOTALL)


def token(pattern: str) -> str:
    return f"(?P<marker>{MARKER})|{pattern}"


AS_IT_IS = Layer("a text that stands for itself", token(r"(?!)(?P<gone>)"))
