"""In which order a turn saves, sends and answers, in place and by the thread, at a leader and a follower."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf

import pytest

from server.clocks import Time
from server.node import Node
from server.node.logwriter import SyncTimes
from server.raft import Entry, HardState, Message, MessageType
from server.storage.requests import StoreRequest
from server.store.event import Event
from tests.server.node.test_node import fresh, introduced
from tests.server.node.test_peers import Cluster, run, settled
from tests.support import virtual_time
from tests.support.memory_disk import MemoryDisk
from tests.support.virtual_time import VIRTUAL_TIME


def put(key: str) -> StoreRequest:
    return StoreRequest(method="PUT", path=f"/1/{key}", val=b"v")


def in_place(node: Node) -> None:
    """From now on every save of this node is made in place."""
    node._writer._sync_times = SyncTimes(count=0, slow=inf)


class Watched:
    """Notes what a node saves and sends, in order."""

    def __init__(self, cluster: Cluster, node: Node) -> None:
        self.seen: list[str] = []
        self.member = node.local.id
        disk, network = cluster.disks[self.member], cluster.networks[self.member]
        save, send = disk.save, network.send

        def noted_save(state: HardState | None, entries: Sequence[Entry]) -> float:
            if entries:
                self.seen.append("save")
            return save(state, entries)

        def noted_send(messages: Sequence[Message]) -> None:
            self.seen += [message.type.name for message in messages]
            send(messages)

        disk.save = noted_save  # type: ignore[method-assign,assignment]
        network.send = noted_send  # type: ignore[method-assign,assignment]


def alone(test: Callable[[Node, MemoryDisk], Awaitable[None]], time: Time = VIRTUAL_TIME) -> None:
    disk = MemoryDisk()

    async def body() -> None:
        node = Node(
            fresh(disk),
            heartbeat=0.01,
            request_timeout=5,
            snapshot_count=10_000,
            time=time,
            worker=disk.worker,
        )
        await node.start()
        try:
            await introduced(node)
            await test(node, disk)
        finally:
            await node.stop()

    virtual_time.run(body())


def test_what_arrives_in_one_pass_of_the_loop_shares_one_sync_and_is_answered_in_the_next() -> None:
    async def test(node: Node, disk: MemoryDisk) -> None:
        in_place(node)
        before = len(disk.syncs)
        answers = [node.propose(put(f"k{n}")) for n in range(20)]
        assert len(disk.syncs) == before
        await asyncio.sleep(0)
        assert [len(batch) for batch in disk.syncs[before:]] == [20]
        assert all(answer.done for answer in answers)

    alone(test)


def test_a_turn_in_place_makes_no_task_and_no_future(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(node: Node, disk: MemoryDisk) -> None:
        in_place(node)
        loop, made = asyncio.get_running_loop(), []
        monkeypatch.setattr(loop, "create_task", lambda *a, **k: made.append("task"))
        monkeypatch.setattr(loop, "create_future", lambda: made.append("future"))
        answer = node.propose(put("a"))
        node._driver._pass()
        monkeypatch.undo()
        assert answer.done
        assert made == []

    alone(test)


def test_saves_go_in_place_after_a_hundred_quick_syncs_and_to_the_thread_after_a_slow_one() -> None:
    async def test(node: Node, disk: MemoryDisk) -> None:
        async def turns_for(key: str) -> int:
            """Passes of the loop until a write is answered: one in place."""
            answer = node.propose(put(key))
            passes = 0
            while not answer.done:
                await asyncio.sleep(0)
                passes += 1
            return passes

        for n in range(100):
            assert await turns_for(f"a{n}") > 1 or n > 90  # some syncs were made at the start
        assert await turns_for("quick") == 1
        disk.sync_seconds = 0.02
        assert await turns_for("slow") == 1  # that one stall there is
        disk.sync_seconds = 0.0001
        for n in range(150):
            assert await turns_for(f"b{n}") > 1
        await asyncio.sleep(10)
        assert await turns_for("quick-again") == 1

    alone(test)


def test_a_disk_that_fails_in_place_ends_the_node_and_nothing_is_answered() -> None:
    async def test(node: Node, disk: MemoryDisk) -> None:
        in_place(node)
        disk.fail_at = len(disk.calls) + 1
        answer = node.propose(put("a"))
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="server stopped"):
            await answer
        with pytest.raises(Exception, match="no space left"):
            await node.failed

    alone(test)


@pytest.mark.parametrize("how", ["in place", "by the thread"])
def test_a_leader_s_messages_leave_before_its_save_and_a_follower_s_answers_after(how: str) -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        await asyncio.sleep(0.5)
        nodes = list(cluster.world.nodes.values())
        if how == "in place":
            for node in nodes:
                in_place(node)
        watched = {node.local.id: Watched(cluster, node) for node in nodes}
        assert isinstance(await leader.propose(put("a")), Event)
        await asyncio.sleep(0)
        of_leader = [what for what in watched[leader.local.id].seen if what in ("save", "APPEND")]
        assert of_leader[:3] == ["APPEND", "APPEND", "save"]
        for follower in (node for node in nodes if node is not leader):
            seen = [what for what in watched[follower.local.id].seen if "HEARTBEAT" not in what]
            assert seen[:2] == ["save", "APPEND_RESPONSE"]

    run(test, Cluster())


def test_a_leader_s_messages_are_on_their_sockets_before_it_saves_in_place() -> None:
    """A stream takes them in the next pass of the loop, and the loop writes them at the end of that."""

    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        await asyncio.sleep(0.5)
        in_place(leader)
        watched = Watched(cluster, leader)
        network, loop = cluster.networks[leader.local.id], asyncio.get_running_loop()
        send = network.send

        def sends(messages: Sequence[Message]) -> None:
            send(messages)
            loop.call_soon(loop.call_soon, watched.seen.append, "written")

        network.send = sends  # type: ignore[method-assign,assignment]
        answer = leader.propose(put("a"))
        await answer
        assert watched.seen[:4] == ["APPEND", "APPEND", "written", "save"]

    run(test, Cluster())


def test_a_leader_s_heartbeats_leave_during_a_save_and_nobody_stands_for_election() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        term = leader.raft.term
        disk = cluster.disks[leader.local.id]
        disk.gate.shut()
        answer = leader.propose(put("a"))
        while not disk.holding:
            await asyncio.sleep(0.001)
        watched = Watched(cluster, leader)
        await asyncio.sleep(2)  # ten election time-outs
        assert MessageType.HEARTBEAT.name in watched.seen
        assert {node.raft.term for node in cluster.world.nodes.values()} == {term}
        assert not answer.done
        disk.gate.open()
        await answer
        assert leader.is_leader

    run(test, Cluster())


def test_a_follower_says_nothing_of_what_it_is_saving() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        await asyncio.sleep(0.5)
        slow, other = (node for node in cluster.world.nodes.values() if node is not leader)
        cluster.world.cut.add(other.local.id)
        disk = cluster.disks[slow.local.id]
        disk.gate.shut()
        answer = leader.propose(put("a"))
        while not disk.holding:
            await asyncio.sleep(0.001)
        watched = Watched(cluster, slow)
        await asyncio.sleep(0.1)
        assert watched.seen == []
        assert not answer.done  # a leader alone is no majority
        disk.gate.open()
        await answer

    run(test, Cluster(timeout=20))


def test_a_long_log_of_committed_entries_lets_others_have_their_turn() -> None:
    async def test(cluster: Cluster) -> None:
        leader = await cluster.leader()
        await settled(cluster)
        for node in cluster.world.nodes.values():
            in_place(node)
        answers = [leader.propose(put(f"k{n}")) for n in range(2500)]
        while not any(answer.done for answer in answers):
            await asyncio.sleep(0)
        assert sum(answer.done for answer in answers) <= 1024
        for answer in answers:
            await answer

    run(test, Cluster())
