"""The steps with the data directories: bring them together, convert them, put the new ones in place. Pure."""

from __future__ import annotations

from migrate02.plan.commands import copy, each_once, is_here, on_its_machine, word
from migrate02.plan.configuration_steps import originals
from migrate02.plan.nodes import to_write_in
from migrate02.plan.places import cluster_option, data_dir, new_folder, old_directory, old_folder
from migrate02.plan.planning import ClusterPlan, Planned
from migrate02.plan.program_steps import USER_IN_IMAGE, remove_program, with_programs
from migrate02.plan.step import Step


def gather_data(plan: ClusterPlan) -> Step:
    run = [f"mkdir -p {word(old_folder(plan))}"]
    run += [copy(node.node, old_directory(node), old_folder(plan, node)) for node in plan.members]
    hints = [""]
    in_containers = [node for node in plan.members if node.node.is_in_a_container]
    if any(old_directory(node) == to_write_in(node.node) for node in in_containers):
        hints.append("In a container the directory is a volume: find its folder on the host.")
    elif in_containers:
        hints.append("For a container, it is the folder on the host, from the container's volumes.")
    if not all(is_here(node.node) or old_directory(node).startswith("/") for node in plan.members):
        hints.append("A directory without a leading / is below the working directory of etcd.")
    return Step(
        "Bring the data of all members together",
        "The originals are not changed. All directories are needed together: the longest log is used for all members."
        + " ".join(hints),
        tuple(run),
        tuple(f"migrate02 data inspect {word(old_folder(plan, node))}" for node in plan.members),
        "each is a directory of 0.4 with its own member's data; no damage is reported",
        (f"rm -r {word(old_folder(plan))}",),
    )


def convert_data(plan: ClusterPlan) -> Step:
    olds = " ".join(word(old_folder(plan, node)) for node in plan.members)
    first = plan.members[0]
    return Step(
        "Convert the data",
        "Keys, indexes, TTLs and hidden keys are kept; the members get the names and peer URLs of this plan.",
        (
            f"migrate02 data {olds} --out {word(new_folder(plan))} {cluster_option(plan)} "
            f"--initial-cluster-token {word(plan.token)}",
        ),
        (f"migrate02 data verify --indexes {word(old_folder(plan, first))} {word(new_folder(plan, first))}",),
        ("no difference for the directory that was used for all; every member is written, at the same index"),
        (f"rm -r {word(new_folder(plan))}",),
    )


def swap_directories(plan: ClusterPlan) -> Step:
    run, back = [], []
    for node in filter(data_dir, plan.nodes):
        here, moves = data_dir(node), not node.node.old_directory
        aside = f"[ ! -e {word(here)} ] || mv {word(here)} {word(f'{here}.2x')}"
        if moves:
            run.append(on_its_machine(node.node, f"mv {word(here)} {word(f'{here}.0.4')}"))
        if not node.is_proxy:
            run.append(copy(node.node, new_folder(plan, node), here, back=True))
            run.append(on_its_machine(node.node, _give(node)))
        put_back = f"; mv {word(f'{here}.0.4')} {word(here)}" if moves else ""
        back.append(on_its_machine(node.node, aside + put_back))
    return Step(
        "Put the new directories in their place",
        "etcd 2.2 and later start empty on a directory of 0.4, so the old one is renamed, unless the new one "
        "has another place. The new one gets the owner that etcd runs as.",
        tuple(run),
        tuple(on_its_machine(node.node, f"ls {word(data_dir(node))}") for node in plan.members),
        "the folder member, and nothing else",
        tuple(back),
    )


def _give(node: Planned) -> str:
    """The image of etcd02 has a user of its own; elsewhere it is the one that 0.4 ran as."""
    if node.node.is_in_a_container:
        return f"chown -R {USER_IN_IMAGE} {word(data_dir(node))}"
    old = node.node.old_directory or f"{data_dir(node)}.0.4"
    return f"chown -R --reference={word(old)} {word(data_dir(node))}"


def remove_old_files(plan: ClusterPlan) -> Step:
    left = [
        (node, node.node.old_directory or f"{data_dir(node)}.0.4") for node in filter(data_dir, plan.nodes)
    ]
    run = [on_its_machine(node.node, f"rm -r {word(directory)}") for node, directory in left]
    run += [on_its_machine(node.node, f"rm {word(file)}") for node, file in originals(plan)]
    run += each_once(on_its_machine(node.node, remove_program(node.node)) for node in with_programs(plan))
    return Step(
        "Let go of the old files",
        (
            "Do this when the new cluster has run well for a while, and you have a backup of it. After this, "
            "you cannot go back."
        ),
        (*run, f"rm -r {word(old_folder(plan))} {word(new_folder(plan))}"),
    )


def go_on_to_3x(plan: ClusterPlan) -> Step:
    del plan
    return Step(
        "Before you go on to etcd 3.x",
        "Not today, and not in one step: all members to 3.4, then to 3.5. Once the cluster's version is 3.4, start "
        "each member on 3.4 once more with --snapshot-count=1. Without a snapshot taken there, 3.5 answers "
        "'etcdserver: not capable' to every call of the v3 API; see 'migrate02 explain straight-from-2x'. "
        "3.6 refuses what v2 left in a data directory: 'migrate02 v2store check DIR' finds it, on 3.5.",
    )
