"""A disk that fills up under ``etcd02``: the process says so and ends; with room again, all that was answered is there.

The disk is full for a file that must not grow any more (RLIMIT_FSIZE): what can be had on any machine, as root or not.
"""

import contextlib
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_etcd02_process import ETCD02, Old
from tests.support.process import PATIENCE, Process

pytestmark = pytest.mark.slow

ROOM = 300_000
"""Bytes that a file may have."""

VALUE = "v" * 20_000

_WITH_LIMIT = (
    "import os, resource, sys; limit = int(sys.argv[1]); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); os.execv(sys.argv[2], sys.argv[2:])"
)

FULL = (
    "0000000000000000-0000000000000000.wal: File too large. "
    "What was not acknowledged is lost; make the disk writable and start again"
)


@contextlib.contextmanager
def limited(old: Old) -> Iterator[Process]:
    argv = [sys.executable, "-c", _WITH_LIMIT, str(ROOM), ETCD02, *old.words]
    with Process(argv, old.client_port) as process:
        yield process


def write_until_it_fails(process: Process, first: int) -> list[str]:
    """The keys whose writes were answered."""
    answered: list[str] = []
    for n in range(first, first + 100):
        try:
            reply = process.put(f"/k{n}", VALUE)
        except (OSError, http.client.HTTPException):
            return answered
        if reply.status != 201:
            assert reply.status == 500, reply
            return answered
        answered.append(f"/k{n}")
    raise AssertionError("the disk never filled up")


def keys_in(process: Process) -> list[str]:
    listing = process.get("/", "sorted=true").json()["node"]
    assert isinstance(listing, dict)
    nodes = listing.get("nodes", [])
    assert all(node["value"] == VALUE for node in nodes)
    return [node["key"] for node in nodes]


def test_a_full_disk_ends_the_process_and_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    old = Old(tmp_path / "D")
    answered: list[str] = []
    for start in range(2):  # started again on the full disk, it serves what it has until the next write
        with limited(old) as member:
            member.wait_until_serving()
            assert set(answered) <= set(keys_in(member))
            answered += write_until_it_fails(member, first=1000 * start)
            assert member.popen.wait(PATIENCE) == 1
            complaints = [line for line in member.log.splitlines() if FULL in line]
            assert len(complaints) == 1
            assert f"{tmp_path}/D/member/wal/" in complaints[0]
            assert "Traceback" not in member.log
    assert len(answered) > 5
    with old.launch() as member:
        member.wait_until_serving()
        assert set(answered) <= set(keys_in(member))
        assert member.put("/room", VALUE).status == 201
    with old.launch() as member:
        member.wait_until_serving()
        assert {*answered, "/room"} <= set(keys_in(member))
