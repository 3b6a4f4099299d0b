"""Answers as bytes: reads the head of one. Pure.

For a proxy, which asks other servers over HTTP/1 and passes their answers on. An answer with the simplest framing, as
nearly all have it, costs one search.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from server.http.heads import CHUNKED, END_OF_HEAD
from server.http.messages import Headers, Response
from server.http.responses import BODILESS

UNTIL_CLOSE = -2
"""In place of a length: the body ends with the connection."""

HOP_BY_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "trailers", "transfer-encoding", "upgrade"),
    )
)
"""Headers, in lower case, that are about one connection and are not passed on: those of RFC 2616, 13.5.1."""

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\r\n]*)?\r\n")
_PLAIN = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9]) [^\r\n]*\r\n")
_FRAMING = re.compile(
    rb"\r\n(?:content-length: ?([0-9]{1,18})(?=\r\n)|content-length|(?:%s):)"
    % "|".join(sorted(HOP_BY_HOP)).encode(),
    re.IGNORECASE,
)
"""A line about the framing or the connection; the group is a length that is plain digits."""
_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*?)[ \t]*")
_STATUSES = frozenset(status.value for status in HTTPStatus)
_KNOWN_HEADS = 256
_LONG_HEAD = 1024
"""How many heads are remembered, and the longest in bytes: together at most 256 KiB for each ``AnswerHeads``. A choice:
a member's heads of one second are few and short, and a head that is not remembered is only read again."""


class BadAnswer(ValueError):
    """The bytes are not an answer of HTTP/1."""


class AnswerHead(NamedTuple):
    """The head of an answer. ``size`` is its own length in bytes; ``length`` that of the body, or CHUNKED, or
    UNTIL_CLOSE; ``keeps`` whether the connection may be used again after it.

    ``plain``: it may be passed on unchanged, with its body: nothing in it is about the connection.
    """

    status: int
    size: int
    length: int
    keeps: bool
    plain: bool


def read_head(data: bytes, *, is_head: bool) -> AnswerHead | None:
    """The head that the bytes begin with, None if it is not complete yet. ``is_head`` is for the answer to a HEAD,
    which has no body, whatever length its head has. Raises BadAnswer."""
    size = data.find(END_OF_HEAD) + len(END_OF_HEAD)
    if size < len(END_OF_HEAD):
        return None
    plain = _PLAIN.match(data)
    lengths = _FRAMING.findall(data, 0, size)
    if plain and len(lengths) == 1 and lengths[0] and not is_head:
        status = int(plain[1])
        if status in _STATUSES and status not in BODILESS:
            return AnswerHead(status, size, int(lengths[0]), True, True)
    return _read_any_head(data[:size], is_head)


class AnswerHeads:
    """Reads heads, and remembers them: within a second a member sends the same ones again and again."""

    def __init__(self) -> None:
        self._known: dict[bytes, AnswerHead] = {}

    def __len__(self) -> int:
        return len(self._known)

    def read(self, data: bytes, at: int, *, is_head: bool) -> AnswerHead | None:
        """``read_head`` for the bytes from ``at`` on."""
        end = data.find(END_OF_HEAD, at) + len(END_OF_HEAD)
        if end < len(END_OF_HEAD):
            return None
        lines = data[at:end]
        if is_head:
            return read_head(lines, is_head=True)
        head = self._known.get(lines)
        if head is None:
            head = read_head(lines, is_head=False)
            assert head is not None
            if len(self._known) >= _KNOWN_HEADS:
                self._known.clear()
            if len(lines) <= _LONG_HEAD:
                self._known[lines] = head
        return head


def _read_any_head(head: bytes, is_head: bool) -> AnswerHead:
    line = _STATUS_LINE.match(head)
    if line is None:
        first = head.partition(b"\r\n")[0]
        raise BadAnswer(f"malformed HTTP response {first[:80]!r}")
    status = int(line[2])
    if status not in _STATUSES:
        raise BadAnswer(f"malformed HTTP status code {status}")
    fields = _fields(head)
    connection = _named_by_connection(fields)
    keeps = "keep-alive" in connection if line[1] == b"0" else "close" not in connection
    codings = [value.lower() for name, value in fields if name == "transfer-encoding"]
    lengths = {value for name, value in fields if name == "content-length"}
    if is_head or status in BODILESS or status < 200:
        return AnswerHead(status, len(head), 0, keeps, False)
    if codings:
        if codings != ["chunked"]:
            raise BadAnswer(f"unsupported transfer encoding {', '.join(codings)!r}")
        return AnswerHead(status, len(head), CHUNKED, keeps, False)
    if not lengths:
        return AnswerHead(status, len(head), UNTIL_CLOSE, False, False)
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit() and len(length) <= 18):
        raise BadAnswer(f"bad Content-Length {length!r}")
    return AnswerHead(status, len(head), int(length), keeps, False)


def passed_on(head: bytes, *, is_head: bool) -> Headers:
    """The headers of an answer that concern the client, sorted by name; without those that are written again for it.
    The answer to a HEAD keeps its Content-Length, because it has no body to count."""
    fields = _fields(head)
    written_anew = {"date"} if is_head else {"date", "content-length"}
    dropped = HOP_BY_HOP | _named_by_connection(fields) | written_anew
    kept = [(name.title(), value) for name, value in fields if name not in dropped]
    return tuple(sorted(kept))


class Verbatim(Response):
    """The answer of another server, all its bytes unchanged: a client of HTTP/1.1 that keeps its connection gets these.
    ``apart`` makes the answer for other clients."""

    wire: bytes

    def __init__(self, status: int, wire: bytes) -> None:
        super().__init__(status)
        self.wire = wire

    def apart(self, *, is_head: bool) -> Response:
        """The same answer, with a head that can be changed."""
        head = read_head(self.wire, is_head=is_head)
        assert head is not None
        return Response(
            head.status, passed_on(self.wire[: head.size], is_head=is_head), self.wire[head.size :]
        )


def _named_by_connection(fields: list[tuple[str, str]]) -> set[str]:
    values = [value for name, value in fields if name == "connection"]
    return {token.strip().lower() for value in values for token in value.split(",")}


def _fields(head: bytes) -> list[tuple[str, str]]:
    """Names, in lower case, and values."""
    fields = []
    for line in head.split(b"\r\n")[1:-2]:
        found = _LINE.fullmatch(line)
        if found is None:
            raise BadAnswer(f"malformed MIME header line {line[:80]!r}")
        fields.append((found[1].decode().lower(), found[2].decode("utf-8", "replace")))
    return fields
