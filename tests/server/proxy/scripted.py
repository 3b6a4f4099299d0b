"""Members that answer as told, a proxy before them, and its clients: all in one loop, over real sockets."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import NamedTuple

from server.http.cors import cors_headers
from server.http.serving import Listening, serve
from server.listen import listen
from server.mergelogger import MergeLogger
from server.proxy.connection import Timeouts
from server.proxy.dial import Dial
from server.proxy.director import Director
from server.proxy.exchange import Exchanges
from server.proxy.handler import ProxyHandler
from server.proxy.metrics import ProxyMetrics
from server.proxy.requests import RequestHeads
from server.proxy.upstream import Upstream
from tests.support.ports import free_ports
from tests.support.process import PATIENCE

NAME = "proxy-under-test"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """A request with its body, by its Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


class Scripted:
    """A member that takes requests, one per entry in ``seen``, and has ``script`` see to each connection."""

    def __init__(self, script: Script | None = None) -> None:
        self.seen: list[bytes] = []
        self.connections = 0
        self.open: set[asyncio.StreamWriter] = set()
        self.closed = asyncio.Event()
        self.url = ""
        self._script = script or self._answer_all
        self._server: asyncio.Server

    def answer(self, body: bytes, *lines: str, status: str = "200 OK") -> bytes:
        """An answer with its length."""
        head = "\r\n".join((f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""))
        return head.encode() + body

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Nobody listens there any more, and whoever is connected is cut off."""
        self._server.close()
        for writer in list(self.open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def next(self, reader: asyncio.StreamReader) -> bytes:
        request = await request_of(reader)
        self.seen.append(request)
        return request

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        try:
            await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            self.closed.set()
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await self.next(reader)
            body = request.partition(b"\r\n\r\n")[2]
            writer.write(self.answer(b"[" + body + b"]", "Content-Type: application/json", "X-Etcd-Index: 7"))


class Client:
    """One connection to the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, method: str, target: str = "/v2/keys/a", body: bytes = b"", *lines: str) -> None:
        size = (f"Content-Length: {len(body)}",) if body else ()
        head = "\r\n".join((f"{method} {target} HTTP/1.1", "Host: h", *lines, *size, "", ""))
        self.writer.write(head.encode() + body)

    async def head(self) -> str:
        return (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode()

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of an answer with a length or in chunks."""
        head = (await self.head()).lower()
        status = int(head.split()[1])
        if "transfer-encoding: chunked" in head:
            body = b""
            while piece := await self.chunk():
                body += piece
            return status, body
        length = int(head.partition("content-length: ")[2].split()[0])
        return status, await self.reader.readexactly(length)

    async def chunk(self) -> bytes:
        """The next one; empty for the last. Raises IncompleteReadError if it does not come."""
        size = int(await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE), 16)
        piece = await self.reader.readexactly(size + 2)
        return piece[:-2]

    async def ask(
        self, method: str, target: str = "/v2/keys/a", body: bytes = b"", *lines: str
    ) -> tuple[int, bytes]:
        self.send(method, target, body, *lines)
        return await self.answer()


class Proxied(NamedTuple):
    """A proxy that serves at ``port``."""

    port: int
    director: Director
    exchanges: Exchanges

    async def client(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))


@contextlib.asynccontextmanager
async def proxy(
    *endpoints: str,
    readonly: bool = False,
    timeouts: Timeouts = Timeouts(PATIENCE, PATIENCE, 0.0),  # noqa: B008 (a tuple)
    failure_wait: float = 600.0,
    cors: tuple[str, ...] = (),
) -> AsyncIterator[Proxied]:
    """A proxy that knows these endpoints, the first one first."""
    upstream = Upstream(timeouts)
    director = Director(_NoRandom(), failure_wait)
    director.update(endpoints)
    exchanges = Exchanges(
        director,
        upstream,
        Dial(upstream, None),
        ProxyMetrics(),
        MergeLogger(60.0, upstream.loop),
        lambda: None,
    )
    handler = ProxyHandler(exchanges, RequestHeads(NAME), readonly=readonly)
    sock = listen("http://127.0.0.1:0")
    allowed = (lambda origin: cors_headers(cors, origin)) if cors else None
    serving = await serve(handler.handle, [Listening(sock, None)], allowed)
    try:
        yield Proxied(sock.getsockname()[1], director, exchanges)
    finally:
        await serving.cleanup()
        exchanges.close()
        upstream.close()


class _NoRandom(Random):
    """Leaves lists as they are."""

    def shuffle(self, x: object) -> None: ...


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Runs a test; in it ``time_passes``."""

    async def limited() -> None:
        await asyncio.wait_for(test(), 100 * PATIENCE)  # by a clock that is put forward

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(limited())


class _Loop(asyncio.SelectorEventLoop):
    put_forward = 0.0

    def time(self) -> float:
        return super().time() + self.put_forward


def time_passes(seconds: float) -> None:
    """Puts the loop's clock forward: so time-outs can be longer than any delay by a busy machine, and are over all the
    same when a test wants it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop.put_forward += seconds


def nobody() -> str:
    """A URL where nobody listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"
