"""0.4's paths are no way around auth: keys and locks over them are allowed to whom /v2/keys allows them."""

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from server.auth import passwords
from tests.support import served as support
from tests.support.served import FORM, Served

LOCKS = "/_etcd/mod/lock"


def basic(user: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()} if user else {}


async def status(served: Served, method: str, target: str, body: str = "", user: str = "") -> int:
    kind = FORM if body else None
    return (await served.ask(method, target, body, kind, basic(user))).status


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a test against a member with auth on, a guest that may nothing, and a user ``u:pw`` with these patterns."""
    monkeypatch.setattr(passwords, "COST", 4)

    def run(test: Callable[[Served], Awaitable[None]], read: list[str], write: list[str]) -> None:
        async def prepared(served: Served) -> None:
            await served.ask("PUT", "/v2/keys/mine/a", "value=x", FORM)
            await served.ask("PUT", "/v2/keys/other/a", "value=x", FORM)
            for kind, name, more in (
                ("users", "root", {"password": "pw"}),
                ("roles", "r", {"permissions": {"kv": {"read": read, "write": write}}}),
                ("users", "u", {"password": "pw", "roles": ["r"]}),
            ):
                body = json.dumps({kind[:-1]: name, **more})
                assert (await served.ask("PUT", f"/v2/auth/{kind}/{name}", body)).status in (200, 201)
            assert (await served.ask("PUT", "/v2/auth/enable")).status == 200
            revoked = json.dumps({"role": "guest", "revoke": {"kv": {"read": ["/*"], "write": ["/*"]}}})
            headers = basic("root:pw")
            assert (await served.ask("PUT", "/v2/auth/roles/guest", revoked, None, headers)).status == 200
            await test(served)

        support.serve(tmp_path / "d", prepared, legacy=True)

    return run


@pytest.mark.parametrize("user", ["", "u:pw", "u:wrong", "nobody:pw"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/v1/keys/other/a", ""),
        ("HEAD", "/v1/keys/other/a", ""),
        ("GET", "/v1/keys/", ""),
        ("PUT", "/v1/keys/other/a", "value=y"),
        ("POST", "/v1/keys/other/a", "value=y&prevValue=x"),
        ("DELETE", "/v1/keys/other/a", ""),
        ("GET", "/v1/watch/other/a", ""),
        ("POST", "/v1/watch/other/a", "index=1"),
        ("GET", "/mod/v2/lock/other", ""),
        ("POST", "/mod/v2/lock/other", "ttl=60"),
        ("PUT", "/mod/v2/lock/other", "ttl=60&value=x"),
        ("DELETE", "/mod/v2/lock/other?value=x", ""),
        ("GET", "/mod/v2/leader/other", ""),
        ("PUT", "/mod/v2/leader/other", "ttl=60&name=x"),
        ("DELETE", "/mod/v2/leader/other?name=x", ""),
        ("GET", "/v2/keys/_etcd/machines", ""),
    ],
)
def test_what_is_not_allowed_is_401(
    serve: Callable[..., None], user: str, method: str, target: str, body: str
) -> None:
    async def test(served: Served) -> None:
        before = served.node.store.index
        assert await status(served, method, target, body, user) == 401
        assert served.node.store.index == before
        assert served.node.store.watchers == 0

    serve(test, ["/mine*", f"{LOCKS}/mine/*"], ["/mine*", f"{LOCKS}/mine/*"])


def test_what_is_allowed_goes_through(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for method, target, body in (
            ("GET", "/v1/keys/mine/a", ""),
            ("PUT", "/v1/keys/mine/a", "value=y"),
            ("POST", f"/v1/watch/mine/a?index={served.node.store.index}", ""),
            ("DELETE", "/v1/keys/mine/a", ""),
            ("POST", "/mod/v2/lock/mine", "ttl=60&value=v"),
            ("GET", "/mod/v2/lock/mine", ""),
            ("PUT", "/mod/v2/lock/mine", "ttl=60&value=v"),
            ("DELETE", "/mod/v2/lock/mine?value=v", ""),
            ("PUT", "/mod/v2/leader/mine", "ttl=60&name=v"),
        ):
            for user in ("u:pw", "root:pw"):
                expected = 404 if user == "root:pw" and method == "DELETE" else 200
                assert (target, await status(served, method, target, body, user)) == (target, expected)

    serve(test, ["/mine*", f"{LOCKS}/mine/*"], ["/mine*", f"{LOCKS}/mine/*"])


def test_reading_alone_takes_no_lock_and_writes_nothing(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        assert await status(served, "GET", "/v1/keys/mine/a", user="u:pw") == 200
        assert await status(served, "PUT", "/v1/keys/mine/a", "value=y", "u:pw") == 401
        assert await status(served, "POST", "/mod/v2/lock/mine", "ttl=60", "u:pw") == 401
        assert await status(served, "POST", "/mod/v2/lock/mine", "ttl=60", "root:pw") == 200
        assert await status(served, "GET", "/mod/v2/lock/mine", user="u:pw") == 200

    serve(test, ["/*"], [])


def test_a_right_to_the_key_alone_is_none_to_the_entries_below_it(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        assert await status(served, "POST", "/mod/v2/lock/mine", "ttl=60", "u:pw") == 401

    serve(test, [f"{LOCKS}/mine", f"{LOCKS}/mine/"], [f"{LOCKS}/mine", f"{LOCKS}/mine/"])


def test_who_is_who_is_told_to_everybody_as_members_are(serve: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for target in ("/v2/leader", "/v2/machines", "/v2/peers", "/version", "/v2/members"):
            assert await status(served, "GET", target) == 200

    serve(test, [], [])
