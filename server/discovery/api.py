"""What the discovery service answers. Plain functions of a request; knows no framework and no socket.

    GET|PUT|POST /new?size=N     a fresh discovery URL
    GET /TOKEN                   who has registered (with ?wait=true&recursive=true: who registers next)
    GET /TOKEN/_config/size      how many members the cluster begins with
    GET|PUT|DELETE /TOKEN/ID     one member

Below a token it is the key space's own API that answers, with the keys named as the public service named them, so what
v2 clients can ask of a key they can ask here: waits, indexes, prevExist. Only what makes a token and its size is the
service's alone, and the rest of the key space cannot be reached.
"""

import json
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from server.api.form import Parameters, takes_body
from server.api.http import (
    TEXT,
    Body,
    Handler,
    ReadBody,
    Reply,
    Request,
    Response,
    bad_request,
    method_not_allowed,
    text,
)
from server.api.keys import answer_redirect
from server.api.paths import KEYS_PREFIX, BadPathError, route
from server.discovery.settings import DEFAULT_SIZE, BadSetting, parse_size
from server.store import EtcdError
from server.store.gojson import quote

REGISTRY = "/_etcd/registry"
"""The directory of the tokens, by the convention of etcd's documentation."""

MAX_BODY = 64 << 10
"""Bytes of what a member may register: its name and peer URLs."""

_FORM = "application/x-www-form-urlencoded"
_BELOW_TOKEN = re.compile(r"/([0-9A-Za-z][0-9A-Za-z_-]{0,63})(/_config(?:/size)?|/[0-9a-fA-F]{1,16})?/?")
_PARAMETERS = Parameters(b"size")
_KEY_NOT_FOUND = 100

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
    is in seconds, 0 for ever; ``new_token`` makes a token that nobody can guess.
    """

    def __init__(
        self,
        keys: Handler,
        *,
        new_token: Callable[[], str],
        token_ttl: int,
        url: str = "",
        scheme: str = "http",
    ) -> None:
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
            return self._help(request) if path == "/" else self._keys(request)
        found = _BELOW_TOKEN.fullmatch(path)
        if found is None:
            return text(404, "no token, and nothing else of a discovery service (see /)")
        return self._serve_token(request, found[1], found[2] or "", query)

    # Tokens

    def _serve_new(self, request: Request, query: bytes) -> Reply:
        if request.method not in ("GET", "PUT", "POST"):
            return method_not_allowed("GET", "PUT", "POST")
        kind = request.headers.get("Content-Type", "")

        def then(body: Body) -> Reply:
            try:
                form = _PARAMETERS.read(request.method, query, kind, body.data)
                size = parse_size(form.get(b"size", str(DEFAULT_SIZE).encode()).decode("utf-8", "replace"))
            except (BadSetting, EtcdError) as error:
                return text(400, str(error))
            return self._make(request, size)

        return ReadBody(MAX_BODY, then) if takes_body(request.method, kind) else then(Body(b""))

    async def _make(self, request: Request, size: int) -> Response:
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
        """Only below a token that is there: a write makes the directories it needs, and those would live for ever."""
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
