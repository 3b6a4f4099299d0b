"""A cluster before and after, as a picture: SVG as text, to stand in a page. Pure.

There are up to three pictures, and the page shows the one for its width. The wide one has the nodes' addresses
as long as they can be read in it; what it leaves out, and what the others do, stands in the table below it.

Colours and strokes are classes that the page's style sheet fills in, so that the picture follows the page to the dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from migrate02.plan.layout import MARGIN, Layout, Shape, laid_out
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

_READABLE = 1320.0
"""How wide a picture may be: the page shows it on 1076 pixels, and its letters with it."""

_WIDTH_OF_A_LETTER = {"name": 10.0, "role": 8.0, "address": 7.2}
_LONGEST_NAME = 14
"""In letters, where a box has no room for more."""


class _Form(NamedTuple):
    """One way to draw. ``columns`` is 0 for a ring, ``between`` the room for the arrow."""

    has_addresses: bool
    columns: int
    gap: float
    between: float = 92.0


_WIDE = (_Form(True, 0, 28.0), _Form(False, 0, 20.0), _Form(False, 3, 16.0))
"""The first is taken that is not too wide to read."""
_NARROW = _Form(False, 1, 12.0, between=44.0)
_MEDIUM = _Form(False, 2, 12.0, between=44.0)
_ETCD_3 = "gateways to an etcd 3"
_MANY = 6
"""Nodes: more of them in one column fill a sheet of paper."""


class _Box(NamedTuple):
    """A node as drawn; ``kind`` is the class that gives it its colours."""

    name: str
    kind: str
    role: str
    addresses: tuple[str, ...]


class _Picture(NamedTuple):
    """Boxes of both sides in the order of the layout, of which the first ``voting`` are members."""

    form: _Form
    shape: Shape
    layout: Layout
    before: tuple[_Box, ...]
    after: tuple[_Box, ...]
    voting: int
    into: str
    """What stands above the second of them, of which the boxes are joined unless they are gateways."""

    @property
    def width(self) -> float:
        return 2 * self.layout.width + self.form.between


def diagram(plan: ClusterPlan) -> str:
    """An ``<svg>`` element for every width, each with both sides; their classes say for which."""
    wide = next((made for form in _WIDE if (made := _picture(plan, form)).width <= _READABLE), None)
    label = f"Cluster {plan.name}: on the left the nodes of etcd 0.4, on the right what they become"
    pictures = {"wide": wide or _picture(plan, _WIDE[-1])}
    if len(plan.nodes) > _MANY:
        pictures |= {"medium": _picture(plan, _MEDIUM), "narrow": _picture(plan, _NARROW)}
    else:
        pictures["medium narrow"] = _picture(plan, _NARROW)
    return "".join(_svg(picture, kind, label) for kind, picture in pictures.items())


def _picture(plan: ClusterPlan, form: _Form) -> _Picture:
    before, after = (tuple(map(side, plan.nodes)) for side in (_before, _after))
    if not form.has_addresses:
        names = _shortened([box.name for box in before])
        before, after = (
            tuple(box._replace(name=name, addresses=()) for box, name in zip(boxes, names, strict=True))
            for boxes in (before, after)
        )
    width = max((_width_of(box, form) for box in (*before, *after)), default=0.0)
    shape = Shape(width, 76.0 if form.has_addresses else 52.0, form.gap)
    layout = laid_out(len(plan.members), len(plan.proxies), shape, form.columns)
    into = "etcd 2.x" if plan.gateway is None else _ETCD_3
    return _Picture(form, shape, layout, before, after, len(plan.members), into)


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
    return _Box(node.name, "new", node.becomes, addresses)


def _addresses(peer: str, client: str) -> tuple[str, ...]:
    sides = (("peer  ", peer), ("client", client))
    return tuple(f"{what} {_short(urls)}" for what, urls in sides if urls)


def _short(urls: str) -> str:
    """The first of them, with its scheme only where it is not the usual one."""
    url = urls.split(",")[0]
    more = ",".join(f":{other.rpartition(':')[2]}" for other in urls.split(",")[1:])
    shown = address_of(url) if url.startswith("http://") else url
    return f"{shown} +{more}" if more else shown


def _shortened(names: Sequence[str]) -> list[str]:
    """Long ones end earlier, or where that would make one of two, have a gap in the middle."""
    half = _LONGEST_NAME // 2
    for first, last in ((_LONGEST_NAME - 1, 0), (half, half - 1)):
        short = [
            name if len(name) <= _LONGEST_NAME else f"{name[:first]}…{name[len(name) - last :]}"
            for name in names
        ]
        if len(set(short)) == len(set(names)):
            break
    return short


def _width_of(box: _Box, form: _Form) -> float:
    name, role = len(box.name) * _WIDTH_OF_A_LETTER["name"], len(box.role) * _WIDTH_OF_A_LETTER["role"]
    if not form.has_addresses:
        return max(name, role, 76.0) + 28
    longest = max(map(len, box.addresses), default=0) * _WIDTH_OF_A_LETTER["address"]
    return max(170.0, longest + 28, name + role + 24 + 28)


def _svg(picture: _Picture, kind: str, label: str) -> str:
    width, height = picture.width, picture.layout.height
    right = picture.layout.width + picture.form.between
    return (
        f'<svg class="{kind}" role="img" aria-label="{escape(label)}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px" xmlns="http://www.w3.org/2000/svg">\n'
        f"{_panel(picture, 'etcd 0.4', picture.before, 0.0)}{_arrow(picture)}"
        f"{_panel(picture, picture.into, picture.after, right)}</svg>\n"
    )


def _panel(picture: _Picture, heading: str, boxes: Sequence[_Box], left: float) -> str:
    layout = picture.layout
    middles = [(x + left, y) for x, y in layout.middles]
    members, others = middles[: picture.voting], middles[picture.voting :]
    lines: list[str] = []
    if not picture.form.columns and heading != _ETCD_3:
        lines += [_line(one, other, "peers") for at, one in enumerate(members) for other in members[at + 1 :]]
        lines += [_line(other, _nearest(other, members), "follows") for other in others if members]
    return (
        f'<rect class="panel" {_rectangle(left + 1, 1, layout.width - 2, layout.height - 2)} rx="14"/>\n'
        f'<text class="heading" x="{left + MARGIN:.1f}" y="34">{escape(heading)}</text>\n'
        f"{''.join(lines)}"
        f"{''.join(_drawn(box, at, picture.shape) for box, at in zip(boxes, middles, strict=True))}"
    )


def _nearest(point: tuple[float, float], others: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(others, key=lambda other: (other[0] - point[0]) ** 2 + (other[1] - point[1]) ** 2)


def _line(one: tuple[float, float], other: tuple[float, float], kind: str) -> str:
    return f'<line class="{kind}" x1="{one[0]:.1f}" y1="{one[1]:.1f}" x2="{other[0]:.1f}" y2="{other[1]:.1f}"/>\n'


def _drawn(box: _Box, middle: tuple[float, float], shape: Shape) -> str:
    left, top = middle[0] - shape.width / 2, middle[1] - shape.height / 2
    start, end, first = left + 14, left + shape.width - 14, top + (26 if len(box.addresses) > 1 else 32)
    if box.addresses:
        texts = [_text("name", start, first, box.name), _text("role", end, first, box.role)]
    else:
        texts = [
            _text("name", start, top + 22, box.name),
            _text("role below", start, top + 41, box.role),
        ]
    texts += [
        _text("address", start, first + 19 + 16 * at, line, ' xml:space="preserve"')
        for at, line in enumerate(box.addresses)
    ]
    return (
        f'<g class="node {box.kind}"><rect {_rectangle(left, top, shape.width, shape.height)} rx="10"/>'
        f"{''.join(texts)}</g>\n"
    )


def _text(kind: str, x: float, y: float, text: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'


def _rectangle(left: float, top: float, width: float, height: float) -> str:
    return f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'


def _arrow(picture: _Picture) -> str:
    left, middle = picture.layout.width + 10, picture.layout.height / 2
    right = picture.layout.width + picture.form.between - 10
    return f'<path class="arrow" d="M {left:.1f} {middle:.1f} H {right:.1f} m -11 -9 l 11 9 l -11 9"/>\n'
