"""The steps with the configuration files: read what becomes of them, convert them, bring them back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrate02.plan import program_steps
from migrate02.plan.commands import (
    as_variables,
    command_line,
    is_a_cloud_config,
    is_here,
    on_its_machine,
    send,
    word,
)
from migrate02.plan.places import aside, cluster_option, files_of, on_machine
from migrate02.plan.planning import ClusterPlan, Planned
from migrate02.plan.step import Step


def read_configuration(plan: ClusterPlan) -> Step | None:
    files = _converted(plan)
    if not files:
        return None
    return Step(
        "Read what becomes of the configuration",
        "Nothing is written yet: 0.4 still uses the old files, and cannot start with the new ones.",
        (f"migrate02 convert --diff --allow-residue {_members(plan)}{_words(files)}",),
        see="the changes, and below them what you must do by hand",
    )


def convert_configuration(plan: ClusterPlan) -> Step | None:
    files = _converted(plan)
    if not files:
        return Step(
            "Write the configuration",
            "Each member is started with its line of this plan.",
            sets=tuple((node.name, (command_line(node),)) for node in plan.members),
        )
    left_over = _left_over(plan)
    kept = [file for file in files if file not in left_over]
    names = ", ".join(other.name for other in plan.shared_with)
    together = f" They set up {names} too, so that must be stopped by now." if names else ""
    why = together + (
        " Files that 2.x does not read any more are renamed: their settings are in other files now."
        if left_over
        else ""
    )
    return Step(
        "Convert the configuration",
        f"In the files of this folder; those on the machines are not changed yet.{why}",
        (
            f"migrate02 convert --write --allow-residue {_members(plan)}{_words(files)}",
            *(f"mv {word(file)} {word(f'{file}.0.4')}" for file in left_over),
        ),
        (f"migrate02 convert --check --allow-residue {_words(kept)}",),
        "nothing is left to convert",
        (f'for file in {_words(files)}; do [ ! -e "$file.0.4" ] || mv "$file.0.4" "$file"; done',),
    )


def _converted(plan: ClusterPlan) -> list[str]:
    """The files of the members, and of those of clusters that share some of them."""
    return files_of(node for each in (plan, *plan.shared_with) for node in each.members)


def _members(plan: ClusterPlan) -> str:
    """The list of one cluster is no other's: where files are shared, each is found in them."""
    return "" if plan.shared_with else f"{cluster_option(plan)} "


def _left_over(plan: ClusterPlan) -> list[str]:
    members = (node for each in (plan, *plan.shared_with) for node in each.members)
    return list(dict.fromkeys(file for node in members for file in node.node.left_over))


def write_by_hand(plan: ClusterPlan) -> Step | None:
    """What no conversion writes: ports that move, and the image of a container."""
    if not files_of(plan.members):
        return None
    sets = [
        (node.name, (*as_variables(_changed(node)), *program_steps.by_hand(node.node)))
        for node in plan.members
    ]
    sets = [(name, lines) for name, lines in sets if lines]
    if not sets:
        return None
    return Step(
        "Write down what is not converted",
        "Edit the converted files of this folder: each line replaces the old one there, in the form of that file.",
        sets=tuple(sets),
        back_in_words="Back: the way back of the step before restores these files.",
    )


def bring_configuration(plan: ClusterPlan) -> Step | None:
    """From the folder of the runbook to where each file is read."""
    lines = [line for node in plan.members for line in _brought(node)]
    if not lines:
        return None
    return Step(
        "Bring the configuration to its machines",
        "Each file is copied back to its place. 0.4's file is kept next to it.",
        tuple(run for run, _, _ in lines if run),
        tuple(check for _, check, _ in lines if check),
        "no difference" if any(check for _, check, _ in lines) else "",
        tuple(back for _, _, back in lines if back),
    )


def originals(plan: ClusterPlan) -> Iterator[tuple[Planned, str]]:
    """What the step before leaves aside on the machines."""
    for node in plan.members:
        for file in node.node.files:
            place = on_machine(file)
            if place and place != file and not is_a_cloud_config(file):
                yield node, aside(place)


def _brought(node: Planned) -> Iterator[tuple[str, str, str]]:
    """Lines, a check and a way back for each file of a node."""
    for file in node.node.files:
        place = on_machine(file)
        if place == file:
            continue
        if is_a_cloud_config(file):
            yield from _applied(node, file)
        elif place:
            yield from _placed(node, file, place)
        else:
            there = "where it is read" if is_here(node.node) else "where it came from"
            yield (
                on_its_machine(node.node, f"# bring {word(file)} to {there}"),
                "",
                on_its_machine(node.node, f"# put back the file of 0.4 that {word(file)} was"),
            )


def _placed(node: Planned, file: str, place: str) -> Iterator[tuple[str, str, str]]:
    kept = aside(place)
    keep = f"[ ! -e {word(kept)} ] && {{}} {word(place)} {word(kept)}"
    back = on_its_machine(node.node, f"mv {word(kept)} {word(place)}")
    if file in node.node.left_over:
        yield on_its_machine(node.node, keep.format("mv")), "", back
        return
    yield on_its_machine(node.node, keep.format("cp -p")), "", back
    same = on_its_machine(node.node, f"cat {word(place)}")
    yield send(node.node, file, place), f"{same} | diff {word(file)} -", ""


def _applied(node: Planned, file: str) -> Iterator[tuple[str, str, str]]:
    """A cloud-config is read at a start of the machine, from where only its owner knows."""
    copy = f"/var/tmp/{re.sub(r'[^A-Za-z0-9._-]', '_', file.rpartition('/')[2])}"
    apply = on_its_machine(node.node, f"coreos-cloudinit --from-file={copy}")
    yield send(node.node, file, copy), "", send(node.node, f"{file}.0.4", copy)
    yield apply, "", apply
    yield (
        on_its_machine(node.node, f"# for its next start, put {word(file)} where it is read"),
        "",
        on_its_machine(node.node, f"# put back the file of 0.4 that {word(file)} was"),
    )


def _words(files: list[str]) -> str:
    return " ".join(map(word, files))


def _changed(node: Planned) -> dict[str, str]:
    """What the files do not say once they are converted."""
    before = node.node.settings
    bootstrap = ("initial-cluster", "initial-cluster-state", "initial-cluster-token")
    return {
        name: value
        for name, value in node.settings.items()
        if name not in bootstrap and before.get(name) != value
    }
