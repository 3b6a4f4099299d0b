"""What is registered under a discovery URL, as its answers show it, and the words for what may be wrong there. Pure.

    URL/_config/size    how many members the cluster begins with
    URL/ID              one member: name=peerURL[,name=peerURL...]; those created first make the cluster

The texts are etcd 2.3.8's, with advice added in separate lines.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit

from server.bounded import UnusableAnswer, parse_json
from server.cluster.bootstrap import BootstrapError
from server.config import UrlError, parse_urls_map

_KEY_NOT_FOUND = 100
"""The error code of etcd's v2 API."""

DEPTH = 64
"""Nested brackets of JSON in an answer. A directory of registrations has 4; a hostile answer of many would cost
stack and time."""


class KeysAnswer(NamedTuple):
    """``etcd_index`` is X-Etcd-Index, 0 when there was none."""

    status: int
    etcd_index: int
    body: bytes


class Trouble(Enum):
    """Why nothing comes of a discovery URL; the texts are etcd's where it has one."""

    INVALID_URL = "discovery: invalid URL"
    BAD_ENDPOINT = "discovery: bad discovery endpoint"
    TOKEN_NOT_FOUND = "discovery: token not found"
    SIZE_NOT_FOUND = "discovery: size key not found"
    BAD_SIZE = "discovery: size key is bad"
    FULL = "discovery: cluster is full"
    DUPLICATE_ID = "discovery: found duplicate id"
    DUPLICATE_NAME = "discovery: found duplicate name"
    OTHER_ADDRESS = "discovery: found duplicate name at another address"
    REFUSED = "discovery: request refused"
    UNREACHABLE = "discovery: too many retries"
    TIMED_OUT = "discovery: time-out while waiting for other nodes"


class DiscoveryError(BootstrapError):
    """The cluster cannot begin by this discovery URL."""

    def __init__(self, trouble: Trouble, *lines: tuple[str, str]) -> None:
        (level, text), *more = lines
        super().__init__(level, text, *more)
        self.trouble = trouble


class RegisteredMember(NamedTuple):
    """A member as it has registered: its id in hex, ``name=url[,name=url...]``, and when, as an index."""

    id: str
    value: str
    created: int

    @property
    def name(self) -> str:
        return self.value.partition("=")[0]


class DiscoveryState(NamedTuple):
    """What is registered under a discovery URL; ``registered`` in the order they came."""

    size: int
    registered: tuple[RegisteredMember, ...]
    etcd_index: int

    @property
    def members(self) -> tuple[RegisteredMember, ...]:
        """Those that the cluster begins with; who came later is too late."""
        return self.registered[: self.size]

    @property
    def missing(self) -> int:
        return self.size - len(self.members)

    def has_place_for(self, member: str) -> bool:
        return self.missing > 0 or any(one.id == member for one in self.members)

    @property
    def initial_cluster(self) -> str:
        return ",".join(one.value for one in self.members)

    @property
    def progress(self) -> str:
        """Such as ``2 of 3 found (infra0, infra1)``."""
        return f"{len(self.members)} of {self.size} found{_in_brackets(one.name for one in self.members)}"


def check_url(url: str) -> None:
    """Raises DiscoveryError for a discovery URL that nobody could ask."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c.isspace() or not c.isprintable() for c in url):
        raise _failed(
            url,
            Trouble.INVALID_URL,
            Trouble.INVALID_URL.value,
            f"--discovery {url}: write it as http://host:port/v2/keys/_etcd/registry/TOKEN, "
            "or as a discovery service gave it",
        )


def read_state(url: str, size: KeysAnswer, listing: KeysAnswer) -> DiscoveryState:
    """The state that the answers for ``URL/_config/size`` and for ``URL`` tell. Raises DiscoveryError."""
    wanted, there = read_object(url, size), read_object(url, listing)
    if _is_missing(wanted) or _is_missing(there):
        raise _not_found(url, wanted, there)
    for answer in (wanted, there):
        if "errorCode" in answer:
            raise refused(url, answer)
    text = _node(wanted).get("value")
    if (
        not isinstance(text, str)
        or not text.isascii()
        or not text.isdigit()
        or not 0 < len(text) < 10
        or int(text) < 1
    ):
        raise _failed(
            url,
            Trouble.BAD_SIZE,
            Trouble.BAD_SIZE.value,
            f"{url}/_config/size holds {text!r:.80}, not a number of members: set it with "
            f"curl -X PUT {url}/_config/size -d value=3",
        )
    children = _node(there).get("nodes", [])
    registered = [one for one in map(_registration, children if isinstance(children, list) else []) if one]
    registered.sort(key=lambda one: one.created)
    return DiscoveryState(int(text), tuple(registered), listing.etcd_index)


def checked_cluster(url: str, state: DiscoveryState) -> str:
    """The initial cluster of a state that nobody is missing in. Raises DiscoveryError for one that cannot be."""
    names: set[str] = set()
    for one in state.members:
        try:
            urls = parse_urls_map(one.value)
            if not urls:
                raise UrlError("no name and no URL")
            names |= urls.keys()
        except UrlError as error:
            raise _failed(
                url,
                Trouble.INVALID_URL,
                Trouble.INVALID_URL.value,
                f"member {one.id} has registered {one.value!r} at {url}: {error}",
            ) from None
    if len(names) != state.size:
        raise duplicate_name(url, Trouble.DUPLICATE_NAME, f"registered are: {state.initial_cluster}")
    return state.initial_cluster


def _registration(node: object) -> RegisteredMember | None:
    """None for what is not a member: the size, which a store may list, and directories."""
    if not isinstance(node, dict):
        return None
    key, value, created = node.get("key"), node.get("value"), node.get("createdIndex")
    if not isinstance(key, str) or not isinstance(value, str) or not isinstance(created, int):
        return None
    return RegisteredMember(key.rpartition("/")[2], value, created)


def read_object(url: str, answer: KeysAnswer) -> dict[str, object]:
    """An event or an error of a v2 key space."""
    try:
        found, why = parse_json(answer.body, DEPTH), "not as a key of etcd's v2 API does"
    except UnusableAnswer as error:
        found, why = None, f"not as a key of etcd's v2 API does ({error})"
    if isinstance(found, dict) and (isinstance(found.get("node"), dict) or "errorCode" in found):
        return found
    raise _failed(
        url,
        Trouble.BAD_ENDPOINT,
        Trouble.BAD_ENDPOINT.value,
        f"{url} answers (status {answer.status}), but {why}: on an etcd of your own the "
        "discovery URL is http://host:port/v2/keys/_etcd/registry/TOKEN; etcd 3.4 and 3.5 have that API with "
        "--enable-v2, later ones do not",
    )


def _node(event: dict[str, object]) -> dict[str, object]:
    node = event.get("node")
    return node if isinstance(node, dict) else {}


def _is_missing(answer: dict[str, object]) -> bool:
    return answer.get("errorCode") == _KEY_NOT_FOUND


# The words


def _failed(url: str, trouble: Trouble, text: str, *remedies: str) -> DiscoveryError:
    return DiscoveryError(
        trouble,
        ("E", f"failed to join discovery cluster ({text})"),
        *(("I", remedy) for remedy in remedies),
        ("I", f"discovery token {url} was used, but failed to bootstrap the cluster."),
        ("I", "please generate a new discovery token and try to bootstrap again."),
    )


def _words(error: dict[str, object]) -> str:
    """An error of the key space as Go's client writes it."""
    return f"{error.get('errorCode')}: {error.get('message')} ({error.get('cause')}) [{error.get('index')}]"


