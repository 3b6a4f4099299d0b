"""The steps with the configuration files: read what becomes of them, and convert them. Pure."""

from __future__ import annotations

from migrate02.plan.commands import as_variables, command_line
from migrate02.plan.places import cluster_option, files_of
from migrate02.plan.planning import ClusterPlan, Planned
from migrate02.plan.step import Step


def read_configuration(plan: ClusterPlan) -> Step | None:
    files = files_of(plan.members)
    if not files:
        return None
    return Step(
        "Read what becomes of the configuration",
        "Nothing is written yet: 0.4 goes on with its own files, and would not start again with the new ones.",
        (f"migrate02 convert --diff {cluster_option(plan)} {files}",),
        see="a diff to agree with; what is left for a person is told below it, with what to do",
    )


def convert_configuration(plan: ClusterPlan) -> Step | None:
    files = files_of(plan.members)
    sets = tuple((node.name, as_variables(_changed(node))) for node in plan.members)
    sets = tuple((name, lines) for name, lines in sets if lines)
    if not files:
        return Step(
            "Write the configuration",
            "Each member is started with its line of this plan.",
            sets=tuple((node.name, (command_line(node),)) for node in plan.members),
        )
    return Step(
        "Convert the configuration",
        "Where the files are on machines of their own, run it there or bring them back there."
        + (
            " Afterwards write the settings that are listed first, of the ports that move, into what comes out."
            if sets
            else ""
        ),
        (f"migrate02 convert --write --allow-residue {cluster_option(plan)} {files}",),
        (f"migrate02 convert --check {files}",),
        "nothing is left to convert",
        (f'for file in {files}; do [ ! -e "$file.0.4" ] || mv "$file.0.4" "$file"; done',),
        sets=sets,
    )


def _changed(node: Planned) -> dict[str, str]:
    """What the files do not say once they are converted."""
    before = node.node.settings
    bootstrap = ("initial-cluster", "initial-cluster-state", "initial-cluster-token")
    return {
        name: value
        for name, value in node.settings.items()
        if name not in bootstrap and before.get(name) != value
    }
