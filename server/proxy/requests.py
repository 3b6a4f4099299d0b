"""What of a client's request is passed to a member: its head, as bytes. Pure.

The rules are those of etcd 2.3.8's proxy: headers about the one connection stay behind, X-Forwarded-For grows by the
client's address, all else goes as it came, the target and the Host too. ``Via`` is ours: by it a request that has come
round is known.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from server.http.answers import HOP_BY_HOP
from server.http.heads import HeaderMap
from server.http.messages import Request
from server.http.targets import split_target

_WRITTEN_ANEW = frozenset((b"content-length", b"expect", b"x-forwarded-for", b"via"))
_STAY_BEHIND = _WRITTEN_ANEW | {name.encode() for name in HOP_BY_HOP}
_KNOWN = 1024
"""Heads of requests that are remembered: one or two of every client program at every address."""


class Lines(NamedTuple):
    """What is made of the lines of a head behind the first. ``come_round``: this proxy has sent the request on before;
    ``bodiless``: no body comes with it."""

    lines: bytes
    come_round: bool
    bodiless: bool


class RequestHeads:
    """Makes heads. ``name`` is what this proxy puts into ``Via``; it should be nobody else's.

    Clients send the same lines again and again; what is made of those that the server remembers is remembered too.
    """

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._known: dict[tuple[int, str], tuple[HeaderMap, Lines]] = {}

    def lines(self, request: Request) -> Lines:
        """The lines with which the request is passed on."""
        headers = request.headers
        known = self._known.get((id(headers), request.client))
        if known is not None:
            return known[1]  # the headers are in there, so the number is still theirs
        if not isinstance(headers, HeaderMap):
            pairs = [
                (name.encode("latin-1", "replace"), value.encode("utf-8", "surrogateescape"))
                for name, value in headers.items()
            ]
            return self._made(pairs, request.client)
        lines = self._made(headers.pairs, request.client)
        if "authorization" not in headers:  # what holds a password is not kept
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[id(headers), request.client] = headers, lines
        return lines

    def _made(self, pairs: Iterable[tuple[bytes, bytes]], client: str) -> Lines:
        named = [(name.lower(), name, value) for name, value in pairs]
        values: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for low, _, value in named:
            values[low].append(value)
        by_connection = {
            token.strip().lower() for value in values[b"connection"] for token in value.split(b",")
        }
        stay = _STAY_BEHIND | by_connection
        lines = [b"%s: %s\r\n" % (name, value) for low, name, value in named if low not in stay]
        for name, own in ((b"X-Forwarded-For", client.encode()), (b"Via", b"1.1 " + self._name)):
            lines.append(b"%s: %s\r\n" % (name, b", ".join((*values[name.lower()], own))))
        return Lines(
            b"".join(lines),
            come_round=any(self._name in value for value in values[b"via"]),
            bodiless=values[b"content-length"] in ([], [b"0"]) and not values[b"transfer-encoding"],
        )


def request_head(request: Request, lines: Lines, length: int) -> bytes:
    """The head with which a request is passed on, with a body of ``length`` bytes."""
    size = b"Content-Length: %d\r\n" % length if length or request.method in ("PUT", "POST") else b""
    return b"%s %s HTTP/1.1\r\n%s%s\r\n" % (
        request.method.encode(),
        origin_form(request.target),
        lines.lines,
        size,
    )


def origin_form(target: bytes) -> bytes:
    """A target without the scheme and host that it may have. Raises BadPathError for what is not a target."""
    if target.startswith(b"/"):
        return target
    path, query = split_target(target)
    return (path or b"/") + (b"?" + query if query else b"")
