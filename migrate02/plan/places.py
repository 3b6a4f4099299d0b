"""What several steps of the way from 0.4 name alike: folders, files, directories. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from migrate02.plan.commands import word
from migrate02.plan.nodes import Node, to_write_in
from migrate02.plan.planning import ClusterPlan, Planned


def old_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The folder beside the runbook with the directories of 0.4 as they were, or a member's in it."""
    return f"old-{plan.name}" + (f"/{node.name}" if node is not None else "")


def new_folder(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The same for what becomes of them."""
    return f"new-{plan.name}" + (f"/{node.name}" if node is not None else "")


def cluster_option(plan: ClusterPlan) -> str:
    return f"--initial-cluster {word(plan.initial_cluster)}"


def files_of(nodes: Iterable[Planned]) -> list[str]:
    """Each once."""
    return list(dict.fromkeys(name for node in nodes for name in node.node.files))


_PLACE = re.compile(r"(?:\A|/)((?:usr/(?:local/)?)?(?:etc|lib|libexec|s?bin|opt)/.+)\Z")


def on_machine(file: str) -> str:
    """Where a file is on its machine, by the folder that stands for the machine's root; ``""`` where none does."""
    found = _PLACE.search(file)
    return f"/{found[1]}" if found else ""


def aside(path: str) -> str:
    """What the original on a machine is called. The kubelet starts whatever is in its folder, but for hidden files."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.0.4" if folder.endswith("/manifests") else f"{path}.0.4"


def data_dir(node: Planned) -> str:
    """On its machine; ``""`` for a standby's that nobody knows."""
    return _of_the_host(node.node, node.settings.get("data-dir", "").rstrip("/"))


def old_directory(node: Planned) -> str:
    """Where 0.4 has its data, on its machine; a name to write in where nobody knows."""
    old = node.node
    return old.old_directory or _of_the_host(old, old.data_dir.rstrip("/") or to_write_in(old))


def _of_the_host(node: Node, directory: str) -> str:
    """A container's directory is the host's by a volume; where none of them tells, the plan has a name to write in."""
    if not directory or not node.is_in_a_container:
        return directory
    for there, inside in sorted(node.runs.volumes, key=lambda volume: -len(volume[1])):
        inside = inside.rstrip("/")
        if directory == inside or directory.startswith(f"{inside}/"):
            return there.rstrip("/") + directory[len(inside) :]
    return to_write_in(node)
