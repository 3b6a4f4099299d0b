"""The loop: what shares a sync, what is answered when, and what a failing disk does. The disk here only remembers."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from server.clocks import Time
from server.cluster import Member, Members
from server.node import Answer, Applier, Node, NodeFailed, OpenedMember
from server.node.errors import STOPPED
from server.node.leadership import TIMED_OUT
from server.node.logwriter import SyncTimes
from server.proto import etcdserver_pb2
from server.raft import Entry, HardState, Raft, RaftLog
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.requests import StoreRequest, encode_request
from server.store.errors import EtcdError
from server.store.event import Event
from server.store.store import Store
from server.store.watcher import Watcher
from tests.support import virtual_time
from tests.support.memory_disk import MemoryDisk
from tests.support.virtual_time import VIRTUAL_TIME

LOCAL = Member(5, "m1", ("http://127.0.0.1:7001",), ("http://127.0.0.1:4001",))


def fresh(disk: MemoryDisk) -> OpenedMember:
    raft = Raft(LOCAL.id, RaftLog(), random=Random(1))
    raft.bootstrap([encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, LOCAL.id, context=LOCAL.context))])
    return OpenedMember(LOCAL, Store(), Members(9), raft, disk)


def again(disk: MemoryDisk) -> OpenedMember:
    """A restart from what the disk has, which need not hold the newest commit index."""
    log = RaftLog(disk.entries, committed=min(1, len(disk.entries)))
    raft = Raft(LOCAL.id, log, hard_state=disk.state or HardState(), random=Random(2))
    return OpenedMember(LOCAL, Store(), Members(9), raft, disk)


def new_node(
    started: OpenedMember, *, timeout: float = 5.0, snapshot_count: int = 10000, idle_sync: bool = False
) -> Node:
    disk = started.disk
    assert isinstance(disk, MemoryDisk)
    return Node(
        started,
        heartbeat=0.01,
        request_timeout=timeout,
        snapshot_count=snapshot_count,
        idle_sync=idle_sync,
        time=VIRTUAL_TIME,
        worker=disk.worker,
    )


def with_node(
    test: Callable[[Node], Awaitable[None]],
    started: OpenedMember,
    *,
    timeout: float = 5.0,
    snapshot_count: int = 10000,
    idle_sync: bool = False,
) -> None:
    async def body() -> None:
        node = new_node(started, timeout=timeout, snapshot_count=snapshot_count, idle_sync=idle_sync)
        await node.start()
        try:
            await test(node)
        finally:
            await node.stop()

    virtual_time.run(body())


def put(key: str, value: bytes = b"v", *, prev_exist: bool | None = None) -> StoreRequest:
    return StoreRequest(method="PUT", path=f"/1/{key}", val=value, prev_exist=prev_exist)


async def introduced(node: Node) -> None:
    """Waits until the node has published itself and the cluster version."""
    while node.members.version is None:
        await asyncio.sleep(0.001)


async def at_rest(node: Node, disk: MemoryDisk) -> None:
    """Waits until the node is introduced and all it knows, the commit index too, is on disk."""
    await introduced(node)
    while node.raft.hard_state != disk.state or disk.holding:
        await asyncio.sleep(0.001)


def test_a_new_member_leads_publishes_itself_and_sets_the_version() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        assert node.is_leader
        await introduced(node)
        assert list(node.members) == [LOCAL]
        assert node.members.version == "2.3.0"
        assert node.store.index == 3  # the indexes that a new etcd 2.3.8 has used up

    with_node(test, fresh(disk))
    assert [(request.method, request.path, request.val) for request in disk.requests] == [
        ("PUT", "/0/members/5/attributes", b'{"name":"m1","clientURLs":["http://127.0.0.1:4001"]}'),
        ("PUT", "/0/version", b"2.3.0"),
    ]
    assert [entry.term for entry in disk.entries] == [1, 2, 2, 2]
    assert len({request.id for request in disk.requests}) == 2


def test_writes_that_arrive_while_the_disk_works_share_one_sync() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        disk.gate.shut()
        first = node.propose(put("a"))
        while not disk.holding:
            await asyncio.sleep(0.001)
        others = [node.propose(put(f"b{n}")) for n in range(50)]
        await asyncio.sleep(0.02)
        assert not any(answer.done for answer in (first, *others))
        before, spent = len(disk.syncs), node.metrics.proposals.total
        disk.gate.open()
        events = [await answer for answer in (first, *others)]
        assert [len(batch) for batch in disk.syncs[before:]] == [1, 50]
        assert [event.etcd_index for event in events if event] == list(range(4, 55))
        assert node.metrics.proposals.total - spent == pytest.approx(
            0.001 + 51 * 0.02
        )  # each its own seconds

    with_node(test, fresh(disk))


def test_nothing_is_answered_or_seen_before_it_is_on_disk() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        watcher = node.do(StoreRequest(method="GET", path="/1/a", wait=True))
        assert isinstance(watcher, Watcher)
        disk.gate.shut()
        answer = node.propose(put("a"))
        await asyncio.sleep(0.05)
        assert not answer.done
        assert watcher.take() is None
        with pytest.raises(EtcdError):
            node.do(StoreRequest(method="GET", path="/1/a"))
        disk.gate.open()
        await answer
        assert watcher.take() is not None

    with_node(test, fresh(disk))


def test_while_the_disk_is_slow_one_thread_appends_to_the_log_and_one_other_writes_snapshots_and_purges() -> (
    None
):
    disk = MemoryDisk()

    async def body() -> None:  # in real time, with real threads
        slow = SyncTimes(slow=0)
        node = Node(fresh(disk), heartbeat=0.01, request_timeout=60, snapshot_count=50, sync_times=slow)
        await node.start()
        disk.threads.clear()  # nobody was served until now
        for n in range(200):
            await node.propose(put(f"k{n % 7}"))
        while "release 51" not in disk.calls:
            await asyncio.sleep(0.001)
        await node.stop()

    asyncio.run(body())
    log = disk.threads["save"] | disk.threads["mark 51"] | disk.threads["release 51"] | disk.threads["close"]
    other = disk.threads["snapshot 51"] | disk.threads["purge"]
    assert (len(log), len(other)) == (1, 1)
    assert len({*log, *other, threading.get_ident()}) == 3


def test_writes_go_on_while_a_snapshot_is_written() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        disk.snapshot_gate.shut()
        for n in range(40):
            await node.propose(put(f"k{n}"))
        while "mark 11" not in disk.calls:
            await asyncio.sleep(0.001)
        for n in range(20):
            await node.propose(put(f"k{n}"))
        assert disk.snapshots == []
        assert [call for call in disk.calls if call != "save"] == ["mark 11"]
        disk.snapshot_gate.open()
        while "release 11" not in disk.calls:
            await asyncio.sleep(0.001)
        while len(disk.snapshots) < 2:  # the next one is due already, and waits for no further write
            await asyncio.sleep(0.001)

    with_node(test, fresh(disk), timeout=2, snapshot_count=10)
    steps = [call for call in disk.calls if call not in ("save", "close")]
    assert steps[:3] == ["mark 11", "snapshot 11", "release 11"]
    assert disk.snapshots[0].index == 11
    copy = Store()
    copy.recover(disk.snapshots[0].data)
    assert copy.index == 10  # as of its index, whatever was written meanwhile
    assert disk.calls.index("mark 11") > disk.calls.index("save")


def test_the_end_waits_for_the_snapshot_being_written_and_then_closes() -> None:
    disk = MemoryDisk()

    async def body() -> None:
        node = new_node(fresh(disk), snapshot_count=10)
        await node.start()
        disk.snapshot_gate.shut()
        for n in range(12):
            await node.propose(put(f"k{n}"))
        while "mark 11" not in disk.calls:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        asyncio.get_running_loop().call_later(0.05, disk.snapshot_gate.open)
        await node.stop()

    virtual_time.run(body())
    assert disk.calls[-2:] == ["snapshot 11", "close"]


def test_a_snapshot_that_never_began_is_not_left_hanging() -> None:
    disk = MemoryDisk()

    async def body() -> None:
        node = new_node(fresh(disk), snapshot_count=1)
        await node.start()
        await node.stop()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        virtual_time.run(body())
        gc.collect()
    assert [str(warning.message) for warning in caught if "never awaited" in str(warning.message)] == []
    assert disk.calls == ["save", "save", "close"]


def test_refusals_of_the_store_come_back_as_they_are() -> None:
    async def test(node: Node) -> None:
        await node.propose(put("a"))
        with pytest.raises(EtcdError) as caught:
            await node.propose(put("a", prev_exist=False))
        assert (caught.value.code, caught.value.cause) == (105, "/1/a")

    with_node(test, fresh(MemoryDisk()))


def read(key: str) -> StoreRequest:
    return StoreRequest(method="QGET", path=f"/1/{key}", quorum=True, wait=True)


def test_a_quorum_read_of_an_only_member_needs_no_entry() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        await node.propose(put("a"))
        written, index = len(disk.entries), node.raft_index
        plain = node.do(StoreRequest(method="GET", path="/1/a"))
        assert isinstance(plain, Event)
        assert node.do(read("a")) == plain
        with pytest.raises(EtcdError, match="Key not found"):
            node.do(read("b"))
        await asyncio.sleep(1)
        assert (len(disk.entries), node.raft_index) == (written, index)

    with_node(test, fresh(disk))


def test_a_quorum_read_sees_every_write_that_was_answered_and_none_that_is_not_on_disk() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        disk.gate.shut()
        answer = node.propose(put("a"))
        while not disk.holding:
            await asyncio.sleep(0.001)
        with pytest.raises(EtcdError, match="Key not found"):
            node.do(read("a"))
        seen: list[object] = []
        answer.on_done(lambda outcome: seen.append(node.do(read("a"))))
        disk.gate.open()
        while not answer.done:
            await asyncio.sleep(0.001)
        assert isinstance(seen[0], Event)

    with_node(test, fresh(disk))


def test_without_a_leader_a_quorum_read_waits_for_one() -> None:
    async def test(node: Node) -> None:
        await introduced(node)
        await node.propose(put("a"))
        node.raft.give_up_leading()
        answer = node.do(read("a"))
        assert isinstance(answer, Answer)
        with pytest.raises(EtcdError, match=TIMED_OUT):
            await answer

    with_node(test, fresh(MemoryDisk()), timeout=0.2)


def test_a_quorum_read_while_a_change_of_members_is_under_way_goes_through_the_log() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        disk.gate.shut()
        adding = asyncio.create_task(node.reconfiguration.add(Member(7, "", ("http://127.0.0.1:7",))))
        while not disk.holding:
            await asyncio.sleep(0.001)
        assert isinstance(node.do(read("a")), Answer)
        disk.gate.open()
        await adding
        assert node.raft.voters == (5, 7)
        answer = node.do(read("a"))  # from now on there is another, without whom nothing is known for sure
        assert isinstance(answer, Answer)
        with pytest.raises(EtcdError, match=TIMED_OUT):
            await answer

    with_node(test, fresh(disk), timeout=0.3)


def test_a_quorum_read_that_meets_entries_not_applied_yet_goes_through_the_log() -> None:
    async def test(node: Node) -> None:
        await introduced(node)
        await node.propose(put("a"))
        node._turn.raft_index -= 1
        answer = node.do(read("a"))
        assert isinstance(answer, Answer)
        event = await answer
        assert isinstance(event, Event)
        assert event.node.key == "/1/a"

    with_node(test, fresh(MemoryDisk()))


def test_a_quorum_read_at_the_end_is_refused_as_it_was() -> None:
    async def body() -> None:
        node = new_node(fresh(MemoryDisk()))
        await node.start()
        await node.propose(put("a"))
        await node.stop()
        answer = node.do(read("a"))
        assert isinstance(answer, Answer)
        with pytest.raises(EtcdError, match=STOPPED):
            await answer

    virtual_time.run(body())


def test_a_client_that_went_away_does_not_take_its_write_back() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        node.propose(put("a"))  # and nobody waits for it
        await node.propose(put("b"))
        assert isinstance(node.do(StoreRequest(method="GET", path="/1/a")), Event)

    with_node(test, fresh(disk))


def test_who_waits_too_long_gets_an_answer_though_the_write_may_still_happen() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        disk.gate.shut()
        with pytest.raises(EtcdError) as caught:
            await node.propose(put("a"))
        assert (caught.value.code, caught.value.cause, caught.value.index) == (300, TIMED_OUT, 0)
        assert not await node.makes_progress(0.05)
        disk.gate.open()
        assert await node.makes_progress(5)
        assert isinstance(node.do(StoreRequest(method="GET", path="/1/a")), Event)

    with_node(test, fresh(disk), timeout=0.2)


def test_a_request_waits_by_the_time_that_is_passed_in_and_by_no_other() -> None:
    disk = MemoryDisk()
    now = 50.0
    sleepers: list[asyncio.Future[None]] = []

    def sleep(seconds: float) -> Awaitable[None]:
        sleepers.append(asyncio.get_running_loop().create_future())
        return sleepers[-1]

    async def body() -> None:
        nonlocal now
        time = Time(wall=lambda: 7, monotonic=lambda: now, sleep=sleep)
        node = Node(
            fresh(disk),
            heartbeat=0.01,
            request_timeout=0.01,
            snapshot_count=10,
            time=time,
            worker=disk.worker,
        )
        await node.start()
        await introduced(node)
        assert node.started_at == 7
        disk.gate.shut()
        answer = node.propose(put("a"))
        await asyncio.sleep(60)  # the loop's, which is not asked
        assert not answer.done
        now += 1
        for sleeper in sleepers:
            sleeper.set_result(None)
        with pytest.raises(EtcdError, match=TIMED_OUT):
            await answer
        disk.gate.open()
        await node.stop()

    virtual_time.run(body())


def test_a_write_that_timed_out_without_a_leader_is_forgotten() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        node.raft.give_up_leading()
        late = node.propose(put("late"))
        with pytest.raises(EtcdError, match=TIMED_OUT):
            await late
        assert not node._turn._proposals
        in_time = node.propose(put("in-time"))
        node.raft.may_lead = True
        node.raft.campaign()
        await in_time
        await at_rest(node, disk)
        with pytest.raises(EtcdError):
            node.do(StoreRequest(method="GET", path="/1/late"))

    with_node(test, fresh(disk), timeout=0.2)
    assert "/1/late" not in [request.path for request in disk.requests]


@pytest.mark.parametrize("passes", range(6))
def test_a_node_stops_though_its_term_begins_at_that_moment(passes: int) -> None:
    """Passes of the loop between the two; in one of them, Python 3.11's wait_for loses the cancellation."""
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        node._announcements.term_began()
        for _ in range(passes):
            await asyncio.sleep(0)

    with_node(test, fresh(disk))


