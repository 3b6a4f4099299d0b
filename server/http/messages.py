"""HTTP as the handlers see it: a request value in, a response value out. No framework, no socket.

A handler gets the head of a request and answers it, or asks for the body first (:class:`ReadBody`). So no body is read
without need. Texts and headers of the plain answers are those of Go's net/http as etcd 2.3.8 uses it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

Headers = tuple[tuple[str, str], ...]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
JSON = ("Content-Type", "application/json")
CLOSE = ("Connection", "close")
"""In an answer, this ends the connection after it."""

WHOLE: Final = 2048
"""The longest body in bytes that is sent with its length. Longer ones are sent in chunks, as in Go, whose buffer has
this size: it begins to send before it knows the length."""


# These define ``__init__``, because the one that dataclass makes is never compiled.


@dataclass(slots=True, init=False)
class Request:
    """The head of a request. ``target`` is the raw request target with its query; ``headers`` finds names in
    any case; ``client`` is the client's address, without the port."""

    method: str
    target: bytes
    headers: Mapping[str, str]
    client: str

    def __init__(self, method: str, target: bytes, headers: Mapping[str, str], client: str = "") -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.client = client


@dataclass(slots=True, init=False)
class Body:
    """The body of a request, as far as it came. ``fault`` says in Go's words why it is not complete; empty if it is."""

    data: bytes
    fault: str

    def __init__(self, data: bytes, fault: str = "") -> None:
        self.data = data
        self.fault = fault


class BrokenOff(Exception):
    """A stream was broken off: the client's connection is closed, so that it does not take this for the end."""


class Stream(Protocol):
    """A body that comes in pieces, each sent at once. Its receiver must close it, whatever happens."""

    def take(self) -> bytes | None:
        """Everything that is there now, which may be nothing; None at the end. Raises BrokenOff."""

    def on_news(self, tell: Callable[[], object]) -> None:
        """Has ``tell`` called each time there may be more to take. It must only note that, and take later."""

    def close(self) -> None: ...


async def gathered(stream: Stream) -> bytes:
    """The whole body, in one piece; the stream is closed. Raises BrokenOff."""
    news = asyncio.Event()
    pieces = []
    stream.on_news(news.set)
    try:
        while (piece := stream.take()) is not None:
            pieces.append(piece)
            if not piece:
                await news.wait()
                news.clear()
    finally:
        stream.close()
    return b"".join(pieces)


class Finishing:
    """A base of streams that finish their current work although the client has stopped sending."""

    def is_at_something(self) -> bool:
        raise NotImplementedError

    def ends_by_itself(self) -> bool:
        """Whether the stream has an end: a server that stops waits for it."""
        return False

    def on_late(self, abort: Callable[[], object]) -> None:
        """``abort`` closes the client's connection at once. A stream that needs it calls it when its time is up and the
        client does not read: nothing else reaches such a client."""


@dataclass(slots=True, init=False)
class Response:
    """An answer; its headers are in the order of their names, as Go writes them.

    With a ``stream``, the status and headers are sent before its first piece is there, and ``body`` is not used. A long
    ``body`` is sent in chunks, unless the headers have its Content-Length; those of a short one must not.
    ``repeatable``: the same request gets this answer until something is written.
    """

    status: int
    headers: Headers
    body: bytes
    stream: Stream | None
    repeatable: bool

    def __init__(
        self,
        status: int,
        headers: Headers = (),
        body: bytes = b"",
        stream: Stream | None = None,
        repeatable: bool = False,
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
        self.repeatable = repeatable


class Refusal(Response):
    """Go's answer to bytes that are not a request: a page in plain text and nothing else, and the connection ends.
    ``line`` is the status line."""

    line: str

    def __init__(self, line: str) -> None:
        super().__init__(int(line[:3]), (TEXT, CLOSE), line.encode())
        self.line = line


@dataclass(slots=True, init=False)
class ReadBody:
    """The handler cannot answer without the body: it is read, and ``then`` answers.

    Of a body of more than ``limit`` bytes ``limit + 1`` are read, so that ``then`` sees that it is too long.
    ``is_patient`` gets the first bytes, and returns whether the body may take any time.
    """

    limit: int
    then: "Callable[[Body], Reply]"
    is_patient: Callable[[bytes], bool] | None

    def __init__(
        self,
        limit: int,
        then: "Callable[[Body], Reply]",
        is_patient: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.limit = limit
        self.then = then
        self.is_patient = is_patient


class Sink(Protocol):
    """Takes a body in pieces, for one that is too long to be kept whole."""

    def feed(self, piece: bytes) -> bool:
        """Takes the next bytes. False when it needs no more of them."""

    def held(self) -> int:
        """How many bytes it keeps in memory."""

    def end(self, fault: str) -> Response:
        """The answer, when the body has ended, or enough of it has come; ``fault`` as in Body."""


class PourBody(NamedTuple):
    """The handler takes the body piece by piece, of any length and in any time."""

    sink: Sink


class DeferredResponse:
    """The promise of an answer: await it, or give it a callback, which costs no task. Its maker calls ``keep`` once."""

    __slots__ = ("_answer", "_tell")

    def __init__(self) -> None:
        self._answer: Response | None = None
        self._tell: Callable[[Response], object] | None = None

    def on_done(self, tell: Callable[[Response], object]) -> None:
        """Has ``tell`` called with the answer, at once if it is there. ``tell`` must not begin a new request."""
        if self._answer is not None:
            tell(self._answer)
        else:
            self._tell = tell

    def keep(self, answer: Response) -> None:
        """This is the answer."""
        if self._tell is not None:
            self._tell(answer)
        else:
            self._answer = answer

    def __await__(self) -> Generator[Any, None, Response]:
        if self._answer is not None:
            return self._answer
        arrived: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def tell(answer: Response) -> None:
            if not arrived.done():
                arrived.set_result(answer)
            elif answer.stream is not None:
                answer.stream.close()  # nobody waits any more

        self._tell = tell
        return (yield from arrived)


class UntilGone:
    """The promise of an answer that may never come. It is cancelled also when the client only stops sending: most
    clients that close their connection show nothing else."""

    __slots__ = ("_promise",)

    def __init__(self, promise: Awaitable[Response]) -> None:
        self._promise = promise

    def __await__(self) -> Generator[Any, None, Response]:
        return (yield from self._promise.__await__())


Reply = Response | ReadBody | Awaitable[Response]
"""What a handler returns: an answer, a request for the body, or the promise of an answer."""

Handler = Callable[[Request], Reply]

PouringHandler = Callable[[Request], Reply | PourBody]


def text(status: int, message: str, *headers: tuple[str, str]) -> Response:
    """A line of text, as Go's http.Error writes it."""
    named = tuple(sorted((TEXT, ("X-Content-Type-Options", "nosniff"), *headers)))
    return Response(status, named, f"{message}\n".encode("utf-8", "surrogateescape"))


def not_found() -> Response:
    return text(404, "404 page not found")


def method_not_allowed(*allowed: str) -> Response:
    return text(405, "Method Not Allowed", ("Allow", ",".join(allowed)))


def about_all(request: Request) -> Response:
    """For the target ``*``, which is not a path: only OPTIONS is allowed."""
    return Response(200) if request.method == "OPTIONS" else Response(400, (CLOSE,))


def bad_request() -> Response:
    """For a target that never reaches a route."""
    return Refusal("400 Bad Request")
