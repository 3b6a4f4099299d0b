"""Keeps answers for requests that come again before anything is written, which most reads of a key do.

A request and its answer are bytes here, heads included: the same bytes get the same bytes as an answer. They are kept
until something is written, and for a second at most, because of their date.
"""

import time
from collections.abc import Callable

_KEPT = 4096
"""Answers. With ``_LONG``, their requests take 8 MiB at most. A choice: more would help a client that reads many keys
in turn, within one second."""

_EVERY = 8
"""One answer in so many is kept: what is asked for often is soon among them, and the rest costs next to nothing."""

_LONG = 2048
"""Bytes of a request. Answers to longer ones, which are rare, are not kept."""


class ResponseCache:
    """The answers of one moment. ``state`` returns another value once any of them may have changed; ``count`` is called
    for each answer that is given again."""

    def __init__(self, state: Callable[[], object], count: Callable[[], None]) -> None:
        self._state = state
        self._count = count
        self._answers: dict[bytes, bytes] = {}
        self._moment: object = None
        self._passed = 0

    def get(self, request: bytes) -> bytes | None:
        """The answer to a request that was answered before; None if there is none that is still right."""
        answer = self._answers.get(request)
        if answer is None or self._moment != (self._state(), int(time.time())):
            return None
        self._count()
        return answer

    def keep(self, request: bytes, answer: bytes) -> None:
        """Keeps an answer that was given just now, perhaps."""
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
