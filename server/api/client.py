"""The client API of a member: which path is served by what, and the keys themselves. Knows no framework."""

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TYPE_CHECKING

from server.api.access import Access
from server.api.auth import PREFIX as AUTH_PREFIX
from server.api.auth import AuthApi
from server.api.form import MAX_BODY, takes_body
from server.api.jsonform import event_pieces_line, listing_pieces_line
from server.api.keys import (
    METHODS,
    answer_error,
    answer_event,
    answer_redirect,
    answer_watch,
    check_key,
    event_headers,
    parse_keys_request,
)
from server.api.listings import Found, Listing, Listings
from server.api.members import PREFIX as MEMBERS_PREFIX
from server.api.members import serve_machines, serve_members
from server.api.node import ServedNode
from server.api.paths import KEYS_PREFIX, route
from server.api.rendering import Rendering, Turns
from server.api.settings import serve_log_level
from server.api.stats import (
    serve_health,
    serve_leader,
    serve_self,
    serve_store,
    serve_version,
)
from server.api.vars import serve_vars
from server.api.watch import WatchStream
from server.http.cache import ResponseCache
from server.http.cors import cors_headers
from server.http.messages import (
    CLOSE,
    Body,
    DeferredResponse,
    ReadBody,
    Reply,
    Request,
    Response,
    about_all,
    bad_request,
    method_not_allowed,
    not_found,
    text,
)
from server.http.targets import BadPathError
from server.metrics import RequestMetrics
from server.node import Outcome
from server.storage.requests import StoreRequest
from server.store import ErrorCode, EtcdError, Event, Watcher
from server.store.gojson import is_long

if TYPE_CHECKING:
    from server.api.legacy import LegacyApi

logger = logging.getLogger(__name__)

_EXACT: dict[str, Callable[[ServedNode, Request], Reply]] = {
    "/v2/machines": serve_machines,
    "/v2/stats/self": serve_self,
    "/v2/stats/leader": serve_leader,
    "/v2/stats/store": serve_store,
    "/version": serve_version,
    "/health": serve_health,
    "/debug/vars": serve_vars,
    "/config/local/log": serve_log_level,
}

_UNAUTHORIZED = EtcdError(ErrorCode.UNAUTHORIZED, "Insufficient credentials")


