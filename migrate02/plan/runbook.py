"""The steps of a cluster's way to 2.x, in order: what to run, what to see after it, how to go back. Pure.

0.4 and 2.x do not speak with each other, so all members stop before the first one starts again: the runbook keeps what
happens between as short as it can, and everything that can be looked at or undone stands before what cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from migrate02.plan.commands import as_variables, command_line, copy, is_here, on_its_machine, service, word
from migrate02.plan.nodes import CLIENT_URLS, LISTEN_CLIENT_URLS
from migrate02.plan.planning import ClusterPlan, Planned
from migrate02.plan.ports import BOTH, KEEP
from server.printable import printable

HOW_TO_GO_BACK = (
    "To go back, undo the steps that were done, the last one first, down to the one that starts 0.4 again. All lines "
    "are for one folder on a machine that reaches the others."
)


def _old(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The folder beside the runbook with the directories of 0.4 as they were, or a member's in it."""
    return f"old-{plan.name}" + (f"/{node.name}" if node is not None else "")


def _new(plan: ClusterPlan, node: Planned | None = None) -> str:
    """The same for what becomes of them."""
    return f"new-{plan.name}" + (f"/{node.name}" if node is not None else "")


_WITH_TLS = (
    " Here and below, give curl --cacert, --cert and --key, and etcdctl02 and migrate02 --ca-file, --cert-file and "
    "--key-file, as your clients have them."
)


class Step(NamedTuple):
    """``run`` are a shell's lines, ``check`` too; ``see`` is what they show when all is well, ``back`` the lines that
    undo the step and ``loses`` what is lost by them. ``sets`` are settings to write into a configuration by hand."""

    title: str
    why: str
    run: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    see: str = ""
    back: tuple[str, ...] = ()
    loses: str = "nothing"
    sets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    back_in_words: str = ""
    """Where no shell's lines go back."""

    @property
    def in_lines(self) -> Step:
        """With lines that are one each, whatever was in the values: what stands behind a comment is not to be run."""
        return self._replace(
            run=tuple(map(printable, self.run)),
            check=tuple(map(printable, self.check)),
            back=tuple(map(printable, self.back)),
            sets=tuple((name, tuple(map(printable, lines))) for name, lines in self.sets),
        )


def runbook(plan: ClusterPlan) -> list[Step]:
    """Nothing for a plan that is refused."""
    if plan.is_refused:
        return []
    return [step.in_lines for make in _STEPS if (step := make(plan)) is not None]


def _look(plan: ClusterPlan) -> Step | None:
    urls = [node.node.client_url for node in plan.members if node.node.client_url]
    if not urls:
        return None
    run = [f"curl -s {word(url)}/v2/stats/self; echo" for url in urls]
    run.append(f"curl -s {word(urls[0])}/v2/leader; echo")
    check = [f"curl -s -o /dev/null -D - {word(url)}/v2/keys/ | grep X-Etcd-Index" for url in urls]
    return Step(
        "See that the old cluster is well",
        "A member that is down or behind now is so afterwards, too. Put it right, or leave it out of the plan."
        + (_WITH_TLS if any(url.startswith("https:") for url in urls) else ""),
        tuple(run),
        tuple(check),
        (
            "every member answers with its own name, one of them is the leader, and the indexes are the same or a few "
            "apart"
        ),
    )


def _read(plan: ClusterPlan) -> Step | None:
    files = _files(plan.members)
    if not files:
        return None
    return Step(
        "Read what becomes of the configuration",
        "Nothing is written yet: 0.4 goes on with its own files, and would not start again with the new ones.",
        (f"migrate02 convert --diff {_cluster_option(plan)} {files}",),
        see="a diff to agree with; what is left for a person is told below it, with what to do",
    )


def _stop(plan: ClusterPlan) -> Step:
    standbys_first = [*plan.proxies, *plan.members]
    return Step(
        "Stop the writers, then every node",
        "From here on the cluster is down. Standbys stop first, or they would step in for the members.",
        tuple(on_its_machine(node.node, service(node.node, "stop")) for node in standbys_first),
        tuple(
            f"! curl -s -m 2 {word(node.node.client_url)}/version"
            for node in plan.members
            if node.node.client_url
        ),
        "nobody answers any more",
        tuple(on_its_machine(node.node, service(node.node, "start")) for node in plan.nodes),
    )


