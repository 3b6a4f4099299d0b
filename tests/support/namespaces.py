"""Machines in network namespaces, for tests: each has a network of its own, and all of a :class:`Network` are on one
switch, which stands in a namespace as well. Two networks may have the same addresses; they never meet.

Needs root and iproute2; ``trouble()`` says what is in the way. What is made has a name with the test process's id in it,
and is removed at the end; what a killed process left is removed by the next network that is made.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

_NAMES = Path("/run/netns")
_FILES = Path("/etc/netns")
_PREFIX = "migrate02"
_OURS = re.compile(rf"(?P<network>{_PREFIX}-(?P<maker>\d+)-[0-9a-f]+)-.*")
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


@functools.cache
def trouble() -> str:
    """Why no network can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need iproute2: apt-get install iproute2"
    try:
        with Network() as network:
            network.add("probe", "10.0.1.1")
    except NetworkError as error:
        return f"no network namespaces on this machine: {error}"
    return ""


class NetworkError(Exception):
    """``ip`` refused; the message is what it said."""


class Namespace:
    """One machine of a network. What is started with ``command`` in front of it runs there, with ``/etc/hosts`` and
    ``/etc/resolv.conf`` of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.command = ("ip", "netns", "exec", name)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread's new sockets, and processes that it starts, are on that machine."""
        with Path("/proc/thread-self/ns/net").open("rb") as before, (_NAMES / self._name).open("rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())


class Network:
    """A context manager. Machines are added at any time; processes on them have to end before it does."""

    def __init__(self) -> None:
        self._name = f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(4)}"
        self._switch = f"{self._name}-switch"
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, self._name)
            _remove_what_the_dead_left()
            _ip(f"netns add {self._switch}")
            _ip("link add switch type bridge", "link set switch up", within=self._switch)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def add(
        self, name: str, address: str, *, hosts: Mapping[str, str] | None = None, name_server: str = ""
    ) -> Namespace:
        """A machine at this address of a network of 256; ``hosts`` are names it knows the addresses of, and
        ``name_server`` is asked for all others."""
        full = f"{self._name}-{name}"
        files = _files_of(full)
        known = {"localhost": "127.0.0.1"} | dict(hosts or {})
        (files / "hosts").write_text("".join(f"{where} {host}\n" for host, where in known.items()))
        (files / "resolv.conf").write_text(f"nameserver {name_server}\n" if name_server else "")
        _ip(f"netns add {full}")
        _ip(
            f"link add name {name} type veth peer name eth0 netns {full}",
            f"link set dev {name} master switch up",
            within=self._switch,
        )
        _ip(
            f"addr add {address}/24 dev eth0",
            "link set eth0 up",
            "link set lo up",
            within=full,
        )
        return Namespace(full)


def _ip(*commands: str, within: str = "") -> None:
    where = ["-netns", within] if within else []
    done = subprocess.run(
        ["ip", *where, "-batch", "-"], input="\n".join(commands), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NetworkError(f"ip {'; '.join(commands)}: {done.stderr.strip()}")


def _files_of(name: str) -> Path:
    files = _FILES / name
    while True:
        try:
            files.mkdir(parents=True)
            return files
        except FileNotFoundError:  # who removes the last network removes the folder
            continue


def _enter(fd: int) -> None:
    if _LIBC.setns(fd, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _remove(network: str) -> None:
    """All namespaces of a network, and their files; also of one that was half made."""
    for namespace in sorted(_NAMES.glob(f"{network}-*")):
        with contextlib.suppress(NetworkError):
            _ip(f"netns delete {namespace.name}")
        if namespace.exists():
            raise NetworkError(f"ip netns delete {namespace.name} did not remove it")
    for files in _FILES.glob(f"{network}-*"):
        shutil.rmtree(files, ignore_errors=True)
        if files.exists():
            raise NetworkError(f"{files} could not be removed")
    with contextlib.suppress(OSError):  # others' files are in it, or nobody made it
        _FILES.rmdir()


def _remove_what_the_dead_left() -> None:
    """Others may be at it too."""
    for left in {*_NAMES.glob(f"{_PREFIX}-*"), *_FILES.glob(f"{_PREFIX}-*")}:
        found = _OURS.fullmatch(left.name)
        if found is not None and not Path(f"/proc/{found['maker']}").exists():
            _remove(found["network"])
