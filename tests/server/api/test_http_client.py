"""The client API without a socket: which path answers what, headers and bodies as recorded from etcd 2.3.8."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from server.api.client import ClientApi
from server.api.peer import PeerApi
from server.api.stats import go_duration
from server.http.messages import (
    Body,
    DeferredResponse,
    ReadBody,
    Request,
    Response,
)
from server.node import Node
from tests.support import served
from tests.support.process import PATIENCE

CLIENT, PEER = "http://127.0.0.1:24200", "http://127.0.0.1:24201"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CLUSTER = ("X-Etcd-Cluster-Id", "409947e768f36fef")
TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
NOSNIFF = ("X-Content-Type-Options", "nosniff")


class Served:
    """A running member and its two APIs, asked directly."""

    def __init__(self, node: Node, cors: tuple[str, ...]) -> None:
        self.node = node
        self.api = ClientApi(node, cors)
        self.peer = PeerApi(node)

    async def ask(
        self, method: str, target: str, body: str = "", headers: Mapping[str, str] = FORM
    ) -> Response:
        reply = self.api.handle(Request(method, target.encode(), headers))
        if isinstance(reply, ReadBody):
            reply = reply.then(Body(body.encode()[: reply.limit + 1]))
            assert not isinstance(reply, ReadBody)
        return reply if isinstance(reply, Response) else await reply


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., None]:
    """Runs a test against a new member a=http://127.0.0.1:24201."""

    def run(test: Callable[[Served], Awaitable[None]], cors: tuple[str, ...] = ()) -> None:
        served.serve(tmp_path / "d", lambda member: test(Served(member.node, cors)))

    return run


