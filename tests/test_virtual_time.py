"""The loop whose time passes only when there is nothing to do."""

import asyncio
import threading
import time

import pytest

from tests.support import virtual_time
from tests.support.virtual_time import VIRTUAL_TIME, Gate, LoopWorker


def test_hours_pass_in_order_and_in_no_time() -> None:
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def main() -> tuple[float, int]:
        began, day = VIRTUAL_TIME.monotonic(), VIRTUAL_TIME.wall()
        await asyncio.gather(sleeper("last", 3000), sleeper("first", 0.5), sleeper("second", 0.75))
        return VIRTUAL_TIME.monotonic() - began, VIRTUAL_TIME.wall() - day

    began = time.process_time()
    assert virtual_time.run(main()) == (3000, 3000 * 10**9)
    assert woken == ["first", "second", "last"]
    assert time.process_time() - began < 60


def test_who_waits_for_what_will_never_happen_is_told_at_once() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(1, list)
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        virtual_time.run(main())


def test_no_time_passes_while_a_thread_works() -> None:
    go_on = threading.Event()

    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.call_later(5, go_on.set)  # nobody gets there before the thread is done
        working = loop.run_in_executor(None, go_on.wait, 0.05)
        assert not await working
        return loop.time() - began

    assert virtual_time.run(main()) == 0


def test_calls_are_made_one_after_the_other_and_wait_at_a_gate() -> None:
    gate = Gate()
    made: list[int] = []

    async def main() -> None:
        worker = LoopWorker("any", gate)
        gate.shut()
        calls = [worker.run(made.append, n) for n in range(3)]
        await asyncio.sleep(100)
        assert made == []
        assert worker.next_call == (made.append, (0,))
        gate.open()
        await asyncio.gather(*calls)
        with pytest.raises(ZeroDivisionError):
            await worker.run(divmod, 1, 0)
        worker.run(made.append, 3)
        worker.stop()

    virtual_time.run(main())
    assert made == [0, 1, 2, 3]
