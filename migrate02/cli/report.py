"""Says what came out: findings as lines for a person, a conversion as JSON, a difference as a diff."""

from __future__ import annotations

from collections.abc import Iterable

from compat.findings import ERROR, INFO, REVIEW, Finding
from migrate02.convert.conversion import Conversion
from server.printable import printable


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """One line each, whatever was in the values."""
    return [str(finding) for finding in findings]


def summary(conversions: list[Conversion]) -> list[str]:
    """What there is to say of many files: how often each finding, and one line for all."""
    changed = sum(conversion.changed for conversion in conversions)
    left = sum(conversion.needs_review and not conversion.refused for conversion in conversions)
    refused = sum(conversion.refused for conversion in conversions)
    unchanged = len(conversions) - changed - refused
    line = f"{len(conversions)} inputs: {changed} converted, {unchanged} unchanged, {refused} refused"
    if left:
        line += f"; {left} of those not refused with something left for a person"
    return [*_by_code(conversions), line]


def _by_code(conversions: list[Conversion]) -> list[str]:
    """Each finding that a person has to look at, with the number of times and of files; the worst and most first."""
    from compat.findings import CODES

    told: dict[str, list[str]] = {}
    for conversion in conversions:
        for finding in conversion.findings:
            if finding.severity != INFO:
                told.setdefault(finding.code, []).append(conversion.name)
    rank = sorted(told, key=lambda code: (CODES[code].severity, -len(told[code]), code))
    return [
        f"{len(told[code])} times in {len(set(told[code]))} files: {code}, {CODES[code].title}"
        for code in rank
    ]


_SARIF_LEVELS = {ERROR: "error", REVIEW: "warning", INFO: "note"}
_GITHUB_LEVELS = {ERROR: "error", REVIEW: "warning", INFO: "notice"}


def as_sarif(conversions: list[Conversion]) -> str:
    """The findings in the Static Analysis Results Interchange Format 2.1.0, as code hosts take it."""
    import json

    from compat import __version__
    from compat.findings import CODES

    told = [(conversion, finding) for conversion in conversions for finding in conversion.findings]
    codes = sorted({finding.code for _, finding in told})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title},
            "fullDescription": {"text": CODES[code].story},
            "defaultConfiguration": {"level": _SARIF_LEVELS[CODES[code].severity]},
        }
        for code in codes
    ]
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": _SARIF_LEVELS[finding.severity],
            "message": {
                "text": f"{finding.message} -> {finding.remedy}" if finding.remedy else finding.message
            },
            "locations": [_sarif_location(*_spot(conversion, finding))],
        }
        for conversion, finding in told
    ]
    driver = {"name": "migrate02", "version": __version__, "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=True)


def _spot(conversion: Conversion, finding: Finding) -> tuple[str, int]:
    """The file and the line, 1 when there is none."""
    origin = finding.origin
    if origin is None or not origin.file:
        return conversion.name, 1
    return origin.file, origin.line or 1


def _sarif_location(file: str, line: int) -> dict[str, object]:
    from urllib.parse import quote

    uri = quote(file.removeprefix("./").encode("utf-8", "surrogateescape"))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def as_github(conversions: list[Conversion]) -> list[str]:
    """The findings as commands of GitHub's workflows, which show them beside the lines."""
    lines = []
    for conversion in conversions:
        for finding in conversion.findings:
            file, line = _spot(conversion, finding)
            words = printable(f"{finding.message} -> {finding.remedy}" if finding.remedy else finding.message)
            file = printable(file)
            place = f"file={_property(file.removeprefix('./'))},line={line},title={_property(finding.code)}"
            lines.append(f"::{_GITHUB_LEVELS[finding.severity]} {place}::{_data(words)}")
    return lines


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def typed(config: dict[str, str]) -> dict[str, object]:
    """The configuration as JSON has it: URL settings as lists, numbers and booleans as such."""
    from compat.flags2x import BY_NAME

    return {name: _typed(BY_NAME[name].kind, value) for name, value in config.items()}


def _typed(kind: str, value: str) -> object:
    if kind == "url-list" or (kind == "string-list" and value):
        return [item.strip() for item in value.split(",")]
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    if kind in ("uint", "int") and value.lstrip("-").isdigit():
        return int(value)
    return value


def as_json(conversions: list[Conversion], *, one: bool) -> str:
    """One object for one input; else one object with a list of them under ``files``."""
    import json

    objects = [_as_object(conversion) for conversion in conversions]
    return json.dumps(objects[0] if one else {"files": objects}, indent=2, ensure_ascii=True)


def _as_object(conversion: Conversion) -> dict[str, object]:
    return {
        "file": conversion.name,
        "changed": conversion.changed,
        "config": typed(conversion.config),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "setting": finding.setting,
                "origin": finding.place,
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for finding in conversion.findings
        ],
    }


def diff(conversion: Conversion) -> str:
    """A unified diff from the input to the result; empty when nothing changes."""
    from migrate02.convert.differences import unified

    if conversion.text is None:
        return ""
    before = conversion.before.splitlines(keepends=True)
    after = conversion.text.splitlines(keepends=True)
    name = printable(conversion.name)
    lines = unified(before, after, f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )
