"""A listener with limits, as the peer port has them: whoever stalls is let go, and who is new has room."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from server.http.limits import FREE, Limits
from server.http.messages import (
    Body,
    PourBody,
    ReadBody,
    Reply,
    Request,
    Response,
)
from server.http.serving import Listening, Serving, serve
from server.listen import listen
from server.tls import TlsFiles, server_context
from tests.support.process import open_sockets
from tests.support.tls import V, client, make_certificates

PATIENCE = 30.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
FAR = 1000.0
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Endless:
    """A stream that sends as much as is taken, or nothing."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece
        self.closed = asyncio.Event()

    def take(self) -> bytes | None:
        return self._piece

    def on_news(self, tell: Callable[[], object]) -> None:
        """There is some always, or never."""

    def close(self) -> None:
        self.closed.set()


class Poured:
    """A body that is kept, piece by piece."""

    def __init__(self) -> None:
        self.size = 0

    def feed(self, piece: bytes) -> bool:
        self.size += len(piece)
        return True

    def held(self) -> int:
        return self.size

    def end(self, fault: str) -> Response:
        return Response(200, (), fault.encode() or b"%d bytes" % self.size)


class Handler:
    def __init__(self) -> None:
        self.streams: list[Endless] = []

    def __call__(self, request: Request) -> Reply | PourBody:
        match request.target:
            case b"/pour":
                return PourBody(Poured())
            case b"/silent" | b"/endless":
                self.streams.append(Endless(b"x" * 100_000 if request.target == b"/endless" else b""))
                return Response(200, (), stream=self.streams[-1])
            case _ if request.method == "POST":
                return ReadBody(1 << 30, self._answer, lambda data: data[:1] == b"P")
        return Response(200, (), b"hello")

    def _answer(self, body: Body) -> Response:
        return Response(200, (), body.fault.encode() or b"%d bytes" % len(body.data))


class Served:
    def __init__(self, serving: Serving, port: int, stack: contextlib.ExitStack) -> None:
        self.serving = serving
        self.port = port
        self._stack = stack

    async def connect(self, sent: bytes = b"", **options: Any) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        self._stack.callback(writer.close)
        writer.write(sent)
        return reader, writer

    async def answered(self, sent: bytes) -> Connection:
        """A connection on which this has been answered."""
        reader, writer = await self.connect(sent)
        assert (await soon(reader.readuntil(b"\r\n"))).startswith(b"HTTP/1.1 200 OK")
        return reader, writer


@contextlib.asynccontextmanager
async def served(
    limits: Limits, most: int | None = None, handler: Handler | None = None, tls: Any = None
) -> AsyncIterator[Served]:
    sock = listen("http://127.0.0.1:0")
    serving = await serve(handler or Handler(), [Listening(sock, tls)], most=most, limits=limits)
    with contextlib.ExitStack() as stack:
        try:
            yield Served(serving, sock.getsockname()[1], stack)
        finally:
            await serving.cleanup()


def run(body: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body)


async def soon(promise: Coroutine[Any, Any, bytes]) -> bytes:
    return await asyncio.wait_for(promise, PATIENCE)


async def ended(connection: Connection) -> bytes:
    """What comes until the server closes, which it has to."""
    try:
        return await soon(connection[0].read())
    except ConnectionResetError:
        return b"(reset)"


def post(length: int, beginning: bytes, target: bytes = b"/") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (target, length, beginning)


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n", GET])
def test_a_connection_that_asks_nothing_is_closed(sent: bytes) -> None:
    async def body() -> None:
        async with served(Limits(idle=0.1, body=FAR)) as there:
            await ended(await there.connect(sent))

    run(body())


