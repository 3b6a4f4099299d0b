"""Heads of requests: what their lines say. Pure.

httptools does the parsing; what it or this module does not take for a plain request is None, for others to judge.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httptools

END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = -1
"""In place of a length: the body says itself where it ends."""

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
    ``waits`` whether it wants to be told to send the body.
    """

    __slots__ = ("headers", "http10", "keeps", "length", "origin", "waits")

    def __init__(self, headers: HeaderMap, length: int, keeps: bool, http10: bool) -> None:
        self.headers = headers
        self.length = length
        self.keeps = keeps
        self.http10 = http10
        self.waits = "expect" in headers and length != 0 and not http10
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


class Heads(dict[bytes, Head | None]):
    """Heads by their lines, from the space behind the target to the end; None for those that are not quite usual.

    A client sends the same lines again and again, but for the target, so they are read once. What holds a password
    is not kept.
    """

    def __missing__(self, lines: bytes) -> Head | None:
        head = _read_head(lines)
        if head is not None and len(lines) <= _LONG_HEAD and "Authorization" not in head.headers:
            if len(self) >= _KNOWN_HEADS:
                self.clear()
            self[lines] = head
        return head


def without_upgrade(head: bytes) -> bytes:
    """The lines of a head such that no parser heeds those for an upgrade or a proxy, as Go's does not."""
    return _NOT_HEEDED.sub(b"X-", head)


def may_be_host(text: str) -> bool:
    """Whether the value of a Host line has only bytes that Go takes there."""
    return _HOST.fullmatch(text) is not None


def _read_head(lines: bytes) -> Head | None:
    http10 = lines.startswith(b" HTTP/1.0\r\n")
    if not http10 and not lines.startswith(b" HTTP/1.1\r\n"):
        return None
    try:
        collected = _Collected(without_upgrade(lines))
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    pairs = collected.pairs
    headers = HeaderMap(pairs)
    hosts = sum(1 for name, _ in pairs if name.lower() == b"host")
    length = _length(headers)
    if (
        not collected.whole
        or length is None
        or hosts > 1
        or (http10 and length == CHUNKED)
        or (not http10 and hosts == 0)
        or not may_be_host(headers.get("Host", ""))
        or headers.get("Expect", _CONTINUE).lower() != _CONTINUE
    ):
        return None
    return Head(headers, length, collected.keeps, http10)


def _length(headers: HeaderMap) -> int | None:
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        return CHUNKED if coding == "chunked" and "Content-Length" not in headers else None
    digits = headers.get("Content-Length", "0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None
