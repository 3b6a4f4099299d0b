"""HTTP as the handlers see it: a request value in, a response value out. No framework, no socket.

A handler gets the head of a request and answers it, or says that it wants the body first (:class:`ReadBody`). So
whoever carries the bytes reads none that nobody wants. Texts and headers of the plain answers are those of Go's
net/http as etcd 2.3.8 uses it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, str], ...]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
CLOSE = ("Connection", "close")
"""In an answer, this ends the connection after it."""


class Request(NamedTuple):
    """The head of a request. ``target`` is the raw request target with its query; ``headers`` finds names in
    any case."""

    method: str
    target: bytes
    headers: Mapping[str, str]


class Body(NamedTuple):
    """What came of a body. ``fault`` says in Go's words why it is not whole, and is empty when it is."""

    data: bytes
    fault: str = ""


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


class ReadBody(NamedTuple):
    """The handler cannot answer without the body: it is read, and ``then`` answers.

    Of a body of more than ``limit`` bytes ``limit + 1`` are read, by which ``then`` sees that it is too long.
    """

    limit: int
    then: "Callable[[Body], Reply]"


class Sink(Protocol):
    """Takes a body in pieces, for one that is too long to be kept whole."""

    def feed(self, piece: bytes) -> bool:
        """Takes the next bytes. False when it wants no more of them."""

    def end(self, fault: str) -> Response:
        """Answers, when the body has ended, or enough of it has come; ``fault`` as in Body."""


class PourBody(NamedTuple):
    """The handler wants the body piece by piece, as long as it may be."""

    sink: Sink


Reply = Response | ReadBody | Awaitable[Response]
"""What a handler returns: an answer, the wish for the body, or the promise of an answer when it takes time."""

Handler = Callable[[Request], Reply | PourBody]


def text(status: int, message: str, *headers: tuple[str, str]) -> Response:
    """A line of text, as Go's http.Error writes it."""
    return Response(status, (TEXT, ("X-Content-Type-Options", "nosniff"), *headers), f"{message}\n".encode())


def not_found() -> Response:
    return text(404, "404 page not found")


def method_not_allowed(*allowed: str) -> Response:
    return text(405, "Method Not Allowed", ("Allow", ",".join(allowed)))


def refused(status: int, message: str) -> Response:
    """For what never reaches a route; the connection ends with it."""
    return Response(status, (TEXT, CLOSE), f"{status} {message}".encode())


def bad_request() -> Response:
    return refused(400, "Bad Request")
