"""Runs scripts that nobody vouches for, where they can do no harm: as nobody, in an empty root of their own.

User, mount, pid, network, ipc and uts namespaces; a tmpfs as root, in which there are only the files that are passed in and
read-only binds of the programs that are named, with their libraries; no network, no capability, no standard input;
limits on processor, memory, files and processes, and a few seconds for all that was started together. Nothing of the
sandbox is on a disk: what was written in it comes back as texts.

Needs a Linux kernel that lets anybody make a user namespace; ``trouble()`` says what is in the way.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import sandbox_inside

SECONDS = 5
"""For a command and all that it started."""
_LATEST = 60
"""Seconds after which a sandbox itself is broken."""


class File(NamedTuple):
    text: bytes
    mode: int = 0o644


class Job(NamedTuple):
    """One command in a root of its own. ``folders`` exist before it starts; ``folder`` is the one it starts in."""

    command: Sequence[str]
    files: Mapping[str, File] = {}
    folders: Sequence[str] = ()
    environment: Mapping[str, str] = {}
    folder: str = "/"
    programs: Sequence[str] = ("sh", "bash")
    """Of this machine, by their names on its PATH."""
    seconds: int = SECONDS


class Done(NamedTuple):
    """``files`` are all that were written, ``output`` is what came on standard output and error, in one."""

    status: int
    timed_out: bool
    output: bytes
    files: dict[str, bytes]


class SandboxError(Exception):
    """No sandbox could be made. Nothing was run then."""


def run(*jobs: Job) -> list[Done]:
    """One after the other. Raises SandboxError."""
    answers = _maker(os.getpid()).ask(
        [_request(job) for job in jobs], _LATEST + sum(job.seconds for job in jobs)
    )
    return [_done(answer) for answer in answers]


class _Maker:
    """The process that makes all sandboxes for this one: to start it takes longer than to make one. It ends with its
    standard input."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(sandbox_inside.__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={},
            cwd="/",
        )

    def ask(self, requests: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        too_late = threading.Timer(seconds, self._process.kill)
        too_late.start()
        try:
            print(json.dumps(requests), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            too_late.cancel()
        if not answer:
            _maker.cache_clear()
            self._process.wait()
            said = self._process.stderr.read().strip().splitlines()
            raise SandboxError(said[-1] if said else "no sandbox was made")
        found: list[dict[str, Any]] = json.loads(answer)
        return found


@functools.cache
def _maker(of_process: int) -> _Maker:
    """By the process's id: one that was forked does not share its parent's."""
    del of_process
    return _Maker()


@functools.cache
def trouble() -> str:
    """Why no sandbox can be made here; empty when one can."""
    if sys.platform != "linux":
        return "a sandbox needs namespaces of Linux"
    missing = [name for name in Job.__new__.__defaults__[4] if shutil.which(name) is None]  # type: ignore[index]
    if missing:
        return f"a sandbox needs {' and '.join(missing)}"
    try:
        (done,) = run(Job(["/bin/sh", "-c", "echo made"]))
    except SandboxError as error:
        return f"no sandbox can be made on this machine: {error}"
    return "" if done.output == b"made\n" else f"a sandbox does not work on this machine: {done}"


def _request(job: Job) -> dict[str, Any]:
    programs = [_program(name) for name in job.programs]
    return {
        "command": list(job.command),
        "files": {path: (file.text.decode("latin-1"), file.mode) for path, file in job.files.items()},
        "folders": [job.folder, *job.folders],
        "environment": dict(job.environment),
        "folder": job.folder,
        "binds": sorted({path for program in programs for path in (program, *_libraries(program))}),
        "seconds": job.seconds,
    }


def _done(answer: dict[str, Any]) -> Done:
    if "trouble" in answer:
        raise SandboxError(answer["trouble"])
    files = {path: text.encode("latin-1") for path, text in answer["files"].items()}
    return Done(answer["status"], answer["timed_out"], files.pop("/output", b""), files)


@functools.cache
def _program(name: str) -> str:
    """Where it is called, ``/bin`` for what is in ``/usr/bin`` too."""
    for folder in ("/bin", "/usr/bin"):
        if (path := Path(folder, name)).exists():
            return str(path)
    raise SandboxError(f"no {name} on this machine")


@functools.cache
def _libraries(program: str) -> tuple[str, ...]:
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return tuple(re.findall(r"(?:=> |^\s+)(/\S+)", told, re.MULTILINE))
