"""Two ends on loopback: what one sends the other gets, by stream or POST, and what happens when something breaks."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.http.messages import Request, Response
from server.peer import ETCD_3, Versions
from server.peer.stream import QUEUE
from server.raft import Entry, EntryType, Message, MessageType, Snapshot
from server.tls import TlsFiles, client_context, server_context
from tests.server.peer.transports import End, running
from tests.support.memory_members import loopback, until, url_of
from tests.support.process import PATIENCE

A, B = 0xA, 0xB
TLS = Path(__file__).parents[3] / "fixtures" / "tls"


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 5 * PATIENCE))


def of_every_kind(to: int, sender: int) -> list[Message]:
    entries = (Entry(2, 8, b"x" * 5000), Entry(2, 9, b"", EntryType.CONF_CHANGE))
    simple = [
        Message(kind, to, sender, 3, 7, 2, 6, reject=True, hint=5)
        for kind in MessageType
        if kind not in (MessageType.APPEND, MessageType.PROPOSE, MessageType.SNAPSHOT)
    ]
    return [
        *simple,
        Message(MessageType.APPEND, to, sender, 3, 7, 2, 6, entries),
        Message(MessageType.APPEND, to, sender, 3, 9, 3, 9),
        Message(MessageType.PROPOSE, to, sender, entries=(Entry(0, 0, b"wish"),)),
        Message(MessageType.SNAPSHOT, to, sender, 3, snapshot=Snapshot(5, 2, (to, sender), b"{}" * 100_000)),
    ]


def sorted_messages(messages: list[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: (message.type, message.index))


def appends(to: int, sender: int, count: int, size: int = 10) -> list[Message]:
    return [
        Message(MessageType.APPEND, to, sender, 3, index, 3, index, (Entry(3, index + 1, b"x" * size),))
        for index in range(count)
    ]


def heartbeat(to: int, sender: int, commit: int = 0) -> Message:
    return Message(MessageType.HEARTBEAT, to, sender, 3, commit=commit)


def test_messages_of_every_kind_arrive_whole_both_ways() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            for one, other in ((a, b), (b, a)):
                sent = of_every_kind(other.member, one.member)
                one.transport.send(sent)
                await until(lambda: len(other.received) == len(sent))  # noqa: B023
                assert sorted_messages(other.received) == sorted_messages(sent)
                await until(lambda: one.snapshots == [(other.member, True)])  # noqa: B023
            assert a.transport.active_since(B) is not None

    run(scenario)


def test_messages_arrive_by_post_while_there_are_no_streams() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b, know_each_other=False):
            a.transport.add_remote(B, [b.url])
            sent = of_every_kind(B, A)
            a.transport.send(sent)
            await until(lambda: len(b.received) == len(sent))
            assert sorted_messages(b.received) == sorted_messages(sent)

    run(scenario)


def test_appends_of_one_stream_keep_their_order() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            sent = appends(B, A, 2000)
            a.transport.send(sent)
            await until(lambda: len(b.received) == 2000)
            assert b.received == sent
            assert (a.transport.sent.count, b.transport.received.count) == (2000, 2000)
            assert a.transport.latencies()[B].successes == 2000

    run(scenario)


def test_a_peer_that_was_away_is_found_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "server.peer")

    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a):
            a.transport.add_peer(B, [b.url])
            await b.start(a)
            await until(lambda: a.is_connected(b))
            await b.stop()
            await until(lambda: not a.is_connected(b) and a.transport.active_since(B) is None)
            assert a.lost == [B, B]  # a stream each
            a.transport.send([heartbeat(B, A)])
            await until(lambda: len(a.lost) == 3)
            again = End(B, port_of=b)
            await again.start(a)
            await until(lambda: a.is_connected(again) and again.is_connected(a))
            a.transport.send([heartbeat(B, A, 5)])
            await until(lambda: again.received == [heartbeat(B, A, 5)])
            await again.stop()

    run(scenario)
    ours = [line for line in caplog.messages if "connection with b" in line]
    assert ours[:3] == [
        "the connection with b became active",
        "the connection with b became inactive",
        "the connection with b became active",
    ]


def test_a_broken_stream_is_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            way = a.transport._peers[B]
            old = dict(way._streams)
            for stream in old.values():
                stream.close()  # as when the connection under it breaks
            assert a.lost == [B, B]
            await until(lambda: a.is_connected(b) and way._streams != old)
            a.transport.send(appends(B, A, 3))
            await until(lambda: b.received == appends(B, A, 3))

    run(scenario)


def test_who_asks_again_gets_the_stream_anew() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            way = a.transport._peers[B]
            old = dict(way._streams)
            b.transport.remove_peer(A)
            b.transport.add_peer(A, [a.url])
            await until(lambda: len(way._streams) == 2 and not set(way._streams.values()) & set(old.values()))
            a.transport.send(appends(B, A, 3))
            await until(lambda: b.received == appends(B, A, 3))

    run(scenario)


def test_the_next_url_is_tried_when_one_fails() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        nobody = loopback()
        url = url_of(nobody)
        nobody.close()
        async with running(a, b, know_each_other=False):
            b.transport.add_peer(A, [url, a.url])
            a.transport.add_peer(B, [url])
            a.transport.update_peer(B, [url, b.url])
            await until(lambda: a.is_connected(b) and b.is_connected(a))

    run(scenario)


def test_a_peer_of_another_cluster_is_refused_and_the_log_says_so_once_a_period(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.peer.transport.MERGE_PERIOD", 1e9)

    async def scenario() -> None:
        a, b = End(A), End(B, cluster=0xC2)
        async with running(a, b, know_each_other=False):
            a.transport.add_peer(B, [b.url])
            b.transport.add_peer(A, [a.url])
            a.transport.send([heartbeat(B, A)])
            await until(lambda: a.lost == [B])
            await asyncio.sleep(0.5)
            assert b.received == []
            assert a.transport.active_since(B) is None
            assert a.told_removed == b.told_removed == 0

    run(scenario)
    told = [line for line in caplog.messages if "cluster ID mismatch: remote[b]=c2, local=c1" in line]
    assert told == ["request sent was ignored (cluster ID mismatch: remote[b]=c2, local=c1)"]
    assert "request cluster ID mismatch (got c2 want c1)" in caplog.messages


def test_versions_that_do_not_go_together_do_not_talk(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        a, b = End(A), End(B, versions=Versions("3.4.0", "3.0.0"))
        async with running(a, b, know_each_other=False):
            a.transport.add_peer(B, [b.url])
            a.transport.send([heartbeat(B, A)])
            await until(lambda: a.lost == [B])
            assert b.received == []

    run(scenario)
    assert "request sent was ignored by peer b (server version incompatible)" in caplog.messages
    line = "request version incompatibility (remote version is too low: remote[a]=2.3.8, local=3.4.0)"
    assert line in caplog.messages


def test_a_member_with_the_versions_for_3x_talks_to_2_3() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B, versions=ETCD_3)
        async with running(a, b):
            a.transport.send([heartbeat(B, A)])
            await until(lambda: b.received == [heartbeat(B, A)])

    run(scenario)


def test_a_removed_member_is_told_so_and_nobody_else_is() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            a.removed_ids.add(B)
            a.transport.remove_peer(B)
            await until(lambda: b.told_removed)
            assert a.told_removed == 0
            assert B not in a.transport.peers
            b.transport.send([heartbeat(A, B)])
            await until(lambda: b.lost)
            assert a.received == []

    run(scenario)


def test_a_member_that_is_not_known_yet_is_answered_by_post(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b, know_each_other=False):
            b.transport.add_peer(A, [a.url])  # which makes a remote of b at a
            b.transport.send([heartbeat(A, B)])
            await until(lambda: a.received and B in a.transport._remotes)
            a.transport.send([Message(MessageType.HEARTBEAT_RESPONSE, B, A, 3)])
            await until(lambda: b.received == [Message(MessageType.HEARTBEAT_RESPONSE, B, A, 3)])
            assert b.told_removed == 0
            a.transport.add_peer(B, [b.url])
            await until(lambda: a.is_connected(b) and not a.transport._remotes)

    run(scenario)
    assert "failed to find member b in cluster c1" in caplog.messages


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "http://", "http://x:99999", "http://[::1", "http://..:1", "http://\udc80:1", "http:///:1", "ftp://x:1",
        f"http://{'a' * 70}:1", f"http://{'a' * 300}:1", "http://\u2024:1", "http://xn--:1", "http://no-such-host.invalid:1",
    ],
)  # fmt: skip
def test_a_peer_with_an_odd_url_is_not_reached_and_does_no_harm(url: str) -> None:
    async def scenario() -> None:
        a = End(A)
        async with running(a):
            a.transport.add_peer(B, [url] if url else [])
            a.transport.send([heartbeat(B, A)])
            await until(lambda: a.lost)

    run(scenario)


def test_of_every_snapshot_it_is_told_what_became_of_it() -> None:
    """Also of one that is under way, waits, or has nowhere to go when the peer is taken away: or consensus would wait
    for ever."""

    async def scenario() -> None:
        posted = asyncio.Event()

        async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
                    posted.set()
                await reader.read()
            writer.close()

        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        snapshot = Message(MessageType.SNAPSHOT, 0xD, A, 3, snapshot=Snapshot(5, 2, (), b"{}"))
        a = End(A)
        async with running(a):
            a.transport.send([snapshot])
            assert a.snapshots == [(0xD, False)]
            a.transport.add_peer(0xD, [url_of(server.sockets[0])])
            a.transport.send([snapshot] * 10)
            await posted.wait()
            assert len(a.snapshots) == 1
            a.transport.remove_peer(0xD)
            await until(lambda: a.snapshots == [(0xD, False)] * 11)
        server.close()

    run(scenario)


def test_a_snapshot_that_was_not_put_in_is_a_fault_of_the_host() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            a.transport.send([Message(MessageType.SNAPSHOT, B, A, 3, 7)])
            await until(lambda: a.errors)
            assert "nobody has put the snapshot into" in str(a.errors.pop())

    run(scenario)


@pytest.mark.parametrize(
    "urls", [[], ["ftp://x:1"], ["http://x"], ["http://x:y"], ["http://[x:1"], ["http://x:1/p"]]
)
def test_odd_urls_make_no_remote(urls: list[str]) -> None:
    async def scenario() -> None:
        a = End(A)
        async with running(a):
            a.transport.add_remote(B, urls)
            assert not a.transport._remotes

    run(scenario)


def test_there_is_a_limit_to_members_nobody_knows() -> None:
    async def scenario() -> None:
        a = End(A)
        async with running(a):
            for member in range(1, 1000):
                a.transport.add_remote(member, ["http://127.0.0.1:1"])
            assert len(a.transport._remotes) == 32

    run(scenario)


def test_what_is_for_another_member_is_not_taken() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):
            way = a.transport._peers[B]
            way.send(heartbeat(0xD, A))
            way.send(heartbeat(B, A, 2))
            await until(lambda: b.received == [heartbeat(B, A, 2)])

    run(scenario)


def test_what_is_for_nobody_goes_nowhere() -> None:
    async def scenario() -> None:
        a = End(A)
        async with running(a):
            a.transport.send([heartbeat(B, A), heartbeat(0, A)])
            a.transport.update_peer(B, ["http://127.0.0.1:1"])
            a.transport.remove_peer(B)
            assert a.transport.active_since(B) is None
            assert a.lost == []

    run(scenario)


# Peers that do not read, or do not speak


async def slow_reader(
    end: End, channel: str, member: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Asks for a stream as a peer does, and reads its head."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", end.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    head = (
        f"GET /raft/stream/{channel}/{member:x} HTTP/1.1\r\nHost: x\r\nX-Etcd-Cluster-ID: c1\r\n"
        f"X-Server-Version: 2.3.8\r\nX-Min-Cluster-Version: 2.2.0\r\nX-Raft-To: {end.member:x}\r\n\r\n"
    )
    writer.write(head.encode())
    assert b"200" in await reader.readline()
    return reader, writer


def test_a_peer_that_reads_slowly_holds_up_nobody_but_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its queue fills, what comes then is dropped and reported; another peer hears everything all the while."""
    monkeypatch.setattr("server.peer.stream.STALL", 1e9)

    async def scenario() -> None:
        a, b, slow = End(A), End(B), End(0xD)
        async with running(a, b):
            a.transport.add_peer(slow.member, [slow.url])
            _, writer = await slow_reader(a, "msgapp", slow.member)
            way = a.transport._peers[slow.member]
            for_slow, for_b = appends(slow.member, A, QUEUE * 2, 2000), appends(B, A, QUEUE * 2)
            for start in range(0, QUEUE * 2, 256):
                a.transport.send(for_slow[start : start + 256])
                a.transport.send(for_b[start : start + 256])
                await until(lambda: len(b.received) >= start + 256)  # noqa: B023
            assert b.received == for_b
            assert max(stream.pending for stream in way._streams.values()) == QUEUE
            assert 0xD in a.lost
            writer.close()

    run(scenario)
    why = "since stream MsgApp v2's sending buffer is full (bad/overloaded network)"
    assert f"dropped internal raft message to d {why}" in caplog.messages


def test_a_stream_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.peer.peer.BEAT", 0.05)
    monkeypatch.setattr("server.peer.stream.STALL", 0.2)

    async def scenario() -> None:
        a = End(A)
        async with running(a):
            a.transport.add_peer(0xD, [a.url])
            _, writer = await slow_reader(a, "message", 0xD)
            way = a.transport._peers[0xD]
            await until(lambda: way._streams)
            a.transport.send(appends(0xD, A, 100, 1 << 20))
            await until(lambda: not way._streams and 0xD in a.lost)
            writer.close()

    run(scenario)


def test_a_stream_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.peer.transport.SILENCE", 0.2)

    async def scenario() -> None:
        asked = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                asked += 1
                writer.write(
                    b"HTTP/1.1 200 OK\r\nX-Server-Version: 2.3.8\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        a = End(A)
        async with running(a):
            a.transport.add_peer(0xD, [url_of(server.sockets[0])])
            await until(lambda: asked >= 4)
        server.close()

    run(scenario)
    assert any("failed to read d on stream" in line and "i/o timeout" in line for line in caplog.messages)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-Server-Version: 2.3.8\r\nContent-Length: 9\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"HTTP/1.1 200 OK\r\nX-Server-Version: 2.3.8\r\nTransfer-Encoding: chunked\r\n\r\nwhat",
        b"HTTP/1.1 200 OK\r\nX-Server-Version: 2.3.8\r\nContent-Length: 100\r\n\r\n\x00",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nX-Server-Version: 2.3.8\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 412 No\r\nX-Server-Version: 2.3.8\r\nContent-Length: 3\r\n\r\nwho",
        b"SSH-2.0\r\n\r\n",
        b"",
    ],
)
def test_a_peer_that_answers_nonsense_is_asked_again(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.peer.peer._RETRY", 0.01)
    monkeypatch.setattr("server.peer.peer._PROBE", 0.01)

    async def scenario() -> None:
        asked = 0

        async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            asked += 1
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(reply, "127.0.0.1", 0)
        a = End(A)
        async with running(a):
            a.transport.add_peer(0xD, [url_of(server.sockets[0])])
            a.transport.send([heartbeat(0xD, A)])
            await until(lambda: asked >= 10 and a.lost)
            assert a.told_removed == 0
        server.close()

    run(scenario)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda: {"OK": True, "Now": datetime.now(UTC).isoformat()}, ""),
        (lambda: {"OK": True, "Now": "2014-11-22T08:55:15.561286448Z"}, "the clock difference against peer d is too high"),
        (lambda: {"OK": True, "Now": "yesterday"}, "the connection to peer d is unhealthy"),
        (lambda: {"OK": False}, "the connection to peer d is unhealthy"),
        (list, "the connection to peer d is unhealthy"),
        (lambda: {"OK": True, "Now": "0001-01-01T00:00:00"}, "the connection to peer d is unhealthy"),
        (lambda: "x" * 100_000, "the connection to peer d is unhealthy"),
        (lambda: "[" * 60_000, "the connection to peer d is unhealthy"),
    ],
)  # fmt: skip
def test_what_probes_find_is_told(
    answer: Callable[[], object], line: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("server.peer.peer._PROBE", 0.01)
    monkeypatch.setattr("server.peer.peer._PROBE_PATIENCE", 10)
    monkeypatch.setattr("server.peer.peer._PROBE_REPORT", 0.05)

    async def scenario() -> None:
        probed = 0

        def probe(request: Request) -> Response:
            nonlocal probed
            probed += 1
            assert (request.method, request.target) == ("GET", b"/raft/probing")
            told = answer()
            return Response(200, body=(told if isinstance(told, str) else json.dumps(told)).encode())

        a, peer = End(A), End(0xD)
        peer.otherwise = probe
        async with running(a, peer, know_each_other=False):
            a.transport.add_peer(0xD, [peer.url])
            await until(lambda: probed >= 10 and (not line or line in caplog.text))

    run(scenario)
    assert (" unhealthy" in caplog.text or " too high" in caplog.text) == bool(line)


# A host at fault


def test_an_exception_out_of_the_host_ends_the_member(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        async with running(a, b):

            def receive(messages: object) -> None:
                raise RuntimeError("a fault")

            monkeypatch.setattr(b, "receive", receive)
            a.transport.send([heartbeat(B, A)])
            await until(lambda: b.errors)
            assert str(b.errors.pop()) == "a fault"

    run(scenario)


def test_a_transport_ends_with_nothing_left_running() -> None:
    async def scenario() -> None:
        a, b = End(A), End(B)
        before = asyncio.all_tasks()
        async with running(a, b):
            a.transport.add_remote(0xD, ["http://127.0.0.1:1"])
            a.transport.send([heartbeat(0xD, A), *appends(B, A, 5000)])
        await until(lambda: asyncio.all_tasks() == before)
        await a.transport.stop()
        with pytest.raises(RuntimeError, match="has stopped"):
            a.transport.add_peer(B, [b.url])

    run(scenario)


# TLS


def contexts(server: TlsFiles, client: TlsFiles) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return server_context(server), client_context(client)


PAIR = TlsFiles(
    str(TLS / "server.pem"), str(TLS / "server.key"), trusted_ca=str(TLS / "ca.pem"), client_cert_auth=True
)
ONLY_CA = TlsFiles(trusted_ca=str(TLS / "ca.pem"))
NO_CA = TlsFiles(str(TLS / "server.pem"), str(TLS / "server.key"))


def test_peers_talk_by_tls_with_certificates_on_both_sides() -> None:
    async def scenario() -> None:
        a, b = End(A, tls=contexts(PAIR, PAIR)), End(B, tls=contexts(PAIR, PAIR))
        async with running(a, b):
            a.transport.send(of_every_kind(B, A))
            await until(lambda: len(b.received) == len(of_every_kind(B, A)))

    run(scenario)


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        (ONLY_CA, "failed to write a on pipeline"),  # has none to show
        (NO_CA, "failed to dial a on stream Message (x509: "),  # does not know who has signed the other's
    ],
)
def test_peers_without_the_right_certificates_do_not_talk(
    client: TlsFiles, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "server.peer")

    async def scenario() -> None:
        a, b = End(A, tls=contexts(PAIR, PAIR)), End(B, tls=contexts(PAIR, client))
        async with running(a, b, know_each_other=False):
            a.transport.add_peer(B, [b.url])
            b.transport.add_peer(A, [a.url])
            b.transport.send([heartbeat(A, B)])
            await until(lambda: b.lost)
            assert a.received == []

    run(scenario)
    assert any(line.startswith(reason) for line in caplog.messages)


def test_a_peer_whose_urls_nobody_can_dial_ends_nothing() -> None:
    """They come out of the log, and a member may have put anything there."""

    async def scenario() -> None:
        a = End(A)
        async with running(a):
            for number, url in enumerate(
                ("junk", "", "http://[::1", "http://a:b", "http://\ufffd", "x" * 10_000), 1
            ):
                a.transport.add_peer(number, [url])
                a.transport.send([heartbeat(number, A)])
            await until(lambda: set(a.lost) >= set(range(1, 7)))
            assert [await a.transport.version_of(number) for number in range(1, 7)] == [None] * 6

    run(scenario)
