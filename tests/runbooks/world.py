"""The machines of a fleet on this one, as far as a runbook touches them: each has a root of its own with its files and its
data of 0.4, an address of 127.0.0.0/8, and an etcd of 0.4 that is a stand-in. The operator has a folder beside them, with
a copy of the configuration files.

The lines of a runbook are run by bash in the operator's folder, as they stand but for two things: the hosts' addresses
are those that stand for them here, and an absolute path on this machine is one below the root that stands for it. There
are no other programs than those of ``PROGRAMS`` and the stand-ins (``on_machine``), so a line with another one fails.

A shell and a program of Python take most of their time to start, and a runbook has a hundred lines. A line that is one
command, with words in which a shell finds nothing to do, is carried out here instead, unless all are to be processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from tests.clients.etcdctl02_told import inside
from tests.migrate02.running import migrate02
from tests.runbooks import on_machine
from tests.runbooks.on_machine import PLAYED
from tests.runbooks.roots import rooted
from tests.support.ports import loopback_network

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROGRAMS = ("bash", "sh", "cat", "chmod", "cp", "cut", "diff", "grep", "ln", "ls", "mkdir", "mv", "rm")
"""The real ones."""
OURS = ("migrate02", "etcdctl02")
OPERATORS = (
    "docker",
    "etcd02",
    "initctl",
    "rsync",
    "service",
    "ssh",
    "supervisorctl",
    "sv",
    "systemctl",
    "chown",
)
"""The stand-ins that the operator's own machine has."""
HERE = "here"
"""The machine that the operator sits at: that of nodes at loopback addresses."""
SECONDS = 120
"""For one line."""

_ADDRESS = re.compile(r"\b10\.(\d+)\.(\d+)\.(\d+)\b")
_LOOPBACK = re.compile(r"\b(?:127\.0\.0\.1|localhost)\b")
_WORD = r"(?:[\w./:=,@%+-]+|'[^']*')"
_ONE_COMMAND = re.compile(rf"{_WORD}(?: {_WORD})*")
_OF_A_ROOT = ("etc", "lib", "usr")


class Machine(NamedTuple):
    """``address`` is the one that stands for it, ``root`` the folder that does; ``cwd`` where etcd is started in."""

    host: str
    address: str
    root: Path
    cwd: Path


class Done(NamedTuple):
    line: str
    status: int
    output: str


class World:
    """Of clusters of a fleet, the folder with its files. ``by_processes``: every line is run by bash."""

    def __init__(
        self,
        folder: Path,
        fleet: Path,
        clusters: Sequence[Mapping[str, Any]],
        *,
        by_processes: bool,
    ) -> None:
        self.folder = folder
        self.by_processes = by_processes
        self.operator = folder / "operator"
        self.network = loopback_network()
        self.nodes: dict[str, dict[str, Any]] = {
            node["name"]: node for cluster in clusters for node in cluster["nodes"]
        }
        hosts = dict.fromkeys([*map(machine_of, self.nodes.values()), HERE])
        texts = [(fleet.parent / file).read_text() for node in self.nodes.values() for file in node["files"]]
        peers = [node["before"]["initial-advertise-peer-urls"] for node in self.nodes.values()]
        said = [peer.partition("://")[2] for peer in peers if _LOOPBACK.search(peer)]
        self.by_default = any(address not in text for address in said for text in texts)
        self.machines = {host: self._machine(number, host) for number, host in enumerate(hosts, 1)}
        self.variables: dict[str, str] = {"MIGRATE02": str(REPOSITORY)}
        self._make_programs()
        self._copy_files(fleet)
        self._describe()

    def _machine(self, number: int, host: str) -> Machine:
        root = self.folder / "machines" / host
        for path in ("run", "root", "var/log", "var/tmp", "lib/lsb"):
            (root / path).mkdir(parents=True)
        (root / "lib/lsb/init-functions").touch()
        if host == HERE:
            address = f"{self.network}.0.1"
        else:
            address = self.mapped(host) if _ADDRESS.fullmatch(host) else f"{self.network}.200.{number}"
        return Machine(host, address, root, self.operator if host == HERE else root / "root")

    def machine(self, name: str) -> Machine:
        return self.machines[machine_of(self.nodes[name])]

    def mapped(self, text: str) -> str:
        """With the addresses that stand for the hosts' own. A node that is by itself on a machine of its own hears there
        what it hears at loopback."""
        text = _ADDRESS.sub(rf"{self.network}.\2.\3", text)
        return _LOOPBACK.sub(self._loopback(), text)

    def _mapped_line(self, line: str) -> str:
        """A loopback address that no file names is what 0.4 took by default, and so does who converts the file."""
        converts = re.match(r"migrate02 (?:convert|data \S+ --out) ", line)
        return (
            _ADDRESS.sub(rf"{self.network}.\2.\3", line)
            if converts and self.by_default
            else self.mapped(line)
        )

    def _loopback(self) -> str:
        hosts = {machine_of(node) for node in self.nodes.values()}
        alone = [_ADDRESS.fullmatch(host) for host in hosts]
        if len(alone) == 1 and alone[0] is not None:
            return f"{self.network}.{alone[0][2]}.{alone[0][3]}"
        return f"{self.network}.0.1"

    def _make_programs(self) -> None:
        """Two folders of them, for the operator and for machines, whose ``curl`` asks a cloud."""
        curl = {"curl": shutil.which("curl")}
        self._fill("operator", {name: shutil.which(name) for name in PROGRAMS} | curl, OPERATORS)
        self._fill("machine", {name: shutil.which(name) for name in PROGRAMS}, PLAYED)
        for name in ("operator", "machine"):
            self._play("etcd04", self.folder / "bin" / name / "etcd04")

    def _fill(
        self, name: str, programs: Mapping[str, str | None], played: Sequence[str] | Mapping[str, Any]
    ) -> None:
        folder = self.folder / "bin" / name
        folder.mkdir(parents=True)
        for program, found in programs.items():
            assert found is not None, program
            (folder / program).symlink_to(found)
        for program in OURS:
            (folder / program).symlink_to(BIN / program)
        for program in played:
            self._play("on_machine", folder / program, program)

    def _play(self, module: str, path: Path, *words: str) -> None:
        """What needs the standard library alone starts without looking for more."""
        how = "-P" if module == "etcd04" or words == ("coreos-cloudinit",) else "-P -S"
        said = " ".join([sys.executable, how, "-m", f"tests.runbooks.{module}", *words])
        path.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {said} "$@"\n')
        path.chmod(0o755)

    def _copy_files(self, fleet: Path) -> None:
        shutil.copytree(fleet, self.operator / fleet.name)
        for path in filter(Path.is_file, (self.operator / fleet.name).rglob("*")):
            path.write_text(self.mapped(path.read_text()))
        for name, node in self.nodes.items():
            for file in node["files"]:
                there = self.machine(name).root / path_on_machine(file).lstrip("/")
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.operator / file, there)

    def _describe(self) -> None:
        """For the stand-ins, which are processes of their own."""
        described = {
            "folder": str(self.folder),
            "machines": {
                machine.address: {
                    "host": machine.host,
                    "root": str(machine.root),
                    "cwd": str(machine.cwd),
                    "files": [
                        path_on_machine(file)
                        for name, node in self.nodes.items()
                        if self.machine(name) == machine
                        for file in node["files"]
                    ],
                }
                for machine in self.machines.values()
            },
        }
        (self.folder / "world.json").write_text(json.dumps(described, indent=1))

    def install(self, host: str, program: str) -> None:
        """An etcd of 0.4."""
        path = self.machines[host].root / program.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._play("etcd04", path)

    def install_02(self, host: str, program: str) -> None:
        path = self.machines[host].root / program.lstrip("/")
        path.symlink_to(self.folder / "bin" / "machine" / "etcd02")

    def run(self, line: str, machine: str = HERE) -> Done:
        """One line; one that goes to another machine is changed only in its addresses."""
        root = self.machines[machine].root
        line = self._mapped_line(line)
        if not re.search(r"\b(?:ssh|rsync) ", line):
            line = rooted(line, root)
        words = shlex.split(line) if machine == HERE and _ONE_COMMAND.fullmatch(line) else []
        if words and words[0] in _INSIDE and not self.by_processes:
            with mock.patch.dict(os.environ, self._environment(HERE), clear=True):
                return Done(line, *_INSIDE[words[0]](words, self.operator))
        return Done(line, *_run(["bash", "-c", line], self.machines[machine].cwd, self._environment(machine)))

    def _environment(self, machine: str) -> dict[str, str]:
        programs = "operator" if machine == HERE else "machine"
        return {
            **self.variables,
            "PATH": f"{self.folder}/bin/{programs}:{self.machines[machine].root}/usr/bin",
            "LC_ALL": "C.UTF-8",
            "WORLD": str(self.folder / "world.json"),
            "MACHINE": self.machines[machine].address,
        }

    def environment(self, machine: str) -> dict[str, str]:
        """Of a stand-in that is called from here."""
        return self._environment(machine)

    def state(self) -> dict[str, bytes]:
        """Every file of the machines, but for what processes write of themselves."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for machine in self.machines.values()
            for path in sorted(machine.root.rglob("*"))
            if path.is_file()
            and not str(path.relative_to(machine.root)).startswith(("run/", "var/log/", "var/tmp/"))
        }

    def started(self) -> list[dict[str, Any]]:
        """What etcd02 was given, at each start."""
        files = sorted(self.folder.glob("machines/*/run/started.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def logs(self) -> str:
        files = sorted(self.folder.glob("machines/*/run/*.log"))
        return "\n".join(f"{file}:\n{file.read_text()[-3000:]}" for file in files)

    def close(self) -> None:
        for path in self.folder.glob("machines/*/run/*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.read_text()), signal.SIGKILL)


def _run(argv: Sequence[str], cwd: str | Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Exit status, and what it wrote."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


# Without a shell and a process of Python, in the environment of the operator. What a line leaves to a machine's shell is
# run by that.


def _migrate02(words: Sequence[str], cwd: Path) -> tuple[int, str]:
    run = migrate02(*words[1:], cwd=cwd)
    return run.status, run.out + run.err


def _etcdctl02(words: Sequence[str], cwd: Path) -> tuple[int, str]:
    with contextlib.chdir(cwd):
        ended = inside(words, os.environ, b"")
    return ended.status, (ended.out + ended.err).decode()


def _ssh(words: Sequence[str], cwd: Path) -> tuple[int, str]:
    here, command = on_machine.there(words[1:])
    return _run(["sh", "-c", rooted(command, here.root)], here.cwd, here.environment())


def _rsync(words: Sequence[str], cwd: Path) -> tuple[int, str]:
    with contextlib.chdir(cwd):
        return on_machine.rsync(words[1:]), ""


_INSIDE: Mapping[str, Callable[[Sequence[str], Path], tuple[int, str]]] = {
    "etcdctl02": _etcdctl02,
    "migrate02": _migrate02,
    "rsync": _rsync,
    "ssh": _ssh,
}


def machine_of(node: Mapping[str, Any]) -> str:
    """What its runbook calls the machine: an address, or the node's name where that is filled in; ``HERE``."""
    before = node["before"]
    urls = [before.get(name, "") for name in ("initial-advertise-peer-urls", "advertise-client-urls")]
    hosts = [url.partition("://")[2].rpartition(":")[0] for url in urls]
    if "$" in hosts[0]:
        return str(node["name"])
    away = [host for host in hosts if host and not _LOOPBACK.fullmatch(host)]
    return away[0] if away else HERE


def path_on_machine(file: str) -> str:
    """Where a file of a fleet is on its machine: a folder of the fleet is a machine's root."""
    parts = Path(file).parts
    for at, part in enumerate(parts):
        if part in _OF_A_ROOT:
            return "/" + "/".join(parts[at:])
    return f"/root/{parts[-1]}"
