"""A plan for a person, as Markdown: what was found, the start lines, the runbook. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from migrate02.plan.commands import command_line
from migrate02.plan.markdown_parts import counted, findings_lines, plain, runbook_lines, shell, table
from migrate02.plan.planning import ClusterPlan, Plan, Planned
from migrate02.plan.runbook import HOW_TO_GO_BACK, runbook

HEADINGS = ("node", "was", "becomes", "peer URL", "client URL", "set up in")
"""Of a cluster's table; ``row`` has the cells."""


def as_markdown(plan: Plan) -> str:
    return "\n".join(_lines(plan)).rstrip() + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# From etcd 0.4 to 2.x: {counted(len(plan.clusters), 'cluster')}"
    yield ""
    yield from findings_lines(plan.findings)
    for cluster in plan.clusters:
        yield from _cluster(cluster)


def _cluster(plan: ClusterPlan) -> Iterator[str]:
    yield f"## {plain(title(plan))}"
    yield ""
    yield from table(HEADINGS, map(row, plan.nodes))
    yield from findings_lines(plan.findings)
    if plan.is_refused:
        yield "Nothing is to be started until the errors above are put right: there is no start line and no runbook."
        yield ""
        return
    yield "### Start lines"
    yield ""
    yield "To start by hand, each on its machine. The runbook gets the same result by converting the files."
    yield ""
    yield from shell(command_line(node) for node in plan.nodes)
    yield from runbook_lines(HOW_TO_GO_BACK, runbook(plan))


def title(plan: ClusterPlan) -> str:
    size = [counted(len(plan.members), "member")]
    if plan.proxies:
        size.append(counted(len(plan.proxies), "proxy", "proxies"))
    return f"Cluster {plan.name}: {', '.join(size)}"


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
