"""The store against a naive model of the same key space: a dict searched from end to end at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.store import EtcdError, Event, Store, Watcher
from server.store.history import History
from server.store.node import StoreNode

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
EVER = 1 << 63
REMEMBERED = 12
"""Events, rather than etcd's thousand: so that the oldest are forgotten within a short run."""


class Refused(Exception):
    """Code and cause."""


class Item(NamedTuple):
    value: bytes | None  # None for a directory
    modified: int
    created: int
    expires: int | None


class Entry(NamedTuple):
    """What happened: ``previous`` was there before, and ``gone`` are the paths that went away."""

    action: str
    key: str
    at: int
    previous: Item | None
    refresh: bool = False
    gone: tuple[str, ...] = ()

    def removes_directory(self) -> bool:
        return (
            self.action in ("delete", "expire") and self.previous is not None and self.previous.value is None
        )


@dataclass
class Model:
    """Plain and slow; follows etcd's api.md."""

    index: int = 0
    items: dict[str, Item] = field(
        default_factory=lambda: {"/1": Item(None, 0, 0, None), "/0": Item(None, 0, 0, None)}
    )
    log: list[Entry] = field(default_factory=list)

    def walk(self, path: str) -> Item:
        parts = path.split("/")
        for depth in range(2, len(parts) + 1):
            here = "/".join(parts[:depth])
            if here not in self.items:
                raise Refused(100, here)
            if self.items[here].value is not None and here != path:
                raise Refused(104, here)
        return self.items[path]

    def write(self, action: str, path: str, item: Item, refresh: bool = False) -> None:
        parts = path.split("/")
        for depth in range(2, len(parts)):
            here = "/".join(parts[:depth])
            if here not in self.items:
                self.items[here] = Item(None, self.index + 1, self.index + 1, None)
            if self.items[here].value is not None:
                raise Refused(104, here)
        self.index += 1
        self.log.append(Entry(action, path, self.index, self.items.get(path), refresh))
        self.items[path] = item

    def set(self, path: str, value: bytes, is_dir: bool, expires: int | None, refresh: bool) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if path in self.items and self.items[path].value is None:
            raise Refused(102, path)
        if refresh:
            value = self.walk(path).value or b""
        new = Item(None if is_dir else value, self.index + 1, self.index + 1, expires)
        self.write("set", path, new, refresh)

    def create(self, path: str, value: bytes, is_dir: bool, expires: int | None) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if path in self.items:
            raise Refused(105, path)
        self.write("create", path, Item(None if is_dir else value, self.index + 1, self.index + 1, expires))

    def post(self, path: str, value: bytes, is_dir: bool, expires: int | None) -> None:
        self.create(f"{path}/{self.index + 1:020}", value, is_dir, expires)

    def update(self, path: str, value: bytes, expires: int | None, refresh: bool) -> None:
        if path == "/1":
            raise Refused(107, "/")
        old = self.walk(path)
        if old.value is None:
            if value:
                raise Refused(102, path)
            self.write("update", path, old._replace(expires=expires), refresh)
        else:
            new = Item(old.value if refresh else value, self.index + 1, old.created, expires)
            self.write("update", path, new, refresh)

    def compare(self, path: str, prev: bytes, prev_index: int) -> Item:
        old = self.walk(path)
        if old.value is None:
            raise Refused(102, path)
        failed = []
        if prev not in (b"", old.value):
            failed.append(f"[{prev.decode()} != {old.value.decode()}]")
        if prev_index not in (0, old.modified):
            failed.append(f"[{prev_index} != {old.modified}]")
        if failed:
            raise Refused(101, " ".join(failed))
        return old

    def swap(
        self, path: str, value: bytes, prev: bytes, prev_index: int, expires: int | None, refresh: bool
    ) -> None:
        if path == "/1":
            raise Refused(107, "/")
        old = self.compare(path, prev, prev_index)
        new = Item(old.value if refresh else value, self.index + 1, old.created, expires)
        self.write("compareAndSwap", path, new, refresh)

    def remove(self, action: str, path: str) -> None:
        gone = tuple(key for key in self.items if key == path or key.startswith(path + "/"))
        self.index += 1
        self.log.append(Entry(action, path, self.index, self.items[path], gone=gone))
        for key in gone:
            del self.items[key]

    def delete(self, path: str, is_dir: bool, recursive: bool) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if self.walk(path).value is None:
            if not is_dir and not recursive:
                raise Refused(102, path)
            if not recursive and any(key.startswith(path + "/") for key in self.items):
                raise Refused(108, path)
        self.remove("delete", path)

    def compare_and_delete(self, path: str, prev: bytes, prev_index: int) -> None:
        self.compare(path, prev, prev_index)
        self.remove("compareAndDelete", path)

    def expire(self, now: int) -> None:
        while due := [
            (item.expires, key) for key, item in self.items.items() if item.expires and item.expires <= now
        ]:
            self.remove("expire", min(due)[1])

    def visible(self) -> dict[str, Item]:
        return {key: item for key, item in self.items.items() if key.startswith("/1/") and "/_" not in key}

    def find_in_history(self, path: str, recursive: bool, since: int) -> Entry | Refused | None:
        """The first event from ``since`` on that a watch gets at once."""
        remembered = self.log[-REMEMBERED:]
        if remembered and since < remembered[0].at:
            return Refused(401, f"the requested history has been cleared [{remembered[0].at}/{since}]")
        events = [entry for entry in remembered if entry.at >= since and not entry.refresh]
        for entry in events:
            below = recursive and entry.key.startswith(path + "/")
            # As 2.3.8 does it: recursively, only the first event may be one of the key itself.
            itself = entry.key == path and (not recursive or entry is events[0])
            if itself or below or (entry.removes_directory() and path.startswith(entry.key)):
                return entry
        return None


