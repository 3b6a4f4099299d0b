"""``/v2/auth``: users, roles, and whether they count.

What a request does to them is the business of ``server.auth``; who may ask, of ``server.api.access``.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from server.api.access import Access
from server.api.errors import message
from server.api.form import MAX_BODY as FORM_LIMIT
from server.api.form import Parameters
from server.api.jsonform import error_line
from server.api.node import ServedNode
from server.auth import AuthError, DecodeError, Role, User, role_from_json, user_from_json
from server.cluster import id_text
from server.http.messages import (
    JSON,
    Body,
    ReadBody,
    Reply,
    Request,
    Response,
    method_not_allowed,
    not_found,
)
from server.store import ErrorCode, EtcdError
from server.store.gojson import quote

logger = logging.getLogger(__name__)

PREFIX = "/v2/auth"

MAX_BODY = 1 << 20
"""Bytes of a user or a role, which are read again for every request. etcd has no limit."""

_CAPABLE = ("2.1", "2.2", "2.3")
"""Versions of clusters with auth."""

_NO_PARAMETERS = Parameters()


class _AuthRequest(NamedTuple):
    """``name`` is that of a user or role."""

    name: str
    query: bytes
    body: Body


_Answer = tuple[int, str]
"""Status and JSON."""

_Serve = Callable[[_AuthRequest], Awaitable[_Answer]]
_Methods = Mapping[str, _Serve]
_T = TypeVar("_T")


class AuthApi:
    """Serves one node. A user or role is answered as JSON, a mere success with nothing."""

    def __init__(self, node: ServedNode, access: Access) -> None:
        self._node = node
        self._access = access
        self._accounts = access.accounts
        self._users: _Methods = {"GET": self._list_users}
        self._user: _Methods = {"GET": self._show_user, "PUT": self._put_user, "DELETE": self._delete_user}
        self._roles: _Methods = {"GET": self._list_roles}
        self._role: _Methods = {"GET": self._show_role, "PUT": self._put_role, "DELETE": self._delete_role}
        self._enable: _Methods = {
            "GET": self._show_enabled,
            "PUT": self._put_enabled,
            "DELETE": self._disable,
        }

    def serve(self, request: Request, path: str, query: bytes) -> Reply:
        """The answer to a request whose path begins with PREFIX."""
        kind, slash, name = path.removeprefix(PREFIX + "/").partition("/")
        name = name.rstrip("/")
        match kind:
            case "users":
                methods = self._user if name else self._users
            case "roles":
                methods = self._role if name else self._roles
            case "enable" if not slash:
                methods = self._enable
            case _:
                return not_found()
        if not self._is_capable():
            return message(500, "Not capable of accessing auth feature during rolling upgrades.")
        if "/" in name:
            return message(400, "Invalid path")
        if request.method not in methods:
            return method_not_allowed(*methods)

        def answer(body: Body) -> Reply:
            return self._answer(methods, request, _AuthRequest(name, query, body))

        return ReadBody(MAX_BODY, answer) if request.method == "PUT" else answer(Body(b""))

    def guard(self, request: Request, serve: Callable[[], Reply]) -> Reply:
        """What ``serve`` answers; while auth is on, and unless the request only reads, to those with the role root.

        The body is read before that is known, for what can be waited for cannot ask for a body any more.
        """
        if request.method not in ("PUT", "POST", "DELETE") or not self._access.enabled():
            return serve()
        if request.method == "DELETE":
            return self._serve_root(request, serve, Body(b""))
        return ReadBody(FORM_LIMIT, lambda body: self._serve_root(request, serve, body))

    async def _serve_root(self, request: Request, serve: Callable[[], Reply], body: Body) -> Response:
        if not await self._access.has_root_role(request):
            return insufficient_credentials()
        reply = serve()
        if isinstance(reply, ReadBody):
            reply = reply.then(Body(body.data[: reply.limit + 1], body.fault))
            assert not isinstance(reply, ReadBody)
        return reply if isinstance(reply, Response) else await reply

    def _is_capable(self) -> bool:
        version = self._node.members.version
        return version is not None and version.rpartition(".")[0] in _CAPABLE

    async def _answer(self, methods: _Methods, request: Request, asked: _AuthRequest) -> Response:
        closed = methods is not self._enable or request.method != "GET"
        if closed and self._access.enabled() and not await self._access.has_root_role(request):
            return insufficient_credentials()
        cluster = ("X-Etcd-Cluster-Id", id_text(self._node.members.cluster_id))
        try:
            status, text = await self._try(methods[request.method], asked)
        except AuthError as error:
            return message(error.status, error.message, cluster)
        except EtcdError as error:
            index = ("X-Etcd-Index", str(error.index))
            return Response(error.status, (JSON, cluster, index), error_line(error))
        return Response(status, (JSON, cluster), f"{text}\n".encode() if text else b"")

    async def _try(self, serve: _Serve, asked: _AuthRequest) -> _Answer:
        """What becomes of it; a log that takes nothing, or a record that nobody can read, is nothing for a client."""
        try:
            return await serve(asked)
        except EtcdError as error:
            if error.code != ErrorCode.RAFT_INTERNAL:
                raise
            logger.error("got unexpected response error (%s)", error.cause)
        except DecodeError as error:
            logger.error("got unexpected response error (%s)", error)
        raise _internal_error()

    # Users

    async def _list_users(self, asked: _AuthRequest) -> _Answer:
        names = self._accounts.user_names()
        _check_query(asked)
        shown = []
        for name in names:
            user = self._accounts.user(name)
            roles = []
            for role in user.roles or ():
                try:
                    roles.append(self._accounts.role(role))
                except (AuthError, EtcdError, DecodeError):
                    continue  # a list shows what there is
            shown.append(_with_roles(user, roles))
        return 200, f'{{"users":{_list(shown)}}}'

    async def _show_user(self, asked: _AuthRequest) -> _Answer:
        user = self._accounts.user(asked.name)
        _check_query(asked)
        return 200, _with_roles(user, [self._accounts.role(role) for role in user.roles or ()])

    async def _put_user(self, asked: _AuthRequest) -> _Answer:
        wanted = _read(user_from_json, asked.body)
        if wanted.user != asked.name:
            raise AuthError(400, "User JSON name does not match the name in the URL")
        is_new = False
        if not (wanted.grant or wanted.revoke):
            if wanted.roles:
                user = await self._accounts.create_user(wanted)
            else:
                user, is_new = await self._accounts.create_or_update_user(wanted)
        elif wanted.roles:
            raise AuthError(400, "User JSON contains both roles and grant/revoke")
        else:
            user = await self._accounts.update_user(wanted)
        return 201 if is_new else 200, replace(user, password="").to_json()

    async def _delete_user(self, asked: _AuthRequest) -> _Answer:
        await self._accounts.delete_user(asked.name)
        return 200, ""

    # Roles

    async def _list_roles(self, asked: _AuthRequest) -> _Answer:
        names = self._accounts.role_names()
        _check_query(asked)
        return 200, f'{{"roles":{_list([self._accounts.role(name).to_json() for name in names])}}}'

    async def _show_role(self, asked: _AuthRequest) -> _Answer:
        return 200, self._accounts.role(asked.name).to_json()

    async def _put_role(self, asked: _AuthRequest) -> _Answer:
        wanted = _read(role_from_json, asked.body)
        if wanted.role != asked.name:
            raise AuthError(400, "Role JSON name does not match the name in the URL")
        if not (wanted.grant or wanted.revoke):
            await self._accounts.create_role(wanted)
            return 201, wanted.to_json()
        if wanted.permissions:
            raise AuthError(400, "Role JSON contains both permissions and grant/revoke")
        return 200, (await self._accounts.update_role(wanted)).to_json()

    async def _delete_role(self, asked: _AuthRequest) -> _Answer:
        await self._accounts.delete_role(asked.name)
        return 200, ""

    # Whether they count

    async def _show_enabled(self, _: _AuthRequest) -> _Answer:
        return 200, '{"enabled":true}' if self._accounts.is_enabled() else '{"enabled":false}'

    async def _put_enabled(self, _: _AuthRequest) -> _Answer:
        self._accounts.is_enabled()  # asked once more than it matters, as in etcd, where the counters show it
        await self._accounts.enable()
        return 200, ""

    async def _disable(self, _: _AuthRequest) -> _Answer:
        self._accounts.is_enabled()
        await self._accounts.disable()
        return 200, ""


def insufficient_credentials() -> Response:
    return message(401, "Insufficient credentials")


def _check_query(asked: _AuthRequest) -> None:
    """A query has no use here, but etcd fails on one that is not a form."""
    try:
        _NO_PARAMETERS.read("GET", asked.query, "", b"")
    except EtcdError:
        raise _internal_error() from None


def _read(from_json: Callable[[bytes], _T], body: Body) -> _T:
    if len(body.data) > MAX_BODY:
        raise AuthError(400, f"The request body has more than {MAX_BODY} bytes.")
    try:
        if body.fault:
            raise DecodeError(body.fault)
        return from_json(body.data)
    except DecodeError:
        raise AuthError(400, "Invalid JSON in request body.") from None


def _with_roles(user: User, roles: list[Role]) -> str:
    further = f',"roles":{_list([role.to_json() for role in roles])}' if roles else ""
    return f'{{"user":{quote(user.user)}{further}}}'


def _list(items: list[str]) -> str:
    return f"[{','.join(items)}]" if items else "null"


def _internal_error() -> AuthError:
    return AuthError(500, "Internal Server Error")
