"""Time that passes only when nobody has anything to do: what waits a minute is tested in no time, and a busy machine
changes nothing. For what lives on one event loop and uses no socket; no part of the server.
"""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from server.clocks import Time
from server.node.worker import Done, Worker

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

BEGIN = 1_000.0
"""What the loop's clock shows at first, in seconds: a machine that has been up for a while."""

_WALL_BEGIN = 1_500_000_000 * 10**9
"""The same for the wall clock, in unix nanoseconds."""

WITHIN = 3600.0
"""Seconds of virtual time after which a test counts as hanging."""


class _Jumping(selectors.DefaultSelector):
    """Nobody waits but for ``threads``: when nothing is ready, the clock goes on to the moment when something will be."""

    now = BEGIN
    threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        waits_for_threads = self.threads and timeout != 0
        ready = super().select(None if waits_for_threads else 0)
        if not ready and not waits_for_threads:
            assert timeout is not None, "everything waits, and for nothing that will happen"
            self.now += max(timeout, 0)
        return list(ready)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its clock, and with it every time-out, jumps to the next timer whenever nothing is left to do."""

    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """No time passes until the thread is done."""
        result = super().run_in_executor(executor, func, *args)
        self._clock.threads += 1
        result.add_done_callback(self._thread_is_done)
        return result

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._clock.threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._clock.threads -= 1

    def _thread_is_done(self, _: object) -> None:
        self._clock.threads -= 1


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


VIRTUAL_TIME = Time(
    wall=lambda: _WALL_BEGIN + round((_loop_time() - BEGIN) * 1e9),
    monotonic=_loop_time,
    sleep=asyncio.sleep,
)
"""For a node that runs on such a loop."""


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Like asyncio.run, on a loop with virtual time. What has not come to its end after WITHIN fails with TimeoutError;
    what waits for nothing fails at once."""

    async def bounded() -> _T:
        return await asyncio.wait_for(main, WITHIN)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(bounded())


class Gate:
    """Open, until ``shut``. What comes to it meanwhile goes on as soon as it is opened again."""

    def __init__(self) -> None:
        self.is_open = True
        self._waiting: list[Callable[[], object]] = []

    def shut(self) -> None:
        self.is_open = False

    def open(self) -> None:
        self.is_open = True
        waiting, self._waiting = self._waiting, []
        for go_on in waiting:
            go_on()

    def when_open(self, go_on: Callable[[], object]) -> None:
        """Calls at once, or when it is open."""
        if self.is_open:
            go_on()
        else:
            self._waiting.append(go_on)


class LoopWorker(Worker):
    """A node's worker without a thread: makes each call in a turn of its own of the loop, as soon as ``gate`` is open."""

    def __init__(self, name: str, gate: Gate | None = None) -> None:
        self._gate = gate or Gate()
        self._jobs: deque[tuple[Callable[..., object], Callable[..., Any], tuple[Any, ...]]] = deque()

    @property
    def next_call(self) -> tuple[Callable[..., Any], tuple[Any, ...]] | None:
        """What is to be called next, and with what; None when there is nothing to do."""
        return self._jobs[0][1:] if self._jobs else None

    def begin(self, done: Done, call: Callable[..., object], *args: object) -> None:
        self._jobs.append((done, call, args))
        if len(self._jobs) == 1:
            asyncio.get_running_loop().call_soon(self._gate.when_open, self._work)

    def stop(self) -> None:
        while self._jobs:
            self._work()

    def _work(self) -> None:
        if not self._jobs:
            return  # stopped meanwhile
        done, call, args = self._jobs[0]
        outcome, error = None, None
        try:
            outcome = call(*args)
        except BaseException as raised:
            error = raised
        self._jobs.popleft()
        asyncio.get_running_loop().call_soon(done, outcome, error)
        if self._jobs:
            asyncio.get_running_loop().call_soon(self._gate.when_open, self._work)
