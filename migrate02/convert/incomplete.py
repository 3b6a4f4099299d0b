"""Lists of members that a person has yet to complete, found by their placeholder in a text of any kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compat.codes import LIST_INCOMPLETE
from compat.findings import Finding
from compat.placeholder import PLACEHOLDER, is_incomplete
from compat.settings import FILE, Origin
from migrate02.convert.conversion import Conversion, for_a_person

CODE = "incomplete-cluster"


def incomplete_lists(name: str, text: str) -> list[Finding]:
    """Every line that has one. A comment hides none: without the line etcd 3.4 starts a cluster of one."""
    return [_still_incomplete(name, line) for line in _lines_with_one(text)]


def with_incomplete_lists(conversions: Iterable[Conversion]) -> list[Conversion]:
    """With the lists that the files of a run had before and still have, and that nothing of the run reports."""
    conversions = list(conversions)
    if not any(is_incomplete(conversion.before) for conversion in conversions):
        return conversions
    reported = {
        (item.origin.file, item.origin.line)
        for conversion in conversions
        for item in conversion.findings
        if item.code == CODE and item.origin is not None
    }
    return [_with_its_lists(conversion, reported) for conversion in conversions]


def _with_its_lists(conversion: Conversion, all_reported: set[tuple[str, int]]) -> Conversion:
    after = conversion.before if conversion.text is None else conversion.text
    reported = {line for file, line in all_reported if file == conversion.name}
    if not is_incomplete(after) or 0 in reported:  # a command line in JSON has no lines to tell apart
        return conversion
    lines, kept = conversion.before.split("\n"), set(after.split("\n"))
    more = [
        _still_incomplete(conversion.name, line)
        for line in _lines_with_one(conversion.before)
        if lines[line - 1] in kept and not reported & set(_of_one_command(lines, line))
    ]
    return conversion._replace(findings=for_a_person([*conversion.findings, *more], conversion.name))


def _lines_with_one(text: str) -> list[int]:
    if not is_incomplete(text):
        return []
    return [number for number, line in enumerate(text.split("\n"), 1) if is_incomplete(line)]


def _of_one_command(lines: Sequence[str], number: int) -> range:
    """The numbers of a line and of those before it that go on in it."""
    first = number
    while first > 1 and lines[first - 2].rstrip("\r").endswith("\\"):
        first -= 1
    return range(first, number + 1)


def _still_incomplete(name: str, line: int) -> Finding:
    return LIST_INCOMPLETE.finding("initial-cluster", Origin(FILE, name, name, line), placeholder=PLACEHOLDER)
