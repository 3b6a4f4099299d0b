"""Turns the gateways' keys into a plain key space of v3: keys with a TTL get a lease, and the gateways' records are
removed."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.clocks import Time
from server.gateway.gateways import Life
from server.gateway.layout import FORMAT, LEAVING, Layout, LayoutError, Registration, is_published, shown
from server.gateway.loading import load
from server.gateway.replica import Diverged, Replica
from server.gateway.tending import Tender
from server.gateway.v3 import V3, Compare, Delete, Put, end_of
from server.store import Store
from server.store.node import SECOND
from server.store.paths import parent_of
from server.store.snapshot import FrozenStore

logger = logging.getLogger(__name__)

_AT_ONCE = 60
"""Keys that have ended and that one transaction removes. A choice: less than half of the 128 operations that etcd
takes."""


@dataclass(slots=True)
class Left:
    """How many keys remain, how many of them have a lease, and how many have ended; ``users`` counts the records of
    v2's users and roles, which v3 does not use."""

    keys: int = 0
    leased: int = 0
    ended: int = 0
    users: int = 0


@dataclass(slots=True)
class _Office:
    """Stands for ``Gateways`` with a tender: this command writes the last checkpoints."""

    is_tender: bool = True
    life: Life = field(default_factory=lambda: Life("leaving", 0))


async def leave(v3: V3, layout: Layout, time: Time) -> Left:
    """Turns the keys into those of v3. Raises LayoutError where a gateway still runs, or no gateway ever did; V3Error,
    after which it can be repeated."""
    await _check_alone(v3, layout)
    await _close(v3, layout)
    store = await _write_the_rest(v3, layout, time)
    left = await _make_leases(v3, layout, store.freeze(), time.wall())
    last = Compare(layout.format, "value", layout.format_value(LEAVING))
    await v3.commit((last,), (Delete(layout.meta, end_of(layout.meta)),))
    return left


async def _check_alone(v3: V3, layout: Layout) -> None:
    there = await v3.get(layout.gateways, end_of(layout.gateways))
    names = [Registration.decode(kv.value).name for kv in there.found if kv.key != layout.tender]
    if names:
        raise LayoutError(
            f"gateways are running: {', '.join(names)}. Stop them, and repeat this ten seconds later"
        )


async def _close(v3: V3, layout: Layout) -> None:
    """Changes the format key, so that no gateway starts from here on."""
    there = await v3.get(layout.format)
    if not there.found:
        raise LayoutError(f"there are no keys of gateways: no {shown(layout.format)}")
    state = layout.state_in(there.found[0].value)
    if state not in (FORMAT, LEAVING):
        raise LayoutError(f"{shown(layout.format)} is {shown(state)}: finish that first")
    await v3.commit(
        (Compare(layout.format, "mod", there.found[0].mod_revision),),
        (Put(layout.format, layout.format_value(LEAVING)),),
    )


async def _write_the_rest(v3: V3, layout: Layout, time: Time) -> Store:
    """Writes the last records of the log as checkpoints. Raises LayoutError."""
    loaded = await load(v3, layout)
    replica = Replica(Store())
    replica.become(loaded.state, loaded.mark, loaded.stale)
    for kv in loaded.log:
        replica.apply(kv.mod_revision, kv.key, kv.value, (), time.wall())
    tender = Tender(
        v3,
        layout,
        _Office(),  # type: ignore[arg-type]
        replica,
        time,
        stale=lambda _: None,
        rest=lambda: time.sleep(0),
    )
    tender.become(loaded)
    try:
        while await tender.step():
            pass
    except Diverged as error:
        raise LayoutError(f"somebody else writes: {error}") from None
    if replica.is_ahead:
        raise LayoutError("somebody else writes checkpoints: stop all gateways, and repeat this")
    return replica.store


async def _make_leases(v3: V3, layout: Layout, frozen: FrozenStore, now: int) -> Left:
    """Gives all keys that end in the same second one lease, and deletes those that have ended."""
    left = Left(users=sum(path.startswith("/2/") for path in frozen.files))
    by_seconds: defaultdict[int, list[str]] = defaultdict(list)
    for path, ends in _ends(frozen):
        if ends is None:
            left.keys += 1
        else:
            by_seconds[-(-(ends - now) // SECOND)].append(path)
    for seconds, paths in sorted(by_seconds.items()):
        lease = await v3.grant(seconds) if seconds > 0 else 0
        for at in range(0, len(paths), _AT_ONCE):
            some = paths[at : at + _AT_ONCE]
            keys = [layout.published(path) for path in some]
            if seconds > 0:
                values = [frozen.files[path].value or b"" for path in some]
                for key, value in zip(keys, values, strict=True):
                    await v3.commit((), (Put(key, value, lease),))
            else:
                await v3.commit((), [Delete(key) for key in keys])
        if seconds > 0:
            left.leased += len(paths)
            left.keys += len(paths)
        else:
            left.ended += len(paths)
    return left


def _ends(frozen: FrozenStore) -> Iterator[tuple[str, int | None]]:
    """Every published file, and when it, or a directory that it is in, expires: unix nanoseconds, None for never."""
    of_directory: dict[str, int | None] = {"/": None}

    def of(path: str) -> int | None:
        if path not in of_directory:
            of_directory[path] = _earlier(frozen.directories[path].expiration, of(parent_of(path)))
        return of_directory[path]

    for path, file in frozen.files.items():
        if is_published(path):
            yield path, _earlier(file.expiration, of(parent_of(path)))


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
