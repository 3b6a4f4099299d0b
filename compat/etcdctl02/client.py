"""A cluster behind several endpoints: one request goes to one of them, and to the next when that one fails.

The order of the endpoints is shuffled once; the one that answered is asked first from then on. Redirects are followed,
as a follower of etcd 0.4 sends writes on to its leader; with a user and a password, which 0.4 does not know, only to
the hosts of the endpoints.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from compat.etcdctl02.errors import ClientError, ClusterError, NoEndpoints, OutOfTime
from compat.etcdctl02.gotext import canonical_path, escaped_form, escaped_path, json_of, quoted
from compat.etcdctl02.transport import BOUNDS, BoundedAnswer, Deadlines, Request, Transport
from server.bounded import UnusableAnswer, parse_json

_REDIRECTS = 10
_LONGEST = 600.0
"""Seconds that an answer takes at most, but one that is waited for, where the command itself has no limit."""

_STATUS_OF_NO_LEADER = (500, 503)


class Action(NamedTuple):
    """A request to whichever endpoint. ``path`` and ``query`` are not escaped; a ``wait`` may take any time."""

    method: str
    path: str
    query: dict[str, str] | None = None
    body: bytes | None = None
    content_type: str = ""
    wait: bool = False

    def url(self, endpoint: str) -> str:
        scheme, colon, rest = endpoint.partition("://")
        host, _, path = rest.partition("/")
        url = f"{scheme}{colon}{host}{escaped_path(canonical_path(f'{path}/{self.path}'))}"
        return f"{url}?{escaped_form(self.query)}" if self.query else url


def form(method: str, path: str, query: dict[str, str], fields: dict[str, str]) -> Action:
    body = escaped_form(fields).encode()
    return Action(method, path, query, body, "application/x-www-form-urlencoded")


def document(method: str, path: str, content: object) -> Action:
    return Action(method, path, None, json_of(content).encode(), "application/json")


def key_path(key: str) -> str:
    return f"/v2/keys/{key}" if key else "/v2/keys"


class Member(NamedTuple):
    id: str
    name: str
    peer_urls: list[str]
    client_urls: list[str]


class Client:
    """``timeout`` in seconds is for one request's head, 0 for ever. ``trace`` gets every request as a curl line."""

    def __init__(
        self,
        endpoints: Sequence[str],
        transport: Transport,
        shuffle: Callable[[list[str]], None],
        *,
        timeout: float = 0.0,
        credentials: tuple[str, str] | None = None,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.endpoints: list[str] = []
        self._transport = transport
        self._shuffle = shuffle
        self._timeout = timeout
        self._trace = trace
        self._first = 0
        self._headers: dict[str, str] = {}
        if credentials is not None:
            pair = ":".join(credentials).encode("utf-8", "surrogateescape")
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self.use(endpoints)

    def use(self, endpoints: Sequence[str]) -> None:
        """Talk to these from now on. Raises NoEndpoints."""
        if not endpoints:
            raise NoEndpoints
        self.endpoints = list(endpoints)
        self._shuffle(self.endpoints)
        self._first = 0

    def do(self, action: Action, until: float | None) -> BoundedAnswer:
        """The answer of the first endpoint that has one; any status but 5xx is one.

        ``until`` on the monotonic clock is when the command's time is over, None never. Raises ClientError.
        """
        errors = []
        for endpoint in self.endpoints[self._first :] + self.endpoints[: self._first]:
            try:
                answer = self._ask(endpoint, action, until)
            except OutOfTime:
                raise
            except ClientError as error:
                errors.append(error)
                continue
            if answer.status // 100 != 5:
                self._first = self.endpoints.index(endpoint)
                return answer
            errors.append(ClientError(_server_error(endpoint, answer.status)))
        raise ClusterError(errors)

    def members(self, until: float | None) -> list[Member]:
        """Raises ClientError."""
        answer = self.do(Action("GET", "/v2/members"), until)
        expect(answer, 200)
        return [_member(each) for each in listed(decoded(answer.body), "members", dict)]

    def sync(self, until: float | None) -> None:
        """Talk to the client URLs that the members say they have. Raises ClientError."""
        urls = sorted(url for member in self.members(until) for url in member.client_urls)
        if urls != sorted(self.endpoints):
            self.use(urls)

    def _ask(self, endpoint: str, action: Action, until: float | None) -> BoundedAnswer:
        url = action.url(endpoint)
        for _ in range(_REDIRECTS + 1):
            answer = self._send(url, action, until)
            if answer.status // 100 != 3:
                return answer
            url = answer.headers.get("location", "")
            if not url:
                raise ClientError("Location header not set")
            if self._headers and _host(url) not in map(_host, self.endpoints):
                raise ClientError(
                    f"client: {endpoint} redirects to {url[:200]}, which is no host of the endpoints: "
                    "user and password are not sent there"
                )
        raise ClientError("client: too many redirects")

    def _send(self, url: str, action: Action, until: float | None) -> BoundedAnswer:
        if self._trace is not None:
            body = (
                "" if action.body is None else f" -d {quoted(action.body.decode('utf-8', 'surrogateescape'))}"
            )
            self._trace(f"cURL Command: curl -X {action.method} {url}{body}\n")
        if until is not None and until <= time.monotonic():
            raise OutOfTime
        headers = dict(self._headers)
        if action.content_type:
            headers["Content-Type"] = action.content_type
        return self._transport.send(
            Request(action.method, url, headers, action.body), self._limits(action, until)
        )

    def _limits(self, action: Action, until: float | None) -> Deadlines:
        if until is None and not action.wait:
            until = time.monotonic() + _LONGEST
        if action.wait or self._timeout <= 0:
            return Deadlines(until, until)
        head = time.monotonic() + self._timeout
        return Deadlines(head if until is None else min(head, until), until)


def _host(url: str) -> str:
    """The host of a URL, in small letters, without the port."""
    place = url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2].lower()
    return place.partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _server_error(endpoint: str, status: int) -> str:
    if status in _STATUS_OF_NO_LEADER:
        return f"client: etcd member {endpoint} has no leader"
    from http import HTTPStatus

    reason = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"client: etcd member {endpoint} returns server error [{reason}]"


