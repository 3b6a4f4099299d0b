"""A TCP proxy on loopback that stands in front of the members of a cluster and makes trouble between them.

Every member advertises the port of the proxy in place of its own. A connection is one member's for all its life, so the
proxy asks the kernel once which process dialed, and knows from then on whose bytes it carries, whatever the protocol: in
one direction from the dialer to the dialed, in the other from the dialed to the dialer. Each such directed pair is a
``Link`` of its own. The proxy never looks at what it carries.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Self, TypeVar

_CHUNK = 1 << 16
_T = TypeVar("_T")

STRANGER = ""
"""The name of a dialer that is no member."""


class Link:
    """The way from one member to another: open or cut, and how slow.

    What is sent into a cut link waits, as it does where a network drops packets and TCP sends them again: it arrives when
    the link is mended, unless a side has closed the connection by then.
    """

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds by which whatever has gathered is held back."""
        self.bytes_per_second = float("inf")
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        self._open.clear()

    def mend(self) -> None:
        self.delay, self.bytes_per_second = 0.0, float("inf")
        self._open.set()

    async def passes(self, size: int) -> None:
        """Returns when that many bytes have got through."""
        if wait := self.delay + size / self.bytes_per_second:
            await asyncio.sleep(wait)
        await self._open.wait()


class FaultProxy:
    """The proxy of one cluster, in a thread of its own. A context manager; its methods are for other threads.

    ``pids`` are the processes of the members at the moment, by name.
    """

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self._links: dict[tuple[str, str], Link] = {}
        self._refused: set[tuple[str, str]] = set()
        self._names: list[str] = []
        self._servers: list[asyncio.Server] = []
        self._carried: dict[asyncio.Task[None], tuple[str, str]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy", daemon=True)
        self._thread.start()

    def front(self, name: str, port: int) -> int:
        """Opens a port in front of that member's own, and returns it."""

        async def listen() -> int:
            def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = self._loop.create_task(self._carry(name, port, reader, writer))
                task.add_done_callback(lambda _: self._carried.pop(task, None))

            server = await asyncio.start_server(accepted, "127.0.0.1", 0)
            self._servers.append(server)
            self._names.append(name)
            front: int = server.sockets[0].getsockname()[1]
            return front

        return asyncio.run_coroutine_threadsafe(listen(), self._loop).result()

    # Trouble

    def isolate(self, name: str) -> None:
        """Nothing gets to this member, nothing from it."""
        self.partition([name], [other for other in [*self._names, STRANGER] if other != name])

    def partition(self, *groups: Collection[str]) -> None:
        """Members of different groups do not hear of one another; inside a group all is well."""

        def cut() -> None:
            for sender, receiver in _across(groups):
                self._link(sender, receiver).cut()

        self._call(cut)

    def cut(self, sender: str, receiver: str) -> None:
        """What this one sends does not get to that one; the other way stays open."""
        self._call(lambda: self._link(sender, receiver).cut())

    def refuse(self, *groups: Collection[str]) -> None:
        """Connections between members of different groups are broken, and new ones refused."""

        def refuse() -> None:
            self._refused.update(_across(groups))
            for task, pair in self._carried.items():
                if pair in self._refused:
                    task.cancel()

        self._call(refuse)

    def slow(
        self, sender: str, receiver: str, *, delay: float = 0.0, bytes_per_second: float = float("inf")
    ) -> None:
        """What this one sends gets to that one later, or at most at this rate."""

        def slow() -> None:
            link = self._link(sender, receiver)
            link.delay, link.bytes_per_second = delay, bytes_per_second

        self._call(slow)

    def heal(self) -> None:
        """All is well again, everywhere."""

        def heal() -> None:
            self._refused.clear()
            for link in self._links.values():
                link.mend()

        self._call(heal)

    # Carrying

    def _link(self, sender: str, receiver: str) -> Link:
        return self._links.setdefault((sender, receiver), Link())

    async def _carry(
        self, name: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection, from its acceptance until one of its sides ends it."""
        task = asyncio.current_task()
        assert task is not None
        writers = [writer]
        try:
            ends = [writer.get_extra_info(side)[1] for side in ("peername", "sockname")]
            dialer = _dialer(ends[0], ends[1], self._pids())
            self._carried[task] = (dialer, name)
            if (dialer, name) in self._refused:
                return
            there, back = self._link(dialer, name), self._link(name, dialer)
            await there.passes(0)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(far_writer)
            pumps = [
                self._loop.create_task(_pump(reader, there, far_writer)),
                self._loop.create_task(_pump(far_reader, back, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the member does not listen: its dialer is told by the end of the connection
        finally:
            for end in writers:
                end.close()

    def _call(self, action: Callable[[], _T]) -> _T:
        """Runs it in the proxy's thread, and returns when it is done."""

        async def call() -> _T:
            return action()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def close(self) -> None:
        async def close() -> None:
            for server in self._servers:
                server.close()
            carried = list(self._carried)
            for task in carried:
                task.cancel()
            await asyncio.gather(*carried, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _pump(reader: asyncio.StreamReader, link: Link, writer: asyncio.StreamWriter) -> None:
    """Carries one direction of a connection until it ends."""
    while data := await reader.read(_CHUNK):
        await link.passes(len(data))
        writer.write(data)
        await writer.drain()
    await link.passes(0)


def _across(groups: Collection[Collection[str]]) -> Iterator[tuple[str, str]]:
    """Every ordered pair of members of different groups."""
    for group in groups:
        for other in groups:
            if other is not group:
                yield from ((sender, receiver) for sender in group for receiver in other)


def _dialer(port: int, front: int, pids: Mapping[str, int]) -> str:
    """The member that holds the socket from this port of 127.0.0.1 to that one; ``STRANGER`` when none does.

    Both ports count: the kernel gives a port to several connections that lead elsewhere.
    """
    ends = [f"0100007F:{number:04X}" for number in (port, front)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == ends:
            socket = f"socket:[{fields[9]}]"
            return next((name for name, pid in pids.items() if _holds(pid, socket)), STRANGER)
    return STRANGER


def _holds(pid: int, socket: str) -> bool:
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            return any(_target(descriptor.path) == socket for descriptor in descriptors)
    except OSError:
        return False  # it has ended


def _target(descriptor: str) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:
        return ""  # closed meanwhile
