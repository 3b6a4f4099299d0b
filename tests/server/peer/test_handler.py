"""The peer port as a peer sees it: paths, checks in their order, statuses and texts of 2.3.8."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp
import pytest

from server.cluster.ids import id_text
from server.peer.codec import MessageEncoder, encode_message, message_decoder
from server.raft import Message, MessageType
from tests.server.peer.transports import End, running
from tests.support.memory_members import until
from tests.support.process import PATIENCE

RECORDED = Path(__file__).parents[3] / "fixtures" / "streams"

ME, PEER, GONE = 0xA, 0xB, 0xD
GOOD = {
    "X-Etcd-Cluster-ID": "c1",
    "X-Server-From": "b",
    "X-Server-Version": "2.3.8",
    "X-Min-Cluster-Version": "2.2.0",
    "X-Raft-To": "a",
}
OLD = {**GOOD, "X-Server-Version": "2.0.0"}
OTHER = {**GOOD, "X-Etcd-Cluster-ID": "c2"}
HEARTBEAT = encode_message(Message(MessageType.HEARTBEAT, ME, PEER, 3))
TO_ANOTHER = encode_message(Message(MessageType.HEARTBEAT, PEER, PEER, 3))
MISDIRECTED = {**GOOD, "X-Raft-To": "f"}
FROM_GONE = encode_message(Message(MessageType.HEARTBEAT, ME, GONE, 3))
SNAPSHOT = (RECORDED / "snapshot-post-from-3.4.23.bin").read_bytes()
FOR_ME = int("b11861a7bc5d847", 16)

Ask = Callable[..., Awaitable[tuple[int, Mapping[str, str], bytes]]]


def serve(scenario: Callable[[End, Ask], Awaitable[None]], member: int = ME) -> None:
    async def run() -> None:
        me = End(member)
        me.removed_ids.add(GONE)
        good = {**GOOD, "X-Raft-To": id_text(member)}
        async with running(me), aiohttp.ClientSession(me.url) as session:
            me.transport.add_peer(PEER, ["http://127.0.0.1:1"])

            async def ask(
                method: str, path: str, headers: Mapping[str, str] = good, body: object = None
            ) -> tuple[int, Mapping[str, str], bytes]:
                async with session.request(method, path, headers=headers, data=body) as answer:
                    return answer.status, answer.headers, await answer.read()

            await scenario(me, ask)

    asyncio.run(asyncio.wait_for(run(), 5 * PATIENCE))


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "text"),
    [
        ("GET", "/raft", GOOD, None, 405, "Method Not Allowed\n"),
        ("POST", "/raft", OLD, HEARTBEAT, 412, "incompatible version\n"),
        ("POST", "/raft", OTHER, b"nonsense", 412, "cluster ID mismatch\n"),
        ("POST", "/raft", GOOD, b"nonsense", 400, "error unmarshaling raft message\n"),
        ("POST", "/raft", GOOD, FROM_GONE, 500, "error processing raft message\n"),
        ("POST", "/raft", GOOD, TO_ANOTHER, 500, "error processing raft message\n"),
        ("POST", "/raft", MISDIRECTED, HEARTBEAT, 412, "to field mismatch\n"),
        ("POST", "/raft/snapshot", MISDIRECTED, SNAPSHOT, 412, "to field mismatch\n"),
        ("POST", "/raft/snapshot", GOOD, SNAPSHOT, 500, "failed to process raft message\n"),
        ("POST", "/raft/", GOOD, HEARTBEAT, 404, "404 page not found\n"),
        ("POST", "/raft/stream/msgapp/b", GOOD, None, 405, "Method Not Allowed\n"),
        ("GET", "/raft/stream/msgapp/zz", OLD, None, 412, "incompatible version\n"),
        ("GET", "/raft/stream/msgapp/zz", OTHER, None, 412, "cluster ID mismatch\n"),
        ("GET", "/raft/stream/5", GOOD, None, 404, "invalid path\n"),
        ("GET", "/raft/stream/msgappv2/5", GOOD, None, 404, "invalid path\n"),
        ("GET", "/raft/stream/msgapp/b/", GOOD, None, 404, "invalid path\n"),
        ("GET", "/raft/stream/msgapp/zz", GOOD, None, 404, "invalid from\n"),
        ("GET", "/raft/stream/msgapp/11111111111111111", GOOD, None, 404, "invalid from\n"),
        ("GET", "/raft/stream/msgapp/d", {**GOOD, "X-Raft-To": "f"}, None, 410, "removed member\n"),
        ("GET", "/raft/stream/msgapp/e", {**GOOD, "X-Raft-To": "f"}, None, 404, "error sender not found\n"),
        ("GET", "/raft/stream/msgapp/b", {**GOOD, "X-Raft-To": "f"}, None, 412, "to field mismatch\n"),
        ("GET", "/raft/snapshot", GOOD, None, 405, "Method Not Allowed\n"),
        ("POST", "/raft/snapshot", OLD, SNAPSHOT, 412, "incompatible version\n"),
        ("POST", "/raft/snapshot", GOOD, b"\0" * 9, 400, "wrong raft message type\n"),
        ("POST", "/raft/snapshot", GOOD, MessageEncoder().heartbeat, 400, "wrong raft message type\n"),
        ("POST", "/raft/snapshot", GOOD, SNAPSHOT[:5000], 400, "failed to decode raft message (unexpected EOF)\n"),
        ("POST", "/raft/snapshot", GOOD, b"", 400, "failed to decode raft message (EOF)\n"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(
    method: str, path: str, headers: dict[str, str], body: bytes | None, status: int, text: str
) -> None:
    async def scenario(me: End, ask: Ask) -> None:
        got, answered, sent = await ask(method, path, headers, body)
        assert (got, sent.decode()) == (status, text)
        if status == 405:
            assert answered["Allow"] == ("GET" if "stream" in path else "POST")
        elif "page" not in text:
            assert answered["X-Etcd-Cluster-ID"] == "c1"
        if status in (404, 410, 412) and "/stream/" in path:
            assert answered["X-Server-Version"] == "2.3.8"
        assert me.received == []

    serve(scenario)


def test_an_overlong_snapshot_message_is_refused_at_its_length() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        status, _, text = await ask("POST", "/raft/snapshot", GOOD, b"\xff" * 100)
        assert (status, text[:29]) == (400, b"failed to decode raft message")

    serve(scenario)


@pytest.mark.parametrize("path", ["/version", "/members", "/raft/probing", "/", "/raft/%zz"])
def test_other_paths_are_left_to_others(path: str) -> None:
    async def scenario(me: End, ask: Ask) -> None:
        assert (await ask("GET", path))[2] == b"404 page not found\n"

    serve(scenario)


def test_a_message_is_processed_before_it_is_answered() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        status, headers, body = await ask("POST", "/raft", GOOD, HEARTBEAT)
        assert me.received == [Message(MessageType.HEARTBEAT, ME, PEER, 3)]
        assert (status, body, headers["X-Etcd-Cluster-ID"]) == (204, b"", "c1")

    serve(scenario)


def test_a_message_of_a_type_of_3x_is_taken_and_forgotten() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        transfer_leader = bytes.fromhex("080d100a180b")
        assert (await ask("POST", "/raft", GOOD, transfer_leader))[0] == 204
        assert me.received == []

    serve(scenario)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_snapshot_of_3x_is_taken_and_its_database_shown(chunked: bool) -> None:
    """Whole, or in chunks and with a database of 8 MiB more, as 3.x sends it."""

    async def pieces() -> object:
        for start in range(0, len(SNAPSHOT), 777):
            yield SNAPSHOT[start : start + 777]
        for _ in range(128):
            yield bytes(1 << 16)

    async def scenario(me: End, ask: Ask) -> None:
        status, headers, _ = await ask("POST", "/raft/snapshot", body=pieces() if chunked else SNAPSHOT)
        assert (status, headers["X-Etcd-Cluster-ID"]) == (204, "c1")
        (message,) = me.received
        assert message.snapshot is not None
        assert message.snapshot.index == 20
        (database,) = me.databases
        assert database is not None
        whole = SNAPSHOT[8 + int.from_bytes(SNAPSHOT[:8], "big") :]
        assert database == whole + (bytes(8 << 20) if chunked else b"")

    serve(scenario, FOR_ME)


def test_a_database_too_large_to_be_looked_at_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.peer.codec.MAX_DATABASE", 100)

    async def scenario(me: End, ask: Ask) -> None:
        assert (await ask("POST", "/raft/snapshot", body=SNAPSHOT + bytes(101)))[0] == 204
        assert (me.databases, len(me.received)) == ([None], 1)

    serve(scenario, FOR_ME)


def test_a_stream_begins_at_once_and_carries_what_is_sent() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        async with (
            aiohttp.ClientSession(me.url) as session,
            session.get("/raft/stream/message/b", headers=GOOD) as answer,
        ):
            assert answer.status == 200
            assert answer.headers["X-Server-Version"] == "2.3.8"
            assert answer.headers["X-Etcd-Cluster-ID"] == "c1"
            assert await answer.content.readany() == MessageEncoder().heartbeat
            sent = Message(MessageType.HEARTBEAT, PEER, ME, 3, commit=7)
            me.transport.send([sent])
            assert message_decoder().feed(await answer.content.readany()) == [sent]
            me.transport.remove_peer(PEER)
            assert await answer.content.readany() == b""

    serve(scenario)


def test_a_member_that_is_stopping_refuses_what_still_comes(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(me: End, ask: Ask) -> None:
        await me.transport.stop()
        with_urls = {**GOOD, "X-PeerURLs": "http://127.0.0.1:1"}
        status, _, text = await ask("POST", "/raft", GOOD, HEARTBEAT)
        assert (status, text) == (500, b"error processing raft message\n")
        status, _, text = await ask("POST", "/raft/snapshot", GOOD, SNAPSHOT)
        assert (status, text) == (500, b"failed to process raft message (raft: stopped)\n")
        assert (await ask("GET", "/raft/stream/message/b", with_urls))[0] == 404
        assert me.received == []

    serve(scenario)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_sender_that_is_not_known_becomes_a_remote_if_it_says_where_it_is() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        await ask("GET", "/raft/stream/message/e", GOOD)
        assert not me.transport._remotes
        await ask(
            "GET", "/raft/stream/message/e", {**GOOD, "X-PeerURLs": "http://127.0.0.1:1,http://127.0.0.1:2"}
        )
        assert list(me.transport._remotes) == [0xE]
        await until(lambda: me.errors == [])

    serve(scenario)


def test_what_the_member_refuses_is_answered_so_and_logged_with_who_sent_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(me: End, ask: Ask) -> None:
        assert (await ask("POST", "/raft", body=TO_ANOTHER))[0] == 500
        assert me.databases == []
        assert (await ask("POST", "/raft", body=b"nonsense"))[0] == 400
        assert (await ask("POST", "/raft", {**GOOD, "X-Raft-To": "f"}, HEARTBEAT))[0] == 412
        assert me.counted == ["undecodable", "receiver"]

    serve(scenario)
    assert (
        "refused a message of type HEARTBEAT from b, posted by 127.0.0.1: it is for another member"
        in caplog.text
    )
    assert (
        "failed to unmarshal raft message from b, 127.0.0.1 (8 bytes that are no raft message)" in caplog.text
    )


def test_a_post_need_not_say_whom_it_is_for() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        headers = {name: value for name, value in GOOD.items() if name != "X-Raft-To"}
        assert (await ask("POST", "/raft", headers, HEARTBEAT))[0] == 204

    serve(scenario)


def test_the_database_of_a_snapshot_that_is_refused_is_not_looked_at() -> None:
    async def scenario(me: End, ask: Ask) -> None:
        assert (await ask("POST", "/raft/snapshot", body=SNAPSHOT))[0] == 500
        assert (me.databases, me.received) == ([], [])

    serve(scenario)


def test_a_flood_of_refused_messages_is_written_at_a_limited_rate(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(me: End, ask: Ask) -> None:
        for number in range(300):
            body = encode_message(Message(MessageType.HEARTBEAT, PEER, number + 1, 3))
            assert (await ask("POST", "/raft", body=body))[0] == 500

    started = time.monotonic()
    serve(scenario)
    seconds = time.monotonic() - started
    lines = [line for line in caplog.messages if line.startswith("refused a message")]
    assert 40 <= len(lines) <= 50 * (seconds + 2)  # other lines count, too
