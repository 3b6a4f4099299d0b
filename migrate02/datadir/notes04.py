"""What 0.4 wrote down beside log and snapshots: ``conf`` and ``standby_info``.

Neither is needed for the keys. ``conf`` tells the names of the *other* members; its commit index is written only when
members change, so it says nothing about where the log ends. ``standby_info`` tells that the node was a standby.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from migrate02.datadir.errors import DataError
from migrate02.datadir.reading import read_file


class Standby(NamedTuple):
    """``running``: it was a standby when it was stopped, or had been removed. ``members`` is name -> peer URL."""

    running: bool
    members: dict[str, str]


def other_members(path: Path) -> frozenset[str] | None:
    """The names in ``conf``; None when there is no such file. Raises DataError when it is not what 0.4 writes."""
    found = _read(path)
    if found is None:
        return None
    try:
        return frozenset(_text(peer["name"]) for peer in found["peers"] or ())
    except (KeyError, TypeError) as error:
        raise DataError("not what etcd 0.4 writes: its list of peers cannot be read", path) from error


def standby_info(path: Path) -> Standby | None:
    """None when the node never was a standby. Raises DataError when the file is not what 0.4 writes."""
    found = _read(path)
    if found is None:
        return None
    try:
        members = {_text(one["name"]): _text(one["peerURL"]) for one in found.get("Cluster") or ()}
        return Standby(found["Running"] is True, members)
    except (KeyError, TypeError) as error:
        raise DataError("not what etcd 0.4 writes: whether it was a standby cannot be read", path) from error


def _read(path: Path) -> dict[str, Any] | None:
    if not os.path.lexists(path):
        return None
    try:
        found = json.loads(read_file(path))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError("not what etcd 0.4 writes: no JSON object", path)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
