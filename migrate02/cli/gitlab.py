"""Findings as GitLab's code quality reports, which merge requests show."""

from __future__ import annotations

import json
from collections.abc import Iterable

from compat.findings import ERROR, INFO, REVIEW
from migrate02.cli.spots import spots
from migrate02.convert.conversion import Conversion
from server.printable import printable

_SEVERITIES = {ERROR: "critical", REVIEW: "major", INFO: "info"}


def as_gitlab(conversions: Iterable[Conversion]) -> str:
    report = [
        {
            "description": spot.words,
            "check_name": spot.code.name,
            "fingerprint": spot.fingerprint,
            "severity": _SEVERITIES[spot.code.severity],
            "location": {"path": printable(spot.file), "lines": {"begin": spot.line}},
        }
        for spot in spots(conversions)
    ]
    return json.dumps(report, indent=2, ensure_ascii=True) + "\n"
