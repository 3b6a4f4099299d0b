"""What ``server.main`` is before it runs: quick to import."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from server.notify import notify


def test_importing_main_imports_neither_aiohttp_nor_protobuf() -> None:
    code = "import sys, server.main; print(*sorted({'aiohttp', 'uvloop', 'google.protobuf', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_member_imports_nothing_that_its_first_answers_do_not_need() -> None:
    """A proxy, aiohttp, Prometheus' library, bcrypt, dnspython and what 0.4 served come when they are used."""
    late = "{'aiohttp', 'server.proxy', 'server.api.legacy', 'server.discovery', 'prometheus_client', 'bcrypt', 'dns', 'brotli'}"
    code = f"import sys, server.process; print(*sorted({late} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_listener_that_never_reads_does_not_hold_the_member_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "s"))
    monkeypatch.setattr("server.notify.PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "s"))
        told = [
            notify("READY=1") for _ in range(2 + int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()))
        ]
    assert told[0]
    assert not told[-1]


def test_nobody_is_told_when_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify("READY=1")