def test_who_still_waits_at_the_end_is_told() -> None:
    disk = MemoryDisk()

    async def body() -> None:
        node = new_node(fresh(disk), snapshot_count=10)
        await node.start()
        disk.gate.shut()
        answer = node.propose(put("a"))
        await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.05, disk.gate.open)
        await node.stop()
        with pytest.raises(EtcdError, match=STOPPED):
            await answer
        with pytest.raises(EtcdError, match=STOPPED):
            await node.propose(put("b"))

    virtual_time.run(body())
    assert disk.calls[-1] == "close"


@pytest.mark.parametrize("fail_at", range(1, 12))
def test_a_disk_that_fails_ends_the_node_and_no_acknowledged_write_is_lost(fail_at: int) -> None:
    disk = MemoryDisk(fail_at)
    acknowledged: list[str] = []

    async def write(node: Node) -> None:
        await node.start()
        for n in range(10):
            await node.propose(put(f"k{n}"))
            acknowledged.append(f"k{n}")

    async def body() -> Exception:
        node = new_node(fresh(disk))
        with pytest.raises((NodeFailed, EtcdError)) as caught:
            await write(node)
        if isinstance(caught.value, EtcdError):  # else it failed in start, and said so there
            assert (caught.value.code, caught.value.cause) == (300, STOPPED)
            with pytest.raises(NodeFailed, match="no space left on device"):
                await node.failed
        await node.stop()
        return caught.value

    error = virtual_time.run(body())
    assert isinstance(error, NodeFailed) == (fail_at <= 2)  # so many saves it takes to lead
    assert ("no space left" in str(error)) == (fail_at <= 2)
    disk.fail_at = 0

    async def check(node: Node) -> None:
        for key in acknowledged:
            assert isinstance(node.do(StoreRequest(method="GET", path=f"/1/{key}")), Event)

    if disk.entries:
        with_node(check, again(disk))
    else:
        assert not acknowledged


