"""The tasks of a running node or gateway."""

import asyncio
from collections.abc import Awaitable, Callable

_PATIENCE = 5.0
"""Seconds until a task that was cancelled and still runs is cancelled again. A choice: longer than a task takes for an
orderly end."""


class Routines:
    """Tasks of one event loop. An error of one of them goes to ``fail``, which must end them all: nobody knows what the
    task has not done."""

    def __init__(self, fail: Callable[[Exception], object]) -> None:
        self._fail = fail
        self._tasks: list[asyncio.Task[None]] = []

    def __bool__(self) -> bool:
        """Whether any task runs."""
        return bool(self._tasks)

    def begin(self, routine: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(routine))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    def cancel(self) -> None:
        """Ends all tasks but the current one."""
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def stop(self) -> None:
        """Ends all tasks, and returns when they have ended. A library may lose a cancellation, so those that still run
        get another."""
        while self._tasks:
            self.cancel()
            await asyncio.wait(list(self._tasks), timeout=_PATIENCE)

    async def _guarded(self, routine: Callable[[], Awaitable[None]]) -> None:
        try:
            await routine()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)
