"""Nodes that talk to each other: through a network in memory, which can be cut. Disks here keep nothing."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from server.api.client import ClientApi
from server.cluster import Member, Members
from server.cluster.members import REMOVED
from server.http.messages import Request, Response
from server.node import ChangeFailed, Latency, MemberRemoved, Node, NodeFailed, OpenedMember
from server.node.leadership import CONNECTION_LOST, LEADER_FAILED, TIMED_OUT
from server.raft import Entry, EntryType, Message, MessageType, Raft, RaftLog, Snapshot
from server.storage.boltfile import empty_database
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.requests import StoreRequest, encode_request
from server.store.errors import EtcdError
from server.store.event import Event
from server.store.store import Store
from tests.server.raft.hostile import Hostile
from tests.support import virtual_time
from tests.support.memory_disk import MemoryDisk
from tests.support.virtual_time import VIRTUAL_TIME

HEARTBEAT, ELECTION = 0.02, 0.2
"""Seconds."""

FIRST = [
    Member(number, f"m{number}", (f"http://127.0.0.1:{number}",), (f"http://127.0.0.1:{number}00",))
    for number in (1, 2, 3)
]


@dataclass
class Flow:
    count: int = 0

    def rates(self, now: float) -> tuple[float, float]:
        return 0.0, 0.0


@dataclass
class World:
    """Who can reach whom, and what members say they are."""

    nodes: dict[int, Node] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    releases: dict[int, str] = field(default_factory=dict)
    lose: Callable[[Message], bool] = lambda message: False

    def reaches(self, one: int, other: int) -> bool:
        return not {one, other} & self.cut and other in self.nodes


class MemoryNetwork:
    """One node's half of the network. Messages arrive in the next turn of the loop."""

    def __init__(self, world: World, local: int) -> None:
        self._world, self._local = world, local
        self.urls: dict[int, tuple[str, ...]] = {}
        self.remotes: set[int] = set()
        self.sent, self.received = Flow(), Flow()

    @property
    def peers(self) -> frozenset[int]:
        return frozenset(self.urls)

    def send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            asyncio.get_running_loop().call_soon(self._deliver, message)

    def _deliver(self, message: Message) -> None:
        here = self._world.nodes.get(self._local)
        known = message.to in self.urls or message.to in self.remotes
        receiver = self._world.nodes.get(message.to)
        if here is not None and receiver is not None and receiver.peers.is_removed(self._local):
            here.peers.removed()  # which a real peer answers
            return
        arrives = known and self._world.reaches(self._local, message.to) and not self._world.lose(message)
        if arrives:
            self._world.nodes[message.to].peers.receive([message])
        elif here is not None:
            here.peers.unreachable(message.to)
        if here is not None and message.type is MessageType.SNAPSHOT:
            assert message.snapshot is not None
            here.peers.snapshot_ended(message.to, arrived=arrives)

    def add_peer(self, member: int, urls: Sequence[str]) -> None:
        self.urls[member] = tuple(urls)

    def add_remote(self, member: int, urls: Sequence[str]) -> None:
        self.remotes.add(member)

    def update_peer(self, member: int, urls: Sequence[str]) -> None:
        assert member in self.urls
        self.urls[member] = tuple(urls)

    def remove_peer(self, member: int) -> None:
        del self.urls[member]

    def active_since(self, member: int) -> float | None:
        return 0.0 if self._world.reaches(self._local, member) else None

    def latencies(self) -> Mapping[int, Latency]:
        return {}

    async def version_of(self, member: int) -> str | None:
        return self._world.releases.get(member, "2.3.8") if self._world.reaches(self._local, member) else None


