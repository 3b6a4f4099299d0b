"""What the discovery service answers. Plain functions of a request; knows no framework and no socket.

    GET|PUT|POST /new?size=N     a fresh discovery URL; 429 for who has had many, or when there are many
    GET /health                  OK as long as the store can write
    GET /TOKEN                   who has registered (with ?wait=true&recursive=true: who registers next)
    GET /TOKEN/_config/size      how many members the cluster begins with
    GET|PUT|DELETE /TOKEN/ID     one member

Below a token it is the key space's own API that answers, with the keys named as the public service named them, so what
v2 clients can ask of a key they can ask here: waits, indexes, prevExist. Only what makes a token and its size is the
service's alone, and the rest of the key space cannot be reached.
"""

import asyncio
import json
import math
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from server.api.form import Parameters, takes_body
from server.api.keys import answer_redirect
from server.api.paths import KEYS_PREFIX, route
from server.discovery.quota import Living, Rate, who_asks
from server.discovery.settings import DEFAULT_SIZE, BadSetting, parse_size
from server.http.messages import (
    TEXT,
    Body,
    BrokenOff,
    Handler,
    ReadBody,
    Reply,
    Request,
    Response,
    bad_request,
    gathered,
    method_not_allowed,
    text,
)
from server.http.targets import BadPathError
from server.store import EtcdError
from server.store.gojson import quote

REGISTRY = "/_etcd/registry"
"""The directory of the tokens, by the convention of etcd's documentation."""

MAX_BODY = 64 << 10
"""Bytes that a member may register: its name and peer URLs, which take a few hundred."""

_COUNT_AGAIN = 60.0
"""Seconds before the tokens are counted again: it costs a listing, and the limit on tokens may be exceeded by what
a minute brings."""

_FORM = "application/x-www-form-urlencoded"
_BELOW_TOKEN = re.compile(r"/([0-9A-Za-z][0-9A-Za-z_-]{0,63})(/_config(?:/size)?|/[0-9a-fA-F]{1,16})?/?")
_PARAMETERS = Parameters(b"size")
_KEY_NOT_FOUND = 100
"""The error code of etcd's v2 API."""

_HELP = """\
This is a discovery service for etcd: members of a new cluster find each other here.

1. Get a discovery URL for a cluster of three:
     curl {url}/new?size=3
2. Start each of the three with that URL and a name of its own:
     etcd02 --name infra0 --discovery {url}/TOKEN --initial-advertise-peer-urls http://10.0.1.10:2380 ...
3. See who has registered:
     curl {url}/TOKEN

A URL is for one cluster and its first start, and {life}.
"""


