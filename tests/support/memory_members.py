"""Members in one process: the production core of consensus, key space and transport over real loopback connections,
and a log that lives in memory. For tests of the peer protocol, also next to real etcds; no part of the server.
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from random import Random

from server.cluster.ids import cluster_id, id_text, member_id
from server.cluster.members import VERSION, Member, Members
from server.http.messages import (
    JSON,
    TEXT,
    Request,
    Response,
    not_found,
)
from server.http.serving import Listening
from server.http.serving import serve as serve_http
from server.node.applier import Applier
from server.peer import ETCD_2_3, Identity, PeerHandler, Transport, Versions
from server.raft import (
    Entry,
    EntryType,
    LogError,
    Message,
    MessageRefusal,
    MessageType,
    Raft,
    RaftLog,
    RaftRole,
    Snapshot,
)
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change, encode_conf_change
from server.storage.requests import StoreRequest, encode_request
from server.store.event import Event
from server.store.gojson import format_time
from server.store.store import Store
from tests.support.process import PATIENCE


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Returns as soon as the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came that {what or condition}"
        await asyncio.sleep(0.01)


def loopback(port: int = 0) -> socket.socket:
    """A bound, listening socket on that port, or a free one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(128)
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


class MemoryMember:
    """One member of a new cluster of ``urls`` (name -> peer URL), or one that joins the cluster ``joins`` says.

    Stands for election only when told to, or with ``votes=True``. ``sent`` are the numbers of messages by type.
    """

    def __init__(
        self,
        name: str,
        urls: Mapping[str, str],
        sock: socket.socket,
        *,
        token: str = "etcd-cluster",
        versions: Versions = ETCD_2_3,
        tick: float = 0.05,
        joins: tuple[int, int, Sequence[tuple[int, str]]] | None = None,
        votes: bool = False,
        database: Callable[[Snapshot], Sequence[bytes]] | None = None,
        store: Store | None = None,
    ) -> None:
        self.name, self.urls, self.sock = name, urls, sock
        self._port = sock.getsockname()[1]
        self.versions = versions
        if joins is None:
            first = [Member(member_id([url], token), who, (url,)) for who, url in urls.items()]
            self.id = member_id([urls[name]], token)
            cluster = cluster_id(member.id for member in first)
            self.others = [(member.id, member.peer_urls[0]) for member in first if member.id != self.id]
        else:
            first = []
            self.id, cluster, self.others = joins[0], joins[1], list(joins[2])
        self.store, self.members = store or Store(), Members(cluster)
        self.raft = Raft(self.id, RaftLog(), election_ticks=10, random=Random(self.id))
        self._applier = Applier(self.store, self.members, self.raft)
        if first:
            first.sort(key=lambda member: member.id)
            self.raft.bootstrap(
                encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, member.id, context=member.context))
                for member in first
            )
        me = Identity(self.id, cluster, (urls[name],), versions)
        self.transport = Transport(me, self, database=database)
        self.applied: list[Entry] = []
        self.received: dict[MessageType, int] = {}
        self.told_removed = 0
        self.error: Exception | None = None
        self.holds_still = False
        """No heartbeats: others will elect another leader."""
        self._tick_seconds, self._votes = tick, votes
        self._due = False
        self._next_id = self.id & 0xFFFF
        self._tasks: list[asyncio.Task[None]] = []
        self._waiters: dict[bytes, asyncio.Future[Event | object]] = {}

    # Living

    async def start(self) -> None:
        """Also after ``stop``: what it had in memory, it still has."""
        if self.sock.fileno() < 0:
            self.sock = loopback(self._port)
        await self.transport.start()
        handler = PeerHandler(self.transport, self._answer)
        self._runner = await serve_http(handler.handle, [Listening(self.sock, None)])
        for peer in list(self.members) or [Member(member, "", (url,)) for member, url in self.others]:
            if peer.id != self.id:
                self.transport.add_peer(peer.id, peer.peer_urls)
        self._work()
        self._tasks.append(asyncio.get_running_loop().create_task(self._tick()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.transport.stop()
        await self._runner.cleanup()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._tick_seconds)
            if not self.holds_still and (self._votes or self.raft.role is RaftRole.LEADER):
                self.raft.tick()
                self.work_soon()

    # What a node would do

    def campaign(self) -> None:
        self.raft.campaign()
        self.work_soon()

    def propose(
        self, method: str = "PUT", path: str = "", value: str = "", *, expiration: int = 0, time: int = 0
    ) -> "asyncio.Future[Event | object]":
        self._next_id += 1 << 16
        request = StoreRequest(
            id=self._next_id, method=method, path=path, val=value.encode(), expiration=expiration, time=time
        )
        data = encode_request(request)
        self._waiters[data] = waiter = asyncio.get_running_loop().create_future()
        assert self.raft.propose(data), "no leader"
        self.work_soon()
        return waiter

    async def put(self, key: str, value: str) -> None:
        """A write as a client's, through the leader whoever that is; returns when it is applied here."""
        await asyncio.wait_for(self.propose(path="/1" + key, value=value), PATIENCE)

    def change(self, change: ConfChange) -> None:
        assert self.raft.propose_conf_change(encode_conf_change(change))
        self.work_soon()

    def get(self, key: str) -> str | None:
        node = self.store.get("/1" + key, now=time.time_ns()).node
        return None if node.value is None else node.value.decode()

    def has(self, key: str, value: str) -> bool:
        with contextlib.suppress(Exception):
            return self.get(key) == value
        return False

    def compact(self) -> None:
        """Forgets the log as far as it is applied, so that who lags behind needs a snapshot."""
        self.raft.log.compact(self.raft.log.applied)

    @property
    def is_leader(self) -> bool:
        return self.raft.role is RaftRole.LEADER

    def work_soon(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._work)

    def _work(self) -> None:
        self._due = False
        if self.error is not None:
            return
        try:
            while ready := self.raft.ready():
                if ready.snapshot is not None:
                    self._recover(ready.snapshot)
                self.transport.send(map(self._with_snapshot, ready.messages))
                for entry in ready.committed:
                    self._apply(entry)
                self.raft.advance(ready)
            self.raft.advance(ready)
        except Exception as error:
            self.failed(error)

    def _apply(self, entry: Entry) -> None:
        self.applied.append(entry)
        outcome = self._applier.apply(entry, None, time.time_ns())
        waiter = self._waiters.pop(entry.data, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(outcome)
        if entry.type is EntryType.CONF_CHANGE:
            change = decode_conf_change(entry.data)
            member = self.members.get(change.node_id)
            if member is None:
                self.transport.remove_peer(change.node_id)
            elif member.id != self.id:
                self.transport.add_peer(member.id, member.peer_urls)
                self.transport.update_peer(member.id, member.peer_urls)

    def _with_snapshot(self, message: Message) -> Message:
        if message.type is not MessageType.SNAPSHOT:
            return message
        applied = self.raft.log.applied
        term = self.raft.log.term_at(applied)
        assert term is not None
        data = b"".join(self.store.freeze().pieces())
        snapshot = Snapshot(applied, term, self.raft.voters, data)
        return Message(
            message.type, message.to, message.sender, message.term, message.index, snapshot=snapshot
        )

    def _recover(self, snapshot: Snapshot) -> None:
        self.store.recover(snapshot.data)
        self.members.recover(self.store, time.time_ns())
        for member in self.members:
            if member.id != self.id:
                self.transport.add_peer(member.id, member.peer_urls)

    # What the transport tells

    def receive(self, messages: Sequence[Message]) -> list[tuple[Message, MessageRefusal]]:
        refused = []
        for message in messages:
            self.received[message.type] = self.received.get(message.type, 0) + 1
            try:
                if (why := self.raft.step(message)) is not None:
                    refused.append((message, why))
            except LogError as error:
                self.failed(error)
        self.work_soon()
        return refused

    def refused(self, reason: str) -> None:
        pass

    def unreachable(self, member: int) -> None:
        self.raft.unreachable(member)

    def receive_database(self, index: int, database: bytes | None) -> None:
        pass

    def snapshot_ended(self, member: int, *, arrived: bool) -> None:
        self.raft.snapshot_ended(member, arrived=arrived)

    def is_removed(self, member: int) -> bool:
        return self.members.is_removed(member)

    def removed(self) -> None:
        self.told_removed += 1

    def failed(self, error: Exception) -> None:
        self.error = self.error or error

    # What peers ask besides

    def _answer(self, request: Request) -> Response:
        match request.target:
            case b"/members":
                members = [json.loads(member.context) for member in self.members]
                cluster = ("X-Etcd-Cluster-Id", id_text(self.members.cluster_id))
                return Response(200, (JSON, cluster), json.dumps(members).encode() + b"\n")
            case b"/version":
                told = {
                    "etcdserver": self.versions.server,
                    "etcdcluster": self.members.version or "not_decided",
                }
                return Response(200, (JSON,), json.dumps(told).encode())
            case b"/raft/probing":
                now = format_time(time.time_ns())
                return Response(200, (TEXT,), f'{{"OK":true,"Now":"{now}"}}\n'.encode())
        return not_found()

    async def decide_version(self, version: str) -> None:
        """What a leader does when the cluster is young."""
        await asyncio.wait_for(self.propose(path=VERSION, value=version), PATIENCE)


@contextlib.asynccontextmanager
async def memory_cluster(size: int = 3, **options: object) -> AsyncIterator[list[MemoryMember]]:
    """A running cluster of such members, which has no leader yet."""
    socks = [loopback() for _ in range(size)]
    urls = {f"m{n}": url_of(sock) for n, sock in enumerate(socks)}
    members = [MemoryMember(name, urls, sock, **options) for name, sock in zip(urls, socks, strict=True)]  # type: ignore[arg-type]
    try:
        for member in members:
            await member.start()
        yield members
    finally:
        for member in members:
            await member.stop()