def test_a_restart_applies_what_is_on_disk_even_past_the_commit_index_it_knew() -> None:
    disk = MemoryDisk()
    seen: list[int] = []

    async def write(node: Node) -> None:
        for n in range(5):
            event = await node.propose(put(f"k{n}"))
            assert event is not None
            seen.append(event.etcd_index)

    with_node(write, fresh(disk))

    async def read(node: Node) -> None:
        for n, index in enumerate(seen):
            event = node.do(StoreRequest(method="GET", path=f"/1/k{n}"))
            assert isinstance(event, Event)
            assert event.node.created_index == index
        assert node.raft.term == 3

    with_node(read, again(disk))


def test_a_snapshot_is_taken_when_more_than_the_count_was_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.node.snapshots.SNAPSHOT_PAUSE", 0)
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        for n in range(30):
            await node.propose(put(f"k{n}"))
            while node._upkeep.is_taking_snapshot:
                await asyncio.sleep(0)  # the next is due when the last has ended
        assert node.raft.log.first_index == 2  # 5000 entries are kept for followers that lag, 1 goes

    with_node(test, fresh(disk), snapshot_count=10)
    assert [snapshot.index for snapshot in disk.snapshots] == [11, 22, 33]
    last = disk.snapshots[-1]
    assert (last.term, last.nodes) == (2, (LOCAL.id,))
    copy = Store()
    copy.recover(last.data)
    assert copy.index == 32
    steps = [call for call in disk.calls if call.rpartition(" ")[2] == "11"]
    assert steps == ["mark 11", "snapshot 11", "release 11"]


