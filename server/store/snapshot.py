"""The state of a store as the JSON that etcd 2.x keeps in its snapshots, written and read.

Writing works on a frozen copy and in small pieces, so that a loop can go on serving between two of them, or leave
the whole to another thread. Reading takes what 2.0 to 2.3 wrote.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from server.jsonrules import as_utf8
from server.store import deepjson
from server.store.errors import SnapshotFormatError
from server.store.event import Event
from server.store.gojson import ZERO_TIME, encode_node, format_time, parse_time, quote, quote_bytes
from server.store.history import CAPACITY, History
from server.store.node import Directory, StoreNode, directory_view
from server.store.paths import byte_order
from server.store.stats import Stats

_VERSION = 2
"""Of the store's format: etcd 2.x writes this number."""

_PIECE = 256
"""Texts in one piece, about as many nodes or events: a millisecond or three (CPython 3.11, small values)."""
_PORTION = 1024
"""Paths looked at for one portion of a listing: well below a millisecond."""
_RUN = 4096
"""Children sorted at a time; between two portions others get their turn."""


@dataclass(slots=True, frozen=True)
class FrozenStore:
    """A store's state at one index. Nobody changes what it refers to, so any thread may encode it."""

    files: dict[str, StoreNode]
    directories: dict[str, Directory]
    history: History
    index: int
    stats_json: str

    def encode(self) -> bytes:
        """The whole document."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The document in pieces of some ten kilobytes (values permitting); join them. Some may be empty."""
        piece: list[str] = ['{"Root":']
        for text in self._tree():
            piece.append(text)
            if len(piece) > _PIECE:
                yield "".join(piece).encode()
                piece.clear()
        piece.append(',"WatcherHub":{"EventHistory":{"Queue":{"Events":[')
        separator = ""
        for event in self.history.events:
            piece += (separator, "null" if event is None else _event_text(event))
            separator = ","
            if len(piece) > _PIECE:
                yield "".join(piece).encode()
                piece.clear()
        history = self.history
        piece.append(
            f'],"Size":{history.size},"Front":{history.front},"Back":{history.back},"Capacity":{history.capacity}}},'
            f'"StartIndex":{history.start_index},"LastIndex":{history.last_index}}}}},'
            f'"CurrentIndex":{self.index},"Stats":{self.stats_json},"CurrentVersion":{_VERSION}}}'
        )
        yield "".join(piece).encode()

    def rows(self, path: str, recursive: bool, in_order: bool, now: int) -> Iterator[list[StoreNode | None]]:
        """A directory and what is visible in it, in portions of about a thousand that may be empty; put them together.

        A directory comes before what is in it, as it is shown at ``now`` (Unix nanoseconds), and None behind that; of
        directories in it only the ``recursive`` have more between the two. Files are those of the tree. ``path``,
        clean, is one of a directory. A tree may have any depth.
        """
        top = self.directories[path]
        rows: list[StoreNode | None] = [directory_view(top, now)]
        looked_at = 0
        around = [iter(self._children(top, in_order))]
        while around:
            for child in around[-1]:
                looked_at += 1
                if looked_at > _PORTION:
                    yield rows
                    rows, looked_at = [], 0
                if not child or child[child.rfind("/") + 1] == "_":
                    continue
                file = self.files.get(child)
                if file is not None:
                    rows.append(file)
                    continue
                directory = self.directories[child]
                rows.append(directory_view(directory, now))
                if recursive:
                    around.append(iter(self._children(directory, in_order)))
                    break
                rows.append(None)
            else:
                rows.append(None)
                around.pop()
        yield rows

    def _children(self, directory: Directory, in_order: bool) -> Iterable[str]:
        return self._sorted(directory.children) if in_order else directory.children

    def _tree(self) -> Iterator[str]:
        """Texts that make up the tree. A tree may have any depth."""
        top = self.directories["/"]
        yield _opening(top) + "{"
        open_directories = [iter(self._sorted(top.children))]
        separator = ""
        while open_directories:
            for path in open_directories[-1]:
                if not path:
                    yield ""
                    continue
                name = f"{separator}{quote(path.rpartition('/')[2])}:"
                file = self.files.get(path)
                if file is None:
                    directory = self.directories[path]
                    yield name + _opening(directory) + "{"
                    open_directories.append(iter(self._sorted(directory.children)))
                    separator = ""
                    break
                yield name + _opening(file) + "null}"
                separator = ","
            else:
                yield "}}"
                open_directories.pop()
                separator = ","

    def _sorted(self, children: dict[str, None]) -> Iterable[str]:
        """Paths by their bytes. Of a huge directory in runs, with an empty path after each to take a breath."""
        if len(children) <= _RUN:
            return byte_order(list(children))
        return self._merged(list(children))

    def _merged(self, paths: list[str]) -> Iterator[str]:
        runs = []
        for start in range(0, len(paths), _RUN):
            runs.append(byte_order(paths[start : start + _RUN]))
            yield from [""] * _PIECE
        yield from heapq.merge(*runs, key=lambda path: path.encode("utf-8", "surrogateescape"))


