"""What 0.4.9's commands did to its keys, done again on the key space of a 2.x member.

A user key ``/a`` is ``/1/a`` here, where 2.x will have it; 0.4's own keys lie below ``/1/_etcd`` until the end. Every
command that succeeds takes one index, one that fails takes none, so failures are as much a part of the replay: it is
the key space's own rules that decide, which are 0.4's but for the points written out below. No clock, no files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from migrate02.datadir.commands04 import CONFIG_LEAST, FIELDS, BadField, fields_of
from server.store import EtcdError, Store
from server.store.paths import clean

USERS = "/1"
REGISTRY = f"{USERS}/_etcd/machines"
CONFIG = f"{USERS}/_etcd/config"

_DEFAULT_ACTIVE_SIZE = 9

MOST_PARTS = 1_000
"""Of a key, as the bundled server has it. Each is a directory, and has the names of all above it in its own."""


class UnknownCommand(ValueError):
    """A command that etcd 0.4 does not have."""


class Registered(NamedTuple):
    """A member as 0.4's registry has it. The indexes are those of its entry there."""

    name: str
    peer_url: str
    client_url: str
    created_index: int
    modified_index: int


class Replayer:
    """Applies commands to ``store``, in the order of the log."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now: int | None = None
        """The latest time that the log tells, Unix nanoseconds: the leader wrote one twice a second."""
        self._members = _Members(store)
        """Those of a snapshot have no times to live: 0.4 gives a member none."""

    def apply(self, name: str, command: dict[str, Any]) -> None:
        """Does what the command did, which may be nothing.

        Raises UnknownCommand, and BadField for a command that 0.4 cannot have written.
        """
        if name not in FIELDS:
            raise UnknownCommand(f"etcd 0.4 has no command {name}")
        fields = fields_of(name, command)
        if fields.get("key", "").count("/") > MOST_PARTS:
            raise BadField(f"its key has more than {MOST_PARTS} parts, which are as many directories")
        try:
            _ACTIONS[name](self, **fields)
        except EtcdError:
            return  # it failed then, too, and took no index
        if "key" in fields:
            self._members.changed(_path(fields["key"]), fields.get("expiration"))

    def _clock(self, expiration: int | None = None) -> int:
        """The time of an event, from which the seconds a key has left are shown to those who watch the past."""
        if self.now is not None:
            return self.now
        return expiration or 0

    def _set(self, key: str, value: bytes, expiration: int | None, dir: bool) -> None:
        self.store.set(_path(key), value, dir=dir, expiration=expiration, now=self._clock(expiration))

    def _create(self, key: str, value: bytes, expiration: int | None, unique: bool, dir: bool) -> None:
        if unique:
            key = f"{key}/{self.store.index + 1}"  # 2.2 and later pad this to 20 digits
        self.store.create(_path(key), value, dir=dir, expiration=expiration, now=self._clock(expiration))

    def _update(self, key: str, value: bytes, expiration: int | None) -> None:
        self.store.update(_path(key), value, expiration=expiration, now=self._clock(expiration))

    def _delete(self, key: str, recursive: bool, dir: bool) -> None:
        self.store.delete(_path(key), dir=dir, recursive=recursive, now=self._clock())

    def _compare_and_swap(
        self, key: str, value: bytes, expiration: int | None, prev_value: bytes, prev_index: int
    ) -> None:
        self.store.compare_and_swap(
            _path(key),
            value,
            prev_value=prev_value,
            prev_index=prev_index,
            expiration=expiration,
            now=self._clock(expiration),
        )

    def _compare_and_delete(self, key: str, prev_value: bytes, prev_index: int) -> None:
        self.store.compare_and_delete(
            _path(key), prev_value=prev_value, prev_index=prev_index, now=self._clock()
        )

    def _sync(self, time: int | None) -> None:
        if time is None:
            raise BadField("time is missing")
        self.now = time
        self.store.delete_expired(time, now=time)
        self._members.expired(time)

    # What 0.4 did of its own accord

    def _join(self, name: str, peer_url: str, client_url: str) -> None:
        """A name that is known may come with another peer URL, and keeps its client URL then; a new one is refused when
        its peer URL is another's, or when there are as many as may take part."""
        members = self._members
        path = f"{REGISTRY}{clean(name)}"
        known = members.named(name) or _registered_at(self.store, path)
        if known is not None:
            if known.peer_url != peer_url:
                self.store.update(path, _entry(peer_url, known.client_url), now=self._clock())
                members.changed(path)
            return
        if members.has_url(peer_url):
            return
        if members.count and members.count >= self._active_size():
            return
        self.store.create(path, _entry(peer_url, client_url), now=self._clock())
        members.changed(path)

    def _remove(self, name: str) -> None:
        path = f"{REGISTRY}{clean(name)}"
        self.store.delete(path, now=self._clock())
        self._members.changed(path)

    def _set_config(self, config: dict[str, float]) -> None:
        values = {name: max(least, config.get(name, 0)) for name, least in CONFIG_LEAST.items()}
        whole = {name: int(value) if value == int(value) else value for name, value in values.items()}
        self.store.set(CONFIG, json.dumps(whole, separators=(",", ":")).encode(), now=self._clock())

    def _active_size(self) -> int:
        try:
            found = json.loads(self.store.peek(CONFIG) or b"")["activeSize"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return _DEFAULT_ACTIVE_SIZE
        return found if isinstance(found, int) else _DEFAULT_ACTIVE_SIZE

    def _nothing(self) -> None:
        """A read, or an election."""


class _Members:
    """What ``registered`` lists, known without listing it again for every member that joins."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_name: dict[str, Registered] | None = None
        self._urls: Counter[str] = Counter()
        self._expiring: list[tuple[int, str]] = []
        """A heap of times, with the paths that are gone then."""

    def _listed(self) -> dict[str, Registered]:
        if self._by_name is None:
            self._by_name = {member.name: member for member in registered(self._store)}
            self._urls = Counter(member.peer_url for member in self._by_name.values())
        return self._by_name

    @property
    def count(self) -> int:
        return len(self._listed())

    def named(self, name: str) -> Registered | None:
        return self._listed().get(name)

    def has_url(self, peer_url: str) -> bool:
        self._listed()
        return self._urls[peer_url] > 0

    def changed(self, path: str, expiration: int | None = None) -> None:
        """Something was done to a key, which may hold a member or be above all of them."""
        if not (path.startswith(REGISTRY) or REGISTRY.startswith(path)):
            return
        if expiration is not None:
            heappush(self._expiring, (expiration, path))
        if not path.startswith(REGISTRY + "/"):
            self._by_name = None
        elif self._by_name is not None:
            self._look_again(self._by_name, path[len(REGISTRY) + 1 :].partition("/")[0])

    def _look_again(self, by_name: dict[str, Registered], name: str) -> None:
        before = by_name.pop(name, None)
        after = None if name.startswith("_") else _registered_at(self._store, f"{REGISTRY}/{name}")
        if before is not None:
            self._urls[before.peer_url] -= 1
        if after is not None:
            by_name[name] = after
            self._urls[after.peer_url] += 1

    def expired(self, time: int) -> None:
        while self._expiring and self._expiring[0][0] <= time:
            self.changed(heappop(self._expiring)[1])


_ACTIONS: dict[str, Callable[..., None]] = {
    "etcd:set": Replayer._set,
    "etcd:create": Replayer._create,
    "etcd:update": Replayer._update,
    "etcd:delete": Replayer._delete,
    "etcd:compareAndSwap": Replayer._compare_and_swap,
    "etcd:compareAndDelete": Replayer._compare_and_delete,
    "etcd:sync": Replayer._sync,
    "etcd:get": Replayer._nothing,
    "etcd:join": Replayer._join,
    "etcd:remove": Replayer._remove,
    "etcd:setClusterConfig": Replayer._set_config,
    "raft:nop": Replayer._nothing,
}


def registered(store: Store) -> Iterator[Registered]:
    """The members that 0.4's registry lists, in the order they came. An entry that cannot be read is passed over."""
    try:
        listed = store.get(REGISTRY, now=0).node.nodes or ()
    except EtcdError:
        return
    for node in listed:
        member = _registered_at(store, node.key)
        if member is not None:
            yield member


def _registered_at(store: Store, path: str) -> Registered | None:
    try:
        node = store.get(path, now=0).node
    except EtcdError:
        return None
    if node.value is None:
        return None
    query = parse_qs(node.value.decode("utf-8", "replace"), keep_blank_values=True)
    if "raft" not in query:
        return None
    return Registered(
        path.removeprefix(REGISTRY + "/"),
        query["raft"][0],
        query.get("etcd", [""])[0],
        node.created_index,
        node.modified_index,
    )


def _entry(peer_url: str, client_url: str) -> bytes:
    return urlencode({"etcd": client_url, "raft": peer_url}).encode()


def _path(key: str) -> str:
    return USERS + clean(key)
