"""A real etcd over gRPC does what the etcd in memory does, on which everything else is tested."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from server.config.gateway import GatewaySettings
from server.gateway.grpc3 import GrpcV3
from server.gateway.v3 import (
    V3,
    Change,
    Compacted,
    Compare,
    Delete,
    Get,
    LeaseLost,
    Put,
    Refused,
    V3Error,
)
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.support.etcd3 import RELEASES, Node, binary_of
from tests.support.real_etcd import HOW_35, etcd35, required

pytestmark = [pytest.mark.slow, pytest.mark.real_etcd]

KINDS = ("memory", *RELEASES)


@pytest.fixture(params=KINDS, scope="module")
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a real etcd; empty for the one in memory."""
    if request.param == "memory":
        yield ""
        return
    with Node(tmp_path_factory.mktemp("etcd") / "v3") as node:
        node.start(binary_of(request.param))
        yield node.url


def run(endpoint: str, test: Callable[[V3], Awaitable[None]]) -> None:
    async def scenario() -> None:
        if not endpoint:
            await test(MemoryV3(Etcd()))
            return
        v3 = GrpcV3(GatewaySettings((endpoint,)))
        try:
            await v3.commit((), (Delete(b"\0", b"\xff"),))
            await test(v3)
        finally:
            await v3.close()

    asyncio.run(scenario())


async def first(v3: V3, revision: int, count: int = 1) -> list[list[Change]]:
    """What a watch tells first."""
    found = []
    async with asyncio.timeout(20):
        async for changes in v3.watch(b"w/", b"w0", revision):
            found.append(changes)
            if len(found) == count:
                break
    return found


