"""All other members, and the way to each. See the package's text for how it is driven."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.cluster.srv import LookUp
from server.mergelogger import MergeLogger
from server.peer.checks import Channel, Identity, is_3x
from server.peer.host import Host
from server.peer.peer import SILENCE, Links, Peer, Remote
from server.peer.stats import FollowerStats, StatsQueue
from server.peer.stream import OutgoingStream
from server.raft import Message, MessageType, Snapshot

if TYPE_CHECKING:
    from server.peer.dialer import Dialer

MERGE_PERIOD = 1.0
"""Seconds for which equal lines of the log are merged, as in etcd 2.3."""

_MOST_REMOTES = 32
"""Members that the log does not list yet; any client can claim to be one. A cluster has nine members at most."""


class Transport:
    """Carries messages between this member and its peers. Lives on one loop, from ``start`` to ``stop``.

    ``tls`` is for peers with https URLs (``server.tls.client_context``). ``connect_timeout`` is seconds; etcd takes one
    and a fifth of the election timeout. Hosts are looked up by ``look_up``, or by the system. ``database`` makes, of a
    snapshot, the database file that members of 3.x need along with it; without, snapshots are posted as 2.x posts them.
    """

    def __init__(
        self,
        me: Identity,
        host: Host,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout: float = 1.2,
        database: Callable[[Snapshot], Sequence[bytes]] | None = None,
        look_up: LookUp | None = None,
    ) -> None:
        self.me = me
        self.host = host
        self.merge_logger = MergeLogger(MERGE_PERIOD, asyncio.get_running_loop())
        self.sent, self.received = StatsQueue(), StatsQueue()
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._database = database
        self._look_up = look_up
        self._links: Links | None = None
        self._peers: dict[int, Peer] = {}
        self._remotes: dict[int, Remote] = {}
        self._ending: set[asyncio.Task[None]] = set()

    # Living

    async def start(self) -> None:
        """Before anything else."""
        self._links = Links(
            self.me, self.host, self._make_dialer, self.merge_logger, self.received, self._database
        )

    def _make_dialer(self) -> "Dialer":
        from server.peer.dialer import Dialer  # late: a member that is alone asks nobody

        return Dialer(
            self._tls, connect_timeout=self._connect_timeout, silence=SILENCE, look_up=self._look_up
        )

    async def stop(self) -> None:
        """Ends every connection; what still waits to be posted is dropped. Harmless when it has not started."""
        links, self._links = self._links, None
        for member in list(self._peers):
            self.remove_peer(member)
        for remote in self._remotes.values():
            self._end(remote)
        self._remotes.clear()
        if self._ending:
            await asyncio.wait(self._ending)
        if links is not None:
            await links.close()

    @property
    def is_running(self) -> bool:
        return self._links is not None

    def _started(self) -> Links:
        if self._links is None:
            raise RuntimeError("the transport has not started, or has stopped")
        return self._links

    # Who there is

    def add_peer(self, member: int, urls: Sequence[str]) -> None:
        """A member of the cluster other than this one: from now on it is talked to. A known one is not changed."""
        if member in self._peers:
            return
        links = self._started()
        if remote := self._remotes.pop(member, None):
            self._end(remote)
        self._peers[member] = Peer(member, urls, links)

    def add_remote(self, member: int, urls: Sequence[str]) -> None:
        """One that may be a member, though the log does not list it yet: it is sent answers by POST, and nothing else.

        A member that joins calls it for those who answered it, or it could not speak to them before it has their log.
        """
        if member in self._peers or member in self._remotes or len(self._remotes) >= _MOST_REMOTES:
            return
        if urls and all(map(_is_peer_url, urls)):
            self._remotes[member] = Remote(member, urls, self._started())

    def update_peer(self, member: int, urls: Sequence[str]) -> None:
        """The peer has other URLs now."""
        if peer := self._peers.get(member):
            peer.update(urls)

    def remove_peer(self, member: int) -> None:
        """The peer is no longer a member: its streams end, and nothing is sent to it."""
        if peer := self._peers.pop(member, None):
            self._end(peer)

    def _end(self, remote: Remote) -> None:
        remote.stop()
        self._ending.update(remote.tasks)
        for task in remote.tasks:
            task.add_done_callback(self._ending.discard)

    @property
    def peers(self) -> frozenset[int]:
        return frozenset(self._peers)

    def active_since(self, member: int) -> float | None:
        """Since when something gets through to the peer, in seconds of ``time.monotonic``; None while nothing does."""
        peer = self._peers.get(member)
        return None if peer is None else peer.status.since

    def latencies(self) -> dict[int, FollowerStats]:
        """Of every peer, how APPENDs to it have fared."""
        return {member: peer.latency for member, peer in self._peers.items()}

    async def version_of(self, member: int) -> str | None:
        """The release that a peer says it is; None for one that does not answer, or sensibly."""
        peer = self._peers.get(member)
        return None if peer is None else await peer.ask_version()

    # What goes out and comes in

    def send(self, messages: Iterable[Message]) -> None:
        """Puts messages on their way, each to the member it is for, and returns at once.

        Nothing is promised: a message may be lost, repeated, or overtaken by another. To a member that is not known it
        goes nowhere. But of every SNAPSHOT the host hears what became of it.
        """
        for message in messages:
            if peer := self._peers.get(message.to):
                if message.type is MessageType.APPEND:
                    self.sent.note(message, time.monotonic())
                peer.send(message)
            elif remote := self._remotes.get(message.to):
                remote.send(message)
            elif message.type is MessageType.SNAPSHOT:
                self.host.snapshot_ended(message.to, arrived=False)  # nothing more would be sent until it has

    def receive(self, message: Message, client: str) -> bool:
        """A message that came by POST from an address. Whether it was taken."""
        return self._started().receive((message,), f"posted by {client or 'somebody'}")

    def note_sender(self, member: int, headers: Mapping[str, str]) -> None:
        """What a peer's request says of it."""
        if remote := self._peers.get(member) or self._remotes.get(member):
            remote.wants_database = is_3x(headers)

    def attach(self, member: int, channel: Channel) -> OutgoingStream | None:
        """The stream that a peer asks for; None for who is none."""
        peer = self._peers.get(member)
        return None if peer is None else peer.attach(channel)


def _is_peer_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname and parts.port) and not parts.path
    except ValueError:
        return False
