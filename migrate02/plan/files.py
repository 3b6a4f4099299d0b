"""Finds the nodes of a deployment in its files. Reads them; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from compat.findings import Finding
from compat.goflag import TRUE
from compat.leftovers import to_check
from compat.settings import FILE, Given, Origin
from compat.translate import ERA_2X, is_of_04_alone, is_of_2x_alone
from migrate02.convert.conversion import Options
from migrate02.convert.deployment import Deployment, DescribedNode
from migrate02.convert.setup_files import named_files
from migrate02.convert.templated import decided_by_a_template
from migrate02.files.tree import read_paths
from migrate02.files.walking import ALL, Choice
from migrate02.plan.findings import MAY_SET_MORE, OF_2X, PEERS_ELSEWHERE, SERVES_V2
from migrate02.plan.nodes import Found, Node, addresses_in, node_of

COREOS_OLD, COREOS_NEW = "/var/lib/etcd", "/var/lib/etcd2"
"""Where the units of CoreOS, etcd.service and etcd2.service, keep the data of a node that says nothing of it."""

_OF_A_NODE = frozenset(("name", "addr", "peer-addr", "data-dir", "peers"))
"""Variables without a start of etcd beside them are a node's when one of these is among them."""

_NOT_SEEN = frozenset(("config-not-seen", "flags-elsewhere", "value-elsewhere"))
"""What the reading of a file says about settings that it cannot see."""


def find_nodes(paths: Sequence[str], choice: Choice = ALL) -> Found:
    """The nodes of 0.4 that the files set up; of a directory, those of its files that are about etcd."""
    files = read_paths(paths, choice)
    deployment = Deployment(files.texts, files.named, Options())
    deployment.read()
    unusable = files.unusable | deployment.conversions
    found = Found([], [item for conversion in unusable.values() for item in conversion.findings])
    for described in deployment.nodes():
        if _is_of_2x(described):
            found.findings.extend(_already(described))
        elif _is_a_node(described):
            found.nodes.append(_node(described, deployment))
    return found


def _is_of_2x(described: DescribedNode) -> bool:
    """Its image is, or something in it is 2.x's alone and nothing 0.4's."""
    if described.setup is not None and described.setup.era == ERA_2X:
        return True
    given = described.given
    return any(map(is_of_2x_alone, given.values())) and not any(map(is_of_04_alone, given.values()))


def _is_a_node(described: DescribedNode) -> bool:
    only_variables = described.setup is not None and described.setup.only_variables
    return not only_variables or bool(_OF_A_NODE & described.given.keys())


def _node(described: DescribedNode, deployment: Deployment) -> Node:
    name, setup = described.name, described.setup
    host = (setup.hostname if setup is not None else "") or described.host
    node = node_of(described.given, name, files=described.files, host=host, host_is_given=True)
    findings = [*node.findings]
    if setup is not None and "data-dir" in setup.fixed and "data-dir" not in described.given:
        settings = {**node.settings, "data-dir": COREOS_NEW}
        node = node._replace(settings=settings, old_directory=COREOS_OLD)
    if setup is not None:
        findings += [finding for finding in setup.findings if finding.code in _NOT_SEEN]
        decided = decided_by_a_template(setup, name)
        findings += [decided] if decided is not None else []
        left = [file.name for file in deployment.files_of(name, setup) if file.is_lost_to(setup)]
        node = node._replace(runs=setup.runs, left_over=tuple(left))
        missing = [path for path in named_files(setup) if deployment.find(path, name) is None]
        findings += [_elsewhere(path, name, setup.line) for path in missing if "etcd" in path.lower()]
    given = described.given.get("peers-file")
    if given is not None:
        there = deployment.find(given.value, name)
        if there is None:
            findings.append(_peers_elsewhere(given))
        else:
            node = node._replace(peers=addresses_in(deployment.texts[there]))
    return node._replace(findings=tuple(findings))


def _elsewhere(path: str, name: str, line: int) -> Finding:
    return MAY_SET_MORE.finding("", Origin(FILE, path, name, line), path=path)


def _peers_elsewhere(given: Given) -> Finding:
    return PEERS_ELSEWHERE.finding("peers-file", given.origin, path=given.value)


def _already(described: DescribedNode) -> list[Finding]:
    findings = [OF_2X.finding("", Origin(FILE, described.name, described.name))]
    v2 = described.given.get("enable-v2")
    if v2 is not None and v2.value in TRUE:
        directory = to_check({name: given.value for name, given in described.given.items()})
        findings.append(SERVES_V2.finding("enable-v2", v2.origin, directory=directory))
    return findings
