"""A load generator on raw sockets for what wrk cannot do: a number of writes, watchers, one client at a steady pace.

One thread and epoll; an answer costs it a few microseconds, far less than any server, so that it is not what is
measured. It relies on what servers send in practice: an answer has a Content-Length, or chunks whose last is empty.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MARK = b"~"
"""Stands once in every value that watchers are to see, and nowhere else in what they get."""

STORE_STATS = b"GET /v2/stats/store HTTP/1.1\r\nHost: bench\r\n\r\n"

_BUFFER = 1 << 18


class Failed(Exception):
    """A server gave an error, or hung up."""


class Client:
    """One keep-alive connection, one request at a time."""

    __slots__ = ("_pending", "sock")

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""

    def send(self, request: bytes) -> None:
        self.sock.sendall(request)

    def receive(self) -> bytes | None:
        """Reads what is there: the whole answer, or None when there is more to come. Raises Failed for an error."""
        piece = self.sock.recv(_BUFFER)
        if not piece:
            raise Failed("the server closed a connection")
        answer = self._pending + piece
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found or not _is_whole(head, body):
            self._pending = answer
            return None
        self._pending = b""
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise Failed(answer.decode("utf-8", "replace"))
        return answer

    def ask(self, request: bytes) -> bytes:
        """Sends a request and waits for its answer."""
        self.send(request)
        while (answer := self.receive()) is None:
            pass
        return answer

    def close(self) -> None:
        self.sock.close()


def _is_whole(head: bytes, body: bytes) -> bool:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at >= 0:
        return len(body) >= int(lower[at + 15 :].split(b"\r\n", 1)[0])
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"\r\n0\r\n\r\n")
    raise Failed(f"neither a Content-Length nor chunks in {head!r}")


def put(key: str, value: bytes, **form: str) -> bytes:
    """A PUT as bytes; ``key`` without a slash at its beginning."""
    body = b"value=" + value + b"".join(f"&{name}={text}".encode() for name, text in form.items())
    return (
        f"PUT /v2/keys/{key} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def percentile(numbers: Sequence[float], which: int) -> float:
    return sorted(numbers)[min(len(numbers) - 1, len(numbers) * which // 100)]


def get(key: str, query: str = "") -> bytes:
    return f"GET /v2/keys/{key}{query} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def send_all(port: int, requests: Iterator[bytes], connections: int = 64) -> int:
    """Sends the requests over so many connections, each the next as soon as it has its answer; how many there
    were."""
    clients: dict[int, Client] = {}
    poll = select.epoll()
    sent = 0
    for request in requests:
        client = Client(port)
        client.send(request)
        sent += 1
        clients[client.sock.fileno()] = client
        poll.register(client.sock, select.EPOLLIN)
        if len(clients) == connections:
            break
    busy = len(clients)
    while busy:
        for fd, _ in poll.poll():
            client = clients[fd]
            if client.receive() is None:
                continue
            request_or_none = next(requests, None)
            if request_or_none is None:
                busy -= 1
            else:
                client.send(request_or_none)
                sent += 1
    for client in clients.values():
        client.close()
    poll.close()
    return sent


def tree_of_keys(count: int, value_bytes: int, per_directory: int = 200) -> Iterator[bytes]:
    """PUTs of that many keys in directories of a usual size."""
    value = b"v" * value_bytes
    for n in range(count):
        yield put(f"bench/{n // per_directory:05d}/{n:08d}", value)


class Followed(NamedTuple):
    """Seconds: from the first write to the last event, from each write to its answer, and from each write to each of
    its events."""

    took: float
    answers: list[float]
    events: list[float]


class Watchers:
    """Streaming watchers of a directory, or long polls, that count the events they get and note when."""

    def __init__(
        self, port: int, keys: Sequence[str], query: str = "?wait=true&recursive=true&stream=true"
    ) -> None:
        self._poll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._buffer = bytearray(_BUFFER)
        self._seen: dict[int, int] = {}
        for key in keys:
            client = Client(port)
            client.send(get(key, query))
            self._clients[client.sock.fileno()] = client
            self._seen[client.sock.fileno()] = 0
            self._poll.register(client.sock, select.EPOLLIN)

    def __len__(self) -> int:
        return len(self._clients)

    def wait_for_heads(self) -> None:
        """Returns when each has the head of its answer, and so is registered."""
        waiting = set(self._clients)
        while waiting:
            for fd, _ in self._poll.poll(60, -1) or self._nothing():
                if b"\r\n\r\n" in self._clients[fd].sock.recv(_BUFFER):
                    waiting.discard(fd)

    def write_and_follow(self, writer: Client, writes: Sequence[bytes]) -> Followed:
        """Sends the writes, each when the last one is answered, and reads until every watcher has seen them all.

        Every watcher must be a stream that each of the writes concerns.
        """
        fd_of_writer = writer.sock.fileno()
        self._poll.register(fd_of_writer, select.EPOLLIN)
        first = dict(self._seen)
        answers: list[float] = []
        events: list[float] = []
        missing = len(writes) * len(self._clients)
        clock = time.perf_counter
        sent = [clock()]
        writer.send(writes[0])
        while missing or len(answers) < len(writes):
            for fd, _ in self._poll.poll(60, -1) or self._nothing():
                if fd == fd_of_writer:
                    if writer.receive() is not None:
                        now = clock()
                        answers.append(now - sent[-1])
                        if len(sent) < len(writes):
                            sent.append(now)
                            writer.send(writes[len(sent) - 1])
                    continue
                size = self._clients[fd].sock.recv_into(self._buffer)
                if not size:
                    raise Failed("the server ended a watch")
                new = self._buffer.count(MARK, 0, size)
                now = clock()
                seen = self._seen[fd]
                for n in range(seen, seen + new):
                    events.append(now - sent[n - first[fd]])
                self._seen[fd] = seen + new
                missing -= new
        took = clock() - sent[0]
        self._poll.unregister(fd_of_writer)
        return Followed(took, answers, events)

    def _nothing(self) -> list[tuple[int, int]]:
        raise Failed("a minute without an event")

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self._poll.close()
