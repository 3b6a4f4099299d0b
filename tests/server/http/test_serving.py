"""What goes over the wire: framing, connections kept and lost. A handler of our own, and real sockets."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
import uvloop

from server.http.limits import Limits
from server.http.messages import (
    CLOSE,
    Body,
    Handler,
    Headers,
    ReadBody,
    Reply,
    Request,
    Response,
    UntilGone,
)
from server.http.serving import Listening, serve
from server.listen import listen
from tests.support.process import PATIENCE
from tests.support.turns import TURN, turns

T = TypeVar("T")

QUIET = 15
"""Turns without a word after which nothing more is taken to come. Turns of the loop and no seconds: both sides live on
it, and a process that has to wait for the processor takes up one turn, however long it waits."""

UNTIL_THE_END = 3000
"""So many, where the server has to close."""

END = b"<end>"
RESET = b"<reset>"


class Ticking:
    """A body of two pieces and then silence; remembers that it was closed."""

    def __init__(self) -> None:
        self.pieces = [b"one\n", b"two\n"]
        self.closed = asyncio.Event()
        self.endless = True

    def take(self) -> bytes | None:
        if self.pieces:
            return self.pieces.pop(0)
        return b"" if self.endless else None

    def on_news(self, tell: Callable[[], object]) -> None:
        pass

    def close(self) -> None:
        self.closed.set()


def exchange(
    handler: Handler,
    *sent: bytes,
    half_close: bool = False,
    quiet: int = QUIET,
    then: Callable[[], Awaitable[None]] | None = None,
    cors: Callable[[str], Headers] | None = None,
    limits: Limits = Limits(),  # noqa: B008 (a value)
) -> bytes:
    """All that comes back for the pieces of ``sent``, until the server closes, which is shown, or nothing more comes
    in as many turns as ``quiet``."""

    async def body() -> bytes:
        sock = listen("http://127.0.0.1:0")
        port = sock.getsockname()[1]
        runner = await serve(handler, [Listening(sock, None)], cors, limits=limits)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        got = b""
        try:
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                if len(sent) > 1:
                    await turns(3)  # it is read by itself
            if half_close:
                writer.write_eof()
            while piece := await _read(reader, quiet):
                got += piece
        except ConnectionError:
            got += RESET
        got += END if reader.at_eof() else b""
        writer.close()
        if then is not None:
            await asyncio.wait_for(then(), PATIENCE)
        await runner.cleanup()
        return got

    return run(body())


def run(body: Coroutine[Any, Any, T]) -> T:
    """On the loop that servers run on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(body)


async def _read(reader: asyncio.StreamReader, quiet: int) -> bytes:
    reading = asyncio.ensure_future(reader.read(65536))
    for _ in range(quiet):
        await asyncio.wait((reading,), timeout=TURN)
        if reading.done():
            break
    else:
        reading.cancel()
    return b"" if reading.cancelling() else await reading


def echo(request: Request) -> Reply:
    """Answers with the method, the target and, for PUT, up to 1000 bytes of the body."""

    def answer(body: Body) -> Response:
        headers = (("X-Method", request.method), ("X-Target", request.target.decode()))
        return Response(200, headers, body.data or body.fault.encode())

    return ReadBody(1000, answer) if request.method == "PUT" else answer(Body(b""))


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

    assert exchange(handler, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\none\ntwo\n" + END)


@pytest.mark.parametrize("head", [b"", b"X-Long: " + b"x" * 70_000 + b"\r\n"], ids=["short", "long"])
@pytest.mark.parametrize("wish", [b"", b"Connection: keep-alive\r\n"])
def test_a_long_body_for_a_client_of_http_1_0_ends_with_the_connection(head: bytes, wish: bytes) -> None:
    """Whoever reads the request, by itself or with aiohttp, the answer is Go's."""
    response = Response(200, (("Content-Type", "text/plain"),), b"x" * 3000)
    answer = exchange(lambda request: response, b"GET / HTTP/1.0\r\n" + wish + head + b"\r\n")
    top = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nDate: ...\r\n\r\n"
    assert without_date(answer) == top + response.body + END


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


def test_a_fault_in_a_stream_is_logged_once_and_cuts_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Ticking):
        def take(self) -> bytes | None:
            if len(self.pieces) == 1:
                raise RuntimeError("boom")
            return super().take()

    stream = Broken()
    got = exchange(lambda _: Response(200, stream=stream), b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert got.endswith(b"\r\n\r\n4\r\none\n\r\n" + END)  # and not the end of the body
    assert stream.closed.is_set()
    assert ["fault in the server" in record.message for record in caplog.records] == [True]
    assert "boom" in caplog.text


def test_a_fault_once_the_body_is_there_is_logged_and_ends_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(body: Body) -> Response:
        raise RuntimeError("boom")

    got = exchange(lambda _: ReadBody(9, fail), b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
    assert got.startswith(b"HTTP/1.1 500 ")
    assert got.endswith(END)
    assert "boom" in caplog.text


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00garbage\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a\x7fb HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"PUT /\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_the_page_of_go_and_no_line_in_the_log(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert exchange(echo, sent) == page(b"400 Bad Request")
    assert [record for record in caplog.records if record.name != "asyncio"] == []


def page(status: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" % status
    return head + status + END


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"", b"400 Bad Request: missing required Host header"),
        (b"Host: a b\r\n", b"400 Bad Request: malformed Host header"),
        (b"Host: x\r\nX: \0\r\n", b"400 Bad Request: invalid header value"),
    ],
)
def test_some_heads_are_refused_with_the_reason_as_go_refuses_them(lines: bytes, status: bytes) -> None:
    """The pages of etcd 3.4.23."""
    assert exchange(echo, b"GET / HTTP/1.1\r\n" + lines + b"\r\n") == page(status)


def test_a_coding_that_nobody_knows_is_refused_with_the_page_of_go() -> None:
    for coding in (b"identity", b"gzip, chunked"):
        got = exchange(
            echo, b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"
        )
        head = b"HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
        assert got == head + b"Unsupported transfer encoding" + END


@pytest.mark.parametrize(
    ("chunk", "fault"),
    [
        (b"zz\r\n", b"invalid byte in chunk length"),
        (b"fffffffffffffffff\r\n", b"http chunk length too large"),
        (b"2\r\nabc\r\n", b"malformed chunked encoding"),
        (b"2\nab\r\n", b"malformed chunked encoding"),
    ],
)
def test_a_chunk_that_is_none_ends_the_body_and_the_connection(chunk: bytes, fault: bytes) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = exchange(echo, head, b"2\r\nab\r\n", chunk)
    assert got.endswith(b"\r\n\r\n" + fault + END)


@pytest.mark.parametrize("lines", [1, 5_000])
def test_a_head_is_limited_as_a_whole(lines: int) -> None:
    line = b"X: " + b"y" * ((2 << 20) // lines) + b"\r\n"
    got = exchange(echo, b"GET / HTTP/1.1\r\nHost: x\r\n" + line * lines)
    assert got == RESET or b"431 Request Header Fields Too Large" in got


def test_a_head_may_have_a_thousand_lines() -> None:
    got = exchange(echo, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("line", "method", "target"),
    [
        (b"GET /a%0Ab?c=%0a HTTP/1.1", b"GET", b"/a%0Ab?c=%0a"),
        (b"OPTIONS * HTTP/1.1", b"OPTIONS", b"*"),
        (b"CONNECT a:80 HTTP/1.1", b"CONNECT", b"a:80"),
        (b"GET http://x/y?z HTTP/1.1", b"GET", b"http://x/y?z"),
        (b"GET //x//y/../z#f HTTP/1.1", b"GET", b"//x//y/../z#f"),
        ("GET /é?ü HTTP/1.1".encode(), b"GET", b"/%c3%a9?%c3%bc"),
        (b"GET /\xff HTTP/1.0", b"GET", b"/%ff"),
        (b"put /a HTTP/1.1", b"put", b"/a"),
        (b"FOO /a HTTP/1.1", b"FOO", b"/a"),
        (b"CONNECT /a HTTP/1.1", b"CONNECT", b"/a"),
    ],
)
@pytest.mark.parametrize("at", [0, 5, 12])
def test_every_request_reaches_the_handler_in_whatever_pieces_it_comes(
    line: bytes, method: bytes, target: bytes, at: int
) -> None:
    one = line + b"\r\nHost: x\r\n\r\n"
    got = exchange(echo, one[:at], one[at:])
    assert b"X-Method: " + method + b"\r\n" in got
    assert b"X-Target: " + target + b"\r\n" in got


def test_the_line_of_a_later_request_is_made_readable_too_and_bodies_are_left_alone() -> None:
    body = "GET /é HTTP/1.1\r\n".encode()
    put = b"PUT /\xc3\xa9 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    got = exchange(echo, put, body[:4], body[4:], put + body, put, body)
    assert got.count(b"X-Target: /%c3%a9\r\n") == 3
    assert got.count(b"\r\n\r\n" + body) == 3


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"OPTIONS"])
def test_a_method_may_be_cut_where_a_packet_with_another_request_ends(method: bytes) -> None:
    second = method + b" /second HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    for first in (ONE, b"OPTIONS" + ONE[3:]):
        for at in range(1, len(method)):
            got = exchange(echo, first + second[:at], second[at:], half_close=True)
            assert got.count(b"HTTP/1.1 200 OK") == 2


def test_after_an_answer_that_closes_nothing_more_is_served() -> None:
    seen = []

    def handler(request: Request) -> Response:
        seen.append(request.target)
        return Response(400, (CLOSE,), b"no")

    one = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
    got = exchange(handler, one + one.replace(b"1 ", b"2 ", 1))
    assert got.endswith(b"\r\n\r\nno" + END)
    assert got.count(b"Connection: close") == 1
    assert seen == [b"/1"]


ONE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_client_that_stops_sending_gets_all_its_answers() -> None:
    async def slow() -> Response:
        await asyncio.sleep(0.05)
        return Response(200, (), b"slow")

    got = exchange(lambda _: slow(), ONE * 40, half_close=True)
    assert got.count(b"\r\n\r\nslow") == 40
    assert got.endswith(END)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", ONE])
def test_a_client_that_stops_sending_is_let_go(sent: bytes) -> None:
    assert exchange(echo, sent, b"", half_close=True).endswith(END)


def test_a_stream_ends_when_its_client_stops_sending_and_what_is_there_is_sent() -> None:
    for pieces in ((ONE,), (ONE, b"")):  # the end comes with the request, or later
        stream = Ticking()
        got = exchange(lambda _, stream=stream: Response(200, stream=stream), *pieces, half_close=True)  # type: ignore[misc]
        assert got.endswith(b"\r\n\r\n4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n" + END)
        assert stream.closed.is_set()


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 30\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
def test_a_body_that_breaks_off_is_told_to_the_handler(framing: bytes) -> None:
    got = exchange(echo, b"PUT / HTTP/1.1\r\nHost: x\r\n" + framing, half_close=True)
    assert got.endswith(b"\r\n\r\nunexpected EOF" + END)


def upload(method: bytes, size: int) -> bytes:
    return b"%s /big HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (method, size) + b"b" * size


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_small_body_that_nobody_wants_is_passed_over(method: bytes) -> None:
    got = exchange(echo, upload(method, 200_000) + ONE)
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert b"Connection: close" not in got


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_body_that_nobody_wants_and_that_breaks_off_does_not_change_the_answer(method: bytes) -> None:
    got = exchange(echo, upload(method, 1000)[:-1], half_close=True)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert got.endswith(END)


@pytest.mark.parametrize(("method", "answered"), [(b"GET", 0), (b"POST", 0), (b"PUT", 1001)])
@pytest.mark.parametrize("chunked", [False, True])
def test_no_more_of_a_body_is_read_than_the_handler_wants(
    method: bytes, answered: int, chunked: bool
) -> None:
    async def body() -> int:
        sock = listen("http://127.0.0.1:0")
        runner = await serve(echo, [Listening(sock, None)])
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 1000000000"
        writer.write(method + b" / HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
        head = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
        piece = b"b" * 100_000
        sent = 0
        try:
            while sent < 500_000_000:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await asyncio.wait_for(writer.drain(), PATIENCE)
                sent += len(piece)
        except ConnectionError:
            pass  # which is what ends it
        answer = await head
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b"Connection: close" in answer
        assert b"Content-Length: %d\r\n" % answered in answer
        writer.close()
        await runner.cleanup()
        return sent

    assert run(body()) < 50_000_000  # what buffers of the system hold


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_body_that_waits_for_a_word_is_not_asked_for_when_nobody_wants_it(method: bytes) -> None:
    got = exchange(
        echo,
        method + b" / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n",
        quiet=UNTIL_THE_END,
    )
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in got
    assert got.endswith(END)


def test_other_expectations_fail() -> None:
    got = exchange(echo, b"GET / HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 417 Expectation Failed")
    assert got.endswith(END)


@pytest.mark.parametrize("length", [b"3", b"0"])
def test_nobody_is_told_to_continue_who_does_not_know_the_word_or_has_nothing_to_send(length: bytes) -> None:
    lines = b"Expect: 100-continue\r\nContent-Length: " + length + b"\r\n\r\n"
    body = b"abc"[: int(length)]
    assert exchange(echo, b"PUT / HTTP/1.0\r\n" + lines + body).startswith(b"HTTP/1.0 200 OK")
    got = exchange(echo, b"PUT / HTTP/1.1\r\nHost: x\r\n" + lines + body)
    assert got.startswith(b"HTTP/1.1 100 Continue" if length == b"3" else b"HTTP/1.1 200 OK")


def plain(request: Request) -> Reply:
    """As etcd's handlers: what has a body says of what type. Beyond /read it wants the body."""
    headers = (("Content-Type", "text/plain"), ("X-Target", request.target.decode()))
    if request.target.startswith(b"/read"):
        return ReadBody(1000, lambda body: Response(201, headers, body.data or body.fault.encode()))
    return Response(200, headers, request.method.encode())


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK|GET"),
        (b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK|"),
        (
            b"GET /a HTTP/1.1\r\nhost: x\r\nCONNECTION: Close\r\n\r\n",
            b"HTTP/1.1 200 OK|Connection: close|GET",
        ),
        (b"GET /a HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK|GET"),
        (
            b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"HTTP/1.0 200 OK|Connection: keep-alive|GET",
        ),
        (b"PUT /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 201 Created|hi"),
    ],
)
def test_answers_are_those_of_go_to_the_byte(sent: bytes, answered: bytes) -> None:
    status, *connection, body = answered.split(b"|")
    size = len("HEAD") if b"HEAD" in sent else len(body)
    lines = [
        status,
        b"Content-Type: text/plain",
        b"X-Target: " + sent.split()[1],
        b"Date: ...",
        b"Content-Length: %d" % size,
        *connection,
        b"",
        body,
    ]
    got = exchange(plain, sent)
    closes = b"Close" in sent or (b"1.0" in sent and not connection)
    assert without_date(got) == b"\r\n".join(lines) + (END if closes else b"")


def without_date(answers: bytes) -> bytes:
    return re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"Date: ...\r\n", answers)


def test_a_stream_has_the_head_of_go() -> None:
    def handler(request: Request) -> Response:
        stream = Ticking()
        stream.endless = False
        return Response(200, (("Content-Type", "text/plain"),), stream=stream)

    head = b"GET / HTTP/1.%d\r\nHost: x\r\n%b\r\n"
    common = b"200 OK\r\nContent-Type: text/plain\r\nDate: ...\r\n"
    chunks = b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"
    for minor, sent, answered in (
        (1, b"", b"HTTP/1.1 " + common + b"Transfer-Encoding: chunked\r\n\r\n" + chunks),
        (
            1,
            b"Connection: close\r\n",
            b"HTTP/1.1 " + common + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + END,
        ),
        (0, b"", b"HTTP/1.0 " + common + b"\r\none\ntwo\n" + END),
        (0, b"Connection: keep-alive\r\n", b"HTTP/1.0 " + common + b"\r\none\ntwo\n" + END),
    ):
        assert without_date(exchange(handler, head % (minor, sent))) == answered


def test_answers_come_in_the_order_of_the_requests_however_long_each_takes() -> None:
    async def later(seconds: float, body: bytes) -> Response:
        await asyncio.sleep(seconds)
        return Response(200, (), body)

    seen = []

    def handler(request: Request) -> Reply:
        seen.append(request.target)
        name = request.target[1:]
        if name == b"stream":
            stream = Ticking()
            stream.endless = False
            return Response(200, stream=stream)
        if name.startswith(b"slow"):
            return later(0.05, name)
        return Response(200, (), name)

    names = [b"a", b"slow1", b"b", b"stream", b"c", b"slow2", b"slow3", b"d"]
    got = exchange(handler, b"".join(ONE.replace(b"/", b"/" + name, 1) for name in names))
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in got.split(b"HTTP/1.1 200 OK")[1:]]
    chunks = b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"
    assert bodies == [b"a", b"slow1", b"b", chunks, b"c", b"slow2", b"slow3", b"d"]
    assert seen == [b"/" + name for name in names]


def test_a_client_that_does_not_read_is_waited_for() -> None:
    asked = 0

    def handler(request: Request) -> Response:
        nonlocal asked
        asked += 1
        return Response(200, (), b"x" * 100_000)

    async def body() -> None:
        sock = listen("http://127.0.0.1:0")
        serving = await serve(handler, [Listening(sock, None)])
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1], limit=1 << 18)
        writer.write(ONE * 1000)
        while True:  # until it stands still
            before = asked
            await turns(QUIET)
            if asked == before:
                break
        assert asked < 500  # more than what buffers of the system hold is not made
        for _ in range(1000):
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), PATIENCE)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert answer.count(b"x") == 100_000
        writer.close()
        await serving.cleanup()

    run(body())
    assert asked == 1000


def test_a_client_that_sends_ahead_is_slowed_down() -> None:
    answered = asyncio.Event()

    async def wait() -> Response:
        await answered.wait()
        return Response(200)

    async def body() -> int:
        sock = listen("http://127.0.0.1:0")
        serving = await serve(lambda _: wait(), [Listening(sock, None)])
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        sent = 0
        try:
            while sent < 100_000_000:
                writer.write(ONE * 10_000)
                drained = asyncio.ensure_future(writer.drain())
                for _ in range(2 * QUIET):
                    await asyncio.wait((drained,), timeout=TURN)
                if not drained.done():
                    break
                sent += 10_000 * len(ONE)
        finally:
            drained.cancel()
        answered.set()
        for _ in range(1000):  # it goes on then
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        writer.close()
        await serving.cleanup()
        return sent

    assert run(body()) < 50_000_000


def test_stopping_lets_requests_under_way_finish_and_closes_the_others() -> None:
    async def slow() -> Response:
        await turns(20)
        return Response(200, (), b"slow")

    def handler(request: Request) -> Reply:
        if request.target == b"/stream":
            return Response(200, stream=stream)
        return slow() if request.target == b"/slow" else Response(200, (), b"quick")

    stream = Ticking()

    async def body() -> list[bytes]:
        sock = listen("http://127.0.0.1:0")
        serving = await serve(handler, [Listening(sock, None)])
        connections = []
        for target in (b"/quick", b"/slow", b"/stream", b""):
            connections.append(await asyncio.open_connection("127.0.0.1", sock.getsockname()[1]))
            if target:
                connections[-1][1].write(ONE.replace(b"/", target, 1))
        await turns(10)
        await serving.cleanup()
        answers = [await asyncio.wait_for(reader.read(), PATIENCE) for reader, _ in connections]
        for _, writer in connections:
            writer.close()
        return answers

    quick, slow_one, streamed, nothing = run(body())
    assert quick.endswith(b"quick")
    assert slow_one.endswith(b"slow")
    assert streamed.endswith(b"two\n\r\n")
    assert nothing == b""
    assert stream.closed.is_set()


