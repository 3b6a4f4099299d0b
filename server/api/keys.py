"""The core of ``/v2/keys``: from what HTTP brought to a StoreRequest, from what the store said to an answer.

Pure functions. The owner of the loop calls them in this order:

1. ``405`` for a method not in :data:`METHODS`; ``301`` for an unclean path (:mod:`server.api.paths`).
2. :func:`parse_keys_request`, then authorisation.
3. By the request: ``POST``, ``PUT``, ``DELETE``, and ``QGET`` (a ``GET`` with ``quorum``) go
   through consensus and :func:`server.store.apply_request`; ``GET`` with ``wait`` is ``store.watch``; other
   ``GET`` and ``HEAD`` are ``store.get``.
4. :func:`answer_event`, :func:`answer_watch` and then an :func:`~server.api.jsonform.event_line` for each event, or
   :func:`answer_error`. ``HEAD`` has the same answer, its body not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from server.api.form import Form, Parameters
from server.api.jsonform import error_line, event_line
from server.api.paths import KEYS_PREFIX, is_keys_path, store_path
from server.http.messages import JSON, Headers, Response
from server.storage.requests import StoreRequest
from server.store import ErrorCode, EtcdError, Event, Watcher

METHODS = ("HEAD", "GET", "PUT", "POST", "DELETE")
"""In the order the Allow header has them."""

MAX_COMPONENTS = 1_000
"""Of a key. Every write walks its path, and every event names it, so the work grows with the square of its depth; one
path of tens of thousands of components, which fits in a request's head, would stop the member for all its clients,
and again each time it starts. Keys of real clusters have tens."""

MAX_KEY_BYTES = 64 << 10
"""Of a key, decoded; for the same reason, and far beyond the 4 KiB of a file system's paths."""

_PARAMETERS = Parameters(
    b"value", b"prevValue", b"prevIndex", b"prevExist", b"ttl", b"dir", b"refresh", b"recursive",
    b"sorted", b"wait", b"waitIndex", b"stream", b"quorum",
)  # fmt: skip

_T = TypeVar("_T")

_SECOND = 1_000_000_000
"""In nanoseconds, which etcd counts time in."""

_UINT64 = 1 << 64
"""Go's unsigned 64-bit numbers end here, and its arithmetic wraps around."""

_BOOLEANS = dict.fromkeys((b"1", b"t", b"T", b"TRUE", b"true", b"True"), True)
_BOOLEANS |= dict.fromkeys((b"0", b"f", b"F", b"FALSE", b"false", b"False"), False)
_DIGITS = re.compile(rb"0*([0-9]{1,20})")


WRITING = frozenset(("PUT", "POST"))
"""Methods that store a key."""


def check_key(path: str, method: str) -> None:
    """Refuses a key that is too long or too deep for any use, and to store one that is not UTF-8; ``path`` is that of
    the request, clean.

    Such a key cannot be stored as it came: in a snapshot, which is JSON, each of its odd bytes is U+FFFD. It would be
    gone after a restart, and with it any other that differs in those bytes alone. One that is there already, from
    before or from another member, can be read and deleted. Entries of the log are applied whatever key they have, as
    all members have to do the same.

    Raises EtcdError 209, index 0. etcd takes such keys: deliberate differences.
    """
    if not path.isascii() and method in WRITING:
        _check_utf8(path)
    if len(path) <= MAX_COMPONENTS:
        return
    depth = path.count("/", len(KEYS_PREFIX))
    if depth > MAX_COMPONENTS:
        cause = f"the key has {depth} components, more than {MAX_COMPONENTS}: use fewer levels"
        raise EtcdError(ErrorCode.INVALID_FIELD, cause)
    size = len(path.encode("utf-8", "surrogateescape")) - len(KEYS_PREFIX)
    if size > MAX_KEY_BYTES:
        cause = f"the key has {size} bytes, more than {MAX_KEY_BYTES}: put long data into the value"
        raise EtcdError(ErrorCode.INVALID_FIELD, cause)


