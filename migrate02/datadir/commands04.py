"""The fields of 0.4's commands, as a table; from the JSON in the log to values of the right type. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from server.jsonrules import as_utf8
from server.store.gojson import parse_time
from server.store.node import SECOND


class BadField(ValueError):
    """A field of a command that 0.4 cannot have written; the message says which and why."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return as_utf8(value)


def _bytes(value: Any) -> bytes:
    return _text(value).encode()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise TypeError
    return value


def _time(value: Any) -> int | None:
    """Unix nanoseconds; None for Go's zero time."""
    time = parse_time(_text(value))
    if time is not None and not _FIRST_YEAR <= time < _AFTER_YEAR_9999:
        raise ValueError
    return time


_FIRST_YEAR, _AFTER_YEAR_9999 = -62_135_596_800 * SECOND, 253_402_300_800 * SECOND


def _config(value: Any) -> dict[str, float]:
    """The numbers of a cluster's configuration, those that are there."""
    if not isinstance(value, dict):
        raise TypeError
    numbers = {name: found for name, found in value.items() if name in CONFIG_LEAST and found is not None}
    for found in numbers.values():
        if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 1 << 63:
            raise TypeError
    return numbers


CONFIG_LEAST = {"activeSize": 3, "removeDelay": 2, "syncInterval": 1}
"""A cluster's configuration, and what 0.4 raises each number to."""


_KEY = ("key", "key", _text, "")
_VALUE = ("value", "value", _bytes, b"")
_EXPIRE = ("expireTime", "expiration", _time, None)
_DIR = ("dir", "dir", _flag, False)
_PREV_VALUE = ("prevValue", "prev_value", _bytes, b"")
_PREV_INDEX = ("prevIndex", "prev_index", _count, 0)
_NAME = ("name", "name", _text, "")

Field = tuple[str, str, Callable[[Any], Any], Any]
"""What the log calls it, what it is called here, how it is read, and what it is when it is missing, as Go has it."""

FIELDS: dict[str, tuple[Field, ...]] = {
    "etcd:set": (_KEY, _VALUE, _EXPIRE, _DIR),
    "etcd:create": (_KEY, _VALUE, _EXPIRE, ("unique", "unique", _flag, False), _DIR),
    "etcd:update": (_KEY, _VALUE, _EXPIRE),
    "etcd:delete": (_KEY, ("recursive", "recursive", _flag, False), _DIR),
    "etcd:compareAndSwap": (_KEY, _VALUE, _EXPIRE, _PREV_VALUE, _PREV_INDEX),
    "etcd:compareAndDelete": (_KEY, _PREV_VALUE, _PREV_INDEX),
    "etcd:sync": (("time", "time", _time, None),),
    "etcd:get": (),
    "etcd:join": (_NAME, ("raftURL", "peer_url", _text, ""), ("etcdURL", "client_url", _text, "")),
    "etcd:remove": (_NAME,),
    "etcd:setClusterConfig": (("config", "config", _config, {}),),
    "raft:nop": (),
}
"""Every command that a log of etcd 0.4 can hold, and the fields that matter here."""


def fields_of(name: str, command: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a command of FIELDS. Raises BadField."""
    values = {}
    for written, called, read, missing in FIELDS[name]:
        found = command.get(written)
        if found is None:
            values[called] = missing
            continue
        try:
            values[called] = read(found)
        except (TypeError, ValueError):
            shown = repr(found)
            raise BadField(
                f"{written} is {shown if len(shown) < 60 else shown[:57] + '...'}, which 0.4 does not write"
            ) from None
    return values