class Cluster:
    """``networks`` and ``disks`` by member."""

    def __init__(
        self,
        *,
        timeout: float = 5.0,
        snapshot_count: int = 10_000,
        idle_sync: bool = False,
        seed: int = 0,
    ) -> None:
        self.world = World()
        self.networks: dict[int, MemoryNetwork] = {}
        self.disks: dict[int, MemoryDisk] = {}
        self._timeout, self._snapshot_count, self._seed = timeout, snapshot_count, seed
        self._idle_sync = idle_sync

    async def start(self, member: Member, *, remotes: tuple[Member, ...] = ()) -> Node:
        """A first member, or with ``remotes`` one that joins."""
        raft = Raft(member.id, RaftLog(), random=Random(self._seed * 10 + member.id))
        if not remotes:
            additions = (ConfChange(ConfChangeType.ADD_NODE, m.id, context=m.context) for m in FIRST)
            raft.bootstrap(map(encode_conf_change, additions))
        disk = self.disks[member.id] = MemoryDisk()
        started = OpenedMember(member, Store(), Members(9), raft, disk, remotes=remotes)
        node = Node(
            started,
            heartbeat=HEARTBEAT,
            request_timeout=self._timeout,
            snapshot_count=self._snapshot_count,
            idle_sync=self._idle_sync,
            time=VIRTUAL_TIME,
            worker=disk.worker,
        )
        self.networks[member.id] = MemoryNetwork(self.world, member.id)
        self.world.nodes[member.id] = node
        await node.start(self.networks[member.id])
        return node

    async def stop(self, member: int) -> None:
        await self.world.nodes.pop(member).stop()

    async def leader(self) -> Node:
        """The one leader that all who can be reached know."""
        while True:
            reachable = [node for number, node in self.world.nodes.items() if number not in self.world.cut]
            known = {node.raft.leader for node in reachable}
            if len(known) == 1 and (leader := known.pop()) in {node.local.id for node in reachable}:
                return self.world.nodes[leader]
            await asyncio.sleep(0.005)


def run(test: Callable[[Cluster], Awaitable[None]], cluster: Cluster) -> None:
    async def body() -> None:
        try:
            for member in FIRST:
                await cluster.start(member)
            await test(cluster)
        finally:
            for number in list(cluster.world.nodes):
                await cluster.stop(number)

    virtual_time.run(body())


def put(key: str, value: str = "v") -> StoreRequest:
    return StoreRequest(method="PUT", path=f"/1/{key}", val=value.encode())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def settled(cluster: Cluster) -> None:
    """Returns when every member has what each of them writes at its start: nothing is under way then."""
    nodes = cluster.world.nodes.values()
    paths = [f"/0/members/{node.local.id:x}/attributes" for node in nodes]
    await until(lambda: all(node.store.peek(path) for node in nodes for path in paths))


def value(node: Node, key: str) -> bytes | None:
    return node.store.peek(f"/1/{key}")


def test_every_member_takes_writes_and_all_apply_them() -> None:
    async def test(cluster: Cluster) -> None:
        await cluster.leader()
        nodes = cluster.world.nodes
        for number, node in nodes.items():
            outcome = await node.propose(put(f"by{number}"))
            assert isinstance(outcome, Event)
            assert value(node, f"by{number}") == b"v"
        await until(lambda: all(value(node, f"by{n}") for node in nodes.values() for n in nodes))
        await until(lambda: len({node.store.index for node in nodes.values()}) == 1)

    run(test, Cluster())


def test_all_publish_themselves_and_the_leader_decides_the_version_when_all_have_answered() -> None:
    async def test(cluster: Cluster) -> None:
        nodes = cluster.world.nodes
        await until(lambda: all(node.members.version == "2.3.0" for node in nodes.values()))
        await until(lambda: all(len(node.members.client_urls()) == 3 for node in nodes.values()))
        assert all(member.name for node in nodes.values() for member in node.members)

    run(test, Cluster())


def test_a_cluster_with_a_silent_member_starts_low_and_is_raised_when_it_answers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.node.announcements.VERSION_INTERVAL", 0.02)

    async def test(cluster: Cluster) -> None:
        cluster.world.cut.add(3)
        leader = await cluster.leader()
        await until(lambda: leader.members.version == "2.2.0")
        await asyncio.sleep(0.1)
        assert caplog.text.count("cannot get the version of member 3") == 1
        cluster.world.cut.clear()
        await until(lambda: leader.members.version == "2.3.0")

    run(test, Cluster())


async def grows(node: Node) -> int:
    """Entries that a node applies in ten seconds in which nobody asks for anything."""
    before = node.raft_index
    await asyncio.sleep(10)
    return node.raft_index - before


@pytest.mark.parametrize("is_there", [True, False], ids=["all there", "one down from the beginning"])
def test_the_log_of_an_idle_cluster_of_2_grows_at_all_members(is_there: bool) -> None:
    async def test(cluster: Cluster) -> None:
        if not is_there:
            cluster.world.cut.add(3)
        leader = await cluster.leader()
        await until(lambda: leader.members.version)
        await asyncio.sleep(1)
        (follower, *_) = (
            node
            for n, node in cluster.world.nodes.items()
            if node is not leader and n not in cluster.world.cut
        )
        assert await grows(leader) == pytest.approx(20, abs=1)
        assert await grows(follower) == pytest.approx(20, abs=1)

    run(test, Cluster(idle_sync=True))


