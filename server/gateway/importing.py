"""Puts a whole key space into an etcd 3 that has none yet, in the form of a checkpoint, for gateways to begin with.

The format key is written first with a value that no gateway accepts, and last with the real one: a gateway that starts
meanwhile is refused. An import that was broken off is begun again, and removes its own keys first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from server.gateway.layout import (
    FORMAT,
    IMPORTING,
    Layout,
    LayoutError,
    Mark,
    encode_events,
    encode_node,
    is_published,
)
from server.gateway.loading import strangers
from server.gateway.node import MOST_RECORD, MOST_VALUE
from server.gateway.v3 import V3, Compare, Delete, Put, end_of
from server.store import Event, StoreNode
from server.store.node import Directory
from server.store.snapshot import FrozenStore

_OPERATIONS, _BYTES = 120, 1 << 20
"""Of one transaction, unless a single node has more: etcd takes 128 operations and 1.5 MiB."""
_EVENTS_AT_ONCE = 50
"""Events in one chunk. With values of at most ``layout.EVENT_VALUE`` bytes each, a chunk fits into a transaction."""


class Imported(NamedTuple):
    """How many files and directories were written, and the store's index, ``at`` which the gateways continue."""

    files: int
    directories: int
    at: int


async def write(v3: V3, layout: Layout, frozen: FrozenStore) -> Imported:
    """Writes a key space. Raises LayoutError, with nothing written, where there are keys already or a value is too
    long; and V3Error, after which it can be repeated."""
    nodes = sorted(_clients(frozen), key=lambda node: node.key)
    for node in nodes:
        _check(node)
    await _begin(v3, layout)
    half_done = _is_half_done(layout)
    for puts in _batches(_puts(nodes, frozen, layout)):
        await v3.commit((half_done,), puts)
    mark = Mark(0, 0, frozen.index, 0, 0)
    puts = [Put(layout.mark, mark.encode()), Put(layout.format, layout.format_value(FORMAT))]
    done = await v3.commit((half_done, Compare(layout.mark, "version", 0)), puts)
    if not done.succeeded:
        raise LayoutError(
            "somebody else has written to the gateways' keys meanwhile; look who, and begin again"
        )
    directories = sum(isinstance(node, Directory) for node in nodes)
    return Imported(len(nodes) - directories, directories, frozen.index)


def _clients(frozen: FrozenStore) -> Iterator[StoreNode | Directory]:
    """The nodes that clients have written, and users and roles; not what a member stores about its cluster."""
    for directory in frozen.directories.values():
        if _is_clients(directory.key):
            yield directory
    for file in frozen.files.values():
        if _is_clients(file.key):
            yield file


def _is_clients(path: str) -> bool:
    return path == "/2" or path.startswith(("/1/", "/2/"))


def _check(node: StoreNode | Directory) -> None:
    if isinstance(node, StoreNode):
        most, size = MOST_VALUE if is_published(node.key) else MOST_RECORD, len(node.value or b"")
        if size > most:
            raise LayoutError(f"the value of {node.key[2:]} has {size} bytes, and a gateway takes {most}")


async def _begin(v3: V3, layout: Layout) -> None:
    there = await v3.get(layout.format)
    if there.found and layout.state_in(there.found[0].value) == IMPORTING:
        await _take_out(v3, layout)
        return
    guards = (
        Compare(layout.meta, "version", 0, end_of(layout.meta)),
        Compare(layout.published_root, "version", 0, end_of(layout.published_root)),
    )
    begun = await v3.commit(guards, (Put(layout.format, layout.format_value(IMPORTING)),))
    if not begun.succeeded:
        raise LayoutError(await strangers(v3, layout))


def _is_half_done(layout: Layout) -> Compare:
    return Compare(layout.format, "value", layout.format_value(IMPORTING))


async def _take_out(v3: V3, layout: Layout) -> None:
    """Removes what an import that was broken off has written: keys that have a record, and the records."""
    while True:
        page = await v3.get(layout.nodes, end_of(layout.nodes), limit=50, keys_only=True)
        if not page.found:
            break
        deletes = [Delete(kv.key) for kv in page.found]
        for kv in page.found:
            path = layout.read_path(kv.key)
            if is_published(path):
                deletes.append(Delete(layout.published(path)))
        await v3.commit((_is_half_done(layout),), deletes)
    await v3.commit((), (Delete(layout.events, end_of(layout.events)),))


def _puts(nodes: Iterable[StoreNode | Directory], frozen: FrozenStore, layout: Layout) -> Iterator[list[Put]]:
    """The Puts, in groups that must be in one transaction."""
    for node in nodes:
        puts = [Put(layout.node(node.key), encode_node(node))]
        if isinstance(node, StoreNode) and is_published(node.key):
            puts.append(Put(layout.published(node.key), node.value or b""))
        yield puts
    events = _events(frozen)
    while some := list(islice(events, _EVENTS_AT_ONCE)):
        yield [Put(layout.event(some[0].index), encode_events(some))]


def _events(frozen: FrozenStore) -> Iterator[Event]:
    history = frozen.history
    for at in range(history.size):
        event = history.events[(history.front + at) % history.capacity]
        if event is not None:
            yield event


def _batches(groups: Iterable[list[Put]]) -> Iterator[list[Put]]:
    batch: list[Put] = []
    size = 0
    for puts in groups:
        more = sum(len(put.key) + len(put.value) for put in puts)
        if batch and (len(batch) + len(puts) > _OPERATIONS or size + more > _BYTES):
            yield batch
            batch, size = [], 0
        batch += puts
        size += more
    if batch:
        yield batch
