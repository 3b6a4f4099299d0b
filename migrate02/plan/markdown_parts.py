"""The parts of a plan in Markdown, whatever it plans: a table, what there is to look at, a runbook. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from compat.findings import Finding
from migrate02.plan.step import Step
from server.printable import printable


def counted(count: int, what: str, several: str = "") -> str:
    return f"{count} {what if count == 1 else several or f'{what}s'}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def findings_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Nothing where there are none."""
    if not findings:
        return
    yield "### To look at"
    yield ""
    for finding in findings:
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        place = f"{finding.place}: " if finding.origin else ""
        yield f"- **{finding.severity}** `{finding.code}` {plain(f'{place}{finding.message}{remedy}')}"
    yield ""


def runbook_lines(how_to_go_back: str, steps: Iterable[Step]) -> Iterator[str]:
    yield "### Runbook"
    yield ""
    yield how_to_go_back
    yield ""
    for number, step in enumerate(steps, 1):
        yield from _step(number, step)


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"#### {number}. {plain(step.title)}"
    yield ""
    if step.why:
        yield paragraph(step.why)
        yield ""
    for name, lines in step.sets:
        yield paragraph(f"{name}:")
        yield ""
        yield from shell(lines)
    if step.run:
        yield from shell(step.run)
    if step.check or step.see:
        yield f"{'Check' if step.check else 'See'}: {plain(step.see)}."
        yield ""
        if step.check:
            yield from shell(step.check)
    if step.back:
        yield f"Back (loses {plain(step.loses)}):"
        yield ""
        yield from shell(step.back)
    elif step.back_in_words:
        yield paragraph(step.back_in_words)
        yield ""


def shell(lines: Iterable[str]) -> Iterator[str]:
    """A block of code, whose fence is longer than any run of backticks in it."""
    lines = [printable(line) for line in lines]
    runs = (len(run) for line in lines for run in re.findall("`+", line))
    fence = "`" * max([3, *(run + 1 for run in runs)])
    yield f"{fence}sh"
    yield from lines
    yield fence
    yield ""


_MARKS = re.compile(r"[\\`*~<]|(?<![^\W_])_|_(?![^\W_])|(?<=\])\(|&(?=#?\w+;)|!(?=\[)|#(?=\s*\Z)")
"""What makes something of the text around it, wherever it stands. A link needs a parenthesis behind its bracket: the
brackets themselves, which addresses have, stay."""
_BEGINNING = re.compile(r"[#>=|:+-]|\[(?=.*\]:)|\d+(?=[.)])")
"""What makes a heading, a quotation, a list, the definition of a link or a line of something else at the start of a
paragraph."""


def plain(text: str) -> str:
    """What comes from a file, with nothing in it that Markdown takes for its own."""
    return _MARKS.sub(r"\\\g<0>", printable(text))


def paragraph(text: str) -> str:
    """The same at the start of a line."""
    said = plain(text)
    blanks = len(said) - len(said.lstrip(" "))
    if blanks:
        return "&#32;" * blanks + said[blanks:]
    first = _BEGINNING.match(said)
    if first is None:
        return said
    return f"{first[0]}\\{said[first.end() :]}" if first[0].isdigit() else f"\\{said}"


def _cell(text: str) -> str:
    return plain(text).replace("|", "\\|")