def test_keys_expire_through_the_log_and_only_then_is_something_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.node.expiry.EXPIRY_INTERVAL", 0.01)
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        written = len(disk.entries)
        await asyncio.sleep(0.05)
        assert len(disk.entries) == written
        request = put("a")
        request.expiration = node.clock() + 50_000_000
        await node.propose(request)
        while not node.store.stats.expire_count:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        with pytest.raises(EtcdError):
            node.do(StoreRequest(method="GET", path="/1/a"))

    with_node(test, fresh(disk))
    assert [request.method for request in disk.requests[-2:]] == ["PUT", "SYNC"]


def syncs(disk: MemoryDisk) -> list[int]:
    """The cutoffs of the SYNCs in the log."""
    return [request.time for request in disk.requests if request.method == "SYNC"]


def test_an_idle_leader_logs_a_sync_every_half_second_with_its_own_time() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        index, began, spent = node.raft_index, node.clock(), node.metrics.proposals.total
        await asyncio.sleep(60)
        times = syncs(disk)
        assert len(times) == pytest.approx(120, abs=2)
        assert node.raft_index == pytest.approx(index + 120, abs=2)
        assert began < times[0]
        assert times == sorted(times)
        assert times[-1] <= node.clock()
        assert node.store.index == 3  # the key space has not noticed
        assert (node.pending, node.metrics.proposals.total) == (0, spent)  # which are clients'

    with_node(test, fresh(disk), idle_sync=True)


