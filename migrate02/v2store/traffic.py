"""What requests of v2 are in the entries of a log, where they come from, and which release dies of which. Pure.

One table, ``KINDS``, has all there are; the rules of etcdutl and of 3.6 stand below it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from migrate02.datadir.keyspace3x import ATTRIBUTES
from server.cluster.ids import parse_id
from server.cluster.members import VERSION
from server.raft.types import Entry
from server.storage.errors import CodecError
from server.storage.etcd3.log import normal_entries
from server.storage.etcd3.requests import decode_any
from server.storage.requests import StoreRequest
from server.version import numbers

_WITHOUT_NEED = (3, 0)
"""Up to here leaders write SYNCs whatever the keys; those of 3.1 and later only while a key has a TTL."""

_RELEASE = re.compile(r"v?\d+\.\d+\.\d+")


class Kind(Enum):
    """A kind of request: its name and where it comes from."""

    OWN_ATTRIBUTES = "PUT", "this member's own name and addresses, written at each start of 3.5"
    ATTRIBUTES = "PUT", "the name and addresses of other members, written at each start of 3.5"
    VERSION = "PUT", "the cluster's version, written by 3.5"
    HEALTH = "QGET", "/health probes of a member with --enable-v2, or of 3.4.0 to 3.4.28"
    READ = "QGET", "quorum reads of v2 keys by clients"
    SYNC = (
        "SYNC",
        (
            "a v2 key has, or had, a TTL: the leader writes two a second as long as one lives (one of 2.x always)"
        ),
    )
    IDLE_SYNC = "SYNC", "of the time on 2.x, where the leader writes two a second whatever the keys"
    KEY = "write", "v2 keys written or deleted by clients (PUT, POST, DELETE below /v2/keys)"
    ACCOUNT = "write", "v2 users and roles written"
    OTHER = "request", "something else of v2"

    def __init__(self, method: str, why: str) -> None:
        self.method = method
        self.why = why


@dataclass(slots=True)
class Tally:
    """Requests of one kind: how many, between which indexes, and how many of them are not known to be committed.

    ``is_custom`` is etcdutl's judgement, ``is_refused`` 3.6's: it dies of some that etcdutl accepts.
    """

    kind: Kind
    is_custom: bool
    is_refused: bool
    first: int
    last: int
    count: int = 0
    uncommitted: int = 0
    trouble: str = ""


def count_requests(
    entries: Sequence[Entry], own: int, committed: int, known: Collection[int], version: str
) -> list[Tally]:
    """The requests of v2 in these entries, by kind. ``own`` is this member, ``known`` are all ids that are members or
    were, ``version`` is the cluster's before them, empty if it had none. Raises CodecError, with the entry's index,
    for what no etcd writes."""
    tallies: dict[tuple[Kind, bool, bool, str], Tally] = {}
    for entry, request, kind in _requests(entries, own, version):
        trouble = _trouble(request, known)
        custom = is_custom(request)
        key = (kind, custom, custom or bool(trouble), trouble)
        tally = tallies.setdefault(key, Tally(*key[:3], entry.index, entry.index, trouble=trouble))
        tally.last = entry.index
        tally.count += 1
        tally.uncommitted += entry.index > committed
    return sorted(tallies.values(), key=lambda tally: (not tally.is_refused, tally.first))


def first_version(entries: Iterable[Entry]) -> str:
    """The version of the cluster that these entries set first, empty if none does. Raises CodecError."""
    return next((version for _, version in _versions(entries)), "")


def kinds_in(entries: Sequence[Entry], version: str) -> set[Kind]:
    """Of all requests of v2 in these entries; ``version`` is the cluster's before them. Raises CodecError."""
    return {kind for _, _, kind in _requests(entries, 0, version)}


def _requests(entries: Sequence[Entry], own: int, version: str) -> Iterator[tuple[Entry, StoreRequest, Kind]]:
    from_2x = _came_from_2x(entries, version)
    for entry in normal_entries(entries):
        request = request_in(entry)
        if request is not None:
            kind = _kind(request, own)
            idle = kind is Kind.SYNC and entry.index < from_2x
            yield entry, request, Kind.IDLE_SYNC if idle else kind


def _came_from_2x(entries: Iterable[Entry], version: str) -> int:
    """The index of the entry with which the cluster's version rose beyond those whose leaders write SYNCs without need;
    0 if none of these did that. A SYNC for a key with a TTL is written behind it, too."""
    before = _major_minor(version)
    if before > _WITHOUT_NEED:
        return 0
    for index, told in _versions(entries):
        now = _major_minor(told)
        if now > _WITHOUT_NEED:
            return index if before and before <= _WITHOUT_NEED else 0
        before = now
    return 0


def _versions(entries: Iterable[Entry]) -> Iterator[tuple[int, str]]:
    """What the cluster's version becomes, and in which entry."""
    for entry in normal_entries(entries):
        request = request_in(entry)
        if request is not None and request.method == "PUT" and request.path == VERSION:
            yield entry.index, request.val.decode("utf-8", "replace")


def _major_minor(version: str) -> tuple[int, ...]:
    """Empty for what is no version."""
    try:
        return numbers(version)
    except ValueError:
        return ()


def request_in(entry: Entry) -> StoreRequest | None:
    """The request of v2 in a normal entry, if it is one. Raises CodecError."""
    try:
        request = decode_any(entry.data)
    except CodecError as error:
        raise CodecError(f"entry {entry.index} of the log cannot be understood: {error.message}") from error
    return request if isinstance(request, StoreRequest) else None


def is_custom(request: StoreRequest) -> bool:
    """Whether ``etcdutl check v2store`` counts it."""
    return request.method != "PUT" or not (ATTRIBUTES.search(request.path) or request.path == VERSION)


def is_refused(request: StoreRequest, known: Collection[int]) -> bool:
    """Whether 3.6 dies of it; ``known`` are all ids that are members or were."""
    return is_custom(request) or bool(_trouble(request, known))


def _kind(request: StoreRequest, own: int) -> Kind:
    path = request.path
    if request.method == "SYNC":
        return Kind.SYNC
    if request.method == "QGET":
        return Kind.READ if path.strip("/") else Kind.HEALTH
    if request.method == "PUT" and path == VERSION:
        return Kind.VERSION
    if request.method == "PUT" and ATTRIBUTES.fullmatch(path):
        return Kind.OWN_ATTRIBUTES if parse_id(path.split("/")[3]) == own else Kind.ATTRIBUTES
    if path.startswith("/1/"):
        return Kind.KEY
    return Kind.ACCOUNT if path.startswith("/2/") else Kind.OTHER


def _trouble(request: StoreRequest, known: Collection[int]) -> str:
    """Why 3.6 dies of a request that etcdutl accepts; empty if it does not."""
    if is_custom(request):
        return ""
    if request.path == VERSION:
        return "" if _RELEASE.match(request.val.decode("utf-8", "replace")) else "the version is none"
    try:
        member = parse_id(request.path.rpartition("/")[0].rpartition("/")[2])
    except ValueError:
        return "the path goes on behind a member's attributes"
    if member not in known:
        return "the attributes are of a member that is not there"
    try:
        said = json.loads(request.val)
    except (ValueError, RecursionError):
        said = ""
    return "" if said is None or _are_attributes(said) else "the attributes are no JSON of a member"


def _are_attributes(said: object) -> bool:
    if not isinstance(said, dict):
        return False
    name, urls = said.get("name"), said.get("clientURLs")
    return (name is None or isinstance(name, str)) and (
        urls is None or (isinstance(urls, list) and all(isinstance(url, str) for url in urls))
    )
