"""``/mod/v2/lock`` and ``/mod/v2/leader``: 0.4's two modules over HTTP. A leader is who holds the lock of its name.

Documented with 0.3 and switched off since 0.4.0, but in its source; the answers are those of a 0.4.9 that has them on.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from server.api.access import Access
from server.api.form import MAX_BODY, Form, Parameters, takes_body
from server.api.keys import answer_error, check_key
from server.api.legacy.cluster import plain
from server.api.legacy.lock import Lock, LockError, QueueEntry
from server.api.node import ServedNode
from server.api.paths import KEYS_PREFIX, store_path
from server.http.messages import (
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    UntilGone,
    not_found,
    text,
)
from server.store import ErrorCode, EtcdError

PREFIX = "/mod/v2/"

LOCKS = "/_etcd/mod/lock"
"""Where locks are in the key space, as clients see it."""

_PARAMETERS = Parameters(b"value", b"ttl", b"timeout", b"index", b"field", b"name")
_NUMBER = re.compile(rb"[+-]?[0-9]{1,9}")


class _ModuleRequest(NamedTuple):
    lock: Lock
    form: Form


_Serve = Callable[[_ModuleRequest], Awaitable[Response]]


class Modules:
    """Serves one node."""

    def __init__(self, node: ServedNode, access: Access) -> None:
        self._node = node
        self._access = access

    def serve(self, request: Request, path: str, query: bytes) -> Reply:
        """Answers a request for what is below PREFIX."""
        module, _, name = path.removeprefix(PREFIX).partition("/")
        name = name.rstrip("/")
        serve = _MODULES.get(module, {}).get(request.method)
        if serve is None or not name:
            return not_found()
        key = f"{LOCKS}/{name}"
        try:
            check_key(KEYS_PREFIX + key, request.method)
        except EtcdError as error:
            return self._refuse(error)

        def answer(body: Body) -> Reply:
            return UntilGone(self._answer(request, serve, key, query, body))

        takes = takes_body(request.method, request.headers.get("Content-Type", ""))
        return ReadBody(MAX_BODY, answer) if takes else answer(Body(b""))

    async def _answer(self, request: Request, serve: _Serve, key: str, query: bytes, body: Body) -> Response:
        """Who may read or write all that is below a lock's key may do so by way of it."""
        try:
            await self._access.check(request, f"{key}/", recursive=True)
            if body.fault:
                raise EtcdError(ErrorCode.INVALID_FORM, body.fault)
            content_type = request.headers.get("Content-Type", "")
            form = _PARAMETERS.read(request.method, query, content_type, body.data)
            return await serve(_ModuleRequest(Lock(self._node, store_path(KEYS_PREFIX + key)), form))
        except EtcdError as error:
            return self._refuse(error)
        except LockError as error:
            return text(500, str(error))

    def _refuse(self, error: EtcdError) -> Response:
        return answer_error(error, self._node.members.cluster_id)


async def _acquire(asked: _ModuleRequest) -> Response:
    return await _hold(asked, asked.form.get(b"value", b""))


async def _hold(asked: _ModuleRequest, value: bytes) -> Response:
    timeout = asked.form.get(b"timeout", b"")
    if timeout and not _NUMBER.fullmatch(timeout):
        raise EtcdError(ErrorCode.TIMEOUT_NOT_A_NUMBER, "Acquire")
    ttl = _ttl(asked.form, "Acquire")
    patience = int(timeout) if timeout else -1
    return plain(str(await asked.lock.acquire(value, ttl, patience if patience >= 0 else None)).encode())


async def _renew(asked: _ModuleRequest) -> Response:
    ttl = _ttl(asked.form, "Renew")
    value = asked.form.get(b"value", b"")
    entry = _entry(asked, "Renew")
    await asked.lock.renew(entry, value or entry.value, ttl)
    return plain(b"")


async def _release(asked: _ModuleRequest) -> Response:
    if asked.form.get(b"index") and asked.form.get(b"value"):
        raise EtcdError(ErrorCode.INDEX_AND_VALUE, "Release")
    await asked.lock.release(_entry(asked, "Release"))
    return plain(b"")


async def _show(asked: _ModuleRequest) -> Response:
    """Who holds it: nothing when nobody does."""
    queue = asked.lock.queue()
    field = asked.form.get(b"field") or b"value"
    if not queue:
        return plain(b"")
    if field == b"index":
        return plain(str(queue[0].number).encode())
    if field != b"value":
        raise EtcdError(ErrorCode.INVALID_FIELD, "Get")
    return plain(queue[0].value)


async def _lead(asked: _ModuleRequest) -> Response:
    return await _hold(asked, _name(asked.form, "Set"))


async def _show_leader(asked: _ModuleRequest) -> Response:
    return await _show(asked._replace(form={}))


async def _resign(asked: _ModuleRequest) -> Response:
    return await _release(asked._replace(form={b"value": _name(asked.form, "Delete")}))


_MODULES: Mapping[str, Mapping[str, _Serve]] = {
    "lock": {"GET": _show, "POST": _acquire, "PUT": _renew, "DELETE": _release},
    "leader": {"GET": _show_leader, "PUT": _lead, "DELETE": _resign},
}


def _entry(asked: _ModuleRequest, cause: str) -> QueueEntry:
    """By its index, or else by its value."""
    index, value = asked.form.get(b"index", b""), asked.form.get(b"value", b"")
    if index:
        return asked.lock.by_index(index.decode("utf-8", "surrogateescape"))
    if not value:
        raise EtcdError(ErrorCode.INDEX_OR_VALUE_REQUIRED, cause)
    entry = asked.lock.by_value(value)
    if entry is None:
        raise EtcdError(ErrorCode.KEY_NOT_FOUND, cause)
    return entry


def _name(form: Form, cause: str) -> bytes:
    name = form.get(b"name")
    if not name:
        raise EtcdError(ErrorCode.NAME_REQUIRED, cause)
    return name


def _ttl(form: Form, cause: str) -> int:
    """Seconds, 0 for no end."""
    ttl = form.get(b"ttl", b"")
    if not _NUMBER.fullmatch(ttl) or int(ttl) < 0:
        raise EtcdError(ErrorCode.TTL_NOT_A_NUMBER, cause)
    return int(ttl)
