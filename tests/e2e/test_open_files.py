"""Clients cannot take away the files that the member itself needs."""

import contextlib
import resource
import socket
from collections.abc import Iterator
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


@contextlib.contextmanager
def crowd(*ports: int, sent: bytes = b"") -> Iterator[list[socket.socket]]:
    """Six hundred connections to each that ask nothing."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(some_connection(port, sent)) for port in ports for _ in range(600)]


def some_connection(port: int, sent: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    with contextlib.suppress(ConnectionError):
        sock.sendall(sent)
    return sock


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /raft HTTP/1.1\r\nHost: x\r\nX-Server-Version: 2.3.8\r\nContent-Length: 99\r\n\r\n\x08",
        b"GET /members HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half a message", "a question"],
)
def test_a_crowd_on_the_peer_port_takes_neither_files_nor_the_place_of_a_member(
    tmp_path: Path, sent: bytes
) -> None:
    """600 connections on each port of a member with 400 files: it writes logs and snapshots, and another joins it."""
    first = Member(tmp_path / "m1", "m1", snapshot_count="20")
    second = Member(tmp_path / "m2", "m2", snapshot_count="20")
    with first.launch(under=with_files(400)) as process, contextlib.ExitStack() as stack:
        process.wait_until_serving()
        writer = stack.enter_context(socket.create_connection(("127.0.0.1", first.client_port), PATIENCE))
        with crowd(first.peer_port, sent=sent), crowd(first.client_port):
            for _ in range(60):
                writer.sendall(b"PUT /v2/keys/a?value=1 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert writer.recv(4000).startswith(b"HTTP/1.1 20")
            files = len(list(Path(f"/proc/{process.popen.pid}/fd").iterdir()))
            assert files < 400, files
            peer_url = second.settings["initial-advertise-peer-urls"]
            body = b'{"peerURLs":["%s"]}' % peer_url.encode()
            head = b"Host: x\r\nContent-Type: application/json\r\nContent-Length: %d" % len(body)
            writer.sendall(b"POST /v2/members HTTP/1.1\r\n%s\r\n\r\n%s" % (head, body))
            assert writer.recv(4000).startswith(b"HTTP/1.1 201")
            second.settings |= {
                "initial-cluster": f"m2={peer_url},{first.settings['initial-cluster']}",
                "initial-cluster-state": "existing",
            }
            with second.launch() as joined, crowd(first.peer_port, sent=sent):
                joined.wait_until_serving()
                assert joined.put("/b", "2").status == 201  # by way of the first, which leads or follows
                assert process.popen.poll() is None
        assert process.get("/b").status == 200
        assert process.log.count("silent ones are closed for new ones") == 1
        assert "Traceback" not in process.log
        assert "too many open files" not in process.log.lower()


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
