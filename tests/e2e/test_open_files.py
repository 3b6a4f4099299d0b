"""Clients cannot take away the files that the member itself needs."""

import contextlib
import resource
import socket
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member


def with_files(count: int) -> tuple[str, ...]:
    return ("prlimit", f"--nofile={count}:{count}")


@pytest.mark.slow
def test_a_member_with_more_clients_than_files_goes_on_and_serves_again_when_they_have_gone(
    tmp_path: Path,
) -> None:
    member = Member(tmp_path / "m", snapshot_count="20")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1000
    with member.launch(under=with_files(200)) as process, contextlib.ExitStack() as stack:
        process.wait_until_serving()
        address = ("127.0.0.1", member.client_port)
        writer = stack.enter_context(socket.create_connection(address, PATIENCE))
        get = b"GET /v2/keys/ HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.sendall(get)
        assert writer.recv(4000).startswith(b"HTTP/1.1 200 OK")
        with contextlib.ExitStack() as crowd:
            for _ in range(300):
                crowd.enter_context(socket.create_connection(address, PATIENCE))
            for _ in range(60):  # more than one snapshot, and a file of the log for each
                writer.sendall(b"PUT /v2/keys/a?value=1 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert writer.recv(4000).startswith(b"HTTP/1.1 20")
            assert len(list(Path(f"/proc/{process.popen.pid}/fd").iterdir())) < 150
        assert process.get("/a").status == 200
        assert process.popen.poll() is None
        assert process.log.count("there are as many connections as may be") == 1
        assert process.stop() < 0 or process.popen.returncode == 0


@pytest.mark.slow
def test_a_limit_of_open_files_that_leaves_none_for_clients_is_refused(tmp_path: Path) -> None:
    with Member(tmp_path / "m").launch(under=with_files(150)) as process:
        assert process.popen.wait(PATIENCE) == 1
        assert (
            "file descriptor limit[150] of etcd process is too low, and should be set higher than 150"
            in process.log
        )
        assert "Traceback" not in process.log
    assert not (tmp_path / "m" / "member").exists()