def refused(url: str, error: dict[str, object]) -> DiscoveryError:
    return _failed(url, Trouble.REFUSED, _words(error))


def _not_found(url: str, size: dict[str, object], listing: dict[str, object]) -> DiscoveryError:
    lacks = f"error: the cluster doesn’t have a size configuration value in {url}/_config"
    make = f"curl -X PUT {url}/_config/size -d value=3"
    if _is_missing(listing):
        trouble = Trouble.TOKEN_NOT_FOUND
        error = size if _is_missing(size) else listing
        remedy = (
            "the token is mistyped, has expired or was never made: ask the discovery service for a fresh URL "
            f"(curl HOST/new?size=3), or on an etcd of your own: {make}"
        )
    else:
        trouble, error = Trouble.SIZE_NOT_FOUND, size
        remedy = f"say how many members the cluster is to begin with: {make}"
    return _failed(url, trouble, _words(error), f"{lacks} ({trouble.value})", remedy)


def full_error(url: str, initial_cluster: str) -> DiscoveryError:
    """For a member that found no place and is not to become a proxy."""
    return _failed(
        url,
        Trouble.FULL,
        Trouble.FULL.value,
        f"the cluster of {url} has all its members ({initial_cluster}): add this one to it while it runs (etcdctl "
        "member add), or start it as their proxy (--discovery-fallback proxy)",
    )


def duplicate_id(url: str, member: str, name: str, data_dir: str, state: DiscoveryState) -> DiscoveryError:
    known = next((one.value for one in state.registered if one.id == member), "")
    lines = [
        ("E", f'member "{name}" has previously registered with discovery service token ({url}).'),
        ("E", f"But etcd could not find valid cluster configuration in the given data dir ({data_dir})."),
        ("I", "Please check the given data dir path if the previous bootstrap succeeded"),
        ("I", "or use a new discovery token if the previous bootstrap failed."),
    ]
    if known.partition("=")[0] not in ("", name):
        text = f"registered at the same address is {known}: every member needs peer URLs of its own"
        lines.append(("I", text))
    elif state.missing:
        text = (
            f"only {state.progress}, so no cluster has begun: if it was this member that waited before, remove its "
            f"registration (curl -X DELETE {url}/{member}) and start it again"
        )
        lines.append(("I", text))
    return DiscoveryError(Trouble.DUPLICATE_ID, *lines)


def duplicate_name(url: str, trouble: Trouble, why: str) -> DiscoveryError:
    return DiscoveryError(
        trouble,
        ("E", f"member with duplicated name has registered with discovery service token({url})."),
        ("E", "please check (cURL) the discovery token for more information."),
        ("E", "please do not reuse the discovery token and generate a new one to bootstrap the cluster."),
        ("I", f"{why}; every member needs a --name of its own"),
    )


def unreachable(url: str, reason: str, advice: str, limit: float) -> DiscoveryError:
    return _failed(
        url,
        Trouble.UNREACHABLE,
        f"{Trouble.UNREACHABLE.value}: {reason}",
        f"{url} did not answer for {limit:g}s (--discovery-timeout): check that it can be reached from this machine",
        *filter(None, [advice]),
    )


def timed_out(url: str, state: DiscoveryState, limit: float) -> DiscoveryError:
    return _failed(
        url,
        Trouble.TIMED_OUT,
        Trouble.TIMED_OUT.value,
        f"after {limit:g}s (--discovery-timeout): {state.progress}, {state.missing} missing: look into the logs of "
        f"the members that are not named here, or start them with --discovery {url}",
    )


def _in_brackets(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f" ({listed})" if listed else ""
