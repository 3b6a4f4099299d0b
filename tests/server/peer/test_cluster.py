"""Whole members in one process, talking by real connections: they elect, agree, and survive the loss of one."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from server.peer import ETCD_2_3, ETCD_3
from server.raft import MessageType
from server.storage.codec import ConfChange, ConfChangeType
from tests.support.memory_members import MemoryMember, loopback, memory_cluster, until, url_of
from tests.support.process import PATIENCE


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 5 * PATIENCE))


async def led_by_first(members: list[MemoryMember]) -> None:
    members[0].campaign()
    await until(lambda: all(member.raft.leader == members[0].id for member in members))


def no_faults(members: list[MemoryMember]) -> None:
    assert [member.error for member in members] == [None for _ in members]


def test_three_members_elect_a_leader_and_agree() -> None:
    async def scenario() -> None:
        async with memory_cluster(votes=True) as members:
            await until(lambda: len({member.raft.leader for member in members} - {0}) == 1)
            await until(lambda: all(member.raft.leader for member in members))
            for number, member in enumerate(members):
                await member.put(f"/by{number}", "yes")  # two of them through the leader
            await until(lambda: all(member.has(f"/by{n}", "yes") for member in members for n in range(3)))
            logs = [[entry.data for entry in member.applied] for member in members]
            assert logs[0] == logs[1] == logs[2]
            no_faults(members)

    run(scenario)


def test_two_members_go_on_without_the_third_which_catches_up_later() -> None:
    async def scenario() -> None:
        async with memory_cluster() as members:
            await led_by_first(members)
            first, second, third = members
            await third.stop()
            for number in range(200):
                await first.put(f"/{number}", "x")
            await until(lambda: second.has("/199", "x"))
            assert not third.has("/0", "x")
            await third.start()
            await until(lambda: third.has("/199", "x"))
            no_faults(members)

    run(scenario)


def test_a_member_that_lags_behind_the_log_gets_a_snapshot() -> None:
    async def scenario() -> None:
        async with memory_cluster() as members:
            await led_by_first(members)
            first, _, third = members
            await third.stop()
            for number in range(50):
                await first.put(f"/{number}", "x")
            first.compact()
            await third.start()
            await until(lambda: third.has("/49", "x"))
            assert third.received[MessageType.SNAPSHOT] == 1
            await first.put("/after", "x")
            await until(lambda: third.has("/after", "x"))
            no_faults(members)

    run(scenario)


def test_a_member_joins_by_the_log_and_leaves() -> None:
    async def scenario() -> None:
        async with memory_cluster() as members:
            await led_by_first(members)
            first = members[0]
            sock = loopback()
            url, new_id = url_of(sock), 0xABC
            context = b'{"id":%d,"peerURLs":["%s"]}' % (new_id, url.encode())
            first.change(ConfChange(ConfChangeType.ADD_NODE, new_id, context=context))
            await until(lambda: all(new_id in member.raft.voters for member in members))
            known = [(member.id, member.urls[member.name]) for member in members]
            joining = MemoryMember("new", {"new": url}, sock, joins=(new_id, first.members.cluster_id, known))
            await joining.start()
            try:
                await first.put("/seen", "by all")
                await until(lambda: joining.has("/seen", "by all"))
                await joining.put("/from", "the new one")
                first.change(ConfChange(ConfChangeType.REMOVE_NODE, new_id))
                await until(lambda: joining.told_removed)
                assert all(new_id not in member.transport.peers for member in members)
                assert not any(member.told_removed for member in members)
            finally:
                await joining.stop()
            no_faults([*members, joining])

    run(scenario)


def test_members_that_say_2_3_and_members_that_say_3_0_agree() -> None:
    async def scenario() -> None:
        socks = [loopback() for _ in range(3)]
        urls = {f"m{n}": url_of(sock) for n, sock in enumerate(socks)}
        spoken = (ETCD_2_3, ETCD_3, ETCD_3)
        members = [
            MemoryMember(name, urls, sock, versions=versions)
            for name, sock, versions in zip(urls, socks, spoken, strict=True)
        ]
        for member in members:
            await member.start()
        try:
            await led_by_first(members)
            await members[2].put("/a", "b")
            await until(lambda: all(member.has("/a", "b") for member in members))
            no_faults(members)
        finally:
            for member in members:
                await member.stop()

    run(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_while_members_come_and_go(seed: int) -> None:
    """Writers write, a member at a time is cut off or loses its streams, logs are compacted; in the end all agree."""
    random = Random(seed)

    async def scenario() -> None:
        async with memory_cluster(votes=True) as members:
            down: MemoryMember | None = None
            written: list[str] = []

            async def write(key: str) -> None:
                while True:
                    member = random.choice([member for member in members if member is not down])
                    if member.raft.leader:
                        try:
                            await asyncio.wait_for(member.propose(path="/1" + key, value="x" * 5000), 0.5)
                        except TimeoutError:
                            continue  # it may have happened all the same; keys are the same each time
                        written.append(key)
                        return
                    await asyncio.sleep(0.01)

            async def write_all(writer: int) -> None:
                for number in range(150):
                    await write(f"/{writer}-{number}")

            async def trouble() -> None:
                nonlocal down
                for _ in range(6):
                    await asyncio.sleep(random.random() / 4)
                    down = random.choice(members)
                    if random.random() < 0.6:
                        await down.stop()
                        await asyncio.sleep(random.random() / 2)
                        await down.start()
                    else:
                        for peer in down.transport._peers.values():
                            for stream in list(peer._streams.values()):
                                stream.close()
                    down = None
                    for member in members:
                        member.compact()

            await asyncio.gather(trouble(), *map(write_all, range(4)))
            assert len(written) == 600
            await until(lambda: all(member.has(key, "x" * 5000) for member in members for key in written))
            no_faults(members)
            ours, *others = ({entry.index: entry for entry in member.applied} for member in members)
            for theirs in others:
                assert all(ours[index] == theirs[index] for index in ours.keys() & theirs.keys())

    run(scenario)
