"""Opening data directories: those recorded from real etcd, one's own, damaged ones, and those that are refused."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from server.api.jsonform import event_line
from server.cluster import AskPeer, BootstrapError, Member, cluster_id, id_text
from server.config import Config, load
from server.node import CannotApply, MemberRemoved, Node, OpenedMember, open_member
from server.raft import EMPTY_HARD_STATE, Entry, EntryType, HardState, RaftRole, Snapshot
from server.storage.codec import ConfChange, ConfChangeType, decode_conf_change, encode_conf_change
from server.storage.errors import DamagedError, OutOfRangeError, StorageError
from server.storage.records import read_records
from server.storage.replay import read_wal
from server.storage.requests import StoreRequest
from server.storage.snapshots import SnapshotDir, persist_received_snapshot
from server.storage.wal import WAL, WalMetadata, WalPosition
from server.store.event import Event
from tests.support import virtual_time
from tests.support.asking import Others, members_reply, nobody, version_reply
from tests.support.datadirs import Recorded
from tests.support.virtual_time import VIRTUAL_TIME, LoopWorker

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
    settings: Config,
    test: Callable[[Node], Awaitable[None]],
    clock: Callable[[], int] = VIRTUAL_TIME.wall,
) -> None:
    async def body() -> None:
        started = open_member(settings, resolve=lambda host: host, ask=nobody, now=clock(), random=Random(1))
        node = Node(
            started,
            heartbeat=0.05,
            request_timeout=5,
            snapshot_count=settings.snapshot_count,
            time=VIRTUAL_TIME._replace(wall=clock),
            worker=LoopWorker,
        )
        await node.start()
        try:
            await test(node)
        finally:
            await node.stop()

    virtual_time.run(body())


def snapshots(settings: Config) -> list[Path]:
    """The files of whole snapshots, oldest first."""
    return sorted((Path(settings.data_dir) / "member" / "snap").glob("*.snap"))


def answer(node: Node, path: str, *, recursive: bool = False, sorted: bool = False) -> Any:
    event = node.do(StoreRequest(method="GET", path=f"/1{path}", recursive=recursive, sorted=sorted))
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
        event = await node.propose(StoreRequest(method="PUT", path="/1/ours", val=b"x"))
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
            await node.propose(StoreRequest(method="PUT", path=f"/1/{n}", val=b"x"))
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
            event = await node.propose(StoreRequest(method="PUT", path=f"/1/k{n % 30}", val=b"%d" % n))
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
        await node.propose(StoreRequest(method="PUT", path="/1/a", val=b"x"))

    async def read(node: Node) -> None:
        assert answer(node, "/a")["node"]["value"] == "x"

    run(settings, write)
    assert [path.suffix for path in (tmp_path / "w").iterdir()] == [".wal"]
    assert not (tmp_path / "d" / "member" / "wal").exists()
    run(settings, read)


def open_only(settings: Config, ask: AskPeer = nobody) -> OpenedMember:
    """A member that was opened, and has let go of its directory again."""
    started = open_member(settings, resolve=lambda host: host, ask=ask, now=0, random=Random(1))
    started.disk.close()
    return started


def begin(settings: Config, ask: AskPeer = nobody) -> OpenedMember:
    """A member that was opened, has done its first save, and has let go of its directory."""
    started = open_member(settings, resolve=lambda host: host, ask=ask, now=0, random=Random(1))
    ready = started.raft.ready()
    started.disk.save(ready.hard_state, ready.entries)
    started.disk.close()
    return started


async def told_of_no_quorum(caplog: pytest.LogCaptureFixture) -> None:
    """Waits for the line of advice; QUORUM_PATIENCE says after how long it comes."""
    while "no write can be agreed on" not in caplog.text:
        await asyncio.sleep(0.01)


def test_a_member_of_a_larger_cluster_reads_and_waits_for_a_leader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.node.leadership.QUORUM_PATIENCE", 1)
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
        await node.propose(StoreRequest(method="PUT", path="/0/probe", val=b"x"))

    run(config(data_dir, force_new_cluster="true"), check, clock=lambda: now)
    run(config(data_dir), check, clock=lambda: now)


def forge(data_dir: Path, *, snapshot: bool = False) -> None:
    """Leaves in a directory what forged messages left, when their numbers were still believed."""
    last, snap = (1 << 64) - 1, data_dir / "member" / "snap"
    wal, contents = WAL.open(data_dir / "member" / "wal", position(data_dir))
    if snapshot:
        forged = Snapshot(last, contents.hard_state.term, (1,), b"")
        persist_received_snapshot(wal, SnapshotDir(snap), forged, HardState(last, 0, last))
    else:
        wal.save(contents.hard_state._replace(term=last, vote=0), [])
    wal.close()


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize(
    "of", [Recorded("cluster3-2.3.8", "x1a"), Recorded("cluster3-snap-2.3.8", "y1a")], ids=str
)
def test_a_directory_that_a_forged_message_got_into_opens_with_force_new_cluster_and_only_so(
    of: Recorded, snapshot: bool, tmp_path: Path
) -> None:
    data_dir = of.unpack(tmp_path)
    root = of.expected()["state"]["root"]
    now = recorded_now(of)
    before = WAL.open(data_dir / "member" / "wal", position(data_dir))
    before[0].close()
    forge(data_dir, snapshot=snapshot)
    found = {path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}

    with pytest.raises(OutOfRangeError, match="--force-new-cluster"):
        open_only(config(data_dir))
    assert {path: path.read_bytes() for path in data_dir.rglob("*") if path.is_file()} == found

    async def check(node: Node) -> None:
        assert [member.id for member in node.members] == [node.local.id]
        assert node.raft.term == before[1].entries[-1].term + 1
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(root)
        await node.propose(StoreRequest(method="PUT", path="/0/probe", val=b"x"))

    async def check_again(node: Node) -> None:
        assert without_ttl(answer(node, "/", recursive=True, sorted=True)) == without_ttl(root)
        assert node.store.peek("/0/probe") == b"x"

    run(config(data_dir, force_new_cluster="true"), check, clock=lambda: now)
    run(config(data_dir), check_again, clock=lambda: now)
    kept = {path.name: path.read_bytes() for path in (data_dir / "member" / "wal.broken").iterdir()}
    assert kept.items() <= {path.name: content for path, content in found.items()}.items()
    assert len(kept) == len([path for path in found if path.suffix == ".wal"])


def position(data_dir: Path) -> WalPosition:
    taken = SnapshotDir(data_dir / "member" / "snap").load_newest()
    return WalPosition() if taken is None else WalPosition(taken.index, taken.term)


def test_a_first_start_cut_short_begins_again(tmp_path: Path) -> None:
    settings = config(tmp_path / "d")
    started = open_only(settings)  # the log is there, its first entry is not

    async def test(node: Node) -> None:
        assert node.is_leader
        assert node.local.id == started.local.id

    with pytest.raises(BootstrapError, match="start with the settings of the first start"):
        open_only(settings._replace(initial_cluster_token="other"))
    run(settings, test)


def test_members_that_were_found_are_found_again_for_a_first_start_cut_short(tmp_path: Path) -> None:
    settings = config(tmp_path / "d", discovery="http://127.0.0.1:1/token")
    found = settings._replace(initial_cluster_token="http://127.0.0.1:1/token")
    first = open_only(found)
    again = open_member(
        settings,
        resolve=lambda host: host,
        ask=nobody,
        now=0,
        random=Random(1),
        find_again=lambda config: found if config == settings else config,
    )
    again.disk.close()
    assert again.local.id == first.local.id


def test_a_first_save_cut_short_at_any_byte_is_made_up_for(tmp_path: Path) -> None:
    settings = config(tmp_path / "d")

    async def nothing(_: Node) -> None: ...

    async def test(node: Node) -> None:
        assert node.is_leader
        await node.propose(StoreRequest(method="PUT", path="/1/a", val=b"x"))

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
    open_only(settings)
    assert segment.read_bytes() == whole[: ends[4]]  # as if the first save had not been cut
    segment.write_bytes(whole[: ends[3]])
    run(config(tmp_path / "d", initial_cluster="b=http://127.0.0.1:1"), test)  # the log says who is in it


THREE = Recorded("cluster3-2.3.8", "x1a")


def founder(data_dir: Path, **settings: str) -> Config:
    """The settings that one of three members was recorded with, from the same flags."""
    flags = THREE.expected()["flags"][THREE.member]
    given = {flag.removeprefix("--"): value for flag, value in zip(flags[::2], flags[1::2], strict=True)}
    return load(
        given
        | {"data-dir": str(data_dir)}
        | {key.replace("_", "-"): value for key, value in settings.items()}
    )


def only_segment(data_dir: Path) -> Path:
    (segment,) = (data_dir / "member" / "wal").glob("*.wal")
    return segment


def added(started: OpenedMember) -> list[int]:
    """Whom the log adds, as far as that is agreed on."""
    log = started.raft.log
    return [
        decode_conf_change(entry.data).node_id
        for entry in log.entries_from(1)
        if entry.type is EntryType.CONF_CHANGE and entry.index <= log.committed
    ]


def test_first_members_begin_with_the_records_of_etcd(tmp_path: Path) -> None:
    begin(founder(tmp_path / "d"))
    ours = only_segment(tmp_path / "d").read_bytes()
    real = only_segment(THREE.unpack(tmp_path)).read_bytes()
    ends = [record.end for record in read_records(only_segment(tmp_path / "d"))]
    # checksum, metadata, marker, three conf changes, the hard state of term 1
    assert len(ends) == 7
    assert ours[: ends[-1]] == real[: ends[-1]]


@pytest.mark.slow
def test_a_first_save_of_several_members_cut_short_at_any_byte_is_made_up_for(tmp_path: Path) -> None:
    settings = founder(tmp_path / "d")
    begin(settings)
    segment = only_segment(tmp_path / "d")
    whole = segment.read_bytes()
    ends = [record.end for record in read_records(segment)]
    members = added(open_only(settings))
    assert len(members) == 3
    for size in range(ends[2], ends[-1] + 1):
        segment.write_bytes(whole[:size])
        assert added(begin(settings)) == members
        again = open_only(settings)
        assert added(again) == members
        assert again.raft.hard_state == HardState(1, 0, 3)
        for leftover in segment.parent.glob("*.broken*"):
            leftover.unlink()


def test_a_cluster_that_begins_again_asks_the_others_first(tmp_path: Path) -> None:
    settings = founder(tmp_path / "d")
    started = open_only(settings)
    ask = Others(
        {
            f"{url}/members": members_reply(7, replace(started.local, client_urls=("http://127.0.0.1:1",)))
            for url in ("http://127.0.0.1:26131", "http://127.0.0.1:26141")
        }
    )
    with pytest.raises(BootstrapError, match="has already been bootstrapped"):
        open_only(settings, ask)
    open_only(settings)


def test_force_new_cluster_makes_one_of_three_that_had_not_begun(tmp_path: Path) -> None:
    settings = founder(tmp_path / "d", force_new_cluster="true")
    open_only(settings._replace(force_new_cluster=False))
    started = begin(settings)
    assert added(started) == [started.local.id]
    assert len(started.local.peer_urls) == 1
    again = open_only(settings)
    assert added(again) == [started.local.id]
    assert again.members.cluster_id == started.members.cluster_id


# joining

URLS = {name: f"http://127.0.0.1:2615{n}" for n, name in enumerate("abc")}
RUNNING = (
    Member(5, "a", (URLS["a"],), ("http://127.0.0.1:1",)),
    Member(6, "b", (URLS["b"],), ("http://127.0.0.1:2",)),
)
CLUSTER = cluster_id([5])
"""Of a cluster that member 5 has begun alone."""


def joiner(data_dir: Path, **settings: str) -> Config:
    everybody = ",".join(f"{name}={url}" for name, url in URLS.items())
    given = {"name": "c", "initial_cluster": everybody, "initial_cluster_state": "existing"}
    return config(data_dir, **given | settings)


def others(local: int = 7) -> Others:
    added = Member(local, "", (URLS["c"],))
    answers = {f"{URLS['b']}/members": members_reply(CLUSTER, *RUNNING, added)}
    return Others(answers | {f"{url}/version": version_reply("2.3.0") for url in URLS.values()})


def test_a_member_that_joins_has_an_empty_log_and_knows_the_others(tmp_path: Path) -> None:
    settings = joiner(tmp_path / "d", advertise_client_urls="http://127.0.0.1:3")
    started = open_only(settings, others())
    assert started.local == Member(7, "c", (URLS["c"],), ("http://127.0.0.1:3",))
    assert started.members.cluster_id == CLUSTER
    assert started.remotes == RUNNING
    assert (started.raft.log.last_index, started.raft.voters) == (0, ())
    assert read_wal(tmp_path / "d" / "member" / "wal").metadata == (7, CLUSTER)


def test_a_member_that_cannot_join_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError, match="could not retrieve cluster information"):
        open_only(joiner(tmp_path / "d"))
    assert not (tmp_path / "d").exists()


def waits(settings: Config, ask: AskPeer = nobody) -> None:
    """It comes back with nothing, and would not lead however long it waits."""
    raft = open_only(settings, ask).raft
    for _ in range(1000):
        raft.tick()
    assert not raft.ready().messages
    assert (raft.role, raft.voters, raft.log.last_index) == (RaftRole.FOLLOWER, (), 0)


ANY_SETTINGS: list[dict[str, str]] = [
    {},
    {"initial_cluster_state": "new"},
    {"initial_cluster_state": "new", "initial_cluster": f"c={URLS['c']}", "initial_advertise_peer_urls": URLS["c"]},
    {"name": "x", "initial_cluster_state": "new", "initial_cluster": "nonsense"},
]  # fmt: skip


@pytest.mark.parametrize("later", ANY_SETTINGS, ids=str)
def test_a_joiner_that_has_received_nothing_comes_back_as_one(later: dict[str, str], tmp_path: Path) -> None:
    open_only(joiner(tmp_path / "d"), others())
    waits(joiner(tmp_path / "d", **later))
    waits(joiner(tmp_path / "d"))


def test_a_joiner_that_has_received_nothing_looks_for_the_others_again(tmp_path: Path) -> None:
    open_only(joiner(tmp_path / "d"), others())
    again = open_only(joiner(tmp_path / "d"), others())
    assert again.remotes == RUNNING
    elsewhere = Others({f"{URLS['a']}/members": members_reply(CLUSTER + 1, *RUNNING)})
    assert open_only(joiner(tmp_path / "d"), elsewhere).remotes == ()


@pytest.mark.slow
def test_what_a_joiner_received_cut_short_at_any_byte_makes_no_leader_of_it(tmp_path: Path) -> None:
    """The worst case: it is there under the id of a first member, who had begun the cluster alone."""
    alone = replace(RUNNING[0], peer_urls=(URLS["c"],))
    token = {"name": "c", "initial_cluster": f"c={URLS['c']}", "initial_advertise_peer_urls": URLS["c"]}
    begun = open_only(config(tmp_path / "first", **token))
    founded, cluster = begun.local.id, begun.members.cluster_id
    ask = others()
    members = (replace(alone, id=founded), RUNNING[1], Member(9, "a", (URLS["a"],)))
    ask.answers[f"{URLS['b']}/members"] = members_reply(cluster, *members)
    settings = joiner(tmp_path / "d")
    started = open_only(settings, ask)
    assert (started.local.id, started.members.cluster_id) == (founded, cluster)
    received = [
        Entry(1, 1, addition(founded), EntryType.CONF_CHANGE),
        Entry(2, 2),
        Entry(2, 3, addition(6), EntryType.CONF_CHANGE),
        Entry(2, 4, addition(9), EntryType.CONF_CHANGE),
    ]
    segment = only_segment(tmp_path / "d")
    nothing = segment.stat().st_size
    wal, _ = WAL.open(segment.parent)
    wal.save(HardState(5, 0, 4), received)
    wal.close()
    whole = segment.read_bytes()
    for size in range(nothing, len(whole)):
        segment.write_bytes(whole[:size])
        waits(config(tmp_path / "d", **token))
        for leftover in segment.parent.glob("*.broken*"):
            leftover.unlink()
    segment.write_bytes(whole)
    assert added(open_only(settings)) == [founded, 6, 9]


def etcds_joiner(data_dir: Path, local: int, cluster: int, entries: list[Entry]) -> None:
    """What a joiner of etcd's own leaves when it ends early: nothing tells it from a first member's."""
    wal = WAL.create(data_dir / "member" / "wal", WalMetadata(local, cluster))
    wal.save(EMPTY_HARD_STATE, entries)
    wal.close()


def test_etcds_own_joiner_that_has_received_nothing_comes_back_as_one(tmp_path: Path) -> None:
    etcds_joiner(tmp_path / "d", 7, CLUSTER, [])
    with pytest.raises(BootstrapError, match="--initial-cluster-state existing if it was to join"):
        open_only(joiner(tmp_path / "d", initial_cluster_state="new", initial_advertise_peer_urls=URLS["c"]))
    waits(joiner(tmp_path / "d"))
    waits(joiner(tmp_path / "d", initial_cluster_state="new"))  # from now on the log itself says so


def test_etcds_own_joiner_does_not_take_the_first_member_for_the_whole_cluster(tmp_path: Path) -> None:
    etcds_joiner(tmp_path / "d", 5, CLUSTER, [Entry(1, 1, addition(5), EntryType.CONF_CHANGE)])
    waits(joiner(tmp_path / "d"))
    waits(joiner(tmp_path / "d"))


def test_force_new_cluster_makes_a_cluster_of_a_joiner_that_waits(tmp_path: Path) -> None:
    open_only(joiner(tmp_path / "d"), others())

    async def check(node: Node) -> None:
        assert [member.id for member in node.members] == [7]
        await node.propose(StoreRequest(method="PUT", path="/1/a", val=b"x"))

    run(joiner(tmp_path / "d", force_new_cluster="true"), check)
    run(joiner(tmp_path / "d"), check)


def test_the_log_of_a_joiner_may_have_a_directory_of_its_own(tmp_path: Path) -> None:
    settings = joiner(tmp_path / "d", wal_dir=str(tmp_path / "w"))
    open_only(settings, others())
    assert [path.suffix for path in (tmp_path / "w").iterdir()] == [".wal"]
    waits(settings)


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
    monkeypatch.setattr("server.node.leadership.QUORUM_PATIENCE", 1)
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
    monkeypatch.setattr("server.node.leadership.QUORUM_PATIENCE", 1)
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
            await node.propose(StoreRequest(method="PUT", path=f"/1/{n}", val=b"x"))
        node.store.set("/0/version", b"3.6.0", now=0)  # as an etcd of that version would have left it
        for n in range(20):
            await node.propose(StoreRequest(method="PUT", path=f"/1/{n}", val=b"x"))
        while not any(b"3.6.0" in path.read_bytes() for path in snapshots(settings)):
            await asyncio.sleep(0.01)

    run(settings, write)
    with pytest.raises(CannotApply, match=r"cluster cannot be downgraded \(current version: 2.3.8 is lower"):
        open_only(settings)


@pytest.mark.parametrize("own", [True, False], ids=["--wal-dir", "member/wal"])
def test_a_start_that_finds_snapshots_but_no_log_warns_before_it_starts_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, own: bool
) -> None:
    wal_dir = {"wal_dir": str(tmp_path / "elsewhere")} if own else {}
    snap = Path(config(tmp_path / "d").data_dir) / "member" / "snap"
    snap.mkdir(parents=True)
    (snap / "0000000000000002-0000000000000014.snap").write_bytes(b"x")
    open_only(config(tmp_path / "d", **wal_dir))
    (told,) = [text for text in caplog.messages if "starts EMPTY" in text]
    assert str(snap) in told
    assert str(tmp_path / "elsewhere" if own else tmp_path / "d" / "member" / "wal") in told
    assert "--wal-dir" in told
    assert caplog.messages.index(told) == 0


def test_a_first_start_does_not_warn_of_snapshots(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_only(config(tmp_path / "d", wal_dir=str(tmp_path / "w")))
    open_only(config(tmp_path / "d", wal_dir=str(tmp_path / "w")))
    assert "starts EMPTY" not in caplog.text


def test_settings_that_cannot_begin_leave_no_member_behind(tmp_path: Path) -> None:
    with pytest.raises(BootstrapError):
        open_only(config(tmp_path / "d", initial_cluster="b=http://127.0.0.1:1"))
    assert not (tmp_path / "d").exists()
