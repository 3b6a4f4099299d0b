"""The outcome of a request that goes through the log: given to a callback, or awaited. Depends on nothing else.

Its own class instead of an asyncio.Future, which would cost every write a callback scheduled on the loop.
"""

import asyncio
from collections.abc import Callable, Generator

from server.storage.requests import StoreRequest
from server.store.errors import EtcdError
from server.store.event import Event

Outcome = Event | EtcdError | None
"""The event; the store's error; None for a request without either."""


class Answer:
    """The promise of an outcome. ``deadline`` is when the request gets an error instead, on the node's monotonic clock.

    Awaiting it returns the event, or raises the EtcdError. It need not be awaited: the request is done all the same.
    """

    __slots__ = ("_outcome", "_tell", "deadline", "done", "request")

    def __init__(self, request: StoreRequest, deadline: float) -> None:
        self.request = request
        self.deadline = deadline
        self.done = False
        self._outcome: Outcome = None
        self._tell: Callable[[Outcome], object] | None = None

    def on_done(self, tell: Callable[[Outcome], object]) -> None:
        """Calls ``tell`` with the outcome, at once if it is there already.

        There is one such callback. It is called while committed entries are applied, so it must only take notes or
        write to a socket's buffer, and must not raise.
        """
        if self.done:
            tell(self._outcome)
        else:
            self._tell = tell

    def settle(self, outcome: Outcome) -> None:
        """Sets the outcome; the node calls this, once."""
        self.done = True
        if self._tell is not None:
            self._tell(outcome)
        else:
            self._outcome = outcome

    def __await__(self) -> Generator[object, None, Event | None]:
        if not self.done:
            arrived: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            self._tell = lambda outcome: None if arrived.done() else arrived.set_result(outcome)
            outcome = yield from arrived
        else:
            outcome = self._outcome
        if isinstance(outcome, EtcdError):
            raise EtcdError(*outcome.args)  # a copy: this frame and the error would hold each other
        return outcome
