"""What the variables of a script hold, where that can be told without running it. Pure.

Those that are set once and plainly are seen through, and those that flags are added to, piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from migrate02.formats.placeholders import unmask
from migrate02.formats.scripts.exports import Reaching, exported, reaching
from migrate02.formats.scripts.scan import Assignment, Script
from migrate02.formats.starts.dialects import PLAIN, value_of
from migrate02.formats.starts.variables import Assigned
from migrate02.formats.starts.words import Word, split

_NAMED = re.compile(r"""("?)\$(?:\{(\w+)(?:\[[@*]\])?\}|(\w+))\1\Z""")
_ANY = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

_DEEPEST = 50
"""Variables that hold each other, one in the other."""

_LONGEST = 10_000
"""Characters of a word with its variables filled in."""

_Pieces = list[tuple[Assignment, list[Word]]]
"""What a variable holds, by the assignments that add it."""


class KnownVariables:
    """A script with what its sourced files set, and what is found out about that. ``assignments`` are by name."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.assignments: Mapping[str, list[Assignment]] = _by_name(script)
        self.pieces: dict[str, _Pieces | None] = {}
        self.values: dict[str, str | None] = {}

    @cached_property
    def exported(self) -> list[Assigned]:
        """Variables of etcd's that reach every program that the script starts."""
        return exported(self.script)

    @cached_property
    def reaching(self) -> list[Reaching]:
        """All that reach them, those whose values cannot be told too."""
        return reaching(self.script)

    @cached_property
    def unknown(self) -> list[Reaching]:
        """Those whose values cannot be told."""
        exported = {item.name for item in self.exported}
        return [item for item in self.reaching if item.name not in exported]


def together(script: Script, others: Sequence[Script]) -> Script:
    """A script with what the files that it takes in set and export, the last one first."""
    return script._replace(
        assignments=[item for one in (*reversed(others), script) for item in one.assignments],
        exports=[item for one in (*others, script) for item in one.exports],
        exports_all=any(one.exports_all for one in (script, *others)),
    )


def _by_name(script: Script) -> dict[str, list[Assignment]]:
    found: dict[str, list[Assignment]] = {}
    for item in script.assignments:
        found.setdefault(item.name, []).append(item)
    return found


def seen_through(words: Sequence[Word], known: KnownVariables) -> tuple[list[Word], list[tuple[str, int]]]:
    """The words with plain variables in place of their names, and the pieces that are added only at times."""
    found: list[Word] = []
    at_times: list[tuple[str, int]] = []
    for word in words:
        match = _NAMED.match(unmask(word.raw))
        pieces = _pieces(match[2] or match[3], known) if match else None
        if pieces is None:
            found.append(word)
            continue
        word.view.spend(len(pieces) + sum(len(inside) for _, inside in pieces))
        for assignment, inside in pieces:
            if assignment.conditional:
                said = " ".join(one.text for one in inside)
                if said:
                    at_times.append((said, assignment.start))
            else:
                found += inside
    return found, at_times


def _pieces(name: str, known: KnownVariables, depth: int = 0) -> _Pieces | None:
    """What a variable holds, piece by piece; None when that cannot be told or is no list of flags. It is ``depth``
    variables deep in the one that is asked for; what it holds itself, in whatever way, cannot be told."""
    if name not in known.pieces:
        known.pieces[name] = None
        if depth < _DEEPEST:
            known.pieces[name] = _pieces_of(name, known, depth)
    return known.pieces[name]


def _pieces_of(name: str, known: KnownVariables, depth: int) -> _Pieces | None:
    items = known.assignments.get(name, [])
    if not items or sum(not _adds(item) for item in items) > 1:
        return None
    pieces = [(item, _words_of(item, known, depth + 1)) for item in items]
    first = next((word for _, inside in pieces for word in inside), None)
    return pieces if first is None or first.text.startswith("-") else None


def _words_of(item: Assignment, known: KnownVariables, depth: int) -> list[Word]:
    """The words that an assignment adds, those of other variables in the place of their names."""
    if item.value.is_array:
        return [word for word in item.value.words if not _refers_to(word, item.name)]
    view = value_of(item.value.words[0])
    found: list[Word] = []
    for word in split(view, 0, len(view.text), PLAIN):
        if _refers_to(word, item.name):
            continue
        match = _NAMED.match(word.raw)
        deeper = _pieces(match[2] or match[3], known, depth) if match else None
        if deeper is not None and not any(assignment.conditional for assignment, _ in deeper):
            view.spend(sum(len(run) for _, run in deeper))
            found += [inside for _, run in deeper for inside in run]
        else:
            found.append(word)
    return found


def _adds(item: Assignment) -> bool:
    """``A="$A more"`` and ``A+=" more"``."""
    return item.adds or any(
        _refers_to(word, item.name) or f"${item.name}" in word.raw.replace("{", "")
        for word in item.value.words
    )


def _refers_to(word: Word, name: str) -> bool:
    match = _NAMED.match(word.raw)
    return match is not None and name in (match[2], match[3])


def filled_in(text: str, known: KnownVariables, depth: int = 0) -> str:
    """A text with its plain variables filled in."""
    left = _LONGEST

    def value(match: re.Match[str]) -> str:
        nonlocal left
        said = _value(match[1] or match[2], known, depth)
        if said is None or len(said) > left:
            return match[0]
        left -= len(said)
        return said

    return _ANY.sub(value, unmask(text)) if "$" in text else text


def comparable(text: str, known: KnownVariables) -> str:
    """A value as it is held against those of other nodes, see ``Setup.resolve``."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        said = _value(name, known, 0)
        if said is None or len(said) > _LONGEST:
            return match[0]
        return f"<{name}>" if "$" in said or "`" in said else said

    return _ANY.sub(value, unmask(text)) if "$" in text else text


def _value(name: str, known: KnownVariables, depth: int) -> str | None:
    """A variable that is set once and plainly. As in ``_pieces``, none holds itself."""
    if name not in known.values:
        known.values[name] = None
        items = known.assignments.get(name, [])
        plain = len(items) == 1 and not items[0].value.is_array and not items[0].conditional
        if plain and depth < _DEEPEST:
            known.values[name] = filled_in(items[0].value.words[0].text, known, depth + 1)
    return known.values[name]
