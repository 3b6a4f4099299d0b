"""Requests through the proxy, over sockets: to which member they go, what comes back, and who hears of whose end."""

import asyncio
import logging

import pytest

from server.http.messages import Response
from server.proxy.connection import Timeouts
from server.proxy.exchange import Exchange
from tests.server.proxy.scripted import NAME, Scripted, nobody, proxy, run, time_passes
from tests.support.process import PATIENCE


def test_requests_and_answers_pass_and_connections_are_kept() -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            assert await client.ask("GET", "/v2/keys/a%2Fb?recursive=true") == (200, b"[]")
            assert await client.ask("PUT", "/v2/keys/a", b"value=1", "Authorization: Basic eDp5") == (
                200,
                b"[value=1]",
            )
            assert await client.ask("DELETE", "/v2/keys/a") == (200, b"[]")
        assert member.seen[0].startswith(b"GET /v2/keys/a%2Fb?recursive=true HTTP/1.1\r\n")
        assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in member.seen[0]
        assert b"\r\nAuthorization: Basic eDp5\r\n" in member.seen[1]
        assert member.connections == 1

    run(test)


def test_a_body_in_chunks_reaches_the_member_whole() -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("PUT", "/v2/keys/a", b"", "Transfer-Encoding: chunked")
            client.writer.write(b"5\r\nvalue\r\n2\r\n=1\r\n0\r\n\r\n")
            assert await client.answer() == (200, b"[value=1]")

    run(test)


def test_statuses_and_headers_of_members_pass() -> None:
    async def test() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await member.next(reader)
                writer.write(
                    member.answer(
                        b"no",
                        "X-Etcd-Index: 9",
                        "Connection: close, X-Hop",
                        "X-Hop: 1",
                        status="412 Precondition Failed",
                    )
                )

        member = Scripted(script)
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("GET")
            head = await client.head()
            assert head.startswith("HTTP/1.1 412 Precondition Failed\r\n")
            assert "X-Etcd-Index: 9\r\n" in head
            assert "X-Hop" not in head
            assert "close" not in head
            assert await client.reader.readexactly(2) == b"no"
            client.send("GET")
            await client.head()
        assert member.connections == 2

    run(test)


def test_head_requests_have_the_length_and_no_body() -> None:
    async def test() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await member.next(reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 84\r\n\r\n")

        member = Scripted(script)
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            for _ in range(2):
                client.send("HEAD")
                assert "Content-Length: 84\r\n" in await client.head()
        assert member.connections == 1

    run(test)


def test_an_answer_without_a_body_tells_no_length() -> None:
    async def test() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await member.next(reader)
                writer.write(b"HTTP/1.1 204 No Content\r\nX-Etcd-Cluster-Id: 1\r\n\r\n")

        member = Scripted(script)
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            for _ in range(2):
                client.send("DELETE", "/v2/members/1")
                head = await client.head()
                assert head.startswith("HTTP/1.1 204 No Content\r\nX-Etcd-Cluster-Id: 1\r\n")
                assert "Content-Length" not in head
        assert member.connections == 1

    run(test)


@pytest.mark.parametrize(
    "line", ["HTTP/1.0\r\nHost: h", "HTTP/1.1\r\nHost: h\r\nConnection: close"], ids=["1.0", "close"]
)
def test_a_client_that_keeps_no_connection_gets_its_answer_and_the_members_connection_is_kept(
    line: str,
) -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url) as proxied:
            for _ in range(2):
                client = await proxied.client()
                client.writer.write(f"GET /v2/keys/a {line}\r\n\r\n".encode())
                answer = (await asyncio.wait_for(client.reader.read(), PATIENCE)).decode()
                assert answer.startswith(f"{line[:8]} 200 OK\r\n")
                assert "\r\nContent-Type: application/json\r\nX-Etcd-Index: 7\r\n" in answer
                assert answer.endswith("\r\n\r\n[]")
        assert member.connections == 1

    run(test)


