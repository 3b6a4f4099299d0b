"""Scripts are run, in a sandbox in which every program is a stand-in, to see what etcd is given.

The stand-ins of wrappers (``start-stop-daemon``, ``su``, ``docker``, ...) exec what the real ones would, by the real ones' rules
for where their options end. The stand-in for etcd records its words and its variables. A script also writes files; what
those give etcd, independent readers tell (``tests.migrate02.independent``).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.migrate02.starts import Start
from tests.support import sandbox
from tests.support.sandbox import Done, File, Job

STAND_INS = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "stand_ins").iterdir())}
PROGRAMS = ("bash", "sh", "cat", "env", "mkdir", "nice", "nohup", "tee")
"""The real ones. All the others are stand-ins."""
NOTHING = (
    *(
        "apt-get",
        "chkconfig",
        "chmod",
        "chown",
        "cp",
        "create",
        "curl",
        "date",
        "etcdctl",
        "fleetctl",
        "grep",
        "groupadd",
    ),
    *(
        "initctl",
        "insserv",
        "install",
        "iptables",
        "kill",
        "killproc",
        "ln",
        "log_daemon_msg",
        "log_end_msg",
        "logger",
    ),
    *(
        "ls",
        "mv",
        "nova",
        "pgrep",
        "pidof",
        "ps",
        "rm",
        "sed",
        "service",
        "sleep",
        "status",
        "sysctl",
        "systemctl",
    ),
    *("supervisord", "tar", "touch", "update-rc.d", "useradd", "wget", "yum"),
)
"""Programs that scripts call, and that have nothing to do with what etcd is given."""

BINARIES = ("/usr/bin", "/usr/local/bin", "/usr/sbin", "/opt/bin")
"""Where etcd stands besides: a text may name it in pieces (``/usr/bin/$NAME``)."""
_PATH = "/bin"
_STARTED = "/started"
_FOLDER = "/work"
_EXPANSION = re.compile(r"\$\{?([A-Za-z_]\w*)")
_ASSIGNED = re.compile(r"(?m)^\s*(?:export |local )?([A-Za-z_]\w*)=")
_NAMES_OF_SHELLS = frozenset(
    ("HOME", "IFS", "PATH", "PWD", "OLDPWD", "RANDOM", "UID", "EUID", "PPID", "LANG", "SHELL")
)
_PLACES = re.compile(r"/(?:[\w.@-]+/)*[\w.@-]+/?")
_SOURCED = re.compile(r"(?m)^\s*(?:\.|source)\s+(/\S+)")


class Ran(NamedTuple):
    """``starts`` in their order, ``files`` by path."""

    starts: list[Start]
    files: dict[str, bytes]
    done: Done


def marker(name: str) -> str:
    """What stands for the value of an expansion: another for each name, and one that addresses, names and paths take."""
    number = zlib.crc32(name.encode())
    if "PORT" in name.upper():
        return str(10_000 + number % 50_000)
    return f"10.{number % 250}.{number // 250 % 250}.{number // 62_500 % 250}"


def run_scripts(*texts: bytes) -> list[Ran]:
    """By ``sh``, or by ``bash`` where a first line says so."""
    jobs = []
    for text in texts:
        text = text.replace(b"\r\n", b"\n")  # no shell takes those
        shell = "/bin/bash" if b"bash" in text.partition(b"\n")[0] else "/bin/sh"
        jobs.append(_job([shell, f"{_FOLDER}/script", *_arguments(text)], text))
    return _ran(jobs)


def run_command(words: Sequence[str], variables: Mapping[str, str]) -> Ran:
    """One command, by no shell."""
    text = "\n".join(words).encode()
    (ran,) = _ran([_job(["/bin/env", "--", words[0].rpartition("/")[2], *words[1:]], text, variables)])
    return ran


def _ran(jobs: Sequence[Job]) -> list[Ran]:
    return [
        Ran(
            _starts(done),
            {path: data for path, data in done.files.items() if not path.startswith(_STARTED)},
            done,
        )
        for done in sandbox.run(*jobs)
    ]


def _job(command: Sequence[str], text: bytes, variables: Mapping[str, str] | None = None) -> Job:
    shown = text.decode("utf-8", "surrogateescape")
    places = sorted(
        {
            path
            for path in _PLACES.findall(shown)
            if not path.startswith(("/bin/", "/dev/", "/lib", "/usr/lib/x"))
        }
    )
    files = {f"{_PATH}/{name}": File(data, 0o755) for name, data in STAND_INS.items()}
    files |= {f"{_PATH}/{name}": File(STAND_INS["nothing"], 0o755) for name in NOTHING}
    files |= {path: File(b"") for path in _SOURCED.findall(shown)}
    folders = {path.rstrip("/").rpartition("/")[0] for path in places} - {""}
    folders |= {path.rstrip("/") for path in places if path.endswith("/")}
    places += [f"{folder}/etcd" for folder in BINARIES]
    for path in places:
        name = path.rpartition("/")[2]
        if name in STAND_INS and name != "nothing" and path not in folders:
            files[path] = File(STAND_INS[name], 0o755)
    files[f"{_FOLDER}/script"] = File(text, 0o755)
    return Job(
        command,
        files,
        [_STARTED, *sorted(folders - files.keys())],
        {"PATH": _PATH, "HOME": _FOLDER, "LC_ALL": "C", **_filled_in(shown), **(variables or {})},
        _FOLDER,
        PROGRAMS,
    )


def _filled_in(text: str) -> dict[str, str]:
    """A value for each name that the text expands and does not set. Not for one with a default, which the script gives."""
    names = set(_EXPANSION.findall(text)) - set(re.findall(r"\$\{([A-Za-z_]\w*)(?=:?[-+=])", text))
    names -= _NAMES_OF_SHELLS | set(_ASSIGNED.findall(text))
    found = {name: marker(name) for name in names if not name.startswith("ETCD_")}
    return found | {name: "etcd" for name in names if re.search(r"_BIN|DAEMON|^ETCD$", name)}


def _arguments(text: bytes) -> list[str]:
    if re.search(rb"(?m)^\s*\"?start\"?\s*(?:\)|\|)", text):
        return ["start"]
    return [marker("1")] if re.search(rb"\$\{?1\b", text) else []


def _starts(done: Done) -> list[Start]:
    names = [path for path in done.files if path.startswith(_STARTED) and path.endswith(".words")]
    return [
        _start(path, done) for path in sorted(names, key=lambda path: int(path.split("/")[-1].split(".")[0]))
    ]


def _start(path: str, done: Done) -> Start:
    def texts(data: bytes) -> list[str]:
        return data.decode("utf-8", "surrogateescape").split("\0")[:-1]

    beside = path.removesuffix(".words")
    variables = dict(item.split("=", 1) for item in texts(done.files.get(f"{beside}.variables", b"")))
    of_2x = bool(re.search(rb":v?[2-9]\.", done.files.get(f"{beside}.image", b"")))
    return Start(tuple(texts(done.files[path])), variables, of_2x, files=done.files)
