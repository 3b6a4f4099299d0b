"""Finding the first members through a discovery URL: a directory of a v2 key space that each writes itself into.

    URL/_config/size    how many members the cluster begins with
    URL/ID              one member: name=peerURL[,name=peerURL...]; those created first make the cluster

What was answered is read by pure functions; :class:`Discovery` asks in order. Touches no socket and no clock: both
come in. Steps, words and their order are etcd 2.3.8's (``Documentation/discovery_protocol.md``), but that an answer
that does not come is asked for again at every step, and that who is too late by its name is told before it registers.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from server.cluster.bootstrap import BootstrapError
from server.config import UrlError, parse_urls_map
from server.log import NOTICE

logger = logging.getLogger(__name__)

REQUEST_PATIENCE = 5.0
"""Seconds for an answer (etcd's own)."""

WATCH_PATIENCE = 60.0
"""Seconds after which a watch without news is begun anew: what is silent for long may be dead."""

LONGEST_PAUSE = 32
"""Seconds between two tries; etcd's pauses double without end."""

_REST = 1.0
"""Seconds before the next watch when one came back empty, as those do that a balancer ends."""

_KEY_NOT_FOUND, _NODE_EXIST, _INDEX_CLEARED = 100, 105, 401


class Answer(NamedTuple):
    """``index`` is X-Etcd-Index, 0 when there was none."""

    status: int
    index: int
    body: bytes


class Unreachable(Exception):
    """No answer came; the message says why, in Go's words. ``advice`` is what may help, if anything is known to."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class Ask(Protocol):
    """One request below the discovery URL: ``path`` is appended to it, ``value`` sent as a form's. Raises Unreachable,
    also when ``patience`` seconds have passed."""

    def __call__(
        self, method: str, path: str, value: str | None = None, *, patience: float
    ) -> Awaitable[Answer]: ...


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


class Registration(NamedTuple):
    """A member as it has registered: its id in hex, ``name=url[,name=url...]``, and when, as an index."""

    id: str
    value: str
    created: int

    @property
    def name(self) -> str:
        return self.value.partition("=")[0]


class State(NamedTuple):
    """What stands under a discovery URL; ``registered`` in the order they came."""

    size: int
    registered: tuple[Registration, ...]
    index: int

    @property
    def members(self) -> tuple[Registration, ...]:
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


class Found(NamedTuple):
    """The members, as --initial-cluster has them. ``full``: this one is not among them, and may be their proxy."""

    initial_cluster: str
    full: bool = False


# What was answered


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


def read_state(url: str, size: Answer, listing: Answer) -> State:
    """The state that the answers for ``URL/_config/size`` and for ``URL`` tell. Raises DiscoveryError."""
    wanted, there = _object(url, size), _object(url, listing)
    if _is_missing(wanted) or _is_missing(there):
        raise _not_found(url, wanted, there)
    for answer in (wanted, there):
        if "errorCode" in answer:
            raise _refused(url, answer)
    text = _node(wanted).get("value")
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or int(text) < 1:
        raise _failed(
            url,
            Trouble.BAD_SIZE,
            Trouble.BAD_SIZE.value,
            f"{url}/_config/size holds {text!r}, not a number of members: set it with "
            f"curl -X PUT {url}/_config/size -d value=3",
        )
    children = _node(there).get("nodes", [])
    registered = [one for one in map(_registration, children if isinstance(children, list) else []) if one]
    registered.sort(key=lambda one: one.created)
    return State(int(text), tuple(registered), listing.index)


def checked_cluster(url: str, state: State) -> str:
    """The initial cluster of a state that nobody is missing in. Raises DiscoveryError for one that cannot be."""
    names = set()
    for one in state.members:
        try:
            names |= parse_urls_map(one.value).keys()
        except UrlError as error:
            raise _failed(
                url,
                Trouble.INVALID_URL,
                Trouble.INVALID_URL.value,
                f"member {one.id} has registered {one.value!r} at {url}: {error}",
            ) from None
    if len(names) != state.size:
        raise _duplicate_name(url, Trouble.DUPLICATE_NAME, f"registered are: {state.initial_cluster}")
    return state.initial_cluster


def _registration(node: object) -> Registration | None:
    """None for what is no member: the size, which a store may list, and directories."""
    if not isinstance(node, dict):
        return None
    key, value, created = node.get("key"), node.get("value"), node.get("createdIndex")
    if not isinstance(key, str) or not isinstance(value, str) or not isinstance(created, int):
        return None
    return Registration(key.rpartition("/")[2], value, created)


def _object(url: str, answer: Answer) -> dict[str, object]:
    """An event or an error of a v2 key space."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if isinstance(found, dict) and (isinstance(found.get("node"), dict) or "errorCode" in found):
        return found
    raise _failed(
        url,
        Trouble.BAD_ENDPOINT,
        Trouble.BAD_ENDPOINT.value,
        f"{url} answers (status {answer.status}), but not as a key of etcd's v2 API does: on an etcd of your own the "
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


def _refused(url: str, error: dict[str, object]) -> DiscoveryError:
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


def _duplicate_id(url: str, member: str, name: str, data_dir: str, state: State) -> DiscoveryError:
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


def _duplicate_name(url: str, trouble: Trouble, why: str) -> DiscoveryError:
    return DiscoveryError(
        trouble,
        ("E", f"member with duplicated name has registered with discovery service token({url})."),
        ("E", "please check (cURL) the discovery token for more information."),
        ("E", "please do not reuse the discovery token and generate a new one to bootstrap the cluster."),
        ("I", f"{why}; every member needs a --name of its own"),
    )


def _unreachable(url: str, error: Unreachable, limit: float) -> DiscoveryError:
    return _failed(
        url,
        Trouble.UNREACHABLE,
        f"{Trouble.UNREACHABLE.value}: {error}",
        f"{url} did not answer for {limit:g}s (--discovery-timeout): check that it can be reached from this machine",
        *filter(None, [error.advice]),
    )


def _timed_out(url: str, state: State, limit: float) -> DiscoveryError:
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


# Asking


class Discovery:
    """One process's dealings with one discovery URL.

    ``sleep`` waits for seconds, ``now`` is a clock in seconds. After ``limit`` seconds it gives up; etcd never does,
    and neither does this with a limit of 0. Raises DiscoveryError.
    """

    def __init__(
        self,
        url: str,
        ask: Ask,
        *,
        sleep: Callable[[float], Awaitable[None]],
        now: Callable[[], float],
        limit: float = 0.0,
    ) -> None:
        check_url(url)
        self._url = url.rstrip("/")
        self._host = "://".join(urlsplit(url)[:2])
        self._ask = ask
        self._sleep = sleep
        self._now = now
        self._limit = limit
        self._deadline = now() + limit if limit else float("inf")
        self._failures = 0

    async def look(self) -> State:
        """The state now, or when the service answers."""
        return await self._state("cluster status check")

    async def join(self, member: str, contents: str, data_dir: str) -> Found:
        """Registers a member by its id in hex and its ``name=url[,name=url...]``, and waits until all have."""
        state = await self.look()
        if not state.has_place_for(member):
            return Found(state.initial_cluster, full=True)
        self._refuse_if_known(state, member, contents, data_dir)
        await self._register(member, contents, data_dir)
        state = await self._wait(member)
        if not state.has_place_for(member):
            return Found(state.initial_cluster, full=True)
        return Found(checked_cluster(self._url, state))

    async def find(self) -> str:
        """The initial cluster, when all its members have registered: what a proxy asks for."""
        return checked_cluster(self._url, await self._wait(""))

    def _refuse_if_known(self, state: State, member: str, contents: str, data_dir: str) -> None:
        name = contents.partition("=")[0]
        for one in state.members:
            if one.id == member:
                raise _duplicate_id(self._url, member, name, data_dir, state)
            if one.name == name:
                why = f"{one.value} is registered already, and this member is {contents}"
                raise _duplicate_name(self._url, Trouble.OTHER_ADDRESS, why)

    async def _register(self, member: str, contents: str, data_dir: str) -> None:
        """An answer that was lost leaves open whether the key was made; who finds its own there has made it."""
        unsure = False
        while True:
            try:
                answer = await self._try("PUT", f"/{member}?prevExist=false", contents)
            except Unreachable as error:
                unsure = True
                await self._pause("registering", error)
                continue
            found = _object(self._url, answer)
            if found.get("errorCode") == _NODE_EXIST:
                state = await self.look()
                mine = any(one.id == member and one.value == contents for one in state.registered)
                if not (unsure and mine):
                    name = contents.partition("=")[0]
                    raise _duplicate_id(self._url, member, name, data_dir, state)
            elif "errorCode" in found:
                raise _refused(self._url, found)
            return

    async def _wait(self, member: str) -> State:
        """Until nobody is missing."""
        known: set[str] = set()
        while True:
            state = await self._state("waiting for other nodes")
            for one in state.members:
                if one.id not in known:
                    who = "self" if one.id == member else "peer"
                    logger.log(NOTICE, "found %s %s in the cluster (%s)", who, one.id, one.name)
            if not state.missing:
                logger.log(NOTICE, "found %d needed peer(s)", state.size)
                return state
            if self._now() >= self._deadline:
                raise _timed_out(self._url, state, self._limit)
            known = {one.id for one in state.members}
            logger.log(
                NOTICE, "found %d peer(s), waiting for %d more: %s", len(known), state.missing, state.progress
            )
            await self._news(state.index)

    async def _news(self, index: int) -> None:
        """Waits until something may have changed since ``index``."""
        since = f"&waitIndex={index + 1}" if index else ""
        began = self._now()
        patience = min(WATCH_PATIENCE, self._deadline - began)
        try:
            answer = await self._try("GET", f"?recursive=true&wait=true{since}", patience=patience)
        except Unreachable as error:
            if self._now() - began < patience:
                await self._pause("waiting for other nodes", error)
                return
        else:
            if not answer.body.strip():
                await self._sleep(_REST)
                return
            error = _object(self._url, answer)
            if error.get("errorCode") not in (None, _INDEX_CLEARED, _KEY_NOT_FOUND):
                raise _refused(self._url, error)
        self._failures = 0

    async def _state(self, step: str) -> State:
        while True:
            try:
                size = await self._try("GET", "/_config/size")
                listing = await self._try("GET", "")
            except Unreachable as error:
                await self._pause(step, error)
            else:
                return read_state(self._url, size, listing)

    async def _try(
        self, method: str, path: str, value: str | None = None, *, patience: float = REQUEST_PATIENCE
    ) -> Answer:
        """An answer that says that the server is in trouble is none."""
        answer = await self._ask(method, path, value, patience=patience)
        if answer.status >= 500:
            raise Unreachable(f"client: etcd member {self._host} returns server error [{answer.status}]")
        return answer

    async def _pause(self, step: str, error: Unreachable) -> None:
        """Before the next try, longer each time."""
        logger.error("error #0: %s", error)
        left = self._deadline - self._now()
        if left <= 0:
            raise _unreachable(self._url, error, self._limit)
        self._failures += 1
        if self._failures == 1 and error.advice:
            logger.info("%s", error.advice)
        pause = min(2**self._failures, LONGEST_PAUSE)
        logger.info("%s: error connecting to %s, retrying in %ds", step, self._host, pause)
        await self._sleep(min(pause, left))
