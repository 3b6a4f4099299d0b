"""What ends a process before or after it serves, seen from inside."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from server import process
from server.cluster import Member
from server.config import Config, load
from server.files import ConnectionLimits
from server.node import Node, open_member
from server.peer import Transport
from server.process import Ended, serve
from tests.support.asking import nobody


@pytest.fixture
def signals() -> Iterator[None]:
    """Are handled afterwards as they were before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_fault_nobody_expected_is_one_line_and_status_1(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    def fails(config: Config) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(process, "_check_data_dir", fails)
    assert serve(load({"data-dir": str(tmp_path / "d")})) == Ended(1)
    (record,) = [record for record in caplog.records if record.levelno >= logging.CRITICAL]
    assert "unexpected RuntimeError: out of order at " in record.getMessage()
    assert record.exc_info is None


@pytest.mark.usefixtures("signals")
def test_a_member_that_is_added_while_the_process_ends_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nodes: list[Node] = []
    stop = Transport.stop

    def make_node(*args: object, **settings: object) -> Node:
        nodes.append(Node(*args, **settings))  # type: ignore[arg-type]
        return nodes[-1]

    async def stop_and_add(transport: Transport) -> None:
        await stop(transport)
        await nodes[0].reconfiguration.add(Member(7, peer_urls=("http://127.0.0.1:7",)))
        await asyncio.wait((nodes[0].failed,), timeout=0.2)

    def end_when_ready(state: str) -> None:
        if state == "READY=1":
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(process, "collect_young_garbage", lambda: None)
    monkeypatch.setattr(process, "Node", make_node)
    monkeypatch.setattr(Transport, "stop", stop_and_add)
    monkeypatch.setattr(process, "notify", end_when_ready)
    config = load({"data-dir": str(tmp_path / "d")})
    started = open_member(config, resolve=lambda host: host, ask=nobody, now=1, random=Random(1))
    bound = [process._Bound(kind, [], []) for kind in ("peers", "client requests")]
    ended = asyncio.run(process._serve(config, started, None, bound, None, ConnectionLimits(10, 10)))
    assert ended is signal.SIGTERM
    assert started.members.get(7) is not None
