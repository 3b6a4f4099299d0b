"""What came out of ``convert`` for a person: findings as lines, a summary, the results or their differences."""

from __future__ import annotations

from collections.abc import Iterable

from compat.findings import ERROR, INFO, Finding
from migrate02.cli.output import emit, tell
from migrate02.convert.conversion import Conversion
from migrate02.findings import CODES
from server.config import redacted
from server.printable import printable, shown


def selected(conversions: Iterable[Conversion], select: list[str], ignore: list[str]) -> list[Conversion]:
    """With the findings that were asked for. What refuses a file is always reported."""

    def is_wanted(finding: Finding) -> bool:
        if finding.severity == ERROR:
            return True
        return (not select or finding.code in select) and finding.code not in ignore

    if not (select or ignore):
        return list(conversions)
    return [item._replace(findings=list(filter(is_wanted, item.findings))) for item in conversions]


def report(conversions: list[Conversion], output: str, *, texts: bool, one: bool) -> None:
    """Print the findings to standard error, the rest to standard output.

    ``output`` is text, diff, json, or one of ``MACHINES``. ``texts``: with output text, print the results as well.
    ``one``: with output json, the object of one file, not a list.
    """
    if output not in ("text", "diff", "json"):
        from migrate02.cli.machines import MACHINES

        print(redacted(MACHINES[output](conversions)), end="")
        return
    lines = [line for conversion in conversions for line in finding_lines(conversion.findings)]
    tell([*lines, *summary(conversions)] if len(conversions) > 1 else lines)
    if output == "json":
        from migrate02.cli.listings import as_json

        print(redacted(as_json(conversions, one=one)))
        return
    for conversion in conversions:
        if output == "diff":
            emit(diff(conversion))
        elif texts and conversion.text is not None and not conversion.left_alone:
            if len(conversions) > 1:
                emit(f"# ==> {shown(conversion.name)} <==\n")
            emit(conversion.text)


def finding_lines(findings: Iterable[Finding]) -> list[str]:
    """One line each, whatever was in the values."""
    return [str(finding) for finding in findings]


def summary(conversions: list[Conversion]) -> list[str]:
    """What there is to say of many files: how often each finding, and one line for all."""
    refused = [item for item in conversions if item.refused]
    converted = [item for item in conversions if item.changed]
    unchanged = [item for item in conversions if not item.refused and not item.changed]
    parts = [
        f"{len(converted)} converted{_attention(converted)}",
        f"{len(unchanged)} unchanged{_attention(unchanged)}",
        f"{len(refused)} refused",
    ]
    return [*_by_code(conversions), f"{_files(len(conversions))}: {', '.join(parts)}"]


def _attention(conversions: list[Conversion]) -> str:
    count = sum(conversion.needs_review for conversion in conversions)
    if not count:
        return ""
    return f" ({count} {'needs' if count == 1 else 'need'} your attention)"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _by_code(conversions: list[Conversion]) -> list[str]:
    """Each finding that a person has to look at, with its number and that of the files; the worst and most first."""
    found: dict[str, list[str]] = {}
    for conversion in conversions:
        for finding in conversion.findings:
            if finding.severity != INFO:
                found.setdefault(finding.code, []).append(conversion.name)
    rank = sorted(found, key=lambda code: (CODES[code].severity, -len(found[code]), code))
    return [f"{_count(found[code])}: {code}: {CODES[code].title}" for code in rank]


def _count(names: list[str]) -> str:
    files = _files(len(set(names)))
    return files if len(set(names)) == len(names) else f"{len(names)} findings in {files}"


def diff(conversion: Conversion) -> str:
    """A unified diff from the input to the result; empty when nothing changes."""
    from migrate02.convert.differences import unified  # late: difflib is large

    if conversion.text is None:
        return ""
    before = conversion.before.splitlines(keepends=True)
    after = conversion.text.splitlines(keepends=True)
    name = printable(conversion.name)
    lines = unified(before, after, f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )
