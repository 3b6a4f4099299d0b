"""What goes over the wire: framing, connections kept and lost. A handler of our own behind the real adapter."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from server.api.adapter import Listening, serve
from server.api.http import Headers, Request, Response
from server.listen import listen


class Ticking:
    """A body of two pieces and then silence; remembers that it was closed."""

    def __init__(self) -> None:
        self.pieces = [b"one\n", b"two\n"]
        self.closed = asyncio.Event()
        self.endless = True

    async def next(self) -> bytes | None:
        if self.pieces:
            return self.pieces.pop(0)
        if self.endless:
            await asyncio.Event().wait()
        return None

    def close(self) -> None:
        self.closed.set()


def exchange(
    handler: Callable[[Request], Response],
    sent: bytes,
    *,
    then: Callable[[], Awaitable[None]] | None = None,
    cors: Callable[[str], Headers] | None = None,
) -> bytes:
    """All that comes back for ``sent``, until the server closes or nothing more comes for a moment."""

    async def body() -> bytes:
        sock = listen("http://127.0.0.1:0")
        port = sock.getsockname()[1]
        runner = await serve(handler, [Listening(sock, None)], cors)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        got = b""
        while piece := await _read(reader):
            got += piece
        writer.close()
        if then is not None:
            await asyncio.wait_for(then(), 5)
        await runner.cleanup()
        return got

    return asyncio.run(body())


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(65536), 0.3)
    except TimeoutError:
        return b""


def echo(request: Request) -> Response:
    return Response(200, (("X-Target", request.target.decode()),), request.body)


def test_answers_carry_a_length_a_date_and_no_server() -> None:
    got = exchange(echo, b"PUT /v2//k%2Fe?x=%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    head, _, body = got.partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert body == b"abc"
    assert b"X-Target: /v2//k%2Fe?x=%zz" in head
    assert b"Content-Length" in names
    assert b"Date" in names
    assert b"Server" not in names


def test_a_connection_serves_many_requests() -> None:
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert exchange(echo, one * 3).count(b"HTTP/1.1 200 OK") == 3


def test_bodies_may_come_in_chunks_and_after_a_continue() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = exchange(echo, head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert got.endswith(b"\r\n\r\nabc")


def test_compressed_bodies_are_not_unpacked() -> None:
    got = exchange(
        echo, b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert got.endswith(b"\r\n\r\nabc")


def test_a_stream_sends_each_piece_and_is_closed_when_its_client_leaves() -> None:
    stream = Ticking()

    async def closed() -> None:
        await stream.closed.wait()

    got = exchange(lambda _: Response(200, stream=stream), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", then=closed)
    assert got.endswith(b"\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n")
    assert b"Transfer-Encoding: chunked" in got


def test_a_stream_that_ends_ends_the_answer_and_keeps_the_connection() -> None:
    def handler(request: Request) -> Response:
        stream = Ticking()
        stream.endless = False
        return Response(200, stream=stream)

    got = exchange(handler, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    assert got.count(b"\r\n0\r\n\r\n") == 2


def test_clients_of_http_1_0_get_a_stream_without_chunks() -> None:
    def handler(request: Request) -> Response:
        stream = Ticking()
        stream.endless = False
        return Response(200, stream=stream)

    assert exchange(handler, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\none\ntwo\n")


def test_the_origin_decides_on_further_headers() -> None:
    got = exchange(
        echo,
        b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n\r\n",
        cors=lambda origin: (("X-Seen", origin),),
    )
    assert b"X-Seen: http://a\r\n" in got


def test_a_fault_in_a_handler_is_logged_and_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    def handler(request: Request) -> Response:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        got = exchange(handler, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 500 ")
    assert "fault in the server" in caplog.text


def test_what_is_no_http_gets_a_400_and_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "aiohttp"):
        assert b" 400 " in exchange(echo, b"\x00garbage\r\n\r\n")
    assert "Traceback" not in caplog.text