def test_an_idle_member_takes_snapshots_as_ever_and_keeps_no_more_of_the_log_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.node.upkeep.CATCH_UP_ENTRIES", 50)
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        await asyncio.sleep(155)
        assert [snapshot.index for snapshot in disk.snapshots] == [101, 202, 303]
        assert node.raft.log.first_index == 303 - 50 + 1

    with_node(test, fresh(disk), snapshot_count=100, idle_sync=True)


def test_an_idle_leader_without_syncs_writes_nothing() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await at_rest(node, disk)
        written = len(disk.calls), node.raft_index
        await asyncio.sleep(20)
        assert written == (len(disk.calls), node.raft_index)

    with_node(test, fresh(disk), idle_sync=False)


@pytest.mark.parametrize("idle_sync", [False, True])
def test_many_keys_that_expire_at_once_go_in_portions(
    monkeypatch: pytest.MonkeyPatch, idle_sync: bool
) -> None:
    monkeypatch.setattr("server.node.expiry.EXPIRED_AT_ONCE", 10)
    monkeypatch.setattr("server.node.expiry.EXPIRY_INTERVAL", 0.2)  # all are due when it looks
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        at = node.clock()
        for n in range(35):
            request = put(f"k{n}")
            request.expiration = at + 100_000_000 + n
            await node.propose(request)
        while node.store.stats.expire_count < 35:
            await asyncio.sleep(0.01)
        first = at + 100_000_000
        times = [time for time in syncs(disk) if time >= first]
        assert times[:3] == [first + 9, first + 19, first + 29]
        assert len(times) == 4
        assert times[3] > first + 34
        await asyncio.sleep(0.3)
        assert len(syncs(disk)) == (5 if idle_sync else 4)

    with_node(test, fresh(disk), idle_sync=idle_sync)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (StoreRequest(method="PUT", path="/0/version", val=b"3.6.0"), "cluster cannot be downgraded"),
        (StoreRequest(method="PUT", path="/0/version", val=b"new"), "is not a version"),
        (StoreRequest(method="PUT", path="/0/members/77/attributes", val=b"{}"), "unknown member 77"),
    ],
)
def test_a_log_that_this_server_must_not_apply_ends_it(request_: StoreRequest, message: str) -> None:
    disk = MemoryDisk()

    async def body() -> None:
        node = new_node(fresh(disk), snapshot_count=10)
        await node.start()
        with pytest.raises(EtcdError, match=STOPPED):
            await node.propose(request_)
        with pytest.raises(NodeFailed, match=message):
            await node.failed
        await node.stop()

    virtual_time.run(body())


def test_a_snapshot_of_a_directory_with_members_brings_the_table_back() -> None:
    disk = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)

    with_node(test, fresh(disk))
    store = Store()
    members = Members(9)
    raft = Raft(LOCAL.id, RaftLog(), random=Random(1))
    applier = Applier(store, members, raft)
    for entry in disk.entries:
        applier.apply(entry, None, 0)
    other = Members(9)
    other.recover(store, 0)
    assert list(other) == list(members) == [LOCAL]


def test_requests_in_the_wrapped_form_of_3_x_are_applied_and_others_passed_over() -> None:
    store, members = Store(), Members(9)
    applier = Applier(store, members, Raft(5, RaftLog(), random=Random(1)))
    wrapped = etcdserver_pb2.InternalRaftRequest(ID=4)
    wrapped.v2.ParseFromString(encode_request(put("a")))
    event = applier.apply(Entry(1, 1, wrapped.SerializeToString()), None, 0)
    assert isinstance(event, Event)
    assert event.node.key == "/1/a"
    foreign = etcdserver_pb2.InternalRaftRequest(ID=4).SerializeToString()
    assert applier.apply(Entry(1, 2, foreign), None, 0) is None
    assert applier.apply(Entry(1, 3), None, 0) is None
    assert store.index == 1