def test_origins_are_told_as_configured() -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url, cors=("http://a.example",)) as proxied:
            for origin, told in (("http://a.example", True), ("http://b.example", False)):
                client = await proxied.client()
                client.send("GET", "/v2/keys/a", b"", f"Origin: {origin}")
                head = await client.head()
                assert (f"Access-Control-Allow-Origin: {origin}\r\n" in head) is told
                assert "X-Etcd-Index: 7\r\n" in head

    run(test)


def test_an_interim_answer_is_not_the_answer() -> None:
    async def test() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await member.next(reader)
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Cont")
            await asyncio.sleep(0.01)
            writer.write(b"inue\r\n\r\n" + member.answer(b"yes"))
            await reader.read()

        member = Scripted(script)
        await member.start()
        async with proxy(member.url) as proxied:
            assert await (await proxied.client()).ask("GET") == (200, b"yes")

    run(test)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_long_answers_pass_whole_and_are_not_held_in_memory(framing: str) -> None:
    async def test() -> None:
        body = bytes(range(256)) * 60_000
        head = {
            "length": b"Content-Length: %d\r\n\r\n" % len(body),
            "chunked": b"Transfer-Encoding: chunked\r\n\r\n",
            "close": b"\r\n",
        }[framing]
        sent = 0

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await member.next(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n" + head)
            for at in range(0, len(body), 64_000):
                piece = body[at : at + 64_000]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if framing == "chunked" else piece)
                await writer.drain()
                sent = at
            writer.write(b"0\r\n\r\n" if framing == "chunked" else b"")

        member = Scripted(script)
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("GET")
            await client.head()
            while await _grows(lambda: sent) or sent == 0:
                pass
            assert sent < len(body) - 64_000
            got = b""
            while piece := await client.chunk():
                got += piece
            assert got == body

    async def _grows(size: "object") -> bool:
        before = size()  # type: ignore[operator]
        await asyncio.sleep(0.05)
        return bool(size() != before)  # type: ignore[operator]

    run(test)


def test_a_request_goes_to_the_next_member_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        gone, member = nobody(), Scripted()
        await member.start()
        async with proxy(gone, member.url) as proxied:
            client = await proxied.client()
            assert await client.ask("PUT", "/v2/keys/a", b"value=1") == (200, b"[value=1]")
            assert proxied.director.available(proxied.exchanges.loop.time()) == [member.url]
            assert await client.ask("GET", "/v2/config/local/proxy") == (
                200,
                b'{"endpoints":["%s"]}\n' % member.url.encode(),
            )
        host = gone.removeprefix("http://")
        assert caplog.messages[:2] == [
            f"failed to direct request to {gone}: dial tcp {host}: connect: connection refused",
            f"marked endpoint {gone} unavailable",
        ]

    caplog.set_level(logging.INFO, "server.proxy")
    run(test)


def test_a_member_that_closes_without_an_answer_is_passed_over_by_reads_and_no_write_is_sent_twice() -> None:
    async def test() -> None:
        async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await faulty.next(reader)

        faulty, member = Scripted(hang_up), Scripted()
        await faulty.start()
        await member.start()
        async with proxy(faulty.url, member.url, failure_wait=0.0) as proxied:
            client = await proxied.client()
            assert await client.ask("GET") == (200, b"[]")
            expected = (502, b'{"message":"proxy: unable to get response from 1 endpoint(s)"}')
            assert await client.ask("PUT", "/v2/keys/a", b"value=1") == expected
            assert await client.ask("POST", "/v2/keys/a", b"value=1") == expected
        assert len(faulty.seen) == 3
        assert len(member.seen) == 1

    run(test)


def test_an_old_connection_that_was_closed_says_nothing_of_the_member() -> None:
    async def test() -> None:
        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await member.next(reader)
            writer.write(member.answer(b"yes"))
            await member.next(reader)  # and hang up on a second request

        member = Scripted(once)
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            assert [await client.ask("GET") for _ in range(3)] == [(200, b"yes")] * 3
            assert proxied.director.available(proxied.exchanges.loop.time()) == [member.url]

    run(test)


