"""An HTTP server for tests that says what it is told to, byte for byte, and remembers what it was asked."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

Answer = bytes | Callable[[], bytes]
"""The bytes; an empty answer ends the connection. A function may wait first."""


class Asked(NamedTuple):
    line: str
    headers: dict[str, str]
    body: bytes


class Scripted:
    """A context manager. Gives the answers in order, the last one again and again, over whichever connections."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self.connections = 0
        self._scheme = "https" if tls else "http"
        self._server = _Server(self, tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._server.socket.getsockname()
        return f"{self._scheme}://{host}:{port}"

    @property
    def lines(self) -> list[str]:
        """The request lines."""
        return [asked.line for asked in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_answer(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, bytes) else answer()


def answer(status: int, content: object = None, *headers: str) -> bytes:
    """An answer with JSON, or with the bytes themselves, or with nothing."""
    body = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def members(*client_urls: str) -> bytes:
    """What ``/v2/members`` says of one member with these addresses."""
    member = {"id": "1", "name": "a", "peerURLs": ["http://p:1"], "clientURLs": list(client_urls)}
    return answer(200, {"members": [member]})


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, scripted: Scripted, tls: ssl.SSLContext | None) -> None:
        self.scripted = scripted
        self.tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def setup(self) -> None:
        self.server.scripted.connections += 1
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        while line := self.rfile.readline().decode().strip():
            headers = {}
            while field := self.rfile.readline().decode().strip():
                name, _, value = field.partition(": ")
                headers[name.lower()] = value
            body = self.rfile.read(int(headers.get("content-length", 0)))
            said = self.server.scripted.next_answer(Asked(line, headers, body))
            if not said:
                return
            self.wfile.write(said)
            if b"Connection: close" in said or b"Content-Length" not in said:
                return
