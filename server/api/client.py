"""The client API of a member: which path is served by what, and the keys themselves. Knows no framework."""

from collections.abc import Callable

from server.api.form import MAX_BODY, takes_body
from server.api.http import (
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    bad_request,
    method_not_allowed,
    not_found,
)
from server.api.keys import (
    METHODS,
    Answer,
    answer_error,
    answer_event,
    answer_redirect,
    answer_watch,
    check_key,
    parse_keys_request,
)
from server.api.members import PREFIX as MEMBERS_PREFIX
from server.api.members import serve_machines, serve_members
from server.api.paths import BadPathError, decode_path, is_keys_path, redirect_location, split_target
from server.api.stats import serve_health, serve_leader, serve_self, serve_store, serve_version
from server.api.watch import WatchStream
from server.node import Answer as NodeAnswer
from server.node import Node
from server.store import ErrorCode, EtcdError, Event, Watcher

_EXACT: dict[str, Callable[[Node, Request], Reply]] = {
    "/v2/machines": serve_machines,
    "/v2/stats/self": serve_self,
    "/v2/stats/leader": serve_leader,
    "/v2/stats/store": serve_store,
    "/version": serve_version,
    "/health": serve_health,
}


class ClientApi:
    """Serves one node. ``cors`` are the origins that cross-origin requests are allowed from, ``*`` for
    all."""

    def __init__(self, node: Node, cors: tuple[str, ...] = ()) -> None:
        self._node = node
        self._cors = frozenset(cors)
        self._watches: set[WatchStream] = set()

    def handle(self, request: Request) -> Reply:
        """Answers a request; never raises."""
        if request.method == "CONNECT":
            return not_found()
        if request.method == "OPTIONS" and request.target == b"*":
            return Response(200)
        try:
            raw_path, query = split_target(request.target)
            path = decode_path(raw_path)
        except BadPathError:
            return bad_request()
        if request.method == "OPTIONS":
            return Response(200)
        location = redirect_location(path, query)
        if location is not None:
            return Response(*answer_redirect(request.method, location))
        if is_keys_path(path):
            return self._serve_keys(request, path, query)
        if path == MEMBERS_PREFIX or path.startswith(MEMBERS_PREFIX + "/"):
            return serve_members(self._node, request, path)
        serve = _EXACT.get(path)
        return not_found() if serve is None else serve(self._node, request)

    def cors_headers(self, origin: str) -> tuple[tuple[str, str], ...]:
        """What every answer to a request from that origin carries besides; nothing without --cors."""
        if "*" in self._cors:
            origin = "*"
        elif origin not in self._cors:
            return ()
        return (
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Headers", "accept, content-type, authorization"),
        )

    def close(self) -> None:
        """Ends all watches, so that their clients see the end of the answer."""
        for watch in list(self._watches):
            watch.close()

    def _serve_keys(self, request: Request, path: str, query: bytes) -> Reply:
        if request.method not in METHODS:
            return method_not_allowed(*METHODS)
        try:
            check_key(path)
        except EtcdError as error:
            return self._error(error)
        if takes_body(request.method, request.headers.get("Content-Type", "")):
            return ReadBody(MAX_BODY, lambda body: self._do(request, path, query, body))
        return self._do(request, path, query, Body(b""))

    def _do(self, request: Request, path: str, query: bytes, body: Body) -> Reply:
        node = self._node
        try:
            if body.fault:
                raise EtcdError(ErrorCode.INVALID_FORM, body.fault)
            content_type = request.headers.get("Content-Type", "")
            wanted = parse_keys_request(request.method, path, query, content_type, body.data, node.clock())
            outcome = node.do(wanted)
        except EtcdError as error:
            return self._error(error)
        if isinstance(outcome, Event):
            return self._event(outcome)
        if isinstance(outcome, Watcher):
            return self._watch(outcome)
        return self._when_done(outcome)

    async def _when_done(self, answer: NodeAnswer) -> Response:
        try:
            event = await answer
        except EtcdError as error:
            return self._error(error)
        if event is None:
            return self._error(EtcdError(ErrorCode.RAFT_INTERNAL, "received response with no Event/Watcher!"))
        return self._event(event)

    def _event(self, event: Event) -> Response:
        node = self._node
        return Response(*answer_event(event, node.raft_index, node.raft.term, node.members.cluster_id))

    def _error(self, error: EtcdError) -> Response:
        return Response(*answer_error(error, self._node.members.cluster_id))

    def _watch(self, watcher: Watcher) -> Response:
        node = self._node
        head: Answer = answer_watch(watcher, node.raft_index, node.raft.term, node.members.cluster_id)
        stream = _Tracked(watcher, self._watches)
        return Response(head.status, head.headers, stream=stream)


class _Tracked(WatchStream):
    """A watch that is on the list of open ones until it is closed."""

    def __init__(self, watcher: Watcher, open_watches: set[WatchStream]) -> None:
        super().__init__(watcher)
        self._open = open_watches
        self._open.add(self)

    def close(self) -> None:
        super().close()
        self._open.discard(self)
