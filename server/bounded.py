"""What an answer from another process may be: how long, how deep, with how many headers. Pure.

Everything that this project asks of others comes through here, by whatever connection: a server that is hostile, or not
an etcd at all, must cost neither memory nor time, and is reported in one line. ``AnswerReader`` takes an answer of
HTTP/1 apart as its bytes come, ``parse_json`` reads what was in it.
"""

import json
import math
import re
from http import HTTPStatus
from typing import Any, NamedTuple

import httptools

ACCEPT = {"Accept-Encoding": "identity"}
"""Goes with every request: what is compressed may be any length when it is not."""

MAX_HEADERS = 100
"""Headers of one answer, trailers among them: etcd sends about ten, balancers add some."""

MAX_LINE = 8190
"""Bytes of one header: aiohttp's own limit, so that both ways of asking take the same answers."""


class Bounds(NamedTuple):
    """What one answer may be. ``body`` and ``head`` are bytes, ``depth`` is how many brackets of JSON may be open at
    once, ``seconds`` is for all of it, from the dialling on."""

    body: int
    seconds: float
    depth: int = 64
    head: int = 64 << 10


class UnusableAnswer(ValueError):
    """What came is not an answer, or is longer than its bounds; the message is one line, without the URL."""


class HungUp(UnusableAnswer):
    """The connection ended before the first byte of an answer."""


class BoundedAnswer(NamedTuple):
    """``headers`` by their names in lower case; what comes twice is joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def etcd_index(self) -> int:
        return index_in(self.headers.get("x-etcd-index", ""))


def index_in(text: str) -> int:
    """An X-Etcd-Index; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


