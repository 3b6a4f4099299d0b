"""Texts the way Go's standard library writes them: JSON, quoted strings, cleaned paths, escaped URLs. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

_SPECIAL_IN_JSON = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_ESCAPES = {chr(code): f"\\u{code:04x}" for code in (*range(0x20), *map(ord, "<>&\u2028\u2029"))}
_ESCAPES |= {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_of(value: object) -> str:
    """JSON as ``encoding/json`` writes it, safe inside HTML; a byte that was not UTF-8 becomes U+FFFD.

    Takes texts, None, lists and dictionaries of them.
    """
    match value:
        case None:
            return "null"
        case str():
            return f'"{_SPECIAL_IN_JSON.sub(lambda found: _ESCAPES.get(found[0], chr(0xFFFD)), value)}"'
        case list():
            return f"[{','.join(map(json_of, value))}]"
        case dict():
            return f"{{{','.join(f'{json_of(name)}:{json_of(each)}' for name, each in value.items())}}}"
    raise TypeError(f"no JSON for {value!r}")


def quoted(text: str) -> str:
    """What ``%q`` makes of a string."""
    return f'"{"".join(map(_quoted_character, text))}"'


_SHORT = {'"': '\\"', "\\": "\\\\"} | dict(zip("\a\b\f\n\r\t\v", map("\\".__add__, "abfnrtv"), strict=True))


def _quoted_character(c: str) -> str:
    if c in _SHORT:
        return _SHORT[c]
    code = ord(c)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if c.isprintable():
        return c
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean_path(path: str) -> str:
    """The shortest path that means the same; a leading slash stays one."""
    return posixpath.normpath(re.sub("^/+", "/", path))


def canonical_path(path: str) -> str:
    """The same for a URL: begins with a slash, and a slash at the end stays."""
    cleaned = clean_path(f"/{path}")
    return f"{cleaned}/" if path.endswith("/") and cleaned != "/" else cleaned


def escaped_path(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="$&+,/:;=@")


def escaped_form(fields: Mapping[str, str]) -> str:
    """A query or a form, sorted by name."""
    return "&".join(f"{_plus(name)}={_plus(fields[name])}" for name in sorted(fields))


def as_uint64(number: int) -> int:
    """A signed number taken for an unsigned one: -1 is the largest there is."""
    return number & (1 << 64) - 1


def _plus(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogateescape"))
