"""What came out of ``convert`` for other programs: JSON, and commands of GitHub's workflows."""

from __future__ import annotations

import json

from compat.findings import ERROR, INFO, REVIEW, Finding
from compat.flags2x import BY_NAME
from migrate02.convert.conversion import Conversion
from server.printable import printable

_GITHUB_LEVELS = {ERROR: "error", REVIEW: "warning", INFO: "notice"}


def _spot(conversion: Conversion, finding: Finding) -> tuple[str, int]:
    """The file and the line, 1 when there is none."""
    origin = finding.origin
    if origin is None or not origin.file:
        return conversion.name, 1
    return origin.file, origin.line or 1


def as_github(conversions: list[Conversion]) -> str:
    """The findings as commands of GitHub's workflows, which show them beside the lines."""
    lines = []
    for conversion in conversions:
        for finding in conversion.findings:
            file, line = _spot(conversion, finding)
            words = printable(f"{finding.message} -> {finding.remedy}" if finding.remedy else finding.message)
            file = printable(file)
            place = f"file={_property(file.removeprefix('./'))},line={line},title={_property(finding.code)}"
            lines.append(f"::{_GITHUB_LEVELS[finding.severity]} {place}::{_data(words)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def typed(config: dict[str, str]) -> dict[str, object]:
    """The configuration as JSON has it: URL settings as lists, numbers and booleans as such."""
    return {name: _typed(BY_NAME[name].kind, value) for name, value in config.items()}


def _typed(kind: str, value: str) -> object:
    if kind == "url-list" or (kind == "string-list" and value):
        return [item.strip() for item in value.split(",")]
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    if kind in ("uint", "int") and value.lstrip("-").isdigit():
        return int(value)
    return value


def as_json(conversions: list[Conversion]) -> str:
    """One object, of one shape for any number of files; see docs/schemas/convert.json."""
    objects = {
        "files": [_as_object(conversion) for conversion in conversions],
        "summary": {
            "files": len(conversions),
            "converted": sum(item.changed for item in conversions),
            "unchanged": sum(not item.refused and not item.changed for item in conversions),
            "refused": sum(item.refused for item in conversions),
            "needAttention": sum(item.needs_review for item in conversions),
        },
    }
    return json.dumps(objects, indent=2, ensure_ascii=True)


def _as_object(conversion: Conversion) -> dict[str, object]:
    return {
        "file": conversion.name,
        "changed": conversion.changed,
        "refused": conversion.refused,
        "config": typed(conversion.config),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "setting": finding.setting,
                "origin": finding.place,
                "line": (finding.origin.line if finding.origin else 0) or None,
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for finding in conversion.findings
        ],
    }