class DiscoveryApi:
    """Serves the tokens in the key space that ``keys`` answers for.

    ``url`` is what members reach the service by, ``""`` for what each of them asked by (with ``scheme``); ``token_ttl``
    is in seconds, 0 without end; ``new_token`` makes a token that nobody can guess. ``/new`` makes ``new_per_hour`` for
    an address and lets ``max_tokens`` live, 0 for no limit; ``clock`` counts seconds.
    """

    def __init__(
        self,
        keys: Handler,
        *,
        new_token: Callable[[], str],
        token_ttl: int,
        url: str = "",
        scheme: str = "http",
        new_per_hour: int = 0,
        max_tokens: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = Rate(new_per_hour)
        self._max_tokens = max_tokens
        self._living = Living(max_tokens)
        self._making: list[float] = []  # ends of tokens that are not in the store yet
        self._counted = -math.inf  # when, last
        self._counting = asyncio.Lock()
        self._clock = clock
        self._keys = keys
        self._new_token = new_token
        self._token_ttl = token_ttl
        self._url = url
        self._scheme = scheme

    def handle(self, request: Request) -> Reply:
        """Answers a request; never raises."""
        try:
            path, query, location, _ = route(request.target)
        except BadPathError:
            return bad_request()
        if location is not None:
            return answer_redirect(request.method, location)
        if path == "/new":
            return self._serve_new(request, query)
        if path in ("/", "/health"):
            if request.method not in ("GET", "HEAD"):
                return method_not_allowed("GET", "HEAD")
            return self._help(request) if path == "/" else self._health()
        found = _BELOW_TOKEN.fullmatch(path)
        if found is None:
            return text(404, "no token, and nothing else of a discovery service (see /)")
        return self._serve_token(request, found[1], found[2] or "", query)

    # Tokens

    def _serve_new(self, request: Request, query: bytes) -> Reply:
        if request.method not in ("GET", "HEAD", "PUT", "POST"):
            return method_not_allowed("GET", "HEAD", "PUT", "POST")
        kind = request.headers.get("Content-Type", "")

        def then(body: Body) -> Reply:
            try:
                form = _PARAMETERS.read(request.method, query, kind, body.data)
                size = parse_size((form.get(b"size") or b"%d" % DEFAULT_SIZE).decode("utf-8", "replace"))
            except (BadSetting, EtcdError) as error:
                return text(400, str(error))
            if request.method == "HEAD":
                return Response(200, (TEXT,))  # whoever looks whether the service is there wants no token
            return self._make(request, size)

        return ReadBody(MAX_BODY, then) if takes_body(request.method, kind) else then(Body(b""))

    async def _make(self, request: Request, size: int) -> Response:
        who = who_asks(request.client)
        if refusal := await self._refusal(who):
            return refusal
        end = self._clock() + self._token_ttl if self._token_ttl else math.inf
        self._living.add(end)
        self._making.append(end)
        try:
            answer = await self._make_now(request, size)
        finally:
            self._making.remove(end)
        if answer.status != 200:
            self._living.remove(end)
        return answer

    async def _make_now(self, request: Request, size: int) -> Response:
        token = self._new_token()
        life = {"ttl": str(self._token_ttl)} if self._token_ttl else {}
        for key, form in (
            ("", {"dir": "true", "prevExist": "false", **life}),
            ("/_config/size", {"value": str(size), "prevExist": "false"}),
        ):
            made = await self._ask("PUT", _key(token, key), form)
            if made.status != 201:
                return text(503, f"no token can be made now: {made.body.decode('utf-8', 'replace').strip()}")
        return Response(200, (TEXT,), f"{self._url_for(request)}/{token}".encode())

    async def _refusal(self, who: str) -> Response | None:
        """The answer to one who has to wait for a token; None when there is one."""
        if wait := await self._wait_for_room():
            return _too_many(
                wait,
                f"there are {self._max_tokens} tokens, as many as may be (--max-tokens); they expire by and by",
            )
        if wait := self._rate.take(who, self._clock()):
            return _too_many(
                wait, f"{who} has had as many tokens as an address may in an hour (--new-per-hour)"
            )
        return None

    async def _wait_for_room(self) -> float:
        """Seconds. What there is is counted at first, and again when it seems to be too much: others may have removed
        some."""
        if not self._max_tokens:
            return 0.0
        async with self._counting:
            now = self._clock()
            is_due = self._counted == -math.inf or (
                self._living.wait(now) and now - self._counted >= _COUNT_AGAIN
            )
            if is_due and (ends := await self._ends()) is not None:
                self._living.know([*ends, *self._making])
                self._counted = self._clock()
        return self._living.wait(self._clock())

    async def _ends(self) -> list[float] | None:
        """Of the tokens in the store; None when it does not tell."""
        listing = await _whole(await self._ask("GET", f"{KEYS_PREFIX}{REGISTRY}".encode()))
        if listing.status == 404:
            return []
        now = self._clock()
        try:
            nodes = json.loads(listing.body)["node"].get("nodes", ())
            return [now + node["ttl"] if "ttl" in node else math.inf for node in nodes]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _serve_token(self, request: Request, token: str, below: str, query: bytes) -> Reply:
        member = below and not below.startswith("/_config")
        allowed = ("GET", "HEAD", "PUT", "DELETE") if member else ("GET", "HEAD")
        if request.method not in allowed:
            return method_not_allowed(*allowed)
        target = _key(token, below) + (b"?" + query if query else b"")
        inner = Request(request.method, target, request.headers)
        if request.method in ("GET", "HEAD"):
            return self._told(self._keys(inner), token, request)
        if not takes_body(request.method, request.headers.get("Content-Type", "")):
            return self._write(inner, token, Body(b""), request)
        return ReadBody(MAX_BODY, lambda body: self._write(inner, token, body, request))

    async def _write(self, inner: Request, token: str, body: Body, request: Request) -> Response:
        """Only below a token that is there: a write makes the directories it needs, and those would live without
        end."""
        if len(body.data) > MAX_BODY:
            return text(413, f"a member registers its name and peer URLs: at most {MAX_BODY} bytes")
        there = await self._ask("GET", _key(token))
        if there.status != 200:
            return self._with_words(there, token, request)
        return self._with_words(await _answered(self._keys(inner), body), token, request)

    def _told(self, reply: Reply, token: str, request: Request) -> Reply:
        assert not isinstance(reply, ReadBody)  # of a GET
        if isinstance(reply, Response):
            return self._with_words(reply, token, request)
        return self._later(reply, token, request)

    async def _later(self, reply: Awaitable[Response], token: str, request: Request) -> Response:
        return self._with_words(await reply, token, request)

    def _with_words(self, response: Response, token: str, request: Request) -> Response:
        """The same answer; where it says that there is no such token, it says what to do as well.

        Real members print the cause of an error.
        """
        if response.status != 404:
            return response
        try:
            error = json.loads(response.body)
            missing = error["errorCode"] == _KEY_NOT_FOUND and f"{REGISTRY}/{token}".startswith(
                error["cause"]
            )
        except (ValueError, KeyError, TypeError):
            return response
        if not missing:
            return response
        cause = (
            f"{REGISTRY}/{token}: no such discovery token; it is mistyped or has expired. "
            f"A new one: curl {self._url_for(request)}/new?size={DEFAULT_SIZE}"
        )
        body = (
            f'{{"errorCode":{_KEY_NOT_FOUND},"message":{quote(error["message"])},"cause":{quote(cause)},'
            f'"index":{error["index"]}}}\n'
        )
        headers = tuple(header for header in response.headers if header[0] != "Content-Length")
        return Response(response.status, headers, body.encode())

    async def _ask(self, method: str, target: bytes, form: dict[str, str] | None = None) -> Response:
        kind = {} if form is None else {"Content-Type": _FORM}
        data = b"" if form is None else urlencode(form).encode()
        return await _answered(self._keys(Request(method, target, kind)), Body(data))

    async def _health(self) -> Response:
        """As the public service had it; what is wrong is the store's to say."""
        health = await self._ask("GET", b"/health")
        return Response(200, (TEXT,), b"OK") if health.status == 200 else health

    # Words for people

    def _help(self, request: Request) -> Response:
        days, rest = divmod(self._token_ttl, 86400)
        life = f"lives for {days} days" if days and not rest else f"lives for {self._token_ttl} seconds"
        if not self._token_ttl:
            life = "lives for ever"
        return Response(200, (TEXT,), _HELP.format(url=self._url_for(request), life=life).encode())

    def _url_for(self, request: Request) -> str:
        return self._url or f"{self._scheme}://{request.headers.get('Host', '') or 'localhost'}"


def _key(token: str, below: str = "") -> bytes:
    return f"{KEYS_PREFIX}{REGISTRY}/{token}{below}".encode()


async def _answered(reply: Reply, body: Body) -> Response:
    if isinstance(reply, ReadBody):
        reply = reply.then(body)
        assert not isinstance(reply, ReadBody)
    return reply if isinstance(reply, Response) else await reply


def _too_many(wait: float, why: str) -> Response:
    seconds = max(1, math.ceil(wait))
    return text(429, f"{why}; ask again in {seconds} seconds", ("Retry-After", str(seconds)))


async def _whole(response: Response) -> Response:
    """The same with its body in one piece, in whichever way it came."""
    if response.stream is None:
        return response
    try:
        body = await gathered(response.stream)
    except BrokenOff:
        return Response(503)
    return Response(response.status, response.headers, body)
