"""The body of a watch: one JSON line per event, until the watch or the client ends."""

from collections.abc import Callable

from server.api.jsonform import event_line, event_pieces_line
from server.api.rendering import Pieces, Turns
from server.http.messages import Finishing
from server.store import Event, Watcher
from server.store.gojson import is_long

_AT_ONCE = 64 << 10
"""Bytes of events after which others get their turn; a busy watcher must not hold them up."""


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


class WatchStream(Finishing):
    """Takes the events of a watcher as they come. Belongs to the loop it is made on; ``turns`` is where events with
    long values are made text."""

    def __init__(self, watcher: Watcher, turns: Turns) -> None:
        self._watcher = watcher
        self._turns = turns
        self._long: Pieces | None = None
        """The event that is being sent, if it has long values."""

    def take(self) -> bytes | None:
        """Events that are there, or a piece of one; None when no more will come."""
        if self._long is not None:
            piece = self._long.take()
            if piece is not None:
                return piece
            self._long = None
        watcher = self._watcher
        lines: list[bytes] = []
        size = 0
        while watcher.events and size < _AT_ONCE:
            if is_long(watcher.events[0]):
                if not lines:
                    self._long = Pieces(self._turns, event_pieces_line(watcher.events.popleft()))
                    self._long.on_news(self._tell)
                    return self._long.take()
                break
            line = _line(watcher.events.popleft())
            lines.append(line)
            size += len(line)
        if not lines:
            return None if watcher.closed else b""
        return b"".join(lines)

    def on_news(self, tell: Callable[[], object]) -> None:
        self._watcher.on_event = tell

    def is_at_something(self) -> bool:
        return self._long is not None

    def close(self) -> None:
        """Ends the watch; a client that waits for events is notified."""
        if self._long is not None:
            self._long.close()
            self._long = None
        self._watcher.remove()
        self._tell()

    def _tell(self) -> None:
        if self._watcher.on_event is not None:
            self._watcher.on_event()
