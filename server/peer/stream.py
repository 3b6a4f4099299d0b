"""The writing end of one stream to a peer: messages wait here until the connection takes them. No I/O.

The carrier of the bytes takes what is there whenever the connection has room, so that messages that came meanwhile
leave in one piece, and a peer that reads slowly fills this queue and nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from server.peer.codec import Encoder
from server.peer.stats import FollowerStats
from server.raft import Message, MessageType

QUEUE = 4096
"""Messages that may wait; what comes then is dropped (etcd 2.3)."""

PIECE = 256 << 10
"""Bytes after which a piece is long enough; others get their turn before the next."""

STALL = 5.0
"""Seconds after which a connection that takes nothing counts as broken: etcd's write timeout."""


class OutgoingStream:
    """``on_lost`` is called once, with the reason, when the stream ends otherwise than by ``end`` or ``finish``;
    ``clock`` counts seconds. ``latency`` records how long the APPENDs take."""

    def __init__(
        self,
        encoder: Encoder,
        on_lost: Callable[[str], None],
        clock: Callable[[], float],
        latency: FollowerStats,
    ) -> None:
        self._encoder = encoder
        self._on_lost = on_lost
        self._clock = clock
        self._latency = latency
        self._queue: deque[Message] = deque()
        self._heartbeat_due = True  # the first tells the peer that there is somebody
        self._finishing = False
        self._ended = False
        self._taken_at: float | None = clock()
        """When the connection was last given something that it has not finished writing yet."""
        self._pausing = False
        self._tell: Callable[[], object] = _nobody

    @property
    def pending(self) -> int:
        """Messages that wait."""
        return len(self._queue)

    def offer(self, message: Message) -> bool:
        """Queues a message; False when there is no room for it."""
        if len(self._queue) >= QUEUE:
            return False
        self._queue.append(message)
        if len(self._queue) == 1:
            self._tell()
        return True

    def beat(self) -> None:
        """Time for a heartbeat of the link, and for a look whether the connection still takes anything."""
        if self._taken_at is not None and self._clock() - self._taken_at > STALL:
            self._lose("i/o timeout")
            return
        self._heartbeat_due = True
        self._tell()

    def end(self) -> None:
        """No more of it: it has been replaced, or the peer was removed. What waits is dropped."""
        self._ended = True
        self._queue.clear()
        self._tell()

    def finish(self) -> None:
        """No more of it but what waits: a member that is removed hears so in the last of it."""
        self._finishing = True
        self._tell()

    # What the carrier calls

    def take(self) -> bytes | None:
        """All that is there now, up to a sensible size, which may be nothing; None at the end."""
        if self._finishing and not self._queue:
            self._ended = True
        if self._ended:
            return None
        if self._pausing:
            self._pausing = False
            asyncio.get_running_loop().call_soon(self._tell)
            return b""
        pieces, size = [], 0
        if self._heartbeat_due:
            self._heartbeat_due = False
            pieces.append(self._encoder.heartbeat)
        now = self._clock()
        while self._queue and size < PIECE:
            message = self._queue.popleft()
            piece = self._encoder.encode(message)
            pieces.append(piece)
            size += len(piece)
            if message.type is MessageType.APPEND:
                begun, now = now, self._clock()
                self._latency.succeeded(now - begun)
        self._pausing = size >= PIECE
        self._taken_at = now if pieces else None
        return b"".join(pieces)

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called each time there may be more to take. It must only note that, and take later."""
        self._tell = tell

    def close(self) -> None:
        """The connection is closed."""
        self._lose("the peer closed the connection")

    def _lose(self, why: str) -> None:
        if not self._ended:
            self.end()
            if not self._finishing:
                self._on_lost(why)


def _nobody() -> None:
    """Nobody listens yet."""
