"""Findings in the Static Analysis Results Interchange Format 2.1.0, as code hosts take it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from compat import __version__
from compat.findings import ERROR, INFO, REVIEW, Code
from migrate02.cli.spots import Spot, spots
from migrate02.convert.conversion import Conversion

HOME = "https://migrate02.example.org"
"""Where the documentation is published. The snippets in docs/ci.md name it, too."""

_LEVELS = {ERROR: "error", REVIEW: "warning", INFO: "note"}


def as_sarif(conversions: Iterable[Conversion]) -> str:
    found = spots(conversions)
    codes = {spot.code.name: spot.code for spot in sorted(found, key=lambda spot: spot.code.name)}
    order = list(codes)
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "migrate02",
                        "version": __version__,
                        "informationUri": HOME,
                        "rules": [rule(code) for code in codes.values()],
                    }
                },
                "results": [_result(spot, order.index(spot.code.name)) for spot in found],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=True) + "\n"


def rule(code: Code) -> dict[str, object]:
    return {
        "id": code.name,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": code.story},
        "help": {"text": code.story},
        "helpUri": f"{HOME}/docs/findings/{code.name}.md",
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _result(spot: Spot, rule: int) -> dict[str, object]:
    uri = quote(spot.file.encode("utf-8", "surrogateescape"))
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": spot.line}}
    return {
        "ruleId": spot.code.name,
        "ruleIndex": rule,
        "level": _LEVELS[spot.code.severity],
        "message": {"text": spot.words},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"finding/v1": spot.fingerprint},
    }
