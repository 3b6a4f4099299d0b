"""Gateways of two releases, of which the later one applies a request otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.gateway.layout import Mark
from server.gateway.node import GatewayNode
from server.gateway.replica import RULES, Rules
from server.gateway.switching import SETTLED
from server.node import NodeFailed
from server.raft import NOBODY
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store, apply_request
from tests.server.gateway.memory import Etcd, MemoryV3
from tests.server.gateway.test_node import LAYOUT, TIMEOUT, put, quorum_read, until
from tests.support import virtual_time
from tests.support.virtual_time import VIRTUAL_TIME

NEXT = max(RULES) + 1


def in_capitals(store: Store, request: StoreRequest, now: int) -> Event | None:
    """What the later release makes of a request."""
    return apply_request(store, StoreRequest(method="PUT", path=request.path, val=request.val.upper()), now)


OLD: Rules = RULES
NEW: Rules = {**RULES, NEXT: in_capitals}


@asynccontextmanager
async def gateway(etcd: Etcd, name: str, rules: Rules) -> AsyncIterator[tuple[MemoryV3, GatewayNode]]:
    v3 = MemoryV3(etcd)
    node = GatewayNode(
        v3,
        LAYOUT,
        name=name,
        client_urls=(f"http://{name}:4001",),
        request_timeout=TIMEOUT,
        time=VIRTUAL_TIME,
        rules=rules,
    )
    try:
        await node.start()
        await until(lambda: node.leader != NOBODY)
        yield v3, node
    finally:
        await node.stop()


def rules_of(node: GatewayNode) -> int:
    return node.replica.position.rules


def test_the_next_rules_are_in_force_when_all_gateways_have_known_them_for_a_while() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "new1", NEW) as (_, one), gateway(etcd, "new2", NEW) as (_, two):
            async with gateway(etcd, "old", OLD) as (_, old):
                await asyncio.sleep(5 * SETTLED)
                await two.propose(put("a", b"x"))
                assert await quorum_read(old, "a") == b"x"
            await asyncio.sleep(SETTLED / 2)
            assert rules_of(one) == rules_of(two) == max(OLD)
            await asyncio.sleep(SETTLED)
            assert rules_of(one) == rules_of(two) == NEXT
            await two.propose(put("a", b"y"))
            assert await quorum_read(one, "a") == await quorum_read(two, "a") == b"Y"
            await until(lambda: not one.replica.is_ahead)
            assert Mark.decode(etcd.keys[LAYOUT.mark].value).rules == NEXT
            assert one.replica.sum == two.replica.sum
        async with gateway(etcd, "new3", NEW) as (_, three):
            assert await quorum_read(three, "a") == b"Y"
            await three.propose(put("b", b"z"))
            assert await quorum_read(three, "b") == b"Z"

    virtual_time.run(scenario())


def test_the_switch_is_appended_once() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "new1", NEW), gateway(etcd, "new2", NEW):
            await asyncio.sleep(10 * SETTLED)
            assert etcd.keys[LAYOUT.tail].version == 1

    virtual_time.run(scenario())


def test_a_gateway_that_is_not_the_tender_any_more_switches_nothing() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "new1", NEW), gateway(etcd, "new2", NEW) as (_, two):
            two._appender.switch(NEXT)
            await two.propose(put("a", b"x"))
            assert rules_of(two) == max(OLD)
            assert await quorum_read(two, "a") == b"x"

    virtual_time.run(scenario())


def test_a_gateway_of_the_release_before_that_comes_back_stops_and_applies_nothing_more() -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "new", NEW) as (_, new), gateway(etcd, "old", OLD) as (v3, old):
            await new.propose(put("a", b"x"))
            assert await quorum_read(old, "a") == b"x"
            life = old.members.life
            assert life is not None
            v3.cut = True  # paused
            etcd.wake()
            etcd.end_lease(life.lease)
            await until(lambda: rules_of(new) == NEXT)
            await new.propose(put("a", b"y"))
            v3.cut = False
            with pytest.raises(
                NodeFailed, match=f"go by rules {NEXT}, and this release knows 1 only: update it"
            ):
                await asyncio.wait_for(asyncio.shield(old.failed), 5)
            assert old.store.index == 1
            with pytest.raises(EtcdError, match="server stopped"):
                await old.propose(put("a"))

    virtual_time.run(scenario())


@pytest.mark.parametrize("is_written", [False, True], ids=["in the log", "in a checkpoint"])
def test_a_gateway_that_does_not_know_the_rules_in_force_does_not_start(*, is_written: bool) -> None:
    async def scenario() -> None:
        etcd = Etcd()
        async with gateway(etcd, "new", NEW) as (_, new):
            if not is_written:
                new.tender.step = asyncio.Event().wait  # type: ignore[method-assign]
            await until(lambda: rules_of(new) == NEXT)
            await asyncio.sleep(1)
            assert Mark.decode(etcd.keys[LAYOUT.mark].value).rules == (NEXT if is_written else max(OLD))
        with pytest.raises(NodeFailed, match="update it"):
            async with gateway(etcd, "old", OLD):
                pass
        with pytest.raises(NodeFailed, match="run an earlier one" if is_written else "rules 1"):
            async with gateway(etcd, "newest", {NEXT + 1: in_capitals}):
                pass

    virtual_time.run(scenario())