def test_without_any_endpoint_requests_are_answered_503() -> None:
    async def test() -> None:
        async with proxy() as proxied:
            client = await proxied.client()
            expected = (503, b'{"message":"proxy: zero endpoints currently available"}')
            assert await client.ask("GET") == expected
            assert await client.ask("PUT", "/v2/keys/a", b"value=1") == expected

    run(test)


def test_a_failed_member_is_tried_again_after_the_failure_wait(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        port = int(member.url.rpartition(":")[2])
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            await member.stop()
            assert [(await client.ask("GET"))[0] for _ in range(2)] == [502, 503]
            server = await asyncio.start_server(member._serve, "127.0.0.1", port)
            assert (await client.ask("GET"))[0] == 503
            time_passes(601)
            assert (await client.ask("GET"))[0] == 200
            server.close()
        assert f"endpoint {member.url} answers again" in caplog.messages

    caplog.set_level(logging.INFO, "server.proxy")
    run(test)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_a_failure_of_the_member(answer: bytes) -> None:
    async def test() -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await odd.next(reader)
            writer.write(answer)
            await reader.read()

        odd = Scripted(script)
        await odd.start()
        async with proxy(odd.url) as proxied:
            assert (await (await proxied.client()).ask("GET"))[0] == 502
        assert len(odd.seen) == 1

    run(test)


# Watches


async def watched(
    member: Scripted, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *pieces: bytes
) -> None:
    """Answers a request by a stream that never ends."""
    await member.next(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Etcd-Index: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in pieces:
        await asyncio.sleep(0.01)
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    await reader.read()


WATCH = "/v2/keys/a?wait=true&stream=true"


def test_the_head_of_a_watch_comes_before_any_event_and_events_as_they_come() -> None:
    async def test() -> None:
        member = Scripted(lambda reader, writer: watched(member, reader, writer, b"one", b"two"))
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("GET", WATCH)
            assert "X-Etcd-Index: 3\r\n" in await client.head()
            assert [await client.chunk() for _ in range(2)] == [b"one", b"two"]

    run(test)


@pytest.mark.parametrize("begun", [True, False], ids=["after the head", "before the head"])
def test_a_clients_end_is_the_end_of_what_it_asked_for(begun: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await member.next(reader)
            await reader.read()

        member = Scripted(
            (lambda reader, writer: watched(member, reader, writer, b"one")) if begun else silent
        )
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("GET", WATCH)
            if begun:
                await client.head()
            while not member.seen:
                await asyncio.sleep(0.01)
            client.writer.transport.abort()
            await asyncio.wait_for(member.closed.wait(), PATIENCE)
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    run(test)


def test_a_watch_whose_member_dies_is_cut_off_and_not_ended() -> None:
    async def test() -> None:
        member = Scripted(lambda reader, writer: watched(member, reader, writer, b"one"))
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.send("GET", WATCH)
            await client.head()
            assert await client.chunk() == b"one"
            await member.stop()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await client.chunk()

    run(test)


class _Stream:
    def __init__(self) -> None:
        self.closed = False

    def take(self) -> bytes:
        return b""

    def on_news(self, tell: object) -> None: ...

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_an_answer_that_comes_as_its_client_goes_is_ended(cancelled_first: bool) -> None:
    async def test() -> None:
        async with proxy(nobody()) as proxied:
            exchange = Exchange(proxied.exchanges, "GET", b"", [nobody()])
            waiting = asyncio.ensure_future(exchange)
            await asyncio.sleep(0)
            stream = _Stream()
            if cancelled_first:
                waiting.cancel()
            exchange.answered(Response(200, stream=stream))
            if not cancelled_first:
                waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert stream.closed

    run(test)


# Time limits


def test_a_member_that_says_nothing_for_the_read_timeout_has_failed() -> None:
    async def test() -> None:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await slow.next(reader)
            await reader.read()

        slow, member = Scripted(silent), Scripted()
        await slow.start()
        await member.start()
        async with proxy(slow.url, member.url, timeouts=Timeouts(PATIENCE, PATIENCE, PATIENCE)) as proxied:
            client = await proxied.client()
            client.send("GET")
            while not slow.seen:
                await asyncio.sleep(0.01)
            time_passes(PATIENCE)
            assert await client.answer() == (200, b"[]")
        assert len(slow.seen) == 1

    run(test)


def test_a_member_that_takes_nothing_for_the_write_timeout_has_failed() -> None:
    async def test() -> None:
        async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await gone.wait()

        gone = asyncio.Event()
        member = Scripted(deaf)
        await member.start()
        async with proxy(member.url, timeouts=Timeouts(PATIENCE, 0.1, 0.0)) as proxied:
            status, _ = await (await proxied.client()).ask("PUT", "/v2/keys/a", b"x" * (16 << 20))
            assert status == 502
        gone.set()

    run(test)


# The proxy's own answers


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("GET", 200),
        ("HEAD", 200),
        ("PUT", 501),
        ("POST", 501),
        ("DELETE", 501),
        ("OPTIONS", 501),
        ("PATCH", 501),
    ],
)
def test_readonly_lets_only_reads_through(method: str, status: int) -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url, readonly=True) as proxied:
            for target in ("/v2/keys/a", "/v2/members"):
                client = await proxied.client()
                client.send(method, target)
                assert (await client.head()).split()[1] == str(status)
        assert len(member.seen) == (2 if status == 200 else 0)

    run(test)


