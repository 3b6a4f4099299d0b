"""Changes of members on their way through the log: proposed one at a time, and reported to the requests that wait.

Neither makes nor checks a change, and does not propose it: the node takes ``first`` when the log can take it.
"""

import asyncio
from collections import deque

from server.cluster.members import MemberError


class ChangeFailed(Exception):
    """A change of members was not applied in time, or the member ends; the change may still happen."""


class Changes:
    """Changes are encoded ConfChange messages, each with its own id."""

    def __init__(self) -> None:
        self._held: deque[bytes] = deque()
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._under_way: bytes | None = None

    async def wait(self, change: bytes, seconds: float, too_late: str) -> None:
        """Holds a change ready to be proposed, and returns when it is applied.

        Raises MemberError when it was refused when applied, ChangeFailed when the time is up (its text is ``too_late``)
        or after ``fail``. A change that was not proposed by then never is.
        """
        self._held.append(change)
        applied = self._waiting[change] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await applied
        except TimeoutError:
            raise ChangeFailed(too_late) from None
        finally:
            del (
                self._waiting[change],
                applied,
            )  # the error that it raises would hold this frame, which would hold the error
            if change in self._held:
                self._held.remove(change)
            if change == self._under_way:
                self._under_way = None

    @property
    def first(self) -> bytes | None:
        """The next change to propose; None while the one before is under way: a leader takes one at a time."""
        return self._held[0] if self._held and self._under_way is None else None

    def proposed(self) -> None:
        """``first`` was proposed."""
        self._under_way = self._held.popleft()

    def settle(self, change: bytes, error: MemberError | None) -> None:
        """A change was applied, or refused; perhaps no request here waits for it."""
        if change == self._under_way:
            self._under_way = None
        applied = self._waiting.get(change)
        if applied is None or applied.done():
            return
        if error is None:
            applied.set_result(None)
        else:
            applied.set_exception(error)

    def fail(self, why: str) -> None:
        """No change will be applied any more: those that wait fail with this text."""
        for applied in self._waiting.values():
            if not applied.done():
                applied.set_exception(ChangeFailed(why))
