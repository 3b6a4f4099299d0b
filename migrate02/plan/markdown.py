"""A plan for a person, as Markdown: what was found, the start lines, the runbook. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from migrate02.plan.commands import command_line
from migrate02.plan.markdown_parts import counted, findings_lines, plain, runbook_lines, shell, table
from migrate02.plan.planning import ClusterPlan, Plan, Planned
from migrate02.plan.runbook import HOW_TO_GO_BACK, runbook

_HEADINGS = ("node", "was", "becomes", "peer URL", "client URL", "set up in")
_PEER_URL = _HEADINGS.index("peer URL")


def as_markdown(plan: Plan) -> str:
    return "\n".join(_lines(plan)).rstrip() + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"# {heading(plan)}"
    yield ""
    yield from findings_lines(plan.findings)
    for cluster in plan.clusters:
        yield from _cluster(cluster)


def _cluster(plan: ClusterPlan) -> Iterator[str]:
    yield f"## {plain(title(plan))}"
    yield ""
    yield from table(*nodes_table(plan))
    yield from findings_lines(plan.findings)
    if plan.is_refused:
        yield "Nothing is to be started until the errors above are put right: there is no start line and no runbook."
        yield ""
        return
    yield "### Start lines"
    yield ""
    yield about_start_lines(plan)
    yield ""
    yield from shell(command_line(node) for node in plan.nodes)
    yield from runbook_lines(HOW_TO_GO_BACK, runbook(plan))


def heading(plan: Plan) -> str:
    by_gateways = any(cluster.gateway is not None for cluster in plan.clusters)
    there = "an etcd 3 behind gateways" if by_gateways else "2.x"
    return f"From etcd 0.4 to {there}: {counted(len(plan.clusters), 'cluster')}"


def title(plan: ClusterPlan) -> str:
    if plan.gateway is not None:
        return f"Cluster {plan.name}: {counted(len(plan.nodes), 'gateway')}"
    size = [counted(len(plan.members), "member")]
    if plan.proxies:
        size.append(counted(len(plan.proxies), "proxy", "proxies"))
    return f"Cluster {plan.name}: {', '.join(size)}"


def about_start_lines(plan: ClusterPlan) -> str:
    how = "by converting the files" if plan.gateway is None else "with the files as they are"
    return f"To start by hand, each on its machine. The runbook gets the same result {how}."


def nodes_table(plan: ClusterPlan) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Its headings and rows. Gateways have no peers."""
    rows = [_HEADINGS, *map(_row, plan.nodes)]
    if plan.gateway is not None:
        rows = [row[:_PEER_URL] + row[_PEER_URL + 1 :] for row in rows]
    return rows[0], rows[1:]


def _row(node: Planned) -> tuple[str, ...]:
    """What there is to know of a node at a glance: both addresses as they become. A proxy advertises none."""
    settings = node.settings
    return (
        node.name,
        node.node.was,
        node.becomes,
        settings.get("initial-advertise-peer-urls", ""),
        settings.get("advertise-client-urls") or f"listens at {settings.get('listen-client-urls', '')}",
        ", ".join(node.node.files) or node.node.source,
    )