def test_its_endpoints_are_shown_and_nothing_else_below_that_path_is_its_own() -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            shown = b'{"endpoints":["%s"]}\n' % member.url.encode()
            assert await client.ask("GET", "/v2/config/local/proxy?x=1") == (200, shown)
            assert await client.ask("PUT", "/v2/config/local/proxy") == (405, b"Method Not Allowed\n")
            assert await client.ask("GET", "/v2/config/local/proxy/x") == (200, b"[]")
            status, numbers = await client.ask("GET", "/metrics")
            assert (status, b'etcd_proxy_handled_total{code="200",method="GET"} 1.0' in numbers) == (
                200,
                True,
            )

    run(test)


def test_a_request_that_comes_round_is_refused_and_its_way_left(caplog: pytest.LogCaptureFixture) -> None:
    """An endpoint that leads back to the proxy by a way that cannot be seen beforehand: here by another proxy."""

    async def test() -> None:
        member = Scripted()
        await member.start()

        async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, here = await asyncio.open_connection("127.0.0.1", proxied.port)
            here.write(await roundabout.next(reader))
            writer.write(await there.readuntil(b"\r\n\r\n"))
            writer.write(await there.readuntil(b"}"))
            here.close()

        roundabout = Scripted(back)
        await roundabout.start()
        async with proxy(roundabout.url, member.url) as proxied:
            client = await proxied.client()
            assert await client.ask("PUT", "/v2/keys/a", b"value=1") == (200, b"[value=1]")
            assert await client.ask("PUT", "/v2/keys/a", b"value=1") == (200, b"[value=1]")
        assert len(roundabout.seen) == 1
        assert f"Via: 1.1 {NAME}\r\n".encode() in roundabout.seen[0]
        assert f"endpoint {roundabout.url} leads back to this proxy" in caplog.text

    run(test)


def test_a_request_that_only_comes_round_is_answered_508() -> None:
    async def test() -> None:
        async with proxy(nobody()) as proxied:
            client = await proxied.client()
            assert (await client.ask("GET", "/v2/keys/a", b"", f"Via: 1.1 {NAME}"))[0] == 508

    run(test)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET foo HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("OPTIONS * HTTP/1.1", 200),
        ("OPTIONS /v2/keys/a HTTP/1.1", 200),
        ("CONNECT other:1 HTTP/1.1", 404),
        ("GET http://other:1/v2/keys/a HTTP/1.1", 200),
        ("GET http://other:1/v2/config/local/proxy HTTP/1.1", 200),
        ("GET /%zz HTTP/1.1", 400),
    ],
)
def test_odd_targets_are_answered_or_go_on_but_are_no_fault(
    line: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        member = Scripted()
        await member.start()
        async with proxy(member.url) as proxied:
            client = await proxied.client()
            client.writer.write(f"{line}\r\nHost: h\r\n\r\n".encode())
            assert int((await client.head()).split()[1]) == status
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    run(test)
