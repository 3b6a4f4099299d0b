"""The servers that are measured: how to start one on an empty directory, and what the system says of its process.

Both get the same flags, listen on free loopback ports and sync to the same file system. Used by the other scripts
here; measures nothing itself.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_NOT_A_DISK = ("tmpfs", "ramfs", "overlay")


@dataclass(slots=True, frozen=True)
class Server:
    """A program that can be started as a member. ``title`` is what tables call it; ``has_v2`` says whether it serves
    the v2 API."""

    title: str
    argv: tuple[str, ...]
    has_v2: bool = True


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
    """A real etcd, with the v2 API if it still has one (up to 3.5). Ends the program with what to do when it is not
    there."""
    path = shutil.which(binary)
    if path is None:
        raise SystemExit(f"no etcd at {binary}: apt-get install etcd-server, or name one with --etcd")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = told.split()[2]
    release = tuple(map(int, version.split(".")[:2]))
    flags = ("--enable-v2",) if (3, 0) < release < (3, 6) else ()
    return Server(f"etcd {version}", (path, *flags), has_v2=release < (3, 6))


def references(binary: str) -> list[Server]:
    """The real etcds to compare with: this one, and where the environment names it (``ETCD238``) one of 2.3.8 too."""
    older = os.environ.get("ETCD238")
    return [real(binary), *([real(older)] if older else [])]


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


def raise_file_limit(wanted: int) -> None:
    """Lets this process, and what it starts, have so many open files. Ends the program where they are not allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} connections need more open files than the {hard} allowed: see ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def running(server: Server, directory: Path | None, *flags: str) -> Iterator[Running]:
    """Starts a member on a fresh data directory, waits until it takes a write, and ends it.

    Ends the program with the member's log when it does not come up.
    """
    with alone(server, directory, *flags) as member:
        yield member.running


@contextmanager
def alone(server: Server, directory: Path | None, *flags: str) -> Iterator[Member]:
    """As ``running``, of a member that can be ended and started again."""
    with cluster(server, directory, 1, *flags) as members:
        yield members[0]


@contextmanager
def cluster(server: Server, directory: Path | None, size: int, *flags: str) -> Iterator[list[Member]]:
    """Starts members on fresh data directories, which make a cluster, waits until each takes a write, and ends them.

    Ends the program with a member's log when it does not come up.
    """
    ports = _free_ports(2 * size)
    clients, peers = ports[:size], ports[size:]
    initial = ",".join(f"bench{n}=http://127.0.0.1:{port}" for n, port in enumerate(peers))
    with tempfile.TemporaryDirectory(dir=directory, prefix="bench-") as scratch:
        members = [
            Member(
                server,
                clients[n],
                Path(scratch, f"data{n}"),
                (
                    f"--name=bench{n}",
                    *_addresses(clients[n], peers[n]),
                    f"--initial-cluster={initial}",
                    *flags,
                ),
            )
            for n in range(size)
        ]
        try:
            for member in members:
                member.start()
            for member in members:
                member.wait_until_writable()
            yield members
            for member in members:
                member.check()
        finally:
            for member in members:
                member.stop()


class Member:
    """One member's process, which may be ended and started again on its directory."""

    def __init__(self, server: Server, port: int, data_dir: Path, flags: tuple[str, ...]) -> None:
        self.server = server
        self.port = port
        self.data_dir = data_dir
        self._argv = [*server.argv, f"--data-dir={data_dir}", *flags]
        self._log = data_dir.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def running(self) -> Running:
        assert self._process is not None
        return Running(self.server, self._process.pid, self.port, self.data_dir)

    def seconds_to_first_write(self) -> float:
        """Starts the process and writes as soon as it takes a write; seconds until that is answered."""
        began = time.perf_counter()
        self.start()
        while not self._has_taken_a_write():
            self.check()
            if time.perf_counter() - began > _PATIENCE:
                raise SystemExit(f"{self.server.title} does not serve:\n{self._text()}")
            time.sleep(0.002)
        return time.perf_counter() - began

    def _has_taken_a_write(self) -> bool:
        """Asked on a socket of its own, which is refused at once while nobody listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), _PATIENCE) as connection:
                connection.sendall(
                    b"PUT /v2/keys/first HTTP/1.1\r\nHost: bench\r\nContent-Length: 9\r\n"
                    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nvalue=yes"
                )
                return connection.recv(4096).startswith((b"HTTP/1.1 200", b"HTTP/1.1 201"))
        except OSError:
            return False

    def ask(self, path: str, body: bytes | None = None, method: str = "GET") -> bytes | None:
        """The body of a good answer, None while there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answered: bytes = answer.read()
                return answered
        except OSError:
            return None

    def wait_until_writable(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            self.check()
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.server.title} does not serve:\n{self._text()}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether it takes a write, or with v3 alone answers a read of all members, which leaves no key."""
        if self.server.has_v2:
            return self.ask("/v2/keys/ready", b"value=yes", "PUT") is not None
        return self.ask("/v3/kv/range", b'{"key": "AA=="}', "POST") is not None

    def check(self) -> None:
        """Ends the program when the process has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise SystemExit(f"{self.server.title} ended with {self._process.returncode}:\n{self._text()}")

    def stop(self) -> None:
        """In order."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """At once."""
        self._end(subprocess.Popen.kill)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is not None:
            how(process)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                print(f"{self.server.title} does not stop, and is killed", file=sys.stderr)
                process.kill()
                process.wait(_PATIENCE)

    def _text(self) -> str:
        return self._log.read_text("utf-8", "replace")[-4000:]


def _addresses(client: int, peer: int) -> tuple[str, ...]:
    url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    return (
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
    )


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
