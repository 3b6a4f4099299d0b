"""The calls that change a disk, one after the other, with something that happens at the n-th of them."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

CALLS = (
    "write",
    "link",
    "rename",
    "replace",
    "unlink",
    "rmdir",
    "mkdir",
    "fchmod",
    "fchown",
    "setxattr",
    "removexattr",
    "utime",
    "fsync",
    "sync",
)
Event = Callable[["Disk"], None]


class Crash(BaseException):
    """The power is gone: nothing happens any more."""


class Disk:
    """Counts; at call number ``at``, from 1 on, ``event`` happens before it is made."""

    def __init__(self, at: int = 0, event: Event = lambda _: None) -> None:
        self.made = 0
        self.call = ""
        self.is_dead = False
        self._at = at
        self._event = event

    def _called(self, name: str) -> None:
        if self.is_dead:
            raise Crash
        self.made += 1
        self.call = name
        if self.made == self._at:
            self._event(self)

    @contextmanager
    def watched(self) -> Iterator[None]:
        calls: dict[str, Any] = {name: self._wrapped(name) for name in CALLS} | {"open": self._open()}
        with mock.patch.multiple(os, **calls):
            yield

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            self._called(name)
            return real(*args, **more)

        return call

    def _open(self) -> Callable[..., int]:
        real = os.open

        def call(path: str, flags: int, *args: Any, **more: Any) -> int:
            if flags & os.O_CREAT:
                self._called("open")
            return real(path, flags, *args, **more)

        return call


def ask_to_stop(_disk: Disk) -> None:
    signal.raise_signal(signal.SIGINT)


def fail(disk: Disk) -> None:
    if disk.call != "sync":  # which cannot
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def crash(disk: Disk) -> None:
    disk.is_dead = True
    raise Crash