def _check_utf8(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        at = len(path[: error.start].encode()) - len(KEYS_PREFIX)
        byte = ord(path[error.start]) & 0xFF
        cause = (
            f"the key is not UTF-8: byte 0x{byte:02x} at its offset {at}; it could not be told from others after a "
            "snapshot. Use UTF-8, or write such bytes in another way, such as base64 or hexadecimal digits"
        )
        raise EtcdError(ErrorCode.INVALID_FIELD, cause) from None


def parse_keys_request(
    method: str, path: str, query: bytes, content_type: str, body: bytes, now: int
) -> StoreRequest:
    """The request in what HTTP brought, its path a store path and its ``id`` still 0.

    ``path`` is decoded and clean, ``query`` raw without the question mark, ``content_type`` "" when there was none,
    ``now`` the Unix nanoseconds a ttl counts from. Raises EtcdError 201 to 212, with index 0, in etcd's order.
    """
    if not is_keys_path(path):
        raise EtcdError(ErrorCode.INVALID_FORM, "incorrect key prefix")
    request = StoreRequest(method=method, path=store_path(path))
    form = _PARAMETERS.read(method, query, content_type, body)
    value = request.val = form.get(b"value", b"")
    if not form or (len(form) == 1 and value):
        return request  # the usual ones
    request.prev_index = _index(form, b"prevIndex")
    request.since = _index(form, b"waitIndex")
    request.recursive = _flag(form, b"recursive")
    request.sorted = _flag(form, b"sorted")
    request.wait = _flag(form, b"wait")
    request.dir = _flag(form, b"dir")
    request.quorum = _flag(form, b"quorum")
    if request.quorum and method == "GET":
        request.method = "QGET"
    request.stream = _flag(form, b"stream")
    if request.wait and method != "GET":
        raise EtcdError(ErrorCode.INVALID_FIELD, '"wait" can only be used with GET requests')
    if form.get(b"prevValue") == b"":
        raise EtcdError(ErrorCode.PREV_VALUE_REQUIRED, '"prevValue" cannot be empty')
    request.prev_value = form.get(b"prevValue", b"")
    ttl = _ttl(form)
    request.prev_exist = _optional_flag(form, b"prevExist")
    request.refresh = _optional_flag(form, b"refresh")
    if request.refresh:
        if value:
            raise EtcdError(ErrorCode.VALUE_ON_REFRESH, "A value was provided on a refresh")
        if ttl is None:
            raise EtcdError(ErrorCode.TTL_REQUIRED_ON_REFRESH, "No TTL value set")
    if ttl is not None:
        # In signed 64 bits, as etcd computes it: a huge ttl wraps around.
        request.expiration = (now + ttl * _SECOND + _UINT64 // 2) % _UINT64 - _UINT64 // 2
    return request


def _uint64(text: bytes) -> int | None:
    """Decimal digits only, at most 2**64 - 1."""
    digits = _DIGITS.fullmatch(text)
    if digits is None or (number := int(digits[1])) >= _UINT64:
        return None
    return number


def _read(
    form: Form, name: bytes, read: Callable[[bytes], _T | None], code: ErrorCode, shown: str = '"%s"'
) -> _T | None:
    """A parameter's value as ``read`` sees it, None when it is not given; ``read`` returns None for a bad one, which
    is refused with ``code``, the name ``shown`` like that."""
    text = form.get(name)
    if text is None:
        return None
    value = read(text)
    if value is None:
        raise EtcdError(code, "invalid value for " + shown % name.decode())
    return value


def _index(form: Form, name: bytes) -> int:
    return _read(form, name, _uint64, ErrorCode.INDEX_NOT_A_NUMBER) or 0


def _flag(form: Form, name: bytes) -> bool:
    return _read(form, name, _BOOLEANS.get, ErrorCode.INVALID_FIELD) or False


def _optional_flag(form: Form, name: bytes) -> bool | None:
    return _read(form, name, _BOOLEANS.get, ErrorCode.INVALID_FIELD, shown="%s")


def _ttl(form: Form) -> int | None:
    """Seconds; an empty one is none."""
    return _read(form, b"ttl", _uint64, ErrorCode.TTL_NOT_A_NUMBER) if form.get(b"ttl") else None


def answer_event(
    event: Event, raft_index: int, raft_term: int, cluster_id: int, *, plain_get: bool = False
) -> Response:
    """What a get or a write answers: 201 when something was created, else 200.

    A ``plain_get``, one past the log, of a file that does not expire has this answer until something is written.
    """
    headers = event_headers(event.etcd_index, raft_index, raft_term, cluster_id)
    lasts = plain_get and event.node.expiration is None and not event.node.dir
    return Response(201 if event.created else 200, headers, event_line(event), repeatable=lasts)


def answer_watch(watcher: Watcher, raft_index: int, raft_term: int, cluster_id: int) -> Response:
    """What a watch answers at once, before any event: the head of a chunked answer."""
    return Response(200, event_headers(watcher.start_index, raft_index, raft_term, cluster_id), b"")


def event_headers(index: int, raft_index: int, raft_term: int, cluster_id: int) -> Headers:
    """What an answer with events has, which is of the moment of these indexes."""
    return (
        JSON,
        ("X-Etcd-Cluster-Id", f"{cluster_id:x}"),
        ("X-Etcd-Index", str(index)),
        ("X-Raft-Index", str(raft_index)),
        ("X-Raft-Term", str(raft_term)),
    )


def answer_error(error: EtcdError, cluster_id: int) -> Response:
    """What any refusal answers."""
    headers = (JSON, ("X-Etcd-Cluster-Id", f"{cluster_id:x}"), ("X-Etcd-Index", str(error.index)))
    return Response(error.status, headers, error_line(error))


def answer_redirect(method: str, location: str) -> Response:
    """The 301 for an unclean path: a GET gets a page with the link, a HEAD its type, the others nothing."""
    if method not in ("GET", "HEAD"):
        return Response(301, (("Location", location),), b"")
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Location", location))
    if method == "HEAD":
        return Response(301, headers)
    escapes = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
    body = f'<a href="{location.translate(escapes)}">Moved Permanently</a>.\n\n'
    return Response(301, headers, body.encode())