def test_only_the_leader_writes_while_nobody_else_does() -> None:
    async def test(cluster: Cluster) -> None:
        first = await cluster.leader()
        await until(lambda: first.members.version)
        await asyncio.sleep(5)
        cluster.world.cut.add(first.local.id)
        second = await cluster.leader()
        assert second is not first
        cluster.world.cut.clear()
        await until(lambda: first.raft.leader == second.local.id)
        await asyncio.sleep(10)
        assert await grows(first) == pytest.approx(20, abs=1)
        assert await grows(second) == pytest.approx(20, abs=1)

    run(test, Cluster(idle_sync=True))


@pytest.mark.parametrize("release", ["3.0.17", "3.5.1"])
def test_beside_a_member_of_3_nothing_is_written_without_need(release: str) -> None:
    async def test(cluster: Cluster) -> None:
        cluster.world.releases = {1: release, 2: release, 3: release}
        leader = await cluster.leader()
        await until(lambda: leader.members.version)
        assert leader.members.version == "2.3.0"  # that of the leader itself
        await asyncio.sleep(5)
        assert await grows(leader) == 0
        cluster.world.releases = {}  # replaced by members of 2.3
        await asyncio.sleep(5)
        assert await grows(leader) == pytest.approx(20, abs=1)

    run(test, Cluster(idle_sync=True))


def test_a_member_of_3_that_is_down_still_counts() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        other = min({1, 2, 3} - {leader.local.id})
        cluster.world.releases = {other: "3.5.1"}
        await asyncio.sleep(5)
        cluster.world.cut.add(other)
        await asyncio.sleep(5)
        assert await grows(leader) == 0

    run(test, Cluster(idle_sync=True))


@pytest.mark.parametrize("version", ["3.0.0", "3.5.0"])
def test_in_a_cluster_of_3_nothing_is_written_without_need(version: str) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await until(lambda: leader.members.version)
        await leader.propose(StoreRequest(method="PUT", path="/0/version", val=version.encode()))
        await asyncio.sleep(1)
        assert await grows(leader) == 0

    run(test, Cluster(idle_sync=True))


def test_as_long_as_the_cluster_has_no_version_nothing_is_written_without_need() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await asyncio.sleep(10)
        assert leader.members.version is None
        assert not [entry for entry in leader.raft.log.entries_from(1) if b"SYNC" in entry.data]

    cluster = Cluster(idle_sync=True)
    cluster.world.lose = lambda message: any(b"/0/version" in entry.data for entry in message.entries)
    run(test, cluster)


def test_a_newer_cluster_is_not_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.node.announcements.VERSION_INTERVAL", 0.02)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await until(lambda: leader.members.version == "2.3.0")
        await leader.propose(StoreRequest(method="PUT", path="/0/version", val=b"3.4.0"))
        await asyncio.sleep(0.1)
        assert leader.members.version == "3.4.0"

    run(test, Cluster())


def test_a_member_that_lags_behind_the_log_gets_the_key_space_and_goes_on_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.node.upkeep.CATCH_UP_ENTRIES", 5)
    monkeypatch.setattr("server.node.snapshots.SNAPSHOT_PAUSE", 0)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        lagging = next(node for node in cluster.world.nodes.values() if node is not leader)
        watcher = lagging.store.watch("/1/after", False, False, 0)
        cluster.world.cut.add(lagging.local.id)
        for number in range(60):
            await leader.propose(put(f"k{number}"))
        await until(lambda: leader.raft.log.first_index > lagging.raft.log.last_index + 1)
        moved = Member(lagging.local.id, peer_urls=("http://127.0.0.1:9",))
        await leader.reconfiguration.update(moved)
        cluster.world.cut.clear()
        await until(lambda: value(lagging, "k59"))
        disk = cluster.disks[lagging.local.id]
        await until(lambda: any(call.startswith("release") for call in disk.calls))
        begins = next(n for n, call in enumerate(disk.calls) if call.startswith("begin behind"))
        index = int(disk.calls[begins].split()[-1])
        expected = [f"begin behind {index}, commit {index}", f"snapshot {index}", "save", f"release {index}"]
        assert disk.calls[begins : begins + 4] == expected
        await leader.propose(put("after"))
        await until(lambda: value(lagging, "after"))
        assert watcher.take() is not None  # who watched before is told of what came after
        await until(lambda: lagging.store.index == leader.store.index)
        assert [m.peer_urls for m in lagging.members] == [m.peer_urls for m in leader.members]
        assert isinstance(await lagging.propose(put("by it")), Event)

    run(test, Cluster(snapshot_count=20))


