"""How a member finds its cluster: -peers refused, a cluster of one said in 2.x's words, a discovery token doubted."""

from __future__ import annotations

from compat.settings import Given, named_by_etcd
from compat.translate.draft import ERA_04, Draft

GUIDE = "the clustering guide of etcd 2, section 'Static'"


def refuse_peers(draft: Draft) -> None:
    for name in ("peers", "peers-file"):
        given = draft.given.get(name)
        if given is not None:
            _refuse_or_pass_over(draft, given)


def _refuse_or_pass_over(draft: Draft, given: Given) -> None:
    if "initial-cluster" in draft.given:
        draft.say(
            "peers-passed-over", given, f"{given.origin.name} is passed over: --initial-cluster is given"
        )
        return
    if draft.around.member_has_data:
        draft.say(
            "peers-passed-over",
            given,
            f"{given.origin.name} is passed over: the member has its data and knows its cluster from there",
        )
        return
    draft.say(
        "peers",
        given,
        f'invalid value "{given.value}" for {named_by_etcd(given)}: flag "-{given.name}" is no longer supported. '
        f"The --initial-cluster flag provides a similar concept with different semantics, see {GUIDE}",
        f"list every member, the same on each: --initial-cluster {_proposal(draft, given)}",
    )


def _proposal(draft: Draft, given: Given) -> str:
    """As much of --initial-cluster as one node's file can tell; NAME-OF-... is for a person to fill in."""
    scheme = draft.scheme("peer-")
    own = draft.config.get("initial-advertise-peer-urls") or f"{scheme}://HOST:7001"
    members = [f"{draft.config.get('name') or draft.value('name') or 'NAME'}={own}"]
    if given.name == "peers-file":
        members.append(f"NAME={scheme}://HOST:7001 for each member in {given.value}")
    for peer in filter(None, (item.strip() for item in given.value.split(","))):
        url = f"{scheme}://{peer}"
        if given.name == "peers" and url != own:
            members.append(f"NAME-OF-{peer.rpartition(':')[0] or peer}={url}")
    return ",".join(members)


def translate_bootstrap(draft: Draft) -> None:
    """Needs the addresses and the name in the draft."""
    discovery = draft.given.get("discovery")
    if discovery is not None and discovery.value:
        if draft.era == ERA_04 and not draft.around.member_has_data:
            _doubt_token(draft, discovery)
        return
    if _starts_a_cluster_of_one(draft):
        _put_cluster_of_one(draft)


def _doubt_token(draft: Draft, discovery: Given) -> None:
    draft.say(
        "discovery-token",
        discovery,
        f"{discovery.value} cannot be used again if 0.4 used it, and etcd 2.x wants the cluster's size under it",
        "make a new token with its _config/size set and put it here, the same on every member",
    )


def _starts_a_cluster_of_one(draft: Draft) -> bool:
    """0.4's new cluster: also for a 2.x command line with -peer-addr, which 2.3.8 itself refuses to start."""
    if {"initial-cluster", "discovery-srv", "peers", "peers-file"} & draft.given.keys():
        return False
    if draft.value("initial-cluster-state") == "existing" or draft.value("proxy") in ("on", "readonly"):
        return False
    return draft.era == ERA_04 or "peer-addr" in draft.given


def _put_cluster_of_one(draft: Draft) -> None:
    urls = draft.config.get("initial-advertise-peer-urls") or draft.value("initial-advertise-peer-urls")
    if not urls:
        return
    name = draft.config.get("name") or draft.value("name") or "default"
    cluster = ",".join(f"{name}={url}" for url in urls.split(","))
    about = draft.given.get("peer-addr")
    draft.put("initial-cluster", cluster, about)
    if draft.around.member_has_data:
        return  # it is ignored: not worth a line at every restart
    draft.say(
        "single-member",
        about,
        f"neither -peers nor -discovery: 0.4 started a new cluster of one, said in 2.x as --initial-cluster {cluster}",
        "nothing to do for a cluster of one; for more, list every member there, the same on each",
        setting="initial-cluster",
    )
