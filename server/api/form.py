"""Parameters of a request, read from query and body as Go's net/http does it.

Pure. The first value of a name counts, those of the body before those of the query. Every failure is EtcdError 210
with Go's own text as the cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from server.goquote import quote_as_go
from server.store import ErrorCode, EtcdError

Form = dict[bytes, bytes]

MAX_BODY = 10 << 20
"""Bytes of a form, as in Go's net/http: etcd answers a longer one with an error."""

_FORM_TYPE = "application/x-www-form-urlencoded"
_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE_IN_NAME = re.compile(rb"&[^&=]*%")

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_MEDIA_TYPE = re.compile(rf"({_TOKEN})(?:/({_TOKEN})?)?")
# Possessive, as Go does not go back either: a string whose last quote is escaped never ends.
_QUOTED = r"""\"(?:\\[()<>@,;:\\"/\[\]?=]|[^"\r\n])*+\""""
_MEDIA_PARAMETER = re.compile(rf"\s*;\s*({_TOKEN})\s*=\s*({_TOKEN}|{_QUOTED})")


def takes_body(method: str, content_type: str) -> bool:
    """Whether parameters may be in the body, so that it must be read."""
    return method in ("PUT", "POST") and (
        content_type == _FORM_TYPE or _read_media_type(content_type) == (_FORM_TYPE, "")
    )


class Parameters:
    """The parameters an API knows. What it does not know costs no object, however many of them there are."""

    def __init__(self, *names: bytes) -> None:
        self._names = frozenset(names)
        self._plain = _compile(re.escape(name) for name in names)
        self._escaped = _compile(b"".join(map(_plain_or_escaped, name)) for name in names)

    def read(self, method: str, query: bytes, content_type: str, body: bytes) -> Form:
        """Those given; a body counts only for PUT and POST and only if ``content_type`` says it is a form.

        Raises EtcdError 210; of several faults that of the content type comes first, then the body's, then the
        query's.
        """
        sources = [query]
        if method in ("PUT", "POST") and content_type and content_type != _FORM_TYPE:
            media_type, fault = _read_media_type(content_type)
            _refuse(fault)
            if media_type == _FORM_TYPE:
                sources.insert(0, body)
        elif method in ("PUT", "POST") and content_type:
            sources.insert(0, body)
        form: Form = {}
        for source in sources:
            if not source:
                continue
            if source is body and len(body) > MAX_BODY:
                _refuse("http: POST too large")
            name, equals, value = source.partition(b"=")
            plain = equals and not (b"&" in value or b"%" in value or b"+" in value or b";" in value)
            if not plain or not name.isalpha():
                pairs = source.replace(b";", b"&")  # which separates as well in every Go before 1.17
                _refuse(_fault(pairs))
                self._gather(pairs, form)
            elif name in self._names:  # the usual form, in one go
                form.setdefault(name, value)
        return form

    def _gather(self, data: bytes, form: Form) -> None:
        """Adds those not there yet; ``data`` has no fault."""
        data = b"&" + data
        names = self._plain
        if b"%" in data and _ESCAPE_IN_NAME.search(data):
            names = self._escaped
        for match in names.finditer(data):
            name = _unescape(match[1])
            if name in form:
                continue
            end = data.find(b"&", match.end())
            given = data[match.end() : len(data) if end < 0 else end]  # with its equals sign, if it has one
            form[name] = _unescape(given[1:])


def _compile(names: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"&(" + b"|".join(names) + rb")(?=[=&]|\Z)")


def _plain_or_escaped(byte: int) -> bytes:
    return rb"(?:%s|%%(?i:%02x))" % (re.escape(bytes((byte,))), byte)


def _refuse(fault: str) -> None:
    if fault:
        raise EtcdError(ErrorCode.INVALID_FORM, fault)


def _fault(data: bytes) -> str:
    """What is wrong with the pairs, anywhere in them, if anything: a bad escape."""
    bad = _BAD_PERCENT.search(data) if b"%" in data else None
    if bad is None:
        return ""
    begin = data.rfind(b"&", 0, bad.start()) + 1
    # The three bytes quoted end where the name or the value does.
    ends = rb"[&]" if b"=" in data[begin : bad.start()] else rb"[&=]"
    escape = re.split(ends, data[bad.start() : bad.start() + 3], maxsplit=1)[0]
    return f"invalid URL escape {quote_as_go(escape)}"


def _unescape(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    return unquote_to_bytes(text) if b"%" in text else text


def _read_media_type(content_type: str) -> tuple[str, str]:
    """The media type in lower case and what is wrong with the header; parameters only need to be well-formed."""
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
    at, end = 0, len(text.rstrip())
    while at < end:
        parameter = _MEDIA_PARAMETER.match(text, at)
        if parameter is None:
            return "" if text[at:end].strip() == ";" else "mime: invalid media parameter"
        name, value = parameter[1].lower(), parameter[2]
        if seen.setdefault(name, value) != value:
            return "mime: duplicate parameter name"
        at = parameter.end()
    return ""
