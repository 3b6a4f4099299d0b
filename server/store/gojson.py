"""JSON to the byte as Go's encoding/json writes it: strings, times, nodes and events.

Both the answers of the API and the snapshots on disk are made of these. Works on ``str`` and encodes once at the
end, which is quicker in CPython than joining bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from server.store.event import Action, Event
from server.store.node import SECOND, StoreNode, file_view

# Bytes that stand for themselves inside a JSON string of Go: printable ASCII and DEL, less five.
_PLAIN = bytes(c for c in range(0x20, 0x80) if chr(c) not in '"\\<>&')

_COMMON = (
    ("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
    ("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"),
)  # fmt: skip
"""What usual texts have of what is escaped; the first one, which the others bring in, goes first."""

_RARE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\u2028\u2029\ud800-\udfff]")
_ESCAPES = {chr(c): f"\\u{c:04x}" for c in (*range(0x20), 0x2028, 0x2029)}
# What surrogateescape kept is one byte of invalid UTF-8 each; Go writes \ufffd for each.
_ESCAPES |= dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\\ufffd")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)

ZERO_TIME = "0001-01-01T00:00:00Z"


SLICE = 32 << 10
"""Bytes of a value, or characters of a listing, that are written in one go where there are more: half a millisecond, or
ten when they are not text (CPython 3.11)."""


def _escaped(text: str) -> str:
    """What a JSON string has for a text with surrogate-escaped bytes. Usual escapes cost a pass in C each,
    however many they are."""
    has_rare = _RARE.search(text) is not None  # before the text grows
    for special, escape in _COMMON:
        if special in text:
            text = text.replace(special, escape)
    return _RARE.sub(_escape, text) if has_rare else text


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES[match[0]]


def _inside(value: bytes) -> str:
    """What is written between the quotes for bytes that ought to be UTF-8."""
    if not value.translate(None, _PLAIN):
        return value.decode("ascii")
    return _escaped(value.decode("utf-8", "surrogateescape"))


def quote_bytes(value: bytes) -> str:
    """The JSON string, quotes included, of bytes that ought to be UTF-8."""
    return f'"{_inside(value)}"'


def quote(text: str) -> str:
    """The JSON string, quotes included, of text that may hold surrogate-escaped bytes."""
    if text.isascii() and not text.encode("ascii").translate(None, _PLAIN):
        return f'"{text}"'
    return f'"{_escaped(text)}"'


def format_time(nanoseconds: int) -> str:
    """RFC 3339 in UTC with as many fractional digits as needed, from Unix nanoseconds."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    text = _whole_second(seconds)
    if fraction:
        text += f".{fraction:09d}".rstrip("0")
    return text + "Z"


@lru_cache(1024)
def _whole_second(seconds: int) -> str:
    # Keys with a TTL are often written by the thousand in one second.
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def parse_time(text: str) -> int | None:
    """Unix nanoseconds of an RFC 3339 time with any offset; None for Go's zero time, which means "no time".

    Raises ValueError when it is not such a time.
    """
    if text == ZERO_TIME:
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    stamp, fraction, zone = match.groups()
    since = datetime.fromisoformat(stamp).replace(tzinfo=UTC) - _EPOCH
    nanoseconds = (since.days * 86400 + since.seconds) * SECOND + int((fraction or "")[:9].ljust(9, "0"))
    if zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[4:6])) * 60 * SECOND
        nanoseconds += offset if zone[0] == "-" else -offset
    return nanoseconds


def encode_node(node: StoreNode, trim: str = "") -> str:
    """A node as JSON, the prefix ``trim`` taken off every key. A tree may have any depth."""
    if not node.nodes:
        return _leaf(node, trim)
    out = [_opening(node, trim), '"nodes":[']
    open_nodes: list[tuple[StoreNode, Iterator[StoreNode]]] = [(node, iter(node.nodes))]
    separator = ""
    while open_nodes:
        parent, children = open_nodes[-1]
        for child in children:
            if child.nodes:
                out += (separator, _opening(child, trim), '"nodes":[')
                open_nodes.append((child, iter(child.nodes)))
                separator = ""
                break
            out += (separator, _leaf(child, trim))
            separator = ","
        else:
            out += ("]", _closing(parent))
            open_nodes.pop()
            separator = ","
    return "".join(out)


def _leaf(node: StoreNode, trim: str) -> str:
    if node.value is not None and node.expiration is None and node.created_index and not node.dir:
        # The usual line, in one go.
        return (
            f'{{"key":{quote(node.key.removeprefix(trim))},"value":{quote_bytes(node.value)},'
            f'"modifiedIndex":{node.modified_index},"createdIndex":{node.created_index}}}'
        )
    opening = _opening(node, trim)
    closing = _closing(node)
    return opening + closing[1:] if closing[0] == "," else opening.removesuffix(",") + closing


