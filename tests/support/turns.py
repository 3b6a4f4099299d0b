"""Turns of an event loop that server and client share: a measure of time that a busy machine does not shorten."""

import asyncio

TURN = 0.01
"""Seconds of one, at least. Timers that are overdue come before what has arrived at sockets; so a process that was kept
from running for seconds must not find that seconds of waiting are over: it is over after some turns, in each of which
the loop has looked at its sockets."""


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(TURN)
