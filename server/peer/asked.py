"""What comes of a question to a peer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from server.bounded import Bounds

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host."""

BOUNDS = Bounds(body=64 << 10, seconds=0.0)
"""For what a peer answers, which is a line, or the list of the members. Its time is that of each question."""


class DialError(Exception):
    """The peer did not answer, or not to the end."""


class Answer(NamedTuple):
    """``headers`` finds names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
