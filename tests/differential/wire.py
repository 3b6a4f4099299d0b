"""HTTP as it goes over the wire: requests sent as bytes, answers taken apart and nothing of them left out.

Client libraries tidy up what they send and what they get; here both are the thing looked at.
"""

import contextlib
import select
import socket
from typing import NamedTuple

PATIENCE = 10.0
"""Seconds for an answer that has to come."""


class Answer(NamedTuple):
    """``status`` is the whole line, ``headers`` in the order they came, ``interim`` the status lines of 1xx answers.

    ``end`` says what became of the connection where that is not to keep it: ``closed`` after a whole answer,
    ``broken`` in the middle of one or before it, ``silent`` when no answer came in time.
    """

    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    interim: tuple[str, ...] = ()
    end: str = ""

    @property
    def code(self) -> int:
        return int(self.status.split(" ")[1]) if self.status.count(" ") else 0

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class _Ended(Exception):
    """The server closed the connection."""


class _Silent(Exception):
    """Nothing came in time."""


class Wire:
    """One client connection, opened when it is needed, and again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """A whole request. On a connection the server has dropped without saying so it stays unanswered."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
        with contextlib.suppress(OSError):  # what was answered before it closed may still be read
            self._socket.sendall(data)

    def receive(self, method: str) -> Answer:
        """The answer to a request of that method."""
        interim: list[str] = []
        status, body = "", b""
        headers: tuple[tuple[str, str], ...] = ()
        try:
            status, headers = self._head()
            while status.split(" ")[1].startswith("1"):
                interim.append(status)
                status, headers = self._head()
            got = Answer(status, headers, b"", tuple(interim))
            body = self._body(method, got)
        except (_Ended, _Silent) as cut:
            self.close()
            end = "broken" if isinstance(cut, _Ended) else "silent"
            return Answer(status, headers, body, tuple(interim), end)
        kept = got.header("Connection")
        if kept == "close" or (status.startswith("HTTP/1.0") and kept != "keep-alive"):
            end = "closed" if self._is_at_end() else "open though it said close"
            self.close()
            return got._replace(body=body, end=end)
        return got._replace(body=body)

    def receive_head(self) -> Answer:
        """The head of an answer, whose body is to come by :meth:`arrived`, if it comes in chunks; else all of it."""
        try:
            status, headers = self._head()
        except (_Ended, _Silent):
            self.close()
            return Answer(end="broken")
        got = Answer(status, headers)
        if got.header("Transfer-Encoding") == "chunked":
            return got
        try:
            return got._replace(body=self._body("GET", got))
        except (_Ended, _Silent):
            self.close()
            return got._replace(end="broken")

    def arrived(self, wait: float) -> tuple[bytes, str]:
        """All of a chunked body that has come since the head, after waiting for more; and ``whole`` when it is."""
        end = ""
        if self._socket is not None and select.select([self._socket], [], [], wait)[0]:
            try:
                self._more(wait)
            except _Ended:
                end = "cut off"
        data, rest, buffer = b"", self._buffer, self._buffer
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            if length == 0:
                return data, "whole"
            data, rest = data + rest[:length], rest[length + 2 :]
        self._buffer = buffer
        return data, end

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _head(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        status, *lines = head.split("\r\n")
        return status, tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))

    def _body(self, method: str, got: Answer) -> bytes:
        if method == "HEAD" or got.code in (204, 304):
            return b""
        if got.header("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self._until(b"\r\n"), 16):
                data += self._exactly(size + 2)[:-2]
            self._exactly(2)
            return data
        length = got.header("Content-Length")
        if length is not None:
            return self._exactly(int(length))
        with contextlib.suppress(_Ended):
            while True:
                self._more(PATIENCE)
        return self._buffer

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more(PATIENCE)
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more(PATIENCE)
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _is_at_end(self) -> bool:
        try:
            self._more(PATIENCE)
        except _Ended:
            return True
        except _Silent:
            pass
        return False

    def _more(self, patience: float) -> None:
        if self._socket is None:
            raise _Ended
        self._socket.settimeout(max(patience, 0.001))
        try:
            data = self._socket.recv(1 << 16)
        except TimeoutError:
            raise _Silent from None
        except OSError:
            raise _Ended from None
        if not data:
            raise _Ended
        self._buffer += data
