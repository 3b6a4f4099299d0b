"""What ``server.main`` is before it runs: quick to import."""

import subprocess
import sys

import pytest

from server.notify import notify


def test_importing_main_imports_neither_aiohttp_nor_protobuf() -> None:
    code = "import sys, server.main; print(*sorted({'aiohttp', 'uvloop', 'google.protobuf', 'asyncio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_nobody_is_told_when_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify("READY=1")
