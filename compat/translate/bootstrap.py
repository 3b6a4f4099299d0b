"""How a member finds its cluster: -peers refused, a cluster of one said in 2.x's words, a discovery token doubted."""

from __future__ import annotations

import re
from itertools import count

from compat.codes import (
    CLUSTER_OF_ONE,
    LIST_INCOMPLETE,
    LIST_TO_COMPLETE,
    OLD_TOKEN,
    PEERS_BESIDE_A_LIST,
    PEERS_FOR_A_LIST,
    PEERS_IN_THE_LIST,
    PEERS_OF_A_MEMBER,
    PEERS_REFUSED,
    TOKEN_FOR_A_LIST,
)
from compat.placeholder import PLACEHOLDER, is_incomplete, with_others
from compat.settings import Given, named_by_etcd
from compat.translate.draft import ERA_04, Draft

GUIDE = "the clustering guide of etcd 2, section 'Static'"


def refuse_peers(draft: Draft) -> None:
    for given in _peers(draft):
        _refuse_or_pass_over(draft, given)


def _peers(draft: Draft) -> list[Given]:
    """Those that count: an empty one named nobody to 0.4, but stops 2.x like any other."""
    found = [draft.given[name] for name in ("peers", "peers-file") if name in draft.given]
    return [given for given in found if given.value.strip() or not draft.around.may_be_completed]


def _refuse_or_pass_over(draft: Draft, given: Given) -> None:
    if "initial-cluster" in draft.given:
        draft.say(PEERS_FOR_A_LIST if draft.around.may_be_completed else PEERS_BESIDE_A_LIST, given)
        return
    if draft.around.member_has_data:
        draft.say(PEERS_OF_A_MEMBER, given)
        return
    if _is_to_complete(draft):
        return
    draft.say(
        PEERS_REFUSED,
        given,
        flag=named_by_etcd(given),
        name=given.name,
        guide=GUIDE,
        cluster=_proposal(draft, given),
    )


def _is_to_complete(draft: Draft) -> bool:
    """Whether -peers becomes a list that a person completes. What 2.x refuses beside such a list, it refuses here."""
    if not _peers(draft):
        return False
    others = {"discovery-srv"} if draft.era == ERA_04 else {"discovery", "discovery-srv"}
    known = {"initial-cluster"} & draft.given.keys() or draft.around.member_has_data
    return draft.around.may_be_completed and not known and not (others & draft.given.keys())


def _put_list_to_complete(draft: Draft) -> None:
    first, *rest = _peers(draft)
    cluster = with_others(",".join(_own_entries(draft)))
    draft.put("initial-cluster", cluster, first)
    if draft.config.pop("discovery", ""):
        given = draft.given["discovery"]
        draft.say(TOKEN_FOR_A_LIST, given)
    draft.say(LIST_TO_COMPLETE, first, placeholder=PLACEHOLDER, cluster=_proposal(draft, first))
    for given in rest:
        draft.say(PEERS_IN_THE_LIST, given)


def _own_entries(draft: Draft) -> list[str]:
    urls = draft.config.get("initial-advertise-peer-urls") or draft.value("initial-advertise-peer-urls")
    name = draft.config.get("name") or draft.value("name")
    return [f"{name}={url}" for url in urls.split(",")] if name and urls else []


def _proposal(draft: Draft, given: Given) -> str:
    """As much of --initial-cluster as one node's file can tell. The names of the others are made up, of their hosts."""
    scheme = draft.scheme("peer-")
    members = _own_entries(draft) or [f"NAME={scheme}://HOST:7001"]
    if given.name == "peers-file":
        return ",".join([*members, f"NAME={scheme}://HOST:PORT for each address in {given.value}"])
    taken = {entry.partition("=")[0] for entry in members}
    own = {entry.partition("=")[2] for entry in members}
    for peer in filter(None, (item.strip() for item in given.value.split(","))):
        url = f"{scheme}://{peer}"
        if url not in own:
            name = _made_up(peer, taken)
            taken.add(name)
            members.append(f"{name}={url}")
    return ",".join(members)


def _made_up(peer: str, taken: set[str]) -> str:
    """A name that no other member of the list has: etcd takes the real one from the member itself."""
    host = peer.rpartition(":")[0] or peer
    if re.fullmatch(r"[\w.-]+", host) and host not in taken:
        return host
    return next(name for at in count(len(taken) + 1) if (name := f"member{at}") not in taken)


def translate_bootstrap(draft: Draft) -> None:
    """Needs the addresses and the name in the draft."""
    if _is_to_complete(draft):
        _put_list_to_complete(draft)
        return
    _warn_of_incomplete_list(draft)
    discovery = draft.given.get("discovery")
    if discovery is not None and discovery.value:
        if draft.era == ERA_04 and not draft.around.member_has_data:
            _doubt_token(draft, discovery)
        return
    if _starts_a_cluster_of_one(draft):
        _put_cluster_of_one(draft)


def _warn_of_incomplete_list(draft: Draft) -> None:
    given = draft.given.get("initial-cluster")
    if given is not None and is_incomplete(given.value):
        draft.say(LIST_INCOMPLETE, given, placeholder=PLACEHOLDER)


def _doubt_token(draft: Draft, discovery: Given) -> None:
    draft.say(OLD_TOKEN, discovery)


def _starts_a_cluster_of_one(draft: Draft) -> bool:
    """0.4's new cluster: also for a 2.x command line with -peer-addr, which 2.3.8 itself refuses to start."""
    if {"initial-cluster", "discovery-srv"} & draft.given.keys() or _peers(draft):
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
    draft.say(CLUSTER_OF_ONE, about, setting="initial-cluster", cluster=cluster)