def snapshot_for(node: Node, leader: Node, data: bytes, *, nodes: tuple[int, ...] = (1, 2, 3)) -> Message:
    """A leader's snapshot far ahead, with that for a key space."""
    snapshot = Snapshot(leader.raft_index + 100, leader.raft.term, nodes, data)
    return Message(MessageType.SNAPSHOT, node.local.id, leader.local.id, leader.raft.term, snapshot=snapshot)


def empty_key_space() -> bytes:
    return Store().save()


def without(member: int) -> bytes:
    """A key space whose members are the first ones but that."""
    store, members = Store(), Members(9)
    for one in FIRST:
        if one.id != member:
            members.apply_conf_change(ConfChange(ConfChangeType.ADD_NODE, one.id, 0, one.context), store, 1)
    return store.save()


def members_as_text(text: bytes) -> bytes:
    store = Store()
    store.set("/0/members/1/attributes", text, now=1)
    return store.save()


def members_as_a_file() -> bytes:
    store = Store()
    store.set("/00", b"", now=1)
    return store.save().replace(b"/00", b"/0").replace(b'"00"', b'"0"')


@pytest.mark.parametrize(
    ("data", "nodes", "text"),
    [
        (b"no key space", (1, 2, 3), "cannot be read: the snapshot's store is not JSON"),
        (
            b'{"CurrentIndex":1e999}',
            (1, 2, 3),
            "cannot be read: the snapshot's store cannot be read at the top",
        ),
        (b"[" * 100_000, (1, 2, 3), "cannot be read: the snapshot's store is not JSON"),
        (
            members_as_text(b"[" * 100_000),
            (1, 2, 3),
            "cannot be read: /0/members/1/attributes: not a JSON object",
        ),
        (members_as_a_file(), (1, 2, 3), "cannot be read: /0/members: "),
        (empty_key_space(), (1, 2, 3), "leaves out this member, which was added before"),
        (b"", (), "has no members"),
        (b"", (7, 8, 9), "leaves out this member, which was added before"),
    ],
)
def test_a_snapshot_that_cannot_be_installed_is_refused_and_changes_nothing(
    data: bytes, nodes: tuple[int, ...], text: str
) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        other = next(node for node in cluster.world.nodes.values() if node is not leader)
        await leader.propose(put("a"))
        before = other.raft.hard_state
        ((_, why),) = other.peers.receive([snapshot_for(other, leader, data, nodes=nodes)])
        assert text in why.text
        assert other.raft.hard_state == before
        assert other.metrics.messages_refused == {"snapshot": 1}
        assert isinstance(await other.propose(put("b")), Event)
        assert not [call for call in cluster.disks[other.local.id].calls if call != "save"]

    run(test, Cluster())


def test_a_snapshot_without_its_receiver_is_taken_by_one_that_does_not_know_of_its_own_addition_yet() -> None:
    """A joiner, whose snapshot may be older than its addition."""

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        joiner = await cluster.start(Member(4), remotes=tuple(FIRST))
        message = snapshot_for(joiner, leader, without(4))
        assert joiner.peers.receive([message]) == []
        await until(lambda: joiner.members.get(1))
        assert message.snapshot is not None
        assert joiner.raft.log.committed == message.snapshot.index

    run(test, Cluster())


def test_a_snapshot_of_a_newer_cluster_ends_the_member_and_reaches_no_disk() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        other = next(node for node in cluster.world.nodes.values() if node is not leader)
        newer = Store()
        newer.recover(without(0))
        newer.set("/0/version", b"3.9.0", now=1)
        other.peers.receive([snapshot_for(other, leader, newer.save())])
        with pytest.raises(NodeFailed, match="cluster cannot be downgraded"):
            await other.failed
        assert not [call for call in cluster.disks[other.local.id].calls if call != "save"]

    run(test, Cluster())


def test_no_snapshot_of_its_own_is_begun_while_a_leaders_waits_to_take_its_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        other = next(node for node in cluster.world.nodes.values() if node is not leader)
        await until(
            lambda: all(len(node.members.client_urls()) == 3 for node in cluster.world.nodes.values())
        )
        disk = cluster.disks[other.local.id]
        disk.gate.shut()
        await leader.propose(put("a"))
        await until(lambda: disk.holding)
        cluster.world.cut.add(other.local.id)
        snapshot = Snapshot(leader.raft_index + 1000, leader.raft.term, (1, 2, 3), leader.store.save())
        message = Message(
            MessageType.SNAPSHOT, other.local.id, leader.local.id, leader.raft.term, snapshot=snapshot
        )
        other.peers.receive([message])
        disk.gate.open()
        await until(lambda: f"release {snapshot.index}" in disk.calls)
        assert value(other, "a") == b"v"
        assert "start to snapshot" not in caplog.text

    run(test, Cluster(snapshot_count=500))


