"""Others who write clients' keys over v3 while gateways run."""

import asyncio

import pytest

from server.gateway import foreign
from server.gateway.node import GatewayNode
from server.gateway.v3 import Delete, Put
from server.storage.requests import StoreRequest
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.server.gateway.test_node import gateway, put, read, until, with_gateway
from tests.support import virtual_time


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for text in caplog.messages if "over the v3 API" in text]


@pytest.mark.parametrize("is_put", [True, False], ids=["written", "deleted"])
def test_it_is_told_once_and_readers_of_v3_get_the_value_again(
    caplog: pytest.LogCaptureFixture, *, is_put: bool
) -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("a", b"1"))
        await until(lambda: b"/a" in etcd.keys)
        for _ in range(3):
            etcd.do([Put(b"/a", b"stranger") if is_put else Delete(b"/a")])
            await asyncio.sleep(5)
            assert etcd.keys[b"/a"].value == b"1"
        assert read(node, "a") == b"1"
        assert node.store.index == 1

    with_gateway(test)
    what = "written" if is_put else "deleted"
    assert told(caplog) == [
        f"/a was {what} over the v3 API: clients of v2 do not see that, it gets v2's value again"
    ]


def test_a_key_that_is_none_of_v2_is_told_and_stays(caplog: pytest.LogCaptureFixture) -> None:
    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        await node.propose(put("d/a", b"1"))
        await until(lambda: b"/d/a" in etcd.keys)
        etcd.do([Put(b"/registry/x", b"1"), Put(b"/d", b"2")])
        await asyncio.sleep(5)
        etcd.do([Delete(b"/registry/x")])
        await asyncio.sleep(5)
        assert etcd.keys[b"/d"].value == b"2"

    with_gateway(test)
    assert told(caplog) == [
        f"{key} was written over the v3 API: that does not make it a key of v2; it is not changed"
        for key in ("/registry/x", "/d")
    ]


def test_what_gateways_write_themselves_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "g1") as (_, one), gateway(etcd, "g2") as (_, two):
            for n in range(200):
                await two.propose(put(f"d/{n}"))
            await two.propose(put("e", b"x" * 1000))
            await one.propose(StoreRequest(method="DELETE", path="/1/d", dir=True, recursive=True))
            await two.propose(put("t", expiration=two.clock() + 10**9))
            await asyncio.sleep(10)
            assert [key for key in etcd.keys if key.startswith(b"/")] == [b"/e"]
        async with gateway(etcd, "g3") as (_, three):
            await three.propose(put("e"))
            await asyncio.sleep(10)

    virtual_time.run(scenario())
    assert not told(caplog)


def test_when_very_many_are_written_not_all_are_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "MOST_TOLD", 3)

    async def test(etcd: Etcd, v3: MemoryV3, node: GatewayNode) -> None:
        for n in range(5):
            etcd.do([Put(b"/x%d" % n, b"")])
        await asyncio.sleep(5)

    with_gateway(test)
    assert len(told(caplog)) == 4
    assert told(caplog)[-1] == "3 keys have been written over the v3 API, no more are named"


def test_the_next_tender_goes_on_watching(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "g2") as (_, two), gateway(etcd, "g1") as (_, one):
            await one.propose(put("a", b"1"))
            await until(lambda: b"/a" in etcd.keys)
            await two.stop()
            await until(lambda: one.is_leader)
            await asyncio.sleep(1)
            etcd.do([Put(b"/a", b"stranger")])
            await until(lambda: etcd.keys[b"/a"].value == b"1")

    virtual_time.run(scenario())
    assert len(told(caplog)) == 1
