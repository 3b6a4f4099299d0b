"""Answers given again without the handler: only while they are the same to the byte, and counted like the first."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from server.http.cache import ResponseCache
from server.http.carrier import Common
from server.http.limits import Limits
from server.http.messages import Reply, Request
from server.http.protocol import ServerProtocol
from tests.server.http.test_protocol import Wire
from tests.support.served import Served, serve

HOST = "Host: x\r\n\r\n"


class Client:
    """A connection to a member. ``handled`` are the targets that reached its handler."""

    def __init__(self, served: Served) -> None:
        self.handled: list[bytes] = []

        def handle(request: Request) -> Reply:
            self.handled.append(request.target)
            return served.api.handle(request)

        self._common = Common(handle, None, Limits(), served.api.cache)
        self._wire = Wire()
        self._connection = ServerProtocol(self._common)
        self._connection.connection_made(self._wire)

    def send(self, method: str, *targets: str) -> bytes:
        """Sends requests in one piece; what is answered."""
        self._wire.writes.clear()
        requests = [f"{method} /v2/keys{target} HTTP/1.1\r\n{HOST}" for target in targets]
        self._connection.data_received("".join(requests).encode())
        self._common.write_output()
        return self._wire.written


@pytest.fixture(autouse=True)
def every_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.cache._EVERY", 1)


@pytest.fixture(autouse=True)
def one_second(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The time of day stands still until it is told to go on."""
    now = [1_700_000_000.0]
    monkeypatch.setattr("server.http.cache.time.time", lambda: now[0])

    def go_on() -> None:
        now[0] += 1

    return go_on


def test_a_file_read_again_is_answered_the_same_without_being_looked_up(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await served.ask("PUT", "/v2/keys/a?value=1")
        client = Client(served)
        first = client.send("GET", "/a")
        assert b" 200 OK" in first
        assert [client.send("GET", "/a") for _ in range(3)] == [first] * 3
        assert client.handled == [b"/v2/keys/a"]

    serve(tmp_path, test)


def test_requests_in_one_piece_are_answered_in_their_order_as_each_was_before(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        for name in "abc":
            await served.ask("PUT", f"/v2/keys/{name}?value={name}")
        client = Client(served)
        a, b, c = (client.send("GET", f"/{name}") for name in "abc")
        assert client.send("GET", "/c", "/a", "/b", "/a") == c + a + b + a
        assert len(client.handled) == 3
        await served.ask("PUT", "/v2/keys/a?value=2")
        answers = client.send("GET", "/b", "/a")
        assert answers.index(b'"value":"b"') < answers.index(b'"value":"2"')
        assert len(client.handled) == 5
        assert client.send("GET", "/b", "/a") == answers
        assert len(client.handled) == 5

    serve(tmp_path, test)


def test_after_any_write_it_is_looked_up_again(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await served.ask("PUT", "/v2/keys/a?value=1")
        client = Client(served)
        before = client.send("GET", "/a")
        await served.ask("PUT", "/v2/keys/a?value=2")
        after = client.send("GET", "/a")
        assert b'"value":"2"' in after
        await served.ask("PUT", "/v2/keys/other?value=2")
        again = client.send("GET", "/a")
        assert again != after  # its X-Etcd-Index has moved
        assert len(client.handled) == 3
        assert before != after

    serve(tmp_path, test)


def test_it_is_looked_up_again_each_second_for_its_date(
    tmp_path: Path, one_second: Callable[[], None]
) -> None:
    async def test(served: Served) -> None:
        await served.ask("PUT", "/v2/keys/a?value=1")
        client = Client(served)
        for _ in range(3):
            client.send("GET", "/a")
            one_second()
        assert len(client.handled) == 3

    serve(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/ttl"),  # its remaining time goes down
        ("GET", "/dir"),  # may hold such a file
        ("GET", "/missing"),
        ("HEAD", "/a"),
        ("GET", "/a?quorum=true"),  # through the log, each time
    ],
)
def test_what_may_change_by_itself_is_looked_up_each_time(tmp_path: Path, method: str, target: str) -> None:
    async def test(served: Served) -> None:
        for put in ("/a?value=1", "/ttl?value=1&ttl=100", "/dir/x?value=1"):
            await served.ask("PUT", f"/v2/keys{put}")
        client = Client(served)
        for _ in range(3):
            client.send(method, target)
            await asyncio.sleep(0.05)  # for the log to answer, if it goes there
        assert len(client.handled) == 3

    serve(tmp_path, test)


def test_reads_that_are_answered_again_are_counted_like_the_first(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        async def counters() -> dict[str, int]:
            found: dict[str, int] = json.loads((await served.ask("GET", "/v2/stats/store")).body)
            return found

        await served.ask("PUT", "/v2/keys/a?value=1")
        client = Client(served)
        seen = [await counters()]
        for _ in range(2):
            client.send("GET", "/a")
            seen.append(await counters())
        moved = [{name: after[name] - before[name] for name in after} for before, after in pairwise(seen)]
        assert client.handled == [b"/v2/keys/a"]
        assert moved[0] == moved[1]
        assert moved[1]["getsSuccess"] == 1

    serve(tmp_path, test)


def test_what_is_asked_for_often_is_kept_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.cache._EVERY", 8)
    cache = ResponseCache(lambda: 0, lambda: None)
    asked = 0
    while cache.get(b"often") is None:
        cache.keep(b"often", b"answer")
        asked += 1
    assert asked == 8


def test_no_more_than_so_many_answers_are_kept_and_none_of_a_long_request() -> None:
    state = [0]
    counted: list[int] = []
    cache = ResponseCache(lambda: state[0], lambda: counted.append(1))
    for n in range(10_000):
        cache.keep(b"%d" % n, b"answer")
    kept = sum(cache.get(b"%d" % n) is not None for n in range(10_000))
    assert 0 < kept <= 4096
    assert len(counted) == kept
    cache.keep(b"x" * 3000, b"answer")
    assert cache.get(b"x" * 3000) is None
    state[0] = 1
    assert cache.get(b"9999") is None
