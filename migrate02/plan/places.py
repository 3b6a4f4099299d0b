"""What several steps of the way from 0.4 name alike: folders, files, directories. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from migrate02.plan.commands import word
from migrate02.plan.planning import ClusterPlan, Planned


def old_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The folder beside the runbook with the directories of 0.4 as they were, or a member's in it."""
    return f"old-{plan.name}" + (f"/{node.name}" if node is not None else "")


def new_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The same for what becomes of them."""
    return f"new-{plan.name}" + (f"/{node.name}" if node is not None else "")


def cluster_option(plan: ClusterPlan) -> str:
    return f"--initial-cluster {word(plan.initial_cluster)}"


def files_of(nodes: Iterable[Planned]) -> str:
    names = dict.fromkeys(name for node in nodes for name in node.node.files)
    return " ".join(map(word, names))


def data_dir(node: Planned) -> str:
    """``""`` for a standby's that nobody knows."""
    return node.settings.get("data-dir", "").rstrip("/")


def old_directory(node: Planned) -> str:
    return node.node.old_directory or data_dir(node)
