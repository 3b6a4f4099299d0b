"""A whole member over a raw socket: the bytes of etcd 2.3.8 as recorded with a raw socket."""

import asyncio
import re
from pathlib import Path
from random import Random

import uvloop

from server.api.client import ClientApi
from server.config import load
from server.http.serving import Listening, serve
from server.listen import listen
from server.node import Node, open_member
from tests.support.asking import nobody
from tests.support.process import PATIENCE

URL = "http://127.0.0.1:24201"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
KEYS = b"Content-Type: application/json\r\nX-Etcd-Cluster-Id: C\r\nX-Etcd-Index: %d\r\n"
WHOLE = KEYS + b"X-Raft-Index: N\r\nX-Raft-Term: 2\r\nDate: D\r\n"
NODE = b'"node":{"key":"/a","value":"1","modifiedIndex":%d,"createdIndex":%d}'
SET = b'{"action":"set",' + NODE + b',"prev' + NODE.replace(b'"n', b"N", 1) + b"}\n"
GOT = b'{"action":"get",' + NODE + b"}\n"


def request(line: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    if body:
        headers += b"Content-Length: %d\r\n" % len(body)
    return b"%b HTTP/1.1\r\nHost: x\r\n%b\r\n%b" % (line, headers, body)


RECORDED = [
    (
        request(b"PUT /v2/keys/a", FORM, b"value=1"),
        b"HTTP/1.1 201 Created\r\n"
        + WHOLE % 4
        + b"Content-Length: 84\r\n\r\n"
        + b'{"action":"set",' + NODE % (4, 4) + b"}\n",
    ),
    (request(b"GET /v2/keys/a"), b"HTTP/1.1 200 OK\r\n" + WHOLE % 4 + b"Content-Length: 84\r\n\r\n" + GOT % (4, 4)),
    (request(b"HEAD /v2/keys/a"), b"HTTP/1.1 200 OK\r\n" + WHOLE % 4 + b"Content-Length: 84\r\n\r\n"),
    (
        b"GET /v2/keys/a HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + WHOLE % 4 + b"Content-Length: 84\r\n\r\n" + GOT % (4, 4),
    ),
    (
        b"GET /v2/keys/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + WHOLE % 4 + b"Content-Length: 84\r\nConnection: keep-alive\r\n\r\n" + GOT % (4, 4),
    ),
    (
        request(b"GET /v2/keys/a", b"Connection: close\r\n"),
        b"HTTP/1.1 200 OK\r\n" + WHOLE % 4 + b"Content-Length: 84\r\nConnection: close\r\n\r\n" + GOT % (4, 4),
    ),
    (
        request(b"GET /v2/keys/zzz"),
        b"HTTP/1.1 404 Not Found\r\n"
        + KEYS % 4
        + b"Date: D\r\nContent-Length: 69\r\n\r\n"
        + b'{"errorCode":100,"message":"Key not found","cause":"/zzz","index":4}\n',
    ),
    (
        request(b"PATCH /v2/keys/zzz"),
        b"HTTP/1.1 405 Method Not Allowed\r\nAllow: HEAD,GET,PUT,POST,DELETE\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nDate: D\r\n"
        b"Content-Length: 19\r\n\r\nMethod Not Allowed\n",
    ),
    (
        request(b"GET /v2/keys//zzz"),
        b"HTTP/1.1 301 Moved Permanently\r\nContent-Type: text/html; charset=utf-8\r\nLocation: /v2/keys/zzz\r\n"
        b'Date: D\r\nContent-Length: 47\r\n\r\n<a href="/v2/keys/zzz">Moved Permanently</a>.\n\n',
    ),
    (request(b"OPTIONS /v2/keys/zzz"), b"HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n"),
    (
        request(b"GET /v2/keys/a?wait=true"),  # and then stops sending
        b"HTTP/1.1 200 OK\r\n" + WHOLE % 4 + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        request(b"GET /v2/keys/a?wait=true&waitIndex=1"),
        b"HTTP/1.1 200 OK\r\n"
        + WHOLE % 4
        + b"Transfer-Encoding: chunked\r\n\r\n54\r\n"
        + b'{"action":"set",' + NODE % (4, 4) + b"}\n\r\n0\r\n\r\n",
    ),
    (
        b"GET /v2/keys/a?wait=true&waitIndex=1 HTTP/1.0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + WHOLE % 4 + b"\r\n" + b'{"action":"set",' + NODE % (4, 4) + b"}\n",
    ),
    (
        request(b"GET /v2/keys/a?wait=true&waitIndex=1", b"Connection: close\r\n"),
        b"HTTP/1.1 200 OK\r\n"
        + WHOLE % 4
        + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n54\r\n"
        + b'{"action":"set",' + NODE % (4, 4) + b"}\n\r\n0\r\n\r\n",
    ),
    (
        request(b"PUT /v2/keys/a", FORM + b"Expect: 100-Continue\r\n", b"value=1"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
        + WHOLE % 5
        + b"Content-Length: 155\r\n\r\n"
        + SET % (5, 5, 4, 4),
    ),
    (
        request(b"PUT /v2/keys/a", FORM + b"Transfer-Encoding: chunked\r\n") + b"7\r\nvalue=1\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + WHOLE % 6 + b"Content-Length: 155\r\n\r\n" + SET % (6, 6, 5, 5),
    ),
    (
        request(b"PUT /v2/keys/a", FORM + b"Transfer-Encoding: chunked\r\n") + b"2\r\nva\r\n",
        b"HTTP/1.1 400 Bad Request\r\n"
        + KEYS % 0
        + b"Date: D\r\nContent-Length: 83\r\nConnection: close\r\n\r\n"
        + b'{"errorCode":210,"message":"Invalid POST form","cause":"unexpected EOF","index":0}\n',
    ),
    (
        request(b"GET /v2/keys/a") * 2,
        (b"HTTP/1.1 200 OK\r\n" + WHOLE % 6 + b"Content-Length: 84\r\n\r\n" + GOT % (6, 6)) * 2,
    ),
]  # fmt: skip


def test_a_member_answers_as_recorded(tmp_path: Path) -> None:
    settings = load(
        {
            "name": "a",
            "data-dir": str(tmp_path / "d"),
            "advertise-client-urls": URL,
            "initial-advertise-peer-urls": URL,
            "initial-cluster": f"a={URL}",
        }
    )

    async def body() -> list[bytes]:
        started = open_member(settings, resolve=lambda host: host, ask=nobody, now=0, random=Random(1))
        node = Node(started, heartbeat=0.05, request_timeout=PATIENCE, snapshot_count=10000)
        await node.start()
        while node.members.version is None:
            await asyncio.sleep(0.001)
        sock = listen("http://127.0.0.1:0")
        serving = await serve(ClientApi(node).handle, [Listening(sock, None)])
        answers = []
        for sent, _ in RECORDED:
            reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
            writer.write(sent)
            writer.write_eof()
            answers.append(await asyncio.wait_for(reader.read(), PATIENCE))
            writer.close()
        await serving.cleanup()
        await node.stop()
        return answers

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(body())
    for (sent, recorded), answer in zip(RECORDED, answers, strict=True):
        shown = answer
        for name, letter in (("X-Etcd-Cluster-Id", "C"), ("X-Raft-Index", "N"), ("Date", "D")):
            shown = re.sub(rf"\r\n{name}: [^\r]*".encode(), f"\r\n{name}: {letter}".encode(), shown)
        assert (sent, shown) == (sent, recorded)
