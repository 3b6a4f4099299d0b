"""Request targets: splitting, decoding, cleaning, and the redirect etcd answers an unclean path with.

Pure. Texts keep bytes that are not UTF-8 by ``surrogateescape``. Behaviour of Go's net/http as seen with etcd 2.3.8.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from server.api.form import quote_as_go
from server.store.paths import clean

KEYS_PREFIX = "/v2/keys"
STORE_KEYS_PREFIX = "/1"

_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x20\x7f]")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_UNCLEAN = re.compile(r"//|/\.\.?(?=/|$)")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")

_SAFE_IN_LOCATION = "$&+,/:;=@~-_."


class BadPathError(ValueError):
    """A request target that no route can get; etcd answers 400 and closes the connection."""


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """The raw path and the raw query of a request target, which may be in absolute form (``http://host/path``).

    Raises BadPathError, also for ``*``, which only OPTIONS may ask for: answer OPTIONS before.
    """
    if _CONTROL.search(target):
        raise BadPathError("invalid control character in URL: percent-encode control characters and spaces")
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None:
            raise BadPathError("invalid URI for request: it begins with neither a slash nor http://host")
        target = target[absolute.end() :]
    path, _, query = target.partition(b"?")
    return path, query


def decode_path(raw: bytes) -> str:
    """The decoded path: ``%2F`` is a separator like any other, ``+`` a plus. Raises BadPathError."""
    if b"%" in raw:
        if bad := _BAD_PERCENT.search(raw):
            escape = quote_as_go(raw[bad.start() : bad.start() + 3])
            raise BadPathError(f"invalid URL escape {escape} in the path: a percent sign is written %25")
        raw = unquote_to_bytes(raw)
    return raw.decode("utf-8", "surrogateescape")


def clean_path(path: str) -> str:
    """The path that would be routed: cleaned, a trailing slash kept. Equal to ``path`` unless it needs a redirect."""
    if path.startswith("/") and not _UNCLEAN.search(path):
        return path
    cleaned = clean(path)
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned


def redirect_location(path: str, query: bytes) -> str | None:
    """Where a 301 must point for a decoded path that is not clean, None for a clean one; the query stays as it was."""
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


def is_keys_path(path: str) -> bool:
    """Whether a clean path is one of the keys API: ``/v2/keysfoo`` is not."""
    return path.startswith(KEYS_PREFIX) and (len(path) == len(KEYS_PREFIX) or path[len(KEYS_PREFIX)] == "/")


def store_path(path: str) -> str:
    """The store path of a keys path, whose trailing slashes do not count: ``/v2/keys/a/`` is ``/1/a``."""
    key = path[len(KEYS_PREFIX) :]
    if _UNCLEAN.search(key):
        key = clean(key)
    return STORE_KEYS_PREFIX + key.rstrip("/")
