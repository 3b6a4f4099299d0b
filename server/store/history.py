"""The last thousand events of the whole store, so that a watch may begin in the past."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.store.errors import ErrorCode, EtcdError
from server.store.event import Action, Event

CAPACITY = 1000
"""Events that a watch can ask for after they happened: the number of etcd 2.x, and of its error 401."""

_REMOVALS = (Action.DELETE, Action.EXPIRE)


@dataclass(slots=True)
class History:
    """A ring laid out as etcd stores it: written at ``back``; when it is full ``front`` moves along.

    Every index is one event, refreshes included, so the place of an index in the ring can be computed.
    """

    capacity: int = CAPACITY
    events: list[Event | None] = field(default_factory=list)
    size: int = 0
    front: int = 0
    back: int = 0
    start_index: int = 0
    last_index: int = 0

    def __post_init__(self) -> None:
        self.events += [None] * (self.capacity - len(self.events))

    def append(self, event: Event) -> None:
        events = self.events
        events[self.back] = event
        self.back = (self.back + 1) % self.capacity
        if self.size == self.capacity:
            self.front = (self.front + 1) % self.capacity
        else:
            self.size += 1
        self.last_index = event.node.modified_index
        oldest = events[self.front]
        assert oldest is not None, "a ring that was written to has an oldest event"
        self.start_index = oldest.node.modified_index

    def copy(self) -> History:
        return History(
            self.capacity,
            self.events.copy(),
            self.size,
            self.front,
            self.back,
            self.start_index,
            self.last_index,
        )

    def scan(self, path: str, recursive: bool, since: int, current_index: int) -> Event | None:
        """The first event at or after index ``since`` that concerns a watch on ``path``; None if there is none yet.

        Raises EtcdError 401 when events that old were dropped. Hidden keys are *not* left out here.
        """
        if since < self.start_index:
            cause = f"the requested history has been cleared [{self.start_index}/{since}]"
            raise EtcdError(ErrorCode.EVENT_INDEX_CLEARED, cause, current_index)
        if since > self.last_index:
            return None
        at = (self.front + since - self.start_index) % self.capacity
        first = True
        while True:
            event = self.events[at]
            if event is not None and not event.refresh:
                if _concerns(event, path, recursive, first):
                    return event
                first = False
            at = (at + 1) % self.capacity
            if at == self.back:
                return None


def _concerns(event: Event, path: str, recursive: bool, first: bool) -> bool:
    key = event.node.key
    if recursive:
        # Seen with 2.3.8: past the first event it looks at, a recursive scan finds what happened below the key,
        # but no longer what happened to the key itself.
        if key == path and first:
            return True
        path = path if path.endswith("/") else path + "/"
        if key.startswith(path):
            return True
    elif key == path:
        return True
    # A plain string prefix, as in etcd: removing /ab also answers a watch on /abc.
    previous = event.prev_node
    return (
        event.action in _REMOVALS and previous is not None and previous.dir and path.startswith(previous.key)
    )