def expect(answer: BoundedAnswer, *statuses: int) -> None:
    if answer.status not in statuses:
        raise ClientError(f"unexpected status code {answer.status}")


def message_unless(answer: BoundedAnswer, *statuses: int) -> None:
    """The ``message`` of an answer that is an error is the error."""
    if answer.status not in statuses:
        raise ClientError(str(decoded(answer.body).get("message", "")))


def decoded(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises ClientError with Go's words for what is none."""
    text = body.decode("utf-8", "replace")
    try:
        value = parse_json(text, BOUNDS.depth)
    except UnusableAnswer as error:
        nested = "nested" in str(error)
        raise ClientError(str(error) if nested else _not_json(text)) from error
    if not isinstance(value, dict):
        raise ClientError("json: cannot unmarshal the answer, which is no object")
    return value


def part(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of such a name, empty where there is none. Raises ClientError for what is no object."""
    found = record.get(name) or {}
    if not isinstance(found, dict):
        raise ClientError(f"json: cannot unmarshal the answer: its {name} is no object")
    return found


def listed(record: dict[str, Any], name: str, *kinds: type) -> list[Any]:
    """The list of such a name, empty where there is none. Raises ClientError for one of others than ``kinds``."""
    items = record.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, kinds) for item in items):
        raise ClientError(f"json: cannot unmarshal the answer: its {name} are no list of them")
    return items


def _not_json(text: str) -> str:
    start = text.lstrip(" \t\r\n")[:1]
    if not start:
        return "unexpected end of JSON input"
    if start in '{["-0123456789tfn':
        return f"invalid JSON: {text[:80]}"
    return f"invalid character {start!r} looking for beginning of value"


def _member(record: Any) -> Member:
    return Member(
        str(record.get("id", "")),
        str(record.get("name", "")),
        listed(record, "peerURLs", str),
        listed(record, "clientURLs", str),
    )
