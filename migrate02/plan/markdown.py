"""A plan for a person, as Markdown: what was found, the start lines, the runbook. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from compat.findings import Finding
from migrate02.plan.commands import command_line
from migrate02.plan.planning import ClusterPlan, Plan, Planned
from migrate02.plan.runbook import HOW_TO_GO_BACK, runbook
from migrate02.plan.step import Step
from server.printable import printable

HEADINGS = ("node", "was", "becomes", "peer URL", "client URL", "set up in")
"""Of a cluster's table; ``row`` has the cells."""


def as_markdown(plan: Plan) -> str:
    return "\n".join(_lines(plan)).rstrip() + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# From etcd 0.4 to 2.x: {counted(len(plan.clusters), 'cluster')}"
    yield ""
    if plan.findings:
        yield from _findings(plan.findings)
    for cluster in plan.clusters:
        yield from _cluster(cluster)


def _cluster(plan: ClusterPlan) -> Iterator[str]:
    yield f"## {_text(title(plan))}"
    yield ""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|{'---|' * len(HEADINGS)}"
    for node in plan.nodes:
        yield f"| {' | '.join(map(_cell, row(node)))} |"
    yield ""
    if plan.findings:
        yield from _findings(plan.findings)
    if plan.is_refused:
        yield "Nothing is to be started until the errors above are put right: there is no start line and no runbook."
        yield ""
        return
    yield "### Start lines"
    yield ""
    yield "For a start by hand, each on its machine. The runbook comes to the same by converting the files."
    yield ""
    yield from _shell(command_line(node) for node in plan.nodes)
    yield "### Runbook"
    yield ""
    yield HOW_TO_GO_BACK
    yield ""
    for number, step in enumerate(runbook(plan), 1):
        yield from _step(number, step)


def title(plan: ClusterPlan) -> str:
    size = [counted(len(plan.members), "member")]
    if plan.proxies:
        size.append(counted(len(plan.proxies), "proxy", "proxies"))
    return f"Cluster {plan.name}: {', '.join(size)}"


def counted(count: int, what: str, several: str = "") -> str:
    return f"{count} {what if count == 1 else several or f'{what}s'}"


def row(node: Planned) -> tuple[str, ...]:
    """What there is to know of a node at a glance: both addresses as they become. A proxy advertises none."""
    settings = node.settings
    return (
        node.name,
        node.node.was,
        "proxy" if node.is_proxy else "member",
        settings.get("initial-advertise-peer-urls", ""),
        settings.get("advertise-client-urls") or f"listens at {settings.get('listen-client-urls', '')}",
        ", ".join(node.node.files) or node.node.source,
    )


def _findings(findings: Iterable[Finding]) -> Iterator[str]:
    yield "### To look at"
    yield ""
    for finding in findings:
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        place = f"{finding.place}: " if finding.origin else ""
        yield f"- **{finding.severity}** `{finding.code}` {_text(f'{place}{finding.message}{remedy}')}"
    yield ""


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"#### {number}. {_text(step.title)}"
    yield ""
    if step.why:
        yield _paragraph(step.why)
        yield ""
    for name, lines in step.sets:
        yield _paragraph(f"{name}:")
        yield ""
        yield from _shell(lines)
    if step.run:
        yield from _shell(step.run)
    if step.check or step.see:
        yield f"{'Check' if step.check else 'See'}: {_text(step.see)}."
        yield ""
        if step.check:
            yield from _shell(step.check)
    if step.back:
        yield f"Back (loses {_text(step.loses)}):"
        yield ""
        yield from _shell(step.back)
    elif step.back_in_words:
        yield _paragraph(step.back_in_words)
        yield ""


def _shell(lines: Iterable[str]) -> Iterator[str]:
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


def _text(text: str) -> str:
    """What comes from a file, with nothing in it that Markdown takes for its own."""
    return _MARKS.sub(r"\\\g<0>", printable(text))


def _paragraph(text: str) -> str:
    """The same at the start of a line."""
    said = _text(text)
    blanks = len(said) - len(said.lstrip(" "))
    if blanks:
        return "&#32;" * blanks + said[blanks:]
    first = _BEGINNING.match(said)
    if first is None:
        return said
    return f"{first[0]}\\{said[first.end() :]}" if first[0].isdigit() else f"\\{said}"


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
