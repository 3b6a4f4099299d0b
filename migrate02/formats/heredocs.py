"""Here-documents, wherever they stand: in scripts, in Terraform's language, in Ruby. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

_HERE = re.compile(r"<<[-~]?[\"']?([A-Za-z_]\w*+)[\"']?(?:(?!<<)[^\n])*+\n")
_FIRST_WORD = re.compile(r"(?m)^[ \t]*+(\w++)")


def bodies(text: str) -> Iterator[tuple[int, int]]:
    """Where the texts of here-documents begin and end, those without an end left out."""
    if "<<" not in text:
        return
    ends: dict[str, list[int]] = {}
    for word in _FIRST_WORD.finditer(text):
        ends.setdefault(word[1], []).append(word.start())
    at = 0
    while here := _HERE.search(text, at):
        at = here.end()
        places = ends.get(here[1], [])
        after = bisect_left(places, at)
        if after < len(places):
            yield at, places[after]
            at = places[after]


def without_bodies(text: str) -> str:
    """What stands around them: what kind of file a text is says the text itself, not one inside it."""
    parts = []
    at = 0
    for start, end in bodies(text):
        parts.append(text[at:start])
        at = end
    return "".join([*parts, text[at:]]) if parts else text
