"""The tasks that a node, or a gateway, lives by."""

import asyncio
from collections.abc import Awaitable, Callable


class Routines:
    """Tasks of one event loop. Whatever one of them raises goes to ``fail``, and ends them all: what it left undone is
    unknown."""

    def __init__(self, fail: Callable[[Exception], object]) -> None:
        self._fail = fail
        self._tasks: list[asyncio.Task[None]] = []

    def __bool__(self) -> bool:
        """Whether any runs."""
        return bool(self._tasks)

    def begin(self, routine: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(routine))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    def cancel(self) -> None:
        """Ends all but the one that asks for it."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def stop(self) -> None:
        """Ends all, and returns when they have ended."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _guarded(self, routine: Callable[[], Awaitable[None]]) -> None:
        try:
            await routine()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)
