"""The store against a naive model of the same key space: a dict searched from end to end at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.store import EtcdError, Event, Store
from server.store.node import Node

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class Refused(Exception):
    """Code and cause."""


class Item(NamedTuple):
    value: bytes | None  # None for a directory
    modified: int
    created: int
    expires: int | None


@dataclass
class Model:
    """Plain and slow; follows etcd's api.md."""

    index: int = 0
    items: dict[str, Item] = field(
        default_factory=lambda: {"/1": Item(None, 0, 0, None), "/0": Item(None, 0, 0, None)}
    )
    log: list[tuple[str, str, int]] = field(default_factory=list)

    def walk(self, path: str) -> Item:
        parts = path.split("/")
        for depth in range(2, len(parts) + 1):
            here = "/".join(parts[:depth])
            if here not in self.items:
                raise Refused(100, here)
            if self.items[here].value is not None and here != path:
                raise Refused(104, here)
        return self.items[path]

    def write(self, action: str, path: str, item: Item) -> None:
        parts = path.split("/")
        for depth in range(2, len(parts)):
            here = "/".join(parts[:depth])
            if here not in self.items:
                self.items[here] = Item(None, self.index + 1, self.index + 1, None)
            if self.items[here].value is not None:
                raise Refused(104, here)
        self.index += 1
        self.items[path] = item
        self.log.append((action, path, self.index))

    def set(self, path: str, value: bytes, is_dir: bool, expires: int | None) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if path in self.items and self.items[path].value is None:
            raise Refused(102, path)
        self.write("set", path, Item(None if is_dir else value, self.index + 1, self.index + 1, expires))

    def create(self, path: str, value: bytes, is_dir: bool, expires: int | None) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if path in self.items:
            raise Refused(105, path)
        self.write("create", path, Item(None if is_dir else value, self.index + 1, self.index + 1, expires))

    def update(self, path: str, value: bytes, expires: int | None) -> None:
        if path == "/1":
            raise Refused(107, "/")
        old = self.walk(path)
        if old.value is None:
            if value:
                raise Refused(102, path)
            self.write("update", path, old._replace(expires=expires))
        else:
            self.write("update", path, Item(value, self.index + 1, old.created, expires))

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

    def swap(self, path: str, value: bytes, prev: bytes, prev_index: int) -> None:
        if path == "/1":
            raise Refused(107, "/")
        old = self.compare(path, prev, prev_index)
        self.write("compareAndSwap", path, Item(value, self.index + 1, old.created, None))

    def remove(self, action: str, path: str) -> None:
        self.items = {
            key: item for key, item in self.items.items() if key != path and not key.startswith(path + "/")
        }
        self.index += 1
        self.log.append((action, path, self.index))

    def delete(self, path: str, is_dir: bool, recursive: bool) -> None:
        if path == "/1":
            raise Refused(107, "/")
        if self.walk(path).value is None:
            if not is_dir and not recursive:
                raise Refused(102, path)
            if not recursive and any(key.startswith(path + "/") for key in self.items):
                raise Refused(108, path)
        self.remove("delete", path)

    def expire(self, now: int) -> None:
        while due := [
            (item.expires, key) for key, item in self.items.items() if item.expires and item.expires <= now
        ]:
            self.remove("expire", min(due)[1])

    def visible(self) -> dict[str, Item]:
        return {key: item for key, item in self.items.items() if key.startswith("/1/") and "/_" not in key}


