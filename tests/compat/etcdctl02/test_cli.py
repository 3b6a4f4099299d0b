"""etcdctl02 as a process: what it imports, what a terminal sees, how it ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import sysconfig
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.etcdctl02.scripted import Scripted, answer, members
from tests.support.process import PATIENCE

SCRIPT = Path(sysconfig.get_path("scripts")) / "etcdctl02"
NODE = {"action": "get", "node": {"key": "/a", "value": "one", "createdIndex": 5, "modifiedIndex": 5}}
ENV = {"PATH": os.environ["PATH"]}

_REPORT = """
import sys
from compat.etcdctl02.cli import main
from compat.etcdctl02.console import Console
status = main(["etcdctl", *sys.argv[1:]], {}, Console(sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer))
print(status, *sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted(b"") as scripted:
        scripted.answers = [members(scripted.url), answer(200, NODE)]
        yield scripted


def imported(*words: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", _REPORT, *words], capture_output=True, text=True, check=True)
    status, *modules = done.stderr.split()
    assert status == "0"
    return set(modules)


def test_a_get_imports_nothing_that_it_does_not_need(server: Scripted) -> None:
    heavy = {
        "aiohttp",
        "asyncio",
        "uvloop",
        "google.protobuf",
        "dns",
        "dataclasses",
        "subprocess",
        "concurrent.futures",
    }
    assert not heavy & imported("--endpoints", server.url, "get", "/a")


def test_help_and_version_open_nothing() -> None:
    for words in (["--version"], ["help"], ["get", "--help"]):
        assert not {"http.client", "ssl", "socket", "json"} & imported(*words)


def test_it_goes_by_the_name_that_it_is_installed_under(tmp_path: Path) -> None:
    link = tmp_path / "etcdctl"
    link.symlink_to(SCRIPT)
    done = subprocess.run([link, "help", "get"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NAME:\n   etcdctl get - retrieve the value of a key\n")


def test_bytes_that_are_no_utf8_arrive_as_they_are(server: Scripted) -> None:
    done = subprocess.run(
        [SCRIPT, b"--endpoints", server.url, "set", b"/\xff", b"v\xfe"], env=ENV, check=True
    )
    assert done.returncode == 0
    assert server.asked[-1].line == "PUT /v2/keys/%FF HTTP/1.1"
    assert server.asked[-1].body == b"value=v%FE"


def test_a_password_is_not_shown_on_a_terminal(server: Scripted) -> None:
    ours, theirs = pty.openpty()
    try:
        started = subprocess.Popen(
            [SCRIPT, "--endpoints", server.url, "-u", "root", "get", "/a"],
            env=ENV,
            stdin=theirs,
            stdout=theirs,
        )
        seen = b""
        while b"Password: " not in seen:
            seen += os.read(ours, 100)
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(theirs)[3] & termios.ECHO:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.write(ours, b"secret\n")
        assert started.wait(PATIENCE) == 0
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
        while b"one\r\n" not in seen:
            seen += os.read(ours, 100)
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"secret" not in seen
    assert server.asked[0].headers["authorization"] == "Basic cm9vdDpzZWNyZXQ="


def test_control_c_ends_it_as_it_ends_any_program_and_gives_the_terminal_back(server: Scripted) -> None:
    ours, theirs = pty.openpty()
    try:
        words = [str(SCRIPT), "--endpoints", server.url, "-u", "root", "get", "/a"]
        started = subprocess.Popen(words, env=ENV, stdin=theirs, stdout=theirs, stderr=theirs)
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(theirs)[3] & termios.ECHO:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started.send_signal(signal.SIGINT)
        assert started.wait(PATIENCE) == -signal.SIGINT
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
        seen = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"Traceback" not in seen


def test_it_ends_when_nobody_reads_what_it_prints(server: Scripted) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [SCRIPT, "--endpoints", server.url, "get", "/a"], env=ENV, stdout=writing, stderr=subprocess.PIPE
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")
