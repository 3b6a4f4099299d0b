"""What consensus, storage and peers say to each other: entries, hard state, snapshots.

Plain values; how they look on disk and on the wire is the business of ``server.storage`` and ``server.peer``.
All ids, terms and indexes are unsigned 64-bit numbers; id 0 means "nobody".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class EntryType(IntEnum):
    NORMAL = 0
    CONF_CHANGE = 1


@dataclass(slots=True, init=False)
class Entry:
    """One entry of the log, never changed once made. ``data`` is empty in the entry a leader starts its term with.

    (Not ``frozen=True``, which would make every write pay for the check; and with its own ``__init__``, since the
    one that dataclass makes is never compiled.)
    """

    term: int
    index: int
    data: bytes
    type: EntryType

    def __init__(self, term: int, index: int, data: bytes = b"", type: EntryType = EntryType.NORMAL) -> None:
        self.term = term
        self.index = index
        self.data = data
        self.type = type


class HardState(NamedTuple):
    """What a member must not forget: written before any message that depends on it is sent."""

    term: int = 0
    vote: int = 0
    commit: int = 0


EMPTY_HARD_STATE = HardState()


@dataclass(slots=True, frozen=True)
class Snapshot:
    """The state machine at ``index``; ``nodes`` are the ids of the members at that point."""

    index: int
    term: int
    nodes: tuple[int, ...]
    data: bytes
