"""Two answers to one request: what in them differs that a client could tell."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.differential.sequences import Ask
from tests.differential.wire import Answer

_INSTANT = re.compile(rb'"expiration":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{0,8}[1-9])?Z"')
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_VOLATILE_HEADERS = {"Date": re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "X-Raft-Index": re.compile(r"\d+"),
                     "X-Raft-Term": re.compile(r"\d+")}  # fmt: skip
_NUMBERS_OF_ITS_OWN = (b"/metrics", b"/debug/vars")
SLACK = 5
"""Seconds by which TTLs may differ: the two servers are asked one after the other."""

_STATS = re.compile(rb'("(?:startTime|uptime)"):"[^"]*"|("(?:recv|send)\w+"):[0-9.e+-]+')


def differences(ask: Ask, ours: Answer, theirs: Answer, *, slack: int = SLACK) -> list[str]:
    """The fields that differ, each with both sides; empty for answers that are alike. TTLs may differ by ``slack``
    seconds."""
    found = []
    for field in ("status", "interim", "end"):
        one, other = getattr(ours, field), getattr(theirs, field)
        if one != other:
            found.append(f"{field}: {one!r}, etcd {other!r}")
    alike = bodies_are_alike(ask, ours.body, theirs.body, slack)
    if not alike:
        found.append(f"body: {ours.body!r}, etcd {theirs.body!r}")
    # Where bodies of different length are alike, so are their lengths. That of a HEAD cannot be seen to be so.
    left_out: tuple[str, ...] = ()
    if ask.path in _NUMBERS_OF_ITS_OWN:
        left_out = ("Content-Length", "Transfer-Encoding")
    elif ask.method == "HEAD" or (alike and ours.body != theirs.body):
        left_out = ("Content-Length",)
    one, other = (sorted(_headers(answer, left_out)) for answer in (ours, theirs))
    if one != other:
        found.append(
            f"headers: {[each for each in one if each not in other]}, etcd {[each for each in other if each not in one]}"
        )
    return found


def bodies_are_alike(ask: Ask, ours: bytes, theirs: bytes, slack: int = SLACK) -> bool:
    """Byte for byte but for when keys expire, and the order of a listing that was not asked to be sorted."""
    if ours == theirs:
        return True
    if ask.path in _NUMBERS_OF_ITS_OWN:
        return bool(ours) and ours[:7] == theirs[:7]
    if ask.path == b"/v2/stats/self":
        return _STATS.sub(rb"\1\2", ours) == _STATS.sub(rb"\1\2", theirs)
    one, other = (_INSTANT.sub(b'"expiration":"?"', body) for body in (ours, theirs))
    if one == other:
        return True
    lines, other_lines = one.splitlines(keepends=True), other.splitlines(keepends=True)
    return len(lines) == len(other_lines) and all(
        map(_lines_are_alike, lines, other_lines, itertools.repeat(slack))
    )


def _lines_are_alike(one: bytes, other: bytes, slack: int) -> bool:
    if one == other:
        return True
    try:
        return one.endswith(b"\n") == other.endswith(b"\n") and _trees_are_alike(
            _tree(one), _tree(other), slack
        )
    except ValueError:
        return False


def _tree(line: bytes) -> Any:
    """The JSON in it, members in their order, strings as they are written."""
    quoted = _STRING.sub(lambda found: json.dumps(found[1].decode("latin-1")).encode(), line)
    return json.loads(quoted, object_pairs_hook=_with_ttl)


def _with_ttl(members: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """With a TTL of 0 where it is left out because it is 0."""
    names = [name for name, _ in members]
    if "expiration" in names and "ttl" not in names:
        members.insert(names.index("expiration") + 1, ("ttl", 0))
    return members


def _trees_are_alike(one: Any, other: Any, slack: int) -> bool:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if one and isinstance(one[0], list):  # the nodes of a directory
            one, other = sorted(one, key=repr), sorted(other, key=repr)
        return all(map(_trees_are_alike, one, other, itertools.repeat(slack)))
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
        if one[0] == "ttl":
            return bool(abs(one[1] - other[1]) <= slack)
        return _trees_are_alike(one[1], other[1], slack)
    return bool(one == other)


def _headers(answer: Answer, left_out: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        volatile = _VOLATILE_HEADERS.get(name)
        if name not in left_out:
            yield name, "..." if volatile is not None and volatile.fullmatch(value) else value
