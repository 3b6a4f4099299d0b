"""A running member whose n-th call to the disk fails: it stops, and what it answered is there at the next start."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from server.node import Node, NodeFailed, OpenedMember, open_member
from server.storage.errors import StorageError
from server.storage.files import Files
from server.storage.requests import StoreRequest
from server.store.errors import EtcdError
from tests.server.node.test_start import answer, config
from tests.support import virtual_time
from tests.support.asking import nobody
from tests.support.virtual_time import VIRTUAL_TIME, LoopWorker

pytestmark = pytest.mark.slow

_CALLS = ("create", "reopen", "write", "datasync", "sync", "truncate", "rename", "remove", "sync_directory")
_WRITES = 24


class FailingDisk:
    """From its ``fail_at``-th call on, every call that changes the disk fails; a write after half of the data."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, error: int) -> None:
        self.calls = 0
        self._fail_at = fail_at
        self._error = error
        for name in _CALLS:
            monkeypatch.setattr(Files, name, self._failing(name, getattr(Files, name)))

    def _failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(files: Files, *arguments: Any) -> Any:
            self.calls += 1
            if self._fail_at and self.calls >= self._fail_at:
                if name == "write" and self.calls == self._fail_at:
                    real(files, arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise OSError(self._error, os.strerror(self._error))
            return real(files, *arguments)

        return call


def new_node(started: OpenedMember, snapshot_count: int) -> Node:
    return Node(
        started,
        heartbeat=0.05,
        request_timeout=5,
        snapshot_count=snapshot_count,
        time=VIRTUAL_TIME,
        worker=LoopWorker,
    )


async def live(data_dir: Path) -> list[int]:
    """A member from its first start through several snapshots; the writes that were answered until it failed."""
    settings = config(data_dir, snapshot_count="6")
    started = open_member(
        settings, resolve=lambda host: host, ask=nobody, now=VIRTUAL_TIME.wall(), random=Random(1)
    )
    node = new_node(started, settings.snapshot_count)
    answered = []
    try:
        await node.start()
        for n in range(_WRITES):
            await node.propose(StoreRequest(method="PUT", path=f"/1/{n}", val=b"%d" % n))
            answered.append(n)
            await asyncio.sleep(0.004)  # a snapshot is written meanwhile
    except (NodeFailed, EtcdError):
        pass
    finally:
        with suppress(StorageError):  # the last sync of all may be the call that fails
            await node.stop()
    return answered


def until_the_disk_fails(data_dir: Path) -> list[int]:
    try:
        return virtual_time.run(live(data_dir))
    except StorageError:
        return []  # it did not even start


async def read(data_dir: Path) -> dict[str, str]:
    started = open_member(
        config(data_dir), resolve=lambda host: host, ask=nobody, now=VIRTUAL_TIME.wall(), random=Random(1)
    )
    node = new_node(started, 0)
    await node.start()
    try:
        await node.propose(StoreRequest(method="PUT", path="/1/again", val=b"yes"))
        return {item["key"]: item["value"] for item in answer(node, "/")["node"]["nodes"]}
    finally:
        await node.stop()


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["broken", "full"])
def test_what_a_member_answered_outlives_a_disk_that_fails_at_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    with monkeypatch.context() as patch:
        disk = FailingDisk(patch, 0, error)
        assert until_the_disk_fails(tmp_path / "healthy") == list(range(_WRITES))
    assert disk.calls > 60
    assert len(list((tmp_path / "healthy" / "member" / "snap").glob("*.snap"))) > 1
    counts = set()
    for fail_at in range(1, disk.calls + 1):
        data_dir = tmp_path / f"{fail_at}"
        with monkeypatch.context() as patch:
            FailingDisk(patch, fail_at, error)
            answered = until_the_disk_fails(data_dir)
        counts.add(len(answered))
        found = virtual_time.run(read(data_dir))
        assert found.pop("/again") == "yes"
        assert {f"/{n}" for n in answered} <= found.keys()
        assert all(value == key.removeprefix("/") for key, value in found.items())
        assert len(found) <= len(answered) + 1
    assert len(counts) > 12  # it failed early and late
