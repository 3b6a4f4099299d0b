"""Two lots of keys held against each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from migrate02.datadir.listing import Key
from server.store.gojson import format_time
from server.store.node import SECOND


class Difference(NamedTuple):
    """``what`` is one of ``missing in A``, ``missing in B``, ``kind``, ``value``, ``ttl`` and ``index``."""

    path: str
    what: str
    in_a: str = ""
    in_b: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (
            f": {self.in_a} / {self.in_b}" if self.in_a or self.in_b else ""
        )


def differences(
    a: Iterable[Key], b: Iterable[Key], *, indexes: bool = False, seconds: float = 0
) -> Iterator[Difference]:
    """What is not the same: keys, values and TTLs, the latter within so many seconds; with ``indexes`` also created and
    modified indexes."""
    left, right = {key.path: key for key in a}, {key.path: key for key in b}
    for path in sorted(left.keys() | right.keys(), key=lambda path: path.split("/")):
        mine, theirs = left.get(path), right.get(path)
        if mine is None or theirs is None:
            yield Difference(path, f"missing in {'A' if mine is None else 'B'}")
            continue
        if (mine.value is None) != (theirs.value is None):
            yield Difference(path, "kind", _kind(mine), _kind(theirs))
            continue
        if mine.value != theirs.value:
            yield Difference(path, "value", _shown(mine.value), _shown(theirs.value))
        if not _expire_together(mine.expiration, theirs.expiration, seconds):
            yield Difference(path, "ttl", _time(mine.expiration), _time(theirs.expiration))
        if indexes and mine[2:4] != theirs[2:4]:
            yield Difference(path, "index", _indexes(mine), _indexes(theirs))


def _expire_together(a: int | None, b: int | None, seconds: float) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= seconds * SECOND


def _kind(key: Key) -> str:
    return "a directory" if key.value is None else "a file"


def _shown(value: bytes | None) -> str:
    text = repr((value or b"")[:40].decode("utf-8", "replace"))
    return f"{text}... ({len(value)} bytes)" if value is not None and len(value) > 40 else text


def _time(expiration: int | None) -> str:
    return "none" if expiration is None else format_time(expiration)


def _indexes(key: Key) -> str:
    return f"created {key.created_index}, modified {key.modified_index}"
