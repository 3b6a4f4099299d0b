"""What a client sends, as bytes: where a request begins and ends, and which bytes are not a request. Pure."""

import re
from typing import Final

from server.http.chunks import Chunks
from server.http.heads import BAD_REQUEST, CHUNKED, END_OF_HEAD, Head, HeaderMap, Heads

# What the bytes that have been received and not used begin with:

INCOMPLETE: Final = 0
"""Less than a head."""
WHOLE_HEAD: Final = 1
"""The head of a request: ``method``, ``target``, ``head``."""
NO_HEAD: Final = 2
"""Bytes that are not a head, and cannot become one: see ``fault``."""

MAX_HEAD: Final = (1 << 20) + 4096
"""Bytes of a head: Go's limit, and what it adds for its buffer."""

TLS = "TLS"
"""The fault of a client that begins a TLS handshake where the server has no TLS."""

_TLS_HANDSHAKE: Final = 0x16
"""The first byte of a TLS handshake. No request begins with it."""

_TOO_LONG = "431 Request Header Fields Too Large"

_EMPTY_LINES = 4
"""Bytes of line ends that Go ignores behind a POST, for clients of long ago."""

_METHODS = {name.encode(): name for name in ("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS")}
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BEGINNING = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^\x00-\x20\x7f]+ HTTP/1\.[01]\r\n")
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
_PLAIN = bytes(range(0x21, 0x7F))
_NOT_PLAIN = re.compile(rb"[\x00-\x20\x7f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_ABSOLUTE = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.\-]*://(?:[^/?\[\]]*|[^/?\[\]]*\[[^/?\[\]]*\](?::[0-9]*)?)(?:[/?].*)?"
)
_NO_HEAD = Head(HeaderMap([]), 0, False, False)


class Incoming:
    """The bytes of one client that have not been used yet, and what was found in them.

    ``head`` is that of the request whose body may follow; ``heads`` are shared between connections.
    """

    __slots__ = (
        "_at", "_begin", "_chunks", "_data", "_end", "_heads", "_left", "_partial", "_searched", "fault", "head",
        "method", "target",
    )  # fmt: skip

    def __init__(self, heads: Heads) -> None:
        self.method = ""
        self.target = b""
        self.head = _NO_HEAD
        self.fault = ""
        self._heads = heads

        # What has been received, from _at on. An incomplete head is in _partial; its first _searched bytes have been
        # searched for the end.
        self._data = b""
        self._at = 0
        self._partial = bytearray()
        self._searched = 0

        self._begin = 0  # where the head begins and ends, until more is received
        self._end = 0
        self._left = 0  # bytes of the body to come
        self._chunks: Chunks | None = None  # for a body that is in chunks, until it is over

    def receive(self, data: bytes) -> None:
        """Adds bytes that have come."""
        if self._partial:
            self._partial += data
        elif self._at < len(self._data):
            self._data = self._data[self._at :] + data
            self._at = 0
        else:
            self._data = data
            self._at = 0

    @property
    def ahead(self) -> int:
        """How many bytes have not been used."""
        return len(self._data) - self._at + len(self._partial)

    # Heads

    def next_head(self) -> int:
        """Looks for the head of a request, and returns one of the values above."""
        data, at = self._data, self._at
        if self._partial:
            if not self._completes():
                return self._judge_partial()
            data, at = self._data, 0
        elif at == len(data):
            return INCOMPLETE
        end = data.find(END_OF_HEAD, at) + len(END_OF_HEAD)
        if end < len(END_OF_HEAD):
            self._partial += data[at:]
            self._searched = 0
            self._data, self._at = b"", 0
            return self._judge_partial()
        space = data.find(b" ", at, end)
        lines = data.find(b" ", space + 1, end)
        if space < 0 or lines < 0:
            return self._refuse(BAD_REQUEST)
        target = data[space + 1 : lines]
        method = _METHODS.get(data[at:space])
        if method is None or not target.startswith(b"/") or target.translate(None, _PLAIN):
            method = _unusual_method(data[at:space])
            target = _unusual_target(target, method)
            if not (method and target):
                return self._refuse(BAD_REQUEST)
        head = self._heads[data[lines:end]]
        if head.fault:
            return self._refuse(head.fault)
        self.method, self.target, self.head = method, target, head
        self._begin, self._at, self._end = at, end, end
        if head.length == CHUNKED:
            self._chunks = Chunks()
        else:
            self._left = head.length
        return WHOLE_HEAD

    def pass_over_empty_lines(self) -> None:
        """Ignores line ends that a client has sent behind a body, and that are not part of it."""
        beginning = self._data[self._at : self._at + _EMPTY_LINES]
        self._at += len(beginning) - len(beginning.lstrip(b"\r\n"))

    @property
    def is_alone(self) -> bool:
        """Whether the head just found is all that has been received."""
        return self._begin == 0 and self._end == len(self._data)

    def raw_head(self) -> bytes:
        """The bytes of the head just found."""
        return self._data[self._begin : self._end]

    def _completes(self) -> bool:
        """Whether a head that came in pieces is complete now; then it is in _data, with the bytes behind it."""
        begin = max(0, self._searched - len(END_OF_HEAD))
        if self._partial.find(END_OF_HEAD, begin) < 0:
            return False
        self._data, self._at = bytes(self._partial), 0
        self._partial = bytearray()
        return True

    def _judge_partial(self) -> int:
        """Refuses an incomplete head that cannot become a valid one."""
        partial, searched = self._partial, self._searched
        if partial[0] == _TLS_HANDSHAKE:
            return self._refuse(TLS)
        if len(partial) > MAX_HEAD:
            return self._refuse(_TOO_LONG)
        ends_first_line = partial.find(b"\n", 0, searched) < 0 <= partial.find(b"\n", searched)
        if ends_first_line and _BEGINNING.match(partial) is None:
            return self._refuse(BAD_REQUEST)
        if _BARE_NEWLINE.search(partial, searched) is not None:
            return self._refuse(BAD_REQUEST)
        self._searched = len(partial)
        return INCOMPLETE

    def _refuse(self, fault: str) -> int:
        self.fault = fault
        return NO_HEAD

    # Bodies

    def is_unread(self) -> bool:
        """Whether a part of the body has not been read: it is here, or will come."""
        return self._left > 0 or self._chunks is not None

    @property
    def left(self) -> int:
        """How many bytes of a body with a length have not been read; 0 for a body in chunks."""
        return self._left

    def is_used_up(self) -> bool:
        """Whether no bytes of a body are here."""
        return self._at == len(self._data)

    def read_body(self) -> bytes:
        """The bytes of the body that are here. Raises BadFraming."""
        data, at = self._data, self._at
        if self._chunks is None:
            piece = data[at : at + self._left]
            self._at = at + len(piece)
            self._left -= len(piece)
            return piece
        self._at = len(data)
        piece, rest = self._chunks.feed(data[at:])
        if rest is not None:
            self._at -= len(rest)
            self._chunks = None
        return piece


def _unusual_method(method: bytes) -> str:
    """Any valid method; empty if it is not valid."""
    return method.decode() if _TOKEN.fullmatch(method) else ""


def _unusual_target(target: bytes, method: str) -> bytes:
    """Any valid target, not just a path of plain bytes; empty if it is not valid. Bytes beyond ASCII are escaped, as a
    redirect shows them."""
    if _NOT_PLAIN.search(target):
        return b""
    if not (target.startswith(b"/") or target == b"*" or method == "CONNECT" or _ABSOLUTE.fullmatch(target)):
        return b""
    return _NOT_ASCII.sub(lambda match: b"%%%02x" % ord(match[0]), target)
