"""What remains of gateways' keys when they are given up: keys of v3, with leases, and nothing else."""

import asyncio
from collections.abc import Callable

import pytest

from server.clocks import Time
from server.gateway.layout import LEAVING, Layout, LayoutError, Registration
from server.gateway.leaving import leave
from server.gateway.loading import found
from server.gateway.v3 import Put, V3Error
from server.storage.requests import StoreRequest
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.server.gateway.test_recovery import NOW, SECOND, published, replica_with

LAYOUT = Layout()
TIME = Time(lambda: NOW, lambda: 0.0, asyncio.sleep)
REQUESTS = (
    StoreRequest(method="PUT", path="/1/a", val=b"1"),
    StoreRequest(method="PUT", path="/1/ttl", val=b"2", expiration=NOW + 9 * SECOND),
    StoreRequest(method="PUT", path="/1/d", dir=True, expiration=NOW + 5 * SECOND),
    StoreRequest(method="PUT", path="/1/d/e/b", val=b"3"),
    StoreRequest(method="PUT", path="/1/d/c", val=b"4", expiration=NOW + 3 * SECOND),
    StoreRequest(method="PUT", path="/1/over", val=b"5", expiration=NOW - SECOND),
    StoreRequest(method="PUT", path="/2/users/root", val=b"{}"),
)


def leased(etcd: Etcd) -> list[set[bytes]]:
    return sorted((keys for keys in etcd.leases.values() if keys), key=sorted)


def test_a_plain_key_space_remains() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        await replica_with(etcd, *REQUESTS)
        etcd.do([Put(b"elsewhere", b"x")])
        left = await leave(MemoryV3(etcd), LAYOUT, TIME)
        assert (left.keys, left.leased, left.ended, left.users) == (4, 3, 1, 1)
        assert published(etcd) == {b"/a": b"1", b"/ttl": b"2", b"/d/e/b": b"3", b"/d/c": b"4"}
        assert etcd.keys.keys() == {b"/a", b"/ttl", b"/d/e/b", b"/d/c", b"elsewhere"}
        assert leased(etcd) == [{b"/d/c"}, {b"/d/e/b"}, {b"/ttl"}]

    asyncio.run(scenario())


def test_it_can_be_repeated_whenever_it_was_broken_off() -> None:
    async def scenario() -> None:
        for crash_at in range(60):
            etcd = Etcd()
            await replica_with(etcd, *REQUESTS)
            v3 = MemoryV3(etcd)
            v3.before = failing_after(crash_at)
            try:
                await leave(v3, LAYOUT, TIME)
            except V3Error:
                pass
            else:
                assert crash_at > 5
                return
            if LAYOUT.format in etcd.keys and etcd.keys[LAYOUT.format].value == LAYOUT.format_value(LEAVING):
                with pytest.raises(LayoutError, match="etcd02 gateway leave"):
                    await found(MemoryV3(etcd), LAYOUT)
            await leave(MemoryV3(etcd), LAYOUT, TIME)
            assert etcd.keys.keys() == {b"/a", b"/ttl", b"/d/e/b", b"/d/c"}
            assert leased(etcd) == [{b"/d/c"}, {b"/d/e/b"}, {b"/ttl"}]
        raise AssertionError("it never came to its end")

    asyncio.run(scenario())


def failing_after(count: int) -> Callable[[object], None]:
    def fail(_: object) -> None:
        nonlocal count
        count -= 1
        if count < 0:
            raise V3Error("gone")

    return fail


def test_while_a_gateway_runs_it_is_refused() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        await replica_with(etcd, *REQUESTS)
        etcd.do([Put(LAYOUT.gateway(7), Registration("g1", (), "0" * 16, 0).encode())])
        with pytest.raises(LayoutError, match="gateways are running: g1"):
            await leave(MemoryV3(etcd), LAYOUT, TIME)

    asyncio.run(scenario())


def test_where_there_is_none_it_is_refused() -> None:
    with pytest.raises(LayoutError, match="no keys of gateways"):
        asyncio.run(leave(MemoryV3(Etcd()), LAYOUT, TIME))


@pytest.mark.parametrize("other", [Layout(), Layout("/new"), Layout("/old/er")])
def test_records_that_belong_to_keys_of_another_prefix_are_left_alone(other: Layout) -> None:
    """Read with another DATA, all keys would be missing, and seem to have been deleted over the v3 API."""

    async def scenario() -> None:
        etcd = Etcd()
        v3 = MemoryV3(etcd)
        await found(v3, Layout("/old"))
        etcd.do([Put(b"/old/a", b"1")])
        before = dict(etcd.keys)
        with pytest.raises(LayoutError, match="--gateway-data-prefix=/old, as at the first start"):
            await leave(v3, other, TIME)
        with pytest.raises(LayoutError, match="--gateway-data-prefix=/old, as at the first start"):
            await found(v3, other)
        assert etcd.keys == before

    asyncio.run(scenario())
