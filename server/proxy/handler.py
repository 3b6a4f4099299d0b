"""What clients of a proxy get: a member's answer, or one of the few that the proxy makes. Knows no framework.

The paths, statuses and texts are those of etcd 2.3.8's proxy.
"""

import json
from collections.abc import Callable

from server.api.errors import message
from server.api.keys import METHODS
from server.http.messages import (
    TEXT,
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    UntilGone,
    about_all,
    bad_request,
    method_not_allowed,
    not_found,
)
from server.http.targets import BadPathError, decode_path, split_target
from server.proxy.exchange import LOOP_DETECTED, Exchange, Exchanges
from server.proxy.metrics import serve_metrics
from server.proxy.requests import Lines, RequestHeads, request_head

MAX_BODY = 64 << 20
"""Bytes of a request; etcd knows no limit here, but a body is kept until it is answered. Members take less."""

_CONFIG = "/v2/config/local/proxy"
_KEYS = b"/v2/keys"
_READS = frozenset(("GET", "HEAD"))


class ProxyHandler:
    """Answers requests. ``readonly`` lets only reads through."""

    def __init__(self, exchanges: Exchanges, heads: RequestHeads, *, readonly: bool) -> None:
        self._exchanges = exchanges
        self._heads = heads
        self._readonly = readonly
        self._own: dict[str, Callable[[Request], Response]] = {
            "/metrics": lambda _: serve_metrics(exchanges.metrics),
            _CONFIG: self._config,
        }

    def handle(self, request: Request) -> Reply:
        """Answers a request; never raises."""
        is_usual = request.method in METHODS and request.target.startswith(_KEYS)
        if self._readonly or not is_usual:
            own = self._answer(request)
            if own is not None:
                return own
        lines = self._heads.lines(request)
        if lines.come_round:
            return message(LOOP_DETECTED, "proxy: this request has passed through here before")
        if lines.bodiless:
            return self._send(request, lines, Body(b""))
        return ReadBody(MAX_BODY, lambda body: self._send(request, lines, body))

    def _answer(self, request: Request) -> Response | None:
        """Those of the proxy itself; None if a member is to answer."""
        if request.method == "CONNECT" and not request.target.startswith(b"/"):
            return not_found()
        if request.target == b"*":
            return about_all(request)
        try:
            path = decode_path(split_target(request.target)[0])
        except BadPathError:
            return bad_request()
        if path == "/metrics":
            return self._own[path](request)
        if self._readonly and request.method not in _READS:
            return Response(501)
        if request.method == "OPTIONS":
            return Response(200)
        serve = self._own.get(path)
        return None if serve is None else serve(request)

    def _config(self, request: Request) -> Response:
        if request.method != "GET":
            return method_not_allowed("GET")
        exchanges = self._exchanges
        endpoints = exchanges.director.available(exchanges.loop.time())
        body = json.dumps({"endpoints": endpoints}, separators=(",", ":"))
        return Response(200, (TEXT,), f"{body}\n".encode())

    def _send(self, request: Request, lines: Lines, body: Body) -> Reply:
        if body.fault:
            return message(500, f"proxy: failed to read request body: {body.fault}")
        if len(body.data) > MAX_BODY:
            return message(413, f"proxy: the request body is longer than {MAX_BODY} bytes")
        head = request_head(request, lines, len(body.data))
        begun = self._exchanges.begin(request.method, head + body.data, quick=_is_quick(request, lines))
        if isinstance(begun, Exchange) and b"wait" in request.target:
            return UntilGone(begun)
        return begun


def _is_quick(request: Request, lines: Lines) -> bool:
    """Whether a member answers it at once, with no more than one key or one directory."""
    target = request.target
    return request.method == "GET" and lines.bodiless and target.startswith(_KEYS) and b"?" not in target
