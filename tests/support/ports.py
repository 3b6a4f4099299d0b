"""Ports of loopback for the servers that tests start, which nobody else takes before the server does.

A port that is only found free can be another's a moment later: an outgoing connection's, since the kernel gives those
what port 0 gives; or that of a test in another process. So ports come from below the kernel's range, and every
process that runs tests has a block of its own as long as it lives.
"""

import contextlib
import itertools
import random
import socket
from collections.abc import Iterator
from functools import cache

_PORTS = range(20_000, 32_000)
"""Linux gives outgoing connections 32768 and above."""
_BLOCK = 150
"""More than one test has at a time; they are given in turn, so one that is free again comes back late."""

_NETWORKS = range(100, 250)
"""Of 127.0.0.0/8. Tests that know what they need have addresses below these."""

_claims: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Different ports that nothing listens on, nor will, but for whoever asked."""
    return list(itertools.islice(filter(_is_free, _mine()), count))


@cache
def loopback_network() -> str:
    """The first two numbers of addresses of loopback that no other process that runs tests gives to its servers: every port of
    ``127.N.*.*`` is this one's, so servers may have the ports that they are known by."""
    numbers = list(_NETWORKS)
    random.SystemRandom().shuffle(numbers)
    return next(f"127.{number}" for number in numbers if _claimed(f"addresses of 127.{number}"))


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind(("", port))
        return True
    return False


@cache
def _mine() -> Iterator[int]:
    """The ports of this process's block, again and again."""
    starts = list(_PORTS[::_BLOCK])
    random.SystemRandom().shuffle(starts)
    for start in starts:
        if _claimed(f"ports from {start}"):
            return itertools.cycle(range(start, start + _BLOCK))
    raise AssertionError(f"{len(starts)} processes run tests already: no ports are left for this one")


def _claimed(what: str) -> bool:
    """The kernel lets one process have the name, in this network's namespace, and takes it back when that ends."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0migrate02 {what}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True
