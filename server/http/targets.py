"""Request targets: splitting and decoding.

Pure. Texts keep bytes that are not UTF-8 by ``surrogateescape``. Behaviour of Go's net/http as seen with etcd 2.3.8.
"""

import re
from urllib.parse import unquote_to_bytes

from server.goquote import quote_as_go

_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x20\x7f]")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")


class BadPathError(ValueError):
    """A request target that no route can have; etcd answers 400 and closes the connection."""


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """The raw path and the raw query of a request target, which may be in absolute form (``http://host/path``).

    Raises BadPathError, also for ``*``, which only OPTIONS may have: answer OPTIONS before.
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
