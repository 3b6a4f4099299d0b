"""HTTP as the handlers see it: a request value in, a response value out. No framework, no socket.

Texts and headers of the plain answers are those of Go's net/http as etcd 2.3.8 uses it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, str], ...]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")


class Request(NamedTuple):
    """``target`` is the raw request target with its query; ``headers`` finds names in any case; ``body`` is
    whole."""

    method: str
    target: bytes
    headers: Mapping[str, str]
    body: bytes


class Stream(Protocol):
    """A body that comes in pieces, each sent at once. Whoever got it closes it, whatever happens."""

    async def next(self) -> bytes | None:
        """The next piece, as soon as there is one; None at the end."""

    def close(self) -> None: ...


class Response(NamedTuple):
    """With a ``stream``, the status and headers go out before its first piece is there, and ``body`` is not
    used."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    stream: Stream | None = None


Reply = Response | Awaitable[Response]
"""What a handler returns: an answer, or the promise of one when it takes time."""

Handler = Callable[[Request], Reply]


def text(status: int, message: str, *headers: tuple[str, str]) -> Response:
    """A line of text, as Go's http.Error writes it."""
    return Response(status, (TEXT, ("X-Content-Type-Options", "nosniff"), *headers), f"{message}\n".encode())


def not_found() -> Response:
    return text(404, "404 page not found")


def method_not_allowed(*allowed: str) -> Response:
    return text(405, "Method Not Allowed", ("Allow", ",".join(allowed)))


def bad_request() -> Response:
    """For what never reaches a route; the connection ends with it."""
    return Response(400, (TEXT, ("Connection", "close")), b"400 Bad Request")
