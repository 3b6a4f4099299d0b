"""The steps that a move into an etcd 3 has of its own: the etcd 3, the import, what starts a gateway. Pure.

The files of 0.4 stay as they are: ``etcd02`` reads them, and takes from them what is about clients. So what is changed
on a machine is what its files start, and going back changes that alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from compat.gateway import variable, written
from migrate02.plan.commands import each_once, is_a_cloud_config, on_its_machine, service, word
from migrate02.plan.configuration_steps import bring_configuration, originals
from migrate02.plan.nodes import CLIENT_URLS
from migrate02.plan.places import old_directory, old_folder
from migrate02.plan.planning import PROGRAM, ClusterPlan, Planned
from migrate02.plan.program_steps import (
    by_hand,
    called,
    put_back,
    put_in_place,
    remove_program,
    with_programs,
)
from migrate02.plan.step import Step
from server.config.gateway import GatewaySettings

_DROP_IN = "/etc/systemd/system/etcd.service.d/30-gateway.conf"
"""CoreOS has its programs on a disk that nobody writes to, so its unit gets another command."""


def look_at_etcd3(plan: ClusterPlan) -> Step:
    through = _through(plan)
    files = _files(through)
    curl = "curl -s" + "".join(f" --{name} {word(path)}" for name, path in files.items())
    return Step(
        "See that the etcd 3 is well",
        f"It gets the keys under {through.data_prefix}/, and records of the gateways under {through.meta_prefix}; it "
        "must not have any there yet. If it has other keys, start it with --auto-compaction-retention."
        + (" Each machine needs the files that are named here, at the same paths." if files else "")
        + " If it has users, set ETCD02_GATEWAY_USER=NAME:PASSWORD here and where a gateway starts.",
        tuple(f"{curl} {word(url)}/version; echo" for url in through.endpoints),
        tuple(f"{curl} {word(url)}/health; echo" for url in through.endpoints),
        'each says "health":"true"',
    )


def import_data(plan: ClusterPlan) -> Step:
    through = _through(plan)
    folders = " ".join(word(old_folder(plan, node)) for node in plan.members)
    flags = written(through)
    flags["gateway"] = flags.pop("gateway-endpoints")
    data, meta = f"{through.data_prefix}/", through.meta_prefix
    etcdctl = _etcdctl(through)
    return Step(
        "Bring the keys into the etcd 3",
        "Keys, indexes, TTLs, hidden keys and the history are kept. etcdctl is that of etcd 3.",
        (f"migrate02 data {folders} {_as_options(flags)}",),
        (f"{etcdctl} get --prefix --keys-only --limit=3 {word(data)}",),
        "the first keys of the cluster, under the same paths",
        (f"{etcdctl} del --prefix {word(data)}", f"{etcdctl} del --prefix {word(meta)}"),
        f"what others have put under {data} and {meta} since",
    )


def move_directories(plan: ClusterPlan) -> Step:
    nodes = _with_directories(plan)
    moved, back, gone = [], [], []
    for node in nodes:
        here = word(old_directory(node))
        aside = word(f"{old_directory(node)}.0.4")
        moved.append(on_its_machine(node.node, f"mv {here} {aside}"))
        gone.append(on_its_machine(node.node, f"[ ! -e {here} ]"))
        new = word(f"{old_directory(node)}.gateway")
        back.append(
            on_its_machine(node.node, f"{{ [ ! -e {here} ] || mv {here} {new}; }} && mv {aside} {here}")
        )
    return Step(
        "Move the old directories aside",
        "A gateway has its keys from the etcd 3, and does not start on a directory with others.",
        tuple(moved),
        tuple(gone),
        "nothing",
        tuple(back),
    )


def put_gateways_in_place(plan: ClusterPlan) -> Step | None:
    """What the machines start, but for what is written by hand."""
    programs, units = with_programs(plan), _of_coreos(plan)
    if not programs and not units:
        return None
    options = _as_options({"engine": "gateway", **written(_through(plan))})
    run = [on_its_machine(node.node, put_in_place(node.node, _script(options))) for node in programs]
    run += [on_its_machine(node.node, _drop_in(options)) for node in units]
    check = [on_its_machine(node.node, f"{called(node.node)} -version") for node in programs]
    check += [on_its_machine(node.node, f"{PROGRAM} -version") for node in units]
    back = [on_its_machine(node.node, put_back(node.node)) for node in programs]
    back += [on_its_machine(node.node, f"rm -f {_DROP_IN}") for node in units]
    return Step(
        "Put the gateway in the place of etcd",
        f"The files are not changed: {PROGRAM} reads 0.4's settings, and uses those about clients, so it has the old "
        f"addresses. A short script in the place of the program starts it. {PROGRAM} must be installed on each "
        "machine, with 'migrate02[gateway]'.",
        each_once(run),
        each_once(check),
        "each prints the version of etcd 2.x",
        each_once(back),
    )


def _script(options: str) -> str:
    return f'printf \'#!/bin/sh\\nexec %s %s "$@"\\n\' "$new" {shlex.quote(options)}'


def _drop_in(options: str) -> str:
    folder = _DROP_IN.rpartition("/")[0]
    start = f"printf '[Service]\\nExecStart=\\nExecStart=%s %s\\n' \"$new\" {shlex.quote(options)}"
    return f"new=$(command -v {PROGRAM}) && mkdir -p {folder} && {start} > {_DROP_IN}"


def write_by_hand(plan: ClusterPlan) -> Step | None:
    nodes = _by_hand(plan)
    if not nodes:
        return None
    variables = as_variables(_through(plan))
    return Step(
        "Write down what starts the gateways",
        "Edit the files of this folder: the variables belong to the environment that the program is started in, in the "
        "form of that file.",
        sets=tuple((node.name, (*by_hand(node.node), *variables)) for node in nodes),
        back_in_words="Back: remove these lines.",
    )


def as_variables(through: GatewaySettings) -> tuple[str, ...]:
    """Of ``etcd02``'s own, which are no settings of etcd."""
    return tuple(
        f"{variable(flag)}={value}" for flag, value in {"engine": "gateway", **written(through)}.items()
    )


