"""Finds the nodes of a running cluster of 0.4 by asking it. Only reads: every request is a GET.

Any node that is up is enough. A client port is asked for the registry under ``/_etcd/machines``, a peer port for
``/v2/admin/machines``; every member then for its own name and index. Standbys are in no list, and are told by what they
answer when they are asked themselves: everything at a client port is sent on to the leader.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from compat.findings import Finding
from compat.settings import FLAG, Origin
from migrate02.convert.clusters import ACTIVE_SIZE
from migrate02.datadir.live import NO_TLS, Tls
from migrate02.plan.findings import (
    ANOTHER_NAME,
    DOES_NOT_ANSWER,
    FAR_BEHIND,
    NO_ACTIVE_SIZE,
    NO_ANSWER,
    NO_URL,
    ONLY_ADDRESSES,
    STANDBY_WITHOUT_NAME,
    TOO_MANY,
)
from migrate02.plan.nodes import (
    CLIENT_URLS,
    FOLLOWER,
    LEADER,
    LISTEN_CLIENT_URLS,
    LISTEN_PEER_URLS,
    MEMBER,
    PEER_URLS,
    STANDBY,
    Found,
    Node,
    address_of,
)
from server.asking import NoAnswer, get_once
from server.bounded import BoundedAnswer, Bounds, UnusableAnswer, parse_json
from server.config import UrlError, parse_url, redacted

BOUNDS = Bounds(body=1 << 20, seconds=5.0)
"""For one answer."""

MOST_MEMBERS = 32
"""Members that a registry may list; 0.4 made nine active by itself."""

FAR_APART = 100
"""Indexes this far from each other are no longer explained by members being asked one after the other: 0.4 writes two
entries a second by itself, and none of them counts unless a key expires."""

LIVE = Origin(FLAG, "--live")

_MACHINES = "/v2/keys/_etcd/machines?recursive=true"
"""The registry: short, and its answer has the member's index, too. The listing of ``/`` may be of any length."""


class _ListedMember(NamedTuple):
    """A line of the cluster's own list of its members."""

    name: str
    client_url: str
    peer_url: str


class _Seen(NamedTuple):
    """What a member says of itself; ``name`` is empty when it does not answer."""

    name: str = ""
    state: str = MEMBER
    etcd_index: int = 0


class _Silent(Exception):
    """Nobody answers, or not as HTTP does; the message is the reason."""


def ask_cluster(urls: Sequence[str], files: Tls = NO_TLS) -> Found:
    """The members that the first URL which knows them tells of, and a standby for every URL that is one.

    Raises DataError when the TLS files cannot be used.
    """
    tls = files.context()
    urls = [url.rstrip("/") for url in urls]
    findings: list[Finding] = []
    registered: list[_ListedMember] = []
    for url in urls:
        try:
            registered = registered or _members(url, tls)
        except _Silent as error:
            findings.append(_not_live(url, str(error)))
    if not registered:
        return Found([], findings or [_not_live(url, "it lists no member") for url in urls])
    seen = {member.name: _ask_member(member, tls) for member in registered}
    findings += _of_members(registered, seen)
    size, why = _active_size([member.client_url for member in registered], tls)
    findings += why
    nodes = [_node(member, seen[member.name].state, size) for member in registered]
    for url in urls:
        standby = None if _is_known(url, registered) else _standby(url, tls)
        if standby is not None:
            nodes.append(standby)
    if size and len(registered) > size:
        fields = {"count": str(len(registered)), "size": str(size)}
        findings.append(TOO_MANY.finding("cluster-active-size", LIVE, **fields))
    return Found(nodes, findings)


def _not_live(url: str, reason: str) -> Finding:
    return NO_ANSWER.finding("", LIVE, url=redacted(url), reason=reason)


def _members(url: str, tls: ssl.SSLContext, *, sent_on: bool = False) -> list[_ListedMember]:
    """The registry, by way of whichever port this is. Raises _Silent when it is neither.

    A standby sends everything on to the leader's client URL, which is another host: one such redirect is followed, of
    this one question, to a URL with the same scheme, and nothing but where to ask is taken from it.
    """
    first = answer = _get(url, _MACHINES, tls)
    if first.status == 307 and not sent_on:
        return _members(_leader(url, first.headers.get("location", "")), tls, sent_on=True)
    try:
        if first.status == 200:
            found = _json(first)["node"].get("nodes", ())
            return _all_of(_from_registry(node["key"], node["value"]) for node in found)
        answer = _get(url, "/v2/admin/machines", tls)
        if answer.status == 200:
            found = _json(answer)
            return _all_of(_ListedMember(item["name"], item["clientURL"], item["peerURL"]) for item in found)
    except UnusableAnswer as error:
        raise _Silent(str(error)) from error
    except _UNUSABLE as error:
        raise _Silent(f"not what etcd 0.4 answers: {_text(answer)[:80]!r}") from error
    if '"errorCode":402' in _text(first):
        raise _Silent("it is a standby that knows no leader at the moment")
    raise _Silent(f"it answers {answer.status} at /v2/keys/_etcd/machines and at /v2/admin/machines")


def _all_of(lines: Iterable[_ListedMember]) -> list[_ListedMember]:
    """The registry's lines; each of them is going to be asked, so there may not be any number of them."""
    members = []
    for member in lines:
        if not all(isinstance(text, str) for text in member):
            raise ValueError("not texts")
        members.append(member)
        if len(members) > MOST_MEMBERS:
            raise UnusableAnswer(f"it lists more than {MOST_MEMBERS} members")
    return members