def test_a_head_and_a_body_that_trickle_are_closed_though_bytes_keep_coming() -> None:
    async def trickle(connection: Connection) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                connection[1].write(b"x")
                await connection[1].drain()
                await asyncio.sleep(0.01)

    async def body() -> None:
        async with served(Limits(idle=0.2, body=0.2, rate=8 << 10)) as there:
            for beginning in (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", post(100_000, b"x")):
                connection = await there.connect(beginning)
                trickling = asyncio.create_task(trickle(connection))
                got = await ended(connection)
                trickling.cancel()
                assert got == b"(reset)" or not got or b"i/o timeout" in got

    run(body())


@pytest.mark.parametrize("sent", [post(20, b"P"), post(20, b"x", b"/pour")])
def test_a_body_that_may_take_its_time_is_waited_for(sent: bytes) -> None:
    async def body() -> None:
        async with served(Limits(idle=0.05, body=0.05, stall=0.05)) as there:
            patient = await there.connect(sent)
            for _ in range(3):
                assert b"i/o timeout" in await ended(await there.connect(post(20, b"x")))
            patient[1].write(b"x" * 19)
            assert (await soon(patient[0].readuntil(b"20 bytes"))).startswith(b"HTTP/1.1 200 OK")

    run(body())


def test_a_stream_that_idles_is_left_alone_and_one_that_is_not_read_is_broken_off() -> None:
    async def body() -> None:
        handler = Handler()
        async with served(Limits(idle=0.05, body=0.05, stall=0.2), handler=handler) as there:
            idle = await there.answered(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
            await there.answered(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(handler.streams[1].closed.wait(), PATIENCE)
            assert not handler.streams[0].closed.is_set()
            assert not idle[0].at_eof()

    run(body())


def test_a_new_connection_takes_the_place_of_one_that_waits_and_never_of_a_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body() -> None:
        async with served(Limits(idle=FAR, body=FAR, makes_room=True), most=6) as there:
            stream = await there.answered(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
            patient = await there.connect(post(9, b"P"))
            busy = await there.connect(post(9, b"x"))
            await there.answered(GET)  # so the others have been read
            for _ in range(50):
                await there.connect()
                await there.answered(GET)
            patient[1].write(b"x" * 8)
            busy[1].write(b"x" * 8)
            for connection in (patient, busy):
                assert (await soon(connection[0].readuntil(b"9 bytes"))).startswith(b"HTTP/1.1 200 OK")
            assert not stream[0].at_eof()

    caplog.set_level(logging.WARNING)
    run(body())
    (line,) = caplog.messages
    assert line.startswith(
        "http: there are as many connections as may be; silent ones are closed for new ones"
    )


def test_connections_with_unfinished_bodies_give_way_when_there_are_no_others() -> None:
    async def body() -> None:
        async with served(Limits(idle=FAR, body=FAR, makes_room=True), most=4) as there:
            for beginning in (b"P", b"x"):
                for _ in range(10):
                    await there.connect(post(9, beginning))
                await there.answered(GET)

    run(body())


def test_handshakes_that_hang_give_way_and_end(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    context = server_context(TlsFiles(str(made / "server.pem"), str(made / "server.key")))

    async def body() -> None:
        limits = Limits(idle=FAR, body=FAR, makes_room=True)
        async with served(limits, most=4, tls=context) as there:
            for _ in range(20):
                await there.connect()
            reader, _ = await there.connect(GET, ssl=client(made, V.TLSv1_3), server_hostname="127.0.0.1")
            assert (await soon(reader.readuntil(b"\r\n"))).startswith(b"HTTP/1.1 200 OK")
        async with served(limits._replace(handshake=0.1), tls=context) as there:
            await ended(await there.connect())

    run(body())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("sent", [b"", GET, post(9, b"P"), post(1 << 20, b"x", b"/nobody reads it")])
def test_no_more_files_are_open_than_connections_may_be_however_fast_others_come(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, sent: bytes, tls: bool
) -> None:
    made = make_certificates(tmp_path) if tls else None
    context = made and server_context(TlsFiles(str(made / "server.pem"), str(made / "server.key")))
    most = 10

    async def body() -> None:
        async with served(Limits(idle=FAR, body=FAR, makes_room=True), most=most, tls=context) as there:
            before = open_sockets()
            with contextlib.ExitStack() as stack:
                for n in range(1, 200):
                    sock = stack.enter_context(socket.create_connection(("127.0.0.1", there.port)))
                    with contextlib.suppress(ConnectionError):
                        sock.sendall(sent)
                    await asyncio.sleep(0)
                    assert open_sockets() - before - n <= most + 8
                for _ in range(1000):
                    if open_sockets() - before - n <= most:
                        break
                    await asyncio.sleep(0.01)
                else:
                    raise AssertionError("files of those who had to go are still open")

    run(body())
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


@pytest.mark.parametrize("target", [b"/", b"/pour"])
def test_bodies_hold_no_more_together_than_they_may_and_short_ones_pass(target: bytes) -> None:
    unfinished = post(2 * FREE, b"P" + b"x" * (2 * FREE - 2), target)

    async def body() -> None:
        async with served(Limits(idle=FAR, body=FAR, held=FREE)) as there:
            both = [await there.connect(unfinished) for _ in range(2)]
            refusals = [asyncio.create_task(reader.readuntil(b"as they may")) for reader, _ in both]
            refused, waiting = await asyncio.wait(
                refusals, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
            assert len(refused) == len(waiting) == 1
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
            short = await there.connect(post(FREE, b"x" * FREE, target))
            await soon(short[0].readuntil(b"%d bytes" % FREE))
            reader, writer = both[refusals.index(waiting.pop())]
            writer.write(b"x")
            await soon(reader.readuntil(b"%d bytes" % (2 * FREE)))

    run(body())
