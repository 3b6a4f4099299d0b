"""Heads of requests: reads their lines. Pure; httptools does the parsing.

A head that cannot be served has a fault: the status line of Go's net/http for it, or 400 where Go is less strict than
is safe to find where a request ends.
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
"""Digits of a Content-Length: so many always fit into the 64 bits that Go counts with."""
_NOT_HEEDED = re.compile(rb"(?<=\n)(?=(?:Upgrade|Proxy-Connection):)", re.IGNORECASE)
_HOST = re.compile(r"[!$%&'()*+,\-.:;=\[\]_~0-9A-Za-z]*")
_KNOWN_HEADS = 1024
_LONG_HEAD = 1024
"""How many heads are kept, and the longest in bytes: together at most 1 MiB. A choice: enough for the kinds of clients
of one server, and a head that is not kept is only read again."""


class HeaderMap(Mapping[str, str]):
    """Headers of a request, by name in any case; of repeated ones the first. ``pairs`` are all of them, unchanged."""

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

    ``length`` is that of the body in bytes, or CHUNKED; ``keeps`` whether the client asks to keep the connection;
    ``waits`` whether it waits for a 100 Continue; ``expects_more`` whether it has any other expectation, which is
    answered with 417. With a ``fault``, the status line of a refusal, nothing else counts.
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

    Apart from the target, a client sends the same lines again and again, so they are read once. A head with a password,
    or with a fault, is not kept.
    """

    def __missing__(self, lines: bytes) -> Head:
        head = _read_head(lines)
        if not head.fault and len(lines) <= _LONG_HEAD and "Authorization" not in head.headers:
            if len(self) >= _KNOWN_HEADS:
                self.clear()
            self[lines] = head
        return head


def without_upgrade(head: bytes) -> bytes:
    """The lines of a head, changed so that a parser ignores those for an upgrade or a proxy, as Go's does."""
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
    if http10 and length == CHUNKED:  # HTTP/1.0 has no chunks: bytes behind the head are ignored
        length, keeps = 0, False
    return Head(headers, length, keeps, http10, fault)


_FAULTS = (("nvalid `Transfer-Encoding`", UNSUPPORTED), ("header value char", _BAD_VALUE))
"""Parts of the parser's errors, and Go's status lines for them."""


def _refused(fault: str) -> Head:
    return Head(HeaderMap([]), 0, False, False, fault)


def _length(headers: HeaderMap) -> tuple[int, str]:
    """The length of the body, and the fault of the lines that give it, ``""`` for none."""
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            return 0, UNSUPPORTED
        return CHUNKED, BAD_REQUEST if "Content-Length" in headers else ""
    digits = headers.get("Content-Length", "0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        return 0, BAD_REQUEST
    return int(digits), ""