class ClientApi:
    """Serves one node. ``cors`` are the origins that cross-origin requests are allowed from, ``*`` for
    all; ``legacy``: what 0.4 served and 2.x dropped is served too."""

    def __init__(self, node: ServedNode, cors: tuple[str, ...] = (), *, legacy: bool = False) -> None:
        self._node = node
        self._cors = frozenset(cors)
        self._access = Access(node)
        self._auth = AuthApi(node, self._access)
        self._turns = Turns()
        self._listings = Listings(node, self._turns)
        self._legacy = _served_by_04(node, self._access, self._listings) if legacy else None
        self._watches: set[WatchStream] = set()
        self._requests = RequestMetrics()
        self.cache = ResponseCache(lambda: node.raft_index, self._count_repeat)
        self._exact = _EXACT | {"/metrics": lambda node, _: self._serve_metrics(node)}

    def handle(self, request: Request) -> Reply:
        """Answers a request; never raises."""
        connects = request.method == "CONNECT"
        if connects and not request.target.startswith(b"/"):
            return not_found()
        if request.target == b"*":
            return about_all(request)
        try:
            path, query, location, for_keys = route(request.target)
        except BadPathError:
            return bad_request()
        if request.method == "OPTIONS":
            return Response(200)
        if location is not None and not connects:
            return answer_redirect(request.method, location)
        if for_keys:
            return self._serve_keys(request, path, query)
        if path == MEMBERS_PREFIX or path.startswith(MEMBERS_PREFIX + "/"):
            return self._auth.guard(request, lambda: serve_members(self._node, request, path))
        if path.startswith(AUTH_PREFIX + "/"):
            return self._auth.serve(request, path, query)
        if self._legacy is not None:
            reply = self._legacy.serve(request, path, query)
            if reply is not None:
                return reply
        serve = self._exact.get(path)
        return not_found() if serve is None else serve(self._node, request)

    def _serve_metrics(self, node: ServedNode) -> Response:
        from server.api.metrics import serve_metrics  # late: Prometheus' library is only for who asks

        return serve_metrics(node, self._requests)

    def cors_headers(self, origin: str) -> tuple[tuple[str, str], ...]:
        """What every answer to a request from that origin carries besides; nothing without --cors."""
        return cors_headers(self._cors, origin)

    def close(self) -> None:
        """Ends all watches. Who serves breaks their answers off before: nobody is to take it for their end."""
        for watch in list(self._watches):
            watch.close()

    def _serve_keys(self, request: Request, path: str, query: bytes) -> Reply:
        if request.method not in METHODS:
            return method_not_allowed(*METHODS)
        try:
            check_key(path, request.method)
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
        except EtcdError as error:
            return self._error(error)
        if self._access.enabled():
            return self._do_if_allowed(request, path, wanted)
        return self._do_now(wanted)

    def _do_if_allowed(self, request: Request, path: str, wanted: StoreRequest) -> Reply:
        key = path[len(KEYS_PREFIX) :]
        if request.headers.get("Authorization"):
            return self._do_as_user(request, key, wanted)
        if self._access.guest_may(request, key):
            return self._do_now(wanted)
        return self._error(_UNAUTHORIZED)

    async def _do_as_user(self, request: Request, key: str, wanted: StoreRequest) -> Response:
        if not await self._access.user_may(request, key, recursive=wanted.recursive):
            return self._error(_UNAUTHORIZED)
        reply = self._do_now(wanted)
        return reply if isinstance(reply, Response) else await reply

    def _do_now(self, wanted: StoreRequest) -> Response | Awaitable[Response]:
        began = perf_counter()
        method = wanted.method
        if not wanted.wait:
            self._requests.received[method] += 1
        try:
            outcome = self._node.do(wanted)
        except EtcdError as error:
            return self.answer(error if method == "QGET" else self._found_by_04(wanted, error), method, began)
        if isinstance(outcome, Event) and not outcome.unlisted:
            return self.answer(outcome, method, began)
        if isinstance(outcome, Watcher):
            return self._watch(outcome)
        promised = _Promised(self, wanted, method, began)
        if isinstance(outcome, Event):
            promised.settle(outcome)
        else:
            outcome.on_done(promised.settle)
        return promised

    def _found_by_04(self, wanted: StoreRequest, error: EtcdError) -> Outcome:
        """What a read that found nothing would have found in 0.4's registry of its members, or else the error."""
        if self._legacy is None or error.code != ErrorCode.KEY_NOT_FOUND:
            return error
        from server.api.legacy import registry_event

        return registry_event(self._node, wanted.path) or error

    def answer(self, outcome: Outcome, method: str, began: float) -> Response:
        """What a request is answered with that had an outcome; it is counted, from when it ``began``."""
        if isinstance(outcome, Event):
            self._requests.durations[method].observe(perf_counter() - began)
            node = self._node
            index, term, cluster = node.raft_index, node.raft_term, node.members.cluster_id
            if not is_long(outcome):
                return answer_event(outcome, index, term, cluster, plain_get=method == "GET")
            headers = event_headers(outcome.etcd_index, index, term, cluster)
            body = Rendering(self._turns, event_pieces_line(outcome))
            return Response(201 if outcome.created else 200, headers, stream=body)
        if outcome is None:
            outcome = EtcdError(ErrorCode.RAFT_INTERNAL, "received response with no Event/Watcher!")
        self._requests.failed[method, outcome.status] += 1
        return self._error(outcome)

    def list_later(self, path: str, wanted: StoreRequest, tell: Callable[[Found], object]) -> None:
        """Has ``tell`` called with the listing of the directory at ``path``, which is too long to be made at once."""
        self._listings.ask(path, recursive=wanted.recursive, in_order=wanted.sorted, tell=tell)

    def answer_listing(self, listing: Listing, wanted: StoreRequest, method: str, began: float) -> Response:
        """The answer with a long listing."""
        self._requests.durations[method].observe(perf_counter() - began)
        _, index, raft_index, term = listing.moment
        headers = event_headers(index, raft_index, term, self._node.members.cluster_id)
        if wanted.method == "HEAD":
            return Response(200, headers, stream=Rendering(self._turns, iter(())))
        pieces = listing_pieces_line(listing.rows, listing.moment.now)
        return Response(200, headers, stream=self._listings.rendering(listing, pieces))

    def _count_repeat(self) -> None:
        """A get answered again counts like the first, and so does its question whether auth is on."""
        self._access.enabled()
        self._node.store.stats.gets_success += 1
        self._requests.received["GET"] += 1
        self._requests.durations["GET"].observe(0.0)

    def _error(self, error: EtcdError) -> Response:
        return answer_error(error, self._node.members.cluster_id)

    def _watch(self, watcher: Watcher) -> Response:
        node = self._node
        head = answer_watch(watcher, node.raft_index, node.raft_term, node.members.cluster_id)
        stream = _Tracked(watcher, self._turns, self._watches)
        return Response(head.status, head.headers, stream=stream)


def _served_by_04(node: ServedNode, access: Access, listings: Listings) -> "LegacyApi":
    from server.api.legacy import LegacyApi  # late: few members serve it

    return LegacyApi(node, access, listings)


class _Promised(DeferredResponse):
    """The answer to a request that goes through the log, or for a listing that takes long to make."""

    __slots__ = ("_api", "_began", "_method", "_wanted")

    def __init__(self, api: ClientApi, wanted: StoreRequest, method: str, began: float) -> None:
        super().__init__()
        self._api = api
        self._wanted = wanted
        self._method = method
        self._began = began

    def settle(self, outcome: Outcome | Listing) -> None:
        """This came of the request; the node has it called, and who gathers long listings."""
        if isinstance(outcome, Event) and outcome.unlisted:
            self._api.list_later(outcome.node.key, self._wanted, self.settle)
            return
        try:
            if isinstance(outcome, Listing):
                response = self._api.answer_listing(outcome, self._wanted, self._method, self._began)
            else:
                response = self._api.answer(outcome, self._method, self._began)
        except Exception:  # which must not reach the node, in the middle of applying what others wrote
            logger.exception("this is a fault in the server, please report it: answering a %s", self._method)
            response = text(500, "Internal Server Error", CLOSE)
        self.keep(response)


class _Tracked(WatchStream):
    """A watch that is on the list of open ones until it is closed."""

    def __init__(self, watcher: Watcher, turns: Turns, open_watches: set[WatchStream]) -> None:
        super().__init__(watcher, turns)
        self._open = open_watches
        self._open.add(self)

    def close(self) -> None:
        super().close()
        self._open.discard(self)
