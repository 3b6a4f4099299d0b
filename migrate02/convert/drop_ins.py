"""Drop-ins of systemd: which unit they are for, and what they add to it. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from itertools import takewhile

from migrate02.formats.reading import Reading


class Units:
    """The files of a run among which the unit of a drop-in is looked for."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._by_base: dict[str, list[str]] = {}
        for name in self._names:
            self._by_base.setdefault(posixpath.basename(name), []).append(name)

    def of(self, name: str) -> str | None:
        """The unit that a file is a drop-in for; None for one that is none, or where that is not clear."""
        folder = posixpath.dirname(name)
        if not folder.endswith(".service.d"):
            return None
        unit = folder.removesuffix(".d")
        if unit in self._names:
            return unit
        found = self._by_base.get(posixpath.basename(unit), ())
        near = sorted(found, key=lambda other: len(_common(other, name)), reverse=True)
        alone = len(near) == 1 or (near and len(_common(near[0], name)) > len(_common(near[1], name)))
        return near[0] if alone else None


def join(readings: dict[str, Reading], units: Units) -> None:
    """The variables of a drop-in belong to the unit that it is for."""
    for name, reading in list(readings.items()):
        unit = units.of(name)
        if unit is None or not reading.setups or not all(setup.only_variables for setup in reading.setups):
            continue
        added = [variable for setup in reading.setups for variable in setup.variables]
        reported = [finding for setup in reading.setups for finding in setup.findings]
        base = readings[unit]
        setups = [
            setup._replace(variables=[*setup.variables, *added], findings=[*setup.findings, *reported])
            for setup in base.setups
        ]
        readings[unit] = base._replace(setups=setups)
        readings[name] = reading._replace(setups=[])


def _common(left: str, right: str) -> str:
    both = (posixpath.normpath(path).split("/") for path in (left, right))
    return "/".join(
        mine for mine, other in takewhile(lambda pair: pair[0] == pair[1], zip(*both, strict=False))
    )
