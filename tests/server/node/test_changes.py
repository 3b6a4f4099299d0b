"""Changes of members, asked of a running node: through the log, one at a time, and what becomes of a lost quorum."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random

import pytest

from server.cluster import ChangeRefusal, ChangeRefused, Member, Members
from server.node import ChangeFailed, MemberRemoved, Node, OpenedMember
from server.node.errors import STOPPED
from server.node.leadership import TIMED_OUT
from server.raft import HardState, Raft, RaftLog
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store
from tests.support import virtual_time
from tests.support.memory_disk import MemoryDisk
from tests.support.virtual_time import VIRTUAL_TIME

LOCAL = Member(5, "m1", ("http://127.0.0.1:7001",), ("http://127.0.0.1:4001",))
OTHER = Member(6, peer_urls=("http://127.0.0.1:7002",))


def run(
    test: Callable[[Node], Awaitable[None]],
    log: MemoryDisk | None = None,
    *,
    timeout: float = 5.0,
    strict: bool = False,
) -> None:
    """Against a new member, or the one whose log is given."""

    async def body() -> None:
        disk = log or MemoryDisk()
        raft = Raft(
            LOCAL.id,
            RaftLog(disk.entries, committed=len(disk.entries)),
            hard_state=disk.state or HardState(),
            random=Random(1),
        )
        if not disk.entries:
            addition = ConfChange(ConfChangeType.ADD_NODE, LOCAL.id, context=LOCAL.context)
            raft.bootstrap([encode_conf_change(addition)])
        started = OpenedMember(LOCAL, Store(), Members(9), raft, disk)
        node = Node(
            started,
            heartbeat=0.01,
            request_timeout=timeout,
            snapshot_count=10000,
            strict_reconfig=strict,
            time=VIRTUAL_TIME,
            worker=disk.worker,
        )
        await node.start()
        try:
            await test(node)
        finally:
            await node.stop()

    virtual_time.run(body())


def put(key: str) -> StoreRequest:
    return StoreRequest(method="PUT", path=f"/1/{key}", val=b"v")


async def introduced(node: Node) -> None:
    """Waits until the node has published itself and the cluster version."""
    while node.members.version is None:
        await asyncio.sleep(0.001)


def test_an_update_goes_through_the_log_and_is_applied_when_it_is_answered() -> None:
    log = MemoryDisk()

    async def test(node: Node) -> None:
        moved = Member(LOCAL.id, peer_urls=("http://127.0.0.1:9",))
        await node.reconfiguration.update(moved)
        assert [member.peer_urls for member in node.members] == [("http://127.0.0.1:9",)]
        change = log.changes[-1]
        assert (change.type, change.node_id, change.context) == (ConfChangeType.UPDATE_NODE, 5, moved.context)
        assert change.id != 0
        assert isinstance(await node.propose(put("a")), Event)

    run(test, log)


def test_a_refused_change_is_told_and_the_next_one_is_made() -> None:
    async def test(node: Node) -> None:
        for change, why in (
            (node.reconfiguration.remove(77), ChangeRefusal.ID_NOT_FOUND),
            (node.reconfiguration.update(replace(OTHER, id=77)), ChangeRefusal.ID_NOT_FOUND),
            (
                node.reconfiguration.add(replace(OTHER, peer_urls=LOCAL.peer_urls)),
                ChangeRefusal.PEER_URL_EXISTS,
            ),
            (node.reconfiguration.add(LOCAL), ChangeRefusal.ID_EXISTS),
        ):
            with pytest.raises(ChangeRefused) as caught:
                await change
            assert caught.value.why is why
        await node.reconfiguration.update(replace(LOCAL, peer_urls=("http://127.0.0.1:9",)))
        assert node.raft.voters == (LOCAL.id,)

    run(test)


def test_changes_asked_for_at_once_are_made_one_after_the_other() -> None:
    async def test(node: Node) -> None:
        urls = [f"http://127.0.0.1:{port}" for port in range(1, 9)]
        await asyncio.gather(
            *(node.reconfiguration.update(Member(LOCAL.id, peer_urls=(url,))) for url in urls)
        )
        assert [member.peer_urls for member in node.members] == [(urls[-1],)]

    run(test)


def test_with_a_second_member_that_never_comes_writes_and_changes_time_out_and_reads_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.leadership.QUORUM_PATIENCE", 1)
    log = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)  # its own writes would time out like the others
        await node.propose(put("a"))
        await node.reconfiguration.add(OTHER)
        assert node.raft.voters == (5, 6)
        write = node.propose(put("b"))
        changes = await asyncio.gather(
            node.reconfiguration.add(Member(7, peer_urls=("http://127.0.0.1:7",))),
            node.reconfiguration.remove(6),
            return_exceptions=True,
        )
        assert all(isinstance(change, ChangeFailed) and str(change) == TIMED_OUT for change in changes)
        with pytest.raises(EtcdError) as caught:
            await write
        assert caught.value.cause == TIMED_OUT
        said = "no write can be agreed on: the voters are 5, 6, and member 5 reaches none but itself"
        assert caplog.text.count(said) == 1
        assert node.metrics.proposals_failed == 1
        assert isinstance(node.do(StoreRequest(method="GET", path="/1/a")), Event)
        assert not await node.makes_progress(0.05)
        assert node.pending <= 1
        assert not node.failed.done()

    run(test, log, timeout=0.3)
    assert [change.node_id for change in log.changes] == [5, 6, 7]  # the removal was never proposed


def test_a_restart_without_a_quorum_reads_has_no_leader_and_proposes_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.leadership.QUORUM_PATIENCE", 1)
    log = MemoryDisk()

    async def add(node: Node) -> None:
        await node.propose(put("a"))
        await node.reconfiguration.add(OTHER)

    run(add, log)
    caplog.clear()
    before = len(log.entries)

    async def test(node: Node) -> None:
        assert isinstance(node.do(StoreRequest(method="GET", path="/1/a")), Event)
        assert (node.is_leader, node.raft.leader, node.leadership.last_leader) == (False, 0, 0)
        with pytest.raises(ChangeFailed, match=TIMED_OUT):
            await node.reconfiguration.remove(6)
        with pytest.raises(EtcdError) as caught:
            await node.propose(put("b"))
        assert caught.value.cause == TIMED_OUT
        assert "reaches none but itself" in caplog.text

    run(test, log, timeout=0.2)
    assert len(log.entries) == before


def test_the_only_member_may_be_removed_and_ends_soon_after(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.node.REMOVED_PATIENCE", 0.1)
    caplog.set_level(logging.INFO)
    log = MemoryDisk()

    async def test(node: Node) -> None:
        await node.propose(put("a"))
        await node.reconfiguration.remove(LOCAL.id)
        assert isinstance(node.do(StoreRequest(method="GET", path="/1/a")), Event)
        late = node.propose(put("b"))
        with pytest.raises(MemberRemoved):
            await node.failed
        with pytest.raises(EtcdError, match=STOPPED):
            await late
        with pytest.raises(ChangeFailed, match=STOPPED):
            await node.reconfiguration.remove(LOCAL.id)

    run(test, log)
    said = [(record.levelno, record.getMessage()) for record in caplog.records][-2:]
    assert said == [
        (logging.ERROR, "the member has been permanently removed from the cluster"),
        (logging.INFO, "the data-dir used by this member must be removed."),
    ]

    async def again(node: Node) -> None:
        with pytest.raises(MemberRemoved):
            await node.failed

    run(again, log)


def test_a_change_under_way_is_told_when_the_member_ends() -> None:
    told = []

    async def remove(node: Node) -> None:
        try:
            await node.reconfiguration.remove(6)
        except ChangeFailed as error:
            told.append(str(error))

    async def test(node: Node) -> None:
        await node.reconfiguration.add(OTHER)
        tasks.append(asyncio.ensure_future(remove(node)))
        await asyncio.sleep(0.05)

    tasks: list[asyncio.Future[None]] = []
    run(test)
    assert told == [STOPPED]


def test_strict_changes_are_refused_before_the_log_hears_of_them(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryDisk()

    async def test(node: Node) -> None:
        await introduced(node)
        with pytest.raises(ChangeRefused, match="not enough started members"):
            await node.reconfiguration.remove(LOCAL.id)
        await node.reconfiguration.add(OTHER)
        with pytest.raises(ChangeRefused, match="not enough started members"):
            await node.reconfiguration.add(Member(7, peer_urls=("http://127.0.0.1:7",)))

    run(test, log, strict=True)
    assert [change.node_id for change in log.changes] == [5, 6]
    assert "Reject add member request: the number of started member (1) will be less than" in caplog.text
