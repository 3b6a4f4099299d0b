"""Counters of what was asked of the store, in the order and under the names ``/v2/stats/store`` has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(slots=True)
class Stats:
    """Unsigned 64-bit counters. They are part of a snapshot, and so they survive restarts."""

    gets_success: int = 0
    gets_fail: int = 0
    sets_success: int = 0
    sets_fail: int = 0
    delete_success: int = 0
    delete_fail: int = 0
    update_success: int = 0
    update_fail: int = 0
    create_success: int = 0
    create_fail: int = 0
    compare_and_swap_success: int = 0
    compare_and_swap_fail: int = 0
    compare_and_delete_success: int = 0
    compare_and_delete_fail: int = 0
    expire_count: int = 0
    watchers: int = 0

    def __sub__(self, earlier: Stats) -> Stats:
        """What was counted between two moments."""
        return Stats(*(getattr(self, field) - getattr(earlier, field) for field in _NAMES))

    def to_json(self) -> str:
        """The document, without newline."""
        return "{" + ",".join(f'"{name}":{getattr(self, field)}' for field, name in _NAMES.items()) + "}"

    @classmethod
    def from_mapping(cls, found: dict[str, Any]) -> Stats:
        """From a snapshot's ``Stats``; counters that version did not have yet are 0."""
        return cls(**{field: int(found.get(name) or 0) for field, name in _NAMES.items()})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_NAMES = {field.name: _camel(field.name) for field in fields(Stats)}
