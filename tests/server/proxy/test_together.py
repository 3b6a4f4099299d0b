"""Reads of one moment are sent together on few connections, and each client gets its own answer whatever befalls the
others'."""

import asyncio

import pytest

from tests.server.proxy.scripted import Client, Proxied, Scripted, proxy, run

KEYS = [f"/v2/keys/{n}" for n in range(40)]


class Telling(Scripted):
    """A member that answers with the target. ``together`` are the numbers of requests that came in one piece."""

    def __init__(self) -> None:
        super().__init__(self._tell)
        self.together: list[int] = []
        self.lines: tuple[str, ...] = ()

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            targets = [
                line.split()[1].decode() for line in data.split(b"\r\n") if line.endswith(b" HTTP/1.1")
            ]
            self.seen += [target.encode() for target in targets]
            self.together.append(len(targets))
            for target in targets:
                await self.treat(target, writer)
                if writer.transport.is_closing():
                    return

    async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
        writer.write(self.answer(target.encode(), *self.lines))


async def all_at_once(proxied: Proxied, targets: list[str], method: str = "GET") -> list[Client]:
    """Asks for each by a connection of its own, at the same moment."""
    clients = [await proxied.client() for _ in targets]
    for client, target in zip(clients, targets, strict=True):
        client.send(method, target)
    return clients


async def each_gets_its_own(clients: list[Client], targets: list[str]) -> None:
    for client, target in zip(clients, targets, strict=True):
        assert await client.answer() == (200, target.encode())


async def warm(proxied: Proxied, member: Telling) -> None:
    """Has the proxy know a connection to the member."""
    await (await proxied.client()).ask("GET", "/v2/keys/warm")
    member.seen.clear()
    member.together.clear()


def test_reads_of_one_moment_share_connections_and_each_client_gets_its_own_answer() -> None:
    async def test() -> None:
        member = Telling()
        await member.start()
        async with proxy(member.url) as proxied:
            for _ in range(3):
                clients = await all_at_once(proxied, KEYS)
                await each_gets_its_own(clients, KEYS)
            assert sorted(member.seen) == sorted(3 * [target.encode() for target in KEYS])
            assert max(member.together) > 1
            assert max(member.together) <= 16

    run(test)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/v2/keys/{}?value=1"),
        ("DELETE", "/v2/keys/{}"),
        ("HEAD", "/v2/keys/{}"),
        ("GET", "/v2/keys/{}?wait=true"),
        ("GET", "/v2/keys/{}?quorum=true"),
        ("GET", "/v2/keys/{}?recursive=true"),
        ("GET", "/v2/members/{}"),
    ],
)
def test_what_changes_something_or_may_take_time_has_a_connection_of_its_own(
    method: str, target: str
) -> None:
    async def test() -> None:
        member = Telling()
        await member.start()
        async with proxy(member.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, [target.format(n) for n in range(8)], method)
            for client in clients:
                await client.head()
            assert set(member.together) == {1}

    run(test)


def test_a_member_that_closes_after_each_answer_answers_all() -> None:
    class Closing(Telling):
        async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
            if target != "/v2/keys/warm":
                self.lines = ("Connection: close",)
            await super().treat(target, writer)
            if self.lines:
                writer.close()

    async def test() -> None:
        member = Closing()
        await member.start()
        async with proxy(member.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, KEYS[:12])
            await each_gets_its_own(clients, KEYS[:12])
            assert proxied.director.available(proxied.exchanges.loop.time()) == [member.url]

    run(test)


def test_a_member_that_breaks_off_between_two_answers_is_asked_again_for_the_rest() -> None:
    class Breaking(Telling):
        async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
            if target == KEYS[3] and self.together[-1] > 1:
                await asyncio.sleep(0.05)
                writer.transport.abort()
            else:
                await super().treat(target, writer)

    async def test() -> None:
        member = Breaking()
        await member.start()
        async with proxy(member.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, KEYS[:8])
            await each_gets_its_own(clients, KEYS[:8])
            assert max(member.together) > 4
            assert proxied.director.available(proxied.exchanges.loop.time()) == [member.url]

    run(test)


def test_a_member_that_breaks_off_within_an_answer_is_set_aside_and_the_next_one_answers_all() -> None:
    class Breaking(Telling):
        async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
            if target == KEYS[3]:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
                await writer.drain()
                await self.stop()
            else:
                await super().treat(target, writer)

    async def test() -> None:
        member, other = Breaking(), Telling()
        await member.start()
        await other.start()
        async with proxy(member.url, other.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, KEYS[:8])
            await each_gets_its_own(clients, KEYS[:8])
            assert KEYS[3].encode() in other.seen
            assert proxied.director.available(proxied.exchanges.loop.time()) == [other.url]

    run(test)


def test_a_long_answer_that_its_client_does_not_take_keeps_nobody_waiting() -> None:
    class Long(Telling):
        async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
            writer.write(self.answer(b"x" * (8 << 20) if target == KEYS[2] else target.encode()))

    async def test() -> None:
        member = Long()
        await member.start()
        async with proxy(member.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, KEYS[:8])
            await each_gets_its_own(clients[:2] + clients[3:], KEYS[:2] + KEYS[3:8])
            assert max(member.together) > 3
            assert await clients[2].answer() == (200, b"x" * (8 << 20))

    run(test)


def test_a_client_that_leaves_does_not_take_the_others_along() -> None:
    class Slow(Telling):
        async def treat(self, target: str, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.02)
            await super().treat(target, writer)

    async def test() -> None:
        member = Slow()
        await member.start()
        async with proxy(member.url) as proxied:
            await warm(proxied, member)
            clients = await all_at_once(proxied, KEYS[:8])
            await asyncio.sleep(0.03)
            for client in clients[::2]:
                client.writer.transport.abort()
            await each_gets_its_own(clients[1::2], KEYS[1:8:2])
            assert max(member.together) > 4
            await (await proxied.client()).ask("GET", "/v2/keys/after")

    run(test)
