"""HTTP as the handlers see it: a request value in, a response value out. No framework, no socket.

A handler gets the head of a request and answers it, or says that it wants the body first (:class:`ReadBody`). So
whoever carries the bytes reads none that nobody wants. Texts and headers of the plain answers are those of Go's
net/http as etcd 2.3.8 uses it.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, NamedTuple, Protocol

from server.store.gojson import quote

Headers = tuple[tuple[str, str], ...]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
CLOSE = ("Connection", "close")
"""In an answer, this ends the connection after it."""

WHOLE = 2048
"""The longest body in bytes that is sent with its length. Longer ones go out in chunks, as Go does it, which has to
begin sending before it has seen the end."""


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

    def take(self) -> bytes | None:
        """All that is there now, which may be nothing; None at the end."""

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called each time there may be more to take. It must only note that, and take later."""

    def close(self) -> None: ...


class Response(NamedTuple):
    """An answer; its headers are in the order of their names, as Go writes them.

    With a ``stream``, the status and headers go out before its first piece is there, and ``body`` is not used.
    ``repeatable``: the same request has this answer until something is written.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    stream: Stream | None = None
    repeatable: bool = False


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


class Later:
    """The promise of an answer: awaited, or told to a callback, which costs no task."""

    __slots__ = ()

    def on_done(self, tell: Callable[[Response], object]) -> None:
        """Has ``tell`` called with the answer, at once if it is there. It must not ask for anything new."""
        raise NotImplementedError

    def __await__(self) -> Generator[Any, None, Response]:
        raise NotImplementedError


class Attended:
    """The promise of an answer that may take as long as it likes, and that is given up as soon as the client sends no
    more: then what was awaited is cancelled. Not for the hot path."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Awaitable[Response]) -> None:
        self._answer = answer

    def __await__(self) -> Generator[Any, None, Response]:
        return self._answer.__await__()


Reply = Response | ReadBody | Awaitable[Response]
"""What a handler returns: an answer, the wish for the body, or the promise of an answer when it takes time."""

Handler = Callable[[Request], Reply]

PouringHandler = Callable[[Request], Reply | PourBody]


def text(status: int, message: str, *headers: tuple[str, str]) -> Response:
    """A line of text, as Go's http.Error writes it."""
    named = tuple(sorted((TEXT, ("X-Content-Type-Options", "nosniff"), *headers)))
    return Response(status, named, f"{message}\n".encode("utf-8", "surrogateescape"))


def message(status: int, words: str, *headers: tuple[str, str]) -> Response:
    """An error in JSON, as all but keys have it; ``words`` may hold what is not UTF-8, by ``surrogateescape``."""
    return Response(status, (JSON, *headers), f'{{"message":{quote(words)}}}'.encode())


def not_found() -> Response:
    return text(404, "404 page not found")


def method_not_allowed(*allowed: str) -> Response:
    return text(405, "Method Not Allowed", ("Allow", ",".join(allowed)))


def refused(status: int, message: str) -> Response:
    """For what never reaches a route; the connection ends with it."""
    return Response(status, (TEXT, CLOSE), f"{status} {message}".encode())


def bad_request() -> Response:
    return refused(400, "Bad Request")
