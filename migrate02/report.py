"""Says what came out: findings as lines for a person, a conversion as JSON, a difference as a diff."""

from __future__ import annotations

from collections.abc import Iterable

from compat.findings import Finding
from migrate02.conversion import Conversion


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """One line each, whatever was in the values."""
    return [str(finding).replace("\r", "\\r").replace("\n", "\\n") for finding in findings]


def summary(conversions: list[Conversion]) -> str:
    """One line for many files."""
    changed = sum(conversion.changed for conversion in conversions)
    left = sum(conversion.needs_review and not conversion.refused for conversion in conversions)
    refused = sum(conversion.refused for conversion in conversions)
    unchanged = len(conversions) - changed - refused
    line = f"{len(conversions)} inputs: {changed} converted, {unchanged} unchanged, {refused} refused"
    return f"{line}; {left} of those not refused with something left for a person" if left else line


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
    import difflib

    if conversion.text is None:
        return ""
    before = conversion.before.splitlines(keepends=True)
    after = conversion.text.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, f"a/{conversion.name}", f"b/{conversion.name}")
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )
