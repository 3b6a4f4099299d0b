"""Carries the handlers over HTTP with aiohttp, the only module that knows it. Sockets come bound; decides
nothing.

What aiohttp adds and Go does not (a Server header) is taken out again, so that answers look as etcd's do.
"""

import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiohttp import web

from server.api.http import Handler, Headers, Request, Response, text

logger = logging.getLogger(__name__)

_NO_LIMIT = 1 << 40
_MAX_HEAD = 1 << 20
"""Bytes of a request's head: Go's limit."""

_SHUTDOWN_PATIENCE = 1.0
"""Seconds for requests under way to finish when the server stops."""

_BAD_REQUEST_LOGGER = logging.getLogger("server.api.bad_requests")
"""Where aiohttp reports requests that are no HTTP, each with a traceback: to nobody. It has answered them with 400."""

HeadersFor = Callable[[str], Headers]


class Listening(NamedTuple):
    """A bound, listening socket; with a context its connections speak TLS."""

    socket: socket.socket
    tls: ssl.SSLContext | None


async def serve(
    handler: Handler, sockets: Sequence[Listening], cors: HeadersFor | None = None
) -> web.AppRunner:
    """Answers what comes in on the sockets until the ``cleanup`` of the returned runner.

    ``cors`` gives further headers for a request's Origin. When a client goes away, its handler is cancelled.
    """

    async def answer(got: web.Request) -> web.StreamResponse:
        target = got.raw_path.encode("utf-8", "surrogateescape")
        body = await got.read() if got.body_exists else b""
        try:
            reply = handler(Request(got.method, target, got.headers, body))
            response = reply if isinstance(reply, Response) else await reply
        except Exception:
            logger.exception("this is a fault in the server, please report it: %s %r", got.method, target)
            response = text(500, "Internal Server Error")
        headers = response.headers
        if cors is not None:
            headers += cors(got.headers.get("Origin", ""))
        if response.stream is None:
            return web.Response(status=response.status, headers=headers, body=response.body)
        return await _send_stream(got, response, headers)

    _BAD_REQUEST_LOGGER.disabled = True
    application = web.Application(client_max_size=_NO_LIMIT)
    application.router.add_route("*", "/{path:.*}", answer)
    application.on_response_prepare.append(_without_server)
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=_BAD_REQUEST_LOGGER,
        handler_cancellation=True,
        auto_decompress=False,
        max_line_size=_MAX_HEAD,
        max_field_size=_MAX_HEAD,
        shutdown_timeout=_SHUTDOWN_PATIENCE,
    )
    await runner.setup()
    for listening in sockets:
        await web.SockSite(runner, listening.socket, ssl_context=listening.tls, backlog=1024).start()
    return runner


async def _send_stream(
    got: web.Request, response: Response, headers: tuple[tuple[str, str], ...]
) -> web.StreamResponse:
    stream = response.stream
    assert stream is not None
    sent = web.StreamResponse(status=response.status, headers=headers)
    try:
        await sent.prepare(got)
        while (piece := await stream.next()) is not None:
            await sent.write(piece)
        await sent.write_eof()
    except ConnectionResetError:
        pass  # the client has gone, which is how a watch usually ends
    finally:
        stream.close()
    return sent


async def _without_server(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)
