"""The way of a write is the one that ``docs/architecture.md`` describes."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from random import Random
from types import FrameType

import pytest
import uvloop

from server.api.client import ClientApi
from server.config import load
from server.http.serving import Listening
from server.http.serving import serve as serve_http
from server.listen import listen
from server.node import Node, open_member
from server.node.logwriter import SyncTimes
from tests.support.asking import nobody

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
PEER = "http://127.0.0.1:24201"
PUT = (
    b"PUT /v2/keys/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 7\r\n\r\nvalue=1"
)


def walk() -> str:
    return PAGE.read_text("utf-8").split("### One PUT through the server")[1].split("\n\n")[2]


def stops() -> list[tuple[str, str]]:
    """File and function of each stop of the walk."""
    return re.findall(r"^\d+\. `([\w/]+\.py)`, `([\w.]+)`", walk(), re.MULTILINE)


def named() -> set[str]:
    """All files that the walk names, those in brackets included. One without a room is in the room of its stop."""
    files: set[str] = set()
    for stop in re.split(r"^\d+\. ", walk(), flags=re.MULTILINE)[1:]:
        first, *others = re.findall(r"`([\w/]+\.py)`", stop)
        room = first.rpartition("/")[0]
        files |= {first, *(other if "/" in other else f"{room}/{other}" for other in others)}
    return files


async def put_once(data_dir: Path, seen: list[tuple[str, str]]) -> bytes:
    """The answer of a member whose disk is quick to one PUT by a socket, whose way is noted."""
    settings = load(
        {
            "name": "a",
            "data-dir": str(data_dir),
            "initial-advertise-peer-urls": PEER,
            "initial-cluster": f"a={PEER}",
        }
    )
    opened = open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))
    always = SyncTimes(count=0, slow=float("inf"))
    node = Node(opened, heartbeat=0.1, request_timeout=5, snapshot_count=10_000, sync_times=always)
    await node.start()
    while node.members.version is None:  # it has nothing to write by itself any more
        await asyncio.sleep(0.001)
    sock = listen("http://127.0.0.1:0")
    serving = await serve_http(ClientApi(node).handle, [Listening(sock, None)])
    reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and "/server/" in name:
            seen.append((name.rpartition("/server/")[2], frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        writer.write(PUT)
        return await reader.readuntil(b"}\n")
    finally:
        sys.setprofile(before)
        writer.close()
        await serving.cleanup()
        await node.stop()


@pytest.mark.interpreted
def test_a_put_goes_through_at_most_seven_short_files_and_they_are_those_of_the_page(tmp_path: Path) -> None:
    expected = stops()
    files = {file for file, _ in expected}
    assert 5 <= len(files) <= 7
    assert files < named()
    lengths = {file: len((ROOT / "server" / file).read_text("utf-8").splitlines()) for file in named()}
    assert all(length < 400 for length in lengths.values()), lengths
    seen: list[tuple[str, str]] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(put_once(tmp_path, seen))
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
    assert [stop for stop in dict.fromkeys(seen) if stop in expected] == expected
    assert named() <= {file for file, _ in seen}
    between = seen[seen.index(expected[0]) : seen.index(expected[-1])]
    rooms = {file.rpartition("/")[0] for file, _ in between}
    assert rooms - {""} == {"api", "auth", "http", "node", "raft", "storage", "store"}, (
        "no other room is on the way"
    )
