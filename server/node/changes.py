"""Changes of members on their way through the log: proposed one at a time, told to who waits for them.

Neither makes nor checks a change, and proposes nothing itself: the node takes ``first`` when the log will have it.
"""

import asyncio
from collections import deque

from server.cluster.members import MemberError


class ChangeFailed(Exception):
    """Nothing came of a change of members in time, or the member ends; the change may still happen."""


class Changes:
    """Changes are encoded ConfChange messages, each with an id of its own."""

    def __init__(self) -> None:
        self._held: deque[bytes] = deque()
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._under_way: bytes | None = None

    async def wait(self, change: bytes, seconds: float, too_late: str) -> None:
        """Holds a change ready to be proposed, and returns when it is applied.

        Raises MemberError when it was refused then, ChangeFailed when the time is up (``too_late``) or for what
        ``fail`` was given. One not proposed by then never will be.
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
            )  # the error it raises would hold this frame, which would hold it
            if change in self._held:
                self._held.remove(change)
            if change == self._under_way:
                self._under_way = None

    @property
    def first(self) -> bytes | None:
        """The next one to propose, as soon as nobody waits for the one before: a leader takes one at a time."""
        return self._held[0] if self._held and self._under_way is None else None

    def proposed(self) -> None:
        """``first`` is on its way."""
        self._under_way = self._held.popleft()

    def settle(self, change: bytes, error: MemberError | None) -> None:
        """A change has been applied, or refused; perhaps nobody here waits for it."""
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
        """Nothing will be applied any more."""
        for applied in self._waiting.values():
            if not applied.done():
                applied.set_exception(ChangeFailed(why))
