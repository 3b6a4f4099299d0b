"""Variables that are set where a program is started, read as settings that know where they stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.flags04 import ADVERTISED, BY_VARIABLE
from compat.settings import VARIABLE, Given, Origin
from compat.variables import read_variables
from migrate02.formats.masks import TEMPLATE, mask, with_port
from migrate02.formats.places import Home, Place, Settings
from migrate02.formats.view import Edit, View


def variable_of(setting: str) -> str:
    return "ETCD_" + setting.upper().replace("-", "_")


class Named(NamedTuple):
    """A variable's name where it stands without a value, as behind ``export``; ``gone`` as in Assigned."""

    view: View
    start: int
    end: int
    gone: Edit


class Assigned(NamedTuple):
    """One ``NAME=value`` at an offset of ``view``. ``write`` makes one such from a name and a value, ``joint`` stands
    between two; ``gone`` is the edit of ``view`` that leaves none. ``named`` is where it is named besides: its new
    names have to stand there too."""

    view: View
    start: int
    end: int
    name: str
    value: str
    write: Callable[[str, str], str]
    joint: str
    gone: Edit
    mask: str = TEMPLATE
    named: tuple[Named, ...] = ()


class Variables(NamedTuple):
    places: list[Place]
    findings: list[Finding]
    home: Home | None


def read(assigned: Sequence[Assigned]) -> Variables:
    """``home`` is behind the last one that is etcd's; none when another one there had to be named elsewhere too."""
    by_origin: dict[Origin, Assigned] = {}
    items = []
    for item in assigned:
        if item.name.startswith("ETCD_"):
            origin = Origin(VARIABLE, item.name, item.view.name, item.view.line(item.start))
            by_origin[origin] = item
            value = mask(item.value, item.mask, item.view.depth + 1)
            flag = BY_VARIABLE.get(item.name)
            items.append(
                (with_port(value) if flag is not None and flag.kind == ADVERTISED else value, origin)
            )
    found = read_variables(items, template=True)
    places = [_place(given, by_origin[given.origin]) for given in found.given]
    dead = {finding.origin for finding in found.findings if finding.code in _WITHOUT_EFFECT}
    places += [without_effect(item) for origin, item in by_origin.items() if origin in dead]
    last = by_origin[places[-1].given.origin] if places else None
    places += [
        _named(place.given, named) for place in places for named in by_origin[place.given.origin].named
    ]
    return Variables(places, found.findings, _home(last) if last is not None and not last.named else None)


_WITHOUT_EFFECT = ("never-read", "unusable-value", "new-wins")


def without_effect(item: Assigned) -> Place:
    """The place of a variable that sets nothing: it goes with any change."""
    return _place(
        Given("", "", Origin(VARIABLE, item.name, item.view.name, item.view.line(item.start))), item
    )


def _place(given: Given, item: Assigned) -> Place:
    def write(settings: Settings) -> str:
        return item.joint.join(item.write(variable_of(name), value) for name, value in settings)

    return Place(given, item.view, item.start, item.end, write, item.gone)


def _named(given: Given, named: Named) -> Place:
    def write(settings: Settings) -> str:
        return " ".join(variable_of(name) for name, _ in settings)

    return Place(given, named.view, named.start, named.end, write, named.gone)


def _home(item: Assigned) -> Home:
    def write(settings: Settings) -> str:
        return "".join(item.joint + item.write(variable_of(name), value) for name, value in settings)

    return Home(item.view, item.end, write)


def commented(view: View, start: int, end: int, mark: str = "# 0.4: ") -> Edit:
    """A line that stays as a comment, from its first character that is no blank."""
    text = view.text[start:end]
    lead = len(text) - len(text.lstrip(" \t"))
    return Edit(start + lead, start + lead, mark)
