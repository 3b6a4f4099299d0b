"""Walks through examples of the guide: takes their commands as they are printed, runs them on the machines of a world, and
checks what they print and how they end."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.guide.examples import EXAMPLES, Example
from tests.guide.worlds import Machine, World
from tests.support.cluster import wait_until
from tests.support.process import PATIENCE, Process, Reply
from tests.support.real_etcd import required_tool

CLIENT_PORT = 2379
TLS = Path(__file__).parents[2] / "fixtures" / "guide" / "tls"

_BIN = Path(sys.executable).parent
ETCD02 = str(_BIN / "etcd02")
_PROGRAMS = {"etcd": ETCD02, "etcdctl": str(_BIN / "etcdctl02")}
_TRUST = {name: str(TLS / "ca.pem") for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE")}
_ID = re.compile(r"\b[0-9a-f]{15,16}\b")
_LOG = re.compile(r'/var/lib/etcd$|"[\w./-]+/member/wal"', re.MULTILINE)


def words(command: str) -> list[str]:
    """The words of a command as the guide prints it, over several lines."""
    return shlex.split(command.replace("\\\n", " "))


def variables(command: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words(command))


class Started(Process):
    """A process on a machine, asked at the guide's client port: at its address, or at its loopback address when it
    listens there alone."""

    def __init__(self, machine: Machine, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self.machine = machine
        super().__init__([*machine.command, *argv], CLIENT_PORT, env=env, cwd=cwd, host=machine.address)

    def request(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float = PATIENCE,
    ) -> Reply:
        with self.machine.inside():
            return super().request(method, path, form, headers, timeout=timeout)

    def members(self) -> list[dict[str, object]]:
        """As it lists them, ordered by name."""
        listed = self.request("GET", "/v2/members").json()["members"]
        assert isinstance(listed, list)
        return sorted(listed, key=lambda one: str(one["name"]))

    def from_its_machine(self) -> Self:
        """The same, asked from now on at its loopback address."""
        self.host = self.machine.loopback
        return self

    @property
    def cluster_id(self) -> str:
        return self.get("/").headers["x-etcd-cluster-id"]


class Guide:
    """A context manager that ends what it started. ``walked`` are the examples that were taken so far."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.walked: list[str] = []
        self._folder = folder
        self._stack = ExitStack()
        self._started: list[Started] = []

    def __enter__(self) -> Guide:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def here(self, text: str) -> str:
        """With this world's addresses, as anybody has them who is none of the machines."""
        return self.world.machine("client").here(text)

    def take(self, id: str) -> Example:
        """An example that counts as walked through from now on."""
        self.walked.append(id)
        return EXAMPLES[id]

    def start(
        self,
        id: str,
        *more: str,
        on: str = "",
        without: Collection[str] = (),
        instead: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Started:
        """Starts an example's command and waits for nothing. ``more`` flags come last, those ``without`` are left out
        with their values, and texts of it are replaced by others ``instead``."""
        example = self.take(id)
        command = example.command
        for old, new in (instead or {}).items():
            assert old in command
            command = command.replace(old, new)
        program, *flags = words(command)
        for flag in without:
            at = flags.index(flag)
            del flags[at : at + 2]
        return self.run_on(on or example.machine, _PROGRAMS[program], *flags, *more, env=env)

    def output(self, id: str, *more: str) -> str:
        """What an example's command prints, with more words behind it; it has to succeed."""
        example = self.take(id)
        return self._run(example.machine, [*words(example.command), *more])

    def ask_curl(self, command: str) -> str:
        """What a curl of the guide's kind prints."""
        return self._run("client", words(command))

    def _run(self, name: str, argv: Sequence[str]) -> str:
        machine = self.world.machine(name)
        program, *rest = (machine.here(word) for word in argv)
        binary = _PROGRAMS.get(program) or str(required_tool(program))
        done = subprocess.run(
            [*machine.command, binary, *rest],
            env={**os.environ, **_TRUST, **self.world.dns_variables},
            cwd=self.folder_of(name),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_on(self, machine: str, *argv: str, env: Mapping[str, str] | None = None) -> Started:
        """Starts a program on a machine, in the machine's folder."""
        there = self.world.machine(machine)
        cwd = self.folder_of(machine)
        given = {name: there.here(value) for name, value in (env or {}).items()}
        env = {**_TRUST, **self.world.dns_variables, **given}
        process = Started(there, [there.here(word) for word in argv], env, cwd)
        self._started.append(self._stack.enter_context(process))
        return process

    def folder_of(self, machine: str) -> Path:
        folder = self._folder / machine
        folder.mkdir(exist_ok=True)
        return folder

    def ends_as_told(self, id: str, *, instead: Mapping[str, str] | None = None) -> Started:
        """Runs an example that ends by itself, with the status and the words that are told of it."""
        process = self.start(id, instead=instead)
        assert process.popen.wait(PATIENCE) == EXAMPLES[id].exit, process.log
        self.says_as_told(id, process)
        return process

    def says_as_told(self, id: str, process: Started) -> None:
        """An example's words are in what the process has written; ids and the place of the log may be others than the
        guide's."""
        for line in EXAMPLES[id].words:
            assert anywhere(process.machine.here(line)) in anywhere(process.log), process.log

    def logs(self) -> str:
        return "\n".join(f"--- {one.machine.name}\n{one.log[-6000:]}" for one in self._started)


def anywhere(text: str) -> str:
    """Without what is not the same wherever the guide is walked through: ids, and where the log is."""
    return _LOG.sub("LOG", _ID.sub("ID", text))


def is_one_cluster(members: Sequence[Started]) -> None:
    """Waits until all serve; then they are of one cluster that knows them all, and read what the first wrote."""
    for member in members:
        member.wait_until_serving()
    names = sorted(member.machine.name for member in members)
    assert members[0].put("/message", members[0].host).status == 201
    for member in members:
        node = member.get("/message", "quorum=true").json()["node"]
        assert isinstance(node, dict)
        assert node["value"] == members[0].host
        wait_until(lambda member=member: [one["name"] for one in member.members()] == names, "all are listed")  # type: ignore[misc]
    assert len({member.cluster_id for member in members}) == 1