async def hold_snapshot(
    cluster: Cluster, leader: Node, patch: pytest.MonkeyPatch
) -> tuple[Node, list[tuple[Message, Snapshot]]]:
    """A follower that lags behind the log, and the snapshot for it, which never leaves."""
    lagging = next(node for node in cluster.world.nodes.values() if node is not leader)
    cluster.world.cut.add(lagging.local.id)
    for number in range(40):
        await leader.propose(put(f"k{number}"))
    await until(lambda: leader.raft.log.first_index > lagging.raft.log.last_index + 1)
    held: list[tuple[Message, Snapshot]] = []
    patch.setattr(leader.peers, "hand_over", lambda *handed: held.append(handed))
    cluster.world.cut.clear()
    await until(lambda: held)
    return lagging, held


def test_the_log_is_not_shortened_while_a_snapshot_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.node.upkeep.CATCH_UP_ENTRIES", 5)
    monkeypatch.setattr("server.node.snapshots.SNAPSHOT_PAUSE", 0)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        lagging, held = await hold_snapshot(cluster, leader, monkeypatch)
        first_index = leader.raft.log.first_index
        for number in range(60):
            await leader.propose(put(f"l{number}"))
        assert leader.raft.log.first_index == first_index
        monkeypatch.undo()
        leader.peers.hand_over(*held[0])
        await until(lambda: value(lagging, "l59"))

    run(test, Cluster(snapshot_count=20))


def test_a_member_that_joins_is_told_by_those_it_knows_and_leaves_when_removed() -> None:
    new = Member(7, "m7", ("http://127.0.0.1:7",), ("http://127.0.0.1:700",))

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await leader.reconfiguration.add(Member(new.id, peer_urls=new.peer_urls))
        joined = await cluster.start(new, remotes=tuple(FIRST))
        assert cluster.networks[7].remotes == {1, 2, 3}
        await until(lambda: joined.members.get(7) is not None and joined.members.get(7).name == "m7")  # type: ignore[union-attr]
        assert cluster.networks[7].peers == {1, 2, 3}
        await until(lambda: all(7 in cluster.networks[number].peers for number in (1, 2, 3)))
        await leader.reconfiguration.remove(7)
        with pytest.raises(MemberRemoved):
            await joined.failed
        await until(lambda: all(7 not in cluster.networks[number].peers for number in (1, 2, 3)))
        assert leader.store.peek(f"{REMOVED}/7") == b""

    run(test, Cluster())


def test_a_member_that_a_peer_says_is_removed_ends(caplog: pytest.LogCaptureFixture) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        leader.peers.removed()
        leader.peers.removed()
        with pytest.raises(MemberRemoved):
            await leader.failed
        assert caplog.text.count("the member has been permanently removed from the cluster") == 1

    run(test, Cluster())


def test_without_a_quorum_writes_fail_in_time_and_nothing_answered_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await leader.propose(put("a"))
        others = [node for node in cluster.world.nodes.values() if node is not leader]
        cluster.world.cut.add(leader.local.id)
        lost = leader.propose(put("b"))
        with pytest.raises(EtcdError) as caught:
            await lost
        assert caught.value.cause == CONNECTION_LOST
        await until(lambda: others[0].raft.leader not in (0, leader.local.id))
        assert await others[0].makes_progress(2)
        cluster.world.cut.clear()
        await until(lambda: not leader.is_leader)
        assert isinstance(await leader.propose(put("c")), Event)
        assert value(leader, "a") == b"v"
        assert value(leader, "b") is None  # it stood in the log of one member that led no longer

    run(test, Cluster(timeout=0.5))


def test_who_asks_a_member_whether_it_gets_on_lets_nothing_expire_by_its_clock() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        follower = next(node for node in cluster.world.nodes.values() if node is not leader)
        lasting = put("a")
        lasting.expiration = leader.clock() + 60_000_000_000
        await follower.propose(lasting)
        follower.clock = lambda: leader.clock() + 3600_000_000_000
        assert await follower.makes_progress(5)
        assert value(leader, "a") == b"v"

    run(test, Cluster())


