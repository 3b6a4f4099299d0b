"""Long answers over real sockets: whole, of one moment, made no faster than they are read;
and who does not read them holds nobody up, nor for ever."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.api import listings, rendering
from server.api.client import ClientApi
from server.http.messages import BrokenOff, DeferredResponse
from server.http.messages import Request as HttpRequest
from server.http.serving import Listening, Serving
from server.http.serving import serve as serve_http
from server.storage.requests import StoreRequest
from server.store import EtcdError, Event
from server.store.gojson import SLICE, encode_event
from tests.support import served

KEYS = 6_000
VALUE = b"v" * 1000
"""Six megabytes in all: more than a system keeps for a client that does not read."""
MOST_UNREAD = 6 << 20
"""Bytes that may be on their way to a client that does not read: what the system keeps for both ends, and a piece."""


class Long:
    """A member with a directory ``/d`` that is long to list, and its client port."""

    def __init__(self, member: served.Served, api: ClientApi, port: int, serving: Serving) -> None:
        self.node, self.api, self.port, self._serving = member.node, api, port, serving

    def connections(self) -> int:
        return len(self._serving._common.connections)

    async def connect(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)
        writer.write(request)
        return reader, writer

    async def ask(self, request: bytes, *, ends: bool = False) -> tuple[bytes, bytes]:
        """The head and the body of the answer on a connection of its own; ``ends`` stops sending behind the request."""
        reader, writer = await self.connect(request)
        if ends:
            writer.write_eof()
        head, body = await answer(reader, is_head=request.startswith(b"HEAD"))
        writer.close()
        return head, body

    async def ask_and_never_read(self, request: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(sock, request)
        return sock

    def listing(self, path: str = "/1/d", *, recursive: bool = False, in_order: bool = False) -> bytes:
        event = self.node.store.look(path, recursive, in_order, now=self.node.clock())
        return (encode_event(event, "/1") + "\n").encode()

    @property
    def held(self) -> int:
        return len(self.api._listings._held)


async def answer(reader: asyncio.StreamReader, *, is_head: bool = False) -> tuple[bytes, bytes]:
    """Raises IncompleteReadError when it breaks off."""
    head = await reader.readuntil(b"\r\n\r\n")
    if is_head:
        return head, b""
    if length := re.search(rb"Content-Length: (\d+)", head):
        return head, await reader.readexactly(int(length[1]))
    if b"Transfer-Encoding: chunked" not in head:
        return head, await reader.read()
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return head, b"".join(pieces)


def get(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} /v2/keys{target} HTTP/{version}", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


Test = Callable[[Long], Awaitable[None]]


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., None]:
    def run(test: Test, *, keys: int = KEYS, value: bytes = VALUE, legacy: bool = False) -> None:
        async def body(member: served.Served) -> None:
            for n in range(keys):
                member.node.store.set(f"/1/d/{n * 7919 % keys:05d}", value, now=0)
            api = ClientApi(member.node, legacy=legacy)
            sock = socket.create_server(("127.0.0.1", 0))
            sock.setblocking(False)
            port = sock.getsockname()[1]
            serving = await serve_http(api.handle, [Listening(sock, None)], cache=api.cache)
            try:
                await test(Long(member, api, port, serving))
            finally:
                await serving.cleanup()

        served.serve(tmp_path / "d", body, snapshot_count=1 << 40, legacy=legacy)

    return run


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("query", "recursive", "in_order"),
    [
        ("", False, False),
        ("?recursive=true", True, False),
        ("?sorted=true", False, True),
        ("?quorum=true", False, False),
    ],
)
def test_a_long_listing_is_the_same_as_a_short_one_but_for_its_length(
    serve: Callable[..., None], query: str, recursive: bool, in_order: bool
) -> None:
    async def test(long: Long) -> None:
        long.node.store.set("/1/d/ttl", b"x", expiration=long.node.clock() + 10**15, now=long.node.clock())
        long.node.store.set("/1/d/dir/under", b"x", now=0)
        long.node.store.set("/1/d/empty", dir=True, now=0)
        long.node.store.set("/1/d/_hidden", b"x", now=0)
        head, body = await long.ask(get("/d" + query))
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Etcd-Cluster-Id: ")
        ttl = re.compile(rb'"ttl":\d+')
        assert ttl.sub(b"", body) == ttl.sub(b"", long.listing(recursive=recursive, in_order=in_order))
        assert f"X-Etcd-Index: {long.node.store.index}\r\n".encode() in head
        assert long.held == 0

    serve(test)


def test_what_it_says_is_of_the_moment_that_its_head_says(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        reader, writer = await long.connect(get("/d?sorted=true"))
        head = await reader.readuntil(b"\r\n\r\n")
        expected = long.listing(in_order=True)
        index = long.node.store.index
        assert f"X-Etcd-Index: {index}\r\n".encode() in head
        for n in range(0, KEYS, 2):
            await long.node.propose(StoreRequest(method="PUT", path=f"/1/d/{n:05d}", val=b"changed"))
        long.node.store.delete("/1/d", recursive=True, now=0)
        got = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            got += await reader.readexactly(size)
            await reader.readexactly(2)
        assert got == expected
        writer.close()

    serve(test)


def test_a_client_finds_its_own_write_in_a_listing_that_is_gathered_behind_others(
    serve: Callable[..., None],
) -> None:
    """An answer is never older than its question, however many share what is gathered."""

    async def test(long: Long) -> None:
        async def write_and_list(n: int) -> None:
            await long.node.propose(StoreRequest(method="PUT", path=f"/1/d/own{n}", val=b"mine"))
            for _ in range(n % 3):
                await asyncio.sleep(0)
            head, body = await long.ask(get("/d"))
            nodes = {node["key"]: node for node in json.loads(body)["node"]["nodes"]}
            assert nodes[f"/d/own{n}"]["value"] == "mine"
            index = re.search(rb"X-Etcd-Index: (\d+)", head)
            assert index is not None
            assert max(node["modifiedIndex"] for node in nodes.values()) <= int(index[1])

        await asyncio.gather(*map(write_and_list, range(8)))

    serve(test, keys=2000, value=b"v")


def test_who_does_not_read_gets_no_more_than_the_system_keeps_and_shares_what_is_held(
    serve: Callable[..., None],
) -> None:
    async def test(long: Long) -> None:
        request = get("/d?recursive=true&sorted=true")
        _, body = await long.ask(request)
        socks = [await long.ask_and_never_read(request) for _ in range(20)]
        bodies: list[rendering.Rendering] = []

        def all_have_begun() -> bool:
            bodies[:] = [each for held in long.api._listings._held for each in held.renderings]
            return len(bodies) == 20 and all(each.taken for each in bodies)

        await until(all_have_begun)
        for _ in range(3):  # good clients go on
            await long.ask(get("/d/00001"))
            await long.node.propose(StoreRequest(method="PUT", path="/1/x", val=b"v"))
        before = -1
        while before != (before := sum(each.taken for each in bodies)):
            await asyncio.sleep(0.3)
        assert all(each.taken < min(MOST_UNREAD, len(body)) for each in bodies), [
            each.taken for each in bodies
        ]
        assert long.held <= 2
        assert not long.api._turns._waiting
        assert (await long.ask(request))[1] == long.listing(recursive=True, in_order=True) == body
        for sock in socks:
            sock.close()
        await until(lambda: long.held == 0)

    serve(test)


@pytest.mark.interpreted
def test_no_piece_of_the_work_is_long(serve: Callable[..., None]) -> None:
    """Counted, not timed: how much of what goes in one go."""

    async def test(long: Long) -> None:
        written: list[int] = []
        gathered: list[int] = []
        make, gather = rendering.Pieces._make, listings.Listings._go_on

        def counted_make(pieces: rendering.Pieces) -> None:
            make(pieces)
            written.append(len(pieces._piece))

        def counted_gather(all_: listings.Listings) -> None:
            gathered.append(1)
            gather(all_)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rendering.Pieces, "_make", counted_make)
            patch.setattr(listings.Listings, "_go_on", counted_gather)
            await long.ask(get("/d"))
        assert max(written) < SLICE + 2 * len(VALUE)
        assert len(gathered) >= KEYS // 1024

    serve(test)


@pytest.mark.interpreted
def test_who_reads_too_slowly_is_cut_off(serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "PATIENCE", 1.0)
    monkeypatch.setattr(rendering, "SLOWEST", 1 << 40)

    async def test(long: Long) -> None:
        sock = await long.ask_and_never_read(get("/d"))
        await until(lambda: long.held)
        await until(lambda: not long.held)
        await until(lambda: not long.connections())
        sock.close()

    serve(test, value=VALUE * 2)


@pytest.mark.interpreted
def test_who_takes_some_of_it_is_given_the_time_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "PATIENCE", 0.1)
    monkeypatch.setattr(rendering, "SLOWEST", 1000)

    async def test() -> None:
        turns = rendering.Turns()
        some, none = (rendering.Rendering(turns, iter(["x" * 100_000, "y"])) for _ in range(2))
        cut_off = []
        some.on_late(lambda: cut_off.append("some"))
        none.on_late(lambda: cut_off.append("none"))
        news = asyncio.Event()
        some.on_news(news.set)
        assert some.take() == b""
        await news.wait()
        assert some.take() == b"x" * 100_000
        await until(lambda: cut_off)
        await asyncio.sleep(0.2)
        assert cut_off == ["none"]
        with pytest.raises(BrokenOff):
            none.take()
        some.close()

    asyncio.run(test())


@pytest.mark.interpreted
def test_when_too_much_is_held_the_oldest_goes_first(
    serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MOST_HELD", 2 * KEYS + 100)

    async def test(long: Long) -> None:
        socks = []
        for n in range(4):  # each of another moment
            await long.node.propose(StoreRequest(method="PUT", path="/1/d/x", val=b"%d" % n))
            known = set(long.api._listings._held)
            socks.append(await long.ask_and_never_read(get("/d")))
            await until(lambda known=known: set(long.api._listings._held) - known)  # type: ignore[misc]
        assert long.held == 2
        assert [each.moment.etcd_index for each in long.api._listings._held] == [
            long.node.store.index - 1,
            long.node.store.index,
        ]
        _, body = await long.ask(get("/d"))
        assert body == long.listing()
        for sock in socks:
            sock.close()

    serve(test)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_client_that_stops_sending_gets_all_of_it(serve: Callable[..., None], version: str) -> None:
    async def test(long: Long) -> None:
        _, body = await long.ask(get("/d", version=version), ends=True)
        assert body == long.listing()

    serve(test)


def test_a_head_has_no_body_and_makes_no_listing(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        reader, writer = await long.connect(get("/d", method="HEAD") + get("/d/00001"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length" not in head
        assert b"Transfer-Encoding" not in head
        assert (await answer(reader))[1].startswith(b'{"action":"get","node":{"key":"/d/00001"')
        assert long.held == 0
        writer.close()

    serve(test)


def test_further_requests_of_the_same_connection_are_answered_behind_it(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        reader, writer = await long.connect(get("/d") + get("/d/00001") + get("/d"))
        bodies = [(await answer(reader))[1] for _ in range(3)]
        assert bodies[0] == bodies[2] == long.listing()
        assert json.loads(bodies[1])["node"]["key"] == "/d/00001"
        writer.close()

    serve(test)


def test_who_has_gone_before_it_is_gathered_holds_nothing(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        async def wait() -> None:
            promise = long.api.handle(HttpRequest("GET", b"/v2/keys/d", {}))
            assert isinstance(promise, DeferredResponse)
            await promise

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert long.api._listings._gathering
        waiting.cancel()
        await until(lambda: not long.api._listings._gathering)
        assert waiting.cancelled()
        assert long.held == 0

    serve(test)


def test_what_became_of_the_directory_meanwhile_is_what_is_answered(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        store = long.node.store
        asking = asyncio.create_task(long.api._listings.of("/1/d"))
        await asyncio.sleep(0)
        store.delete("/1/d", recursive=True, now=0)
        with pytest.raises(EtcdError, match="Key not found"):
            await asking
        asking = asyncio.create_task(long.api._listings.of("/1/d"))
        await asyncio.sleep(0)
        store.set("/1/d", b"file", now=0)
        found = await asking
        assert isinstance(found, Event)
        assert found.node.value == b"file"

    serve(test, keys=1)


def test_a_long_value_is_written_in_pieces_wherever_it_stands(serve: Callable[..., None]) -> None:
    value = ("<é>\n" * 100_000).encode()

    async def test(long: Long) -> None:
        form = "Content-Type: application/x-www-form-urlencoded"
        sent = b"value=" + b"".join(b"%%%02x" % byte for byte in value)
        put = get("/big", form, f"Content-Length: {len(sent)}", method="PUT") + sent
        _, watcher = await long.connect(get("/big?wait=true&stream=true"))
        for status, previous in ((b"201", False), (b"200", True)):
            head, body = await long.ask(put)
            assert head.split()[1] == status
            event = json.loads(body)
            assert event["node"]["value"] == value.decode()
            assert ("prevNode" in event) is previous
            assert b"Transfer-Encoding: chunked" in head
        index = long.node.store.index
        for ends in (False, True):
            _, body = await long.ask(get("/big"), ends=ends)
            assert json.loads(body)["node"]["value"] == value.decode()
            _, body = await long.ask(get(f"/big?wait=true&waitIndex={index}"), ends=ends)
            assert json.loads(body)["node"]["value"] == value.decode()
            assert body.endswith(b"}\n")
        watcher.close()

    serve(test, keys=1)


def test_a_watch_gets_long_and_short_events_in_their_order(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        reader, writer = await long.connect(get("/?wait=true&recursive=true&stream=true"))
        await reader.readuntil(b"\r\n\r\n")
        sizes = [1, SLICE * 3, 5, 5, SLICE * 4, SLICE * 2, 1] * 5
        for size in sizes:
            await long.node.propose(StoreRequest(method="PUT", path="/1/w", val=b"v" * size))
        got = b""
        while got.count(b"\n") < len(sizes):
            got += await reader.readexactly(int(await reader.readuntil(b"\r\n"), 16))
            await reader.readexactly(2)
        assert [len(json.loads(line)["node"]["value"]) for line in got.splitlines()] == sizes
        writer.close()

    serve(test, keys=1)


def test_the_first_form_of_the_key_space_lists_in_pieces_too(serve: Callable[..., None]) -> None:
    async def test(long: Long) -> None:
        _, body = await long.ask(get("/d").replace(b"/v2/keys", b"/v1/keys"))
        listed = json.loads(body)
        assert len(listed) == 3000
        assert listed[5] == {
            "action": "get",
            "key": f"/d/{5 * 7919 % 3000:05d}",
            "value": "v",
            "index": long.node.store.index,
        }
        assert long.held == 0

    serve(test, keys=3000, value=b"v", legacy=True)


def test_a_member_that_stops_lets_a_listing_come_to_its_end(tmp_path: Path) -> None:
    async def body(member: served.Served) -> None:
        for n in range(KEYS):
            member.node.store.set(f"/1/d/{n:05d}", VALUE, now=0)
        api = ClientApi(member.node)
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        port = sock.getsockname()[1]
        serving = await serve_http(api.handle, [Listening(sock, None)], cache=api.cache)
        long = Long(member, api, port, serving)
        reader, _ = await long.connect(get("/d"))
        await reader.readuntil(b"\r\n\r\n")
        server = serving._common
        for connection in server.connections:
            connection.close_if_idle()
        server.stopping = True
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        assert b"".join(pieces) == long.listing()
        await reader.readexactly(2)
        assert await reader.read() == b""
        await serving.cleanup()

    served.serve(tmp_path / "d", body, snapshot_count=1 << 40)