def test_an_idle_connection_and_an_unfinished_head_are_let_go() -> None:
    brief = Limits(idle=0.05, body=0.05)
    assert exchange(echo, b"GET / HTTP/1.1\r\nHo", quiet=UNTIL_THE_END, limits=brief) == END
    assert exchange(echo, b"GET /", quiet=UNTIL_THE_END, limits=brief) == END
    assert exchange(echo, ONE, quiet=UNTIL_THE_END, limits=brief).endswith(END)
    cut = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
    got = exchange(echo, cut, quiet=UNTIL_THE_END, limits=brief)
    assert b"\r\n\r\ni/o timeout" in got
    assert got.endswith(END)


@pytest.mark.parametrize(
    ("size", "framing"), [(2048, b"Content-Length: 2048"), (2049, b"Transfer-Encoding: chunked")]
)
def test_only_a_short_answer_tells_its_length(size: int, framing: bytes) -> None:
    got = exchange(lambda request: Response(200, (), b"x" * size), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    lines = [
        line for line in head.split(b"\r\n") if line.startswith((b"Content-Length", b"Transfer-Encoding"))
    ]
    assert lines == [framing]
    assert body == (b"x" * size if size == 2048 else b"801\r\n" + b"x" * size + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_a_long_answer_whose_handler_tells_its_length_is_not_in_chunks(method: bytes) -> None:
    response = Response(200, (("Content-Length", "5000"),), b"x" * 5000)
    got = exchange(lambda request: response, method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.count(b"Content-Length: 5000") == 1
    assert b"Transfer-Encoding" not in head
    assert body == (b"x" * 5000 if method == b"GET" else b"")


def test_a_head_whose_answer_has_no_body_tells_no_length() -> None:
    got = exchange(lambda request: Response(301, (("Location", "/"),)), b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Location: /\r\n" in got
    assert b"Content-Length" not in got


def test_bytes_beyond_ascii_reach_the_handler_escaped_in_lower_case_as_a_redirect_shows_them() -> None:
    targets = []

    def note(request: Request) -> Reply:
        targets.append(request.target)
        return Response(200)

    exchange(note, b"GET /a?b=\xd9\xa1 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert targets == [b"/a?b=%d9%a1"]


UPGRADE = b"Connection: Upgrade\r\nUpgrade: %b\r\n"


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_an_upgrade_is_passed_over_and_what_stands_behind_it_is_served(protocol: bytes) -> None:
    head = b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n" + UPGRADE % protocol + b"\r\n"
    got = exchange(echo, head + b"abc" + b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    assert re.findall(b"X-Target: (.*)\r\n", got) == [b"/a", b"/b"]
    assert b"\r\n\r\nabcHTTP/1.1 200 OK\r\n" in got
    assert not got.endswith(END)


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_behind_an_upgrade_in_pieces_nothing_is_swallowed_in_silence(protocol: bytes) -> None:
    one = b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n"
    rest = b"rade: " + protocol + b"\r\nConnection: upgrade\r\n\r\n"
    got = exchange(echo, b"GET /a HTTP/1.1\r\nHost: x\r\nUpg", rest + one)
    assert got.count(b"HTTP/1.1 200 OK") == 2


def test_what_is_said_to_a_proxy_is_not_heeded() -> None:
    one = b"GET / HTTP/1.1\r\nHost: x\r\nProxy-Connection: close\r\n\r\n"
    got = exchange(echo, one, one)
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert not got.endswith(END)


@pytest.mark.parametrize("half_close", [True, False])
def test_an_answer_that_may_never_come_is_given_up_when_the_client_sends_no_more(half_close: bool) -> None:
    given_up = asyncio.Event()

    async def wait_for_ever() -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        raise AssertionError("for ever is over")

    async def heard() -> None:
        await given_up.wait()

    def handler(_: Request) -> Reply:
        return UntilGone(wait_for_ever())

    got = exchange(handler, ONE, half_close=half_close, then=heard)
    assert got == (END if half_close else b"")


def test_an_answer_that_might_never_come_and_does_is_sent() -> None:
    async def soon() -> Response:
        await asyncio.sleep(0.01)
        return Response(200, (), b"here")

    assert exchange(lambda _: UntilGone(soon()), ONE, ONE).count(b"\r\n\r\nhere") == 2
