"""An HTTP server that means no good: a table of what it may answer, each to whatever it is asked.

``HARMFUL`` are answers that nobody can use, whoever asked; ``MISSHAPEN`` are whole answers of HTTP with JSON that is
not what anybody expects. Threads on loopback; ``sent`` is how many bytes were taken from it, which bounds what the one
who asked can have kept.
"""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

Behaviour = Callable[[str], Iterator[bytes]]
"""Yields what is sent, given the server's own URL. It is asked for the next bytes when the last were taken."""

_PIECE = b"a" * 65536
_OK = b"HTTP/1.1 200 OK\r\nX-Etcd-Index: 5\r\nX-Etcd-Cluster-ID: 1\r\nContent-Type: application/json\r\n"


def whole(body: bytes, head: bytes = _OK) -> bytes:
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _once(*pieces: bytes) -> Behaviour:
    return lambda url: iter(pieces)


def _for_ever(start: bytes, piece: bytes) -> Behaviour:
    def sent(url: str) -> Iterator[bytes]:
        yield start
        while True:
            yield piece

    return sent


def _drip(start: bytes, piece: bytes = b"1") -> Behaviour:
    """One piece and then a pause, again and again: each comes well within any time for one read."""

    def sent(url: str) -> Iterator[bytes]:
        yield start
        while True:
            threading.Event().wait(0.05)
            yield piece

    return sent


def _silent(url: str) -> Iterator[bytes]:
    threading.Event().wait(30)
    yield b""


def _redirect(to: str, status: int = 307) -> Behaviour:
    """``{}`` stands for the server's own URL."""

    def sent(url: str) -> Iterator[bytes]:
        head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {to.format(url)}\r\nContent-Length: 0\r\n\r\n"
        yield head.encode()

    return sent


def _json(body: bytes) -> Behaviour:
    return _once(whole(body))


_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"10000\r\n" + _PIECE + b"\r\n"

HARMFUL: Mapping[str, Behaviour] = {
    "a body without an end, in chunks": _for_ever(_CHUNKED, _CHUNK),
    "a body without an end and without a length": _for_ever(_OK + b"\r\n", _PIECE),
    "a length beyond all bounds": _for_ever(_OK + b"Content-Length: 99999999999999999\r\n\r\n", _PIECE),
    "a length that 64 bits do not hold": _once(
        _OK + b"Content-Length: 99999999999999999999999\r\n\r\n", _PIECE
    ),
    "a length below zero": _once(_OK + b"Content-Length: -1\r\n\r\n{}"),
    "a length that is none": _once(_OK + b"Content-Length: ten\r\n\r\n{}"),
    "two lengths": _once(_OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a length and chunks": _once(_OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a body that ends early": _once(_OK + b'Content-Length: 1000\r\n\r\n{"node":'),
    "chunks that end early": _once(_CHUNKED + b"5\r\n[[["),
    "a chunk whose size is none": _once(_CHUNKED + b"xyz\r\n{}\r\n"),
    "a chunk's extension without an end": _for_ever(_CHUNKED + b"1;", _PIECE),
    "trailers without an end": _for_ever(_CHUNKED + b"1\r\n{\r\n0\r\n", b"X-More: a\r\n" * 4096),
    "a body that drips": _drip(_OK + b"Content-Length: 100000\r\n\r\n"),
    "chunks that drip": _drip(_CHUNKED, b"1\r\n1\r\n"),
    "a head that drips": _drip(b"HTTP/1.1 200 OK\r\nX-A: "),
    "headers that drip": _drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "silence": _silent,
    "headers without an end": _for_ever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 8192),
    "a header without an end": _for_ever(b"HTTP/1.1 200 OK\r\nX-A: ", _PIECE),
    "a header's name without an end": _for_ever(b"HTTP/1.1 200 OK\r\n", _PIECE),
    "a status line without an end": _for_ever(b"HTTP/1.1 200 ", _PIECE),
    "a flood of 100 Continue": _for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "a flood of 103 Early Hints": _for_ever(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 1000),
    "another protocol": _once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "another version of HTTP": _once(b"HTTP/9.9 200 OK\r\n\r\n"),
    "a status that is none": _once(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a status of four digits": _once(b"HTTP/1.1 2000 OK\r\n\r\n"),
    "a status of zero": _once(b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n"),
    "nothing but an end": _once(),
    "a change of protocols": _once(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
    "a header with a zero byte": _once(_OK + b"X-A: \0\r\nContent-Length: 2\r\n\r\n{}"),
    "gzip that was not asked for": _once(
        whole(gzip.compress(b"[" * 10_000_000), _OK + b"Content-Encoding: gzip\r\n")
    ),
    "a redirect to itself": _redirect("{}/again"),
    "a redirect to another host": _redirect("http://127.0.0.2:9/v2/keys"),
    "a redirect to a file": _redirect("file:///etc/passwd"),
    "a redirect to ftp": _redirect("ftp://127.0.0.1/x", 302),
    "a redirect to no URL": _redirect("http://[::1/"),
    "brackets, a hundred thousand deep": _json(b"[" * 100_000),
    "objects, a hundred thousand deep": _json(b'{"node":' * 100_000 + b"1" + b"}" * 100_000),
    "quotes without an end": _json(b'[["' + b'\\"' * 30_000),
    "a number beyond all bounds": _json(b'{"node":{"createdIndex":1e999,"value":"1","key":"/a"}}'),
    "an integer of five thousand digits": _json(b'{"node":{"createdIndex":' + b"9" * 5000 + b"}}"),
    "a number that is none": _json(b'{"node":{"createdIndex":NaN}}'),
    "bytes that are no UTF-8": _json(b'{"node":{"value":"\xff\xfe"}, x'),
    "half a document": _json(b'{"node":{"va'),
}

MISSHAPEN: Mapping[str, Behaviour] = {
    text[:60]: _json(text.encode())
    for text in (
        "[]",
        "[1]",
        "[[]]",
        "5",
        '"x"',
        "null",
        "{}",
        '{"node":5}',
        '{"node":[]}',
        '{"node":null}',
        '{"node":{"nodes":5,"dir":true}}',
        '{"node":{"nodes":[5],"dir":true}}',
        '{"node":{"nodes":[{"key":5}]}}',
        '{"node":{"key":5,"value":5}}',
        '{"node":{"key":"/a","value":{}}}',
        '{"node":{"key":"/a","value":"b","expiration":5}}',
        '{"node":{"key":"/a","value":"b","createdIndex":"x","modifiedIndex":[]}}',
        '{"node":{"key":"/a","value":"b","ttl":"x"}}',
        '{"errorCode":"x","message":5,"cause":[],"index":{}}',
        '{"members":5}',
        '{"members":[5]}',
        '{"members":[{"id":5,"peerURLs":5,"clientURLs":{}}]}',
        '{"members":[{"id":"a","clientURLs":["file:///etc/passwd"]}]}',
        '[{"id":-1,"peerURLs":[5]}]',
        '{"etcdserver":[],"etcdcluster":{}}',
        '{"users":5,"roles":5}',
        '{"OK":true,"Now":5}',
        '{"Root":5}',
        '[{"name":1,"clientURL":2,"peerURL":3}]',
    )
}


class HostileServer:
    """A context manager; behaves in one way."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0
        self.asked = 0
        self.heads: list[str] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            self.heads.append(head.decode("latin-1"))
            self.asked += 1
            for piece in self._behaviour(self.url):
                connection.sendall(piece)
                self.sent += len(piece)
            connection.shutdown(socket.SHUT_WR)  # and what is left of the request is read: no reset
            while connection.recv(65536):
                pass
