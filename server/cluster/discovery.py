"""Finding the first members through a discovery URL, in which every member registers itself.

Asks in order and waits; touches no socket and no clock: both come in. Steps, words and their order are etcd 2.3.8's
(``Documentation/discovery_protocol.md``), but that an answer that does not come is asked for again at every step, and
that a member that is too late by its name learns so before it registers.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from server.cluster.discoverystate import (
    DiscoveryState,
    KeysAnswer,
    Trouble,
    check_url,
    checked_cluster,
    duplicate_id,
    duplicate_name,
    read_object,
    read_state,
    refused,
    timed_out,
    unreachable,
)
from server.log import NOTICE

logger = logging.getLogger(__name__)

REQUEST_PATIENCE = 5.0
"""Seconds for an answer (etcd's own)."""

WATCH_PATIENCE = 60.0
"""Seconds after which a watch without events is sent again: a connection that is silent for long may be dead."""

LONGEST_PAUSE = 32
"""Seconds between two tries; etcd's pauses double without end."""

_REST = 1.0
"""Seconds before the next watch when one came back empty, as a balancer does that ends idle requests. Without a
pause one that answers at once would be asked without end."""

_KEY_NOT_FOUND, _NODE_EXIST, _INDEX_CLEARED = 100, 105, 401
"""Error codes of etcd's v2 API."""


class Unreachable(Exception):
    """No answer came; the message says why, in Go's words. ``advice`` is what may help, if anything is known to."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class AskService(Protocol):
    """One request below the discovery URL: ``path`` is appended to it, ``value`` sent as a form's. Raises Unreachable,
    also when ``patience`` seconds have passed."""

    def __call__(
        self, method: str, path: str, value: str | None = None, *, patience: float
    ) -> Awaitable[KeysAnswer]: ...


class Found(NamedTuple):
    """The members, as --initial-cluster has them. ``full``: this one is not among them, and may be their proxy."""

    initial_cluster: str
    full: bool = False


class Discovery:
    """One process's dealings with one discovery URL.

    ``sleep`` waits for seconds, ``now`` is a clock in seconds. After ``limit`` seconds it gives up; etcd never does,
    and neither does this with a limit of 0. Raises DiscoveryError.
    """

    def __init__(
        self,
        url: str,
        ask: AskService,
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

    async def look(self) -> DiscoveryState:
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

    def _refuse_if_known(self, state: DiscoveryState, member: str, contents: str, data_dir: str) -> None:
        name = contents.partition("=")[0]
        for one in state.members:
            if one.id == member:
                raise duplicate_id(self._url, member, name, data_dir, state)
            if one.name == name:
                why = f"{one.value} is registered already, and this member is {contents}"
                raise duplicate_name(self._url, Trouble.OTHER_ADDRESS, why)

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
            found = read_object(self._url, answer)
            if found.get("errorCode") == _NODE_EXIST:
                state = await self.look()
                mine = any(one.id == member and one.value == contents for one in state.registered)
                if not (unsure and mine):
                    name = contents.partition("=")[0]
                    raise duplicate_id(self._url, member, name, data_dir, state)
            elif "errorCode" in found:
                raise refused(self._url, found)
            return

    async def _wait(self, member: str) -> DiscoveryState:
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
                raise timed_out(self._url, state, self._limit)
            known = {one.id for one in state.members}
            logger.log(
                NOTICE, "found %d peer(s), waiting for %d more: %s", len(known), state.missing, state.progress
            )
            await self._news(state.etcd_index)

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
            event = read_object(self._url, answer)
            if event.get("errorCode") not in (None, _INDEX_CLEARED, _KEY_NOT_FOUND):
                raise refused(self._url, event)
        self._failures = 0

    async def _state(self, step: str) -> DiscoveryState:
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
    ) -> KeysAnswer:
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
            raise unreachable(self._url, str(error), error.advice, self._limit)
        self._failures += 1
        if self._failures == 1 and error.advice:
            logger.info("%s", error.advice)
        pause = min(2**self._failures, LONGEST_PAUSE)
        logger.info("%s: error connecting to %s, retrying in %ds", step, self._host, pause)
        await self._sleep(min(pause, left))
