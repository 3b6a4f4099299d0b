"""The examples of docs/discovery.md, in their order: every command is run, and prints what the page says."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dns_server import DnsServer
from tests.support.ports import free_ports
from tests.support.process import PATIENCE

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "discovery.md").read_text()
PORTS = re.compile(r"(?<=127\.0\.0\.1:)(?:8087|238\d\d|237\d\d)")
TOKEN = re.compile(r"\b[0-9a-f]{32}\b")


def examples() -> Iterator[tuple[str, str]]:
    """Each command with what it prints."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for command in block.removeprefix("$ ").split("\n$ "):
            line, _, output = command.rstrip("\n").partition("\n")
            yield line, output


class Shell:
    """Runs commands of the page, with free ports in the place of the page's, and shows what they print as the page has
    it. A context manager, which ends what runs in the background."""

    def __init__(self, folder: Path, dns: str) -> None:
        ports = sorted(set(PORTS.findall(PAGE)))
        self._ports = dict(zip(ports, map(str, free_ports(len(ports))), strict=True))
        self._dns = dns
        self._folder = folder
        programs = str(Path(sys.executable).parent)
        self._environ = {"PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        self._background: list[subprocess.Popen[bytes]] = []

    def run(self, command: str) -> str | None:
        """What it prints; None when it complains."""
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {self._here(command)}"],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout.rstrip("\n") if not done.stderr else None

    def prints(self, command: str, output: str) -> bool:
        """Whether it prints that, but for ports and tokens."""
        printed = self.run(command)
        return printed is not None and TOKEN.sub("TOKEN", self._there(printed)) == TOKEN.sub("TOKEN", output)

    def assign(self, name: str, command: str) -> bool:
        """Keeps what it prints under that name; False when it prints nothing."""
        value = self.run(command)
        if value:
            self._environ[name] = value
        return bool(value)

    def start(self, command: str) -> None:
        with (self._folder / f"{len(self._background)}.log").open("wb") as log:
            words = ["bash", "-c", f"exec {self._here(command)}"]
            process = subprocess.Popen(words, cwd=self._folder, env=self._environ, stdout=log, stderr=log)
        self._background.append(process)

    def _here(self, command: str) -> str:
        command = command.replace("127.0.0.1:5353", self._dns)
        return PORTS.sub(lambda port: self._ports[port[0]], command)

    def _there(self, output: str) -> str:
        for port, free in self._ports.items():
            output = output.replace(f"127.0.0.1:{free}", f"127.0.0.1:{port}")
        return output

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._background:
            process.kill()
            process.wait()


def test_every_example_prints_what_the_page_says(tmp_path: Path) -> None:
    commands = list(examples())
    assert len(commands) > 8
    with DnsServer(zone()) as dns, Shell(tmp_path, dns.address) as shell:
        for command, output in commands:
            if command.endswith(" &"):
                shell.start(command.removesuffix(" &"))
                continue
            assignment = re.fullmatch(r"(\w+)=\$\((.*)\)", command)
            deadline = time.monotonic() + PATIENCE  # for what was started in the background to be there
            while not (shell.assign(*assignment.groups()) if assignment else shell.prints(command, output)):
                assert time.monotonic() < deadline, f"$ {command}\n{shell.run(command)}"
                time.sleep(0.1)


def zone() -> str:
    """The page's records, in an order that no server may change."""
    lines = re.findall(r"^    (.*\. +300 IN .*)$", PAGE, re.MULTILINE)
    return "\n".join(line.replace("SRV 0", f"SRV {n}") for n, line in enumerate(lines))
