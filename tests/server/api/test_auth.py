"""/v2/auth, and what auth lets through elsewhere, without a socket: statuses and bodies as etcd 2.3.8 has them."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.api.auth import MAX_BODY
from server.api.client import ClientApi
from server.auth import passwords
from server.http.messages import Body, ReadBody, Request, Response
from server.node import Node
from tests.support import served

JSON = ("Content-Type", "application/json")
CLUSTER = ("X-Etcd-Cluster-Id", "409947e768f36fef")
NO_CREDENTIALS = {"message": "Insufficient credentials"}
NO_KEY_CREDENTIALS = {
    "errorCode": 110,
    "message": "The request requires user authentication",
    "cause": "Insufficient credentials",
    "index": 0,
}
EVERYTHING = {"kv": {"read": ["/*"], "write": ["/*"]}}
NOTHING = {"kv": {"read": None, "write": None}}


class Served:
    """The client API of a running member, asked directly."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.api = ClientApi(node)

    async def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        user: str = "",
        *,
        fault: str = "",
        **headers: str,
    ) -> Response:
        """``body`` is JSON to be, or bytes; ``user`` is NAME:PASSWORD."""
        if user:
            headers["Authorization"] = basic(user)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        reply = self.api.handle(Request(method, target.encode(), headers))
        if isinstance(reply, ReadBody):
            reply = reply.then(Body(data[: reply.limit + 1], fault))
            assert not isinstance(reply, ReadBody)
        return reply if isinstance(reply, Response) else await reply

    async def put(self, what: str, user: str = "", **body: object) -> tuple[int, object]:
        """PUT of ``users/NAME`` or ``roles/NAME``, with the name in the body too."""
        kind, _, name = what.partition("/")
        return shown(await self.ask("PUT", f"/v2/auth/{what}", {kind[:-1]: name, **body}, user))

    async def get(self, what: str, user: str = "") -> tuple[int, object]:
        return shown(await self.ask("GET", f"/v2/auth/{what}", None, user))

    async def delete(self, what: str, user: str = "") -> tuple[int, object]:
        return shown(await self.ask("DELETE", f"/v2/auth/{what}", None, user))

    async def enable(self) -> None:
        assert (await self.put("users/root", password="pw"))[0] == 201
        assert shown(await self.ask("PUT", "/v2/auth/enable")) == (200, None)


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()


def shown(response: Response) -> tuple[int, object]:
    """Status and what the body says; None for an empty one. Ends in a newline what is no message, and nothing else."""
    if not response.body:
        return response.status, None
    said = json.loads(response.body)
    assert response.body.endswith(b"\n") != (said.keys() == {"message"})
    return response.status, said


def message(text: str) -> dict[str, str]:
    return {"message": text}


Test = Callable[[Served], Awaitable[None]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Test], None]:
    """Runs a test against a new member, whose passwords are hashed with little effort."""
    monkeypatch.setattr(passwords, "COST", 4)

    def run(test: Test) -> None:
        served.serve(tmp_path / "d", lambda member: test(Served(member.node)))

    return run


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/v2/auth", 404, ""),
        ("GET", "/v2/auth/", 404, ""),
        ("GET", "/v2/auth/usersx", 404, ""),
        ("GET", "/v2/auth/enabled", 404, ""),
        ("GET", "/v2/auth/enable/", 404, ""),
        ("PUT", "/v2/auth/users", 405, "GET"),
        ("HEAD", "/v2/auth/roles/", 405, "GET"),
        ("POST", "/v2/auth/users/a", 405, "GET,PUT,DELETE"),
        ("HEAD", "/v2/auth/roles/a", 405, "GET,PUT,DELETE"),
        ("HEAD", "/v2/auth/enable", 405, "GET,PUT,DELETE"),
        ("GET", "/v2/auth/users//a", 301, ""),
        ("OPTIONS", "/v2/auth/users", 200, ""),
    ],
)
def test_paths_and_methods(
    serve: Callable[[Test], None], method: str, target: str, status: int, allow: str
) -> None:
    async def test(served: Served) -> None:
        for _ in range(2):  # with auth on the same
            reply = await served.ask(method, target)
            assert reply.status == status
            assert dict(reply.headers).get("Allow", "") == allow
            await served.ask("PUT", "/v2/auth/users/root", {"user": "root", "password": "pw"})
            await served.ask("PUT", "/v2/auth/enable")

    serve(test)


