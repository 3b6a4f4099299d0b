"""How a peer is asked: how its name is looked up, and how much it may answer."""

from collections.abc import Awaitable, Callable, Sequence

from server.bounded import Bounds

LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host."""

BOUNDS = Bounds(body=64 << 10, seconds=0.0)
"""For what a peer answers, which is a line, or the list of the members. Its time is that of each question."""
