"""The unit: systemd takes it as it is, it is shut off from what it does not need, and the server runs like that."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, Member

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "systemd" / "etcd02.service"
EXPOSURE = 20
"""Tenths, as systemd counts from 0, nothing exposed, to 100."""

_REFUSE_EXECUTABLE_MEMORY = 65
"""PR_SET_MDWE of Linux 6.3."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no systemd-analyze on this machine")
        pytest.skip("no systemd-analyze on this machine")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """With a program that is here."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("ExecStart=/usr/bin/etcd02", "ExecStart=/bin/true"))
    return str(path)


def test_systemd_has_nothing_to_say_about_the_unit(unit: str) -> None:
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_slip_in_the_unit_would_be_told(unit: str) -> None:
    Path(unit).write_text(Path(unit).read_text().replace("ProtectSystem=", "ProtectSistem="))
    assert "ProtectSistem" in analyze("verify", "--man=no", unit).stderr


def test_little_of_the_machine_is_exposed_to_it(unit: str) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout


def test_its_user_and_its_directory_are_those_that_are_made_for_it() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text())
    service = parser["Service"]
    sysusers = UNIT.with_name("etcd02.sysusers").read_text()
    assert re.search(rf'^u {service["User"]} - ".*" {service["WorkingDirectory"]}$', sysusers, re.MULTILINE)
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert service["Environment"] == f"ETCD_DATA_DIR={service['WorkingDirectory']}"
    assert service["Type"] == "notify"


@pytest.mark.slow
def test_the_server_says_that_it_serves_where_no_memory_may_become_executable(tmp_path: Path) -> None:
    """As under MemoryDenyWriteExecute=; Type=notify waits for what is said."""
    asked = (
        f"import ctypes, os, sys; code = ctypes.CDLL(None).prctl({_REFUSE_EXECUTABLE_MEMORY}, 1, 0, 0, 0); "
    )
    if subprocess.run([sys.executable, "-c", asked + "sys.exit(code)"], check=False).returncode:
        pytest.skip("this kernel cannot refuse executable memory")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(PATIENCE)
        under = (sys.executable, "-c", asked + "os.execvp(sys.argv[1], sys.argv[1:])")
        member = Member(tmp_path / "data")
        with member.launch({"NOTIFY_SOCKET": str(tmp_path / "notify")}, under=under) as process:
            assert channel.recv(100) == b"READY=1"
            assert process.get("/").status == 200
