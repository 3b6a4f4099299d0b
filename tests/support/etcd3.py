"""A cluster of real etcd 3.x on recorded data directories, and what it says over the v3 API.

The members of several listen for each other where their directories say that they do, and for clients on free ports.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.ports import free_ports
from tests.support.process import PATIENCE
from tests.support.real_etcd import HOW_34, HOW_35, etcd34, etcd35, existing, required

_ALL = base64.b64encode(b"\0").decode()


def etcd36() -> Path | None:
    """An etcd 3.6, where the environment names one."""
    return _named("MIGRATE02_ETCD36")


def etcd37() -> Path | None:
    return _named("MIGRATE02_ETCD37")


def _named(variable: str) -> Path | None:
    return existing(Path(os.environ[variable])) if os.environ.get(variable) else None


_BINARIES: dict[str, tuple[Callable[[], Path | None], str]] = {
    "3.4": (etcd34, HOW_34),
    "3.5": (etcd35, HOW_35),
    "3.6": (etcd36, "set MIGRATE02_ETCD36"),
    "3.7": (etcd37, "set MIGRATE02_ETCD37"),
}
RELEASES = ("3.4", "3.5", *(release for release in ("3.6", "3.7") if _BINARIES[release][0]()))
"""Those to test against: 3.4 and 3.5 always, the others where the environment names one."""


def binary_of(release: str) -> Path:
    """Skips the test, with the way to get one, where there is none."""
    find, how = _BINARIES[release]
    return required(find(), how)


@dataclass(slots=True, frozen=True)
class Served:
    """What a cluster serves: keys, the revision, and the members: name and peer URLs by id."""

    keys: dict[str, str]
    revision: int
    members: dict[str, tuple[str, tuple[str, ...]]]


@dataclass(slots=True)
class Cluster:
    urls: list[str]
    processes: list[subprocess.Popen[bytes]]

    def ask(self, path: str, body: Mapping[str, object], number: int = 0) -> dict[str, Any]:
        """One request of the v3 API, by its JSON gateway, to one of the members."""
        request = urllib.request.Request(self.urls[number] + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return json.loads(response.read())  # type: ignore[no-any-return]

    def put(self, key: str, value: str, number: int = 0) -> None:
        self.ask("/v3/kv/put", {"key": encoded(key), "value": encoded(value)}, number)

    def served(self, number: int = 0) -> Served:
        found = self.ask("/v3/kv/range", {"key": _ALL, "range_end": _ALL}, number)
        members = self.ask("/v3/cluster/member/list", {}, number)["members"]
        return Served(
            {decoded(row["key"]): decoded(row.get("value", "")) for row in found.get("kvs", [])},
            int(found["header"]["revision"]),
            {
                f"{int(member['ID']):x}": (member.get("name", ""), tuple(member["peerURLs"]))
                for member in members
            },
        )

    def keys(self, prefix: str, number: int = 0) -> dict[str, str]:
        """Those with a prefix of one letter or more."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self.ask("/v3/kv/range", {"key": encoded(prefix), "range_end": encoded(end)}, number)
        return {decoded(row["key"]): decoded(row.get("value", "")) for row in found.get("kvs", [])}

    def hash_at(self, revision: int, number: int = 0) -> int:
        """Of all keys up to a revision, as 3.6 and 3.7 count it."""
        return int(self.ask("/v3/maintenance/hashkv", {"revision": str(revision)}, number)["hash"])


@contextmanager
def running(
    binary: Path, directories: Sequence[Path], nodes: Sequence[Mapping[str, str]], *flags: str
) -> Iterator[Cluster]:
    """Starts a member on each directory, waits until all serve, and stops them at the end."""
    with ExitStack() as stack:
        urls = [f"http://127.0.0.1:{port}" for port in free_ports(len(nodes) + 1)]
        alone = urls.pop()
        processes = [
            stack.enter_context(
                _member(binary, path, node["name"], url, node["peer"] if len(nodes) > 1 else alone, *flags)
            )
            for path, node, url in zip(directories, nodes, urls, strict=True)
        ]
        cluster = Cluster(urls, processes)
        for number, path in enumerate(directories):
            _wait_until_serving(cluster, number, path.with_suffix(".log"))
        yield cluster


@contextmanager
def _member(
    binary: Path, path: Path, name: str, url: str, peer_url: str, *flags: str
) -> Iterator[subprocess.Popen[bytes]]:
    with path.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--name={name}",
                f"--data-dir={path}",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls={peer_url}",
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": os.environ.get("PATH", ""), "ETCD_UNSUPPORTED_ARCH": os.uname().machine},
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_serving(cluster: Cluster, number: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    process = cluster.processes[number]
    while time.monotonic() < deadline and process.poll() is None:
        try:
            cluster.ask("/v3/kv/range", {"key": _ALL, "range_end": _ALL, "limit": "1"}, number)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"etcd does not serve (exit status {process.poll()}):\n{log.read_text()[-3000:]}")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()


class Node:
    """A member that is stopped and started again and again, on the same free ports. A context manager: stopped at the
    end."""

    def __init__(self, path: Path, *flags: str) -> None:
        """``flags`` are given at each start; the name is the directory's."""
        self.path, self.name, self._flags = path, path.name, flags
        port, peer_port = free_ports(2)
        self.url, self.peer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
        self.advertised_peer_url = self.peer_url
        """Another one where something stands before it."""
        self._running = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def client_port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def peer_port(self) -> int:
        return int(self.peer_url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def api(self) -> Cluster:
        return Cluster([self.url], [self._process] if self._process else [])

    @property
    def log(self) -> Path:
        return self.path.with_suffix(".log")

    def begin(self, binary: Path, *flags: str) -> None:
        """Starts it, and does not wait for anything."""
        assert not self.runs
        more = (f"--initial-advertise-peer-urls={self.advertised_peer_url}", *self._flags, *flags)
        started = _member(binary, self.path, self.name, self.url, self.peer_url, *more)
        self._process = self._running.enter_context(started)

    def wait(self) -> None:
        """Until it serves."""
        _wait_until_serving(self.api, 0, self.log)

    def start(self, binary: Path, *flags: str) -> None:
        self.begin(binary, *flags)
        self.wait()

    def stop(self) -> None:
        self._running.close()
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def cluster_flags(nodes: Sequence[Node]) -> str:
    """What each of the members that begin a cluster together is started with."""
    return "--initial-cluster=" + ",".join(f"{node.name}={node.advertised_peer_url}" for node in nodes)
