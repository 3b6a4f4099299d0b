"""What the discovery service answers, on a store of ours, without a socket."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from server.api.http import Body, ReadBody, Reply, Request, Response, text
from server.discovery.api import MAX_BODY, DiscoveryApi
from tests.support.served import FORM, TEXT, Served, serve

HOST = "discovery.example:8087"
TOKEN = "0123456789abcdef0123456789abcdef"
URL = f"http://{HOST}/{TOKEN}"
KEY = f"/_etcd/registry/{TOKEN}"


class Asked:
    """The service on a running member; its tokens are TOKEN, and numbers after that."""

    def __init__(self, served: Served, **options: Any) -> None:
        tokens = iter([TOKEN, *map(str, range(100))])
        settings: dict[str, Any] = {"new_token": lambda: next(tokens), "token_ttl": 604800} | options
        self.api = DiscoveryApi(served.api.handle, **settings)
        self.served = served

    async def __call__(
        self,
        method: str,
        target: str,
        form: str | None = None,
        headers: Mapping[str, str] | None = None,
        client: str = "",
    ) -> Response:
        kind = {} if form is None else {"Content-Type": FORM}
        got = Request(method, target.encode(), {"Host": HOST, **kind, **(headers or {})}, client)
        reply = self.api.handle(got)
        if isinstance(reply, ReadBody):
            reply = reply.then(Body((form or "").encode()[: reply.limit + 1]))
            assert not isinstance(reply, ReadBody)
        return reply if isinstance(reply, Response) else await reply


def run(tmp_path: Path, test: Callable[[Asked], Awaitable[None]], **options: Any) -> None:
    async def body(served: Served) -> None:
        await test(Asked(served, **options))

    serve(tmp_path / "d", body)


def node(response: Response) -> dict[str, Any]:
    assert response.status in (200, 201), response
    found: dict[str, Any] = json.loads(response.body)["node"]
    return found


@pytest.mark.parametrize(
    ("method", "target", "form", "size"),
    [
        ("GET", "/new", None, "3"),
        ("GET", "/new?size=", None, "3"),
        ("PUT", "/new?size=", "size=", "3"),
        ("GET", "/new?size=5", None, "5"),
        ("POST", "/new?size=1", "", "1"),
        ("PUT", "/new", "size=7", "7"),
        ("POST", "/new?size=2", "size=9", "9"),
    ],
)
def test_a_new_url_is_answered_and_its_size_is_a_key(
    tmp_path: Path, method: str, target: str, form: str | None, size: str
) -> None:
    async def test(ask: Asked) -> None:
        made = await ask(method, target, form)
        assert (made.status, made.headers, made.body) == (200, (TEXT,), URL.encode())
        got = node(await ask("GET", f"/{TOKEN}/_config/size"))
        assert (got["key"], got["value"]) == (f"{KEY}/_config/size", size)

    run(tmp_path, test)


def test_urls_are_of_the_public_name_where_there_is_one(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        assert (await ask("GET", "/new")).body == f"https://find.example/{TOKEN}".encode()

    run(tmp_path, test, url="https://find.example")


def test_urls_begin_with_https_where_the_service_does(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        assert (await ask("GET", "/new")).body == f"https://{HOST}/{TOKEN}".encode()

    run(tmp_path, test, scheme="https")


@pytest.mark.parametrize("size", ["0", "-1", "x", "101", "3.5", "%20", "%ff"])
def test_a_bad_size_is_answered_400_with_words(tmp_path: Path, size: str) -> None:
    async def test(ask: Asked) -> None:
        refused = await ask("GET", f"/new?size={size}")
        assert refused.status == 400
        assert b"1 to 100 members" in refused.body
        assert (await ask.served.ask("GET", "/v2/keys/_etcd")).status == 404

    run(tmp_path, test)


def test_a_token_lives_as_long_as_the_service_says(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        assert node(await ask("GET", f"/{TOKEN}"))["ttl"] in (3600, 3599)

    run(tmp_path, test, token_ttl=3600)


def test_a_token_that_has_expired_is_gone_with_all_below(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        await ask("PUT", f"/{TOKEN}/a0?prevExist=false", "value=a=http://10.0.0.1:2380")
        while (gone := await ask("GET", f"/{TOKEN}/_config/size")).status == 200:
            await asyncio.sleep(0.05)
        assert gone.status == 404
        late = await ask("PUT", f"/{TOKEN}/a1?prevExist=false", "value=b=http://10.0.0.2:2380")
        assert late.status == 404
        assert (await ask.served.ask("GET", f"/v2/keys{KEY}")).status == 404

    run(tmp_path, test, token_ttl=1)


def test_a_token_may_live_for_ever(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        assert "ttl" not in node(await ask("GET", f"/{TOKEN}"))

    run(tmp_path, test, token_ttl=0)


def test_members_register_read_wait_and_leave_as_at_a_key(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        made = await ask(
            "PUT", f"/{TOKEN}/a0?prevExist=false", "value=infra0%3Dhttp%3A%2F%2F10.0.1.10%3A2380"
        )
        assert made.status == 201
        created = node(made)["createdIndex"]
        assert dict(made.headers)["X-Etcd-Index"] == str(created)
        again = await ask("PUT", f"/{TOKEN}/a0?prevExist=false", "value=x")
        assert (again.status, json.loads(again.body)["errorCode"]) == (412, 105)
        listing = node(await ask("GET", f"/{TOKEN}"))
        assert [(one["key"], one["value"]) for one in listing["nodes"]] == [
            (f"{KEY}/a0", "infra0=http://10.0.1.10:2380")
        ]
        waited = await ask("GET", f"/{TOKEN}/a0?wait=true&waitIndex={created}")
        assert waited.stream is not None
        assert json.loads(waited.stream.take() or b"")["action"] == "create"
        waited.stream.close()
        assert (await ask("DELETE", f"/{TOKEN}/a0")).status == 200
        assert "nodes" not in node(await ask("GET", f"/{TOKEN}"))

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", ""),
        ("GET", "/_config/size"),
        ("GET", "/a0"),
        ("PUT", "/a0"),
        ("DELETE", "/a0"),
        ("GET", "/_config"),
    ],
)
def test_a_token_that_is_not_there_is_answered_404_with_words(
    tmp_path: Path, method: str, target: str
) -> None:
    async def test(ask: Asked) -> None:
        missing = await ask(method, f"/{TOKEN}{target}", "value=x" if method == "PUT" else None)
        assert missing.status == 404
        error = json.loads(missing.body)
        assert (error["errorCode"], error["message"]) == (100, "Key not found")
        assert error["cause"] == (
            f"{KEY}: no such discovery token; it is mistyped or has expired. A new one: curl http://{HOST}/new?size=3"
        )
        assert "X-Etcd-Index" in dict(missing.headers)

    run(tmp_path, test)


def test_a_member_that_is_not_there_is_no_missing_token(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        missing = await ask("GET", f"/{TOKEN}/a0")
        assert (missing.status, json.loads(missing.body)["cause"]) == (404, f"{KEY}/a0")

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "/_config/size"),
        ("PUT", ""),
        ("DELETE", "?recursive=true"),
        ("DELETE", "/_config?recursive=true"),
        ("POST", "/a0"),
        ("PATCH", "/a0"),
    ],
)
def test_a_token_and_its_size_are_the_services_alone(tmp_path: Path, method: str, target: str) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        assert (await ask(method, f"/{TOKEN}{target}", "value=9")).status == 405
        assert node(await ask("GET", f"/{TOKEN}/_config/size"))["value"] == "3"

    run(tmp_path, test)


@pytest.mark.parametrize(
    "target",
    [
        f"/{TOKEN}/../../../secret",
        f"/{TOKEN}/%2e%2e/%2e%2e/secret",
        f"/{TOKEN}/a0/b",
        f"/{TOKEN}/not-hex",
        f"/{TOKEN}/_hidden",
        "/v2/keys/secret",
        "/_etcd",
        "/favicon.ico",
        "/..",
    ],
)
def test_the_rest_of_the_key_space_cannot_be_reached(tmp_path: Path, target: str) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        await ask.served.ask("PUT", "/v2/keys/secret", "value=s", FORM)
        assert (await ask("GET", target)).status in (301, 404)
        assert (await ask("PUT", target, "value=x")).status in (301, 404, 405)

    run(tmp_path, test)


def test_what_is_no_registration_for_its_length_is_refused(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        await ask("GET", "/new")
        refused = await ask("PUT", f"/{TOKEN}/a0", "value=" + "x" * MAX_BODY)
        assert refused.status == 413
        assert (await ask("GET", f"/{TOKEN}/a0")).status == 404

    run(tmp_path, test)


def test_the_front_page_says_how_to_use_it(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        page = await ask("GET", "/")
        assert page.status == 200
        assert f"curl http://{HOST}/new?size=3" in page.body.decode()
        assert "lives for 7 days" in page.body.decode()
        assert (await ask("PUT", "/")).status == 405

    run(tmp_path, test)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_its_health_is_ok_as_long_as_its_store_can_write(tmp_path: Path, method: str) -> None:
    async def test(ask: Asked) -> None:
        health = await ask(method, "/health")
        assert (health.status, health.headers, health.body) == (200, (TEXT,), b"OK")
        assert (await ask("PUT", "/health")).status == 405

    run(tmp_path, test)


def test_its_health_is_what_its_store_says_when_that_cannot_write() -> None:
    async def body() -> Response:
        api = DiscoveryApi(
            lambda request: text(503, '{"health": "false"}'), new_token=lambda: TOKEN, token_ttl=1
        )
        reply = api.handle(Request("GET", b"/health", {}))
        assert not isinstance(reply, Response | ReadBody)
        return await reply

    answer = asyncio.run(body())
    assert (answer.status, answer.body) == (503, b'{"health": "false"}\n')


def test_a_head_for_a_new_url_is_answered_and_makes_none(tmp_path: Path) -> None:
    async def test(ask: Asked) -> None:
        for _ in range(3):
            looked = await ask("HEAD", "/new?size=5", client="10.0.0.1")
            assert (looked.status, looked.headers, looked.body) == (200, (TEXT,), b"")
        assert (await ask("HEAD", "/new?size=0")).status == 400
        assert (await ask.served.ask("GET", "/v2/keys/_etcd")).status == 404
        assert (await ask("GET", "/new", client="10.0.0.1")).status == 200  # none was counted

    run(tmp_path, test, new_per_hour=1)


def test_a_store_that_cannot_write_is_answered_503() -> None:
    def broken(request: Request) -> Reply:
        return text(503, "no leader")

    async def body() -> Response:
        api = DiscoveryApi(broken, new_token=lambda: TOKEN, token_ttl=1)
        reply = api.handle(Request("GET", b"/new", {}))
        assert not isinstance(reply, Response | ReadBody)
        return await reply

    answer = asyncio.run(body())
    assert answer.status == 503
    assert re.fullmatch(rb"no token can be made now: no leader\n", answer.body)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_that_has_had_its_tokens_is_told_when_there_are_more(tmp_path: Path) -> None:
    clock = Time()

    async def test(ask: Asked) -> None:
        for _ in range(3):
            assert (await ask("GET", "/new", client="10.0.0.1")).status == 200
        assert (await ask("GET", "/new?size=0", client="10.0.0.1")).status == 400
        refused = await ask("POST", "/new", "size=3", client="10.0.0.1")
        assert (refused.status, dict(refused.headers)["Retry-After"]) == (429, "1200")
        assert b"--new-per-hour" in refused.body
        assert (await ask("GET", "/new", client="10.0.0.2")).status == 200
        clock.now += 1200
        assert (await ask("GET", "/new", client="10.0.0.1")).status == 200
        assert (await ask("GET", f"/{TOKEN}", client="10.0.0.1")).status == 200  # that is no /new

    run(tmp_path, test, new_per_hour=3, clock=clock)


def test_no_more_tokens_live_than_may_those_that_were_there_before_among_them(tmp_path: Path) -> None:
    clock = Time()

    async def test(ask: Asked) -> None:
        for token in ("one", "two"):
            form = "dir=true&ttl=500" if token == "one" else "dir=true"
            made = await ask.served.ask("PUT", f"/v2/keys/_etcd/registry/{token}", form, FORM)
            assert made.status == 201
        answers = await asyncio.gather(*(ask("GET", "/new", client=str(n)) for n in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 200, 429, 429, 429]
        refused = await ask("GET", "/new")
        assert refused.status == 429
        assert 1 <= int(dict(refused.headers)["Retry-After"]) <= 500
        assert b"--max-tokens" in refused.body
        clock.now += 501
        assert (await ask("GET", "/new")).status == 200

    run(tmp_path, test, max_tokens=4, clock=clock)


def test_tokens_that_somebody_has_removed_make_room(tmp_path: Path) -> None:
    clock = Time()

    async def test(ask: Asked) -> None:
        assert (await ask("GET", "/new")).status == 200
        assert (await ask("GET", "/new")).status == 429
        await ask.served.ask("DELETE", f"/v2/keys{KEY}?recursive=true")
        clock.now += 60
        assert (await ask("GET", "/new")).status == 200

    run(tmp_path, test, max_tokens=1, clock=clock)


def test_a_token_that_could_not_be_made_takes_no_room(tmp_path: Path) -> None:
    async def body() -> None:
        outcomes = iter([404, 500, 201, 201])
        api = DiscoveryApi(
            lambda request: text(next(outcomes), ""), new_token=lambda: TOKEN, token_ttl=60, max_tokens=1
        )
        for status in (503, 200, 429):
            reply = api.handle(Request("GET", b"/new", {"Host": HOST}))
            assert isinstance(reply, Awaitable)
            assert (await reply).status == status

    asyncio.run(body())
