"""What the members of a running cluster say of it: GET /members and /version on their peer URLs.

Dials nobody itself, it asks through the function passed in. Which answers count, and the words about those that do
not, are etcd 2.3.8's.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from server.bounded import parse_json
from server.cluster.ids import id_text, parse_id
from server.cluster.members import Member, MemberError

logger = logging.getLogger(__name__)


DEPTH = 64
"""Nested brackets of JSON in an answer. A list of members has 4; a hostile answer of many would cost stack and
time."""


class PeerUnreachable(Exception):
    """The peer did not answer, or not to the end; the message says why, in Go's words."""


class PeerAnswer(NamedTuple):
    """What a peer answered to a GET or a POST. ``headers`` finds names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class AskPeer(Protocol):
    """A GET of ``path`` at a peer URL, given up after ``patience`` seconds. Blocks; raises PeerUnreachable."""

    def __call__(self, url: str, path: str, patience: float) -> PeerAnswer: ...


class RunningCluster(NamedTuple):
    """A cluster as one of its members describes it; ``members`` are ordered by id."""

    id: int
    members: tuple[Member, ...]

    def member(self, number: int) -> Member | None:
        return next((member for member in self.members if member.id == number), None)

    def __str__(self) -> str:
        """As etcd prints it into its logs."""
        members = " ".join(
            f"&{{ID:{id_text(member.id)} RaftAttributes:{{PeerURLs:[{' '.join(member.peer_urls)}]}} "
            f"Attributes:{{Name:{member.name} ClientURLs:[{' '.join(member.client_urls)}]}}}}"
            for member in self.members
        )
        return f"{{ClusterID:{id_text(self.id)} Members:[{members}] RemovedMemberIDs:[]}}"


def peer_urls_of_others(members: Iterable[Member], name: str) -> list[str]:
    """Where to ask: all peer URLs but those of the member with this name, sorted."""
    return sorted(url for member in members if member.name != name for url in member.peer_urls)


def running_cluster(
    urls: Iterable[str], ask: AskPeer, *, patience: float, level: int = logging.WARNING
) -> RunningCluster | None:
    """The cluster as the first of these URLs with a usable answer has it; None when none has one.

    Each URL gets ``patience`` seconds. Why one was passed over is logged at ``level``.
    """
    for url in urls:
        try:
            return read_cluster(ask(url, "/members", patience))
        except PeerUnreachable as error:
            logger.log(level, "could not get cluster response from %s: %s", url, error)
        except NotUsable as error:
            logger.log(level, "%s (%s)", error, url)
    return None


class NotUsable(Exception):
    """An answer that says nothing of a cluster."""


def read_cluster(reply: PeerAnswer) -> RunningCluster:
    """What a peer answers to GET /members. Raises NotUsable."""
    try:
        listed = parse_json(reply.body, DEPTH)
        if not isinstance(listed, list):
            raise MemberError(f"not a JSON array: {reply.body[:80]!r}")
        members = {member.id: member for member in map(Member.from_json, listed)}
    except (ValueError, RecursionError, MemberError) as error:
        raise NotUsable(f"could not unmarshal cluster response: {error}") from error
    try:
        number = parse_id(reply.headers.get("X-Etcd-Cluster-ID", ""))
    except ValueError as error:
        raise NotUsable(f"could not parse the cluster ID from cluster res: {error}") from error
    return RunningCluster(number, tuple(members[key] for key in sorted(members)))


# versions

Version = tuple[int, int, int]

OLDEST: Version = (2, 2, 0)
"""The lowest version of a cluster that this server joins: etcd 2.3.8's own limit."""

NEWEST: Version = (3, 5, 0)
"""The highest one. For etcd 2.3.8 that is 2.3; later ones serve the v2 API (--enable-v2) up to 3.5."""

_NOT_THERE = "2.0.0"
"""What a member is that does not know /version."""


def joinable_version(members: Iterable[Member], ask: AskPeer, *, patience: float) -> str | None:
    """The version of the cluster that these members are in, the highest that one of them reports.

    None when this server must not join it: nobody reports a version, or somebody one out of OLDEST to NEWEST. That, and
    each member and URL that was of no use, is logged.
    """
    found: list[Version] = []
    for member in members:
        text = _cluster_version(member, ask, patience)
        if text is None:
            continue
        version = _parsed(text)
        if version is None:
            why = f"{text} is not in dotted-tri format"
            logger.error("cannot understand the cluster version of member %s (%s)", id_text(member.id), why)
        elif version < OLDEST:
            _log_out_of_range(version, "lower than the minimal", OLDEST)
            return None
        elif version > NEWEST:
            _log_out_of_range(version, "higher than the maximum", NEWEST)
            return None
        else:
            found.append(version)
    return _dotted(max(found)) if found else None


def _log_out_of_range(version: Version, how: str, limit: Version) -> None:
    logger.warning(
        "the running cluster version(%s) is %s cluster version(%s) supported",
        _dotted(version), how, _dotted(limit),
    )  # fmt: skip


def _cluster_version(member: Member, ask: AskPeer, patience: float) -> str | None:
    """What the first of a member's URLs that answers says; None when none does."""
    who, last = id_text(member.id), ""
    for url in member.peer_urls:
        try:
            reply = ask(url, "/version", patience)
            return _NOT_THERE if reply.status == 404 else _version_in(reply.body)
        except PeerUnreachable as error:
            last = str(error)
            logger.warning("failed to reach the peerURL(%s) of member %s (%s)", url, who, error)
        except ValueError as error:
            last = str(error)
            logger.warning(
                "failed to unmarshal the response body got from the peerURL(%s) of member %s (%s)",
                url, who, error,
            )  # fmt: skip
    logger.warning("cannot get the version of member %s (%s)", who, last)
    return None


def _version_in(body: bytes) -> str:
    fields = parse_json(body, DEPTH)
    if not isinstance(fields, dict):
        raise ValueError(f"not a JSON object: {body[:80]!r}")
    return str(fields.get("etcdcluster", ""))


_DOTTED = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+].*)?", re.ASCII)


def _parsed(text: str) -> Version | None:
    found = _DOTTED.fullmatch(text)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
