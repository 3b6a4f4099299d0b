"""Whatever a checkpoint was interrupted by, what lies in the etcd makes the same key space as the log in full."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from server.clocks import REAL_TIME
from server.gateway.gateways import Life
from server.gateway.layout import Layout, Mark, encode_batch
from server.gateway.loading import found, load
from server.gateway.replica import Replica
from server.gateway.tending import Tender
from server.gateway.v3 import Compare, Delete, Get, Put, V3Error
from server.storage.requests import StoreRequest, encode_request
from server.store import Store
from tests.server.gateway.memory import Etcd, MemoryV3

NOW = 1_800_000_000 * 10**9
SECOND = 10**9
LAYOUT = Layout()
BOOT = "0123456789abcdef"


class Crash(Exception):
    pass


class Office:
    """As if the gateway were the tender."""

    is_tender = True
    life = Life(BOOT, 1)


def state_of(store: Store) -> dict[str, Any]:
    """All that matters of a key space; not how its listings are ordered, nor what was counted."""
    frozen = store.freeze()
    events = []
    for index in range(1, store.index + 1):
        history = frozen.history
        if history.start_index <= index <= history.last_index:
            events.append(history.events[(history.front + index - history.start_index) % history.capacity])
    return {
        "index": store.index,
        "files": frozen.files,
        "directories": {
            path: (found.modified_index, found.created_index, found.expiration, sorted(found.children))
            for path, found in frozen.directories.items()
        },
        "events": events,
    }


def request(random: Random, clock: int) -> StoreRequest:
    """One of all kinds, on few keys, so that they meet."""
    names = "abc"
    path = "/1" + "".join(f"/{random.choice(names)}" for _ in range(random.randint(1, 4)))
    if random.random() < 0.1:
        path = "/2" + path[2:]
    value = random.choice((b"", b"x", b"\xff\x00", b"y" * 300))
    expiration = random.choice((0, 0, 0, clock + random.randint(1, 5) * SECOND))
    kind = random.random()
    if kind < 0.40:
        return StoreRequest(method="PUT", path=path, val=value, expiration=expiration)
    if kind < 0.50:
        return StoreRequest(method="PUT", path=path, dir=True, expiration=expiration, prev_exist=False)
    if kind < 0.55:
        return StoreRequest(method="PUT", path=path, dir=True, expiration=expiration)
    if kind < 0.60:
        return StoreRequest(method="PUT", path=path, val=value, prev_exist=True, expiration=expiration)
    if kind < 0.65:
        return StoreRequest(method="PUT", path=path, expiration=clock + SECOND, prev_exist=True, refresh=True)
    if kind < 0.70:
        return StoreRequest(method="PUT", path=path, val=value, prev_value=random.choice((b"x", b"y")))
    if kind < 0.78:
        return StoreRequest(method="POST", path=path, val=value, expiration=expiration)
    if kind < 0.84:
        return StoreRequest(method="DELETE", path=path)
    if kind < 0.87:
        return StoreRequest(method="DELETE", path=path, prev_value=b"x")
    if kind < 0.93:
        return StoreRequest(method="DELETE", path=path, dir=True, recursive=True)
    return StoreRequest(method="SYNC", time=clock)


async def append(etcd: Etcd, seq: int, requests: Sequence[StoreRequest]) -> None:
    puts = (Put(LAYOUT.record(BOOT, seq), encode_batch(map(encode_request, requests))), Put(LAYOUT.tail, b""))
    await MemoryV3(etcd).commit((), puts)


def follow(replica: Replica, etcd: Etcd, revision: int) -> None:
    """Applies what the log has from there on."""
    for changes in etcd.history[revision - 2 :]:
        for change in changes:
            if change.now.key.startswith(LAYOUT.log + BOOT.encode()) and not change.deleted:
                replica.apply(change.now.mod_revision, change.now.key, change.now.value, (), NOW)


async def recovered(etcd: Etcd) -> Replica:
    loaded = await load(MemoryV3(etcd), LAYOUT)
    replica = Replica(Store())
    replica.become(loaded.state, loaded.mark, loaded.stale)
    for kv in loaded.log:
        replica.apply(kv.mod_revision, kv.key, kv.value, (), NOW)
    assert not loaded.drifted
    return replica


def published(etcd: Etcd) -> dict[bytes, bytes]:
    return {key: kv.value for key, kv in etcd.keys.items() if key.startswith(b"/")}


def tender(etcd: Etcd, replica: Replica, operations: int) -> tuple[MemoryV3, Tender]:
    v3 = MemoryV3(etcd)
    made = Tender(
        v3,
        LAYOUT,
        Office(),  # type: ignore[arg-type]
        replica,
        REAL_TIME,
        stale=pytest.fail,  # type: ignore[arg-type]
        rest=lambda: asyncio.sleep(0),
        operations=operations,
    )
    made.mark_revision = etcd.keys[LAYOUT.mark].mod_revision
    return v3, made


async def play(seed: int) -> None:
    random = Random(seed)
    etcd = Etcd()
    await found(MemoryV3(etcd), LAYOUT)
    live = Replica(Store())
    operations = random.choice((1, 3, 12, 40, 110))
    v3, writer = tender(etcd, live, operations)
    whole = Replica(Store())
    clock, applied = NOW, etcd.revision + 1
    for seq in range(1, random.randint(3, 26)):
        clock += random.randint(0, 2 * SECOND)
        await append(etcd, seq, [request(random, clock) for _ in range(random.randint(1, 6))])
        if random.random() < 0.6:
            follow(live, etcd, applied)
            follow(whole, etcd, applied)
            applied = etcd.revision + 1
        allowed = random.randint(0, 4)

        def crash(_: object) -> None:
            nonlocal allowed
            allowed -= 1
            if allowed < 0:
                raise Crash

        v3.before, v3.after = (crash, v3.after) if random.random() < 0.5 else (v3.before, crash)
        try:
            while await writer.step():
                pass
        except Crash:
            # The gateway is gone, and another takes over with what lies there.
            again = await recovered(etcd)
            follow(live, etcd, applied)
            follow(whole, etcd, applied)
            applied = etcd.revision + 1
            assert state_of(again.store) == state_of(live.store)
            assert again.sum == live.sum
            live = again
            v3, writer = tender(etcd, live, operations)
            loaded = await load(MemoryV3(etcd), LAYOUT)
            writer.become(loaded)
    v3.before = v3.after = lambda _: None
    follow(live, etcd, applied)
    follow(whole, etcd, applied)
    while await writer.step():
        pass
    assert state_of((await recovered(etcd)).store) == state_of(whole.store)
    assert published(etcd) == {
        path[2:].encode(): file.value
        for path, file in whole.store.freeze().files.items()
        if path.startswith("/1/")
    }
    assert not [key for key in etcd.keys if key.startswith(LAYOUT.log + BOOT.encode())]


@pytest.mark.parametrize("seed", range(40))
def test_a_crash_after_any_transaction_changes_nothing(seed: int) -> None:
    asyncio.run(play(seed))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(100, 1000, 100))
def test_a_crash_after_any_transaction_changes_nothing_many_times(start: int) -> None:
    for seed in range(start, start + 100):
        print("seed", seed)
        asyncio.run(play(seed))


async def replica_with(etcd: Etcd, *requests: StoreRequest) -> Replica:
    await found(MemoryV3(etcd), LAYOUT)
    replica = Replica(Store())
    before = etcd.revision + 1
    for seq, asked in enumerate(requests, 1):
        await append(etcd, seq, [asked])
    follow(replica, etcd, before)
    return replica


def test_a_late_tender_changes_nothing() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        replica = await replica_with(etcd, StoreRequest(method="PUT", path="/1/a", val=b"1"))
        _, late = tender(etcd, replica, 110)
        other = await recovered(etcd)
        behind = etcd.revision + 1
        await append(etcd, 2, [StoreRequest(method="PUT", path="/1/a", val=b"2")])
        follow(other, etcd, behind)
        _, present = tender(etcd, other, 110)
        assert await present.step()
        before = dict(etcd.keys)
        assert not await late.step()
        assert etcd.keys == before
        # It hears of it, and goes on from there.
        follow(replica, etcd, behind)
        mark = etcd.keys[LAYOUT.mark]
        late.see_mark(Mark.decode(mark.value), mark.mod_revision)
        assert not await late.step()
        assert etcd.keys == before

    asyncio.run(scenario())


def test_a_sync_is_cut_between_two_of_its_events() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        puts = [
            StoreRequest(method="PUT", path=f"/1/{n}", val=b"v", expiration=NOW + n * SECOND)
            for n in range(9)
        ]
        replica = await replica_with(etcd, *puts, StoreRequest(method="SYNC", time=NOW + 20 * SECOND))
        v3, writer = tender(etcd, replica, 2)
        seen = []

        def note(operations: Sequence[Put | Delete | Get]) -> None:
            seen.append(len(published(etcd)))

        v3.after = note
        while await writer.step():
            again = await recovered(etcd)
            assert state_of(again.store) == state_of(replica.store)
        assert seen == [*range(1, 10), *range(8, -1, -1)]

    asyncio.run(scenario())


def test_a_directory_with_a_great_many_files_leaves_keys_of_others() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        puts = [StoreRequest(method="PUT", path=f"/1/d/{n}", val=b"v") for n in range(300)]
        replica = await replica_with(etcd, *puts)
        _, writer = tender(etcd, replica, 110)
        while await writer.step():
            pass
        await MemoryV3(etcd).commit((), (Put(b"/d/stranger", b"mine"), Put(b"/d2", b"mine")))
        before = etcd.revision + 1
        await append(etcd, 301, [StoreRequest(method="DELETE", path="/1/d", dir=True, recursive=True)])
        await append(etcd, 302, [StoreRequest(method="PUT", path="/1/d/7", val=b"new")])
        follow(replica, etcd, before)
        while await writer.step():
            pass
        assert published(etcd) == {b"/d/stranger": b"mine", b"/d2": b"mine", b"/d/7": b"new"}
        assert sorted(key for key in etcd.keys if key.startswith(LAYOUT.nodes)) == [
            LAYOUT.node("/1/d"),
            LAYOUT.node("/1/d/7"),
        ]
        assert not [key for key in etcd.keys if key.startswith(LAYOUT.gone)]

    asyncio.run(scenario())


def test_the_next_tender_removes_what_the_one_before_had_yet_to_remove() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        puts = [StoreRequest(method="PUT", path=f"/1/d/{n}", val=b"v") for n in range(120)]
        replica = await replica_with(
            etcd, *puts, StoreRequest(method="DELETE", path="/1/d", dir=True, recursive=True)
        )
        v3, writer = tender(etcd, replica, 110)
        for _ in range(2):
            await writer.step()
        assert len(published(etcd)) > 0

        def crash(_: object) -> None:
            raise V3Error("gone")

        while LAYOUT.mark in etcd.keys and len([k for k in etcd.keys if k.startswith(LAYOUT.gone)]) == 0:
            await writer.step()
        v3.before = crash
        with pytest.raises(V3Error):
            await writer.step()
        _, following = tender(etcd, await recovered(etcd), 110)
        while await following.step():
            pass
        assert published(etcd) == {}
        assert not [key for key in etcd.keys if key.startswith(LAYOUT.gone)]

    asyncio.run(scenario())


def test_a_key_that_somebody_else_has_written_is_read_as_it_was_and_put_right() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        replica = await replica_with(
            etcd,
            StoreRequest(method="PUT", path="/1/a", val=b"1"),
            StoreRequest(method="PUT", path="/1/b", val=b"2"),
        )
        _, writer = tender(etcd, replica, 110)
        while await writer.step():
            pass
        await MemoryV3(etcd).commit((), (Put(b"/a", b"stranger"), Delete(b"/b")))
        loaded = await load(MemoryV3(etcd), LAYOUT)
        assert loaded.drifted == ["/1/a", "/1/b"]
        assert {path: file.value for path, file in loaded.state.files.items()} == {"/1/a": b"1", "/1/b": b"2"}
        again = Replica(Store())
        again.become(loaded.state, loaded.mark)
        _, writer = tender(etcd, again, 110)
        writer.become(loaded)
        while await writer.step():
            pass
        assert published(etcd) == {b"/a": b"1", b"/b": b"2"}
        assert not (await load(MemoryV3(etcd), LAYOUT)).drifted

    asyncio.run(scenario())


def test_a_value_of_the_greatest_size_gets_into_a_checkpoint() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        value = b"\xff" * 1_400_000
        replica = await replica_with(etcd, StoreRequest(method="PUT", path="/1/a", val=value))
        _, writer = tender(etcd, replica, 110)
        while await writer.step():
            pass
        again = await recovered(etcd)
        assert again.store.get("/1/a", now=NOW).node.value == value
        # Its event was too long to be kept, so nobody may wait for what came before.
        assert again.store.freeze().history.start_index == 2

    asyncio.run(scenario())


def test_guards_hold_for_whole_ranges() -> None:
    etcd = Etcd()
    assert etcd.holds(Compare(b"/", "version", 0, b"0"))
    etcd.do([Put(b"/x", b"")])
    assert not etcd.holds(Compare(b"/", "version", 0, b"0"))


def test_a_tender_that_was_paused_within_a_checkpoint_does_not_put_the_mark_back() -> None:
    """Between the list of what it removes and the checkpoint itself another one becomes the tender, and the first sees
    that one's mark when it goes on."""

    async def scenario() -> None:
        etcd = Etcd()
        writes = [StoreRequest(method="PUT", path=f"/1/d/{n}", val=b"1") for n in range(60)]
        replica = await replica_with(etcd, *writes)
        v3, first = tender(etcd, replica, 110)
        while await first.step():
            pass
        behind = etcd.revision + 1
        await append(etcd, 61, [StoreRequest(method="DELETE", path="/1/d", dir=True, recursive=True)])
        follow(replica, etcd, behind)
        write, took_over = v3.commit, False

        async def commit(*what: Any) -> Any:
            nonlocal took_over
            done = await write(*what)
            if done.succeeded and not took_over:
                took_over = True
                await another_takes_over()
            return done

        async def another_takes_over() -> None:
            other = await recovered(etcd)
            at = etcd.revision + 1
            await append(etcd, 62, [StoreRequest(method="PUT", path="/1/a", val=b"2")])
            follow(other, etcd, at)
            _, second = tender(etcd, other, 110)
            while await second.step():
                pass
            follow(replica, etcd, at)
            there = etcd.keys[LAYOUT.mark]
            first.see_mark(Mark.decode(there.value), there.mod_revision)

        v3.commit = commit  # type: ignore[method-assign,assignment]
        await first.step()
        assert took_over
        assert Mark.decode(etcd.keys[LAYOUT.mark].value).index == replica.store.index
        assert state_of((await recovered(etcd)).store) == state_of(replica.store)

    asyncio.run(scenario())
