"""The steps at the nodes and clients themselves: look, stop, start, move to the new ports. Pure."""

from __future__ import annotations

from migrate02.plan.commands import as_variables, on_its_machine, service, word
from migrate02.plan.nodes import CLIENT_URLS, LISTEN_CLIENT_URLS
from migrate02.plan.places import old_folder
from migrate02.plan.planning import ClusterPlan, Planned
from migrate02.plan.ports import BOTH, KEEP
from migrate02.plan.program_steps import by_hand
from migrate02.plan.step import Step

_WITH_TLS = (
    " Here and below, give curl --cacert, --cert and --key, and etcdctl02 and migrate02 --ca-file, --cert-file and "
    "--key-file, as your clients have them."
)


def look(plan: ClusterPlan) -> Step | None:
    urls = [node.node.client_url for node in plan.members if node.node.client_url]
    if not urls:
        return None
    run = [f"curl -s {word(url)}/v2/stats/self; echo" for url in urls]
    run.append(f"curl -s {word(urls[0])}/v2/leader; echo")
    check = [f"curl -s -o /dev/null -D - {word(url)}/v2/keys/ | grep X-Etcd-Index" for url in urls]
    return Step(
        "See that the old cluster is well",
        "A member that is down or behind now will be down or behind after the move. Repair it, or remove it "
        "from the plan." + (_WITH_TLS if any(url.startswith("https:") for url in urls) else ""),
        tuple(run),
        tuple(check),
        (
            "every member answers with its own name, one of them is the leader, and the indexes are the same or a few "
            "apart"
        ),
    )


def stop(plan: ClusterPlan) -> Step:
    standbys_first = [*plan.proxies, *plan.members]
    return Step(
        "Stop the writers, then every node",
        "From here on the cluster is down. Standbys stop first; otherwise they would become members.",
        tuple(on_its_machine(node.node, service(node.node, "stop")) for node in standbys_first),
        tuple(
            f"! curl -s -m 2 {word(node.node.client_url)}/version"
            for node in plan.members
            if node.node.client_url
        ),
        "no node answers",
        tuple(on_its_machine(node.node, service(node.node, "start")) for node in plan.nodes),
    )


def start(plan: ClusterPlan) -> Step:
    clients = [node.settings[CLIENT_URLS] for node in plan.members if CLIENT_URLS in node.settings]
    urls = [url for text in clients for url in text.split(",")[:1]]
    check = [f"curl -s {word(url)}/health; echo" for url in urls]
    if urls:
        check += [
            f"etcdctl02 --peers {word(','.join(urls))} cluster-health",
            f"migrate02 data verify {word(old_folder(plan, plan.members[0]))} {word(urls[0])}",
        ]
    one = len(plan.members) == 1
    return Step(
        "Start the member" if one else "Start all members",
        ""
        if one
        else "A single member waits for a majority: start all of them, in any order, before you check.",
        tuple(on_its_machine(node.node, service(node.node, "start", new=True)) for node in plan.members),
        tuple(check),
        'each says {"health": "true"}, and the keys are the old ones',
        tuple(on_its_machine(node.node, service(node.node, "stop", new=True)) for node in plan.members),
        "what was written since the start",
    )


def start_proxies(plan: ClusterPlan) -> Step | None:
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
        "2.x has no standbys. A proxy has no data and takes no part in votes; clients that know its address can "
        "still use it. Write a new configuration for it, and keep the old one:",
        tuple(on_its_machine(node.node, service(node.node, "start", new=True)) for node in plan.proxies),
        tuple(checks),
        "the cluster's keys, through the proxy",
        tuple(on_its_machine(node.node, service(node.node, "stop", new=True)) for node in plan.proxies),
        sets=tuple(
            (node.name, (*as_variables(dict(node.settings)), *by_hand(node.node))) for node in plan.proxies
        ),
    )


def move_clients(plan: ClusterPlan) -> Step:
    moved = [node for node in plan.nodes if _moves(node)]
    urls = ",".join(node.settings[CLIENT_URLS] for node in plan.members if CLIENT_URLS in node.settings)
    if plan.ports == KEEP or not moved:
        return Step(
            "Let the clients write again",
            "The members have the same addresses. Change clients that use /v2/leader, /v2/peers or /v1: 2.x "
            "does not have them. New in-order keys are padded with zeros, and sort before the old ones.",
        )
    why = (
        "The old client port answers too, until no client needs it: move the clients one by one."
        if plan.ports == BOTH
        else "The old ports do not answer: give the clients the new ports before they start again."
    )
    return Step(
        "Move the clients", f"{why} Change firewalls and published ports of containers too.", see=urls
    )


def close_old_ports(plan: ClusterPlan) -> Step | None:
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
            "Do this when no client has used them for longer than your slowest client waits. Do one member at a "
            "time, so that the cluster stays up."
        ),
        tuple(on_its_machine(node.node, service(node.node, "restart", new=True)) for node in moved),
        tuple(f"! curl -s -m 2 {word(node.node.client_url)}/version" for node in moved),
        "the old port does not answer, and the cluster is healthy",
        sets=tuple(sets),
        back_in_words="Back: add the old URL again beside the new one, and restart.",
    )


def _moves(node: Planned) -> bool:
    return node.settings.get(LISTEN_CLIENT_URLS) != node.node.settings.get(LISTEN_CLIENT_URLS)