def test_keys_are_read_in_order_and_in_pages_as_of_a_revision(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        done = await v3.commit((), [Put(b"k/%d" % n, b"v") for n in range(5)])
        await v3.commit((), (Put(b"k/1", b"later"), Delete(b"k/4")))
        now = await v3.get(b"k/", b"k0")
        assert [(kv.key, kv.value, kv.version) for kv in now.found] == [
            (b"k/0", b"v", 1),
            (b"k/1", b"later", 2),
            (b"k/2", b"v", 1),
            (b"k/3", b"v", 1),
        ]
        page = await v3.get(b"k/", b"k0", revision=done.revision, limit=2)
        assert ([kv.value for kv in page.found], page.more, page.total) == ([b"v", b"v"], True, 5)
        assert page.found[0].mod_revision == done.revision
        assert page.revision == now.revision == done.revision + 1
        only_keys = await v3.get(b"k/1", keys_only=True)
        assert only_keys.found[0].value == b""

    run(endpoint, test)


def test_a_transaction_is_done_whole_or_not_at_all(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        guard = Compare(b"a", "version", 0)
        done = await v3.commit((guard,), (Put(b"a", b"1"), Put(b"b", b"1")), (Get(b"a"),))
        assert (done.succeeded, done.found) == (True, [])
        refused = await v3.commit((guard,), (Put(b"b", b"2"),), (Get(b"a"), Get(b"nothing")))
        assert not refused.succeeded
        assert [(kv.key, kv.mod_revision, kv.version) for kv in refused.found] == [(b"a", done.revision, 1)]
        assert refused.revision == done.revision
        for holds, compare in (
            (True, Compare(b"a", "mod", done.revision)),
            (False, Compare(b"a", "mod", done.revision + 1)),
            (True, Compare(b"a", "value", b"1")),
            (False, Compare(b"nothing", "value", b"")),
            (False, Compare(b"a", "version", 0, b"c")),
            (True, Compare(b"x", "version", 0, b"z")),
        ):
            assert (await v3.commit((compare,), (Get(b"a"),))).succeeded == holds, compare

    run(endpoint, test)


@pytest.mark.parametrize(
    "operations",
    [
        [Put(b"a", b"1"), Put(b"a", b"2")],
        [Put(b"d/a", b"1"), Delete(b"d/", b"d0")],
        [Put(b"%d" % n, b"") for n in range(129)],
        [Put(b"a", b"x" * 1_700_000)],
    ],
    ids=["twice", "in a range that goes", "too many", "too large"],
)
def test_what_etcd_does_not_take_is_refused(endpoint: str, operations: list[Put | Delete]) -> None:
    async def test(v3: V3) -> None:
        before = (await v3.get(b"a")).revision
        with pytest.raises(Refused):
            await v3.commit((), operations)
        assert (await v3.get(b"a")).revision == before

    run(endpoint, test)


def test_a_watch_tells_all_that_a_transaction_did_at_once_and_from_the_past(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        done = await v3.commit((), (Put(b"w/a", b"1"), Put(b"w/b", b"1"), Put(b"x", b"1")))
        await v3.commit((), (Delete(b"w/a"), Put(b"w/b", b"2")))
        one, other = await first(v3, done.revision, 2)
        assert [(change.now.key, change.now.value, change.now.mod_revision) for change in one] == [
            (b"w/a", b"1", done.revision),
            (b"w/b", b"1", done.revision),
        ]
        assert sorted((change.now.key, change.deleted, change.now.value) for change in other) == [
            (b"w/a", True, b""),
            (b"w/b", False, b"2"),
        ]
        following = asyncio.ensure_future(first(v3, done.revision + 2))
        await asyncio.sleep(0.3)
        await v3.commit((), (Put(b"w/c", b"3"),))
        ((change,),) = await following
        assert (change.now.key, change.now.mod_revision) == (b"w/c", done.revision + 2)

    run(endpoint, test)


def test_what_was_compacted_is_told(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        old = await v3.commit((), (Put(b"w/a", b"1"),))
        new = await v3.commit((), (Put(b"w/a", b"2"),))
        await v3.commit((), (Put(b"w/a", b"3"),))
        await v3.compact(new.revision)
        with pytest.raises(Compacted):
            await v3.get(b"w/a", revision=old.revision)
        with pytest.raises(Compacted):
            await first(v3, old.revision)
        assert len(await first(v3, new.revision, 2)) == 2

    run(endpoint, test)


def test_with_a_lease_that_is_gone_nothing_happens(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        lease = await v3.grant(60)
        await v3.commit((), (Put(b"l", b"1", lease),))
        await v3.keep_alive(lease)
        await v3.revoke(lease)
        assert not (await v3.get(b"l")).found
        with pytest.raises(LeaseLost):
            await v3.keep_alive(lease)
        with pytest.raises(LeaseLost):
            await v3.commit((), (Put(b"l", b"1", lease), Put(b"m", b"1")))
        assert not (await v3.get(b"m")).found
        refused = await v3.commit((Compare(b"l", "version", 9),), (Put(b"l", b"1", lease),))
        assert not refused.succeeded

    run(endpoint, test)


def test_it_says_how_it_is(endpoint: str) -> None:
    async def test(v3: V3) -> None:
        await v3.get(b"a")
        status = await v3.status()
        assert status.version.startswith("3.")
        assert status.size > 0
        assert (v3.cluster_id > 0, v3.term > 0) == (True, True)

    run(endpoint, test)


def test_an_endpoint_that_does_not_answer_is_left(tmp_path: Path) -> None:
    with Node(tmp_path / "v3") as node:
        node.start(required(etcd35(), HOW_35))

        async def scenario() -> None:
            v3 = GrpcV3(GatewaySettings(("http://127.0.0.1:1", node.url)))
            with pytest.raises(V3Error, match=r"127\.0\.0\.1:1"):
                await v3.get(b"a")
            await v3.get(b"a")
            assert v3.endpoint == node.url.removeprefix("http://")
            await v3.close()

        asyncio.run(scenario())


@pytest.mark.parametrize("endpoint", RELEASES, indirect=True)  # the one in memory greets nobody
def test_an_etcd_that_takes_more_than_a_second_to_greet_is_reached(endpoint: str) -> None:
    async def scenario() -> None:
        host, _, port = endpoint.removeprefix("http://").rpartition(":")

        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(1 << 16):
                writer.write(data)
            writer.close()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_etcd, to_etcd = await asyncio.open_connection(host, int(port))
            upwards = asyncio.create_task(pass_on(reader, to_etcd))
            await asyncio.sleep(1.5)
            await pass_on(from_etcd, writer)
            await upwards

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        slow = server.sockets[0].getsockname()[1]
        v3 = GrpcV3(GatewaySettings((f"http://127.0.0.1:{slow}",)))
        try:
            async with asyncio.timeout(15):
                while True:
                    try:
                        await v3.get(b"k")
                        break
                    except V3Error:
                        await asyncio.sleep(0.1)
        finally:
            await v3.close()
            server.close()

    asyncio.run(scenario())
