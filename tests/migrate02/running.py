"""Runs ``migrate02`` in this process, as its console script would, and catches what it says and what it leaves."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import stat
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from migrate02.cli.main import main

ROOT = Path(__file__).parents[2]
HOST = "node1"
"""The host name that tests give: what 0.4 took for the name of an unnamed member."""


class Run(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """The findings' codes, in order."""
        return [line.partition("[")[2].partition("]")[0] for line in self.err.splitlines() if "[" in line]


def migrate02(*argv: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Run:
    """Bytes that are no UTF-8 come out of ``out`` as surrogates; ``err`` has them escaped, as a terminal would."""
    out, err = io.BytesIO(), io.BytesIO()
    with _streams(out, err, stdin), contextlib.chdir(cwd or Path.cwd()):
        status = main([str(word) for word in argv])
    return Run(status, out.getvalue().decode("utf-8", "surrogateescape"), err.getvalue().decode())


def convert(*argv: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Run:
    return migrate02("convert", "--hostname", HOST, *argv, stdin=stdin, cwd=cwd)


_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def on_a_terminal(
    argv: Sequence[str],
    cwd: Path,
    columns: int,
    environment: Mapping[str, str] | None = None,
    *,
    plain: bool = True,
) -> str:
    """What a process of its own shows on a terminal of 24 lines; ``plain`` without colours."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate02", *argv],
        cwd=cwd,
        env={**kept, "TERM": "xterm", "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    pieces = []
    with contextlib.suppress(OSError):  # what Linux says when the other end is gone
        while piece := os.read(ours, 1 << 16):
            pieces.append(piece)
    process.wait(60)
    os.close(ours)
    said = b"".join(pieces).decode().replace("\r\n", "\n")
    return _ESCAPE.sub("", said) if plain else said


@contextlib.contextmanager
def _streams(out: io.BytesIO, err: io.BytesIO, stdin: bytes) -> Iterator[None]:
    standard_output = io.TextIOWrapper(out, "utf-8", write_through=True)
    standard_error = io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)
    with (
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
        contextlib.redirect_stdout(standard_output),
        contextlib.redirect_stderr(standard_error),
    ):
        yield
    standard_output.detach()
    standard_error.detach()


Files = dict[str, tuple[bytes, int, int]]
"""Bytes, mode and time of files, by their paths in a tree."""


def state(tree: Path) -> Files:
    """Of every file but our own."""
    return {
        str(path.relative_to(tree)): (
            path.read_bytes(),
            stat.S_IMODE(path.stat().st_mode),
            path.stat().st_mtime_ns,
        )
        for path in sorted(tree.rglob("*"))
        if path.is_file() and ".migrate02" not in path.parts
    }
