"""A thread that makes blocking calls for the event loop, one after the other in their order.

A call costs a tenth of one by a ThreadPoolExecutor. That counts while a member's disk is not quick (``logwriter``): it
then makes one call for each group of writes; with a single client, for each write.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
_Job = tuple[asyncio.AbstractEventLoop, "Done", Callable[..., object], tuple[object, ...]]


Done = Callable[[Any, BaseException | None], object]
"""Called with what a call returned, or with None and what it raised."""


class Worker(Protocol):
    """Makes calls one after the other, and ends with ``stop``."""

    def begin(self, done: Done, call: Callable[..., object], *args: object) -> None:
        """Has a call made, and then ``done`` called, on the event loop."""

    def run(self, call: Callable[..., _T], *args: object) -> "asyncio.Future[_T]":
        """What the call returns or raises. Cancelling the future does not take the call back."""
        result: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self.begin(partial(_settle, result), call, *args)
        return result

    def stop(self) -> None:
        """Ends the worker; returns when all calls have been made."""


class WorkerThread(Worker):
    """A thread with this name, which begins to work at once."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # A daemon: the process may end before it, because calls that it has not made have not been answered.
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def begin(self, done: Done, call: Callable[..., object], *args: object) -> None:
        self._jobs.put((asyncio.get_running_loop(), done, call, args))

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            loop, done, call, args = job
            outcome: object = None
            error: BaseException | None = None
            try:
                outcome = call(*args)
            except BaseException as raised:
                error = raised
            loop.call_soon_threadsafe(done, outcome, error)
            del job, done, call, args, outcome, error  # else a whole snapshot would stay here till the next


def _settle(result: "asyncio.Future[_T]", outcome: _T, error: BaseException | None) -> None:
    if result.cancelled():
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(outcome)
