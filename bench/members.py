"""The servers that are measured: how to start one on an empty directory, and what the system says of its process.

Both get the same flags, listen on free loopback ports and sync to the same file system. Used by the other scripts
here; measures nothing itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_NOT_A_DISK = ("tmpfs", "ramfs", "overlay")


@dataclass(slots=True, frozen=True)
class Server:
    """A program that can be started as a member. ``title`` is what tables call it."""

    title: str
    argv: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Running:
    """A member that serves."""

    server: Server
    pid: int
    port: int
    data_dir: Path

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that all scripts share: ``--etcd`` and ``--data``."""
    parser.add_argument("--etcd", default="/usr/bin/etcd", help="the real etcd to compare with")
    parser.add_argument(
        "--data", type=Path, help="where data directories are made; not a tmpfs (default: TMPDIR)"
    )


def bundled() -> Server:
    script = Path(sysconfig.get_path("scripts")) / "etcd02"
    return Server("bundled", (sys.executable, str(script)))


def real(binary: str) -> Server:
    """A real etcd with the v2 API. Ends the program with what to do when it is not there."""
    path = shutil.which(binary)
    if path is None:
        raise SystemExit(f"no etcd at {binary}: apt-get install etcd-server, or name one with --etcd")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = told.split()[2]
    flags = () if version.startswith("2.") else ("--enable-v2",)
    return Server(f"etcd {version}", (path, *flags))


def check_disk(directory: Path | None) -> None:
    """Ends the program when data directories would be in memory: syncs cost nothing there."""
    kind = subprocess.run(
        ["stat", "--file-system", "--format=%T", directory or tempfile.gettempdir()],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    if kind in _NOT_A_DISK:
        raise SystemExit(
            f"{directory or tempfile.gettempdir()} is a {kind}: name a directory on a disk with --data"
        )


@contextmanager
def running(server: Server, directory: Path | None, *flags: str) -> Iterator[Running]:
    """Starts a member on a fresh data directory, waits until it takes a write, and ends it.

    Ends the program with the member's log when it does not come up.
    """
    client, peer = _free_ports(2)
    url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    with (
        tempfile.TemporaryDirectory(dir=directory, prefix="bench-") as scratch,
        tempfile.TemporaryFile() as log,
    ):
        process = subprocess.Popen(
            [
                *server.argv,
                "--name=bench",
                f"--data-dir={scratch}/data",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls={peer_url}",
                f"--initial-advertise-peer-urls={peer_url}",
                f"--initial-cluster=bench={peer_url}",
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        member = Running(server, process.pid, client, Path(scratch, "data"))
        try:
            if not _takes_a_write(url, process):
                raise SystemExit(f"{server.title} does not serve:\n{_text(log.fileno())}")
            yield member
            if process.poll() is not None:
                raise SystemExit(f"{server.title} ended with {process.returncode}:\n{_text(log.fileno())}")
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def machine() -> str:
    """The machine in one line, and of what kind the bundled server is that is measured on it."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, bundled server {'compiled' if _is_compiled() else 'interpreted'}"
    )


def _is_compiled() -> bool:
    program = "from server.process import is_compiled; print(is_compiled())"
    # -P, or it would be the package in the working directory
    told = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    return told.stdout.strip() == "True"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _takes_a_write(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        request = urllib.request.Request(f"{url}/v2/keys/ready", b"value=yes", method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def _text(log: int) -> str:
    return os.pread(log, 1 << 20, 0).decode("utf-8", "replace")[-4000:]
