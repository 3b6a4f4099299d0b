"""The keys in a snapshot of etcd 0.4: of its data directory, or the bare store that it dumps for a migration. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

_CHECKSUM = re.compile(rb"([0-9a-f]{8})\n")
_NEVER = "0001-01-01T"
_FRACTION = re.compile(r"(\.\d{6})\d+")


class SnapshotError(Exception):
    """The file is no snapshot, or is damaged."""


class Copied(NamedTuple):
    """A key, or a directory without keys. ``ttl`` in whole seconds, rounded up and perhaps below 0; 0 is for ever."""

    key: str
    value: str
    directory: bool
    ttl: int


class Store:
    """The tree of a snapshot."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._root: dict[str, Any] = content["Root"]
        self.index = int(content.get("CurrentIndex", 0))

    def below(self, path: str, now: datetime) -> Iterator[Copied]:
        """What is at a path and below, by name; what is hidden below it is left out. Raises KeyError."""
        node = self._root
        for name in filter(None, path.split("/")):
            node = (node["Children"] or {})[name]
        yield from _walk(node, now)


def read_snapshot(raw: bytes) -> Store:
    """Either form, told apart by the checksum in front. Raises SnapshotError."""
    checksum = _CHECKSUM.match(raw)
    try:
        if checksum is None:
            return Store(json.loads(raw))
        content = raw[checksum.end() :]
        if binascii.crc32(content) != int(checksum[1], 16):
            raise SnapshotError("its checksum does not fit its content")
        return Store(json.loads(base64.b64decode(json.loads(content)["state"])))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SnapshotError(f"it is no snapshot of etcd 0.4: {error}") from error


def _walk(node: dict[str, Any], now: datetime) -> Iterator[Copied]:
    children = node["Children"]
    shown = sorted(name for name in children or () if not name.startswith("_"))
    if not shown and node["Path"] != "/":
        yield Copied(node["Path"], node["Value"], children is not None, _ttl(node["ExpireTime"], now))
    for name in shown:
        yield from _walk(children[name], now)


def _ttl(expires: str, now: datetime) -> int:
    if expires.startswith(_NEVER):
        return 0
    left = datetime.fromisoformat(_FRACTION.sub(r"\1", expires)).astimezone(UTC) - now
    return math.ceil(left.total_seconds()) or -1
