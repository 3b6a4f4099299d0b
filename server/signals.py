"""Which signals end a server: those that end etcd.

A program in Go goes on at a signal that it has no use for, where by the kernel's default it would be ended: a log
rotation that sends SIGUSR1, an alarm that a parent left behind. Seen on etcd 2.3.8 and 3.4.23, signal by signal.
"""

import signal

_NAMED = (
    "SIGUSR1",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGIO",
    "SIGPWR",
)

_FIRST_REAL_TIME = 35
"""34 ends a program in Go, and 32 and 33 are the C library's, which lets nobody else have them."""

SURVIVED = frozenset(
    number
    for number in signal.valid_signals()
    if number >= _FIRST_REAL_TIME or getattr(number, "name", "") in _NAMED
)
"""Signals that by default end a process, and do not end etcd. Numbers where Python has no name."""


def survive_what_etcd_survives() -> None:
    """From now on the process ignores those signals, but for those that it has a handler for. What it starts inherits
    that."""
    for number in SURVIVED:
        if not callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)
