"""Opening data directories: those recorded from real etcd, one's own, damaged ones, and those that are refused."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from server.api.jsonform import event_line
from server.cluster import BootstrapError, Member, cluster_id, id_text
from server.config import Config, load
from server.node import CannotApply, MemberRemoved, Node, open_member
from server.raft import EMPTY_HARD_STATE, Entry, EntryType, HardState
from server.storage.codec import ConfChange, ConfChangeType, encode_conf_change
from server.storage.errors import DamagedError, StorageError
from server.storage.records import read_records
from server.storage.requests import Request
from server.storage.wal import WAL, WalMetadata
from server.store.event import Event
from tests.support.asking import nobody
from tests.support.datadirs import Recorded

SINGLE = [
    Recorded("single-2.3.8", "na"),
    Recorded("single-2.0.13", "ma"),
    Recorded("snap-2.3.8", "qa"),
    Recorded("snap-2.0.13", "pa"),
    Recorded("torn-2.3.8", "na"),
    Recorded("torn-entry-2.3.8", "na"),
]


def config(data_dir: Path, **settings: str) -> Config:
    return load(
        {"name": "a", "data-dir": str(data_dir)}
        | {key.replace("_", "-"): value for key, value in settings.items()}
    )


def recorded_now(of: Recorded) -> int:
    """The time of the last SYNC in the log: the moment the recorded answers belong to, in unix nanoseconds."""
    times = [0]
    for segment in of.records()["wal"]:
        for record in segment["records"]:
            data = record.get("entry", {}).get("data")
            if isinstance(data, dict):
                times.append(data.get("bare", {}).get("Time", 0))
    return max(times)


def run(
    settings: Config, test: Callable[[Node], Awaitable[None]], clock: Callable[[], int] = time.time_ns
) -> None:
    async def body() -> None:
        started = open_member(settings, resolve=lambda host: host, ask=nobody, now=clock(), random=Random(1))
        node = Node(
            started, heartbeat=0.05, request_timeout=5, snapshot_count=settings.snapshot_count, clock=clock
        )
        await node.start()
        try:
            await asyncio.wait_for(test(node), 20)
        finally:
            await node.stop()

    asyncio.run(body())


def snapshots(settings: Config) -> list[Path]:
    """The files of whole snapshots, oldest first."""
    return sorted((Path(settings.data_dir) / "member" / "snap").glob("*.snap"))


def answer(node: Node, path: str, *, recursive: bool = False, sorted: bool = False) -> Any:
    event = node.do(Request(method="GET", path=f"/1{path}", recursive=recursive, sorted=sorted))
    assert isinstance(event, Event)
    return json.loads(event_line(event))


def without_ttl(value: Any) -> Any:
    """TTLs count down and so are no part of what must be equal."""
    if isinstance(value, dict):
        return {key: without_ttl(item) for key, item in value.items() if key != "ttl"}
    return [without_ttl(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("of", SINGLE, ids=str)
def test_a_recorded_directory_serves_its_keys_indexes_and_ids(of: Recorded, tmp_path: Path) -> None:
    expected = of.expected()
    data_dir = of.unpack(tmp_path)
    state = expected.get("state", {})
    root = expected.get("root_when_opened_by_2.3.8") or state["root"]
    now = recorded_now(of)

    async def test(node: Node) -> None:
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(root)
        if not state:
            return
        assert id_text(node.members.cluster_id) == state["X-Etcd-Cluster-Id"]
        assert id_text(node.local.id) == state["self_id"]
        assert node.store.index == state["X-Etcd-Index"]
        for path, hidden in state["hidden"].items():
            assert without_ttl(answer(node, path, recursive=True, sorted=True)) == without_ttl(hidden)
        (member,) = node.members
        assert [(id_text(member.id), list(member.peer_urls))] == [
            (shown["id"], shown["peerURLs"]) for shown in state["members"]
        ]

    run(config(data_dir), test, clock=lambda: now)


@pytest.mark.parametrize("of", SINGLE, ids=str)
def test_a_recorded_directory_is_published_written_to_and_opened_again(of: Recorded, tmp_path: Path) -> None:
    settings = config(of.unpack(tmp_path), name="new", advertise_client_urls="http://127.0.0.1:1")
    now = recorded_now(of)
    seen: list[Any] = []

    async def write(node: Node) -> None:
        while not (next(iter(node.members)).name == "new" and node.members.version == "2.3.0"):
            await asyncio.sleep(0.01)
        event = await node.propose(Request(method="PUT", path="/1/ours", val=b"x"))
        assert event is not None
        seen.append(event.etcd_index)
        seen.append(without_ttl(answer(node, "/", recursive=True, sorted=True)))

    async def read(node: Node) -> None:
        assert answer(node, "/ours")["node"]["createdIndex"] == seen[0]
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == seen[1]

    run(settings, write, clock=lambda: now)
    run(settings, read, clock=lambda: now)


def test_the_first_records_are_those_of_etcd(tmp_path: Path) -> None:
    async def nothing(_: Node) -> None: ...

    peer = "http://127.0.0.1:26103"
    settings = config(
        tmp_path / "d",
        name="na",
        initial_advertise_peer_urls=peer,
        initial_cluster=f"na={peer}",
        initial_cluster_token="tok-a",
    )
    run(settings, nothing)
    ours = (tmp_path / "d" / "member" / "wal" / f"{0:016x}-{0:016x}.wal").read_bytes()
    real = Recorded("single-2.3.8", "na").unpack(tmp_path) / "member" / "wal" / f"{0:016x}-{0:016x}.wal"
    # checksum, metadata, marker, the conf change that adds the member, the hard state of term 1
    assert ours[:218] == real.read_bytes()[:218]


def test_a_write_is_answered_after_its_fdatasync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def does(*args: Any) -> Any:
            result = call(*args)
            steps.append(name)
            return result

        return does

    async def test(node: Node) -> None:
        while node.members.version is None or node.raft.hard_state.commit != node.raft.log.applied:
            await asyncio.sleep(0.01)
        for n in range(20):
            steps.clear()
            await node.propose(Request(method="PUT", path=f"/1/{n}", val=b"x"))
            # a commit index may be written besides, at any time
            assert ("write", "fdatasync") in pairwise(steps)

    monkeypatch.setattr(os, "write", watched("write", os.write))
    monkeypatch.setattr(os, "fdatasync", watched("fdatasync", os.fdatasync))
    run(config(tmp_path / "d"), test)


def test_snapshots_are_taken_and_started_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "server.node.snapshots.SNAPSHOT_PAUSE", 0
    )  # so that several fit into a hundred writes
    settings = config(tmp_path / "d", snapshot_count="20", max_snapshots="2")
    indexes: list[int] = []

    async def write(node: Node) -> None:
        for n in range(100):
            event = await node.propose(Request(method="PUT", path=f"/1/k{n % 30}", val=b"%d" % n))
            assert event is not None
            indexes.append(event.etcd_index)
            if n % 25 == 24:  # one more is due; none would be taken while it is written
                while len(snapshots(settings)) <= n // 25:
                    await asyncio.sleep(0.01)

    run(settings, write)
    oldest, *others = snapshots(settings)
    assert len(others) >= 2

    async def read(node: Node) -> None:
        assert node.raft.log.first_index > 60
        assert [answer(node, f"/k{n % 30}")["node"]["modifiedIndex"] for n in range(70, 100)] == indexes[70:]
        for _ in range(200):
            if not oldest.exists():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("old snapshots were not purged")

    run(settings, read)


def test_the_log_may_have_a_directory_of_its_own(tmp_path: Path) -> None:
    settings = config(tmp_path / "d", wal_dir=str(tmp_path / "w"))

    async def write(node: Node) -> None:
        await node.propose(Request(method="PUT", path="/1/a", val=b"x"))

    async def read(node: Node) -> None:
        assert answer(node, "/a")["node"]["value"] == "x"

    run(settings, write)
    assert [path.suffix for path in (tmp_path / "w").iterdir()] == [".wal"]
    assert not (tmp_path / "d" / "member" / "wal").exists()
    run(settings, read)


def open_only(settings: Config) -> None:
    open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))


async def told_of_no_quorum(caplog: pytest.LogCaptureFixture) -> None:
    """Waits for the line of advice; QUORUM_PATIENCE says after how long it comes."""
    while "no write can be agreed on" not in caplog.text:
        await asyncio.sleep(0.01)


def test_a_member_of_a_larger_cluster_reads_and_waits_for_a_leader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.node.QUORUM_PATIENCE", 1)
    of = Recorded("cluster3-2.3.8", "x1a")
    data_dir = of.unpack(tmp_path)
    root = of.expected()["state"]["root"]
    now = recorded_now(of)

    async def check(node: Node) -> None:
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(root)
        assert len(list(node.members)) == 3
        assert not node.is_leader
        assert not await node.makes_progress(0.01)
        await told_of_no_quorum(caplog)

    run(config(data_dir), check, clock=lambda: now)
    assert "--force-new-cluster" in caplog.text


@pytest.mark.parametrize(
    "of", [Recorded("cluster3-2.3.8", "x1a"), Recorded("cluster3-snap-2.3.8", "y1a")], ids=str
)
def test_force_new_cluster_makes_one_of_three(of: Recorded, tmp_path: Path) -> None:
    data_dir = of.unpack(tmp_path)
    root = of.expected()["state"]["root"]
    now = recorded_now(of)

    async def check(node: Node) -> None:
        assert [member.id for member in node.members] == [node.local.id]
        assert node.raft.voters == (node.local.id,)
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(root)
        await node.propose(Request(method="PUT", path="/0/probe", val=b"x"))

    run(config(data_dir, force_new_cluster="true"), check, clock=lambda: now)
    run(config(data_dir), check, clock=lambda: now)


def test_a_first_start_cut_short_begins_again(tmp_path: Path) -> None:
    settings = config(tmp_path / "d")
    started = open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))
    started.disk.close()  # the log is there, its first entry is not

    async def test(node: Node) -> None:
        assert node.is_leader
        assert node.local.id == started.local.id

    with pytest.raises(BootstrapError, match="start with the settings of the first start"):
        open_only(settings._replace(initial_cluster_token="other"))
    run(settings, test)


def test_a_first_save_cut_short_at_any_byte_is_made_up_for(tmp_path: Path) -> None:
    settings = config(tmp_path / "d")

    async def nothing(_: Node) -> None: ...

    async def test(node: Node) -> None:
        assert node.is_leader
        await node.propose(Request(method="PUT", path="/1/a", val=b"x"))

    run(settings, nothing)
    (segment,) = (tmp_path / "d" / "member" / "wal").iterdir()
    whole = segment.read_bytes()
    ends = [record.end for record in read_records(segment)]
    for size in range(ends[2], ends[4] + 1):
        segment.write_bytes(whole[:size])
        run(settings, test)
        run(settings, test)
        for leftover in segment.parent.glob("*.broken*"):
            leftover.unlink()
    segment.write_bytes(whole[: ends[3]])
    open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1)).disk.close()
    assert segment.read_bytes() == whole[: ends[4]]  # as if the first save had not been cut
    segment.write_bytes(whole[: ends[3]])
    run(config(tmp_path / "d", initial_cluster="b=http://127.0.0.1:1"), test)  # the log says who is in it


def test_first_members_who_are_not_all_there_are_not_taken_for_the_cluster(tmp_path: Path) -> None:
    settings = config(tmp_path / "d")
    wal = WAL.create(tmp_path / "d" / "member" / "wal", WalMetadata(5, cluster_id([5, 6])))
    wal.save(EMPTY_HARD_STATE, [Entry(1, 1, addition(5), EntryType.CONF_CHANGE)])
    wal.close()
    with pytest.raises(BootstrapError, match="begun for member 5 of cluster"):
        open_only(settings)


def test_a_member_that_its_log_has_not_made_a_voter_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.node.QUORUM_PATIENCE", 1)
    wal = WAL.create(tmp_path / "d" / "member" / "wal", WalMetadata(5, 7))
    wal.save(EMPTY_HARD_STATE, [Entry(1, 1, addition(5), EntryType.CONF_CHANGE), Entry(2, 2)])
    wal.close()

    async def test(node: Node) -> None:
        await told_of_no_quorum(caplog)
        assert not node.is_leader

    run(config(tmp_path / "d"), test)
    assert "the voters are none, and member 5 reaches none but itself" in caplog.text


def addition(member: int) -> bytes:
    context = Member(member, peer_urls=(f"http://127.0.0.1:{member}",)).context
    return encode_conf_change(ConfChange(ConfChangeType.ADD_NODE, member, context=context))


def test_a_log_that_does_not_know_its_own_member_asks_for_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.node.QUORUM_PATIENCE", 1)
    data_dir = Recorded("single-2.3.8", "na").unpack(tmp_path)
    wal_dir = data_dir / "member" / "wal"
    wal, contents = WAL.open(wal_dir)
    wal.close()
    for path in wal_dir.iterdir():
        path.unlink()
    copy = WAL.create(wal_dir, WalMetadata(77, 88))  # as etcdctl backup does: ids of its own
    copy.save(HardState(contents.hard_state.term, 0, contents.hard_state.commit), contents.entries)
    copy.close()

    async def waits(node: Node) -> None:
        await told_of_no_quorum(caplog)
        assert not node.is_leader

    run(config(data_dir), waits)
    assert "the voters are c89ccba735111c3f, and member 4d reaches none but itself" in caplog.text
    assert "--force-new-cluster" in caplog.text

    async def check(node: Node) -> None:
        (member,) = node.members
        assert (member.id, member.peer_urls) == (77, ("http://localhost:7001", "http://localhost:2380"))
        assert answer(node, "/ilemal/acgillm")["node"]["modifiedIndex"] == 33

    run(config(data_dir, force_new_cluster="true"), check)
    run(config(data_dir), check)


def test_a_removed_member_serves_for_a_moment_and_ends(tmp_path: Path) -> None:
    data_dir = Recorded("single-2.3.8", "na").unpack(tmp_path)
    wal, contents = WAL.open(data_dir / "member" / "wal")
    last = contents.entries[-1].index
    removal = encode_conf_change(ConfChange(ConfChangeType.REMOVE_NODE, contents.metadata.node_id))
    wal.save(HardState(2, 0, last + 1), [Entry(2, last + 1, removal, EntryType.CONF_CHANGE)])
    wal.close()

    async def test(node: Node) -> None:
        assert answer(node, "/ilemal/acgillm")
        assert list(node.members) == []
        with pytest.raises(MemberRemoved, match="permanently removed from the cluster"):
            await node.failed

    run(config(data_dir), test)


def test_a_flipped_bit_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    data_dir = Recorded("single-2.3.8", "na").unpack(tmp_path)
    (path,) = (data_dir / "member" / "wal").glob("*.wal")
    damaged = bytearray(path.read_bytes())
    damaged[3000] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(DamagedError):
        open_only(config(data_dir))
    assert path.read_bytes() == damaged


def test_a_second_process_finds_the_directory_taken(tmp_path: Path) -> None:
    async def test(_: Node) -> None:
        with pytest.raises(StorageError, match="file already locked"):
            open_only(config(tmp_path / "d"))

    run(config(tmp_path / "d"), test)


def test_a_newer_cluster_in_a_snapshot_is_refused(tmp_path: Path) -> None:
    settings = config(tmp_path / "d", snapshot_count="5")

    async def write(node: Node) -> None:
        for n in range(20):
            await node.propose(Request(method="PUT", path=f"/1/{n}", val=b"x"))
        node.store.set("/0/version", b"3.6.0", now=0)  # as an etcd of that version would have left it
        for n in range(20):
            await node.propose(Request(method="PUT", path=f"/1/{n}", val=b"x"))
        while not any(b"3.6.0" in path.read_bytes() for path in snapshots(settings)):
            await asyncio.sleep(0.01)

    run(settings, write)
    with pytest.raises(CannotApply, match=r"cluster cannot be downgraded \(current version: 2.3.8 is lower"):
        open_only(settings)


def test_settings_that_cannot_begin_leave_no_member_behind(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError):
        open_only(config(tmp_path / "d", initial_cluster="b=http://127.0.0.1:1"))
    assert not (tmp_path / "d").exists()
