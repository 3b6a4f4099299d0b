"""The key space of another etcd, asked with aiohttp: for a discovery service that keeps nothing itself."""

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from server.api.form import takes_body
from server.bounded import ACCEPT, Bounds, UnusableAnswer, check_encoding
from server.config import redacted
from server.discovery.api import MAX_BODY
from server.gowords import in_go_words
from server.http.messages import (
    Body,
    Headers,
    ReadBody,
    Reply,
    Request,
    Response,
    text,
)
from server.session import BoundedConnector, body_of, bounded_session, host_header, to_dial

BOUNDS = Bounds(body=1 << 20, seconds=10.0)
"""For an answer; the time is for one that is not to be waited for: etcd itself gives a write seven seconds."""

_CONNECT = 5.0
"""Seconds for a connection: the etcd is near, and the client that waits has a timeout too."""

_PASSED_ON = ("Content-Type", "X-Etcd-Cluster-Id", "X-Etcd-Index", "X-Raft-Index", "X-Raft-Term")


class RemoteKeys:
    """A context manager, made and used on a running loop. ``url`` is a client URL of the etcd."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        connector = BoundedConnector(limit=0)
        self._session = bounded_session(connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def handle(self, request: Request) -> Reply:
        """Answers as the other etcd does, or 503 with the reason when it does not; then members ask again."""
        if takes_body(request.method, request.headers.get("Content-Type", "")):
            return ReadBody(MAX_BODY, lambda body: self._forward(request, body))
        return self._forward(request, Body(b""))

    async def _forward(self, request: Request, body: Body) -> Response:
        waits = b"wait=true" in request.target
        patience = aiohttp.ClientTimeout(total=None if waits else BOUNDS.seconds, sock_connect=_CONNECT)
        kind = request.headers.get("Content-Type")
        try:
            to = to_dial(self._url)
            own = {**ACCEPT, **host_header(to)}
            response = await self._session.request(
                request.method,
                URL(str(to).rstrip("/") + request.target.decode("ascii", "surrogateescape"), encoded=True),
                data=body.data or None,
                headers=own if kind is None else {**own, "Content-Type": kind},
                timeout=patience,
                allow_redirects=False,
            )
            headers = _passed_on(response)
            if waits and response.status == 200:
                return Response(response.status, headers, stream=_Pieces(response))
            async with response:
                if not (200 <= response.status < 300 or 400 <= response.status < 600):
                    raise UnusableAnswer(
                        f"its answer has the status {response.status}, as none of etcd's does"
                    )
                return Response(response.status, headers, await body_of(response, BOUNDS))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return text(503, redacted(f"the store {self._url} does not answer: {in_go_words(error)}"))


def _passed_on(response: aiohttp.ClientResponse) -> Headers:
    return tuple((name, response.headers[name]) for name in _PASSED_ON if name in response.headers)


class _Pieces:
    """The body of a watch, as it comes. One that breaks off ends: a client that finds no event in it asks again."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._pieces: list[bytes] = []
        self._ended = False
        self._tell: Callable[[], object] = lambda: None
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        length = 0
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError):
            check_encoding(self._response.headers.get("Content-Encoding", ""))
            while piece := await self._response.content.readany():
                length += len(piece)
                if length > BOUNDS.body:
                    break  # no event is as long
                self._pieces.append(piece)
                self._tell()
        self._response.close()
        self._ended = True
        self._tell()

    def take(self) -> bytes | None:
        if not self._pieces:
            return None if self._ended else b""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def on_news(self, tell: Callable[[], object]) -> None:
        self._tell = tell

    def close(self) -> None:
        self._task.cancel()
        self._response.close()
