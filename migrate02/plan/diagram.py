"""A cluster before and after, as a picture: SVG as text, to stand in a page. Pure.

Colours and strokes are classes that the page's style sheet fills in, so that the picture follows the page to the dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin
from typing import NamedTuple

from migrate02.plan.nodes import (
    CLIENT_URLS,
    LEADER,
    LISTEN_CLIENT_URLS,
    PEER_URLS,
    STANDBY,
    address_of,
)
from migrate02.plan.page_parts import escape
from migrate02.plan.planning import ClusterPlan, Planned

_HEIGHT, _MARGIN, _GAP, _HEADING = 76, 24, 28, 44
"""Of a node's box, around a panel, between boxes, above them; in units of the picture."""

_BETWEEN = 92
"""Between the panels: room for the arrow."""

_WIDTH_OF_A_LETTER = 7.0
"""Of the small monospaced text in a box."""


class _Box(NamedTuple):
    """A node as drawn; ``kind`` is the class that gives it its colours."""

    name: str
    kind: str
    role: str
    lines: tuple[str, ...]


class _Positioned(NamedTuple):
    box: _Box
    x: float
    y: float
    """Its middle."""


class _Panel(NamedTuple):
    """One side of the picture: who votes, on a ring, and who does not, in rows below."""

    heading: str
    ring: list[_Box]
    rows: list[_Box]


def diagram(plan: ClusterPlan) -> str:
    """One ``<svg>`` element with both sides."""
    before = _Panel(
        "etcd 0.4", [_before(node) for node in plan.members], [_before(it) for it in plan.proxies]
    )
    after = _Panel("etcd 2.x", [_after(node) for node in plan.members], [_after(it) for it in plan.proxies])
    width = max(_width_of(box) for box in (*before.ring, *before.rows, *after.ring, *after.rows))
    size = _size(before, width)
    parts = [_panel(before, 0, width), _arrow(size), _panel(after, size[0] + _BETWEEN, width)]
    label = f"Cluster {plan.name}: on the left the nodes of etcd 0.4, on the right what they become"
    whole = 2 * size[0] + _BETWEEN
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {whole:.0f} {size[1]:.0f}" '
        f'style="max-width:{whole:.0f}px" xmlns="http://www.w3.org/2000/svg">\n{"".join(parts)}</svg>'
    )


def _before(node: Planned) -> _Box:
    old = node.node
    kind = {LEADER: "leader", STANDBY: "standby"}.get(old.was, "member")
    return _Box(node.name, kind, old.was, _addresses(old.peer_url, old.client_url))


def _after(node: Planned) -> _Box:
    settings = node.settings
    if node.is_proxy:
        return _Box(node.name, "proxy", "proxy", _addresses("", settings.get(LISTEN_CLIENT_URLS, "")))
    addresses = _addresses(settings.get(PEER_URLS, ""), settings.get(CLIENT_URLS, ""))
    listens = settings.get(LISTEN_CLIENT_URLS, "").split(",")
    if len(listens) > 1:
        addresses = (*addresses[:-1], f"{addresses[-1]}  +:{listens[-1].rpartition(':')[2]}")
    return _Box(node.name, "new", "member", addresses)


def _addresses(peer: str, client: str) -> tuple[str, ...]:
    sides = (("peer  ", peer), ("client", client))
    return tuple(f"{what} {_short(urls)}" for what, urls in sides if urls)


def _short(urls: str) -> str:
    """The first of them, with its scheme only where it is not the usual one."""
    url = urls.split(",")[0]
    more = ",".join(f":{other.rpartition(':')[2]}" for other in urls.split(",")[1:])
    shown = address_of(url) if url.startswith("http://") else url
    return f"{shown} +{more}" if more else shown


def _width_of(box: _Box) -> float:
    longest = max((len(line) for line in box.lines), default=0)
    heading = len(box.name) * 9.0 + len(box.role) * 7.0 + 24
    return max(170.0, longest * _WIDTH_OF_A_LETTER + 28, heading + 28)


def _radii(count: int, width: float) -> tuple[float, float]:
    """Of the smallest ellipse of a pleasant shape that so many boxes stand on without touching."""
    if count <= 2:
        return (width / 2 + _GAP if count == 2 else 0.0), 0.0
    size = 1.0
    while not _is_clear(_around(count, width * 0.3 * size, _HEIGHT * 0.6 * size), width):
        size *= 1.04
    return width * 0.3 * size, _HEIGHT * 0.6 * size


def _is_clear(middles: Sequence[tuple[float, float]], width: float) -> bool:
    return all(
        abs(x - other_x) >= width + _GAP or abs(y - other_y) >= _HEIGHT + _GAP
        for at, (x, y) in enumerate(middles)
        for other_x, other_y in middles[at + 1 :]
    )


