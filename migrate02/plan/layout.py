"""Where the boxes of a picture stand: members on a ring or in rows, all others in rows below them. Pure geometry."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import NamedTuple

MARGIN, HEADING = 24, 44
"""Around a panel, and above its boxes; in units of the picture."""


class Shape(NamedTuple):
    """Of every box of a picture, and the room between two of them."""

    width: float
    height: float
    gap: float


class Layout(NamedTuple):
    """The middles of the boxes, those of the members first, and the size of the panel around them."""

    middles: tuple[tuple[float, float], ...]
    width: float
    height: float


def laid_out(members: int, others: int, shape: Shape, columns: int = 0) -> Layout:
    """Members stand on a ring, or in rows where the number of ``columns`` is given."""
    above = _in_rows(members, columns, shape) if columns else _on_ring(members, shape)
    middle = max((x for x, _ in above), default=0.0)
    per_row = columns or max(1, int((2 * middle + shape.width + shape.gap) // (shape.width + shape.gap)))
    below = _in_rows(others, per_row, shape)
    if above and below:
        down = max(y for _, y in above) + shape.height + 2 * shape.gap
        below = [(x, y + down) for x, y in below]
    found = [*above, *below] or [(0.0, 0.0)]
    left, top = (min(middle[side] for middle in found) for side in (0, 1))
    right, bottom = (max(middle[side] for middle in found) for side in (0, 1))
    to_right, to_bottom = MARGIN + shape.width / 2 - left, HEADING + MARGIN + shape.height / 2 - top
    return Layout(
        tuple((x + to_right, y + to_bottom) for x, y in (*above, *below)),
        right - left + shape.width + 2 * MARGIN,
        bottom - top + shape.height + HEADING + 2 * MARGIN,
    )


def _in_rows(count: int, per_row: int, shape: Shape) -> list[tuple[float, float]]:
    """Middles around x = 0, from y = 0 on; a row that is not full stands in the middle."""
    middles = []
    for at in range(count):
        row, column = divmod(at, per_row)
        in_this = min(per_row, count - row * per_row)
        x = (column - (in_this - 1) / 2) * (shape.width + shape.gap)
        middles.append((x, row * (shape.height + shape.gap)))
    return middles


def _on_ring(count: int, shape: Shape) -> list[tuple[float, float]]:
    """Middles on the smallest ellipse of a pleasant shape that so many boxes stand on without touching."""
    if count <= 2:
        return _around(count, (shape.width / 2 + shape.gap) * (count - 1), 0.0)
    size = 1.0
    while not _is_clear(_sized(count, shape, size), shape):
        size *= 1.04
    return _sized(count, shape, size)


def _sized(count: int, shape: Shape, size: float) -> list[tuple[float, float]]:
    return _around(count, shape.width * 0.3 * size, shape.height * 0.6 * size)


def _around(count: int, rx: float, ry: float) -> list[tuple[float, float]]:
    """Middles around 0, 0, clockwise from the top; two stand side by side."""
    start = pi if count == 2 else -pi / 2
    turns = (start + 2 * pi * number / count for number in range(count))
    return [(rx * cos(turn), ry * sin(turn)) for turn in turns]


def _is_clear(middles: Sequence[tuple[float, float]], shape: Shape) -> bool:
    return all(
        abs(x - other_x) >= shape.width + shape.gap or abs(y - other_y) >= shape.height + shape.gap
        for at, (x, y) in enumerate(middles)
        for other_x, other_y in middles[at + 1 :]
    )
