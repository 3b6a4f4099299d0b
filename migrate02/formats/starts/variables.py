"""Variables that are set where a program is started, read as settings that know where they stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from compat.findings import Finding
from compat.flags04 import ADVERTISED, BY_VARIABLE
from compat.settings import VARIABLE, Given, Origin
from compat.variables import read_variables
from migrate02.formats.placeholders import TEMPLATE, mask, with_port
from migrate02.formats.reading import InsertionPoint, Occurrence, Settings
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


class ReadVariables(NamedTuple):
    occurrences: list[Occurrence]
    findings: list[Finding]
    insertion: InsertionPoint | None


def read(assigned: Sequence[Assigned]) -> ReadVariables:
    """``insertion`` is behind the last one of etcd's; none when another one there had to be named elsewhere too."""
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
    occurrences = [_occurrence(given, by_origin[given.origin]) for given in found.given]
    dead = {finding.origin for finding in found.findings if finding.code in _WITHOUT_EFFECT}
    occurrences += [without_effect(item) for origin, item in by_origin.items() if origin in dead]
    last = by_origin[occurrences[-1].given.origin] if occurrences else None
    occurrences += [
        _named(one.given, named) for one in occurrences for named in by_origin[one.given.origin].named
    ]
    insertion = _insertion(last) if last is not None and not last.named else None
    return ReadVariables(occurrences, found.findings, insertion)


_WITHOUT_EFFECT = ("never-read", "unusable-value", "new-wins")


def without_effect(item: Assigned) -> Occurrence:
    """A variable that sets nothing: it goes with any change."""
    return _occurrence(
        Given("", "", Origin(VARIABLE, item.name, item.view.name, item.view.line(item.start))), item
    )


def _occurrence(given: Given, item: Assigned) -> Occurrence:
    def write(settings: Settings) -> str:
        return item.joint.join(item.write(variable_of(name), value) for name, value in settings)

    return Occurrence(given, item.view, item.start, item.end, write, item.gone)


def _named(given: Given, named: Named) -> Occurrence:
    def write(settings: Settings) -> str:
        return " ".join(variable_of(name) for name, _ in settings)

    return Occurrence(given, named.view, named.start, named.end, write, named.gone)


def _insertion(item: Assigned) -> InsertionPoint:
    def write(settings: Settings) -> str:
        return "".join(item.joint + item.write(variable_of(name), value) for name, value in settings)

    return InsertionPoint(item.view, item.end, write)


def commented(view: View, start: int, end: int, mark: str = "# 0.4: ") -> Edit:
    """A line that stays as a comment, from its first character that is no blank."""
    text = view.text[start:end]
    lead = len(text) - len(text.lstrip(" \t"))
    return Edit(start + lead, start + lead, mark)
