"""Who the members are: asked of their peers again and again, for as long as the proxy runs.

The first peer with a usable answer says all members' client and peer URLs; the latter are who is asked next time, and
go into the cluster file. A list once heard is kept until there is a new one, whatever happens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from server.clocks import wait_at_most
from server.cluster.remote import NotUsable, PeerAnswer, PeerUnreachable, RunningCluster, read_cluster
from server.log import NOTICE, log_fault
from server.mergelogger import MergeLogger
from server.proxy.clusterfile import ClusterFile
from server.proxy.director import Director
from server.storage.errors import StorageError

logger = logging.getLogger(__name__)
cluster_logger = logging.getLogger("server.cluster")
proxy_logger = logging.getLogger("server.proxy")

_PATIENCE = 10.0
"""Seconds that one peer has for its answer. The next one is asked after that, so a peer that hangs delays a list,
and costs no endpoint."""

_SOONEST, _SOON = 0.1, 1.0
"""Seconds before it is asked again while there is no endpoint: so few at first, twice as many each time, up to so
many."""


Get = Callable[[str, str, float], Awaitable[PeerAnswer]]
"""A GET of a path at a URL, within so many seconds. Raises PeerUnreachable."""


class Refresher:
    """Keeps a director's list up to date, every ``interval`` seconds.

    ``get`` asks a peer; ``own_among`` tells which URLs lead to the proxy itself; ``on_list`` is called when there is a
    new list.
    """

    def __init__(
        self,
        peers: list[str],
        get: Get,
        director: Director,
        file: ClusterFile,
        merge_logger: MergeLogger,
        *,
        interval: float,
        own_among: Callable[[list[str]], Awaitable[set[str]]],
        on_list: Callable[[], object],
    ) -> None:
        self._peers = peers
        self._get = get
        self._director = director
        self._file = file
        self._merge_logger = merge_logger
        self._interval = max(interval, _SOONEST)
        self._own_among = own_among
        self._on_list = on_list
        self._hurry = asyncio.Event()
        self._has_told = False
        self._has_asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def hurry(self) -> None:
        """An endpoint has failed: the members may be others by now."""
        self._hurry.set()

    async def run(self) -> None:
        """Asks until it is cancelled."""
        pause = _SOONEST
        while True:
            try:
                await self.refresh()
            except Exception as error:  # a fault in here must not leave the proxy with an old list for ever
                log_fault(logger, error)
            self._has_asked.set()
            if self._director.available(self._loop.time()):
                pause = _SOONEST
                await self._pause(self._interval)
            else:
                await asyncio.sleep(min(pause, self._interval))
                pause = min(2 * pause, _SOON)

    async def first(self, patience: float) -> None:
        """Returns when all have been asked once, or after so many seconds."""
        await wait_at_most(patience, self._has_asked)

    async def _pause(self, seconds: float) -> None:
        """That long, or until there is reason to hurry; a second in any case, lest failures make many requests."""
        self._hurry.clear()
        await asyncio.sleep(min(seconds, _SOON))
        await wait_at_most(max(seconds - _SOON, 0), self._hurry)

    async def refresh(self) -> None:
        """Asks the peers one after the other, until one has a usable answer."""
        cluster = await self._ask()
        if cluster is None:
            self._warn("none", logger, "proxy: could not retrieve cluster information from the given urls")
            return
        urls = sorted(url for member in cluster.members for url in member.client_urls)
        if not urls:
            return  # no member has told its client URLs yet
        own = await self._own_among(urls)
        for url in sorted(own):
            words = f"proxy: {url} is this proxy itself, yet in the --advertise-client-urls of a member; it is left out"
            self._warn(url, logger, words)
        endpoints = [url for url in urls if url not in own]
        self._merge_logger.forget("none")
        self._director.update(endpoints)
        self._on_list()
        if not self._has_told and endpoints:
            self._has_told = True
            proxy_logger.info(
                "endpoints found [%s]", " ".join(f'"{url}"' for url in self._director.endpoints)
            )
        self._remember(sorted(url for member in cluster.members for url in member.peer_urls))

    async def _ask(self) -> RunningCluster | None:
        for peer in self._peers:
            try:
                cluster = read_cluster(await self._get(peer, "/members", _PATIENCE))
            except PeerUnreachable as error:
                words = f'could not get cluster response from {peer}: Get "{peer}/members": {error}'
                self._warn(peer, cluster_logger, words)
            except NotUsable as error:
                self._warn(peer, cluster_logger, f"{error} ({peer})")
            else:
                self._merge_logger.forget(peer)
                return cluster
        return None

    def _remember(self, peers: list[str]) -> None:
        if not peers:
            return
        if peers != self._peers:
            logger.log(
                NOTICE,
                "proxy: updated peer urls in cluster file from [%s] to [%s]",
                " ".join(self._peers),
                " ".join(peers),
            )
        self._peers = peers
        try:
            self._file.write(peers)
        except StorageError as error:
            self._warn("file", logger, f"proxy: error on writing urls {error}")

    def _warn(self, kind: str, to: logging.Logger, words: str) -> None:
        self._merge_logger.log(to, logging.WARNING, words, kind)
