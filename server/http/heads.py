"""Heads of requests: what their lines say. Pure; httptools does the parsing.

What cannot be served has a fault: the line that Go's net/http answers such a head with, or 400 where Go is less strict
than who wants to tell one request from the next ought to be.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httptools

END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED: Final = -1
"""In place of a length: the body says itself where it ends."""

BAD_REQUEST = "400 Bad Request"
_NO_HOST = "400 Bad Request: missing required Host header"
_BAD_HOST = "400 Bad Request: malformed Host header"
_BAD_VALUE = "400 Bad Request: invalid header value"
UNSUPPORTED = "501 Not Implemented"

_CONTINUE = "100-continue"
_MAX_DIGITS = 18
_NOT_HEEDED = re.compile(rb"(?<=\n)(?=(?:Upgrade|Proxy-Connection):)", re.IGNORECASE)
_HOST = re.compile(r"[!$%&'()*+,\-.:;=\[\]_~0-9A-Za-z]*")
_KNOWN_HEADS = 1024
_LONG_HEAD = 1024


class HeaderMap(Mapping[str, str]):
    """Headers of a request, found in any case; of repeated ones the first. ``pairs`` are all of them as they came."""

    __slots__ = ("_values", "pairs")

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs
        self._values: dict[str, str] = {}
        for name, value in pairs:
            text = value.strip(b" \t").decode("utf-8", "surrogateescape")
            self._values.setdefault(name.decode("latin-1").lower(), text)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        """As any mapping's, but quick."""
        return self._values.get(name.lower(), default)


class Head:
    """What the head of a request says after its target. Shared between requests, so never changed.

    ``length`` is that of the body in bytes, or CHUNKED; ``keeps`` whether the client wants the connection kept;
    ``waits`` whether it wants to be told to send the body; ``expects_more`` whether it wants what nobody can give. With
    a ``fault``, the status line of a refusal, nothing else is to be heeded.
    """

    __slots__ = ("expects_more", "fault", "headers", "http10", "keeps", "length", "origin", "waits")

    def __init__(self, headers: HeaderMap, length: int, keeps: bool, http10: bool, fault: str = "") -> None:
        expected = headers.get("Expect", "").lower()
        self.headers = headers
        self.length = length
        self.keeps = keeps
        self.http10 = http10
        self.fault = fault
        self.waits = expected == _CONTINUE and length != 0 and not http10
        self.expects_more = expected not in ("", _CONTINUE)
        self.origin = headers.get("Origin", "")


class _Collected:
    """Where httptools puts what it finds in a head."""

    __deletable__ = ("_parser",)

    def __init__(self, lines: bytes) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.whole = False
        self.keeps = False
        self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(b"PUT /" + lines)
        finally:
            del self._parser  # which holds this one: a circle

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name, value))

    def on_headers_complete(self) -> None:
        self.whole = True
        self.keeps = self._parser.should_keep_alive()


class Heads(dict[bytes, Head]):
    """Heads by their lines, from the space behind the target to the end.

    A client sends the same lines again and again, but for the target, so they are read once. What holds a password, or
    is refused, is not kept.
    """

    def __missing__(self, lines: bytes) -> Head:
        head = _read_head(lines)
        if not head.fault and len(lines) <= _LONG_HEAD and "Authorization" not in head.headers:
            if len(self) >= _KNOWN_HEADS:
                self.clear()
            self[lines] = head
        return head


def without_upgrade(head: bytes) -> bytes:
    """The lines of a head such that no parser heeds those for an upgrade or a proxy, as Go's does not."""
    return _NOT_HEEDED.sub(b"X-", head)


def _read_head(lines: bytes) -> Head:
    http10 = lines.startswith(b" HTTP/1.0\r\n")
    if not http10 and not lines.startswith(b" HTTP/1.1\r\n"):
        return _refused(BAD_REQUEST)
    try:
        collected = _Collected(without_upgrade(lines))
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        return _refused(next((fault for part, fault in _FAULTS if part in str(error)), BAD_REQUEST))
    headers = HeaderMap(collected.pairs)
    length, fault = _length(headers)
    hosts = sum(1 for name, _ in collected.pairs if name.lower() == b"host")
    if not collected.whole or hosts > 1:
        fault = BAD_REQUEST
    elif not http10 and hosts == 0:
        fault = _NO_HOST
    elif _HOST.fullmatch(headers.get("Host", "")) is None:
        fault = _BAD_HOST
    keeps = collected.keeps
    if http10 and length == CHUNKED:  # which it does not know: whatever comes behind the head is nothing
        length, keeps = 0, False
    return Head(headers, length, keeps, http10, fault)


_FAULTS = (("nvalid `Transfer-Encoding`", UNSUPPORTED), ("header value char", _BAD_VALUE))
"""What is in the parser's words for what Go has a word for."""


def _refused(fault: str) -> Head:
    return Head(HeaderMap([]), 0, False, False, fault)


def _length(headers: HeaderMap) -> tuple[int, str]:
    """The length, and what is wrong with it."""
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            return 0, UNSUPPORTED
        return CHUNKED, BAD_REQUEST if "Content-Length" in headers else ""
    digits = headers.get("Content-Length", "0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        return 0, BAD_REQUEST
    return int(digits), ""
