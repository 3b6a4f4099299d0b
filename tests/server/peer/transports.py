"""Transports on loopback with hosts that write down what they are told."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from server.http.messages import Handler, Request, Response, not_found
from server.http.serving import Listening
from server.http.serving import serve as serve_http
from server.peer import ETCD_2_3, Identity, PeerHandler, Transport, Versions
from server.raft import Message, MessageRefusal
from tests.support.memory_members import loopback, until, url_of

CLUSTER = 0xC1


class End:
    """One member's transport, listening; and its host."""

    def __init__(
        self,
        member: int,
        *,
        cluster: int = CLUSTER,
        versions: Versions = ETCD_2_3,
        tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
        port_of: "End | None" = None,
    ) -> None:
        self.member = member
        self.sock = loopback(0 if port_of is None else port_of.port)
        self.port: int = self.sock.getsockname()[1]
        self.url = url_of(self.sock) if tls is None else f"https://localhost:{self.port}"
        self.received: list[Message] = []
        self.lost: list[int] = []
        self.snapshots: list[tuple[int, bool]] = []
        self.databases: list[bytes | None] = []
        self.removed_ids: set[int] = set()
        self.told_removed = 0
        self.errors: list[Exception] = []
        self.counted: list[str] = []
        self.refuses = MessageRefusal("receiver", "it is for another member")
        self.otherwise: Handler = nothing
        self._server_tls = None if tls is None else tls[0]
        me = Identity(member, cluster, (self.url,), versions)
        self.transport = Transport(me, self, tls=None if tls is None else tls[1])

    async def start(self, *peers: "End") -> None:
        await self.transport.start()
        handler = PeerHandler(self.transport, self.otherwise)
        self._runner = await serve_http(handler.handle, [Listening(self.sock, self._server_tls)])
        for peer in peers:
            self.transport.add_peer(peer.member, [peer.url])

    async def stop(self) -> None:
        await self.transport.stop()
        await self._runner.cleanup()

    def is_connected(self, peer: "End") -> bool:
        """Whether both of our streams to it are attached."""
        way = self.transport._peers.get(peer.member)
        return way is not None and len(way._streams) == 2

    # The host's side

    def receive(self, messages: Sequence[Message]) -> list[tuple[Message, MessageRefusal]]:
        mine = [message for message in messages if message.to == self.member]
        self.received += mine
        return [(message, self.refuses) for message in messages if message.to != self.member]

    def refused(self, reason: str) -> None:
        self.counted.append(reason)

    def unreachable(self, member: int) -> None:
        self.lost.append(member)

    def receive_database(self, index: int, database: bytes | None) -> None:
        self.databases.append(database)

    def snapshot_ended(self, member: int, *, arrived: bool) -> None:
        self.snapshots.append((member, arrived))

    def is_removed(self, member: int) -> bool:
        return member in self.removed_ids

    def removed(self) -> None:
        self.told_removed += 1

    def failed(self, error: Exception) -> None:
        self.errors.append(error)


def nothing(request: Request) -> Response:
    return not_found()


@asynccontextmanager
async def running(*ends: End, know_each_other: bool = True) -> AsyncIterator[None]:
    """The ends, started, and connected both ways if they know each other; at the end none of them has failed."""
    try:
        for end in ends:
            await end.start(*(other for other in ends if other is not end and know_each_other))
        if know_each_other:
            for end in ends:
                for other in ends:
                    if other is not end:
                        await until(lambda: end.is_connected(other), "they are connected")  # noqa: B023
        yield
    finally:
        for end in ends:
            await end.stop()
    assert [end.errors for end in ends] == [[] for _ in ends]
