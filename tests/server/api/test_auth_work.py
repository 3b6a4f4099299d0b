"""How much work a password makes does not tell whether there is such a user: counted in rounds of bcrypt, not in time."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import bcrypt
import pytest

from server.auth import passwords
from server.http.messages import Response
from server.storage.requests import StoreRequest
from server.store.gojson import quote
from tests.server.api.test_auth import Served, basic
from tests.support import served

NONE = "none"
"""Stands for a record without a password."""


class Counted:
    """bcrypt, and how many rounds it was asked for."""

    def __init__(self) -> None:
        self.rounds = 0

    gensalt = staticmethod(bcrypt.gensalt)

    def hashpw(self, password: bytes, salt: bytes) -> bytes:
        hashed = bcrypt.hashpw(password, salt)
        self.rounds += 1 << passwords.cost_of(salt.decode())
        return hashed

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        fits = bcrypt.checkpw(password, hashed)
        self.rounds += 1 << passwords.cost_of(hashed.decode())
        return fits


Test = Callable[[Served, Counted], Awaitable[None]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Test], None]:
    monkeypatch.setattr(passwords, "COST", 6)
    counted = Counted()
    monkeypatch.setitem(sys.modules, "bcrypt", counted)

    def run(test: Test) -> None:
        served.serve(tmp_path / "d", lambda member: test(Served(member.node), counted))

    return run


async def store_user(served: Served, name: str, password: str, cost: int) -> None:
    """As some other program may have written it."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, b"2a")).decode() if cost else password
    record = f'{{"user":{quote(name)},"password":{quote(hashed)},"roles":null}}'
    if password == NONE:
        record = f'{{"user":{quote(name)},"roles":null}}'
    await served.node.propose(StoreRequest(method="PUT", path=f"/2/users/{name}", val=record.encode()))


REQUESTS: dict[str, Callable[[Served, str], Awaitable[Response]]] = {
    "a key": lambda served, user: served.ask("GET", "/v2/keys/a", None, user),
    "a write": lambda served, user: served.ask("DELETE", "/v2/keys/a", None, user),
    "users": lambda served, user: served.ask("GET", "/v2/auth/users", None, user),
    "a change of members": lambda served, user: served.ask("DELETE", "/v2/members/1", None, user),
}

WHO = {
    "a wrong password": "ann:q",
    "nobody": "nobody:q",
    "nobody again": "nobody:q",
    "the same password twice": "ann:q",
    "a role": "guest:q",
    "an empty name": ":q",
    "a name that leads elsewhere": "../roles/guest:q",
    "a name that is no text": "\x00:q",
    "a user without a password": "bare:q",
    "a user without a hash": "plain:q",
    "a user whose record is no JSON": "torn:q",
    "a cheaper hash": "cheap:q",
    "an empty password": "ann:",
    "an empty password of nobody": "nobody:",
    "a long password of nobody": "nobody:" + "q" * 500,
    "a long password": "ann:" + "q" * 500,
}


@pytest.mark.parametrize("dearest", [6, 8])
def test_a_wrong_password_costs_the_same_work_whoever_it_is_said_to_be_of(
    serve: Callable[[Test], None], dearest: int
) -> None:
    async def test(served: Served, counted: Counted) -> None:
        await served.enable()
        await served.put("users/ann", "root:pw", password="p")
        await store_user(served, "bare", NONE, 0)
        await store_user(served, "plain", "p", 0)
        await store_user(served, "cheap", "p", 4)
        await served.node.propose(StoreRequest(method="PUT", path="/2/users/torn", val=b'{"user":"torn'))
        if dearest > 6:
            await store_user(served, "dear", "p", dearest)
        for what, ask in REQUESTS.items():
            for who, user in {**WHO, "the dearest": "dear:q"}.items():
                counted.rounds = 0
                reply = await ask(served, user)
                assert (reply.status, counted.rounds) == (401, 1 << dearest), (what, who)
        for user in ("ann:p", "cheap:p"):
            counted.rounds = 0
            await served.ask("GET", "/v2/keys/a", None, user)
            assert counted.rounds == 1 << dearest, user

    serve(test)


def test_who_names_no_user_makes_no_work(serve: Callable[[Test], None]) -> None:
    async def test(served: Served, counted: Counted) -> None:
        await served.enable()
        counted.rounds = 0
        assert (await served.ask("GET", "/v2/keys/", None)).status == 200
        for header in ("", "Basic", "Basic %%%", "Bearer x", basic("x").rstrip("=")[:-1]):
            await served.ask("GET", "/v2/keys/", None, Authorization=header)
        assert counted.rounds == 0

    serve(test)


def test_a_hash_that_is_dearer_than_any_of_etcds_does_not_make_all_others_dear(
    serve: Callable[[Test], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "MOST_EVEN", 7)

    async def test(served: Served, counted: Counted) -> None:
        await served.enable()
        await store_user(served, "dear", "p", 8)
        counted.rounds = 0
        await served.ask("GET", "/v2/keys/a", None, "nobody:p")
        assert counted.rounds == 1 << 6

    serve(test)


def test_the_work_is_not_counted_as_reads_of_the_key_space(serve: Callable[[Test], None]) -> None:
    """As etcd counts: whether auth is on, and the user's record."""

    async def test(served: Served, counted: Counted) -> None:
        await served.enable()
        stats = served.node.store.stats
        before = (stats.gets_success, stats.gets_fail)
        await served.ask("GET", "/v2/keys/a", None, "nobody:p")
        assert (stats.gets_success, stats.gets_fail) == (before[0] + 1, before[1] + 1)

    serve(test)


def test_others_are_served_meanwhile(serve: Callable[[Test], None]) -> None:
    async def test(served: Served, counted: Counted) -> None:
        await served.enable()
        asked = [asyncio.ensure_future(served.ask("GET", "/v2/keys/a", None, "nobody:p")) for _ in range(4)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in asked)
        await asyncio.gather(*asked)

    serve(test)
