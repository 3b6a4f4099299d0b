"""Reads the keys of the etcd 3, at one revision, into a key space; and writes the first keys of all."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from server.gateway.changes import Logged
from server.gateway.layout import (
    FORMAT,
    IMPORTING,
    LEAVING,
    Layout,
    LayoutError,
    Mark,
    decode_events,
    decode_node,
    decode_record,
    has_drifted,
    is_published,
    shown,
)
from server.gateway.replica import check_tail
from server.gateway.v3 import V3, Compacted, Compare, Get, KeyValue, Put, end_of
from server.store import Event, Store
from server.store.history import CAPACITY, History
from server.store.node import Directory
from server.store.paths import parent_of
from server.store.snapshot import StoreState

logger = logging.getLogger(__name__)

_FIRST_PAGE, _LONGEST_PAGE = 100, 4000
"""Keys. The first page is short, because it may be of large values: its size gives the length of the next. The longest
keeps a page of small keys from blocking the event loop for long."""
_BYTES_A_PAGE = 4 << 20
"""What a page should have. A choice: large enough that the round trip does not count, and small enough that two pages
in memory do not matter."""
_HALF_DONE = {IMPORTING: "migrate02 data --gateway", LEAVING: "etcd02 gateway leave"}
"""Formats that no gateway accepts, and the command that must be finished first."""
_TOLD = 5
"""Keys written by others that a line of the log names: enough to find the writer, and a line that can be read."""


@dataclass(slots=True)
class Loaded:
    """Everything as of ``revision``. ``log`` are the records that must still be applied, in order, ``stale`` those that
    the checkpoint covers. ``chunks`` are the first indexes of the chunks of events; ``drifted`` are the files whose
    published values were not written by a gateway, ``lost`` those of them whose former values have been compacted
    away."""

    revision: int
    mark: Mark
    mark_revision: int
    state: StoreState
    log: list[KeyValue] = field(default_factory=list)
    stale: list[Logged] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


async def found(v3: V3, layout: Layout) -> None:
    """Writes the first format and mark, where there are none. Raises LayoutError for a format that this release does
    not know, for records that belong to other keys, or when there are keys in the place of clients' keys already."""
    there = await v3.get(layout.format)
    if not there.found:
        everything = end_of(layout.published_root)
        own = end_of(layout.meta)
        guards = (
            Compare(layout.meta, "version", 0, own),
            Compare(layout.published_root, "version", 0, everything),
        )
        puts = (
            Put(layout.format, layout.format_value(FORMAT)),
            Put(layout.mark, Mark(0, 0, 0, 0, 0).encode()),
        )
        committed = await v3.commit(guards, puts, (Get(layout.format),))
        if not committed.succeeded and not committed.found:
            raise LayoutError(await strangers(v3, layout))
        there = await v3.get(layout.format)
    state = layout.state_in(there.found[0].value)
    if state in _HALF_DONE:
        raise LayoutError(f"{_HALF_DONE[state]} was broken off here: repeat it")
    if state != FORMAT:
        raise LayoutError(
            f"{shown(layout.format)} is {shown(state)}, and this release knows {shown(FORMAT)}: "
            "update the gateway"
        )


async def strangers(v3: V3, layout: Layout) -> str:
    """Why a new gateway cannot begin here."""
    for prefix, setting in ((layout.meta, "meta"), (layout.published_root, "data")):
        there = await v3.get(prefix, end_of(prefix), limit=1, keys_only=True)
        if there.found:
            return (
                f"the etcd holds {there.total} keys that begin with {shown(prefix)} and are not a gateway's, the first "
                f"is {shown(there.found[0].key)}: name another prefix with --gateway-{setting}-prefix, or remove them"
            )
    return "another gateway is just starting for the first time"


async def load(v3: V3, layout: Layout) -> Loaded:
    """Reads everything. Raises LayoutError for what no gateway has written, and V3Error."""
    while True:
        try:
            return await _load(v3, layout)
        except Compacted:
            logger.info("the etcd was compacted while the key space was read from it, reading again")


async def _load(v3: V3, layout: Layout) -> Loaded:
    there = await v3.get(layout.mark)
    if not there.found:
        raise LayoutError(
            f"{shown(layout.mark)} does not exist: without it the gateways' keys cannot be read"
        )
    revision = there.revision
    mark = Mark.decode(there.found[0].value)
    loaded = Loaded(
        revision, mark, there.found[0].mod_revision, StoreState({}, {}, History(), mark.index, Store().stats)
    )
    await _read_tree(v3, layout, loaded)
    await _read_log(v3, layout, loaded)
    await _read_history(v3, layout, loaded)
    return loaded


