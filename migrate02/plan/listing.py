"""A plan for programs: one JSON object. Pure."""

from __future__ import annotations

import json

from compat.findings import Finding
from compat.gateway import written
from migrate02.plan.planning import ClusterPlan, Plan, Planned
from migrate02.plan.runbook import runbook
from migrate02.plan.step import Step


def as_json(plan: Plan) -> str:
    listed = {
        "clusters": [_cluster(cluster) for cluster in plan.clusters],
        "findings": [finding_as_json(finding) for finding in plan.findings],
    }
    return json.dumps(listed, indent=2, ensure_ascii=True)


def _cluster(plan: ClusterPlan) -> dict[str, object]:
    return {
        "name": plan.name,
        "refused": plan.is_refused,
        "target": "2.x" if plan.gateway is None else "gateway",
        "gateway": {} if plan.gateway is None else written(plan.gateway),
        "ports": plan.ports,
        "initialCluster": plan.initial_cluster,
        "token": plan.token,
        "nodes": [_node(node, plan) for node in plan.nodes],
        "findings": [finding_as_json(finding) for finding in plan.findings],
        "steps": [step_as_json(step) for step in runbook(plan)],
    }


def _node(node: Planned, plan: ClusterPlan) -> dict[str, object]:
    return {
        "name": node.name,
        "was": node.node.was,
        "becomes": node.becomes,
        "files": list(node.node.files),
        "place": node.node.source,
        "before": dict(node.node.settings),
        "settings": dict(node.settings),
        "command": [] if plan.is_refused else node.command,
    }


def finding_as_json(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "place": finding.place,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def step_as_json(step: Step) -> dict[str, object]:
    fields = step._asdict()
    return fields | {"sets": dict(step.sets), "backInWords": fields.pop("back_in_words")}
