"""How the open files that the process may have are shared out.

Logs, snapshots, listeners and the connections to members have theirs in any case: what comes from outside has the rest.
"""

import resource
import sys
from typing import NamedTuple

from server.cluster.bootstrap import BootstrapError

OWN = 150
"""Open files that are not clients': etcd 2.3.8 reserves as many. Those of peers that connect are among them."""

_LEAST_PEERS = 60
"""Eight peers with eight connections each, about: see ``share_out``."""

_MOST_PEERS = 250
"""Enough for thirty members, and more than any cluster has: the rest is for clients."""


class ConnectionLimits(NamedTuple):
    """The most connections that there may be of each kind."""

    clients: int
    peers: int


def share_out(limit: int) -> ConnectionLimits | None:
    """Of a process that may have ``limit`` files open. None when it is too low for any client.

    A peer has up to eight connections here at a time: two streams, four posts, a snapshot and a question. So 60 are
    enough for eight peers even then, and where there are many files a tenth is theirs.
    """
    peers = min(_MOST_PEERS, max(_LEAST_PEERS, limit // 10))
    clients = limit - OWN - (peers - _LEAST_PEERS)
    return ConnectionLimits(clients, peers) if clients > 0 else None


def open_files() -> ConnectionLimits:
    """Of this process. Raises BootstrapError when nothing is left for clients."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = share_out(limit if limit != resource.RLIM_INFINITY else sys.maxsize)
    if files is None:
        raise BootstrapError(
            "C",
            f"file descriptor limit[{limit}] of etcd process is too low, and should be set higher than {OWN} "
            "to ensure internal usage",
        )
    return files


def raise_limit() -> None:
    """Every client is an open file; Go programs raise their limit as far as they may, and so does this one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
