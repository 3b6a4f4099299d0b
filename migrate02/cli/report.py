"""What came out of ``convert`` for a person: findings as lines, a summary, the results or their differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from compat.findings import ERROR, INFO, REVIEW, Finding
from migrate02.cli.output import emit, tell_findings
from migrate02.convert.conversion import Conversion
from server.config import redacted
from server.printable import printable, shown

IN_FULL = "every finding in full: -v; what a code means: migrate02 explain CODE"

_SEVERITIES = (ERROR, REVIEW, INFO)


def selected(conversions: Iterable[Conversion], select: list[str], ignore: list[str]) -> list[Conversion]:
    """With the findings that were asked for. What refuses a file is always reported."""

    def is_wanted(finding: Finding) -> bool:
        if finding.severity == ERROR:
            return True
        return (not select or finding.code in select) and finding.code not in ignore

    if not (select or ignore):
        return list(conversions)
    return [item._replace(findings=list(filter(is_wanted, item.findings))) for item in conversions]


class Manner(NamedTuple):
    """How findings are told. ``least`` is the lowest severity that is reported at all. ``quiet``: to a person nothing
    but errors; ``verbose``: also of many files every finding by itself."""

    least: str = INFO
    quiet: bool = False
    verbose: bool = False


def reported(conversions: Iterable[Conversion], least: str) -> list[Conversion]:
    """With the findings that are at least so bad. What came of a file, and the exit status, they do not change."""
    return [item._replace(findings=as_bad_as(item.findings, least)) for item in conversions]


def as_bad_as(findings: Iterable[Finding], least: str) -> list[Finding]:
    wanted = _SEVERITIES[: _SEVERITIES.index(least) + 1]
    return [finding for finding in findings if finding.severity in wanted]


def report(conversions: list[Conversion], output: str, manner: Manner, *, texts: bool) -> None:
    """Print the findings to standard error, the rest to standard output.

    ``output`` is text, diff, json, or one of ``MACHINES``. ``texts``: with output text, print the results as well.
    """
    wanted = reported(conversions, manner.least)
    if output not in ("text", "diff", "json"):
        from migrate02.cli.machines import MACHINES

        print(redacted(MACHINES[output](wanted)), end="")
        return
    tell_findings(said(conversions, manner))
    if output == "json":
        from migrate02.cli.listings import as_json

        print(redacted(as_json(wanted)))
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


def said(conversions: list[Conversion], manner: Manner) -> list[str]:
    """The lines for a person: each finding of one file, or what the findings of many have in common, and totals."""
    wanted = reported(conversions, ERROR if manner.quiet else manner.least)
    findings = [finding for item in wanted for finding in item.findings]
    if len(conversions) == 1:
        return finding_lines(findings)
    totals = [] if manner.quiet or not conversions else [summary(conversions)]
    return [*told_of_many(findings, manner), *totals]


def told_of_many(findings: Sequence[Finding], manner: Manner) -> list[str]:
    """The lines for findings of many files: what is the same is said once, unless each was asked for."""
    if manner.verbose:
        return finding_lines(findings)
    from migrate02.cli.grouping import told_together

    return told_together(findings, "" if manner.quiet else IN_FULL)


def summary(conversions: list[Conversion]) -> str:
    """One line for many files."""
    refused = [item for item in conversions if item.refused]
    converted = [item for item in conversions if item.changed]
    unchanged = [item for item in conversions if not item.refused and not item.changed]
    parts = [
        f"{len(converted)} converted{_attention(converted)}",
        f"{len(unchanged)} unchanged{_attention(unchanged)}",
        f"{len(refused)} refused",
    ]
    return f"{_files(len(conversions))}: {', '.join(parts)}"


def _attention(conversions: list[Conversion]) -> str:
    count = sum(conversion.needs_review for conversion in conversions)
    if not count:
        return ""
    return f" ({count} {'needs' if count == 1 else 'need'} your attention)"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


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
