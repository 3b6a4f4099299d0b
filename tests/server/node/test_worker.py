"""The thread for blocking calls: order, results, errors, and its end."""

import asyncio
import threading
import time
import weakref

import pytest

from server.node.worker import WorkerThread


def test_calls_are_made_in_order_by_one_other_thread() -> None:
    seen: list[tuple[int, int]] = []

    async def body() -> None:
        worker = WorkerThread("test")
        await asyncio.gather(
            *(worker.run(lambda n: seen.append((n, threading.get_ident())), n) for n in range(20))
        )
        worker.stop()

    asyncio.run(body())
    assert [n for n, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_results_and_errors_come_back() -> None:
    async def body() -> None:
        worker = WorkerThread("test")
        assert await worker.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await worker.run(divmod, 7, 0)
        assert await worker.run(divmod, 8, 2) == (4, 0)
        worker.stop()

    asyncio.run(body())


def test_nothing_of_a_call_is_kept_when_it_is_done() -> None:
    class Large(list[int]):
        pass

    async def body() -> None:
        worker = WorkerThread("test")
        given, calls = Large([1]), []
        gone = weakref.ref(given)

        def call(large: Large) -> Large:
            calls.append(len(large))
            return large

        await worker.run(call, given)
        del given
        deadline = time.monotonic() + 5
        while gone() is not None and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
        assert (calls, gone()) == ([1], None)
        worker.stop()

    asyncio.run(body())


def test_a_cancelled_wait_does_not_take_the_call_back_and_stop_waits_for_it() -> None:
    done: list[str] = []

    async def body() -> None:
        worker = WorkerThread("test")
        worker.run(time.sleep, 0.02)
        worker.run(done.append, "done").cancel()
        worker.stop()
        assert done == ["done"]

    asyncio.run(body())
