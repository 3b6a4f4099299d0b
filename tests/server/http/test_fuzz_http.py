"""Whatever bytes a client sends: answers, or a closed connection; nothing in the log, no request nobody made, no write.

Over real sockets: the client sends all it has, stops sending, and reads to the end.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest
import uvloop
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from server.api.client import ClientApi
from server.config import load
from server.http.messages import (
    Body,
    Handler,
    ReadBody,
    Reply,
    Request,
    Response,
)
from server.http.serving import Listening, Serving, serve
from server.listen import listen
from server.node import Node, open_member
from tests.support.asking import nobody
from tests.support.process import PATIENCE

T = TypeVar("T")

EXAMPLES = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Seen(NamedTuple):
    """A request as it reached the handler."""

    method: str
    target: bytes
    body: bytes
    fault: str


class Server:
    """Serves a handler; the client's side too."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.serving: Serving
        self.port: int

    def run(self, body: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(body)

    async def listen(self, handler: Handler) -> None:
        sock = listen("http://127.0.0.1:0")
        self.port = sock.getsockname()[1]
        self.serving = await serve(handler, [Listening(sock, None)])

    async def send(self, pieces: list[bytes]) -> bytes:
        """All that comes back until the connection ends."""
        return await asyncio.wait_for(self._send(pieces), PATIENCE)

    async def _send(self, pieces: list[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        got = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                if len(pieces) > 1:
                    await asyncio.sleep(0)
            writer.write_eof()
            while piece := await reader.read(1 << 16):
                got += piece
        except ConnectionError:
            pass  # one way to refuse
        finally:
            writer.close()
        return got

    def close(self) -> None:
        self.run(self.serving.cleanup())
        self.runner.close()


@pytest.fixture
def server(caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    caplog.set_level(logging.INFO)
    server = Server()
    yield server
    server.close()
    told = [record for record in caplog.get_records("call") if record.name != "asyncio"]
    assert [record.getMessage() for record in told if "speaks TLS" not in record.getMessage()] == []


def noting(seen: list[Seen]) -> Handler:
    """Notes each request; wants the bodies of PUT, and refuses long ones."""

    def handle(request: Request) -> Reply:
        def answer(body: Body) -> Response:
            seen.append(Seen(request.method, request.target, body.data, body.fault))
            return Response(200, (("Content-Type", "text/plain"),), request.target)

        return ReadBody(100, answer) if request.method == "PUT" else answer(Body(b""))

    return handle


class Sent(NamedTuple):
    """A well-formed request, and what has to reach the handler."""

    data: bytes
    seen: Seen


targets = st.sampled_from([b"/", b"/a", b"/a?b=%zz&c", b"/a//b/../%2f", b"/" + b"k" * 300])
# Bodies that would be requests if their framing were misread.
bodies = st.sampled_from(
    [
        b"",
        b"value=1",
        b"\r\n",
        b"\r\n\r\n0\r\n\r\n",
        b"PUT /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
)
lines = st.lists(
    st.sampled_from(
        [
            b"Accept: */*",
            b"X-A:",
            b"x-b:\t y ",
            b"Authorization: Basic eA==",
            b"Connection: keep-alive",
            b"X: \xff",
        ]
    ),
    max_size=3,
    unique=True,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"]))
    target, body, more = draw(targets), draw(bodies), draw(lines)
    host = draw(st.sampled_from([b"Host: x\r\n", b"host:127.0.0.1:1\r\n"]))
    framing = b""
    if body or method == "PUT":
        framing, data = b"Content-Length: %d\r\n" % len(body), body
        if draw(st.booleans()):
            cut = draw(st.integers(0, len(body)))
            chunks = [piece for piece in (body[:cut], body[cut:]) if piece]
            framing = b"Transfer-Encoding: chunked\r\n"
            data = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in chunks) + b"0\r\n\r\n"
    else:
        data = b""
    head = b"%s %s HTTP/1.1\r\n%s%s%s\r\n" % (method.encode(), target, host, more, framing)
    return Sent(head + data, Seen(method, target, body if method == "PUT" else b"", ""))


def cut(data: bytes, chance: Random) -> list[bytes]:
    """In pieces of any size."""
    places = sorted(chance.sample(range(len(data) + 1), min(len(data), chance.choice((0, 1, 3, 10)))))
    ends = [*places, len(data)]
    return [data[a:b] for a, b in zip([0, *places], ends, strict=True) if a < b]


STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def check_answers(got: bytes, asked: list[Sent]) -> None:
    """As many answers as requests, in their order, each of the length it says."""
    for sent in asked:
        head, end, got = got.partition(b"\r\n\r\n")
        assert end
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        size = re.search(rb"\r\nContent-Length: (\d+)", head)
        assert size is not None
        length = 0 if sent.seen.method == "HEAD" else int(size[1])
        assert got[:length] == (b"" if sent.seen.method == "HEAD" else sent.seen.target)
        got = got[length:]
    assert got == b""


def test_requests_are_what_they_are_in_whatever_pieces_they_come(server: Server) -> None:
    seen: list[Seen] = []
    server.run(server.listen(noting(seen)))

    @EXAMPLES
    @given(st.lists(requests(), max_size=6), st.randoms(use_true_random=False))
    def check(asked: list[Sent], chance: Random) -> None:
        seen.clear()
        got = server.run(server.send(cut(b"".join(sent.data for sent in asked), chance)))
        assert seen == [sent.seen for sent in asked]
        check_answers(got, asked)

    check()


def broken(good: bytes, chance: Random) -> tuple[int, bytes]:
    """The bytes with something wrong in them, and where it begins."""
    at = chance.randrange(len(good) + 1)
    match chance.randrange(6):
        case 0:
            return at, good[:at]
        case 1:
            return at, good[:at] + chance.randbytes(chance.randrange(1, 9)) + good[at:]
        case 2:
            return at, good[:at] + good[at + chance.randrange(1, 9) :]
        case 3:
            junk = (
                b"\r\n",
                b"\n",
                b"\r",
                b"\0",
                b" ",
                b"\t",
                b":",
                b"\xff",
                b"%",
                b"\x16\x03\x01",
                b"HTTP/1.1",
            )
            return at, good[:at] + chance.choice(junk) + good[at:]
        case 4:
            lines = (
                b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n",
                b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Transfer-Encoding: \r\n",
                b"Expect: 100-continue\r\n", b"Expect: \xff\r\n", b"Connection: close\r\n", b"Host: y\r\n",
                b"Connection: upgrade\r\nUpgrade: h2c\r\n", b" folded\r\n", b"no colon\r\n", b": no name\r\n",
                b"X: " + b"y" * 100_000 + b"\r\n", b"X: y\r\n" * 3_000,
            )  # fmt: skip
            end = good.find(b"\r\n", at) + 2
            return (end, good[:end] + chance.choice(lines) + good[end:]) if end >= 2 else (at, good[:at])
        case _:
            return at, good[:at] + chance.randbytes(chance.choice((1, 10, 5_000)))


def test_broken_requests_are_refused_and_change_nothing_before_them(server: Server) -> None:
    seen: list[Seen] = []
    server.run(server.listen(noting(seen)))

    @EXAMPLES
    @given(st.lists(requests(), min_size=1, max_size=4), st.randoms(use_true_random=False))
    def check(asked: list[Sent], chance: Random) -> None:
        seen.clear()
        at, data = broken(b"".join(sent.data for sent in asked), chance)
        got = server.run(server.send(cut(data, chance)))
        whole, end = 0, 0
        for sent in asked:
            end += len(sent.data)
            whole += end <= at
        assert seen[:whole] == [sent.seen for sent in asked[:whole]]
        assert got == b"" or STATUS.match(got)
        assert all(int(status) in (100, 200, 400, 417, 431, 501) for status in STATUS.findall(got))

    check()


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_noise_is_refused(server: Server, size: int) -> None:
    seen: list[Seen] = []
    server.run(server.listen(noting(seen)))
    for seed in range(30):
        chance = Random(seed)
        got = server.run(server.send(cut(chance.randbytes(size), chance)))
        assert got == b"" or got.startswith(b"HTTP/1.1 4")
    assert seen == []


# Against a member


@pytest.fixture
def node(tmp_path: Path) -> Callable[[], Coroutine[Any, Any, Node]]:
    async def start() -> Node:
        url = "http://127.0.0.1:24201"
        settings = load(
            {
                "name": "a",
                "data-dir": str(tmp_path / "d"),
                "advertise-client-urls": url,
                "initial-advertise-peer-urls": url,
                "initial-cluster": f"a={url}",
            }
        )
        started = open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))
        node = Node(started, heartbeat=0.05, request_timeout=PATIENCE, snapshot_count=10000)
        await node.start()
        while node.members.version is None:
            await asyncio.sleep(0.001)
        return node

    return start


texts = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            b"%",
            b"%zz",
            b"%C3%28",
            b"\xc3(",
            b"%00",
            b"..",
            b"a/../../b",
            b"//",
            b"+",
            b";",
            b"&&=",
            b"%2e%2e",
            b"_x",
        ]
    ),
    st.text("abc/%=&;+.", max_size=20).map(str.encode),
)
pairs = st.builds(
    lambda name, value: name + b"=" + value,
    st.sampled_from(
        b"value prevValue prevIndex prevExist ttl dir refresh recursive sorted waitIndex quorum \xff val%75e".split()
    ),
    st.one_of(
        texts, st.sampled_from([b"", b"0", b"1", b"true", b"false", b"-1", b"18446744073709551616", b"4"])
    ),
)
WRITES = ("set", "create", "update", "delete", "compareAndSwap", "compareAndDelete")


