"""Findings as other programs take them: each with a file, a line and a fingerprint, which stays when lines move."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from compat.findings import Code
from compat.settings import FILE, Origin
from migrate02.convert.conversion import Conversion
from migrate02.convert.findings import STILL_04
from server.printable import shown


class Spot(NamedTuple):
    """A finding where it is. ``file`` is as it was given, without ``./`` before it; ``line`` is 1 for a whole file."""

    code: Code
    file: str
    line: int
    words: str
    fingerprint: str


def with_unconverted(conversions: Iterable[Conversion]) -> list[Conversion]:
    """With one finding more for each file that would change."""
    return [
        item._replace(findings=[*item.findings, STILL_04.finding("", Origin(FILE, item.name, item.name))])
        if item.changed
        else item
        for item in conversions
    ]


def spots(conversions: Iterable[Conversion]) -> list[Spot]:
    """All findings, in their order."""
    found = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for conversion in conversions:
        for finding in conversion.findings:
            origin = finding.origin
            file, line = (origin.file, origin.line) if origin and origin.file else (conversion.name, 0)
            file = file.removeprefix("./")
            what = (finding.code, file, finding.setting)
            words = f"{finding.message} -> {finding.remedy}" if finding.remedy else finding.message
            found.append(
                Spot(finding.text.code, file, line or 1, shown(words), _fingerprint(*what, str(seen[what])))
            )
            seen[what] += 1
    return found


def _fingerprint(*what: str) -> str:
    return hashlib.sha256("\0".join(what).encode("utf-8", "surrogateescape")).hexdigest()[:32]
