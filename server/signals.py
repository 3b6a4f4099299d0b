"""Which signals end a server: those that end etcd.

A program in Go ignores a signal that it has no use for, where by the kernel's default it would be ended: a log
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


NEVER_IGNORED = frozenset(
    getattr(signal, name)
    for name in (
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGSEGV",
        "SIGSTKFLT",
        "SIGSYS",
    )
    if hasattr(signal, name)
)
"""Signals that end etcd also where the parent process ignores them, as a shell without job control ignores SIGQUIT for
what it starts in the background. SIGHUP stays ignored, for nohup; SIGINT and SIGTERM have a handler."""


def heed_signals_as_etcd_does() -> None:
    """From now on the process ignores the signals that etcd survives, but for those that it has a handler for, and ends
    by those that end etcd. What it starts inherits that."""
    for number in SURVIVED:
        if not callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)
    for number in NEVER_IGNORED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
