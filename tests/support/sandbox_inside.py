"""The inner side of ``tests.support.sandbox``: makes an empty root in namespaces of its own and runs one command there.

Started as a program by itself, so it knows the standard library alone, and imports all of it before the root is
exchanged. A line of standard input is a list of jobs as JSON, and a line of standard output what became of them; texts
of files are Latin-1 there, which holds any byte.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

NOBODY = 65534
"""Outside, when the tests run as root."""
SOMEBODY = 1000
"""Inside. No root there either: whatever is run has no capability."""
ROOT = "/tmp"
"""Where the empty root is mounted; only in the namespace."""
LARGEST_FILE = 1 << 20
LIMITS = {
    resource.RLIMIT_CPU: 5,
    resource.RLIMIT_FSIZE: LARGEST_FILE,
    resource.RLIMIT_NOFILE: 128,
    resource.RLIMIT_NPROC: 128,
    resource.RLIMIT_AS: 512 << 20,
    resource.RLIMIT_CORE: 0,
}

_CLONE = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""mount, uts, ipc, user, pid and network"""
_NOSUID, _NODEV, _RDONLY, _REMOUNT, _BIND, _REC, _PRIVATE = 2, 4, 1, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_LIBC = ctypes.CDLL(None, use_errno=True)
codecs.lookup("latin-1")  # which would be imported later, from a root that is gone

Job = dict[str, Any]


def main() -> None:
    os.setpgid(0, 0)
    _become_nobody()
    for line in sys.stdin:
        print(json.dumps([_run(job) for job in json.loads(line)]), flush=True)


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _prctl(_PR_SET_DUMPABLE, 1)  # or its own maps of users could not be written


def _run(job: Job) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _say_and_exit(writing, job)
    os.close(writing)
    with open(reading, encoding="latin-1") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    found: dict[str, Any] = (
        json.loads(text) if text else {"trouble": "the sandbox's first process was killed"}
    )
    return found


def _say_and_exit(writing: int, job: Job) -> None:
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _enter_namespaces()
        first = os.fork()
        if first:
            os.waitpid(first, 0)
            os._exit(0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        answer = _as_first_process(job)
    except OSError as error:
        answer = {"trouble": f"{error.strerror}: {error.filename}"}
    with open(writing, "w", encoding="latin-1") as output:
        json.dump(answer, output)
    os._exit(0)


def _enter_namespaces() -> None:
    user, group = os.geteuid(), os.getegid()
    _checked("unshare", _LIBC.unshare(_CLONE))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{SOMEBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{SOMEBODY} {group} 1")


def _as_first_process(job: Job) -> dict[str, Any]:
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount("tmpfs", ROOT, "tmpfs", _NOSUID | _NODEV, "size=16m,nr_inodes=4096,mode=755")
    for path in [*job["binds"], "/dev/null"]:
        _bind(path)
    for path in job["folders"]:
        os.makedirs(f"{ROOT}{path}", exist_ok=True)
    for path, (text, mode) in job["files"].items():
        _write(f"{ROOT}{path}", text, mode)
    _exchange_root()
    command = os.fork()
    if command == 0:
        _execute(job)
    status, timed_out = _wait_for_all(command, job["seconds"])
    own = {*job["files"], *job["binds"], "/dev/null"}
    return {"status": status, "timed_out": timed_out, "files": _files(own)}


def _write(path: str, text: str, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="latin-1", newline="") as file:
        file.write(text)
    os.chmod(path, mode)


def _bind(path: str) -> None:
    """At its own path, read-only. What the mount it comes from forbids has to be forbidden again."""
    target = f"{ROOT}{path}"
    _write(target, "", 0o644)
    _mount(path, target, None, _BIND)
    if path != "/dev/null":
        kept = os.statvfs(path).f_flag & (_NOSUID | _NODEV)
        _mount(None, target, None, _REMOUNT | _BIND | _RDONLY | kept)


def _exchange_root() -> None:
    os.chdir(ROOT)
    _checked("pivot_root", _LIBC.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."))
    _checked("umount", _LIBC.umount2(b".", _DETACH))
    os.chdir("/")


def _execute(job: Job) -> None:
    try:
        os.setsid()
        for limit, most in LIMITS.items():
            resource.setrlimit(limit, (most, most))
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        os.chdir(job["folder"])
        null, output = (
            os.open("/dev/null", os.O_RDONLY),
            os.open("/output", os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        )
        for number, file in enumerate((null, output, output)):
            os.dup2(file, number)
        os.closerange(3, 1024)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it
        os.execve(job["command"][0], job["command"], job["environment"])
    finally:
        os._exit(126)


def _wait_for_all(command: int, seconds: int) -> tuple[int, bool]:
    """Also for what runs in the background. All are killed when the time is up."""
    timed_out, status = False, -1

    def kill(*_: object) -> None:
        nonlocal timed_out
        timed_out = True
        os.kill(-1, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.alarm(seconds)
    while True:
        try:
            process, code = os.wait()
        except ChildProcessError:
            signal.alarm(0)
            return status, timed_out
        if process == command:
            status = os.waitstatus_to_exitcode(code)


def _files(own: set[str]) -> dict[str, str]:
    """What was written, by path."""
    found = {}
    for folder, _, names in os.walk("/"):
        for name in names:
            path = os.path.join(folder, name)
            if path not in own and os.path.isfile(path) and not os.path.islink(path):
                os.chmod(path, 0o644)
                with open(path, encoding="latin-1", newline="") as file:
                    found[path] = file.read()
    return found


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _checked(f"mount {source} {target}", _LIBC.mount(*texts, ctypes.c_ulong(flags), os.fsencode(options)))


def _prctl(what: int, value: int) -> None:
    _checked("prctl", _LIBC.prctl(what, ctypes.c_ulong(value), 0, 0, 0))


def _checked(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main()
