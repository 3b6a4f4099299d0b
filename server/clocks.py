"""What a member needs of time, as one value that is passed in: so a test decides how fast it passes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple


class Time(NamedTuple):
    """``wall`` is unix nanoseconds; ``monotonic`` seconds from any moment on, which only grow; ``sleep`` takes seconds
    and returns when ``monotonic`` has gone on by as many.

    Time-outs (``asyncio.timeout``, ``call_later``) are the event loop's: its clock has to run with these.
    """

    wall: Callable[[], int]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]


REAL_TIME = Time(time.time_ns, time.monotonic, asyncio.sleep)


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Returns when the event is set, or after so many seconds of the event loop's clock."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
