"""The body of a watch: one JSON line per event, until the watch or the client ends."""

import asyncio

from server.api.jsonform import event_line
from server.store import Watcher


class WatchStream:
    """Takes the events of a watcher as they come. Belongs to the loop it is made on."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._news = asyncio.Event()
        watcher.on_event = self._news.set

    async def next(self) -> bytes | None:
        """All events that are there, waiting for one if there is none; None when no more will come."""
        watcher = self._watcher
        while not watcher.events:
            if watcher.closed:
                return None
            self._news.clear()
            await self._news.wait()
        lines = []
        while (event := watcher.take()) is not None:
            lines.append(event_line(event))
        return b"".join(lines)

    def close(self) -> None:
        """Ends the watch; who waits in ``next`` gets None."""
        self._watcher.remove()
        self._news.set()