@dataclass
class Watch:
    """A watcher of the store, and what it should have got from the model's log, of which ``seen`` entries are old."""

    watcher: Watcher
    path: str
    recursive: bool
    stream: bool
    since: int
    seen: int
    waits: bool = True

    def take_from(self, log: list[Entry]) -> list[int]:
        indices = [entry.at for entry in log[self.seen :] for _ in range(self._times(entry))]
        self.seen = len(log)
        if not self.waits:
            return []
        if not self.stream:
            indices = indices[:1]
            self.waits = not indices
        return indices

    def _times(self, entry: Entry) -> int:
        """How often it is told of an event: a path that went away is told of that, and then of the event as such."""
        if entry.refresh or entry.at < self.since:
            return 0
        below = self.recursive and entry.key.startswith(self.path + "/")
        hears = entry.key == self.path or (below and "/_" not in entry.key[len(self.path) :])
        return hears + (self.path in entry.gone)


KEYS = st.sampled_from(
    ["/1", "/1/a", "/1/a", "/1/a/b", "/1/a/b/é", "/1/a/_h", "/1/a/_h/x", "/1/ab", "/1/é", "/1/_h", "/1/_h/x"]
)
VALUES = st.sampled_from([b"", b"1", b"2", "é".encode()])
SECONDS = st.none() | st.integers(1, 9)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.store._hub.history = History(REMEMBERED)
        self.model = Model()
        self.now = START
        self.watches: list[Watch] = []
        self.watch_everything()

    def watch_everything(self) -> None:
        stream = self.store.watch("/1", recursive=True, stream=True)
        self.watches = [Watch(stream, "/1", True, True, 0, len(self.model.log))]

    def expiry(self, seconds: int | None) -> int | None:
        return None if seconds is None else self.now + seconds * SECOND

    def both(self, on_store: Callable[[], Event], on_model: Callable[[], None]) -> None:
        answers: list[tuple[object, ...]] = []
        try:
            on_model()
            answers.append(self.model.log[-1][:5])
        except Refused as refused:
            answers.append((*refused.args, self.model.index))
        try:
            event = on_store()
            previous = event.prev_node and item_of(event.prev_node)
            answers.append((event.action, event.node.key, event.etcd_index, previous, event.refresh))
        except EtcdError as error:
            answers.append((error.code, error.cause, error.index))
        assert answers[0] == answers[1]

    @rule(path=KEYS, value=VALUES, is_dir=st.booleans(), seconds=SECONDS, refresh=st.booleans())
    def set(self, path: str, value: bytes, is_dir: bool, seconds: int | None, refresh: bool) -> None:
        at = self.expiry(seconds)
        self.both(
            lambda: self.store.set(path, value, dir=is_dir, expiration=at, refresh=refresh, now=self.now),
            lambda: self.model.set(path, value, is_dir, at, refresh),
        )

    @rule(path=KEYS, value=VALUES, is_dir=st.booleans(), seconds=SECONDS, unique=st.booleans())
    def create(self, path: str, value: bytes, is_dir: bool, seconds: int | None, unique: bool) -> None:
        at = self.expiry(seconds)
        on_model = self.model.post if unique else self.model.create
        self.both(
            lambda: self.store.create(path, value, dir=is_dir, unique=unique, expiration=at, now=self.now),
            lambda: on_model(path, value, is_dir, at),
        )

    @rule(path=KEYS, value=VALUES, seconds=SECONDS, refresh=st.booleans())
    def update(self, path: str, value: bytes, seconds: int | None, refresh: bool) -> None:
        at = self.expiry(seconds)
        self.both(
            lambda: self.store.update(path, value, expiration=at, refresh=refresh, now=self.now),
            lambda: self.model.update(path, value, at, refresh),
        )

    @rule(
        path=KEYS, value=VALUES, prev=VALUES, back=st.integers(0, 5), seconds=SECONDS, refresh=st.booleans()
    )
    def swap(
        self, path: str, value: bytes, prev: bytes, back: int, seconds: int | None, refresh: bool
    ) -> None:
        at, index = self.expiry(seconds), self.index_back(back)
        self.both(
            lambda: self.store.compare_and_swap(
                path,
                value,
                prev_value=prev,
                prev_index=index,
                expiration=at,
                refresh=refresh,
                now=self.now,
            ),
            lambda: self.model.swap(path, value, prev, index, at, refresh),
        )

    @rule(path=KEYS, is_dir=st.booleans(), recursive=st.booleans())
    def delete(self, path: str, is_dir: bool, recursive: bool) -> None:
        self.both(
            lambda: self.store.delete(path, dir=is_dir, recursive=recursive, now=self.now),
            lambda: self.model.delete(path, is_dir, recursive),
        )

    @rule(path=KEYS, prev=VALUES, back=st.integers(0, 5))
    def compare_and_delete(self, path: str, prev: bytes, back: int) -> None:
        index = self.index_back(back)
        self.both(
            lambda: self.store.compare_and_delete(path, prev_value=prev, prev_index=index, now=self.now),
            lambda: self.model.compare_and_delete(path, prev, index),
        )

    def index_back(self, back: int) -> int:
        """The index so many writes ago, counted from 1; 0 for none."""
        return max(0, self.model.index + 1 - back) if back else 0

    @rule(seconds=st.integers(0, 4))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.store.delete_expired(self.now, now=self.now)
        self.model.expire(self.now)

    @rule()
    def restart_from_a_snapshot(self) -> None:
        saved = self.store.save()
        self.store = Store()
        self.store.recover(saved)
        assert self.store.save() == saved
        self.watch_everything()

    @precondition(lambda self: len(self.watches) < 12)
    @rule(path=KEYS, recursive=st.booleans(), stream=st.booleans(), ahead=st.none() | st.integers(-9, 2))
    def watch(self, path: str, recursive: bool, stream: bool, ahead: int | None) -> None:
        since = 0 if ahead is None else max(1, self.model.index + ahead)
        found = self.model.find_in_history(path, recursive, since or self.model.index + 1)
        if isinstance(found, Refused):
            with pytest.raises(EtcdError) as refusal:
                self.store.watch(path, recursive=recursive, stream=stream, since=since)
            assert (refusal.value.code, refusal.value.cause, refusal.value.index) == (
                *found.args,
                self.model.index,
            )
            return
        watcher = self.store.watch(path, recursive=recursive, stream=stream, since=since)
        assert watcher.start_index == self.model.index
        assert [event.index for event in watcher.events] == ([found.at] if found else [])
        assert watcher.closed == (found is not None and not stream)
        watcher.events.clear()
        watch = Watch(watcher, path, recursive, stream, since, len(self.model.log), waits=found is None)
        self.watches.append(watch)

    @precondition(lambda self: len(self.watches) > 1)
    @rule(which=st.integers(1, 11))
    def leave(self, which: int) -> None:
        watch = self.watches.pop(min(which, len(self.watches) - 1))
        watch.watcher.remove()
        assert watch.watcher.closed

    @invariant()
    def the_trees_are_equal(self) -> None:
        listed: dict[str, Item] = {}

        def note(node: StoreNode) -> None:
            for child in node.nodes or []:
                listed[child.key] = item_of(child)
                left = 0 if child.expiration is None else child.expiration - self.now
                assert child.ttl == -(-left // SECOND)
                note(child)

        note(self.store.get("/1", recursive=True, now=self.now).node)
        assert listed == self.model.visible()
        assert self.store.index == self.model.index
        due = [item.expires for item in self.model.items.values() if item.expires]
        if due:
            assert self.store.due(min(due) - 1, 1) is None
            assert self.store.due(min(due), 1) == min(due)
        else:
            assert self.store.due(EVER, 1) is None

    @invariant()
    def every_watch_hears_of_what_it_should(self) -> None:
        for watch in self.watches:
            heard = [event.index for event in watch.watcher.events]
            watch.watcher.events.clear()
            assert heard == watch.take_from(self.model.log), watch
        waiting = sum(watch.waits for watch in self.watches)
        assert f'"watchers":{waiting}'.encode() in self.store.stats_json()


def item_of(node: StoreNode) -> Item:
    assert node.dir == (node.value is None)
    return Item(node.value, node.modified_index, node.created_index, node.expiration)


StoreMachine.TestCase.settings = settings(max_examples=250, stateful_step_count=50, deadline=None)
TestStoreAgainstModel = StoreMachine.TestCase