@st.composite
def keys_requests(draw: st.DrawFn) -> tuple[str, bytes]:
    method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]))
    target = b"/v2/keys/" + draw(texts).replace(b" ", b"").replace(b"\n", b"").replace(b"\r", b"")
    query = b"&".join(draw(st.lists(pairs, max_size=2))).translate(None, b" \r\n\t\0")
    body = b"&".join(draw(st.lists(pairs, max_size=3)))
    kind = draw(
        st.sampled_from([b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; a", b"x"])
    )
    head = b"%s %s?%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return method, head % (method.encode(), target, query, kind, len(body)) + body


def test_only_a_write_that_is_answered_so_moves_the_index(
    node: Callable[[], Coroutine[Any, Any, Node]], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    member = server.run(node())
    server.run(server.listen(ClientApi(member).handle))
    caplog.clear()
    caplog.set_level(logging.INFO)

    @EXAMPLES
    @given(keys_requests(), st.randoms(use_true_random=False))
    @example(("PUT", b"PUT /v2/keys/a?%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), Random(0))
    def check(asked: tuple[str, bytes], chance: Random) -> None:
        method, data = asked
        before = member.store.index
        got = server.run(server.send(cut(data, chance)))
        moved = member.store.index - before
        head, _, body = got.partition(b"\r\n\r\n")
        status = STATUS.match(head)
        if status is None or method in ("GET", "HEAD"):  # none if it was refused while it was being sent
            assert (moved, got == b"") == (0, status is None)
        elif status[1] not in (b"200", b"201"):
            assert status[1] in (b"301", b"400", b"403", b"404", b"412")
            assert moved == 0
        elif not head.endswith(b"Transfer-Encoding: chunked"):
            assert json.loads(body)["action"] in WRITES
            assert moved == 1

    check()
    server.run(member.stop())
    server.close()
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []
