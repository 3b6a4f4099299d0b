"""Gateways on an etcd in memory: what they answer, and what becomes of it when something fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from server.gateway import tending
from server.gateway.gateways import LEASE
from server.gateway.layout import Layout, encode_batch
from server.gateway.node import FIXED, GatewayNode
from server.gateway.replica import Diverged
from server.gateway.v3 import Delete, Get, Put, Refused, V3Error
from server.node import TIMED_OUT, NodeFailed
from server.raft import NOBODY
from server.storage.requests import StoreRequest, encode_request
from server.store import EtcdError, Event, Watcher
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.support import virtual_time
from tests.support.virtual_time import VIRTUAL_TIME

LAYOUT = Layout()
TIMEOUT = 7.0


def new_gateway(etcd: Etcd, name: str = "g1") -> tuple[MemoryV3, GatewayNode]:
    v3 = MemoryV3(etcd)
    urls = (f"http://{name}:4001",)
    return v3, GatewayNode(
        v3, LAYOUT, name=name, client_urls=urls, request_timeout=TIMEOUT, time=VIRTUAL_TIME
    )


@asynccontextmanager
async def gateway(etcd: Etcd, name: str = "g1") -> AsyncIterator[tuple[MemoryV3, GatewayNode]]:
    v3, node = new_gateway(etcd, name)
    await node.start()
    await until(lambda: node.leader != NOBODY)
    try:
        yield v3, node
    finally:
        await node.stop()


def with_gateway(test: Callable[[Etcd, MemoryV3, GatewayNode], Awaitable[None]]) -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd) as (v3, node):
            await test(etcd, v3, node)

    virtual_time.run(scenario())


async def until(holds: Callable[[], object]) -> None:
    while not holds():
        await asyncio.sleep(0.01)


def put(key: str, value: bytes = b"v", **more: object) -> StoreRequest:
    return StoreRequest(method="PUT", path=f"/1/{key}", val=value, **more)  # type: ignore[arg-type]


def read(node: GatewayNode, key: str) -> bytes | None:
    event = node.do(StoreRequest(method="GET", path=f"/1/{key}"))
    assert isinstance(event, Event)
    return event.node.value


async def quorum_read(node: GatewayNode, key: str) -> bytes | None:
    event = await node.propose(StoreRequest(method="QGET", path=f"/1/{key}"))
    assert event is not None
    return event.node.value


def test_a_write_is_answered_when_it_has_come_back() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        event = await node.propose(put("a", b"1"))
        assert event is not None
        assert (event.action, event.index) == ("set", 1)
        assert read(node, "a") == b"1"
        with pytest.raises(EtcdError, match="Compare failed"):
            await node.propose(put("a", b"2", prev_value=b"0"))

    with_gateway(test)


def test_what_arrives_together_is_one_append() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        appends: list[int] = []

        def count(operations: Sequence[Put | Delete | Get]) -> None:
            appends.extend(1 for each in operations if each.key == LAYOUT.tail)

        v3.before = count
        answers = [node.propose(put(f"k{n}")) for n in range(50)]
        events = [await answer for answer in answers]
        assert [event and event.index for event in events] == list(range(1, 51))
        assert len(appends) == 1

    with_gateway(test)


def test_two_gateways_have_the_same_keys_in_the_same_order() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            answers = [node.propose(put(f"k{n % 7}", b"%d" % n)) for n in range(60) for node in (one, two)]
            indexes = [event.index for answer in answers if (event := await answer) is not None]
            assert sorted(indexes) == list(range(1, 121))
            assert await quorum_read(one, "k3") == await quorum_read(two, "k3")
            assert one.store.freeze().files == two.store.freeze().files
            assert [member.name for member in one.members] == [member.name for member in two.members]
            assert sorted(one.members.client_urls()) == ["http://g1:4001", "http://g2:4001"]

    with_gateway(test)


def test_a_watch_hears_of_what_another_gateway_writes() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            watcher = two.do(StoreRequest(method="GET", path="/1/a", wait=True))
            assert isinstance(watcher, Watcher)
            await one.propose(put("a", b"1"))
            await until(lambda: watcher.events)
            event = watcher.take()
            assert event is not None
            assert event.node.value == b"1"

    with_gateway(test)


def test_a_quorum_read_sees_what_was_written_through_another_gateway() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            for n in range(20):
                await one.propose(put("a", b"%d" % n))
                assert await quorum_read(two, "a") == b"%d" % n

    with_gateway(test)


def test_keys_end_when_their_time_is_up_once() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            await two.propose(put("a", expiration=two.clock() + 2 * 10**9))
            await until(lambda: not two.store.freeze().files)
            assert (one.store.index, two.store.index) == (2, 2)
            assert one.store.stats.expire_count == two.store.stats.expire_count == 1

    with_gateway(test)


def test_who_is_not_the_tender_lets_no_key_end() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            await two.propose(put("a", expiration=two.clock() + 3600 * 10**9))
            with pytest.raises(EtcdError, match="another gateway is the tender"):
                await two.propose(StoreRequest(method="SYNC", time=two.clock() + 7200 * 10**9))
            assert read(two, "a") == b"v"
            event = await two.propose(put("b"))
            assert event is not None

    with_gateway(test)


def test_the_next_gateway_reads_what_the_last_one_left() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "g1") as (_, one):
            for n in range(30):
                await one.propose(put(f"d/{n}", b"%d" % n))
        async with gateway(etcd, "g2") as (_, two):
            assert read(two, "d/29") == b"29"
            event = await two.propose(put("d/0"))
            assert event is not None
            assert event.index == 31
            watcher = two.store.watch("/1/d", recursive=True, since=4)
            first = watcher.take()
            assert first is not None
            assert first.node.key == "/1/d/3"

    virtual_time.run(scenario())


def test_an_append_of_which_nothing_was_heard_is_sent_again_and_happens_once() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        troubles = [2, 3]

        def trouble(kind: int) -> Callable[[Sequence[Put | Delete | Get]], None]:
            def maybe(operations: Sequence[Put | Delete | Get]) -> None:
                if any(each.key == LAYOUT.tail for each in operations) and troubles and troubles[0] == kind:
                    troubles.pop(0)
                    raise V3Error("connection lost")

            return maybe

        v3.before, v3.after = trouble(2), trouble(3)
        event = await node.propose(StoreRequest(method="POST", path="/1/q", val=b"1"))
        assert event is not None
        assert not troubles
        assert event.index == 1
        assert len(node.store.freeze().files) == 1

    with_gateway(test)


def test_it_happens_once_also_when_a_checkpoint_has_taken_the_record_meanwhile() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "g1"), gateway(etcd, "g2") as (v3, two):
            lost = 0

            def lose_answers(operations: Sequence[Put | Delete | Get]) -> None:
                nonlocal lost
                if any(each.key == LAYOUT.tail for each in operations):
                    lost += 1
                    v3.cut = True
                    raise V3Error("connection lost")

            v3.after = lose_answers
            answer = two.propose(StoreRequest(method="POST", path="/1/q", val=b"1"))
            await until(lambda: b"q" in b"".join(key for key in etcd.keys if key.startswith(b"/")))
            assert not [key for key in etcd.keys if key.startswith(LAYOUT.log) and len(key) > 30]
            v3.after = lambda _: None
            v3.cut = False
            await answer
            assert lost == 1
            event = await two.propose(put("b"))
            assert event is not None
            assert event.index == 2

    virtual_time.run(scenario())


def test_a_lost_lease_begins_a_new_life_in_which_writes_go_on() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a"))
        life = node.members.life
        assert life is not None
        etcd.end_lease(life.lease)
        event = await node.propose(put("b"))
        assert event is not None
        assert event.index == 2
        assert node.members.life is not life
        await until(lambda: node.is_leader)

    with_gateway(test)


def test_what_a_former_life_had_on_its_way_does_not_happen_twice() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a"))

        def happen_and_lose_all(operations: Sequence[Put | Delete | Get]) -> None:
            life = node.members.life
            assert life is not None
            if any(each.key == LAYOUT.tail for each in operations):
                v3.after = lambda _: None
                etcd.end_lease(life.lease)
                raise V3Error("connection lost")

        v3.after = happen_and_lose_all
        event = await node.propose(StoreRequest(method="POST", path="/1/q", val=b"1"))
        assert event is not None
        assert event.index == 2
        assert len(node.store.freeze().files) == 2
        event = await node.propose(put("c"))
        assert event is not None
        assert event.index == 3

    with_gateway(test)


def test_who_waits_for_an_etcd_that_does_not_answer_is_told_in_time() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a", b"1"))
        v3.cut = True
        began = VIRTUAL_TIME.monotonic()
        write, quorum = node.propose(put("a", b"2")), node.propose(StoreRequest(method="QGET", path="/1/a"))
        for answer in (write, quorum):
            with pytest.raises(EtcdError, match=TIMED_OUT):
                await answer
        assert TIMEOUT <= VIRTUAL_TIME.monotonic() - began < TIMEOUT + 0.5
        assert read(node, "a") == b"1"
        assert not await node.makes_progress(0.75)
        await asyncio.sleep(LEASE)
        assert node.leader == NOBODY
        v3.cut = False
        assert await quorum_read(node, "a") in (b"1", b"2")
        assert await node.makes_progress(0.75)

    with_gateway(test)


def test_what_the_etcd_refuses_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        def refuse(operations: Sequence[Put | Delete | Get]) -> None:
            raise Refused("etcdserver: mvcc: database space exceeded")

        v3.before = refuse
        for _ in range(5):
            with pytest.raises(EtcdError):
                await node.propose(put("a"))
        v3.before = lambda _: None

    with_gateway(test)
    assert sum("refuses to append" in text for text in caplog.messages) == 1


def test_what_the_etcd_refuses_is_answered_with_its_words() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        def refuse(operations: Sequence[Put | Delete | Get]) -> None:
            raise Refused("etcdserver: mvcc: database space exceeded")

        v3.before = refuse
        with pytest.raises(EtcdError, match="database space exceeded"):
            await node.propose(put("a"))
        v3.before = lambda _: None
        event = await node.propose(put("a"))
        assert event is not None
        assert event.index == 1

    with_gateway(test)


def test_a_tender_that_is_gone_is_followed_by_another() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        v3, one = new_gateway(etcd, "g1")
        await one.start()
        await until(lambda: one.is_leader)
        async with gateway(etcd, "g2") as (_, two):
            assert not two.is_leader
            life = one.members.life
            assert life is not None
            v3.cut = True  # paused
            etcd.end_lease(life.lease)
            await until(lambda: two.is_leader)
            await two.propose(put("a"))
            v3.cut = False
            await until(lambda: len(list(two.members)) == 2)
            assert await quorum_read(one, "a") == b"v"
            assert [node.is_leader for node in (one, two)] == [False, True]
            await one.stop()

    virtual_time.run(scenario())


def test_an_event_of_the_watch_that_was_lost_is_noticed() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            await one.propose(put("a", b"1"))
            assert await quorum_read(two, "a") == b"1"
            etcd.lost.add(etcd.revision + 1)
            one.propose(put("a", b"2"))
            await until(lambda: etcd.keys[LAYOUT.tail].version == 2)
            etcd.lost.clear()
            await one.propose(put("b"))
            assert await quorum_read(two, "a") == b"2"
            assert await quorum_read(one, "a") == b"2"

    with_gateway(test)


def test_a_watch_that_hangs_is_begun_anew_before_anybody_has_waited_in_vain() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        v3, node = new_gateway(etcd)
        v3.hanging = 1
        await node.start()
        began = VIRTUAL_TIME.monotonic()
        event = await node.propose(put("a", b"1"))
        assert event is not None
        assert VIRTUAL_TIME.monotonic() - began < 2.0
        began = VIRTUAL_TIME.monotonic()
        await node.propose(put("a", b"2"))
        assert VIRTUAL_TIME.monotonic() - began < 0.5
        await node.stop()

    virtual_time.run(scenario())


def test_it_stops_also_when_it_was_about_to_watch_anew_or_to_read_again() -> None:
    async def scenario() -> None:
        for trouble in ("watch", "stale"):
            _, node = new_gateway(Etcd())
            await node.start()
            await node.propose(put("a"))
            if trouble == "watch":
                node._watches_anew = True
            else:
                node._stale = Diverged("for a test")
            async with asyncio.timeout(5):
                await node.stop()

    virtual_time.run(scenario())


def test_a_compaction_past_a_gateway_has_it_read_everything_again() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (v3, two):
            await one.propose(put("a", b"1"))
            assert await quorum_read(two, "a") == b"1"
            watcher = two.store.watch("/1/nothing")
            v3.cut = True
            etcd.wake()
            for n in range(50):
                await one.propose(put("a", b"%d" % n))
            await asyncio.sleep(1)
            etcd.compact(etcd.revision)
            v3.cut = False
            assert await quorum_read(two, "a") == b"49"
            assert watcher.closed

    with_gateway(test)


def test_the_history_is_compacted_also_while_writes_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tending, "COMPACTION", 2.0)

    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        for _ in range(200):
            await node.propose(put("a"))
            await asyncio.sleep(0.9 * tending.INTERVAL)
        assert etcd.revision > etcd.compacted > etcd.revision // 4

    with_gateway(test)


def test_where_others_have_keys_their_history_is_left_alone() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        etcd.do([Put(b"somebody", b"")])
        async with gateway(etcd) as (_, node):
            await node.propose(put("a"))
            await asyncio.sleep(3 * tending.COMPACTION)
            assert etcd.compacted == 0

    virtual_time.run(scenario())


def test_an_etcd_restored_from_a_backup_is_noticed() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a", b"1"))
        await asyncio.sleep(1)
        backup = Etcd(8, etcd.revision, 0, dict(etcd.keys), {}, list(etcd.history))
        for n in range(20):
            await node.propose(put("a", b"%d" % n))
        await asyncio.sleep(1)
        v3.cut = True
        etcd.wake()
        await asyncio.sleep(1)
        v3.etcd = backup
        v3.cut = False
        assert await quorum_read(node, "a") == b"1"
        event = await node.propose(put("b"))
        assert event is not None
        assert event.index == 2

    with_gateway(test)


def test_a_checkpoint_of_other_events_has_everything_read_again() -> None:
    async def test(etcd: Etcd, _: MemoryV3, one: GatewayNode) -> None:
        async with gateway(etcd, "g2") as (_, two):
            await one.propose(put("a", b"1"))
            two.replica.sum ^= 1
            await one.propose(put("a", b"2"))
            await asyncio.sleep(1)
            await one.propose(put("a", b"3"))
            assert await quorum_read(two, "a") == b"3"
            assert two.replica.sum == one.replica.sum

    with_gateway(test)


def test_keys_of_others_where_clients_keys_would_lie_are_refused_at_the_first_start() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        etcd.do([Put(b"/registry/pods/x", b"")])
        _, node = new_gateway(etcd)
        with pytest.raises(NodeFailed, match=r"/registry/pods/x: name another prefix"):
            await node.start()
        await node.stop()

    virtual_time.run(scenario())


@pytest.mark.parametrize("key", [b"etcd02/log/mine", b"etcd02/log/0123456789abcdef/0000000001"])
def test_a_key_of_somebody_else_in_the_log_stops_the_gateway(key: bytes) -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        etcd.do([Put(key, encode_batch([encode_request(put("x"))]))])
        with pytest.raises(NodeFailed, match="etcd02/log"):
            await asyncio.wait_for(asyncio.shield(node.failed), 5)
        with pytest.raises(EtcdError, match="server stopped"):
            await node.propose(put("a"))

    with_gateway(test)


def test_a_value_that_only_other_gateways_know_any_more_is_not_guessed() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd) as (_, one):
            await one.propose(put("a", b"1"))
            await until(lambda: not one.replica.is_ahead)
            etcd.do([Put(b"/a", b"stranger")])
            etcd.compact(etcd.revision)
            _, two = new_gateway(etcd, "g2")
            with pytest.raises(NodeFailed, match="/a was written over the v3 API"):
                await two.start()
            await two.stop()
            await one.propose(put("a", b"2"))
            await until(lambda: not one.replica.is_ahead)
            async with gateway(etcd, "g2") as (_, two):
                assert read(two, "a") == b"2"
        etcd.do([Put(b"/a", b"stranger")])
        etcd.compact(etcd.revision)
        async with gateway(etcd, "g3") as (_, three):
            assert read(three, "a") == b"stranger"

    virtual_time.run(scenario())


def test_another_format_is_refused() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        etcd.do([Put(LAYOUT.format, b"2")])
        _, node = new_gateway(etcd)
        with pytest.raises(NodeFailed, match="update the gateway"):
            await node.start()
        await node.stop()

    virtual_time.run(scenario())


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (StoreRequest(method="PUT", path="/1" + "/a" * 100), "100 components, and a gateway takes 99"),
        (put("a", b"x" * 1_400_001), "1400001 bytes"),
        (StoreRequest(method="PUT", path="/2/a", val=b"x" * 1_000_001), "1000001 bytes"),
        (StoreRequest(method="PUT", path="/1" + ("/" + "a" * 500) * 90, val=b"x" * 1_400_000), "at once"),
    ],
)
def test_what_no_checkpoint_could_have_is_refused(request_: StoreRequest, fault: str) -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        with pytest.raises(EtcdError, match=fault):
            await node.propose(request_)

    with_gateway(test)


def test_the_greatest_that_are_taken_get_into_checkpoints() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a", b"x" * 1_400_000))
        await node.propose(StoreRequest(method="PUT", path="/1" + ("/" + "b" * 100) * 98, val=b"y" * 400_000))
        await node.propose(StoreRequest(method="PUT", path="/2/a", val=b"x" * 1_000_000))
        await until(lambda: not node.replica.is_ahead)
        assert not [key for key in etcd.keys if key.startswith(LAYOUT.log) and len(key) > 30]

    with_gateway(test)


def test_members_are_changed_elsewhere() -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        assert node.fixed_members == FIXED
        assert "etcdctl member" in FIXED

    with_gateway(test)
