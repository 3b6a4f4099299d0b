"""A member leaves nothing for Python's cyclic garbage collector to find: ``server.process`` has it look at young objects only."""

import json
import re
import signal
import socket
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member, Process

_RUN = """
import gc, json, signal, sys
from server.config import load
from server.main import run
signal.signal(signal.SIGUSR1, lambda *_: print(f"found {gc.collect()}.", file=sys.stderr, flush=True))
sys.exit(run(load(json.loads(sys.argv[1]))))
"""

CONNECTIONS = 100


def garbage(process: Process) -> int:
    """How many unreachable objects a full collection finds now."""
    before = len(re.findall(r"found \d+\.", process.log))
    process.popen.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = re.findall(r"found (\d+)\.", process.log)
        if len(found) > before:
            return int(found[-1])
        process.request("GET", "/version")  # the loop wakes up, and the interpreter looks for signals
        time.sleep(0.01)
    raise AssertionError(f"no collection:\n{process.log}")


def credentials(user_and_password: bytes) -> bytes:
    """The line of a head."""
    return b"Authorization: Basic %s\r\n" % b64encode(user_and_password)


@pytest.mark.slow
@pytest.mark.parametrize(
    "requests",
    [
        [b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /v2/keys/none HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         b"Content-Length: 7\r\n\r\nvalue=1"] * 2,
        [b"GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /v2/keys/a?wait=true&stream=true HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /v2/stats/self HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"no HTTP at all\r\n\r\n"],
        [b"PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nvalue"],
        [b"PUT /v2/keys/a?value=1&prevValue=2 HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"PUT /v2/keys/a?value=1&prevExist=maybe HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /v2/keys/none?quorum=true HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n7\r\nvalue=1\r\n0\r\n\r\n"],
        [b"PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
         b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n\r\n"],
        [b"POST /v2/members HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
         b"Content-Length: 2\r\n\r\n{x"],
        [b"DELETE /v2/members/1 HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /v2/auth/users/none HTTP/1.1\r\nHost: a\r\n\r\n"],
    ],
    ids=[
        "get", "missing", "put", "wait", "stream", "stats", "nonsense", "cut short", "compare failed", "no flag",
        "quorum missing", "chunks", "bad chunks", "members nonsense", "no member", "no user",
    ],
)  # fmt: skip
def test_connections_leave_no_cyclic_garbage(tmp_path: Path, requests: list[bytes]) -> None:
    member = Member(tmp_path)
    with Process([sys.executable, "-c", _RUN, json.dumps(member.settings)], member.client_port) as process:
        process.wait_until_serving()
        process.put("/a", "1")
        connect_and_ask(process, requests)


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nvalue=1",
        b"GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v2/keys/a?wait=true&stream=true HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v2/keys/big HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PATCH /v2/keys/a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v2/config/local/proxy HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["get", "put", "wait", "stream", "in chunks", "other method", "own"],
)
def test_connections_to_a_proxy_leave_no_cyclic_garbage(tmp_path: Path, request_: bytes) -> None:
    member = Member(tmp_path / "m")
    proxy = Member(tmp_path / "p", proxy="on")
    proxy.settings["initial-cluster"] = member.settings["initial-cluster"]
    with (
        member.start(),
        Process([sys.executable, "-c", _RUN, json.dumps(proxy.settings)], proxy.client_port) as process,
    ):
        process.wait_until_serving()
        process.put("/a", "1")
        process.put("/big", "x" * 100_000)
        connect_and_ask(process, [request_])


@pytest.mark.slow
@pytest.mark.parametrize(
    "request_",
    [
        b"PUT /v2/keys/a?value=1&prevValue=2 HTTP/1.1\r\nHost: a\r\n%s\r\n" % credentials(b"root:right"),
        b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\n%s\r\n" % credentials(b"root:wrong"),
        b"GET /v2/keys/a HTTP/1.1\r\nHost: a\r\n%s\r\n" % credentials(b"nobody:wrong"),
        b"DELETE /v2/members/1 HTTP/1.1\r\nHost: a\r\n%s\r\n" % credentials(b"root:wrong"),
    ],
    ids=["compare failed", "wrong password", "no user", "members"],
)
def test_connections_leave_no_cyclic_garbage_while_auth_is_on(tmp_path: Path, request_: bytes) -> None:
    member = Member(tmp_path)
    with Process([sys.executable, "-c", _RUN, json.dumps(member.settings)], member.client_port) as process:
        process.wait_until_serving()
        process.put("/a", "1")
        root = b'{"user":"root","password":"right"}'
        head = b"PUT /v2/auth/users/root HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(root)
        with socket.create_connection(("127.0.0.1", process.client_port)) as client:
            client.sendall(head + root)
            assert b" 201 " in client.recv(4096)
        assert process.request("PUT", "/v2/auth/enable").status == 200
        connect_and_ask(process, [request_])


def connect_and_ask(process: Process, requests: list[bytes]) -> None:
    """Asks the same by many connections, and asserts that none of them leaves garbage."""
    garbage(process)
    for _ in range(CONNECTIONS):
        with socket.create_connection(("127.0.0.1", process.client_port)) as client:
            client.settimeout(PATIENCE)
            for request in requests:
                client.sendall(request)
                if not request.endswith(b"\r\n\r\nvalue"):
                    client.recv(4096)
    # A few objects are left by whatever else the process does; one a connection would add up.
    assert garbage(process) < CONNECTIONS
