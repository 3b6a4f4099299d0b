"""How connections read and write, without tasks. A transport of our own."""

import asyncio
import random
import re
from collections.abc import Callable
from typing import cast

import uvloop

from server.http.carrier import Common
from server.http.limits import Limits
from server.http.messages import (
    Body,
    DeferredResponse,
    ReadBody,
    Reply,
    Request,
    Response,
)
from server.http.protocol import ServerProtocol

GET = b"GET /keys/a HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /keys/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"


class Socket:
    def setsockopt(self, *_: object) -> None:
        pass


class Wire(asyncio.Transport):
    """Keeps what is written. Says ``stop`` when more than ``high`` bytes are."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.Protocol | None = None
        self.writes: list[bytes] = []
        self.high: int | None = None
        self.closed = False
        self.ended = False
        self.reading = True
        self.pauses = 0

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return Socket() if name == "socket" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast(asyncio.Protocol, protocol)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        assert not self.ended
        self.writes.append(bytes(data))
        if self.high is not None and len(self.written) > self.high and self.protocol is not None:
            self.protocol.pause_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading = False
        self.pauses += 1

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True

    abort = close


class News:
    """A body whose pieces the test gives."""

    def __init__(self) -> None:
        self.pieces: list[bytes | None] = []
        self.tell: Callable[[], object] | None = None
        self.closed = 0

    def give(self, *pieces: bytes | None) -> None:
        self.pieces += pieces
        if self.tell is not None:
            self.tell()

    def take(self) -> bytes | None:
        return self.pieces.pop(0) if self.pieces else b""

    def on_news(self, tell: Callable[[], object]) -> None:
        self.tell = tell

    def close(self) -> None:
        self.closed += 1


def at_once(request: Request) -> Reply:
    def answer(body: Body) -> Response:
        return Response(200, (), request.target + b"|" + body.data + body.fault.encode())

    return ReadBody(1000, answer) if request.method == "PUT" else answer(Body(b""))


class Table:
    """A server and one connection of it."""

    def __init__(self, handler: Callable[[Request], Reply] = at_once) -> None:
        self.asked: list[Request] = []

        def ask(request: Request) -> Reply:
            self.asked.append(request)
            return handler(request)

        self.common = Common(ask, None, Limits())
        self.wire = Wire()
        self.connection = ServerProtocol(self.common)
        self.wire.protocol = cast(asyncio.Protocol, self.connection)
        self.connection.connection_made(self.wire)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if self.wire.reading:
                assert self.wire.protocol is not None
                self.wire.protocol.data_received(piece)
        self.common.write_output()

    @property
    def bodies(self) -> list[bytes]:
        return [answer.partition(b"\r\n\r\n")[2] for answer in self.wire.written.split(b"HTTP/1.")[1:]]


async def turn() -> None:
    """Lets the loop do what was put off."""
    for _ in range(3):
        await asyncio.sleep(0)


def on_loop(test: Callable[[], object]) -> Callable[[], None]:
    """Runs a coroutine function as a test."""

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(test())  # type: ignore[arg-type]

    run.__name__ = test.__name__
    return run


@on_loop
async def test_a_client_that_asks_for_very_much_leaves_others_their_turn() -> None:
    table, other = Table(), Table()
    table.send(GET * 100)
    assert len(table.asked) < 50
    other.send(GET)
    assert other.bodies == [b"/keys/a|"]
    table.connection.eof_received()
    for _ in range(10):
        await turn()
    assert table.bodies == [b"/keys/a|"] * 100
    assert table.wire.closed


@on_loop
async def test_what_comes_faster_than_it_is_served_is_not_read() -> None:
    table = Table()
    for _ in range(50):
        table.send(GET * 200)
    assert table.wire.pauses == 1
    for _ in range(2000):
        await turn()
    assert table.wire.reading
    assert len(table.bodies) == len(table.asked) > 1000


@on_loop
async def test_requests_that_come_together_are_answered_together() -> None:
    table = Table()
    table.send(GET * 3 + PUT)
    assert len(table.wire.writes) == 1
    assert table.bodies == [b"/keys/a|"] * 3 + [b"/keys/a|abc"]


@on_loop
async def test_a_request_is_served_in_whatever_pieces_it_comes() -> None:
    chunked = b"PUT /keys/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"4\r\n\r\n\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: z\r\n\r\n"
    sent = GET + PUT + chunked + PUT + GET
    whole = Table()
    whole.send(sent)
    assert whole.bodies == [
        b"/keys/a|", b"/keys/a|abc", b"/keys/c|\r\n\r\nabc", b"/keys/a|abc", b"/keys/a|",
    ]  # fmt: skip
    chance = random.Random(1)
    for size in (1, 2, 3, 5, 7, 40):
        table = Table()
        at = 0
        while at < len(sent):
            step = chance.randint(1, size)
            table.send(sent[at : at + step])
            at += step
        assert _undated(table.wire.written) == _undated(whole.wire.written)


def _undated(answers: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]*", b"Date:", answers)


@on_loop
async def test_a_promise_is_kept_later_and_what_stands_behind_waits() -> None:
    promises: list[DeferredResponse] = []

    def promise(_: Request) -> Reply:
        promises.append(DeferredResponse())
        return promises[-1]

    table = Table(promise)
    table.send(GET * 2)
    assert len(promises) == 1
    promises[0].keep(Response(200, (), b"one"))
    assert len(promises) == 1  # the next is not asked for inside of whoever keeps the promise
    await turn()
    promises[1].keep(Response(200, (), b"two"))
    await turn()
    assert table.bodies == [b"one", b"two"]


@on_loop
async def test_a_promise_that_is_kept_at_once_does_not_hold_up() -> None:
    kept = DeferredResponse()
    kept.keep(Response(200, (), b"kept"))
    table = Table(lambda _: kept)
    table.send(GET * 2)
    assert table.bodies == [b"kept"] * 2
    assert len(table.wire.writes) == 1


@on_loop
async def test_what_is_answered_in_the_pass_of_the_loop_that_a_request_begins_is_written_in_it() -> None:
    """So a turn of the node answers, when the disk is quick."""

    def soon(_: Request) -> Reply:
        promise = DeferredResponse()
        asyncio.get_running_loop().call_soon(promise.keep, Response(200, (), b"kept"))
        return promise

    table = Table(soon)
    table.connection.data_received(GET)
    assert table.wire.writes == []
    await asyncio.sleep(0)
    assert len(table.wire.writes) == 1


@on_loop
async def test_a_promise_to_a_client_that_has_gone_is_forgotten() -> None:
    promise, stream = DeferredResponse(), News()
    table = Table(lambda _: promise)
    table.send(GET)
    table.connection.connection_lost(None)
    promise.keep(Response(200, stream=stream))
    assert table.wire.writes == []
    assert stream.closed


@on_loop
async def test_a_promise_is_forgotten_when_its_connection_was_aborted_at_the_end_of_the_server() -> None:
    promise = DeferredResponse()
    table = Table(lambda _: promise)
    table.send(GET)
    await table.common.shutdown(patience=0)
    late = b"in the same turn of the loop, before the connection is told that it is lost"
    promise.keep(Response(200, (), late))
    await turn()
    assert table.wire.writes == []


@on_loop
async def test_a_long_poll_is_one_write_for_its_head_and_one_for_its_event() -> None:
    stream = News()
    table = Table(lambda _: Response(200, stream=stream))
    table.send(GET * 2)
    assert len(table.wire.writes) == 1
    stream.give(b"event\n", None)
    assert len(table.wire.writes) == 1  # nothing is sent inside of the write that made the event
    await turn()
    assert table.wire.writes[1] == b"6\r\nevent\n\r\n0\r\n\r\n"
    assert stream.closed == 1
    assert len(table.asked) == 2


@on_loop
async def test_a_stream_with_all_it_has_is_one_write() -> None:
    stream = News()
    stream.give(b"event\n", None)
    table = Table(lambda _: Response(200, stream=stream))
    table.send(GET)
    assert len(table.wire.writes) == 1
    assert table.wire.written.endswith(b"\r\n\r\n6\r\nevent\n\r\n0\r\n\r\n")


@on_loop
async def test_nothing_is_taken_from_a_stream_whose_client_does_not_read() -> None:
    stream = News()
    table = Table(lambda _: Response(200, stream=stream))
    table.wire.high = 0
    table.send(GET)
    stream.give(b"one\n", b"two\n")
    await turn()
    assert stream.pieces == [b"one\n", b"two\n"]
    table.wire.high = None
    table.connection.resume_writing()
    await turn()
    assert stream.pieces == []
    assert table.wire.writes[-1] == b"4\r\none\n\r\n4\r\ntwo\n\r\n"


@on_loop
async def test_a_client_that_has_gone_ends_its_stream() -> None:
    stream = News()
    table = Table(lambda _: Response(200, stream=stream))
    table.send(GET)
    table.connection.connection_lost(None)
    assert stream.closed == 1
    stream.give(b"event\n")
    await turn()
    assert len(table.wire.writes) == 1


@on_loop
async def test_a_stream_to_a_client_that_stopped_sending_before_ends_at_once() -> None:
    promise, stream = DeferredResponse(), News()
    table = Table(lambda _: promise)
    table.send(GET)
    table.connection.eof_received()
    stream.give(b"event\n")
    promise.keep(Response(200, stream=stream))
    await turn()
    assert table.wire.written.endswith(b"6\r\nevent\n\r\n0\r\n\r\n")
    assert table.wire.closed
    assert stream.closed == 1


@on_loop
async def test_a_client_that_does_not_read_is_asked_for_nothing_more_until_it_does() -> None:
    table = Table(lambda _: Response(200, (), b"x" * 50_000))
    table.wire.high = 0
    table.send(GET * 100)
    assert len(table.asked) == 2  # as much as is written at once
    table.wire.high = None
    table.connection.resume_writing()
    for _ in range(10):
        await turn()
    assert len(table.bodies) == 100


@on_loop
async def test_reading_stops_while_much_is_waiting() -> None:
    promises: list[DeferredResponse] = []

    def promise(_: Request) -> Reply:
        promises.append(DeferredResponse())
        return promises[-1]

    table = Table(promise)
    table.send(GET, GET * 2000, GET * 2000)
    assert table.wire.pauses == 1
    for n in range(2001):
        promises[n].keep(Response(200, (), b""))
        await turn()
    assert table.wire.reading
    assert len(table.bodies) == 2001


@on_loop
async def test_an_awaitable_may_fail() -> None:
    async def fail() -> Response:
        raise RuntimeError("boom")

    table = Table(lambda _: fail())
    table.send(GET)
    await turn()
    assert table.wire.written.startswith(b"HTTP/1.1 500 ")
    assert table.wire.closed


@on_loop
async def test_an_awaitable_is_cancelled_when_its_client_goes() -> None:
    cancelled = asyncio.Event()

    async def wait() -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Response(200)

    table = Table(lambda _: wait())
    table.send(GET)
    await turn()
    table.connection.connection_lost(None)
    await turn()
    assert cancelled.is_set()


@on_loop
async def test_heads_that_are_remembered_are_not_mixed_up() -> None:
    seen: list[tuple[str | None, str]] = []

    def note(request: Request) -> Reply:
        seen.append((request.headers.get("authorization"), request.headers.get("CONTENT-type", "none")))
        return Response(200)

    table = Table(note)
    for _ in range(2):
        table.send(b"GET /keys HTTP/1.1\r\nHost: x\r\nAuthorization: A\r\nauthorization: Z\r\n\r\n")
        table.send(b"GET /keys HTTP/1.1\r\nHost: x\r\nAuthorization: B \r\nContent-Type:\tt\r\n\r\n")
        table.send(b"GET /keys HTTP/1.1\r\nHost: x\r\n\r\n")
    assert seen == [("A", "none"), ("B", "t"), (None, "none")] * 2
    for n in range(3000):
        table.send(b"GET /keys HTTP/1.1\r\nHost: x%d\r\n\r\n" % n)
    assert len(table.common.heads) <= 1024
