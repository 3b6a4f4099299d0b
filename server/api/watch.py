"""The body of a watch: one JSON line per event, until the watch or the client ends."""

from collections.abc import Callable

from server.api.jsonform import event_line
from server.store import Event, Watcher


class _Lines:
    """Lines of events; an event that many watch is written once."""

    def __init__(self) -> None:
        self._event: Event | None = None
        self._line = b""

    def of(self, event: Event) -> bytes:
        if event is not self._event:
            self._event, self._line = event, event_line(event)
        return self._line


_line = _Lines().of


class WatchStream:
    """Takes the events of a watcher as they come. Belongs to the loop it is made on."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def take(self) -> bytes | None:
        """All events that are there; None when no more will come."""
        watcher = self._watcher
        if not watcher.events:
            return None if watcher.closed else b""
        lines = []
        while (event := watcher.take()) is not None:
            lines.append(_line(event))
        return b"".join(lines)

    def on_news(self, tell: Callable[[], object]) -> None:
        self._watcher.on_event = tell

    def close(self) -> None:
        """Ends the watch; whoever waits for news hears of it."""
        self._watcher.remove()
        if self._watcher.on_event is not None:
            self._watcher.on_event()
