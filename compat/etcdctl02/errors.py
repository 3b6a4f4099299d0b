"""What can go wrong between a client and a cluster, in the words etcdctl 2.3.8 has for it."""

from __future__ import annotations

from collections.abc import Sequence

BAD_ARGUMENTS, BAD_CONNECTION, SERVER_ERROR, NOT_HEALTHY = 1, 2, 4, 5
"""Exit statuses; a plain refusal is 1 too, and 3 was meant for authentication and is used nowhere."""


class Stop(Exception):
    """Ends the program: ``text`` goes to standard error as it is."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class ClientError(Exception):
    """A request that did not succeed. ``no_connection``: as far as is known, nobody was there to take it."""

    def __init__(self, text: str, *, no_connection: bool = False) -> None:
        super().__init__(text)
        self.no_connection = no_connection


class EtcdError(ClientError):
    """etcd took the request and refused it, with one of its numbers."""

    def __init__(self, code: int, message: str, cause: str, index: int) -> None:
        super().__init__(f"{code}: {message} ({cause}) [{index}]")
        self.code = code


class OutOfTime(ClientError):
    """The time for the whole command is over; no further endpoint is tried."""

    def __init__(self) -> None:
        super().__init__("context deadline exceeded")


class NoEndpoints(ClientError):
    def __init__(self) -> None:
        super().__init__("client: no endpoints available")


class ClusterError(ClientError):
    """No endpoint answered; ``errors`` says of each why."""

    def __init__(self, errors: Sequence[ClientError]) -> None:
        super().__init__(
            "client: etcd cluster is unavailable or misconfigured",
            no_connection=all(error.no_connection for error in errors),
        )
        self.errors = errors


def failed(status: int, error: Exception | str) -> Stop:
    """``Error:  ...`` and, when it was all endpoints, what was wrong with each."""
    text = f"Error:  {error}\n"
    if isinstance(error, ClusterError):
        each = (f"error #{number}: {one}\n" for number, one in enumerate(error.errors))
        text += "".join(each) + "\n"
    return Stop(status, text)


def plain(error: Exception) -> Stop:
    """The error's words alone: how commands about members, users and roles fail."""
    return Stop(BAD_ARGUMENTS, f"{error}\n")