def _gather(plan: ClusterPlan) -> Step:
    run = [f"mkdir -p {word(_old(plan))}"]
    run += [copy(node.node, _old_directory(node), _old(plan, node)) for node in plan.members]
    hints = [""]
    if _in_containers(plan):
        hints.append("In a container the directory is a volume's: look up where the host has it.")
    if not all(is_here(node.node) or _old_directory(node).startswith("/") for node in plan.members):
        hints.append("A directory without a leading / is below the one that etcd was started in.")
    return Step(
        "Bring the data of all members together",
        "The originals stay where they are. All directories are needed at once: the log that goes furthest is the "
        "truth for all." + " ".join(hints),
        tuple(run),
        tuple(f"migrate02 data inspect {word(_old(plan, node))}" for node in plan.members),
        "each is a directory of 0.4 and holds what its member should; no damage is told",
        (f"rm -r {word(_old(plan))}",),
    )


def _convert_data(plan: ClusterPlan) -> Step:
    olds = " ".join(word(_old(plan, node)) for node in plan.members)
    first = plan.members[0]
    return Step(
        "Convert the data",
        "Keys, indexes, TTLs and hidden keys are kept; the members get the names and peer URLs of this plan.",
        (
            f"migrate02 data {olds} --out {word(_new(plan))} {_cluster_option(plan)} "
            f"--initial-cluster-token {word(plan.token)}",
        ),
        (f"migrate02 data verify --indexes {word(_old(plan, first))} {word(_new(plan, first))}",),
        (
            "nothing differs, for the directory that is said to be taken for all; every member is written, at the same "
            "index"
        ),
        (f"rm -r {word(_new(plan))}",),
    )


def _put_in_place(plan: ClusterPlan) -> Step:
    run, back = [], []
    for node in filter(_data_dir, plan.nodes):
        here, moves = _data_dir(node), not node.node.old_directory
        aside = f"[ ! -e {word(here)} ] || mv {word(here)} {word(f'{here}.2x')}"
        if moves:
            run.append(on_its_machine(node.node, f"mv {word(here)} {word(f'{here}.0.4')}"))
        if not node.is_proxy:
            run.append(copy(node.node, _new(plan, node), here, back=True))
        put_back = f"; mv {word(f'{here}.0.4')} {word(here)}" if moves else ""
        back.append(on_its_machine(node.node, aside + put_back))
    return Step(
        "Put the new directories in their place",
        "etcd 2.2 and later start empty over a directory of 0.4, so the old one goes aside under another name, where "
        "it is not elsewhere.",
        tuple(run),
        tuple(on_its_machine(node.node, f"ls {word(_data_dir(node))}") for node in plan.members),
        "the folder member, and nothing else",
        tuple(back),
    )


def _convert_files(plan: ClusterPlan) -> Step | None:
    files = _files(plan.members)
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
        + (" The ports that move stand below: write them into what comes out." if sets else ""),
        (f"migrate02 convert --write --allow-residue {_cluster_option(plan)} {files}",),
        (f"migrate02 convert --check {files}",),
        "nothing is left to convert",
        (f'for file in {files}; do [ ! -e "$file.0.4" ] || mv "$file.0.4" "$file"; done',),
        sets=sets,
    )


def _start(plan: ClusterPlan) -> Step:
    clients = [node.settings[CLIENT_URLS] for node in plan.members if CLIENT_URLS in node.settings]
    urls = [url for text in clients for url in text.split(",")[:1]]
    check = [f"curl -s {word(url)}/health; echo" for url in urls]
    if urls:
        check += [
            f"etcdctl02 --peers {word(','.join(urls))} cluster-health",
            f"migrate02 data verify {word(_old(plan, plan.members[0]))} {word(urls[0])}",
        ]
    one = len(plan.members) == 1
    return Step(
        "Start the member" if one else "Start all members",
        "" if one else "One by itself waits for a majority: start them all, in any order, before looking.",
        tuple(on_its_machine(node.node, service(node.node, "start", new=True)) for node in plan.members),
        tuple(check),
        'each says {"health": "true"}, and the keys are the old ones',
        tuple(on_its_machine(node.node, service(node.node, "stop", new=True)) for node in plan.members),
        "what was written since the start",
    )


