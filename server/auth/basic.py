"""The Authorization header of HTTP basic authentication, as Go's net/http reads it. Pure."""

from __future__ import annotations

import base64
import re

_BASIC = re.compile(r"basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)", re.I | re.A)


def parse_basic(header: str) -> tuple[str, bytes] | None:
    """User name and password; None if the header is malformed. The name keeps what is not UTF-8 by
    ``surrogateescape``."""
    match = _BASIC.fullmatch(header)
    if match is None:
        return None
    name, colon, password = base64.b64decode(match[1]).partition(b":")
    return (name.decode("utf-8", "surrogateescape"), password) if colon else None