def _opening(node: StoreNode | Directory) -> str:
    """A node's object up to the value of ``Children``."""
    value = '""' if isinstance(node, Directory) or node.value is None else quote_bytes(node.value)
    expires = ZERO_TIME if node.expiration is None else format_time(node.expiration)
    return (
        f'{{"Path":{quote(node.key)},"CreatedIndex":{node.created_index},"ModifiedIndex":{node.modified_index},'
        f'"ExpireTime":"{expires}","Value":{value},"Children":'
    )


def _event_text(event: Event) -> str:
    text = f'{{"action":"{event.action}","node":{encode_node(event.node)}'
    if event.prev_node is not None:
        text += f',"prevNode":{encode_node(event.prev_node)}'
    return text + (',"refresh":true}' if event.refresh else "}")


@dataclass(slots=True)
class StoreState:
    """What a snapshot says."""

    files: dict[str, StoreNode]
    directories: dict[str, Directory]
    history: History
    index: int
    stats: Stats


def read_snapshot(data: bytes) -> StoreState:
    """The state in a snapshot's JSON. Raises SnapshotFormatError, naming the place."""
    try:
        document = deepjson.loads(data.decode("utf-8", "replace"))
    except ValueError as error:
        raise SnapshotFormatError(f"the snapshot's store is not JSON: {error}") from error
    return read_document(document)


def read_document(document: Any) -> StoreState:
    """The state in a snapshot's JSON that is parsed already, and used up on the way, for it is large. Raises
    SnapshotFormatError, naming the place."""
    place = ["the top"]
    try:
        state = StoreState({}, {}, History(), int(document["CurrentIndex"]), Stats())
        state.stats = Stats.from_mapping(document.get("Stats") or {})
        _read_tree(document.pop("Root"), state, place)
        _read_history((document.get("WatcherHub") or {}).get("EventHistory") or {}, state.history, place)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise SnapshotFormatError(f"the snapshot's store cannot be read at {place[0]}: {reason}") from error
    return state


def _read_tree(root: dict[str, Any], state: StoreState, place: list[str]) -> None:
    siblings: dict[str, None] = {}
    todo: deque[tuple[str, object, dict[str, None]]] = deque([("/", root, siblings)])
    del root  # so that nothing holds what was read any longer
    while todo:
        path, found, siblings = todo.popleft()
        place[0] = path
        if not isinstance(found, dict):
            raise TypeError(f"a node is no object: {type(found).__name__}")
        expiration = parse_time(found.get("ExpireTime") or ZERO_TIME)
        modified, created = int(found.get("ModifiedIndex") or 0), int(found.get("CreatedIndex") or 0)
        siblings[path] = None
        children = found.get("Children")
        if children is None:
            state.files[path] = StoreNode(
                path, _bytes(found.get("Value") or ""), modified, created, expiration
            )
            continue
        directory = state.directories[path] = Directory(path, modified, created, expiration)
        prefix = "/" if path == "/" else path + "/"
        for name, child in children.items():
            if not name or "/" in name:
                raise ValueError(f"a node has the name {name!r}")
            todo.append((prefix + name, child, directory.children))
    if "/" not in state.directories:
        raise ValueError("the root is not a directory")


def _read_history(found: dict[str, Any], history: History, place: list[str]) -> None:
    queue = found.get("Queue") or {}
    place[0] = "the event history"
    events = queue.get("Events") or [None] * CAPACITY
    history.capacity = int(queue.get("Capacity") or CAPACITY)
    if len(events) != history.capacity:
        raise ValueError(f"{len(events)} slots, but a capacity of {history.capacity}")
    history.events = []
    for at, event in enumerate(events):
        place[0] = f"slot {at} of the event history"
        history.events.append(None if event is None else _read_event(event))
    place[0] = "the event history"
    history.size, history.front, history.back = (
        int(queue.get(name) or 0) for name in ("Size", "Front", "Back")
    )
    history.start_index, history.last_index = (
        int(found.get(name) or 0) for name in ("StartIndex", "LastIndex")
    )
    for name, at in (("front", history.front), ("back", history.back)):
        if not 0 <= at < history.capacity:
            raise ValueError(f"{name} {at} is outside its {history.capacity} slots")
    if not 0 <= history.size <= history.capacity:
        raise ValueError(f"a size of {history.size} does not fit its {history.capacity} slots")
    if history.size and history.events[history.front] is None:
        raise ValueError(f"slot {history.front}, the oldest event's, is empty")


def _read_event(found: dict[str, Any]) -> Event:
    previous = found.get("prevNode")
    node = _read_node(found["node"])
    return Event(
        str(found["action"]),
        node,
        None if previous is None else _read_node(previous),
        node.modified_index,
        bool(found.get("refresh")),
    )


def _read_node(found: dict[str, Any]) -> StoreNode:
    value = found.get("value")
    expiration = found.get("expiration")
    return StoreNode(
        found.get("key", ""),
        None if value is None else _bytes(value),
        int(found.get("modifiedIndex") or 0),
        int(found.get("createdIndex") or 0),
        None if expiration is None else parse_time(expiration),
        int(found.get("ttl") or 0),
        bool(found.get("dir")),
    )


def _bytes(text: str) -> bytes:
    """A JSON string's bytes. Half a surrogate pair is not UTF-8; Go reads it as U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return as_utf8(text).encode()
