"""What ``migrate02 explain`` has to do with a word that is none of its subjects. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compat.flags04 import BY_SHORT, BY_TOML, BY_VARIABLE
from compat.flags04 import FLAGS as FLAGS_04
from compat.flags2x import FLAGS as FLAGS_2X
from migrate02.errortexts import ERROR_TEXTS
from migrate02.findings import CODES

WIDTH = 100
LEAST = 3
"""Letters of a word that is looked for."""


def search(word: str) -> list[str]:
    """A line for each code, flag and error of etcd's that is about the word: those that have it in their names and
    titles, else those that tell of it."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_-]{{{LEAST - 1},40}}", word):
        return []
    begins = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)
    found = [(name, title) for name, title, _ in _subjects() if begins.search(f"{name} {title}")]
    found = found or [(name, title) for name, title, story in _subjects() if begins.search(story)]
    width = max((len(name) for name, _ in found if len(name) < WIDTH // 2), default=0)
    return [_short(f"{name:{width}}  {title}".rstrip()) for name, title in found]


def names() -> Iterator[str]:
    """All that has a story of its own."""
    yield from CODES
    for flag in FLAGS_04:
        yield f"-{flag.name}"
    yield from (f"--{flag.name}" for flag in FLAGS_2X)
    yield from (f"-{name}" for name in BY_SHORT)
    yield from BY_VARIABLE
    yield from BY_TOML


def _subjects() -> Iterator[tuple[str, str, str]]:
    """Name, title and story of each."""
    for code in CODES.values():
        yield code.name, code.title, code.story
    for old in FLAGS_04:
        yield f"-{old.name}", f"0.4: {old.meaning}", old.dropped
    of_04 = {old.name for old in FLAGS_04}
    for new in FLAGS_2X:
        if new.name not in of_04:
            yield f"--{new.name}", f"etcd {new.first} and later", new.note
    for row in ERROR_TEXTS:
        yield f"'{row.text}'", "", row.meaning


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
