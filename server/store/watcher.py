"""Watchers: who waits for which events. Pure: a watcher collects events, its owner takes them.

How an event loop uses one::

    watcher = store.watch("/1/foo", recursive=True, stream=True, since=0)
    watcher.on_event = wake          # called by the store, synchronously, from inside a write
    ...
    while (event := watcher.take()) is not None: send(event)
    if watcher.closed: hang up       # only after the events taken before are sent
    ...
    watcher.remove()                 # always, when the client is gone or served

``on_event`` must only wake someone (set a future's result, call_soon): the store is in the middle of a write.
It is not called for an event the watcher already holds when :meth:`Store.watch` returns it (one found in the
history), so take once before waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from server.store.event import Event
from server.store.history import History

MAX_UNDELIVERED = 100
"""Events a watcher holds for a client that does not take them; one more closes it (etcd 2.3)."""


class Watcher:
    """One watch on ``path``.

    ``start_index`` is the store index when it was registered, ``since`` the first index it asks for. A watcher
    that is not a ``stream`` gets one event. ``closed`` means that no further event will come: it had its one
    event, it lagged, or it was removed. A stream answered from history stays open and silent, as in etcd.
    """

    __slots__ = (
        "_hub",
        "closed",
        "events",
        "on_event",
        "path",
        "recursive",
        "since",
        "start_index",
        "stream",
    )

    def __init__(self, path: str, recursive: bool, stream: bool, since: int, start_index: int) -> None:
        self.path = path
        self.recursive = recursive
        self.stream = stream
        self.since = since
        self.start_index = start_index
        self.events: deque[Event] = deque()
        self.on_event: Callable[[], object] | None = None
        self.closed = False
        self._hub: WatcherHub | None = None

    def take(self) -> Event | None:
        """The oldest event not yet taken."""
        return self.events.popleft() if self.events else None

    def remove(self) -> None:
        """End the watch. Harmless when it has ended already."""
        self.closed = True
        if self._hub is not None:
            self._hub.forget(self)

    def deliver(self, event: Event) -> None:
        """Hand an event over; the store calls this."""
        if len(self.events) >= MAX_UNDELIVERED:
            self.remove()
        else:
            self.events.append(event)
            if not self.stream:
                self.remove()
        if self.on_event is not None:
            self.on_event()

    def attach(self, hub: WatcherHub | None) -> None:
        """Notes what to call when it ends; the hub calls this."""
        self._hub = hub


class WatcherHub:
    """All live watchers by the path they watch, and the history they may begin in."""

    __slots__ = ("_by_path", "count", "history", "requests")

    def __init__(self) -> None:
        self.history = History()
        self.count = 0
        self.requests = 0
        self._by_path: dict[str, dict[Watcher, None]] = {}

    def watch(self, path: str, recursive: bool, stream: bool, since: int, current_index: int) -> Watcher:
        """A new watcher, answered from history if it can be. Raises EtcdError 401."""
        self.requests += 1
        past = self.history.scan(path, recursive, since, current_index)
        watcher = Watcher(path, recursive, stream, since, current_index)
        if past is not None:
            watcher.events.append(past)
            watcher.closed = not stream
            return watcher
        self._by_path.setdefault(path, {})[watcher] = None
        watcher.attach(self)
        self.count += 1
        return watcher

    def forget(self, watcher: Watcher) -> None:
        watcher.attach(None)
        here = self._by_path[watcher.path]
        del here[watcher]
        if not here:
            del self._by_path[watcher.path]
        self.count -= 1

    def end_all(self) -> None:
        """Ends every watch; who waits is woken, and finds it closed."""
        for here in list(self._by_path.values()):
            for watcher in list(here):
                watcher.remove()
                if watcher.on_event is not None:
                    watcher.on_event()

    def add(self, event: Event) -> None:
        """Remember an event and tell those who watch its key or, recursively, a directory above it; nobody of a
        refresh."""
        self.history.append(event)
        if event.refresh or not self.count:
            return
        path = event.node.key
        self._tell(event, "/", removed=False)
        end = path.find("/", 1)
        while end != -1:
            self._tell(event, path[:end], removed=False)
            end = path.find("/", end + 1)
        self._tell(event, path, removed=False)

    def tell_removed(self, event: Event, paths: list[str]) -> None:
        """Tell those who watch paths that went away with the directory ``event`` removed."""
        if self.count:
            for path in paths:
                self._tell(event, path, removed=True)

    def _tell(self, event: Event, path: str, *, removed: bool) -> None:
        here = self._by_path.get(path)
        if here is None:
            return
        key = event.node.key
        exact = key == path
        if not exact and hidden_below(path, key):
            return
        for watcher in list(here):
            wanted = watcher.recursive or exact or removed
            if wanted and event.node.modified_index >= watcher.since and not watcher.closed:
                watcher.deliver(event)


def hidden_below(watched: str, path: str) -> bool:
    """Whether a component of ``path`` below ``watched`` starts with an underscore."""
    return len(watched) <= len(path) and "/_" in "/" + path[len(watched) :].lstrip("/")
