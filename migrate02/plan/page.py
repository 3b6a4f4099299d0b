"""A plan as one page of HTML that needs nothing else, with a picture of before and after. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from migrate02.plan.commands import command_line
from migrate02.plan.diagram import diagram
from migrate02.plan.markdown import heading, nodes_table, title
from migrate02.plan.markdown_parts import counted
from migrate02.plan.page_parts import commands, escape, findings_html, framed, runbook_html, table
from migrate02.plan.planning import ClusterPlan, Plan
from migrate02.plan.runbook import HOW_TO_GO_BACK, runbook


def as_html(plan: Plan) -> str:
    members = sum(len(cluster.members) for cluster in plan.clusters)
    standbys = [node for cluster in plan.clusters for node in cluster.proxies]
    what = "proxies" if any(node.is_proxy for node in standbys) else "gateways, as do the members"
    also = f", {counted(len(standbys), 'standby', 'standbys')} to become {what}" if standbys else ""
    return framed(heading(plan), f"{counted(members, 'member')}{also}.", _body(plan))


def _body(plan: Plan) -> Iterator[str]:
    if len(plan.clusters) > 1:
        links = (
            f'<a href="#cluster-{at}"{_REFUSED if cluster.is_refused else ">"}{escape(cluster.name)}</a>'
            for at, cluster in enumerate(plan.clusters, 1)
        )
        yield f'<nav aria-label="Clusters">{"".join(links)}</nav>'
    yield from findings_html(plan.findings, "h2")
    for at, cluster in enumerate(plan.clusters, 1):
        yield from _cluster(cluster, at)


_REFUSED = ' class="refused">errors: '


def _cluster(plan: ClusterPlan, at: int) -> Iterator[str]:
    yield f'<section id="cluster-{at}">\n<h2>{escape(title(plan))}</h2>'
    yield diagram(plan)
    yield from table(*nodes_table(plan))
    yield from findings_html(plan.findings)
    if plan.is_refused:
        yield "<p><strong>Nothing is to be started until the errors above are put right.</strong></p></section>"
        return
    yield "<h3>Start lines</h3>"
    for node in plan.nodes:
        yield commands([command_line(node)])
    yield from runbook_html(HOW_TO_GO_BACK, runbook(plan))
    yield "</section>"
