"""Parameters of a request, read from query and body as Go's net/http does it.

Pure. The first value of a name counts, those of the body before those of the query. Every failure is EtcdError 210
with Go's own text as the cause.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from server.store.errors import ErrorCode, EtcdError

Form = dict[bytes, bytes]

MAX_BODY = 10 << 20
"""The longest form body, in bytes."""

_FORM_TYPE = "application/x-www-form-urlencoded"
_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE = re.compile(rf"({_TOKEN})(?:/({_TOKEN})?)?")
# Possessive, as Go does not go back either: a string whose last quote is escaped never ends.
_QUOTED = r"""\"(?:\\[()<>@,;:\\"/\[\]?=]|[^"\r\n])*+\""""
_MEDIA_PARAMETER = re.compile(rf"\s*;\s*({_TOKEN})\s*=\s*({_TOKEN}|{_QUOTED})")
_NAMED_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_NAMED_ESCAPES |= {'"': '\\"', "\\": "\\\\"}


def read_form(method: str, query: bytes, content_type: str, body: bytes) -> Form:
    """All parameters; a body counts only for PUT and POST and only if ``content_type`` says it is a form.

    Raises EtcdError 210; of several faults that of the content type comes first, then the body's, then the query's.
    """
    form: Form = {}
    fault = ""
    if method in ("PUT", "POST") and content_type:
        media_type, fault = (_FORM_TYPE, "") if content_type == _FORM_TYPE else _read_media_type(content_type)
        if media_type == _FORM_TYPE:
            if len(body) > MAX_BODY:
                fault = fault or "http: POST too large"
            else:
                found = _read_pairs(body, form)
                fault = fault or found
    if query:
        found = _read_pairs(query, form)
        fault = fault or found
    if fault:
        raise EtcdError(ErrorCode.INVALID_FORM, fault)
    return form


def _read_pairs(data: bytes, form: Form) -> str:
    """Add the names not there yet; returns what is wrong, if anything."""
    fault = ""
    for pair in data.split(b"&"):
        if not pair:
            continue
        if b";" in pair:
            fault = "invalid semicolon separator in query"
            continue
        name, _, value = pair.partition(b"=")
        if b"%" in pair:
            bad = _BAD_PERCENT.search(name) or _BAD_PERCENT.search(value)
            if bad is not None:
                fault = (
                    fault or f"invalid URL escape {quote_as_go(bad.string[bad.start() : bad.start() + 3])}"
                )
                continue
        form.setdefault(_unescape(name), _unescape(value))
    return fault


def _unescape(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text


def quote_as_go(text: bytes) -> str:
    """Bytes between double quotes, escaped as Go's ``%q`` does."""
    return '"' + "".join(map(_quoted, text.decode("utf-8", "surrogateescape"))) + '"'


def _quoted(char: str) -> str:
    code = ord(char)
    if char in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable():
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _read_media_type(content_type: str) -> tuple[str, str]:
    """The media type in lower case and what is wrong with the header; parameters only have to be well-formed."""
    base = content_type.partition(";")[0]
    media_type = base.strip().lower()
    match = _MEDIA_TYPE.match(media_type)
    if match is None:
        return "", "mime: no media type"
    if match.end() < len(media_type) and "/" not in match[0]:
        return "", "mime: expected slash after first token"
    if match[0].endswith("/"):
        return "", "mime: expected token after slash"
    if match.end() < len(media_type):
        return "", "mime: unexpected content after media subtype"
    return media_type, _check_parameters(content_type[len(base) :])


def _check_parameters(text: str) -> str:
    seen: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        parameter = _MEDIA_PARAMETER.match(text, at)
        if parameter is None:
            return "" if text[at:].strip() == ";" else "mime: invalid media parameter"
        name, value = parameter[1].lower(), parameter[2]
        if seen.setdefault(name, value) != value:
            return "mime: duplicate parameter name"
        at = parameter.end()
    return ""