def _leader(url: str, location: str) -> str:
    """Where a standby sends us on to. Raises _Silent."""
    shown = redacted(location)[:200]
    try:
        leader = urlsplit(location)
        if not leader.netloc:
            raise _Silent("it is a standby, or has no leader, and does not know where to send us")
        parse_url(f"{leader.scheme}://{leader.netloc}")
    except ValueError as error:
        raise _Silent(f"it redirects to {shown!r}, which is no URL of a leader") from error
    if leader.scheme != urlsplit(url).scheme:
        raise _Silent(f"it redirects to {shown!r}, and not with {urlsplit(url).scheme}")
    return f"{leader.scheme}://{leader.netloc}"


def _from_registry(key: str, value: str) -> _ListedMember:
    """``etcd=http%3A%2F%2F10.0.0.1%3A4001&raft=http%3A%2F%2F10.0.0.1%3A7001``"""
    urls = parse_qs(value)
    return _ListedMember(key.rpartition("/")[2], urls["etcd"][0], urls["raft"][0])


def _ask_member(member: _ListedMember, tls: ssl.SSLContext) -> _Seen:
    try:
        stats = _json(_get(member.client_url, "/v2/stats/self", tls))
        index = _get(member.client_url, _MACHINES, tls).etcd_index
        state = {LEADER: LEADER, FOLLOWER: FOLLOWER}.get(stats.get("state"), MEMBER)
        return _Seen(str(stats["name"]), state, index)
    except (_Silent, *_UNUSABLE):
        return _Seen()


def _of_members(members: Sequence[_ListedMember], seen: dict[str, _Seen]) -> list[Finding]:
    findings = []
    for member in members:
        answer = seen[member.name]
        if not answer.name:
            findings.append(DOES_NOT_ANSWER.finding("name", LIVE, name=member.name, url=member.client_url))
        elif answer.name != member.name:
            fields = {"url": member.client_url, "name": member.name, "said": answer.name}
            findings.append(ANOTHER_NAME.finding("name", LIVE, **fields))
    indexes = {name: answer.etcd_index for name, answer in seen.items() if answer.etcd_index}
    if indexes and max(indexes.values()) - min(indexes.values()) > FAR_APART:
        said = ", ".join(f"{name} {index}" for name, index in indexes.items())
        findings.append(FAR_BEHIND.finding("", LIVE, indexes=said))
    return findings


def _active_size(clients: Sequence[str], tls: ssl.SSLContext) -> tuple[int, list[Finding]]:
    """As the first member that answers has it; 0.4's default where nobody ever set one."""
    for url in clients:
        try:
            answer = _get(url, "/v2/keys/_etcd/config", tls)
            if answer.status == 404:
                return ACTIVE_SIZE, []
            return int(parse_json(_json(answer)["node"]["value"], BOUNDS.depth)["activeSize"]), []
        except (_Silent, *_UNUSABLE):
            continue
    return 0, [NO_ACTIVE_SIZE.finding("cluster-active-size", LIVE)]


def _is_known(url: str, members: Sequence[_ListedMember]) -> bool:
    """Whether the URL is a member's. Another name of its host makes no difference: it does not send us away."""
    return any(url in (member.client_url, member.peer_url) for member in members)


def _standby(url: str, tls: ssl.SSLContext) -> Node | None:
    """A standby is known by sending even ``/version`` on to the leader, or saying that it knows none."""
    try:
        answer = _get(url, "/version", tls)
    except _Silent:
        return None
    if answer.status != 307 and '"errorCode":402' not in _text(answer).replace(" ", ""):
        return None
    name = f"standby-{address_of(url).replace(':', '-')}"
    finding = STANDBY_WITHOUT_NAME.finding("name", LIVE, url=url, name=name)
    settings = {"name": name, CLIENT_URLS: url, LISTEN_CLIENT_URLS: url}
    return Node(name, settings, url, was=STANDBY, findings=(finding,))


def _node(member: _ListedMember, state: str, size: int) -> Node:
    settings = {
        "name": member.name,
        LISTEN_PEER_URLS: member.peer_url,
        LISTEN_CLIENT_URLS: member.client_url,
        PEER_URLS: member.peer_url,
        CLIENT_URLS: member.client_url,
    }
    findings = [ONLY_ADDRESSES.finding("data-dir", LIVE, name=member.name)]
    findings += [_unusable(member, url) for url in (member.peer_url, member.client_url) if not _is_url(url)]
    return Node(
        member.name, settings, member.client_url, active_size=size, was=state, findings=tuple(findings)
    )


def _is_url(text: str) -> bool:
    try:
        parse_url(text)
    except UrlError:
        return False
    return True


def _unusable(member: _ListedMember, url: str) -> Finding:
    return NO_URL.finding("", LIVE, name=member.name, url=url)


_UNUSABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What comes of taking an answer apart that is not etcd's."""


def _json(answer: BoundedAnswer) -> Any:
    return parse_json(answer.body, BOUNDS.depth)


def _text(answer: BoundedAnswer) -> str:
    return answer.body.decode("utf-8", "replace")


def _get(url: str, target: str, tls: ssl.SSLContext) -> BoundedAnswer:
    """One GET, redirects not followed. Raises _Silent."""
    try:
        return get_once(url + target, BOUNDS, tls=tls, straight=True)
    except NoAnswer as error:
        raise _Silent(str(error)) from error