def test_a_member_whose_change_of_members_was_overruled_proposes_the_next() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        cluster.world.cut.add(leader.local.id)
        with pytest.raises(ChangeFailed):
            await leader.reconfiguration.add(Member(7, peer_urls=("http://127.0.0.1:7",)))
        await cluster.leader()
        cluster.world.cut.clear()
        await until(lambda: not leader.is_leader)
        await cluster.leader()
        await leader.reconfiguration.add(Member(8, peer_urls=("http://127.0.0.1:8",)))
        assert [member.id for member in leader.members] == [1, 2, 3, 8]

    run(test, Cluster(timeout=1.0))


def test_a_version_decided_by_who_leads_no_longer_is_not_written_again() -> None:
    async def test(cluster: Cluster) -> None:
        first = await cluster.leader()
        # Nothing it sends of the version arrives, so it is the next leader's to decide.
        cluster.world.lose = lambda message: any(b"/0/version" in entry.data for entry in message.entries)
        await until(lambda: any(b"/0/version" in entry.data for entry in first.raft.log.entries_from(1)))
        cluster.world.cut.add(first.local.id)
        second = await cluster.leader()
        cluster.world.lose = lambda message: False
        await until(lambda: second.members.version)
        await second.propose(StoreRequest(method="PUT", path="/0/version", val=b"3.4.0"))
        cluster.world.cut.clear()
        await until(lambda: first.members.version == "3.4.0")
        await asyncio.sleep(1.0)  # more than a request of the first leader's may take
        assert {node.members.version for node in cluster.world.nodes.values()} == {"3.4.0"}

    run(test, Cluster(timeout=0.5))


def test_answers_of_a_member_that_is_cut_off_show_the_term_of_what_it_has_applied() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        alone = next(node for node in cluster.world.nodes.values() if node is not leader)
        await alone.propose(put("a"))
        cluster.world.cut.add(alone.local.id)
        term = leader.raft.term
        await until(lambda: alone.raft.term > term)
        answer = ClientApi(alone).handle(Request("GET", b"/v2/keys/a", {}, ""))
        assert isinstance(answer, Response)
        assert dict(answer.headers)["X-Raft-Term"] == str(term)

    run(test, Cluster())


def test_what_waits_while_leaders_change_is_told_so() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        follower, third = (node for node in cluster.world.nodes.values() if node is not leader)
        follower.raft.give_up_leading()
        cluster.world.cut |= {leader.local.id, third.local.id}
        await until(lambda: follower.raft.leader == 0)
        cluster.world.lose = lambda message: message.type is MessageType.PROPOSE
        lost = follower.propose(put("a"))
        await asyncio.sleep(0.05)  # a leader that is found later than that
        cluster.world.cut.remove(third.local.id)
        third.raft.campaign()
        third.peers.receive([])
        with pytest.raises(EtcdError) as caught:
            await lost
        assert caught.value.cause == LEADER_FAILED

    run(test, Cluster(timeout=2.0))


def test_when_a_leader_ends_there_is_another_within_two_election_timeouts() -> None:
    """Most times; two candidates that split the votes begin again."""
    terms: list[int] = []

    async def test(cluster: Cluster) -> None:
        for _ in range(3):
            old = await cluster.leader()
            await settled(cluster)
            cluster.world.cut.add(old.local.id)
            began = asyncio.get_running_loop().time()
            new = await cluster.leader()
            took = asyncio.get_running_loop().time() - began
            terms.append(new.raft.term - old.raft.term)
            assert took <= terms[-1] * 2 * ELECTION + HEARTBEAT
            await new.propose(put("a"))
            cluster.world.cut.clear()

    for seed in range(20):
        run(test, Cluster(seed=seed))
    assert terms.count(1) > 0.7 * len(terms)


def test_without_a_leader_a_request_times_out() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        cluster.world.cut |= {1, 2, 3}
        alone = next(node for node in cluster.world.nodes.values() if node is not leader)
        await until(lambda: alone.raft.leader == 0)
        with pytest.raises(EtcdError) as caught:
            await alone.propose(put("a"))
        assert caught.value.cause == TIMED_OUT

    run(test, Cluster(timeout=0.4))


V3_PUT = b"\x08\x01\x22\x06\x0a\x01k\x12\x01v"
"""InternalRaftRequest with id 1 and a put of k = v."""


