"""Things that belong together, put together pair by pair. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Groups(Generic[Key]):
    """Every key is in a group by itself until it is joined with others."""

    def __init__(self) -> None:
        self._above: dict[Key, Key] = {}

    def leader(self, key: Key) -> Key:
        """The one that stands for all of its group."""
        above = self._above
        while (up := above.setdefault(key, key)) != key:
            above[key] = key = above[up]  # half the way for the next one who asks
        return key

    def join(self, keys: Sequence[Key]) -> None:
        for key in keys[1:]:
            self._above[self.leader(key)] = self.leader(keys[0])