KEYS = st.lists(st.sampled_from(["a", "b", "_h", "é"]), min_size=0, max_size=3).map(
    lambda parts: "/".join(["/1", *parts])
)
VALUES = st.sampled_from([b"", b"1", b"2", "é".encode()])


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.model = Model()
        self.now = START
        self.expiries = 0
        self.stream = self.store.watch("/1", recursive=True, stream=True)
        self.seen = 0

    def expiry(self, seconds: int | None) -> int | None:
        """A time no other node has, for which goes first of equals is open."""
        if seconds is None:
            return None
        self.expiries += 1
        return self.now + seconds * SECOND + self.expiries

    def both(self, on_store: Callable[[], Event], on_model: Callable[[], None]) -> None:
        answers: list[tuple[object, ...]] = []
        try:
            on_model()
            answers.append(self.model.log[-1])
        except Refused as refused:
            answers.append((*refused.args, self.model.index))
        try:
            event = on_store()
            answers.append((event.action, event.node.key, event.etcd_index))
        except EtcdError as error:
            answers.append((error.code, error.cause, error.index))
        assert answers[0] == answers[1]

    @rule(
        path=KEYS,
        value=VALUES,
        is_dir=st.booleans(),
        seconds=st.none() | st.integers(1, 9),
        new=st.booleans(),
    )
    def set_or_create(self, path: str, value: bytes, is_dir: bool, seconds: int | None, new: bool) -> None:
        at = self.expiry(seconds)
        write, same = (self.store.create, self.model.create) if new else (self.store.set, self.model.set)
        self.both(
            lambda: write(path, value, dir=is_dir, expiration=at, now=self.now),
            lambda: same(path, value, is_dir, at),
        )

    @rule(path=KEYS, value=VALUES, seconds=st.none() | st.integers(1, 9))
    def update(self, path: str, value: bytes, seconds: int | None) -> None:
        at = self.expiry(seconds)
        self.both(
            lambda: self.store.update(path, value, expiration=at, now=self.now),
            lambda: self.model.update(path, value, at),
        )

    @rule(path=KEYS, value=VALUES, prev=VALUES, back=st.integers(0, 5))
    def swap(self, path: str, value: bytes, prev: bytes, back: int) -> None:
        index = max(0, self.model.index - back) if back else 0
        self.both(
            lambda: self.store.compare_and_swap(path, value, prev_value=prev, prev_index=index, now=self.now),
            lambda: self.model.swap(path, value, prev, index),
        )

    @rule(path=KEYS, is_dir=st.booleans(), recursive=st.booleans())
    def delete(self, path: str, is_dir: bool, recursive: bool) -> None:
        self.both(
            lambda: self.store.delete(path, dir=is_dir, recursive=recursive, now=self.now),
            lambda: self.model.delete(path, is_dir, recursive),
        )

    @rule(path=KEYS, prev=VALUES)
    def compare_and_delete(self, path: str, prev: bytes) -> None:
        def on_model() -> None:
            self.model.compare(path, prev, 0)
            self.model.remove("compareAndDelete", path)

        self.both(lambda: self.store.compare_and_delete(path, prev_value=prev, now=self.now), on_model)

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
        self.stream = self.store.watch("/1", recursive=True, stream=True)
        self.seen = len(self.model.log)

    @precondition(lambda self: self.model.log)
    @rule(path=KEYS, back=st.integers(0, 20))
    def look_into_history(self, path: str, back: int) -> None:
        since = max(1, self.model.index - back)
        found = self.store.watch(path, since=since).take()
        index = found.index if found else self.model.index + 1
        for action, key, at in self.model.log:
            if since <= at < index:
                assert key != path, f"{action} at {at} was passed over"
        if found is not None:
            assert path.startswith(found.node.key)

    @invariant()
    def the_trees_are_equal(self) -> None:
        listed: dict[str, Item] = {}

        def note(node: Node) -> None:
            for child in node.nodes or []:
                listed[child.key] = Item(
                    child.value, child.modified_index, child.created_index, child.expiration
                )
                assert child.dir == (child.value is None)
                note(child)

        note(self.store.get("/1", recursive=True, now=self.now).node)
        assert listed == self.model.visible()
        assert self.store.index == self.model.index
        due = [item.expires for item in self.model.items.values() if item.expires]
        assert self.store.next_expiration() == min(due, default=None)

    @invariant()
    def a_stream_on_everything_hears_of_everything_visible(self) -> None:
        heard = [(event.action, event.node.key, event.index) for event in self.stream.events]
        self.stream.events.clear()
        assert heard == [entry for entry in self.model.log[self.seen :] if "/_" not in entry[1]]
        self.seen = len(self.model.log)


StoreMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStoreAgainstModel = StoreMachine.TestCase
