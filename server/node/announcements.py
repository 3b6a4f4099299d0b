"""What a member writes into the log about its cluster without a client's request: its own name and client URLs, and as
leader the cluster's version.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from server.clocks import wait_at_most
from server.cluster.ids import id_text
from server.cluster.members import VERSION as VERSION_PATH
from server.cluster.members import Member, Members
from server.node.peers import Peers
from server.node.versions import decide_version
from server.storage.requests import StoreRequest
from server.store.errors import EtcdError
from server.version import major_minor, version_in_cluster

logger = logging.getLogger(__name__)

VERSION_INTERVAL = 4.0
"""Seconds between two times that a leader asks the members for their versions (etcd 2.3's value)."""


class Announcements:
    """``propose`` puts a request into the log and raises EtcdError when it is refused or gets no answer; ``leads`` and
    ``is_over`` return whether this member leads, and whether it has stopped or failed."""

    def __init__(
        self,
        local: Member,
        members: Members,
        peers: Peers,
        *,
        propose: Callable[[StoreRequest], Awaitable[object]],
        leads: Callable[[], bool],
        is_over: Callable[[], bool],
    ) -> None:
        self._local = local
        self._members = members
        self._peers = peers
        self._propose = propose
        self._leads = leads
        self._is_over = is_over
        self._published = asyncio.Event()
        self._term_began = asyncio.Event()
        self._silent: set[int] = set()
        """The members that did not answer when they were last asked for their version."""
        self.releases: dict[int, str | None] | None = None
        """The releases that the other members last reported; None while this member has not asked as the leader."""

    @property
    def said(self) -> Collection[str | None] | None:
        """The values of ``releases``."""
        return None if self.releases is None else self.releases.values()

    def term_began(self) -> None:
        """A leader's first entry has been applied."""
        self._term_began.set()

    async def introduce(self) -> None:
        """Writes this member's name and client URLs into the key space, once each start."""
        path = self._local.attributes_path
        while not self._published.is_set():
            try:
                await self._propose(StoreRequest(method="PUT", path=path, val=self._local.attributes))
            except EtcdError as error:
                if self._is_over():
                    return
                logger.error("cannot write %s, trying again: %s", path, error.cause)
            else:
                self._published.set()
        cluster = id_text(self._members.cluster_id)
        urls = " ".join(self._local.client_urls)
        logger.info("published {Name:%s ClientURLs:[%s]} to cluster %s", self._local.name, urls, cluster)

    async def watch_versions(self) -> None:
        """As a leader, decides on the cluster's version when its term begins, and at intervals after that."""
        await self._published.wait()
        while True:
            if self._leads():
                await self._decide_version()
            else:
                self.releases = None
            self._term_began.clear()
            await wait_at_most(VERSION_INTERVAL, self._term_began)

    async def _decide_version(self) -> None:
        known = self._members.version
        own = version_in_cluster(known)
        versions = await self._peers.versions()
        before = self.releases or {}
        self.releases = {member: release or before.get(member) for member, release in versions.items()}
        silent = {member for member, release in versions.items() if release is None}
        for member in sorted(silent - self._silent):
            logger.warning("cannot get the version of member %s", id_text(member))
        self._silent = silent
        decided = decide_version((own, *versions.values()), known)
        if decided is None or not self._leads() or self._members.version != known:
            return
        if known is None:
            logger.info("setting up the initial cluster version to %s", major_minor(decided))
        else:
            logger.info(
                "updating the cluster version from %s to %s", major_minor(known), major_minor(decided)
            )
        try:
            await self._propose(StoreRequest(method="PUT", path=VERSION_PATH, val=decided.encode()))
        except EtcdError as error:  # another may lead by now, and may have decided on another version
            logger.error("error updating cluster version (%s)", error.cause)