def test_a_name_is_one_component(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        for target in ("/v2/auth/users/a/b", "/v2/auth/roles/a/b/", "/v2/auth/users/a%2Fb"):
            for method in ("GET", "POST"):
                reply = await served.ask(method, target)
                assert (reply.headers, shown(reply)) == ((JSON,), (400, message("Invalid path")))
        assert (await served.ask("PUT", "/v2/auth/users/a/", {"user": "a", "password": "p"})).status == 201

    serve(test)


def test_a_cluster_older_than_auth_has_none(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        served.node.members.version = None
        reply = await served.ask("POST", "/v2/auth/users/a/b")
        why = message("Not capable of accessing auth feature during rolling upgrades.")
        assert (reply.headers, shown(reply)) == ((JSON,), (500, why))

    serve(test)


def test_users(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        put, get, delete = served.put, served.get, served.delete
        assert await get("users") == (200, {"users": None})
        assert await put("users/bob", password="p") == (201, {"user": "bob", "roles": None})
        assert await put("users/al", password="p", roles=["r", "x"]) == (
            200,
            {"user": "al", "roles": ["r", "x"]},
        )
        assert await put("users/al", password="p", roles=["r"]) == (
            409,
            message("auth: User al already exists."),
        )
        assert await put("users/new") == (
            400,
            message("auth: Cannot create user new with an empty password"),
        )
        assert await put("users/bob", roles=["r"], grant=["x"]) == (
            400,
            message("User JSON contains both roles and grant/revoke"),
        )
        assert shown(await served.ask("PUT", "/v2/auth/users/bob", {"user": "rob", "password": "p"})) == (
            400,
            message("User JSON name does not match the name in the URL"),
        )
        assert await put("users/bob", grant=["r"]) == (200, {"user": "bob", "roles": ["r"]})
        assert await put("users/bob", revoke=["r"], password="q") == (200, {"user": "bob", "roles": []})
        assert await put("users/nobody", revoke=["r"]) == (
            404,
            message("auth: User nobody does not exist."),
        )
        # A role that is not there: the list passes over it, the user itself cannot be shown.
        assert await get("users") == (200, {"users": [{"user": "al"}, {"user": "bob"}]})
        assert await get("users/al") == (404, message("auth: Role r does not exist."))
        assert await get("users/bob") == (200, {"user": "bob"})
        await put("roles/r")
        assert await get("users/") == (
            200,
            {"users": [{"user": "al", "roles": [{"role": "r", "permissions": NOTHING}]}, {"user": "bob"}]},
        )
        assert await delete("users/bob") == (200, None)
        assert await delete("users/bob") == (404, message("auth: User bob does not exist"))
        assert await get("users/bob") == (404, message("auth: User bob does not exist."))

    serve(test)


def test_roles(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        put, get, delete = served.put, served.get, served.delete
        root = {"role": "root", "permissions": EVERYTHING}
        read_a = {"kv": {"read": ["/a"]}}
        assert await get("roles") == (200, {"roles": [root]})
        assert await put("roles/r", grant={}) == (
            201,
            {"role": "r", "permissions": NOTHING, "grant": NOTHING},
        )
        assert await get("roles/r") == (200, {"role": "r", "permissions": NOTHING, "grant": NOTHING})
        assert await put("roles/r") == (409, message("auth: Role r already exists."))
        assert await put("roles/r", grant=read_a) == (
            200,
            {"role": "r", "permissions": {"kv": {"read": ["/a"], "write": []}}},
        )
        assert await put("roles/r", grant=read_a, permissions=read_a) == (
            400,
            message("Role JSON contains both permissions and grant/revoke"),
        )
        assert await put("roles/r", role="other") == (
            400,
            message("Role JSON name does not match the name in the URL"),
        )
        assert await get("roles/") == (
            200,
            {"roles": [{"role": "r", "permissions": {"kv": {"read": ["/a"], "write": []}}}, root]},
        )
        assert await delete("roles/root") == (403, message("auth: Cannot modify role root: is root role."))
        assert await delete("roles/r") == (200, None)
        assert await get("roles/r") == (404, message("auth: Role r does not exist."))

    serve(test)


@pytest.mark.parametrize("what", ["users/a", "roles/a"])
def test_a_body_that_is_no_json(serve: Callable[[Test], None], what: str) -> None:
    async def test(served: Served) -> None:
        target = f"/v2/auth/{what}"
        bad = (400, message("Invalid JSON in request body."))
        assert shown(await served.ask("PUT", target)) == bad
        assert shown(await served.ask("PUT", target, b"{")) == bad
        assert shown(await served.ask("PUT", target, [1])) == bad
        assert shown(await served.ask("PUT", target, b"{}", fault="unexpected EOF")) == bad
        long = b'{"' + b"x" * MAX_BODY + b'":1}'
        assert shown(await served.ask("PUT", target, long)) == (
            400,
            message(f"The request body has more than {MAX_BODY} bytes."),
        )

    serve(test)


def test_a_query_that_is_no_form(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.put("users/a", password="p")
        await served.put("roles/a")
        for target, status in (
            ("users?%zz", 500),
            ("roles?%zz", 500),
            ("users/a?%zz", 500),
            ("users/b?%zz", 404),
            ("roles/a?%zz", 200),
            ("users?x=y", 200),
        ):
            assert (await served.ask("GET", f"/v2/auth/{target}")).status == status, target
        assert (await served.get("users?%zz"))[1] == message("Internal Server Error")

    serve(test)


def test_headers(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.enable()
        assert (await served.ask("GET", "/v2/auth/enable")).headers == (JSON, CLUSTER)
        assert (await served.ask("GET", "/v2/auth/users/x", user="root:pw")).headers == (JSON, CLUSTER)
        assert (await served.ask("GET", "/v2/auth/users")).headers == (JSON,)
        await served.put("roles/a", "root:pw")
        await served.put("users/u", "root:pw", password="p", roles=["a/b"])
        reply = await served.ask("GET", "/v2/auth/users/u", user="root:pw")
        index = served.node.store.index
        assert reply.headers == (JSON, CLUSTER, ("X-Etcd-Index", str(index)))
        assert shown(reply) == (
            400,
            {"errorCode": 104, "message": "Not a directory", "cause": "/2/roles/a", "index": index},
        )

    serve(test)


def test_enabling_and_disabling(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        enable = "/v2/auth/enable"
        assert await served.get("enable") == (200, {"enabled": False})
        assert await served.delete("enable") == (409, message("auth: already disabled"))
        assert shown(await served.ask("PUT", enable)) == (
            409,
            message("auth: No root user available, please create one"),
        )
        await served.enable()
        assert await served.get("enable") == (200, {"enabled": True})
        assert shown(await served.ask("PUT", enable)) == (401, NO_CREDENTIALS)
        assert shown(await served.ask("PUT", enable, user="root:pw")) == (
            409,
            message("auth: already enabled"),
        )
        assert await served.get("roles/guest", "root:pw") == (
            200,
            {"role": "guest", "permissions": EVERYTHING},
        )
        assert await served.delete("users/root", "root:pw") == (
            403,
            message("auth: Cannot delete root user while auth is enabled."),
        )
        assert await served.delete("enable") == (401, NO_CREDENTIALS)
        assert await served.delete("enable", "root:pw") == (200, None)
        assert await served.get("enable") == (200, {"enabled": False})
        assert await served.delete("users/root") == (200, None)

    serve(test)


@pytest.mark.parametrize(
    "user", ["", "root:wrong", "nobody:pw", "bob:p", ":", "root/../bob:p", "../../1/forged:p"]
)
def test_only_root_administers(serve: Callable[[Test], None], user: str) -> None:
    async def test(served: Served) -> None:
        await served.put("users/bob", password="p", roles=["r"])
        await served.put("roles/r", permissions=EVERYTHING)
        hashed = json.loads(served.node.store.peek("/2/users/bob") or b"")["password"]
        forged = json.dumps({"user": "evil", "password": hashed, "roles": ["root"]})
        await served.ask("PUT", "/v2/keys/forged", f"value={forged}".encode(),
                         **{"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
        await served.enable()
        index = served.node.store.index
        for method, target in (
            ("GET", "/v2/auth/users"),
            ("GET", "/v2/auth/users/bob"),
            ("PUT", "/v2/auth/users/bob"),
            ("DELETE", "/v2/auth/users/bob"),
            ("GET", "/v2/auth/roles"),
            ("GET", "/v2/auth/roles/r"),
            ("PUT", "/v2/auth/roles/r"),
            ("DELETE", "/v2/auth/roles/r"),
            ("PUT", "/v2/auth/enable"),
            ("DELETE", "/v2/auth/enable"),
            ("POST", "/v2/members"),
            ("PUT", "/v2/members/1"),
            ("DELETE", "/v2/members/1"),
        ):
            assert shown(await served.ask(method, target, b"{}", user)) == (401, NO_CREDENTIALS), target
        assert served.node.store.index == index
        for target in ("/v2/auth/enable", "/v2/members", "/v2/machines", "/v2/stats/store", "/version"):
            assert (await served.ask("GET", target, user=user)).status == 200, target

    serve(test)


def test_another_user_with_the_role_root_administers(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.put("users/admin", password="p", roles=["x", "root"])
        await served.enable()
        assert (await served.get("users", "admin:p"))[0] == 200
        assert (await served.ask("DELETE", "/v2/members/1", user="admin:p")).status == 404
        assert (await served.put("users/admin", "root:pw", revoke=["root"]))[0] == 200
        assert (await served.get("users", "admin:p"))[0] == 401
        assert (await served.put("users/root", "root:pw", revoke=["root"]))[0] == 200
        assert (await served.get("users", "root:pw"))[0] == 200

    serve(test)


BOB = {"kv": {"read": ["/a*", "/one"], "write": ["/w/*"]}}
GUEST = {"kv": {"read": ["/pub/*", "/open"], "write": ["/open"]}}


@pytest.mark.parametrize(
    ("user", "method", "key", "allowed"),
    [
        ("root:pw", "PUT", "/x", True),
        ("root:pw", "GET", "/?recursive=true", True),
        ("bob:p", "GET", "/a", True),
        ("bob:p", "GET", "/abc?recursive=true", True),
        ("bob:p", "GET", "/a?quorum=true", True),
        ("bob:p", "HEAD", "/a", True),
        ("bob:p", "PUT", "/a", False),
        ("bob:p", "POST", "/a", False),
        ("bob:p", "DELETE", "/a", False),
        ("bob:p", "GET", "/one", True),
        ("bob:p", "GET", "/one?recursive=true", False),
        ("bob:p", "GET", "/one/", False),
        ("bob:p", "GET", "/", False),
        ("bob:p", "GET", "", False),
        ("bob:p", "PUT", "/w/x", True),
        ("bob:p", "PUT", "/w", False),
        ("bob:p", "PUT", "/w/?dir=true", True),
        ("bob:p", "DELETE", "/w/?recursive=true", True),
        ("bob:p", "GET", "/w/x", False),
        ("bob:p", "GET", "/open", False),  # who says who he is is no guest
        ("bob:wrong", "GET", "/a", False),
        ("bob:wrong", "GET", "/open", False),
        ("nobody:p", "GET", "/open", False),
        (":", "GET", "/open", False),
        ("", "GET", "/open", True),
        ("", "GET", "/open?recursive=true", True),  # guests are not asked whether it is
        ("", "PUT", "/open", True),
        ("", "GET", "/pub/x", True),
        ("", "GET", "/pub", False),
        ("", "PUT", "/pub/x", False),
        ("", "GET", "/a", False),
    ],
)
def test_who_may_do_what_to_keys(
    serve: Callable[[Test], None], user: str, method: str, key: str, allowed: bool
) -> None:
    async def test(served: Served) -> None:
        await served.put("users/bob", password="p", roles=["gone", "r"])
        await served.put("roles/r", permissions=BOB)
        await served.put("roles/guest", permissions=GUEST)
        await served.enable()
        index = served.node.store.index
        reply = await served.ask(method, f"/v2/keys{key}", user=user)
        if allowed:
            assert reply.status in (200, 201, 404)
            return
        assert shown(reply) == (401, NO_KEY_CREDENTIALS)
        assert reply.headers == (JSON, CLUSTER, ("X-Etcd-Index", "0"))
        assert served.node.store.index == index

    serve(test)


def test_watches_are_reads(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.put("users/bob", password="p", roles=["r"])
        await served.put("roles/r", permissions=BOB)
        await served.enable()
        reply = await served.ask("GET", "/v2/keys/abc?wait=true&stream=true&recursive=true", user="bob:p")
        assert reply.status == 200
        assert reply.stream is not None
        reply.stream.close()
        for target in ("/w/x?wait=true", "/one?wait=true&recursive=true"):
            reply = await served.ask("GET", f"/v2/keys{target}", user="bob:p")
            assert (reply.status, reply.stream) == (401, None)
        assert served.node.store.watchers == 0

    serve(test)


@pytest.mark.parametrize(
    ("header", "is_guest"),
    [
        ("", True),
        ("Basic", False),
        ("Bearer " + basic("root:pw")[6:], False),
        ("Basic not base64", False),
        ("Basic cm9vdA==", False),
    ],
)
def test_credentials_that_cannot_be_read_do_not_make_a_guest(
    serve: Callable[[Test], None], header: str, is_guest: bool
) -> None:
    async def test(served: Served) -> None:
        await served.enable()
        reply = await served.ask("GET", "/v2/keys/", Authorization=header)
        assert reply.status == (200 if is_guest else 401)
        assert (await served.ask("GET", "/v2/auth/users", Authorization=header)).status == 401

    serve(test)


def test_without_a_role_for_guests_they_have_nothing(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.enable()
        assert (await served.delete("roles/guest", "root:pw"))[0] == 200
        assert shown(await served.ask("GET", "/v2/keys/")) == (401, NO_KEY_CREDENTIALS)
        assert await served.delete("enable", "root:pw") == (200, None)
        assert (await served.ask("GET", "/v2/keys/")).status == 200

    serve(test)


def test_what_cannot_be_read_is_told_before_who_may_ask(serve: Callable[[Test], None]) -> None:
    async def test(served: Served) -> None:
        await served.enable()
        await served.delete("roles/guest", "root:pw")
        assert (await served.ask("GET", "/v2/keys/a?recursive=what")).status == 400
        assert (await served.ask("PATCH", "/v2/keys/a")).status == 405
        assert (await served.ask("PATCH", "/v2/members")).status == 405
        assert (await served.ask("GET", "/v2/keys/a")).status == 401

    serve(test)


def test_each_look_at_whether_it_is_on_counts_as_a_get(serve: Callable[[Test], None]) -> None:
    """As in etcd, where /v2/stats/store shows it."""

    async def test(served: Served) -> None:
        stats = served.node.store.stats

        async def counted(method: str, target: str, user: str = "") -> tuple[int, int]:
            before = stats.gets_success, stats.gets_fail
            await served.ask(method, target, user=user)
            return stats.gets_success - before[0], stats.gets_fail - before[1]

        assert await counted("PUT", "/v2/keys/a") == (0, 1)
        assert await counted("GET", "/v2/keys/a") == (1, 1)
        assert await counted("GET", "/v2/members") == (0, 0)
        assert await counted("DELETE", "/v2/auth/enable") == (0, 3)
        await served.enable()
        assert await counted("PUT", "/v2/keys/a") == (2, 0)  # and the role of guests
        assert await counted("GET", "/v2/keys/a", "root:pw") == (3, 0)  # and the user
        assert await counted("GET", "/v2/auth/enable") == (1, 0)

    serve(test)


def test_the_loop_runs_on_while_passwords_are_hashed_and_checked(
    serve: Callable[[Test], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(served: Served) -> None:
        async def turns_during(asking: Awaitable[tuple[int, object]]) -> int:
            task = asyncio.ensure_future(asking)
            turns = 0
            while not task.done():
                turns += 1
                await asyncio.sleep(0)
            assert task.result()[0] in (200, 201)
            return turns

        async def listed() -> tuple[int, object]:
            return shown(await served.ask("GET", "/v2/keys/", user="root:pw"))

        monkeypatch.setattr(passwords, "COST", 10)
        assert await turns_during(served.put("users/root", password="pw")) > 100
        await served.ask("PUT", "/v2/auth/enable")
        assert await turns_during(served.get("users", "root:pw")) > 100
        assert await turns_during(listed()) > 100

    serve(test)
