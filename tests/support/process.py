"""Starts and stops server processes on free loopback ports, for the end-to-end tests.

The server runs in a process of its own, from a configuration given as 2.x settings, so that signals, exit statuses and
``kill -9`` are the real ones.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple, Self

import pytest

from tests.support.ports import free_ports

PATIENCE = 60.0
"""Seconds until something that has to happen counts as not happening: far more than it takes on a busy machine."""

_RUN = "import json, sys; from server.config import load; from server.main import run; sys.exit(run(load(json.loads(sys.argv[1]))))"


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of an etcd of their own."""
    for name in [name for name in os.environ if name.startswith("ETCD")]:
        monkeypatch.delenv(name)


class Reply(NamedTuple):
    """An HTTP answer; ``headers`` in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        value: dict[str, object] = json.loads(self.body)
        return value


def request(
    port: int,
    method: str,
    path: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    body: bytes | str | None = None,
    timeout: float = PATIENCE,
    host: str = "127.0.0.1",
) -> Reply:
    """One request to a port, of loopback by default, on a connection of its own; ``path`` goes out as it is. The body is
    a form, or what is given."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        body = body if form is None else urllib.parse.urlencode(form)
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, {**kind, **(headers or {})})
        got = connection.getresponse()
        return Reply(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
    finally:
        connection.close()


class Process:
    """A process that serves the v2 API on a client port. A context manager: killed at the end if it still runs."""

    def __init__(
        self,
        argv: list[str],
        client_port: int,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.client_port = client_port
        self.host = host
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in __exit__)
        self.popen = subprocess.Popen(
            argv,
            stdout=self._stderr,
            stderr=self._stderr,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.client_port}"

    @property
    def log(self) -> str:
        """What it has written to standard output and error so far."""
        return os.pread(self._stderr.fileno(), 1 << 24, 0).decode("utf-8", "replace")

    def wait_until_serving(self, patience: float = PATIENCE) -> Self:
        """Returns when a write of its own could go through: a leader is known. Fails with the process's log."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.popen.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                leader = self.request("GET", "/v2/stats/self").json().get("leaderInfo")
                if isinstance(leader, dict) and leader["leader"] not in ("", "0"):
                    version = self.request("GET", "/version")
                    if version.body == b"etcd 0.4.9":  # as with --legacy-api
                        decided = (
                            "set the initial cluster version" in self.log or "cluster version: 2" in self.log
                        )
                    else:
                        decided = version.json().get("etcdcluster") != "not_decided"
                    if decided:
                        return self
            time.sleep(0.02)
        raise AssertionError(f"not serving on {self.url}:\n{self.log}")

    def request(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = PATIENCE,
    ) -> Reply:
        """One request on a connection of its own; ``path`` goes out as it is."""
        return request(self.client_port, method, path, form, headers, timeout=timeout, host=self.host)

    def wait_for_line(self, text: str) -> None:
        """Returns when ``text`` stands in what it has written. Fails with that when it ends before."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.log:
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} in:\n{self.log}")
            time.sleep(0.02)

    def wait_for_members(self, *names: str) -> None:
        """Returns when it lists members of these names and no other: each writes its own some time after it has started."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._member_names()) != sorted(names):
            assert time.monotonic() < deadline, f"{found}\n{self.log}"
            time.sleep(0.02)

    def _member_names(self) -> list[str]:
        listed: list[dict[str, str]] = json.loads(self.request("GET", "/v2/members").body)["members"]
        return sorted(one["name"] for one in listed)

    def add_member(self, peer_url: str) -> str:
        """The id of a member that is added with this peer URL, and has not been seen yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.client_port, timeout=PATIENCE)
        with contextlib.closing(connection):
            body = json.dumps({"peerURLs": [peer_url]})
            connection.request("POST", "/v2/members", body, {"Content-Type": "application/json"})
            added: str = json.loads(connection.getresponse().read())["id"]
            return added

    def put(self, key: str, value: str, **form: str) -> Reply:
        return self.request("PUT", f"/v2/keys{key}", {"value": value, **form})

    def get(self, key: str, query: str = "") -> Reply:
        return self.request("GET", f"/v2/keys{key}{query and '?' + query}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it by a signal; its exit status, negative for a signal, as subprocess has it."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(PATIENCE)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._stderr.close()


class Member:
    """The settings of one member of a cluster of one, from which it can be started again and again."""

    def __init__(self, data_dir: Path, name: str = "m1", **settings: str) -> None:
        self.data_dir = data_dir
        self.client_port, self.peer_port = free_ports(2)
        client, peer = f"http://127.0.0.1:{self.client_port}", f"http://127.0.0.1:{self.peer_port}"
        self.settings = {
            "name": name,
            "data-dir": str(data_dir),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"{name}={peer}",
        } | {key.replace("_", "-"): value for key, value in settings.items()}

    def launch(self, env: Mapping[str, str] | None = None, *, under: tuple[str, ...] = ()) -> Process:
        """Starts our server, ``under`` another command if given, and does not wait for anything."""
        return Process(
            [*under, sys.executable, "-P", "-c", _RUN, json.dumps(self.settings)], self.client_port, env=env
        )

    def start(self, env: Mapping[str, str] | None = None) -> Process:
        """Starts our server, and waits until it serves."""
        return _or_kill(self.launch(env))

    def start_real(self, binary: str, *flags: str) -> Process:
        """Starts a real etcd with the same settings, and waits until it serves."""
        argv = [binary, *(f"--{name}={value}" for name, value in self.settings.items()), *flags]
        return _or_kill(Process(argv, self.client_port))


def _or_kill(process: Process) -> Process:
    try:
        return process.wait_until_serving()
    except BaseException:
        process.kill()
        raise


def keys_below(node: object) -> Iterator[tuple[str, str | None, int, int]]:
    """Every key in a recursive listing: path, value (None for a directory), created and modified index."""
    if isinstance(node, dict):
        if "key" in node:
            yield node["key"], node.get("value"), node["createdIndex"], node["modifiedIndex"]
        for child in node.get("nodes", ()):
            yield from keys_below(child)


def open_sockets() -> int:
    """Of this process, both ends of those within it."""
    found = 0
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += os.readlink(file).startswith("socket:")
    return found