def test_who_sees_v3_data_never_leads_again_and_remembers(caplog: pytest.LogCaptureFixture) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        nodes = list(cluster.world.nodes.values())
        await leader.propose(put("a"))
        await until(
            lambda: all(value(node, "a") for node in nodes)
        )  # else a late one may miss the end of the last leader
        assert leader.raft.propose(V3_PUT)
        await until(lambda: not any(node.raft.may_lead for node in nodes))
        await until(lambda: not any(node.is_leader for node in nodes))
        for node in nodes:
            calls = cluster.disks[node.local.id].calls
            while not any(call.startswith("remember put at ") for call in calls):
                await asyncio.sleep(0.005)
            assert sum(call.startswith("remember") for call in calls) == 1
        assert caplog.text.count("never leads any more") == 3
        await asyncio.sleep(1.0)  # more than an election timeout
        assert not any(node.is_leader for node in nodes)

    run(test, Cluster())


def test_a_harmless_request_of_3_x_changes_nothing() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        assert leader.raft.propose(b"\x08\x01\x3a\x02\x08\x01")  # a compaction
        await leader.propose(put("a"))
        assert leader.raft.may_lead

    run(test, Cluster())


@pytest.mark.parametrize(("database", "leads"), [(None, False), (empty_database(5, 2), True), (b"?", False)])
def test_a_leaders_database_that_may_hold_data_is_seen(database: bytes | None, leads: bool) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        leader.peers.receive_database(7, database)
        assert leader.raft.may_lead == leads

    run(test, Cluster())


def test_changes_asked_of_a_follower_at_once_are_all_made() -> None:
    """The leader would put an empty entry in the place of one that comes before the last is applied."""

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        follower = next(node for node in cluster.world.nodes.values() if node is not leader)
        urls = [f"http://127.0.0.1:{port}" for port in range(50, 55)]
        await asyncio.gather(
            *(follower.reconfiguration.update(Member(FIRST[0].id, peer_urls=(url,))) for url in urls)
        )
        moved = follower.members.get(FIRST[0].id)
        assert moved is not None
        assert moved.peer_urls == (urls[-1],)

    run(test, Cluster(timeout=3.0))


def test_a_receiver_that_hangs_does_not_keep_the_log_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.node.upkeep.CATCH_UP_ENTRIES", 5)
    monkeypatch.setattr("server.node.snapshots.SNAPSHOT_PAUSE", 0)
    monkeypatch.setattr("server.node.peers.RECEIVING_PATIENCE", 0.2)

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await hold_snapshot(cluster, leader, monkeypatch)
        first_index = leader.raft.log.first_index
        await asyncio.sleep(0.3)
        for number in range(40):
            await leader.propose(put(f"l{number}"))
        await until(lambda: leader.raft.log.first_index > first_index)

    run(test, Cluster(snapshot_count=20))