async def _pages(v3: V3, prefix: bytes, revision: int) -> AsyncIterator[KeyValue]:
    """All keys with a prefix, in pages of a few megabytes; the next page is on its way while one is read."""
    at, end, limit = prefix, end_of(prefix), _FIRST_PAGE
    coming = asyncio.ensure_future(v3.get(at, end, revision=revision, limit=limit))
    try:
        while True:
            page = await coming
            if page.more:
                at = page.found[-1].key + b"\0"
                size = sum(len(kv.value) + len(kv.key) for kv in page.found)
                limit = max(10, min(_LONGEST_PAGE, _BYTES_A_PAGE * len(page.found) // (size + 1)))
                coming = asyncio.ensure_future(v3.get(at, end, revision=revision, limit=limit))
                await asyncio.sleep(0)  # or it would not be sent before these have been read
            for kv in page.found:
                yield kv
            if not page.more:
                return
    finally:
        coming.cancel()


async def _read_tree(v3: V3, layout: Layout, loaded: Loaded) -> None:
    state = loaded.state
    for path in ("/", "/0", "/1"):
        state.directories[path] = Directory(path, 0, 0)
    state.directories["/"].children.update({"/0": None, "/1": None})
    published = {}
    strangers = []
    records = {}
    async for kv in _pages(v3, layout.nodes, loaded.revision):
        records[layout.read_path(kv.key)] = kv
    async for kv in _pages(v3, layout.published_root, loaded.revision):
        path = "/1" + kv.key[len(layout.data) :].decode("utf-8", "surrogateescape")
        if path in records:
            published[path] = kv
        else:
            strangers.append(kv.key)
    _tell(
        strangers,
        "the etcd holds %d keys beside the clients' that no gateway has written; they are not changed: %s",
    )
    for path, record in records.items():
        value = published.get(path)
        if is_published(path) and has_drifted(record, value):
            loaded.drifted.append(path)
            before = await _as_it_was(v3, layout.published(path), record.mod_revision)
            if before is None:
                loaded.lost.append(path)
            else:
                value = before
        node = decode_node(path, record.value, None if value is None else value.value)
        above = state.directories.get(parent_of(path))
        if node is None:
            logger.warning(
                "the value of %s was deleted over the v3 API: the key does not exist for v2 either",
                shown(record.key),
            )
            continue
        if above is None:
            raise LayoutError(f"{shown(record.key)} is not in a directory")
        above.children[path] = None
        if isinstance(node, Directory):
            state.directories[path] = node
        else:
            state.files[path] = node
    told = [layout.published(path) for path in loaded.drifted]
    _tell(told, "%d keys have been written over the v3 API; clients of v2 get them as they were: %s")


async def _as_it_was(v3: V3, key: bytes, revision: int) -> KeyValue | None:
    """The value that a gateway has published; None when it has been compacted away."""
    try:
        there = await v3.get(key, revision=revision)
    except Compacted:
        return None
    return there.found[0] if there.found else None


def _tell(keys: list[bytes], text: str) -> None:
    if keys:
        more = ", ..." if len(keys) > _TOLD else ""
        logger.warning(text, len(keys), ", ".join(map(shown, keys[:_TOLD])) + more)


async def _read_log(v3: V3, layout: Layout, loaded: Loaded) -> None:
    mark, appends = loaded.mark, 0
    async for kv in _pages(v3, layout.log, loaded.revision):
        if kv.key == layout.tail:
            appends = kv.version
        elif kv.key != layout.mark:
            layout.read_record(kv.key)
            requests = decode_record(kv.key, kv.value)
            count = 0 if isinstance(requests, int) else len(requests)
            if kv.mod_revision > mark.revision or (kv.mod_revision == mark.revision and mark.done < count):
                loaded.log.append(kv)
            else:
                loaded.stale.append(Logged(kv.mod_revision, kv.key, count, len(kv.value)))
    loaded.log.sort(key=lambda kv: kv.mod_revision)
    loaded.stale.sort()
    behind = sum(kv.mod_revision > mark.revision for kv in loaded.log)
    check_tail(appends, mark.tail, behind, layout.tail)


async def _read_history(v3: V3, layout: Layout, loaded: Loaded) -> None:
    """Reads the last events without a gap; a client that asks for older ones gets the error that they are cleared."""
    events: list[Event] = []
    async for kv in _pages(v3, layout.events, loaded.revision):
        loaded.chunks.append(int(kv.key[len(layout.events) :]))
        for event in decode_events(kv.value):
            if event is None or (events and event.index != events[-1].index + 1):
                events.clear()
            if event is not None:
                events.append(event)
    index = loaded.mark.index
    history = loaded.state.history
    history.start_index, history.last_index = index + 1, index
    if events and events[-1].index == index:
        for event in events[-CAPACITY:]:
            history.append(event)
