"""Which lines differ between two texts. In time that is in proportion to them, whatever they are. Pure.

What is quadratic in ``difflib`` is done between lines only that are few, or that both texts have once: those tell what
belongs together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Opcode = tuple[str, int, int, int, int]
"""As difflib's: ``equal``, ``replace``, ``insert`` or ``delete``, the lines of the one and those of the other."""

_FEW = 400
"""Lines of both together."""


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """How the one becomes the other, in order."""
    blocks = [*_equal(old, new), (len(old), len(new), 0)]
    found: list[Opcode] = []
    i = j = 0
    for at, there, size in blocks:
        if at > i or there > j:
            tag = "replace" if at > i and there > j else "delete" if at > i else "insert"
            found.append((tag, i, at, j, there))
        if size and found and found[-1][0] == "equal" and (found[-1][2], found[-1][4]) == (at, there):
            found[-1] = ("equal", found[-1][1], at + size, found[-1][3], there + size)
        elif size:
            found.append(("equal", at, at + size, there, there + size))
        i, j = at + size, there + size
    return found


def _equal(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of lines that are the same: where they begin in both, and how many they are."""
    todo = [(0, len(old), 0, len(new))]
    while todo:
        i1, i2, j1, j2 = todo.pop()
        first = i1
        while i1 < i2 and j1 < j2 and old[i1] == new[j1]:
            i1, j1 = i1 + 1, j1 + 1
        if i1 > first:
            yield first, j1 - (i1 - first), i1 - first
        last = i2
        while i1 < i2 and j1 < j2 and old[i2 - 1] == new[j2 - 1]:
            i2, j2 = i2 - 1, j2 - 1
        if last > i2:
            todo.append((i2, last, j2, j2 + last - i2))  # equal to its end, and found so when its turn comes
        if i1 == i2 or j1 == j2:
            continue
        if i2 - i1 + j2 - j1 <= _FEW:
            matcher = SequenceMatcher(None, old[i1:i2], new[j1:j2], autojunk=False)
            for a, b, size in matcher.get_matching_blocks()[:-1]:
                yield i1 + a, j1 + b, size
            continue
        anchors = _anchors(old, new, (i1, i2, j1, j2))
        gaps = []
        for at, there in anchors:
            gaps.append((i1, at, j1, there))
            i1, j1 = at, there
        if anchors:
            gaps.append((i1, i2, j1, j2))
            todo += reversed(gaps)


def _anchors(
    old: Sequence[str], new: Sequence[str], where: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Lines that both have once, as many as stand in the same order in both."""
    i1, i2, j1, j2 = where
    in_old, in_new = Counter(old[i1:i2]), Counter(new[j1:j2])
    places = {new[at]: at for at in range(j1, j2) if in_new[new[at]] == 1 and in_old[new[at]] == 1}
    pairs = [(at, places[old[at]]) for at in range(i1, i2) if old[at] in places]
    tails: list[int] = []  # of the best row of each length, the least last place in the new text
    rows: list[tuple[int, int]] = []  # the pair at the end of that row
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for pair in pairs:
        length = bisect_left(tails, pair[1])
        before[pair] = rows[length - 1] if length else None
        if length == len(tails):
            tails.append(pair[1])
            rows.append(pair)
        else:
            tails[length], rows[length] = pair[1], pair
    found: list[tuple[int, int]] = []
    last = rows[-1] if rows else None
    while last is not None:
        found.append(last)
        last = before[last]
    return found[::-1]


def unified(old: Sequence[str], new: Sequence[str], old_name: str, new_name: str) -> Iterator[str]:
    """A unified diff, with three lines around each change; nothing when there is none."""
    matcher = SequenceMatcher(None, "", "")
    matcher.opcodes = opcodes(old, new)  # type: ignore[attr-defined]
    for number, group in enumerate(matcher.get_grouped_opcodes(3)):
        if not number:
            yield f"--- {old_name}\n"
            yield f"+++ {new_name}\n"
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (f" {line}" for line in old[i1:i2])
            else:
                yield from (f"-{line}" for line in old[i1:i2])
                yield from (f"+{line}" for line in new[j1:j2])


def _range(start: int, stop: int) -> str:
    """Of lines from 1; an empty one begins with the line before it."""
    size = stop - start
    return f"{start + 1}" if size == 1 else f"{start + bool(size)},{size}"
