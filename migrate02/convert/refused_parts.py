"""What belongs to a refused file stays as it is: no start of etcd is converted without a part of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from compat.settings import FILE, Origin
from migrate02.convert.conversion import Conversion, unchanged
from migrate02.convert.findings import WITH_A_REFUSED_ONE


def left_with_refused(
    conversions: Mapping[str, Conversion], refused: Mapping[str, Collection[str]]
) -> dict[str, Conversion]:
    """``refused`` has the refused files that belong to one, by its name. What would change together with it stays,
    too."""
    nodes: dict[str, set[str]] = {}
    for name, parts in refused.items():
        item = conversions.get(name)
        if item is not None and item.changed and parts:
            nodes.setdefault(item.node or name, set()).update(parts)
    return {
        name: _left(item, sorted(nodes[item.node or name])) if (item.node or name) in nodes else item
        for name, item in conversions.items()
    }


def _left(item: Conversion, parts: Collection[str]) -> Conversion:
    """What else there was to say is about a change that is not made."""
    because = WITH_A_REFUSED_ONE.finding("", Origin(FILE, item.name, item.name), files=", ".join(parts))
    return unchanged(item.name, item.before, [because])
