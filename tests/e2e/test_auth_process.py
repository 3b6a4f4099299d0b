"""Auth of a real server process: it holds over kills and snapshots; a real etcd tells the same story, and takes over."""

import base64
import http.client
import json
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.process import PATIENCE, Member, Process, Reply
from tests.support.real_etcd import HOW_34, etcd34, required

pytestmark = pytest.mark.slow

ROOT, BOB = "root:pw", "bob:p:w"

A = {"kv": {"read": ["/a*"]}}
W = {"kv": {"write": ["/w/*"]}}
Z = {"kv": {"read": ["/z", "/b"], "write": ["/z"]}}


class Step(NamedTuple):
    """``user`` is NAME:PASSWORD, or a whole header; ``body`` JSON to be, or bytes."""

    user: str
    method: str
    path: str
    body: object = None

    def ask(self, process: Process) -> Reply:
        headers = {}
        if self.user:
            known = (
                self.user if " " in self.user else "Basic " + base64.b64encode(self.user.encode()).decode()
            )
            headers["Authorization"] = known
        body = self.body if isinstance(self.body, bytes | None) else json.dumps(self.body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", process.client_port, timeout=PATIENCE)
        try:
            connection.request(self.method, self.path, body, headers)
            got = connection.getresponse()
            return Reply(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()


def put(what: str, user: str = "", **body: object) -> Step:
    """Of a user or role, with its name in the body."""
    kind, _, name = what.partition("/")
    return Step(user, "PUT", f"/v2/auth/{what}", {kind[:-1]: name, **body})


def get(what: str, user: str = "") -> Step:
    return Step(user, "GET", f"/v2/auth/{what}")


def delete(what: str, user: str = "") -> Step:
    return Step(user, "DELETE", f"/v2/auth/{what}")


def listings(user: str = "") -> list[Step]:
    return [get("users", user), get("roles", user), get("users/bob", user), get("roles/r", user)]


STORY = [
    # Nothing is there.
    get("enable"), *listings(), get("users/root"), get("roles/root"), get("users/"), get("roles/"),
    delete("users/bob"), delete("roles/r"), delete("roles/root"), delete("enable"), put("enable"),
    # Routes and methods.
    Step("", "GET", "/v2/auth"), Step("", "GET", "/v2/auth/"), Step("", "GET", "/v2/auth/enable/"),
    Step("", "POST", "/v2/auth/users"), Step("", "HEAD", "/v2/auth/roles"), Step("", "PUT", "/v2/auth/roles/"),
    Step("", "POST", "/v2/auth/users/a"), Step("", "HEAD", "/v2/auth/enable"), Step("", "PATCH", "/v2/auth/roles/r"),
    Step("", "GET", "/v2/auth/users/a/b"), Step("", "PUT", "/v2/auth/roles/a%2Fb", {"role": "a/b"}),
    Step("", "GET", "/v2/auth/roles?%zz"), Step("", "GET", "/v2/auth/users?%zz"),
    # Bodies.
    *(Step("", "PUT", f"/v2/auth/{what}", body) for what in ("users/bob", "roles/r") for body in (
        b"", b"{", b"null", b"nullx", b"[]", b"1", b'"x"', b'{"user":1,"role":1}', b'{"roles":"x","grant":"x"}',
        b"{}", b'{"user":"rob","role":"s"}', b'{"user":"bob","role":"r"', b'{"a":NaN}', b'{"a":01}', b"{'a':1}",
        b'{"roles":[1],"permissions":[]}',
    )),
    # Users.
    put("users/bob"), put("users/bob", password=""), put("users/bob", grant=["r"]), put("users/bob", revoke=["r"]),
    put("users/bob", password="p:w"), get("users/bob"), put("users/bob"), put("users/bob"),
    put("users/bob", roles=["r"]), put("users/bob", password="x", roles=["r"]),
    put("users/bob", roles=["r"], grant=["s"]), put("users/bob", grant=["r", "s"]), get("users/bob"),
    put("users/bob", grant=["t", "r"]), put("users/bob", revoke=["s", "nosuch"]), put("users/bob", revoke=["s"]),
    put("users/bob", grant=["q"], revoke=["q"]), put("users/bob", grant=["100%"]), put("users/bob", grant=["100%"]),
    put("users/bob", revoke=["100%"]), put("users/bob", grant=[], revoke=[]),
    put("users/carl", password="x" * 100, roles=["r", "root"]), put("users/_hidden", password="p"),
    Step("", "PUT", "/v2/auth/users/%C3%A9%20%3C%22", {"user": 'é <"', "password": "p"}),
    Step("", "PUT", "/v2/auth/users/dora/", b'{"USER":"dora","Password":"p","x":{"y":[1e5,null]},"roles":null} x'),
    Step("", "PUT", "/v2/auth/users/emil", b'{"user":"x","user":"emil","password":"p","grant":null,"revoke":null}'),
    *listings(),
    # Roles.
    put("roles/root"), put("roles/root", grant=A), put("roles/r"), put("roles/r"), get("roles/r"), get("users/bob"),
    put("roles/r", grant=A), put("roles/r", grant=A), put("roles/r", grant=A, permissions=A),
    put("roles/r", grant=Z, revoke=A), get("roles/r"), put("roles/r", revoke=A), put("roles/r", revoke=Z),
    put("roles/r", grant=A, revoke=W), put("roles/r", grant=W), put("roles/nosuch", grant=A),
    put("roles/s", permissions=Z, grant={}, revoke={"kv": {}}), get("roles/s"), put("roles/s", revoke=A),
    put("roles/t", permissions={"kv": {"read": [], "write": ["/b", "/a", "/a"]}}), get("roles/t"),
    put("roles/t", grant={"kv": {"read": ["/new", "/new"]}}), put("roles/t", revoke=A), put("roles/_hidden"),
    Step("", "PUT", "/v2/auth/roles/twice", b'{"role":"twice","grant":{"kv":{"read":["/a"]}},"GRANT":{"kv":null}}'),
    *listings(), delete("roles/t"), delete("roles/t"), get("roles/t"), delete("users/emil"), delete("users/emil"),
    # Everybody may do everything until it is on, also who shows a wrong password.
    put("enable"), Step("bob:wrong", "PUT", "/v2/keys/a"), Step("Basic nonsense", "PUT", "/v2/keys/w/x"),
    put("users/root", password="pw"), get("users/root"), put("enable"), get("enable"),
    # Who may administer.
    *(Step(user, method, path, b"{}") for user in ("", BOB, "root:no", "nobody:x", "Bearer x", "Basic cm9vdA==")
      for method, path in (
          ("PUT", "/v2/auth/enable"), ("DELETE", "/v2/auth/enable"), ("GET", "/v2/auth/users"),
          ("DELETE", "/v2/auth/users/bob"), ("PUT", "/v2/auth/roles/x"), ("POST", "/v2/members"),
      )),
    *listings(ROOT), *listings("carl:" + "x" * 80), Step("basic cm9vdDpwdw==", "GET", "/v2/auth/users"),
    put("enable", ROOT), delete("users/root", ROOT), put("users/root", ROOT, revoke=["root"]), get("users", ROOT),
    # Who may do what to keys.
    *(Step(user, method, "/v2/keys" + key) for user in ("", BOB, "bob:x") for method, key in (
        ("GET", "/a"), ("GET", "/a?recursive=true"), ("GET", "/a?quorum=true"), ("PUT", "/a"), ("GET", "/w/x"),
        ("PUT", "/w/x"), ("DELETE", "/w/x"), ("PUT", "/w"), ("GET", "/"), ("HEAD", "/a"), ("GET", "/?recursive=x"),
    )),
    put("roles/guest", ROOT, revoke={"kv": {"write": ["/*"]}}), Step("", "GET", "/v2/keys/a"),
    Step("", "PUT", "/v2/keys/a"), Step("", "POST", "/v2/keys/a"), Step("", "HEAD", "/v2/keys/?recursive=true"),
    put("roles/guest", ROOT, grant={"kv": {"read": ["/one"]}}), put("roles/guest", ROOT, revoke={"kv": {"read": ["/*"]}}),
    Step("", "GET", "/v2/keys/one"), Step("", "GET", "/v2/keys/one?recursive=true"), Step("", "GET", "/v2/keys/a"),
    delete("roles/guest", ROOT), Step("", "GET", "/v2/keys/one"), Step(BOB, "GET", "/v2/keys/a"),
    Step("", "GET", "/v2/members/nosuch"),
    # A new password, and the end of it.
    put("users/bob", ROOT, password="new"), Step(BOB, "GET", "/v2/keys/a"), Step("bob:new", "GET", "/v2/keys/a"),
    delete("enable", "bob:new"), delete("enable", ROOT), delete("enable"), get("enable"), *listings(),
    Step("bob:wrong", "GET", "/v2/keys/a"), delete("users/root"), put("enable"),
    put("users/root", password="again"), put("enable"), get("users", "root:again"), delete("enable", "root:again"),
]  # fmt: skip


def said(step: Step, reply: Reply) -> object:
    """What is the same whatever the index of the store: for keys the status and the error, else all of it."""
    if not step.path.startswith("/v2/keys"):
        return reply.status, reply.headers.get("allow"), reply.headers.get("content-type"), reply.body
    if not reply.body:
        return reply.status
    error = reply.json()
    return reply.status, error.get("errorCode"), error.get("cause")


def when_served(process: Process) -> Process:
    """A real etcd begins to serve auth up to half a second after it knows the version of its cluster."""
    deadline = time.monotonic() + PATIENCE
    while get("enable").ask(process).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.real_etcd
def test_both_tell_the_same_story(tmp_path: Path) -> None:
    binary = required(etcd34(), HOW_34)
    ours, theirs = Member(tmp_path / "ours"), Member(tmp_path / "theirs")
    with ours.start() as us, theirs.start_real(str(binary), "--enable-v2") as them:
        when_served(them)
        for number, step in enumerate(STORY):
            told = said(step, step.ask(us)), said(step, step.ask(them))
            assert told[0] == told[1], (number, step)
        assert "fault in the server" not in us.log


def accounts(process: Process) -> list[object]:
    """All that auth knows and decides."""
    steps = [
        *listings(ROOT),
        get("enable"),
        get("users", "root:wrong"),
        *(
            Step(user, method, "/v2/keys/a")
            for user in ("", BOB, "bob:x", "né:\0")
            for method in ("GET", "PUT")
        ),
        Step("long:" + "x" * 100, "GET", "/v2/keys/a"),
        Step("long:" + "x" * 72, "GET", "/v2/keys/a"),
        Step("long:" + "x" * 71, "GET", "/v2/keys/a"),
    ]
    return [said(step, step.ask(process)) for step in steps]


def set_up(process: Process) -> None:
    when_served(process)
    for step in (
        Step("", "PUT", "/v2/keys/a"),
        put("roles/r", permissions=A),
        put("users/bob", password="p:w", roles=["r"]),
        Step("", "PUT", "/v2/auth/users/n%C3%A9", {"user": "né", "password": "\0", "roles": ["r"]}),
        put("users/long", password="x" * 100, roles=["r"]),
        put("users/root", password="pw"),
        put("enable"),
        put("roles/guest", ROOT, revoke={"kv": {"write": ["/*"]}}),
    ):
        assert step.ask(process).status in (200, 201), step


@pytest.mark.parametrize("snapshot_count", ["5", "10000"])
def test_accounts_hold_over_an_end_in_order_and_a_kill(tmp_path: Path, snapshot_count: str) -> None:
    member = Member(tmp_path / "d", snapshot_count=snapshot_count)
    with member.start() as process:
        set_up(process)
        expected = accounts(process)
        assert [outcome for outcome in expected if outcome == (401, 110, "Insufficient credentials")]
        assert process.stop() == -signal.SIGTERM
    with member.start() as process:
        assert accounts(process) == expected
        assert put("users/bob", ROOT, password="new").ask(process).status == 200
        process.kill()
    with member.start() as process:
        assert Step(BOB, "GET", "/v2/keys/a").ask(process).status == 401
        assert Step("bob:new", "GET", "/v2/keys/a").ask(process).status == 200
        assert put("users/bob", ROOT, password="p:w").ask(process).status == 200
        assert accounts(process) == expected
    assert bool(list((tmp_path / "d" / "member" / "snap").glob("*.snap"))) == (snapshot_count == "5")


def test_clients_that_leave_while_their_password_is_checked_leave_no_watch_behind(tmp_path: Path) -> None:
    with Member(tmp_path / "d").start() as process:
        set_up(process)
        credentials = base64.b64encode(ROOT.encode()).decode()
        head = f"GET /v2/keys/a?wait=true HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n\r\n"
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", process.client_port)) as client:
                client.sendall(head.encode())
        # A check that began later, and the last of theirs is done.
        for _ in range(2):
            assert Step(ROOT, "GET", "/v2/keys/a").ask(process).status == 200
        deadline = time.monotonic() + PATIENCE
        while process.request("GET", "/v2/stats/store").json()["watchers"] != 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert "fault in the server" not in process.log


@pytest.mark.real_etcd
def test_accounts_made_here_hold_there(tmp_path: Path) -> None:
    binary = required(etcd34(), HOW_34)
    member = Member(tmp_path / "d")
    with member.start() as ours:
        set_up(ours)
        expected = accounts(ours)
        ours.stop()
    with member.start_real(str(binary), "--enable-v2") as real:
        assert accounts(when_served(real)) == expected
