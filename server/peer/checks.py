"""Which members may talk to each other: the headers that members send along, and what is made of them. No I/O.

Headers, order of the checks, statuses and texts are those of etcd 2.3.8's rafthttp.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple

from server.bounded import Bounds
from server.cluster.ids import id_text

_PHRASES = {status.value: status.phrase for status in HTTPStatus}

CLUSTER_ID = "X-Etcd-Cluster-Id"
"""Header names are spelled as Go spells them on the wire."""

BOUNDS = Bounds(body=64 << 10, seconds=0.0)
"""For what a peer answers, which is a line, or the list of the members. Its time is that of each question."""

INCOMPATIBLE = "incompatible version"
OTHER_CLUSTER = "cluster ID mismatch"
REMOVED = "the member has been permanently removed from the cluster"


class Channel(Enum):
    """The two streams that a member asks each other member for; the value is the name in the path."""

    APPENDS = "msgapp"
    MESSAGES = "message"

    @property
    def title(self) -> str:
        return "stream MsgApp v2" if self is Channel.APPENDS else "stream Message"


class Versions(NamedTuple):
    """What a member says it is, ``a.b.c``, and the oldest version of a peer that it talks to.

    Which releases of real etcd talk to each other: members of 2.3 take a ``server`` from 2.2 on and a ``minimum`` up to
    2.3, those of 3.1 to 3.5 a ``server`` from 3.0 on and any ``minimum`` up to their own version.
    """

    server: str
    minimum: str


ETCD_2_3 = Versions("2.3.8", "2.2.0")
"""What etcd 2.3.8 says."""

ETCD_3 = Versions("3.0.17", "2.3.0")
"""Of these words both 2.3 and 3.x take no offence (etcd 3.0's own)."""

_OLDEST = "2.0.0"
"""What a peer is that does not say it: 2.0 knew no such header."""

_FIRST_WITH_STREAMS = (2, 1)
"""etcd 2.0 opens streams by another path, and knows none of these."""


@dataclass(slots=True, frozen=True)
class Identity:
    """Who this member is to its peers."""

    member: int
    cluster: int
    peer_urls: tuple[str, ...]
    versions: Versions = ETCD_2_3
    headers: Mapping[str, str] = field(init=False)
    """Sent along with every request."""

    def __post_init__(self) -> None:
        headers = {
            "X-Server-From": id_text(self.member),
            "X-Server-Version": self.versions.server,
            "X-Min-Cluster-Version": self.versions.minimum,
            CLUSTER_ID: id_text(self.cluster),
        }
        if self.peer_urls:
            headers["X-Peerurls"] = ",".join(self.peer_urls)
        object.__setattr__(self, "headers", headers)


class Rejection(NamedTuple):
    """An answer to a peer that is not welcome, and the line about it for the log."""

    status: int
    text: str
    log: str


def check_compatible(me: Identity, headers: Mapping[str, str]) -> Rejection | None:
    """Whether versions and clusters go together; the first check of every request of a peer."""
    theirs = Versions(
        headers.get("X-Server-Version") or _OLDEST, headers.get("X-Min-Cluster-Version") or _OLDEST
    )
    about = f"remote[{headers.get('X-Server-From', '')}]={theirs.server}, local={me.versions.server}"
    server, minimum = _major_minor(theirs.server), _major_minor(theirs.minimum)
    trouble = ""
    if server is None or minimum is None:
        trouble = f"remote version cannot be read: {about}"
    elif server < _known(me.versions.minimum):
        trouble = f"remote version is too low: {about}"
    elif minimum > _known(me.versions.server):
        trouble = f"local version is too low: {about}"
    if trouble:
        return Rejection(412, INCOMPATIBLE, f"request version incompatibility ({trouble})")
    cluster, mine = headers.get(CLUSTER_ID, ""), id_text(me.cluster)
    if cluster != mine:
        return Rejection(412, OTHER_CLUSTER, f"request cluster ID mismatch (got {cluster} want {mine})")
    return None


_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.\d{1,9}(?:[-+].*)?", re.ASCII)


def _major_minor(version: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(version)
    return None if found is None else (int(found[1]), int(found[2]))


def _known(version: str) -> tuple[int, int]:
    found = _major_minor(version)
    if found is None:
        raise ValueError(f"{version!r} is no version: a.b.c is")
    return found


# The other side: what a peer answered


class PeerRefused(Exception):
    """A peer did not do what it was asked; the message says why. ``log`` is a line that is worth writing each time."""

    def __init__(self, why: str, log: str = "") -> None:
        super().__init__(why)
        self.log = log


class NoStreams(PeerRefused):
    """The peer is too old to know this stream; messages go to it by POST, and there is nothing to complain of."""


class PermanentlyRemoved(PeerRefused):
    """The peer knows for certain that this member is no longer part of the cluster."""


def check_post_answer(
    me: Identity, peer: int, url: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raises PeerRefused unless the peer has processed the message."""
    match status:
        case 204:
            return
        case 412:
            raise _precondition_failed(me, peer, headers, body)
        case 403:
            raise PermanentlyRemoved(REMOVED)
        case _:
            phrase = _PHRASES.get(status, str(status))
            raise PeerRefused(f'unexpected http status {phrase} while posting to "{url}"')


def is_3x(headers: Mapping[str, str]) -> bool:
    """Whether the sender of a request or an answer is of etcd 3.0 or later, or says so."""
    return (_major_minor(headers.get("X-Server-Version") or _OLDEST) or (0, 0)) >= (3, 0)


def check_stream_answer(
    me: Identity, peer: int, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raises PeerRefused unless the stream follows. ``body`` is needed of status 412 only."""
    theirs = _major_minor(headers.get("X-Server-Version") or _OLDEST)
    if theirs is not None and theirs < _FIRST_WITH_STREAMS:
        raise NoStreams("unsupported stream type")
    match status:
        case 200:
            return
        case 410:
            raise PermanentlyRemoved(REMOVED)
        case 404:
            raise PeerRefused(f"remote member {id_text(peer)} could not recognize local member")
        case 412:
            raise _precondition_failed(me, peer, headers, body)
        case _:
            raise PeerRefused(f"unhandled http status {status}")


def _precondition_failed(me: Identity, peer: int, headers: Mapping[str, str], body: bytes) -> PeerRefused:
    why, who = body.decode("utf-8", "replace").removesuffix("\n"), id_text(peer)
    if why == INCOMPATIBLE:
        return PeerRefused(why, f"request sent was ignored by peer {who} (server version incompatible)")
    if why == OTHER_CLUSTER:
        theirs, mine = headers.get(CLUSTER_ID, ""), id_text(me.cluster)
        return PeerRefused(
            why, f"request sent was ignored (cluster ID mismatch: remote[{who}]={theirs}, local={mine})"
        )
    return PeerRefused(f'unhandled error "{why[:200]}" when precondition failed')
