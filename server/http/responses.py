"""Heads of answers as bytes. Pure: the Date line is an argument."""

from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus

from server.http.heads import Head
from server.http.messages import Headers

BODILESS = frozenset((204, 304))
"""Statuses of answers that have neither a body nor a Content-Length."""

_REASONS = {status.value: f"{status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Dates:
    """The Date line of an answer, made once a second. ``clock`` returns the Unix time in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = -1
        self._line = ""

    def line(self) -> str:
        now = int(self._clock())
        if now != self._second:
            self._second = now
            self._line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        return self._line


def answer_head(
    status: int,
    headers: Headers,
    date: str,
    length: int | None,
    head: Head,
    keeps: bool,
    *,
    chunked: bool = False,
) -> bytes:
    """The head of an answer to a request with ``head``: the handler's headers, then those of HTTP itself, in the
    order of Go's net/http. ``date`` is the Date line.

    ``length`` is that of the body, None for no Content-Length; ``keeps`` says whether the connection continues after
    the answer, ``chunked`` whether the body is in chunks, which HTTP/1.0 does not have.
    """
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    size = "" if length is None else f"Content-Length: {length}\r\n"
    if head.http10:
        connection = "Connection: keep-alive\r\n" if keeps else ""
        return f"HTTP/1.0 {_REASONS[status]}{lines}{date}{size}{connection}\r\n".encode()
    connection = "" if keeps else "Connection: close\r\n"
    coding = "Transfer-Encoding: chunked\r\n" if chunked else ""
    return f"HTTP/1.1 {_REASONS[status]}{lines}{date}{size}{connection}{coding}\r\n".encode()


def refusal_page(status_line: str, words: bytes) -> bytes:
    """Go's whole answer to bytes that are not a request."""
    head = f"HTTP/1.1 {status_line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    return head.encode() + words
