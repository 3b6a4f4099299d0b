"""The plan of a cluster of 3.5 or 3.6 as Markdown, as a page and as JSON, made of the parts of every plan. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from migrate02.plan import markdown_parts, page_parts
from migrate02.plan.listing import finding_as_json, step_as_json
from migrate02.plan.markdown_parts import counted, paragraph, plain
from migrate02.v2store.planned import TO_CLEAN, ClusterMember, PlannedCluster
from migrate02.v2store.runbook import HOW_TO_READ, runbook

HEADINGS = ("member", "id", "directory", "left of v2", "so it is")


def as_markdown(cluster: PlannedCluster) -> str:
    return "\n".join(_lines(cluster)).rstrip() + "\n"


def _lines(cluster: PlannedCluster) -> Iterator[str]:
    yield f"# {plain(heading(cluster))}"
    yield ""
    yield paragraph(lead(cluster))
    yield ""
    yield from markdown_parts.table(HEADINGS, map(row, cluster.members))
    yield from markdown_parts.findings_lines(cluster.findings)
    yield from markdown_parts.runbook_lines(HOW_TO_READ, runbook(cluster))


def as_html(cluster: PlannedCluster) -> str:
    return page_parts.framed(heading(cluster), lead(cluster), _section(cluster))


def _section(cluster: PlannedCluster) -> Iterator[str]:
    yield "<section>\n<h2>Members</h2>"
    yield from page_parts.table(HEADINGS, map(row, cluster.members))
    yield from page_parts.findings_html(cluster.findings)
    yield from page_parts.runbook_html(HOW_TO_READ, runbook(cluster))
    yield "</section>"


def as_json(cluster: PlannedCluster) -> str:
    listed = {
        "clusterId": cluster.id,
        "clusterVersion": cluster.version,
        "release": cluster.target,
        "clean": cluster.is_clean,
        "stopsAsAWhole": cluster.stops_as_a_whole,
        "members": [
            {
                "name": member.name,
                "id": member.id,
                "directory": member.path,
                "state": member.state,
                "leftOfV2": member.holds,
                "clientUrl": member.client_url,
                "learner": member.is_learner,
            }
            for member in cluster.members
        ],
        "findings": [finding_as_json(finding) for finding in cluster.findings],
        "steps": [step_as_json(step) for step in runbook(cluster)],
    }
    return json.dumps(listed, indent=2, ensure_ascii=True) + "\n"


def heading(cluster: PlannedCluster) -> str:
    return (
        f"From etcd {cluster.source} to {cluster.target}: cluster {cluster.id}, "
        f"{counted(len(cluster.members), 'member')}"
    )


def lead(cluster: PlannedCluster) -> str:
    """What is to be known first."""
    target, given = cluster.target, len(cluster.given)
    if cluster.is_clean:
        return f"Nothing of v2 keeps etcd {target} from starting here: no directory has to be cleaned."
    count = sum(member.state == TO_CLEAN for member in cluster.members)
    which = (
        f"{count} of {given} directories {'has' if count == 1 else 'have'}"
        if given > 1
        else "The directory has"
    )
    said = f"{which} something of v2 that etcd {target} does not start on."
    if cluster.stops_as_a_whole:
        return f"{said} A v2 key has, or had, a TTL: all members have to stop at the same time."
    return said


def row(member: ClusterMember) -> tuple[str, ...]:
    return member.name, member.id, member.path or "not given", member.holds, member.state