class BodyCollector:
    """Collects the pieces of a body, and refuses what is too long as soon as that is known."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self.size = 0

    def announced(self, length: str) -> None:
        """Takes the Content-Length, empty for none. Raises UnusableAnswer."""
        if length and (not length.isascii() or not length.isdigit()):
            raise UnusableAnswer(f"bad Content-Length {_shown(length)}")
        if length and (len(length) > 18 or int(length) > self._most):
            raise self._too_long()

    def add(self, piece: bytes) -> None:
        """Raises UnusableAnswer."""
        self.size += len(piece)
        if self.size > self._most:
            raise self._too_long()
        self._pieces.append(piece)

    def whole(self) -> bytes:
        return b"".join(self._pieces)

    def _too_long(self) -> UnusableAnswer:
        return UnusableAnswer(f"the answer is longer than {_bytes(self._most)}")


def check_encoding(encoding: str) -> None:
    """Refuses a Content-Encoding: nobody asked for one. Raises UnusableAnswer."""
    if encoding.strip().lower() not in ("", "identity"):
        raise UnusableAnswer(f"the answer is compressed ({_shown(encoding)}), which was not asked for")


class AnswerReader:
    """One answer, from its bytes. ``head_alone``: the answer counts as whole when its head is."""

    def __init__(self, bounds: Bounds, *, head_alone: bool = False) -> None:
        self.done = False
        self.keeps = False
        """Whether the connection may be used again, when the answer is done."""
        self._bounds = bounds
        self._head_alone = head_alone
        self._parser = httptools.HttpResponseParser(self)
        self._body = BodyCollector(bounds.body)
        self._status = 0
        self._headers: dict[str, str] = {}
        self._number = 0
        self._length = 0
        self._since_body = 0
        self._has_come = False
        self._ends_by_close = False

    def feed(self, data: bytes) -> None:
        """The next bytes, as they came. Raises UnusableAnswer."""
        self._has_come = True
        before = self._body.size
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise UnusableAnswer("the answer changes the protocol, which was not asked for") from error
        except httptools.HttpParserError as error:
            self._refuse(error, data)
        self._since_body = 0 if self._body.size > before else self._since_body + len(data)
        if not self.done and self._since_body > self._bounds.head:
            raise self._long_head()

    def end(self) -> None:
        """The connection has ended. Raises UnusableAnswer when the answer has not."""
        if self._ends_by_close and not self.done:
            self.done = True
        if not self.done:
            raise UnusableAnswer("unexpected EOF") if self._has_come else HungUp("EOF")

    @property
    def has_head(self) -> bool:
        return self._status >= 200

    @property
    def answer(self) -> BoundedAnswer:
        return BoundedAnswer(self._status, self._headers, self._body.whole())

    def _refuse(self, error: Exception, data: bytes) -> None:
        cause = error.__context__
        if isinstance(cause, UnusableAnswer):
            raise cause
        if self.done:  # more than was asked for: the connection is of no further use
            self.keeps = False
            return
        if self.has_head:
            raise UnusableAnswer(f"malformed HTTP body: {error}") from error
        first = data.partition(b"\r\n")[0]
        raise UnusableAnswer(f"malformed HTTP response {_shown(first)}") from error

    def _long_head(self) -> UnusableAnswer:
        what = "goes on without a body" if self.has_head else "has a head"
        return UnusableAnswer(f"the answer {what} of more than {_bytes(self._bounds.head)}")

    # What the parser reports; an exception comes out of feed_data as the context of its own.

    def on_message_begin(self) -> None:
        if self.done:
            self.keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.done:
            return
        self._number += 1
        self._length += len(name) + len(value)
        if self._number > MAX_HEADERS:
            raise UnusableAnswer(f"the answer has more than {MAX_HEADERS} headers")
        if self._length > self._bounds.head:
            raise self._long_head()
        if self.has_head:
            return  # a trailer
        key, text = name.decode("latin-1").lower(), value.decode("utf-8", "replace")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if self.done:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._headers = {}
            return
        if not 200 <= status < 600:
            raise UnusableAnswer(f"malformed HTTP status code {status}")
        self._status = status
        check_encoding(self._headers.get("content-encoding", ""))
        coding = self._headers.get("transfer-encoding", "").strip().lower()
        if coding not in ("", "chunked"):
            raise UnusableAnswer(f"unsupported transfer encoding {_shown(coding)}")
        self._body.announced(self._headers.get("content-length", ""))
        self._ends_by_close = not coding and "content-length" not in self._headers
        if self._head_alone:
            self.done = True

    def on_body(self, piece: bytes) -> None:
        if not self.done:
            self._body.add(piece)

    def on_message_complete(self) -> None:
        if self.has_head and not self.done:
            self.done = True
            self.keeps = self._parser.should_keep_alive()


def parse_json(body: bytes | str, depth: int) -> Any:
    """The value of a JSON document, as Go's encoding/json takes it: no number that is none, none beyond 64 bits.

    Raises UnusableAnswer, also for what is nested deeper than ``depth``.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
        if text.count("[") + text.count("{") > depth:
            _check_depth(text, depth)
        try:
            return json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=_no_number)
        except RecursionError:
            from server.store import deepjson  # late: seldom needed

            return deepjson.loads(text, _DECODER)
    except UnicodeDecodeError as error:
        raise UnusableAnswer(f"invalid JSON: byte {error.start} is not UTF-8") from error
    except UnusableAnswer:
        raise
    except ValueError as error:
        raise UnusableAnswer(f"invalid JSON: {error}") from error


def status_text(status: int) -> str:
    """Such as ``502 Bad Gateway``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


_STEPS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string, whole or not, which goes over any brackets in it; or one bracket."""


def _check_depth(text: str, depth: int) -> None:
    open_ones = 0
    for step in _STEPS.finditer(text):
        char = step[0]
        if char in ("[", "{"):
            open_ones += 1
            if open_ones > depth:
                raise UnusableAnswer(f"JSON nested deeper than {depth}")
        elif char in ("]", "}"):
            open_ones -= 1


def _integer(text: str) -> int:
    if len(text) > 20:
        raise UnusableAnswer(f"invalid JSON: the number {text[:20]}... does not fit 64 bits")
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise UnusableAnswer(f"invalid JSON: the number {text[:20]} does not fit 64 bits")
    return number


def _no_number(text: str) -> float:
    raise UnusableAnswer(f"invalid JSON: {text} is no number")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_no_number)


def _bytes(number: int) -> str:
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if number >= unit and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{number} bytes"


def _shown(text: str | bytes) -> str:
    """In quotes, what cannot be printed escaped, and not much of it."""
    text = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    return json.dumps(text[:80])
