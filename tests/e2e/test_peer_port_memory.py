"""What is sent to the peer port does not fill a member's memory."""

import contextlib
import re
import socket
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member, request

MIB = 1 << 20
LONG = 64 * MIB


@pytest.mark.slow
@pytest.mark.parametrize("beginning", [b"\x08\x07", b"\x08\x03"], ids=["snapshots", "appends"])
def test_long_bodies_that_never_end_hold_no_more_than_one_of_the_longest_and_members_are_heard(
    tmp_path: Path, beginning: bytes
) -> None:
    member = Member(tmp_path / "m")
    with member.start() as process, contextlib.ExitStack() as stack:
        cluster = request(member.peer_port, "GET", "/members").headers["x-etcd-cluster-id"]
        head = (
            f"POST /raft HTTP/1.1\r\nHost: x\r\nX-Server-Version: 2.3.8\r\nX-Min-Cluster-Version: 2.0.0\r\n"
            f"X-Etcd-Cluster-ID: {cluster}\r\nContent-Length: {LONG}\r\n\r\n"
        )
        sent = 0
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", member.peer_port), PATIENCE))
            with contextlib.suppress(ConnectionError):
                sock.sendall(head.encode() + beginning)
                for _ in range(63):
                    sock.sendall(bytes(MIB))
                    sent += MIB
            assert process.put("/a", "1").status in (200, 201)
        assert sent >= 512 * MIB
        status = Path(f"/proc/{process.popen.pid}/status").read_text()
        (most,) = map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))
        assert most < (512 + 300) * 1024
        assert request(member.peer_port, "GET", "/raft/probing").status == 200
