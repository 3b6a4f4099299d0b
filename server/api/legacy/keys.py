"""``/v1/keys`` and ``/v1/watch``, which 0.4.9 still served: the key space in its first form, without directories of its
own. Always answers 200 when something came of it, as text, without the headers of ``/v2/keys``.
"""

import asyncio
import re
from collections.abc import Iterator

from server.api.access import Access
from server.api.form import MAX_BODY, Form, Parameters, takes_body
from server.api.keys import answer_error, check_key
from server.api.legacy.cluster import plain
from server.api.listings import Listings
from server.api.node import ServedNode
from server.api.paths import KEYS_PREFIX, STORE_KEYS_PREFIX, store_path
from server.http.messages import (
    TEXT,
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    UntilGone,
    not_found,
)
from server.storage.requests import StoreRequest
from server.store import ErrorCode, EtcdError, Event
from server.store.event import Action
from server.store.gojson import format_time, in_slices, quote, quote_bytes
from server.store.node import SECOND, StoreNode

_PARAMETERS = Parameters(b"value", b"prevValue", b"ttl", b"index")

_KEYS, _WATCH = "/v1/keys/", "/v1/watch/"
_METHODS = {_KEYS: ("GET", "HEAD", "POST", "PUT", "DELETE"), _WATCH: ("GET", "HEAD", "POST")}

_SECONDS = re.compile(rb"[+-]?[0-9]{1,9}")
_INDEX = re.compile(rb"[0-9]{1,19}")
_TEST_AND_SET = (Action.COMPARE_AND_SWAP, Action.CREATE)


class FirstKeys:
    """Serves one node."""

    def __init__(self, node: ServedNode, access: Access, listings: Listings) -> None:
        self._node = node
        self._access = access
        self._listings = listings

    def serve(self, request: Request, path: str, query: bytes) -> Reply:
        """Answers a request for what is below ``/v1/keys/`` or ``/v1/watch/``."""
        prefix = _KEYS if path.startswith(_KEYS) else _WATCH
        if not path.startswith(prefix) or request.method not in _METHODS[prefix]:
            return not_found()
        key = f"{KEYS_PREFIX}/{path.removeprefix(prefix)}"
        try:
            check_key(key, request.method)
        except EtcdError as error:
            return self._refuse(error)

        def answer(body: Body) -> Reply:
            promise = self._answer(request, prefix, store_path(key), query, body)
            return UntilGone(promise) if prefix == _WATCH else promise

        takes = takes_body(request.method, request.headers.get("Content-Type", ""))
        return ReadBody(MAX_BODY, answer) if takes else answer(Body(b""))

    async def _answer(self, request: Request, prefix: str, path: str, query: bytes, body: Body) -> Response:
        watches = prefix == _WATCH
        asked = Request("GET", request.target, request.headers) if watches else request
        try:
            await self._access.check(asked, path.removeprefix(STORE_KEYS_PREFIX) or "/")
            if body.fault:
                raise EtcdError(ErrorCode.INVALID_FORM, body.fault)
            content_type = request.headers.get("Content-Type", "")
            form = _PARAMETERS.read(request.method, query, content_type, body.data)
            if watches:
                event = await self._watch(request, path, form)
            elif request.method in ("GET", "HEAD"):
                event = self._node.store.get(path, now=self._node.clock(), whole=False)
                if event.unlisted:
                    return await self._list(event.node.key)
            else:
                written = await self._node.propose(self._write(request, path, form))
                assert written is not None  # only a SYNC has no event
                return plain(encode(written))
        except EtcdError as error:
            return self._refuse(error)
        return plain(encode(event, self._node.store.index))

    async def _list(self, path: str) -> Response:
        """The answer to a get of a directory with much in it."""
        found = await self._listings.of(path)
        if isinstance(found, Event):
            return plain(encode(found, self._node.store.index))
        pieces = in_slices(_listing(found.rows, found.moment.etcd_index))
        return Response(200, (TEXT,), stream=self._listings.rendering(found, pieces))

    async def _watch(self, request: Request, path: str, form: Form) -> Event:
        """The first event there, after an index if it was a POST."""
        since = form.get(b"index", b"")
        if request.method != "POST":
            since = b"0"
        elif not _INDEX.fullmatch(since):
            raise self._error(ErrorCode.INDEX_NOT_A_NUMBER, "Watch From Index")
        watcher = self._node.store.watch(path, since=int(since))
        news = asyncio.Event()
        watcher.on_event = news.set
        try:
            while (event := watcher.take()) is None:
                await news.wait()
                news.clear()
            return event
        finally:
            watcher.remove()

    def _write(self, request: Request, path: str, form: Form) -> StoreRequest:
        """What to put into the log. A prevValue that is given and empty stands for a key that must not be there."""
        if request.method == "DELETE":
            return StoreRequest(method="DELETE", path=path)
        wanted = StoreRequest(method="PUT", path=path, val=form.get(b"value", b""))
        if not wanted.val:
            raise self._error(ErrorCode.VALUE_REQUIRED, "Set")
        ttl = form.get(b"ttl", b"")
        if ttl:
            if not _SECONDS.fullmatch(ttl):
                raise self._error(ErrorCode.TTL_NOT_A_NUMBER, "Set")
            wanted.expiration = self._node.clock() + int(ttl) * SECOND
        previous = form.get(b"prevValue")
        if previous is not None:
            wanted.prev_value = previous
            wanted.prev_exist = None if previous else False
        return wanted

    def _error(self, code: ErrorCode, cause: str) -> EtcdError:
        return EtcdError(code, cause, self._node.store.index)

    def _refuse(self, error: EtcdError) -> Response:
        return answer_error(error, self._node.members.cluster_id)


def encode(event: Event, index: int = 0) -> bytes:
    """An event in the form of ``/v1``: a file, or what is in a directory. ``index``, unless 0, is in it instead of
    the nodes' own."""
    node = event.node
    if node.dir:
        return (
            "[" + ",".join(_child(event.action, child, index) for child in node.nodes or ()) + "]"
        ).encode()
    previous = None if event.prev_node is None else event.prev_node.value
    action = "testAndSet" if event.action in _TEST_AND_SET else event.action
    fields = [f'"action":"{action}"', f'"key":{_key(node)}']
    if previous is not None:
        fields.append(f'"prevValue":{quote_bytes(previous)}')
    if node.value is not None:
        fields.append(f'"value":{quote_bytes(node.value)}')
    if action == Action.SET and previous is None:
        fields.append('"newKey":true')
    if node.expiration is not None:
        fields.append(f'"expiration":"{format_time(node.expiration)}"')
    if node.ttl:
        fields.append(f'"ttl":{node.ttl}')
    fields.append(f'"index":{index or node.modified_index}')
    return ("{" + ",".join(fields) + "}").encode()


def _listing(rows: list[StoreNode | None], index: int) -> Iterator[str]:
    """As :func:`encode` writes a directory, of the rows of a listing."""
    separator = "["
    for row in rows[1:]:
        if row is not None:
            yield separator + _child(Action.GET, row, index)
            separator = ","
    yield "[]" if separator == "[" else "]"


def _child(action: str, node: StoreNode, index: int) -> str:
    fields = [f'"action":"{action}"', f'"key":{_key(node)}']
    if node.dir:
        fields.append('"dir":true')
    if node.value is not None:
        fields.append(f'"value":{quote_bytes(node.value)}')
    fields.append(f'"index":{index or node.modified_index}')
    return "{" + ",".join(fields) + "}"


def _key(node: StoreNode) -> str:
    return quote(node.key.removeprefix(STORE_KEYS_PREFIX) or "/")
