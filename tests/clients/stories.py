"""Stories told to etcdctl or curl: command lines one after another, run against one server, written down as a transcript.

A story is text, a line a step:

    set /a one              runs the program so; it must succeed
    ! get /nowhere          the same, but it must fail
    set /a <<< text         with the text (\\n is a newline) on its standard input
    ~ ls /                  as without the sign, but the order of lines and of a list's elements does not count
    & watch /a              starts it and goes on when the server knows of its watch (``&&``: does not wait for one)
    until two               goes on when what was started last has printed that
    ends                    what was started last ends by itself
    stop                    ends it as Control-C does
    sleep 1.5

``{now}`` in a step is the server's index at that moment, ``{now-2}`` two less, ``{now+1}`` the next; ``{member}`` the member's id,
``{other}`` that of the one beside it; ``{url}`` its address, ``{tls}`` that
for TLS.

What is started with ``&`` is a process; what runs to its end is one, too, or a call, as the teller is told.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from tests.clients.side_by_side import Side
from tests.support.process import PATIENCE


class Told(NamedTuple):
    """What came of a story.

    ``transcript``, lines, has each step with its exit status and what it printed, without what is this server's own;
    ``surprises`` the steps that failed and were not to, and the reverse.
    """

    transcript: list[str]
    surprises: list[str]


class Ended(NamedTuple):
    """A command that has run to its end, and what it wrote."""

    status: int
    out: bytes
    err: bytes


Run = Callable[[Sequence[str], Mapping[str, str], bytes], Ended]
"""Runs an argv to its end, with all variables that it has and its standard input."""


def as_process(argv: Sequence[str], env: Mapping[str, str], stdin: bytes) -> Ended:
    done = subprocess.run(argv, env=env, input=stdin, capture_output=True, timeout=PATIENCE, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


class _Started(NamedTuple):
    step: str
    popen: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]


class Teller:
    """Tells a story of one server to one program.

    ``always`` are its arguments before those of every step, ``env`` its variables beside PATH, and ``plain`` takes out of
    what it prints that which may differ. ``run`` runs the steps that end by themselves.
    """

    def __init__(
        self,
        side: Side,
        program: Path,
        always: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        plain: Callable[[str], str] = str,
        run: Run = as_process,
    ) -> None:
        self._side = side
        self._program = (str(program), *always)
        self._env = {"PATH": "/usr/bin:/bin", **(env or {})}
        self._plain = plain
        self._run_to_its_end = run
        self._started: _Started | None = None
        self._transcript: list[str] = []
        self._surprises: list[str] = []

    def tell(self, story: str) -> Told:
        """Runs it to its end, whatever happens; a story is told once."""
        try:
            for step in filter(None, map(str.strip, story.splitlines())):
                self._take(step)
            assert self._started is None, f"never ended: {self._started}"
        except Exception as error:
            error.add_note(
                f"{self._side.url}, surprised by {self._surprises}:\n" + "\n".join(self._transcript)
            )
            raise
        finally:
            if self._started is not None:
                self._started.popen.kill()
                self._started.popen.wait()
        return Told("\n".join(self._transcript).splitlines(), self._surprises)

    def _take(self, step: str) -> None:
        match step.split(maxsplit=1):
            case ["until", text]:
                self._wait_for(text)
            case ["ends"]:
                self._end()
            case ["stop"]:
                self._running().popen.send_signal(signal.SIGINT)
                self._end()
                self._side.wait_for_watchers(0)
            case ["sleep", seconds]:
                time.sleep(float(seconds))
            case ["&", command]:
                self._side.wait_for_watchers(0)
                self._start(step, command)
                self._side.wait_for_watchers(1)
            case ["&&", command]:
                self._start(step, command)
            case ["!", command]:
                if self._run(step, command) == 0:
                    self._surprises.append(step)
            case ["~", command]:
                if self._run(step, command) != 0:
                    self._surprises.append(step)
                first, printed = self._transcript[-1].split("\n", 1)
                self._transcript[-1] = "\n".join([first, *sorted(re.split(r'["\n,{}\[\]]', printed))])
            case _:
                if self._run(step, step) != 0:
                    self._surprises.append(step)

    def _run(self, step: str, command: str) -> int:
        command, _, stdin = command.partition(" <<< ")
        ended = self._run_to_its_end(self._argv(command), self._env, stdin.replace("\\n", "\n").encode())
        self._write_down(step, *ended)
        return ended.status

    def _start(self, step: str, command: str) -> None:
        assert self._started is None, "one at a time"
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 (closed in _end)
        popen = subprocess.Popen(
            self._argv(command), env=self._env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        self._started = _Started(step, popen, out, err)

    def _running(self) -> _Started:
        assert self._started is not None, "nothing was started"
        return self._started

    def _wait_for(self, text: str) -> None:
        started = self._running()
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in _content(started.out) + _content(started.err):
            assert time.monotonic() < deadline, (text, _content(started.out), _content(started.err))
            time.sleep(0.01)

    def _end(self) -> None:
        started = self._running()
        status = started.popen.wait(PATIENCE)
        self._write_down(started.step, status, _content(started.out), _content(started.err))
        started.out.close()
        started.err.close()
        self._started = None

    def _argv(self, command: str) -> list[str]:
        return [*self._program, *(self._filled_in(word) for word in shlex.split(command))]

    def _filled_in(self, word: str) -> str:
        word = word.replace("{member}", self._side.member_id).replace("{url}", self._side.url)
        word = word.replace("{tls}", f"https://127.0.0.1:{self._side.tls_port}")
        if "{other}" in word:
            word = word.replace("{other}", self._side.other_id())
        return re.sub(r"\{now([-+]\d+)?\}", lambda match: str(self._side.index() + int(match[1] or 0)), word)

    def _write_down(self, step: str, status: int, out: bytes, err: bytes) -> None:
        lines = [f"$ {step}", f"exit status {status}"]
        for sign, stream in (("", out), ("stderr: ", err)):
            text = self._side.neutral(self._plain(stream.decode("utf-8", "replace")))
            lines += [sign + line for line in text.splitlines()]
        self._transcript.append("\n".join(lines))


def _content(stream: IO[bytes]) -> bytes:
    return os.pread(stream.fileno(), 1 << 20, 0)  # never seek: the program that writes shares the position