def _in_a_row(panel: _Panel, width: float) -> int:
    rx, _ = _radii(len(panel.ring), width)
    return max(1, int((2 * rx + width + _GAP) // (width + _GAP)))


def _size(panel: _Panel, width: float) -> tuple[float, float]:
    rx, _ = _radii(len(panel.ring), width)
    per_row = _in_a_row(panel, width)
    rows = -(-len(panel.rows) // per_row)
    top, bottom = _extent(len(panel.ring), width)
    height = _HEADING + bottom - top + _HEIGHT + 2 * _MARGIN + rows * (_HEIGHT + _GAP) + (_GAP if rows else 0)
    return 2 * rx + width + 2 * _MARGIN, height


def _on_ring(count: int, width: float) -> list[tuple[float, float]]:
    return _around(count, *_radii(count, width))


def _around(count: int, rx: float, ry: float) -> list[tuple[float, float]]:
    """Middles around 0, 0, clockwise from the top; two stand side by side."""
    start = pi if count == 2 else -pi / 2
    turns = (start + 2 * pi * number / count for number in range(count))
    return [(rx * cos(turn), ry * sin(turn)) for turn in turns]


def _extent(count: int, width: float) -> tuple[float, float]:
    heights = [y for _, y in _on_ring(count, width)] or [0.0]
    return min(heights), max(heights)


def _panel(panel: _Panel, left: float, width: float) -> str:
    total, height = _size(panel, width)
    middle = left + total / 2
    top, bottom = _extent(len(panel.ring), width)
    centre = _HEADING + _MARGIN + _HEIGHT / 2 - top
    ring = [
        _Positioned(box, middle + x, centre + y)
        for box, (x, y) in zip(panel.ring, _on_ring(len(panel.ring), width), strict=True)
    ]
    first_row = centre + bottom + _HEIGHT / 2 + 2 * _GAP + _HEIGHT / 2
    below = _rows(panel.rows, _in_a_row(panel, width), middle, first_row, width)
    lines = [_line(one, other, "peers") for at, one in enumerate(ring) for other in ring[at + 1 :]]
    lines += [_line(positioned, _nearest(positioned, ring), "follows") for positioned in below if ring]
    frame = f'<rect class="panel" {_rectangle(left + 1, 1, total - 2, height - 2)} rx="14"/>\n'
    heading = f'<text class="heading" x="{left + _MARGIN:.1f}" y="34">{escape(panel.heading)}</text>\n'
    return (
        frame
        + heading
        + "".join(lines)
        + "".join(_drawn(positioned, width) for positioned in (*ring, *below))
    )


def _rows(
    boxes: Sequence[_Box], per_row: int, middle: float, first: float, width: float
) -> list[_Positioned]:
    positioned = []
    for at, box in enumerate(boxes):
        row, column = divmod(at, per_row)
        count = min(per_row, len(boxes) - row * per_row)
        x = middle + (column - (count - 1) / 2) * (width + _GAP)
        positioned.append(_Positioned(box, x, first + row * (_HEIGHT + _GAP)))
    return positioned


def _nearest(positioned: _Positioned, ring: Sequence[_Positioned]) -> _Positioned:
    return min(ring, key=lambda other: (other.x - positioned.x) ** 2 + (other.y - positioned.y) ** 2)


def _line(one: _Positioned, other: _Positioned, kind: str) -> str:
    return f'<line class="{kind}" x1="{one.x:.1f}" y1="{one.y:.1f}" x2="{other.x:.1f}" y2="{other.y:.1f}"/>\n'


def _drawn(positioned: _Positioned, width: float) -> str:
    box, left, top = positioned.box, positioned.x - width / 2, positioned.y - _HEIGHT / 2
    first = top + (26 if len(box.lines) > 1 else 32)
    rows = "".join(
        f'<text class="address" x="{left + 14:.1f}" y="{first + 19 + 16 * at:.1f}" xml:space="preserve">'
        f"{escape(line)}</text>"
        for at, line in enumerate(box.lines)
    )
    return (
        f'<g class="node {box.kind}"><rect {_rectangle(left, top, width, _HEIGHT)} rx="10"/>'
        f'<text class="name" x="{left + 14:.1f}" y="{first:.1f}">{escape(box.name)}</text>'
        f'<text class="role" x="{left + width - 14:.1f}" y="{first:.1f}">{escape(box.role)}</text>{rows}</g>\n'
    )


def _rectangle(left: float, top: float, width: float, height: float) -> str:
    return f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'


def _arrow(size: tuple[float, float]) -> str:
    left, middle = size[0] + 18, size[1] / 2
    right = size[0] + _BETWEEN - 18
    return f'<path class="arrow" d="M {left:.1f} {middle:.1f} H {right:.1f} m -13 -10 l 13 10 l -13 10"/>\n'