def _start_proxies(plan: ClusterPlan) -> Step | None:
    if not plan.proxies:
        return None
    checks = []
    for node in plan.proxies:
        listened = node.node.client_url and node.settings.get(LISTEN_CLIENT_URLS, "").split(",")[0]
        if listened:
            url = f"{node.node.client_url.rpartition(':')[0]}:{listened.rpartition(':')[2]}"
            checks.append(f"curl -s {word(url)}/v2/keys/; echo")
    return Step(
        "Start the standbys as proxies",
        "2.x has no standbys. A proxy has no data and takes no part in votes; clients that know its address go on "
        "using it. Write its configuration anew, and keep the old one aside:",
        tuple(on_its_machine(node.node, service(node.node, "start", new=True)) for node in plan.proxies),
        tuple(checks),
        "the cluster's keys, through the proxy",
        tuple(on_its_machine(node.node, service(node.node, "stop", new=True)) for node in plan.proxies),
        sets=tuple((node.name, as_variables(dict(node.settings))) for node in plan.proxies),
    )


def _clients(plan: ClusterPlan) -> Step:
    moved = [node for node in plan.nodes if _moves(node)]
    urls = ",".join(node.settings[CLIENT_URLS] for node in plan.members if CLIENT_URLS in node.settings)
    if plan.ports == KEEP or not moved:
        return Step(
            "Let the clients write again",
            "They find the members where they were. Those that ask /v2/leader, /v2/peers or /v1 have to be changed: "
            "2.x has none of them. In-order keys made from now on are padded, and sort before the old ones.",
        )
    why = (
        "The old client port answers, too, until nobody needs it: move them one by one."
        if plan.ports == BOTH
        else "The old ports answer no more: clients are told the new ones before they start again."
    )
    return Step("Move the clients", f"{why} Firewalls and published ports of containers follow.", see=urls)


def _close_old_ports(plan: ClusterPlan) -> Step | None:
    moved = [node for node in plan.nodes if plan.ports == BOTH and _moves(node)]
    if not moved:
        return None
    sets = []
    for node in moved:
        only_new = node.settings[LISTEN_CLIENT_URLS].split(",")[0]
        sets.append((node.name, as_variables({LISTEN_CLIENT_URLS: only_new})))
    return Step(
        "Close the old client ports",
        (
            "When nobody has called them for as long as your slowest client sleeps. One member at a time, so that the "
            "cluster stays up."
        ),
        tuple(on_its_machine(node.node, service(node.node, "restart", new=True)) for node in moved),
        tuple(f"! curl -s -m 2 {word(node.node.client_url)}/version" for node in moved),
        "nobody answers at the old port, and the cluster is healthy",
        sets=tuple(sets),
        back_in_words="Back: put the old URL back beside the new one, and start again.",
    )


def _tidy(plan: ClusterPlan) -> Step:
    left = [
        (node, node.node.old_directory or f"{_data_dir(node)}.0.4") for node in filter(_data_dir, plan.nodes)
    ]
    run = [on_its_machine(node.node, f"rm -r {word(directory)}") for node, directory in left]
    return Step(
        "Let go of the old files",
        (
            "When you have lived with the new cluster for a while, and have a backup of it. There is no way back after "
            "this."
        ),
        (*run, f"rm -r {word(_old(plan))} {word(_new(plan))}"),
    )


_STEPS = (
    _look,
    _read,
    _stop,
    _gather,
    _convert_data,
    _put_in_place,
    _convert_files,
    _start,
    _start_proxies,
    _clients,
    _close_old_ports,
    _tidy,
)


def _moves(node: Planned) -> bool:
    return node.settings.get(LISTEN_CLIENT_URLS) != node.node.settings.get(LISTEN_CLIENT_URLS)


def _changed(node: Planned) -> dict[str, str]:
    """What the files do not say once they are converted."""
    before = node.node.settings
    bootstrap = ("initial-cluster", "initial-cluster-state", "initial-cluster-token")
    return {
        name: value
        for name, value in node.settings.items()
        if name not in bootstrap and before.get(name) != value
    }


def _cluster_option(plan: ClusterPlan) -> str:
    return f"--initial-cluster {word(plan.initial_cluster)}"


def _files(nodes: Iterable[Planned]) -> str:
    names = dict.fromkeys(name for node in nodes for name in node.node.files)
    return " ".join(map(word, names))


def _data_dir(node: Planned) -> str:
    """``""`` for a standby's that nobody tells of."""
    return node.settings.get("data-dir", "").rstrip("/")


def _old_directory(node: Planned) -> str:
    return node.node.old_directory or _data_dir(node)


_CONTAINERS = re.compile(r"(?:docker|compose|fig\.ya?ml|manifests/)")


def _in_containers(plan: ClusterPlan) -> bool:
    return any(_CONTAINERS.search(file) for node in plan.nodes for file in node.node.files)
