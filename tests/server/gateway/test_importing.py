"""A key space that is put into an etcd is what gateways begin with, also when it was broken off and begun again."""

import asyncio
from random import Random

import pytest

from server.gateway.importing import write
from server.gateway.layout import Layout, LayoutError
from server.gateway.loading import found
from server.gateway.v3 import Put, V3Error
from server.storage.requests import StoreRequest
from server.store import EtcdError, Store, apply_request
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.server.gateway.test_leaving import failing_after
from tests.server.gateway.test_recovery import NOW, SECOND, published, recovered, request, state_of

LAYOUT = Layout()


def filled(seed: int, writes: int = 400) -> Store:
    """With what a member keeps of its cluster, and history."""
    random, store = Random(seed), Store()
    store.set("/0/members/1/attributes", b"{}", now=NOW)
    for n in range(writes):
        asked = request(random, NOW + n * SECOND)
        try:
            apply_request(store, asked, NOW)
        except EtcdError:
            continue
    return store


def without_members(store: Store) -> dict[str, object]:
    state = state_of(store)
    for part in ("files", "directories"):
        state[part] = {path: node for path, node in state[part].items() if not path.startswith("/0")}
    return state


@pytest.mark.parametrize("seed", range(5))
def test_gateways_go_on_from_it(seed: int) -> None:
    async def scenario() -> None:
        etcd, store = Etcd(), filled(seed)
        done = await write(MemoryV3(etcd), LAYOUT, store.freeze())
        assert done.at == store.index
        again = await recovered(etcd)
        assert without_members(again.store) == without_members(store)
        files = store.freeze().files
        assert published(etcd) == {
            path[2:].encode(): file.value for path, file in files.items() if path.startswith("/1/")
        }
        await found(MemoryV3(etcd), LAYOUT)  # as at a start

    asyncio.run(scenario())


def test_what_was_broken_off_is_refused_by_gateways_and_begins_again() -> None:
    async def scenario() -> None:
        store, other = filled(1), filled(2)
        for crash_at in range(20):
            etcd = Etcd()
            v3 = MemoryV3(etcd)
            v3.before = failing_after(crash_at)
            try:
                await write(v3, LAYOUT, other.freeze())
            except V3Error:
                pass
            else:
                return
            if LAYOUT.format in etcd.keys:
                with pytest.raises(LayoutError):
                    await found(MemoryV3(etcd), LAYOUT)
            await write(MemoryV3(etcd), LAYOUT, store.freeze())
            assert without_members((await recovered(etcd)).store) == without_members(store)
            assert len(published(etcd)) == sum(path.startswith("/1/") for path in store.freeze().files)

    asyncio.run(scenario())


def test_an_etcd_with_keys_is_refused() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        await write(MemoryV3(etcd), LAYOUT, filled(1).freeze())
        before = dict(etcd.keys)
        with pytest.raises(LayoutError, match="name another prefix"):
            await write(MemoryV3(etcd), LAYOUT, filled(2).freeze())
        assert etcd.keys == before
        strange = Etcd()
        strange.do([Put(b"/a", b"")])
        with pytest.raises(LayoutError, match="the first is /a"):
            await write(MemoryV3(strange), LAYOUT, filled(2).freeze())

    asyncio.run(scenario())


def test_a_value_that_no_gateway_takes_is_named_before_anything_is_written() -> None:
    async def scenario() -> None:
        etcd, store = Etcd(), Store()
        apply_request(store, StoreRequest(method="PUT", path="/1/big", val=b"x" * 1_400_001), NOW)
        with pytest.raises(LayoutError, match="the value of /big has 1400001 bytes"):
            await write(MemoryV3(etcd), LAYOUT, store.freeze())
        assert not etcd.keys

    asyncio.run(scenario())


def test_an_import_that_was_broken_off_is_not_gone_on_with_below_another_prefix() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        v3 = MemoryV3(etcd)
        v3.before = failing_after(1)
        with pytest.raises(V3Error):
            await write(v3, Layout("/old"), filled(1).freeze())
        before = dict(etcd.keys)
        with pytest.raises(LayoutError, match="--gateway-data-prefix=/old"):
            await write(MemoryV3(etcd), Layout("/new"), filled(1).freeze())
        assert etcd.keys == before
        await write(MemoryV3(etcd), Layout("/old"), filled(1).freeze())

    asyncio.run(scenario())
