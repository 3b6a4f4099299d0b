"""What events change in the keys of the etcd 3, and how many of them make one checkpoint. Pure.

A checkpoint is one transaction, at an exact index of the store. It is never split over two: a crash between them would
leave keys that are newer than the mark, and the log could not be applied to them again.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from server.gateway.layout import (
    FIRST_RULES,
    KEYS,
    Layout,
    Mark,
    encode_events,
    encode_node,
    encode_paths,
    is_published,
)
from server.gateway.v3 import Delete, Put, end_of
from server.store import Action, Event, Store, StoreNode
from server.store.node import Directory
from server.store.paths import parent_of

MOST_OPERATIONS = 110
"""Operations on nodes in one checkpoint. etcd takes 128 in a transaction (--max-txn-ops); the others are for the mark,
the events, and what is removed with them."""
MOST_BYTES = 1 << 20
"""Bytes of one checkpoint, unless a single event has more: an estimate, so well below the 1.5 MiB that etcd takes in a
request."""
FEW = 50
"""Up to so many nodes that are removed with a directory are removed one by one: with two operations each, they fit into
one checkpoint."""
PATHS_AT_ONCE = 10_000
"""Paths in one list of values that must still be removed. A choice: one key, compressed, for paths of usual length far
below the 1.5 MiB that etcd takes."""

_LIVES = 6
"""Lives of gateways whose records one checkpoint removes from the log: an operation each, of the few that
``MOST_OPERATIONS`` leaves."""

_REMOVALS = (Action.DELETE, Action.EXPIRE, Action.COMPARE_AND_DELETE)


class Position(NamedTuple):
    """A place in the log: behind ``done`` requests of the record of ``revision``, which is the ``tail``-th record;
    ``rules`` are in force there."""

    revision: int
    done: int
    tail: int
    rules: int = FIRST_RULES


@dataclass(slots=True)
class Applied:
    """An event, the ``position`` in the log behind it, the running sum of all events up to it, and the nodes that it
    wrote or removed. For a directory that was removed with many nodes, ``top`` is its path, and ``gone_files`` are the
    files below it."""

    event: Event
    position: Position
    sum: int
    nodes: tuple[StoreNode | Directory, ...] = ()
    gone: tuple[str, ...] = ()
    """Directories that were removed: they have a record, and no published value."""
    gone_files: tuple[str, ...] = ()
    top: str = ""

    @property
    def index(self) -> int:
        return self.event.node.modified_index

    @property
    def mark(self) -> Mark:
        """The mark of a checkpoint that ends with this event."""
        revision, done, tail, rules = self.position
        return Mark(revision, done, self.index, self.sum, tail, rules)


def applied(
    event: Event, files: list[str], directories: list[str], store: Store, position: Position, sum: int
) -> Applied:
    """What an event has just done to ``store``; ``files`` and ``directories`` are the paths that it removed."""
    node = event.node
    if event.action in _REMOVALS:
        if len(files) + len(directories) > FEW:
            return Applied(event, position, sum, gone_files=tuple(files), top=node.key)
        return Applied(event, position, sum, gone=tuple(directories), gone_files=tuple(files))
    written: list[StoreNode | Directory] = []
    if node.dir:
        directory = store.tree.directories.get(node.key)
        assert directory is not None, "an event shows a directory that is there"
        written.append(_record_of(directory))
    else:
        written.append(node)
    if node.created_index == node.modified_index:
        above = store.tree.directories.get(parent_of(node.key))
        while above is not None and above.created_index == node.modified_index:
            written.append(_record_of(above))
            above = store.tree.directories.get(parent_of(above.key))
    replaced = event.prev_node
    became_directory = node.dir and replaced is not None and not replaced.dir
    return Applied(event, position, sum, tuple(written), gone_files=(node.key,) if became_directory else ())


def _record_of(directory: Directory) -> Directory:
    """The directory as it is now, without its children."""
    return Directory(directory.key, directory.modified_index, directory.created_index, directory.expiration)


@dataclass(slots=True)
class Checkpoint:
    """What one transaction writes, without the mark and its guard. ``before`` are lists that must be written first,
    ``first_event`` is the index of its first event, 0 for none."""

    mark: Mark
    puts: list[Put] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    before: list[Put] = field(default_factory=list)
    first_event: int = 0
    """The index of the first of the events it has; 0 when it has none."""


def next_checkpoint(
    changes: deque[Applied], here: Mark, layout: Layout, *, operations: int = MOST_OPERATIONS
) -> Checkpoint:
    """The longest checkpoint that fits into a transaction; with all ``changes`` in it, it ends at ``here``, the mark of
    the store as it is."""
    draft = _Draft(layout, operations)
    taken: list[Applied] = []
    for change in changes:
        if not draft.takes(change):
            break
        taken.append(change)
        if change.top:
            break
    if len(taken) < len(changes):
        here = taken[-1].mark
    checkpoint = draft.finish(here)
    if taken:
        checkpoint.first_event = taken[0].index
        events = encode_events(change.event for change in taken)
        checkpoint.puts.append(Put(layout.event(checkpoint.first_event), events))
    return checkpoint


class _Draft:
    """A checkpoint in the making: a later change of a node replaces the earlier ones."""

    def __init__(self, layout: Layout, operations: int) -> None:
        self._layout = layout
        self._most = operations
        self._nodes: dict[str, StoreNode | Directory | None] = {}
        self._values: dict[str, bytes | None] = {}
        self._size = 0
        self._top = ""
        self._lists: list[Put] = []

    def takes(self, change: Applied) -> bool:
        """Adds a change, and returns True, if it fits; the first one always does."""
        size = _size_of(change)
        added = self._added(change)
        full = len(self._nodes) + len(self._values)
        if full and (full + added > self._most or self._size + size > MOST_BYTES):
            return False
        self._size += size
        if change.top:
            self._take_out(change)
            return True
        for path in change.gone:
            self._nodes[path] = None
        for path in change.gone_files:
            self._nodes[path] = None
            if is_published(path):
                self._values[path] = None
        for node in change.nodes:
            self._nodes[node.key] = node
            if isinstance(node, StoreNode) and is_published(node.key):
                self._values[node.key] = node.value or b""
        return True

    def _added(self, change: Applied) -> int:
        """How many operations a change adds; one too many for a file that became a directory."""
        if change.top:
            return 2
        nodes, values = self._nodes, self._values
        added = 0
        for node in change.nodes:
            added += node.key not in nodes
            if isinstance(node, StoreNode) and is_published(node.key):
                added += node.key not in values
        for path in change.gone:
            added += path not in nodes
        for path in change.gone_files:
            added += path not in nodes
            if is_published(path):
                added += path not in values
        return added

    def _take_out(self, change: Applied) -> None:
        """Removes a directory with many nodes: their records as one range. Their published values go into a list,
        because a range of them could contain keys that others have written."""
        below = change.top + "/"
        self._nodes = {path: node for path, node in self._nodes.items() if not path.startswith(below)}
        self._values = {path: value for path, value in self._values.items() if not path.startswith(below)}
        self._nodes[change.top] = None
        self._top = change.top
        if not is_published(change.top) and change.top != KEYS:
            return
        for at in range(0, len(change.gone_files), PATHS_AT_ONCE):
            listed = encode_paths(change.gone_files[at : at + PATHS_AT_ONCE])
            key = self._layout.gone_at(change.index) + b"/%06d" % (at // PATHS_AT_ONCE)
            self._lists.append(Put(key, listed))

    def finish(self, mark: Mark) -> Checkpoint:
        layout = self._layout
        checkpoint = Checkpoint(mark, before=self._lists)
        for path, node in self._nodes.items():
            if node is None:
                checkpoint.deletes.append(Delete(layout.node(path)))
            else:
                checkpoint.puts.append(Put(layout.node(path), encode_node(node)))
        for path, value in self._values.items():
            if value is None:
                checkpoint.deletes.append(Delete(layout.published(path)))
            else:
                checkpoint.puts.append(Put(layout.published(path), value))
        if self._top:
            below = layout.node(self._top + "/")
            checkpoint.deletes.append(Delete(below, end_of(below)))
        return checkpoint


def _size_of(change: Applied) -> int:
    """An upper estimate of the bytes that a change writes."""
    values = paths = 0
    for node in change.nodes:
        paths += len(node.key)
        if isinstance(node, StoreNode):
            values += len(node.value or b"")
    for path in change.gone:
        paths += len(path)
    for path in change.gone_files:
        paths += len(path)
    previous = change.event.prev_node
    kept = values + (0 if previous is None else len(previous.value or b""))
    return values + (2 * kept if kept <= 4096 else 0) + 2 * paths + 200 * (1 + len(change.nodes))


class Logged(NamedTuple):
    """A record of the log that has been applied and may still be there; ``requests`` and ``size`` (bytes) count its
    content."""

    revision: int
    key: bytes
    requests: int
    size: int


def covered(records: Iterable[Logged], mark: Mark) -> tuple[list[Delete], int]:
    """The operations that remove from the log the records that a checkpoint covers, and the number of these records,
    counted from the first.

    One range for each life of a gateway; with more than ``_LIVES`` of them the rest waits for the next checkpoint.
    """
    first: dict[bytes, bytes] = {}
    last: dict[bytes, bytes] = {}
    count = 0
    for revision, key, requests, _ in records:
        if revision > mark.revision or (revision == mark.revision and mark.done < requests):
            break
        boot = key[: key.rindex(b"/")]
        if boot not in first and len(first) == _LIVES:
            break
        first.setdefault(boot, key)
        last[boot] = key
        count += 1
    return [Delete(key, last[boot] + b"\0") for boot, key in first.items()], count
