"""The steps with the programs: an image of etcd02 for containers, and etcd02 in the place of 0.4 on machines. Pure."""

from __future__ import annotations

import re

from compat import __version__
from migrate02.plan.commands import each_once, is_here, on_its_machine, word
from migrate02.plan.nodes import Node
from migrate02.plan.planning import PROGRAM, ClusterPlan, Planned
from migrate02.plan.step import Step

IMAGE = f"migrate02:{__version__}"
USER_IN_IMAGE = "10001:10001"
"""Of the container file at the root of the sources."""

_PLAIN_PATH = re.compile(r"/[\w./+-]+")


def build_image(plan: ClusterPlan) -> Step | None:
    """Nobody publishes one."""
    nodes = [node for node in plan.nodes if node.node.is_in_a_container]
    if not nodes:
        return None
    away = [node for node in nodes if not is_here(node.node)]
    load = "docker load"
    return Step(
        f"Build the image of {PROGRAM}",
        f"There is no published image of {PROGRAM}, and 0.4's image cannot read the new data. $MIGRATE02 is the "
        "folder of migrate02's sources, with the Dockerfile. Nothing is stopped yet.",
        (
            f'docker build -t {IMAGE} "${{MIGRATE02:?}}"',
            *each_once(f"docker save {IMAGE} | {on_its_machine(node.node, load)}" for node in away),
        ),
        each_once(on_its_machine(node.node, f"docker run --rm {IMAGE} {PROGRAM} -version") for node in nodes),
        f"each prints the version of {PROGRAM}",
        each_once(on_its_machine(node.node, f"docker rmi {IMAGE}") for node in nodes),
    )


def with_programs(plan: ClusterPlan) -> list[Planned]:
    """Those that start a program which is 0.4's. CoreOS has one of 2.x beside it, that its unit starts."""
    return [node for node in plan.nodes if node.node.runs.program and not node.node.is_in_a_container]


def replace_programs(plan: ClusterPlan) -> Step | None:
    nodes = with_programs(plan)
    if not nodes:
        return None
    return Step(
        f"Put {PROGRAM} in the place of etcd",
        f"The files still name the same program. {PROGRAM} must be installed on each machine. To use a real "
        "etcd 2.3 instead, link that one.",
        each_once(on_its_machine(node.node, _replace(node.node)) for node in nodes),
        each_once(on_its_machine(node.node, f"{called(node.node)} -version") for node in nodes),
        "each prints the version of etcd 2.x",
        each_once(on_its_machine(node.node, put_back(node.node)) for node in nodes),
    )


def put_in_place(node: Node, prints: str) -> str:
    """A script in the place of the program, as the command ``prints`` it, for which etcd02 is ``$new``. The program may
    be a link, which the script must not be written through."""
    old = _old(node)
    return f"{_set_aside(node)} && rm -f {old} && {prints} > {old} && chmod +x {old}"


def _replace(node: Node) -> str:
    return f'{_set_aside(node)} && ln -sf "$new" {_old(node)}'


def _set_aside(node: Node) -> str:
    """Keeps the program, once for a machine, whose other clusters may start the same one. ``$new`` is etcd02."""
    path, old = _path(node), _old(node)
    aside = f"{path}.0.4" if path else '"$old.0.4"'
    begin = f"new=$(command -v {PROGRAM}) && " + ("" if path else "old=$(command -v etcd) && ")
    return f"{begin}{{ [ -e {aside} ] || mv {old} {aside}; }}"


def _old(node: Node) -> str:
    return _path(node) or '"$old"'


def put_back(node: Node) -> str:
    path = _path(node)
    if path:
        return f"[ ! -e {path}.0.4 ] || mv {path}.0.4 {path}"
    return 'old=$(command -v etcd) && { [ ! -e "$old.0.4" ] || mv "$old.0.4" "$old"; }'


def remove_program(node: Node) -> str:
    path = _path(node)
    return f"rm -f {path}.0.4" if path else 'rm -f "$(command -v etcd).0.4"'


def called(node: Node) -> str:
    return _path(node) or "etcd"


def _path(node: Node) -> str:
    """``""`` where only the machine's PATH knows."""
    return node.runs.program if _PLAIN_PATH.fullmatch(node.runs.program) else ""


def by_hand(node: Node) -> tuple[str, ...]:
    """What has to stand in a container's file in the place of its image and program. The image has no entrypoint."""
    if not node.is_in_a_container:
        return ()
    file = node.files[0] if node.files else ""
    program = f"# in the place of {word(node.runs.program)}: {PROGRAM}" if node.runs.program else ""
    if file.endswith((".yml", ".yaml", ".json")):
        return (f"image: {IMAGE}", program or f"entrypoint: [{PROGRAM}]")
    if re.search(r"(?:\A|/)Dockerfile[^/]*\Z", file):
        return (f"FROM {IMAGE}", program or f'ENTRYPOINT ["{PROGRAM}"]')
    if program:
        return (f"# in the place of {word(node.runs.image)}: {IMAGE}", program)
    return (f"--entrypoint {PROGRAM} {IMAGE}",)