@pytest.mark.interpreted
def test_a_fault_while_a_message_is_taken_ends_the_member(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()

        def fault(message: Message) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(leader.raft, "step", fault)
        leader.peers.receive([Message(MessageType.HEARTBEAT, leader.local.id, 2, 1)])
        with pytest.raises(NodeFailed):
            await leader.failed

    run(test, Cluster())


# Whatever comes by the peer port

JUNK = Entry(0, 0, b"\xff\xff")
JUNK_CHANGE = Entry(0, 0, b"\xff\xff", EntryType.CONF_CHANGE)


@pytest.mark.parametrize("junk", [JUNK, JUNK_CHANGE], ids=["request", "change"])
def test_a_junk_proposal_gets_into_no_log_and_is_not_forwarded(junk: Entry) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        nodes = cluster.world.nodes
        await settled(cluster)
        sent: list[Message] = []

        def watch(message: Message) -> bool:
            sent.append(message)
            return False

        cluster.world.lose = watch
        good = Entry(0, 0, encode_request(put("good")))
        for node in nodes.values():
            sender = next(number for number in nodes if number != node.local.id)
            proposal = Message(MessageType.PROPOSE, node.local.id, sender, entries=(good, junk))
            ((_, why),) = node.peers.receive([proposal])
            assert why.text.startswith("an entry that nobody could apply: 2 bytes that do not decode as a ")
            assert node.metrics.messages_refused == {"entry": 1}
        assert isinstance(await leader.propose(put("a")), Event)
        await until(lambda: all(value(node, "a") for node in nodes.values()))
        assert not any(value(node, "good") for node in nodes.values())
        assert not [message for message in sent if message.type is MessageType.PROPOSE]

    run(test, Cluster())


def test_a_proposal_that_can_be_applied_is_taken() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        other = next(number for number in cluster.world.nodes if number != leader.local.id)
        entry = Entry(0, 0, encode_request(put("forwarded")))
        assert (
            leader.peers.receive([Message(MessageType.PROPOSE, leader.local.id, other, entries=(entry,))])
            == []
        )
        await until(lambda: value(leader, "forwarded"))

    run(test, Cluster())


@pytest.mark.parametrize("junk", [JUNK, JUNK_CHANGE], ids=["request", "change"])
def test_a_junk_append_gets_into_no_log_whoever_sends_it(junk: Entry) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        follower = next(node for node in cluster.world.nodes.values() if node is not leader)
        await settled(cluster)
        await until(lambda: follower.raft.log.last_index == leader.raft.log.last_index)
        for sender in (leader.local.id, 77):
            log = follower.raft.log
            entry = Entry(follower.raft.term, log.last_index + 1, junk.data, junk.type)
            append = Message(
                MessageType.APPEND, follower.local.id, sender, follower.raft.term, log.last_index, log.last_term,
                log.last_index + 1, (entry,),
            )  # fmt: skip
            before = follower.raft.hard_state, log.last_index
            ((_, why),) = follower.peers.receive([append])
            assert why.reason == "entry"
            assert (follower.raft.hard_state, log.last_index) == before
        assert isinstance(await follower.propose(put("a")), Event)

    run(test, Cluster())


def test_nothing_from_a_removed_member_is_taken() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        gone = next(number for number in cluster.world.nodes if number != leader.local.id)
        cluster.world.cut.add(gone)
        await leader.reconfiguration.remove(gone)
        term = leader.raft.term
        for kind in MessageType:
            ((_, why),) = leader.peers.receive([Message(kind, leader.local.id, gone, term + 1)])
            assert why.reason == "sender"
        assert (leader.raft.term, leader.is_leader) == (term, True)

    run(test, Cluster())


def test_whatever_is_outside_the_bounds_leaves_the_members_as_they_are() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        nodes, hostile = cluster.world.nodes, Hostile(Random(1))
        terms = {number: node.raft.term for number, node in nodes.items()}
        for _ in range(300):
            for number, node in nodes.items():
                message = hostile.outside(node.raft, [other for other in nodes if other != number])
                assert len(node.peers.receive([message])) == 1, message
        assert {number: node.raft.term for number, node in nodes.items()} == terms
        assert leader.is_leader
        for node in nodes.values():
            assert isinstance(await node.propose(put(f"by{node.local.id}")), Event)
            assert sum(node.metrics.messages_refused.values()) == 300
            assert node.metrics.messages_refused.keys() >= {
                "receiver",
                "sender",
                "term",
                "index",
                "commit",
                "snapshot",
            }

    run(test, Cluster())


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_plausible_ends_no_member_with_a_traceback(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """They obey, and may end with a line of their own: Raft is not Byzantine. But never by a fault of the program."""

    async def test(cluster: Cluster) -> None:
        await cluster.leader()
        nodes, random = cluster.world.nodes, Random(seed)
        hostile = Hostile(
            random, lambda kind: forged_data(random, kind), lambda _, nodes: forged_image(random)
        )
        for _ in range(200):
            for number, node in nodes.items():
                if not node.failed.done():
                    others = [other for other in nodes if other != number]
                    node.peers.receive([hostile.plausible(node.raft, others)])
            await asyncio.sleep(0)
        assert sum(sum(node.metrics.messages_refused.values()) for node in nodes.values()) > 50
        for node in nodes.values():
            if node.failed.done():
                assert isinstance(node.failed.exception(), NodeFailed)

    run(test, Cluster())
    assert "fault in the server" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


def forged_data(random: Random, kind: EntryType) -> bytes:
    if kind is EntryType.CONF_CHANGE:
        number = random.randint(0, 6)
        urls = random.choice((["junk"], [], ["http://[::1", "\ud800"], [f"http://{number}"], [7]))
        context = random.choice((b"", b"junk", json.dumps({"id": number, "peerURLs": urls}).encode()))
        change = encode_conf_change(ConfChange(random.choice(list(ConfChangeType)), number, 1, context))
        return random.choice((change, b"\xff"))
    path = random.choice(("/1/a", "/0/version", "/0/members/1/attributes", "/0/members", ""))
    method, content = random.choice(("PUT", "DELETE", "SYNC")), random.choice((b"{}", b"2.3.0", b"["))
    return random.choice((encode_request(StoreRequest(method=method, path=path, val=content)), b"", b"\xff"))


def forged_image(random: Random) -> bytes:
    return random.choice((b"", b"{}", without(0), without(2), members_as_a_file(), empty_key_space()))
