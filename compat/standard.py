"""The three standard streams of a process as it finds them: closed, full, or with nobody at the other end.

The rule for all programs: what was done stays done, and the exit status tells it. A stream that is closed is one that
nobody wants to see: it leads nowhere, as in programs of Go. Output that cannot be written is one line on standard error
and the program's status for a failure; a reader that has gone is no word at all, and what a shell shows for SIGPIPE.
"""

from __future__ import annotations

import errno
import io
import os
import sys

TYPE_CHECKING = False  # as typing's own, which costs more than all else that --version needs
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

READER_GONE = 141
"""What a shell shows for a program that wrote into a closed pipe."""


class OutputLost(Exception):
    """Standard output takes no more. No OSError: it must not be taken for one of a file or a connection."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.reader_gone = error.errno == errno.EPIPE


class _Output(io.FileIO):
    """Raises OutputLost once. What is in buffers still is dropped: it would fail again when the interpreter ends."""

    lost = False

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.lost:
            return size
        try:
            return _written(super().write, data)
        except OSError as error:
            self.lost = True
            raise OutputLost(error) from None


class _Errors(io.FileIO):
    """Drops what cannot be written: there is no other place to say so."""

    def write(self, data: Any, /) -> int:
        try:
            return _written(super().write, data)
        except OSError:
            return memoryview(data).nbytes


def _written(write: Callable[[Any], int | None], data: Any) -> int:
    """Somebody else may have made it a descriptor that does not wait."""
    while (count := write(data)) is None:
        import select

        select.select((), (1, 2), ())
    return count


def prepare() -> None:
    """Give a process its three streams. Standard input stays None when it is closed.

    Descriptors 0 to 2 lead somewhere in any case: a file that is opened later must not get the number of one, or what
    anybody prints would end in it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout, "strict", at_once=False)
    sys.stderr = _text(_Errors(2, "w", closefd=False), sys.stderr, "backslashreplace", at_once=True)


def _text(raw: io.FileIO, found: Any, errors: str, *, at_once: bool) -> io.TextIOWrapper:
    """As Python's own, of which the encoding is."""
    encoding = found.encoding if found is not None else "utf-8"
    errors = found.errors if found is not None else errors
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=at_once or raw.isatty())


def run(name: str, work: Callable[[], int], failure: int) -> int:
    """The exit status of a program's work, when its output is on its way; ``failure`` when that is lost."""
    try:
        status = work()
        sys.stdout.flush()
    except OutputLost as lost:
        if lost.reader_gone:
            return READER_GONE
        print(f"{name}: standard output: {lost}", file=sys.stderr)
        return failure
    return status
