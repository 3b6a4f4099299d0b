"""What each logged request does to the store: the one mapping that real-time writes and replays share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from server.store.errors import ErrorCode, EtcdError
from server.store.event import Event
from server.store.store import Store


class LoggedRequest(Protocol):
    """What apply reads of a request; :class:`server.storage.requests.Request` is one.

    Times are Unix nanoseconds, ``expiration`` 0 for none; a None ``prev_exist`` or ``refresh`` was not given.
    """

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def val(self) -> bytes: ...
    @property
    def dir(self) -> bool: ...
    @property
    def prev_value(self) -> bytes: ...
    @property
    def prev_index(self) -> int: ...
    @property
    def prev_exist(self) -> bool | None: ...
    @property
    def expiration(self) -> int: ...
    @property
    def recursive(self) -> bool: ...
    @property
    def sorted(self) -> bool: ...
    @property
    def time(self) -> int: ...
    @property
    def refresh(self) -> bool | None: ...


def apply_request(store: Store, request: LoggedRequest, now: int) -> Event | None:
    """Do what the request asks, at ``now`` (Unix nanoseconds); the event, or None for SYNC, which has no answer.

    Raises EtcdError when the store refuses, 300 for a method that is none. A PUT of a member's attributes or of
    the cluster version changes only the tree here; the owner of the membership looks at such requests first.
    """
    action = _METHODS.get(request.method)
    if action is None:
        raise EtcdError(ErrorCode.RAFT_INTERNAL, "etcdserver: unknown method")
    return action(store, request, now)


def _put(store: Store, request: LoggedRequest, now: int) -> Event:
    expiration, refresh = request.expiration or None, bool(request.refresh)
    if request.prev_exist is False:
        return store.create(request.path, request.val, dir=request.dir, expiration=expiration, now=now)
    if request.prev_index or request.prev_value:
        return store.compare_and_swap(
            request.path,
            request.val,
            prev_value=request.prev_value,
            prev_index=request.prev_index,
            expiration=expiration,
            refresh=refresh,
            now=now,
        )
    if request.prev_exist:
        return store.update(request.path, request.val, expiration=expiration, refresh=refresh, now=now)
    return store.set(
        request.path, request.val, dir=request.dir, expiration=expiration, refresh=refresh, now=now
    )


def _post(store: Store, request: LoggedRequest, now: int) -> Event:
    expiration = request.expiration or None
    return store.create(
        request.path, request.val, dir=request.dir, unique=True, expiration=expiration, now=now
    )


def _delete(store: Store, request: LoggedRequest, now: int) -> Event:
    if request.prev_index or request.prev_value:
        return store.compare_and_delete(
            request.path, prev_value=request.prev_value, prev_index=request.prev_index, now=now
        )
    return store.delete(request.path, dir=request.dir, recursive=request.recursive, now=now)


def _get(store: Store, request: LoggedRequest, now: int) -> Event:
    # One that is long is of no use to those whom nobody has asked, and is made in pieces for who has.
    return store.get(request.path, request.recursive, request.sorted, now=now, whole=False)


def _sync(store: Store, request: LoggedRequest, now: int) -> None:
    store.delete_expired(request.time, now=now)


_METHODS: dict[str, Callable[[Store, LoggedRequest, int], Event | None]] = {
    "PUT": _put,
    "POST": _post,
    "DELETE": _delete,
    "QGET": _get,
    "SYNC": _sync,
}
