"""Paths of requests: cleaning, the redirect etcd answers an unclean path with, and which are of keys.

Pure. Texts keep bytes that are not UTF-8 by ``surrogateescape``. Behaviour of Go's net/http as seen with etcd 2.3.8.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from server.http.targets import decode_path, split_target
from server.store.paths import clean

KEYS_PREFIX = "/v2/keys"
STORE_KEYS_PREFIX = "/1"

_UNCLEAN = re.compile(r"//|/\.\.?(?=/|$)")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

_SAFE_IN_LOCATION = "$&+,/:;=@~-_."


def clean_path(path: str) -> str:
    """The path that would be routed: cleaned, a trailing slash kept. Equal to ``path`` unless it needs a redirect."""
    if path.startswith("/") and not _UNCLEAN.search(path):
        return path
    cleaned = clean(path)
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


def redirect_location(path: str, query: bytes) -> str | None:
    """Where a 301 must point for a decoded path that is not clean, None for a clean one; the query is not changed."""
    cleaned = clean_path(path)
    if cleaned == path:
        return None
    location = quote_from_bytes(cleaned.encode("utf-8", "surrogateescape"), _SAFE_IN_LOCATION)
    if not query:
        return location
    escaped = _NOT_ASCII.sub(lambda match: b"%%%02x" % ord(match[0]), query)
    return f"{location}?{escaped.decode('ascii')}"


class Route(NamedTuple):
    """What a request target asks for. ``location`` is where a 301 must point, None for a clean path; ``keys`` whether
    the path is one of the keys API."""

    path: str
    query: bytes
    location: str | None
    keys: bool


def route(target: bytes) -> Route:
    """Takes a request target apart. Raises BadPathError.

    Clients ask for the same keys again and again, so targets of usual length are remembered.
    """
    return _known_route(target) if len(target) <= _USUAL_TARGET else _route(target)


def _route(target: bytes) -> Route:
    raw_path, query = split_target(target)
    path = decode_path(raw_path)
    return Route(path, query, redirect_location(path, query), is_keys_path(path))


_known_route = lru_cache(4096)(_route)
_USUAL_TARGET = 256
"""Bytes. With 4,096 targets of any length remembered, clients could fill the memory."""


def is_keys_path(path: str) -> bool:
    """Whether a clean path is one of the keys API: ``/v2/keysfoo`` is not."""
    return path.startswith(KEYS_PREFIX) and (len(path) == len(KEYS_PREFIX) or path[len(KEYS_PREFIX)] == "/")


def store_path(path: str) -> str:
    """The store path of a keys path, whose trailing slashes do not count: ``/v2/keys/a/`` is ``/1/a``."""
    key = path[len(KEYS_PREFIX) :]
    if _UNCLEAN.search(key):
        key = clean(key)
    return STORE_KEYS_PREFIX + key.rstrip("/")