def _opening(node: StoreNode, trim: str) -> str:
    """The members before ``nodes``, a comma after each."""
    text = "{"
    if key := node.key.removeprefix(trim):
        text += f'"key":{quote(key)},'
    if node.value is not None:
        text += f'"value":{quote_bytes(node.value)},'
    if node.dir:
        text += '"dir":true,'
    if node.expiration is not None:
        text += f'"expiration":"{format_time(node.expiration)}",'
    if node.ttl:
        text += f'"ttl":{node.ttl},'
    return text


def _closing(node: StoreNode) -> str:
    """The members after ``nodes``, a comma before each."""
    text = ""
    if node.modified_index:
        text += f',"modifiedIndex":{node.modified_index}'
    if node.created_index:
        text += f',"createdIndex":{node.created_index}'
    return text + "}"


def encode_event(event: Event, trim: str = "") -> str:
    """An event as the API shows it, without newline: it does not show that it was a refresh."""
    node = encode_node(event.node, trim)
    if event.prev_node is None:
        return f'{{"action":"{event.action}","node":{node}}}'
    return f'{{"action":"{event.action}","node":{node},"prevNode":{encode_node(event.prev_node, trim)}}}'


def is_long(event: Event) -> bool:
    """Whether the values in an event are too long to be written in one go."""
    value, previous = event.node.value, event.prev_node
    size = 0 if value is None else len(value)
    if previous is not None and previous.value is not None:
        size += len(previous.value)
    return size > SLICE


def event_pieces(event: Event, trim: str = "") -> Iterator[str]:
    """What ``encode_event`` gives, in pieces of about a slice."""
    yield f'{{"action":"{event.action}","node":'
    yield from _leaf_pieces(event.node, trim)
    if event.prev_node is not None:
        yield ',"prevNode":'
        yield from _leaf_pieces(event.prev_node, trim)
    yield "}"


def listing_pieces(rows: Sequence[StoreNode | None], now: int, trim: str = "") -> Iterator[str]:
    """What ``encode_event`` gives for a get of a directory, in pieces of about a slice.

    ``rows`` are its nodes as :meth:`server.store.FrozenStore.rows` has them: a directory first, then what is in it,
    then None. Files have the TTL that they have at ``now``, in Unix nanoseconds.
    """
    return in_slices(_listing(rows, now, trim))


def in_slices(texts: Iterable[str]) -> Iterator[str]:
    """The same text in pieces of about a slice, those that are longer as they are."""
    out: list[str] = []
    size = 0
    for text in texts:
        out.append(text)
        size += len(text)
        if size > SLICE:
            yield "".join(out)
            out.clear()
            size = 0
    yield "".join(out)


def _listing(rows: Sequence[StoreNode | None], now: int, trim: str) -> Iterator[str]:
    yield f'{{"action":"{Action.GET}","node":'
    within: list[StoreNode] = []  # the directories around
    separator = ""
    for at, row in enumerate(rows):
        if row is None:
            directory = within.pop()
            # One with nothing in it is written already.
            yield "" if rows[at - 1] is directory else "]" + _closing(directory)
            separator = ","
        elif row.dir:
            within.append(row)
            empty = rows[at + 1] is None
            yield separator + (_leaf(row, trim) if empty else _opening(row, trim) + '"nodes":[')
            separator = ""
        elif row.value is not None and len(row.value) > SLICE:
            yield separator
            yield from _leaf_pieces(file_view(row, now), trim)
            separator = ","
        else:
            yield separator + _leaf(row if row.expiration is None else file_view(row, now), trim)
            separator = ","
    yield "}"


def _leaf_pieces(node: StoreNode, trim: str) -> Iterator[str]:
    """A node without what is in it."""
    value = node.value
    if value is None or len(value) <= SLICE:
        yield encode_node(node, trim)
        return
    key = node.key.removeprefix(trim)
    yield f'{{"key":{quote(key)},"value":"' if key else '{"value":"'
    at = 0
    while at < len(value):
        end = _boundary(value, at + SLICE)
        yield _inside(value[at:end])
        at = end
    rest = _leaf(
        StoreNode("", None, node.modified_index, node.created_index, node.expiration, node.ttl, node.dir), ""
    )
    yield '"}' if rest == "{}" else '",' + rest[1:]


def _boundary(value: bytes, near: int) -> int:
    """A place near there, or the end, where no character is cut in two."""
    if near >= len(value):
        return len(value)
    for back in range(4):  # no character has more than three bytes behind its first
        if value[near - back] & 0xC0 != 0x80:
            return near - back
    return near
