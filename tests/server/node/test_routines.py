"""The tasks of a node end when they are told to, whatever the libraries in them do with a cancellation."""

import asyncio

from server.node.routines import Routines
from tests.support import virtual_time


def test_a_task_that_lost_a_cancellation_ends_by_the_next() -> None:
    async def body() -> None:
        lost = 0
        failures: list[Exception] = []

        async def routine() -> None:
            nonlocal lost
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    if lost:
                        raise
                    lost += 1

        routines = Routines(failures.append)
        routines.begin(routine)
        await asyncio.sleep(0)
        await routines.stop()
        assert lost == 1
        assert not routines
        assert not failures

    virtual_time.run(body())