def bring_what_was_written(plan: ClusterPlan) -> Step | None:
    return bring_configuration(_only_by_hand(plan))


def start_gateways(plan: ClusterPlan) -> Step:
    urls = [node.settings[CLIENT_URLS].split(",")[0] for node in plan.nodes if CLIENT_URLS in node.settings]
    check = [f"curl -s {word(url)}/health; echo" for url in urls]
    if urls:
        first = word(old_folder(plan, plan.members[0]))
        check.append(f"migrate02 data verify --indexes {first} {word(urls[0])}")
    return Step(
        "Start the gateways",
        "In any order: they need the etcd 3, and not each other.",
        _services(plan.nodes, "start"),
        tuple(check),
        'each says {"health": "true"}, and the keys are the old ones, at their old indexes',
        _services(plan.nodes, "stop"),
        "what was written since the start",
    )


def _services(nodes: Iterable[Planned], verb: str) -> tuple[str, ...]:
    return tuple(
        on_its_machine(node.node, service(node.node, verb, new=True, of_coreos="etcd")) for node in nodes
    )


def let_clients_write(plan: ClusterPlan) -> Step:
    del plan
    return Step(
        "Let the clients write again",
        "The gateways have the members' addresses, and indexes go on: a client that waits with waitIndex misses "
        "nothing. What 0.4 served and 2.x does not, such as /v1, is served too. Write these keys through the gateways "
        "only: what is written to them over etcd 3 is overwritten.",
    )


def remove_old_files(plan: ClusterPlan) -> Step:
    left = [(node, f"{old_directory(node)}.0.4") for node in _with_directories(plan)]
    run = [on_its_machine(node.node, f"rm -r {word(directory)}") for node, directory in left]
    run += [on_its_machine(node.node, f"rm {word(file)}") for node, file in originals(_only_by_hand(plan))]
    run += [on_its_machine(node.node, remove_program(node.node)) for node in with_programs(plan)]
    return Step(
        "Let go of the old files",
        "Do this when the gateways have run well for a while, and you have a backup of the etcd 3. After this, you "
        "cannot go back.",
        (*each_once(run), f"rm -r {word(old_folder(plan))}"),
    )


def leave_v2(plan: ClusterPlan) -> Step:
    return Step(
        "When no client speaks v2 any more",
        f"Not today. Stop all gateways, and run '{PROGRAM} gateway leave {_as_options(written(_through(plan)))}': "
        "what has a TTL gets a lease, and the gateways' records are removed. What remains are plain keys of etcd 3.",
    )


def _through(plan: ClusterPlan) -> GatewaySettings:
    assert plan.gateway is not None, "these steps are for gateways"
    return plan.gateway


def _etcdctl(through: GatewaySettings) -> str:
    return f"etcdctl {_as_options({'endpoints': ','.join(through.endpoints), **_files(through)})}"


def _files(through: GatewaySettings) -> dict[str, str]:
    """Those of TLS, by the names that curl and etcdctl have for them."""
    files = {"cacert": through.cacert, "cert": through.cert, "key": through.key}
    return {name: path for name, path in files.items() if path}


def _as_options(flags: Mapping[str, str]) -> str:
    return " ".join(word(f"--{flag}={value}") for flag, value in flags.items())


def _with_directories(plan: ClusterPlan) -> list[Planned]:
    """A standby's may be unknown, and it has no keys of its own."""
    standbys = [node for node in plan.proxies if node.node.old_directory or node.node.data_dir]
    return [*plan.members, *standbys]


def _of_coreos(plan: ClusterPlan) -> list[Planned]:
    return [node for node in plan.nodes if any(map(is_a_cloud_config, node.node.files))]


def _by_hand(plan: ClusterPlan) -> list[Planned]:
    others = [*with_programs(plan), *_of_coreos(plan)]
    return [node for node in plan.nodes if node not in others]


def _only_by_hand(plan: ClusterPlan) -> ClusterPlan:
    return plan._replace(members=tuple(_by_hand(plan)), proxies=())
