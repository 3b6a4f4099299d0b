"""Findings as JUnit's XML: a suite a file, a failed case for each finding that needs attention; the others pass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from compat.findings import INFO
from migrate02.cli.spots import Spot, spots
from migrate02.convert.conversion import Conversion
from server.printable import printable

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(conversions: Iterable[Conversion]) -> str:
    suites, failures, count = [], 0, 0
    for conversion in conversions:
        found = spots([conversion])
        cases = [_case(spot) for spot in found]
        if not cases:
            cases = [f"    <testcase {_attributes(classname=conversion.name, name='no findings')}/>\n"]
        failed = sum(spot.code.severity != INFO for spot in found)
        numbers = _attributes(name=conversion.name, tests=len(cases), failures=failed)
        suites.append(f"  <testsuite {numbers}>\n{''.join(cases)}  </testsuite>\n")
        failures, count = failures + failed, count + len(cases)
    numbers = _attributes(name="migrate02", tests=count, failures=failures)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {numbers}>\n{"".join(suites)}</testsuites>\n'


def _case(spot: Spot) -> str:
    place = {"classname": spot.file, "file": spot.file, "line": spot.line}
    start = f"    <testcase {_attributes(name=f'{spot.code.name}, line {spot.line}', **place)}>\n"
    words = f"{spot.file}:{spot.line}: {spot.words}"
    if spot.code.severity == INFO:
        return f"{start}      <system-out>{_text(words)}</system-out>\n    </testcase>\n"
    failure = _attributes(type=spot.code.name, message=spot.code.title)
    return f"{start}      <failure {failure}>{_text(words)}</failure>\n    </testcase>\n"


def _attributes(**values: object) -> str:
    return " ".join(f"{name}={quoteattr(_clean(str(value)))}" for name, value in values.items())


def _text(words: str) -> str:
    return escape(_clean(words))


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", printable(text.removeprefix("./")))