def without_raft(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return sorted(header for header in headers if not header[0].startswith("X-Raft-"))


@pytest.mark.parametrize(
    ("method", "target", "status", "headers", "body"),
    [
        ("GET", "/nope", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("DELETE", "/", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("GET", "/v2/keysfoo", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("GET", "/V2/keys", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("GET", "/v2/machines/", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("OPTIONS", "/nope", 200, (), b""),
        ("OPTIONS", "*", 200, (), b""),
        ("OPTIONS", "/%zz", 400, (TEXT, ("Connection", "close")), b"400 Bad Request"),
        ("GET", "*", 400, (("Connection", "close"),), b""),
        ("GET", "nonsense", 400, (TEXT, ("Connection", "close")), b"400 Bad Request"),
        ("CONNECT", "a:80", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        ("CONNECT", "/v2//keys", 404, (TEXT, NOSNIFF), b"404 page not found\n"),
        (
            "CONNECT",
            "/v2/keys//a",
            405,
            (("Allow", "HEAD,GET,PUT,POST,DELETE"), TEXT, NOSNIFF),
            b"Method Not Allowed\n",
        ),
        ("GET", "http://x/version", 200, (JSON,), b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'),
        ("PUT", "http://x?a=1", 301, (("Location", "/?a=1"),), b""),
        (
            "PATCH",
            "/v2/keys/a",
            405,
            (TEXT, NOSNIFF, ("Allow", "HEAD,GET,PUT,POST,DELETE")),
            b"Method Not Allowed\n",
        ),
        ("PUT", "/v2/machines", 405, (TEXT, NOSNIFF, ("Allow", "GET,HEAD")), b"Method Not Allowed\n"),
        ("HEAD", "/v2/stats/self", 405, (TEXT, NOSNIFF, ("Allow", "GET")), b"Method Not Allowed\n"),
        ("POST", "/v2/stats/store", 405, (TEXT, NOSNIFF, ("Allow", "GET")), b"Method Not Allowed\n"),
        ("POST", "/v2/stats/leader", 405, (TEXT, NOSNIFF, ("Allow", "GET")), b"Method Not Allowed\n"),
        ("HEAD", "/version", 405, (TEXT, NOSNIFF, ("Allow", "GET")), b"Method Not Allowed\n"),
        ("HEAD", "/health", 405, (TEXT, NOSNIFF, ("Allow", "GET")), b"Method Not Allowed\n"),
        (
            "HEAD",
            "/v2/members",
            405,
            (TEXT, NOSNIFF, ("Allow", "GET,POST,DELETE,PUT")),
            b"Method Not Allowed\n",
        ),
        ("GET", "/v2/keys/%zz", 400, (TEXT, ("Connection", "close")), b"400 Bad Request"),
        ("PUT", "/v2//keys/a?x=1", 301, (("Location", "/v2/keys/a?x=1"),), b""),
        ("GET", "/version", 200, (JSON,), b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'),
        ("GET", "/health", 200, (TEXT,), b'{"health": "true"}'),
        ("GET", "/v2/machines", 200, (TEXT,), CLIENT.encode()),
        ("GET", "/v2/members/nobody", 404, (JSON, CLUSTER), b'{"message":"Not found"}'),
        ("GET", "/v2/stats/leader", 200, (JSON,), b'{"leader":"b5aa2546e8364707","followers":{}}'),
    ],
)
def test_every_path_answers_as_etcd(
    serve: Callable[..., None],
    method: str,
    target: str,
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask(method, target)
        assert (answer.status, answer.body) == (status, body)
        assert sorted(answer.headers) == sorted(headers)

    serve(test)


MEMBER = b'{"id":"b5aa2546e8364707","name":"a","peerURLs":["http://127.0.0.1:24201"],"clientURLs":["http://127.0.0.1:24200"]}'


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/v2/members", b'{"members":[' + MEMBER + b"]}\n"),
        ("/v2/members/", b'{"members":[' + MEMBER + b"]}\n"),
        ("/v2/members/leader", MEMBER + b"\n"),
    ],
)
def test_members(serve: Callable[..., None], target: str, body: bytes) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask("GET", target)
        assert (answer.status, answer.body, sorted(answer.headers)) == (200, body, sorted((JSON, CLUSTER)))

    serve(test)


def test_a_write_and_a_read_have_the_headers_and_bodies_of_etcd(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        written = await served.ask("PUT", "/v2/keys/a", "value=1")
        assert written.status == 201
        assert without_raft(written.headers) == sorted((JSON, CLUSTER, ("X-Etcd-Index", "4")))
        assert (
            written.body
            == b'{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":4,"createdIndex":4}}\n'
        )
        read = await served.ask("GET", "/v2/keys/a")
        assert (read.status, json.loads(read.body)["action"]) == (200, "get")
        assert dict(read.headers)["X-Raft-Index"] == dict(written.headers)["X-Raft-Index"]
        quorum = await served.ask("GET", "/v2/keys/a?quorum=true")
        assert quorum.body == read.body
        assert dict(quorum.headers)["X-Raft-Index"] == dict(read.headers)["X-Raft-Index"]  # docs/fidelity.md
        missing = await served.ask("GET", "/v2/keys/none")
        assert missing.status == 404
        assert sorted(missing.headers) == sorted((JSON, CLUSTER, ("X-Etcd-Index", "4")))
        bad = await served.ask("GET", "/v2/keys/a?recursive=x")
        assert (bad.status, dict(bad.headers)["X-Etcd-Index"]) == (400, "0")

    serve(test)


@pytest.mark.interpreted
def test_a_fault_while_a_write_is_answered_is_logged_and_stays_away_from_the_node(
    serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(served: Served) -> None:
        reply = served.api.handle(Request("PUT", b"/v2/keys/a?value=1", {}))
        assert isinstance(reply, DeferredResponse)
        told: list[Response] = []
        reply.on_done(told.append)
        monkeypatch.setattr("server.api.client.answer_event", None)
        while not told:
            await asyncio.sleep(0.001)
        monkeypatch.undo()
        assert told[0].status == 500
        assert "fault in the server" in caplog.text
        assert (await served.ask("PUT", "/v2/keys/a", "value=1")).status == 200

    serve(test)


def test_a_form_that_is_too_large_is_refused(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask("PUT", "/v2/keys/a", "value=" + "x" * (10 << 20))
        assert answer.status == 400
        assert json.loads(answer.body)["cause"] == "http: POST too large"

    serve(test)


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/v2/keys/a", FORM),
        ("DELETE", "/v2/keys/a", FORM),
        ("PATCH", "/v2/keys/a", FORM),
        ("PUT", "/v2/keys/a", {}),
        ("PUT", "/v2/keys/a", {"Content-Type": "text/plain"}),
        ("PUT", "/v2/keys" + "/a" * 1001, FORM),
        ("PUT", "/nope", FORM),
        ("PUT", "/v2//keys/a", FORM),
        ("POST", "/version", FORM),
    ],
)
def test_a_body_that_no_handler_needs_is_not_asked_for(
    serve: Callable[..., None], method: str, target: str, headers: dict[str, str]
) -> None:
    async def test(served: Served) -> None:
        reply = served.api.handle(Request(method, target.encode(), headers))
        assert not isinstance(reply, ReadBody)
        if not isinstance(reply, Response):
            await reply
        assert isinstance(served.peer.handle(Request(method, target.encode(), headers)), Response)

    serve(test)


def test_a_body_that_breaks_off_is_refused(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        reply = served.api.handle(Request("PUT", b"/v2/keys/a", FORM))
        assert isinstance(reply, ReadBody)
        answer = reply.then(Body(b"", "unexpected EOF"))
        assert isinstance(answer, Response)
        assert json.loads(answer.body) == {
            "errorCode": 210,
            "message": "Invalid POST form",
            "cause": "unexpected EOF",
            "index": 0,
        }

    serve(test)


@pytest.mark.parametrize("key", ["/a%0Ab", "/a%00b", "/%C3%A9", "/%EF%BF%BD"])
def test_any_character_may_stand_in_a_key(serve: Callable[..., None], key: str) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask("PUT", f"/v2/keys{key}", "value=1")).status == 201
        assert (await served.ask("GET", f"/v2/keys{key}")).status == 200

    serve(test)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("/a" * 1001, "the key has 1001 components, more than 1000: use fewer levels"),
        ("/" + "%C3%A9" * 33000, "the key has 66001 bytes, more than 65536: put long data into the value"),
    ],
)
def test_a_key_beyond_any_use_is_refused_before_it_is_proposed(
    serve: Callable[..., None], method: str, key: str, cause: str
) -> None:
    async def test(served: Served) -> None:
        before = served.node.raft_index
        answer = await served.ask(method, f"/v2/keys{key}", "value=1")
        assert answer.status == 400
        assert json.loads(answer.body)["errorCode"] == 209
        assert json.loads(answer.body)["cause"] == cause
        assert served.node.raft_index == before

    serve(test)


def test_the_longest_and_the_deepest_key_are_taken(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for key in ("/a" * 1000, "/" + "k" * 65535):
            assert (await served.ask("PUT", f"/v2/keys{key}", "value=1")).status == 201

    serve(test)


async def next_event(answer: Response) -> Any:
    stream = answer.stream
    assert stream is not None
    news = asyncio.Event()
    stream.on_news(news.set)
    while (piece := stream.take()) == b"":
        await asyncio.wait_for(news.wait(), PATIENCE)
        news.clear()
    return None if piece is None else [json.loads(line) for line in piece.splitlines()]


def test_a_watch_has_its_headers_at_once_and_one_event(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask("GET", "/v2/keys/a?wait=true")
        assert without_raft(answer.headers) == sorted((JSON, CLUSTER, ("X-Etcd-Index", "3")))
        waiting = asyncio.ensure_future(next_event(answer))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await served.ask("PUT", "/v2/keys/a", "value=1")
        (event,) = await waiting
        assert event["node"]["modifiedIndex"] == 4
        assert await next_event(answer) is None

    serve(test)


def test_a_watch_into_the_past_answers_from_history(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for n in range(3):
            await served.ask("PUT", "/v2/keys/a", f"value={n}")
        (event,) = await next_event(await served.ask("GET", "/v2/keys/a?wait=true&waitIndex=5"))
        assert event["node"]["value"] == "1"

    serve(test)


def test_a_stream_goes_on_until_it_is_closed(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask("GET", "/v2/keys/?wait=true&recursive=true&stream=true")
        for n in range(5):
            await served.ask("PUT", f"/v2/keys/k{n}", "value=1")
        events = await next_event(answer)
        assert [event["node"]["key"] for event in events] == [f"/k{n}" for n in range(5)]
        served.api.close()
        assert await next_event(answer) is None
        assert served.node.store.stats_json().endswith(b'"watchers":0}')

    serve(test)


def test_a_client_that_leaves_takes_its_watch_along(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        answer = await served.ask("GET", "/v2/keys/a?wait=true")
        assert answer.stream is not None
        answer.stream.close()
        assert served.node.store.stats_json().endswith(b'"watchers":0}')

    serve(test)


@pytest.mark.parametrize(
    ("allowed", "origin", "answered"),
    [
        ((), "http://a", None),
        (("*",), "", "*"),
        (("http://a",), "http://a", "http://a"),
        (("http://a",), "http://b", None),
    ],
)
def test_cross_origin_headers(
    serve: Callable[..., None], allowed: tuple[str, ...], origin: str, answered: str | None
) -> None:
    async def test(served: Served) -> None:
        headers = dict(served.api.cors_headers(origin))
        assert headers.get("Access-Control-Allow-Origin") == answered
        assert len(headers) == (0 if answered is None else 3)

    serve(test, allowed)


def test_stats_of_the_member_itself(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        stats = json.loads((await served.ask("GET", "/v2/stats/self")).body)
        assert (stats["name"], stats["id"], stats["state"]) == ("a", "b5aa2546e8364707", "StateLeader")
        assert stats["leaderInfo"]["leader"] == "b5aa2546e8364707"
        assert list(stats) == [
            "name", "id", "state", "startTime", "leaderInfo", "recvAppendRequestCnt", "sendAppendRequestCnt",
        ]  # fmt: skip

    serve(test)


def test_the_peer_port_serves_who_which_and_alive(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        def ask(method: str, target: bytes) -> Response:
            return served.peer.handle(Request(method, target, {}))

        members = ask("GET", b"/members")
        assert members.body == (
            b'[{"id":13090316253379577607,"peerURLs":["http://127.0.0.1:24201"],"name":"a",'
            b'"clientURLs":["http://127.0.0.1:24200"]}]\n'
        )
        assert CLUSTER in members.headers
        assert ask("GET", b"/version").body == b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'
        probing = ask("GET", b"/raft/probing")
        assert json.loads(probing.body)["OK"] is True
        assert probing.headers == (TEXT,)
        assert ask("POST", b"/members").status == 405
        assert ask("POST", b"/raft").status == 404
        assert ask("GET", b"/%zz").status == 400

    serve(test)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (20_652_886, "20.652886ms"),
        (1_000_000_000, "1s"),
        (63_400_000_000, "1m3.4s"),
        (3_600_000_000_000, "1h0m0s"),
        (7_323_000_000_001, "2h2m3.000000001s"),
    ],
)
def test_durations_are_printed_as_go_prints_them(nanoseconds: int, text: str) -> None:
    assert go_duration(nanoseconds) == text
