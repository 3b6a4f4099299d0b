"""Bodies in chunks: put together, and taken apart by httptools. Pure."""

import httptools

from server.http.heads import END_OF_HEAD

LAST_CHUNK = b"0\r\n\r\n"


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class BadFraming(Exception):
    """A body with wrong framing; the text is Go's."""


class _Dechunked:
    """Where httptools puts what it finds in chunks."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.whole = False

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.whole = True


class Chunks:
    """Takes a body in chunks off the stream, trailers and all."""

    def __init__(self) -> None:
        self._found = _Dechunked()
        self._held = b""
        self._parser = httptools.HttpRequestParser(self._found)
        self._parser.feed_data(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """The part of the body that is in ``data``; and, once the body is complete, the bytes behind it, else None.
        Raises BadFraming.

        The parser does not report where in its input the message ended. But a message always ends with END_OF_HEAD, so
        the parser gets the bytes from one of these to the next.
        """
        data, begin = self._held + data, 0
        self._held = b""
        while not self._found.whole and begin < len(data):
            end = data.find(END_OF_HEAD, begin) + len(END_OF_HEAD)
            if end < len(END_OF_HEAD):
                end = len(data) - _beginnings(data, begin)
                self._held = data[end:]
            try:
                self._parser.feed_data(data[begin:end])
            except httptools.HttpParserError as error:
                raise BadFraming(chunk_fault(str(error))) from error
            begin = end + len(self._held)
        body = b"".join(self._found.pieces)
        self._found.pieces.clear()
        return body, data[begin:] if self._found.whole else None


def chunk_fault(text: str) -> str:
    """A fault that the parser has found in chunks, in Go's words."""
    return next((words for part, words in _CHUNK_FAULTS if part in text), "invalid byte in chunk length")


_CHUNK_FAULTS = (
    ("size overflow", "http chunk length too large"),
    ("after chunk data", "malformed chunked encoding"),
    ("CR after chunk size", "malformed chunked encoding"),
)


def _beginnings(data: bytes, begin: int) -> int:
    """How many of the last bytes may be the beginning of END_OF_HEAD."""
    return next((n for n in (3, 2, 1) if data.endswith(END_OF_HEAD[:n], begin)), 0)
