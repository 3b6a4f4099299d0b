"""Answers kept for requests that come again before anything is written, which most reads of a key do.

A request and its answer are bytes here, heads included: whoever sends the same bytes gets the same bytes. They are kept
no longer than a second, for their date, and until something is written.
"""

import time
from collections.abc import Callable

_KEPT = 4096
"""Answers."""

_EVERY = 8
"""One answer in so many is kept: what is asked for often is soon among them, and the rest costs next to nothing."""

_LONG = 2048
"""Bytes of a request that is not worth its place."""


class ResponseCache:
    """The answers of one moment. ``state`` changes when any of them may; ``count`` is told of each answer given
    again."""

    def __init__(self, state: Callable[[], object], count: Callable[[], None]) -> None:
        self._state = state
        self._count = count
        self._answers: dict[bytes, bytes] = {}
        self._moment: object = None
        self._passed = 0

    def get(self, request: bytes) -> bytes | None:
        """The answer to a request that has been answered already."""
        answer = self._answers.get(request)
        if answer is None or self._moment != (self._state(), int(time.time())):
            return None
        self._count()
        return answer

    def keep(self, request: bytes, answer: bytes) -> None:
        """This was answered just now."""
        self._passed += 1
        if self._passed < _EVERY:
            return
        self._passed = 0
        moment = (self._state(), int(time.time()))
        if moment != self._moment or len(self._answers) >= _KEPT:
            self._answers.clear()
            self._moment = moment
        if len(request) <= _LONG:
            self._answers[request] = answer
