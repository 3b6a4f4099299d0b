"""/v2/members and /v2/machines: statuses, headers and bodies as etcd 2.3.8 answered them."""

import json
from pathlib import Path

import pytest

from tests.support.served import (
    CLIENT,
    CLUSTER,
    JSON,
    MEMBER_ID,
    NOSNIFF,
    PEER,
    TEXT,
    Served,
    serve,
)

JSON_TYPE = "application/json"
OURS = f'{{"id":"{MEMBER_ID}","name":"a","peerURLs":["{PEER}"],"clientURLs":["{CLIENT}"]}}'
MEMBERS = "/v2/members"


def peer_urls(*urls: str) -> str:
    return json.dumps({"peerURLs": urls})


@pytest.mark.parametrize(
    ("method", "target", "status", "headers", "body"),
    [
        ("GET", "", 200, (JSON, CLUSTER), f'{{"members":[{OURS}]}}\n'),
        ("GET", "/", 200, (JSON, CLUSTER), f'{{"members":[{OURS}]}}\n'),
        ("GET", "/leader", 200, (JSON, CLUSTER), f"{OURS}\n"),
        ("GET", "/leader/", 404, (JSON, CLUSTER), '{"message":"Not found"}'),
        ("GET", f"/{MEMBER_ID}", 404, (JSON, CLUSTER), '{"message":"Not found"}'),
        *(
            (
                method,
                "",
                405,
                (("Allow", "GET,POST,DELETE,PUT"), TEXT, NOSNIFF),
                "Method Not Allowed\n",
            )
            for method in ("HEAD", "PATCH", "get")
        ),
        ("PUT", "", 405, (TEXT, NOSNIFF, CLUSTER), "Method Not Allowed\n"),
        ("DELETE", "/", 405, (TEXT, NOSNIFF, CLUSTER), "Method Not Allowed\n"),
        ("DELETE", "/abc", 404, (JSON, CLUSTER), '{"message":"No such member: abc"}'),
        ("DELETE", "/00ABC", 404, (JSON, CLUSTER), '{"message":"No such member: abc"}'),
        ("DELETE", "/00000000000000000abc", 404, (JSON, CLUSTER), '{"message":"No such member: abc"}'),
        ("DELETE", "/a?x=1", 404, (JSON, CLUSTER), '{"message":"No such member: a"}'),
        ("DELETE", "/%61", 404, (JSON, CLUSTER), '{"message":"No such member: a"}'),
        ("DELETE", "/A/b", 404, (JSON, CLUSTER), '{"message":"No such member: A/b"}'),
        ("DELETE", "/leader", 404, (JSON, CLUSTER), '{"message":"No such member: leader"}'),
        ("DELETE", "/-1", 404, (JSON, CLUSTER), '{"message":"No such member: -1"}'),
        ("DELETE", "/0x1", 404, (JSON, CLUSTER), '{"message":"No such member: 0x1"}'),
        ("DELETE", f"/{MEMBER_ID}/", 404, (JSON, CLUSTER), f'{{"message":"No such member: {MEMBER_ID}/"}}'),
        (
            "DELETE",
            "/ABCDEF01234567891",
            404,
            (JSON, CLUSTER),
            '{"message":"No such member: ABCDEF01234567891"}',
        ),
        (
            "DELETE",
            "/%3Cx%3E%22%ff",
            404,
            (JSON, CLUSTER),
            '{"message":"No such member: \\u003cx\\u003e\\"\\ufffd"}',
        ),
        ("PUT", "/xyz", 404, (JSON, CLUSTER), '{"message":"No such member: xyz"}'),
        ("PUT", "/abc", 415, (JSON, CLUSTER), '{"message":"Bad Content-Type , accept application/json"}'),
        ("POST", "", 415, (JSON, CLUSTER), '{"message":"Bad Content-Type , accept application/json"}'),
    ],
)
def test_requests_without_a_body(
    tmp_path: Path, method: str, target: str, status: int, headers: tuple[tuple[str, str], ...], body: str
) -> None:
    async def test(served: Served) -> None:
        got = await served.ask(method, MEMBERS + target)
        assert (got.status, got.headers, got.body) == (status, headers, body.encode())

    serve(tmp_path / "d", test)


@pytest.mark.parametrize(
    ("method", "target", "content_type", "body", "status", "message"),
    [
        ("POST", "", "text/<plain>", "", 415, r"Bad Content-Type text/\u003cplain\u003e, accept application/json"),
        (
            "POST",
            "",
            "application/json; charset=utf-8",
            "",
            415,
            "Bad Content-Type application/json; charset=utf-8, accept application/json",
        ),
        ("POST", "", JSON_TYPE, "", 400, "unexpected end of JSON input"),
        ("POST", "", JSON_TYPE, "{}", 400, "no valid URLs given"),
        ("POST", "", JSON_TYPE, '{"peerURLs":[null]}', 400, "URL scheme must be http or https: "),
        ("POST", "", JSON_TYPE, peer_urls("ftp://a:1"), 400, "URL scheme must be http or https: ftp://a:1"),
        ("POST", "", JSON_TYPE, peer_urls("http://a:1/"), 400, "URL must not contain a path: http://a:1/"),
        (
            "POST",
            "",
            JSON_TYPE,
            peer_urls("http://a"),
            400,
            r"URL address does not have the form \"host:port\": http://a",
        ),
        ("POST", "", JSON_TYPE, peer_urls("%"), 400, r"parse \"%\": invalid URL escape \"%\""),
        ("POST", "", JSON_TYPE, peer_urls("::"), 400, r"parse \"::\": missing protocol scheme"),
        ("POST", "", JSON_TYPE, '{"peerURLs":[1]}', 400, "json: cannot unmarshal number into Go struct field .peerURLs of type string"),
        (
            "POST",
            "",
            JSON_TYPE,
            "[]",
            400,
            r"json: cannot unmarshal array into Go value of type struct { PeerURLs []string \"json:\\\"peerURLs\\\"\" }",
        ),
        ("POST", "", JSON_TYPE, "'", 400, r"invalid character '\\'' looking for beginning of value"),
        ("POST", "", JSON_TYPE, "x" * (64 << 10) + "x", 400, "http: request body too large"),
        ("POST", "", JSON_TYPE, peer_urls(PEER), 409, "etcdserver: peerURL exists"),
        ("POST", "/foo/bar", JSON_TYPE, peer_urls("http://a:1", PEER), 409, "etcdserver: peerURL exists"),
        ("PUT", "/abc", JSON_TYPE, "", 400, "unexpected end of JSON input"),
        ("PUT", "/ABC", JSON_TYPE, peer_urls(PEER), 404, "No such member: abc"),
    ],
)  # fmt: skip
def test_refusals(
    tmp_path: Path, method: str, target: str, content_type: str, body: str, status: int, message: str
) -> None:
    async def test(served: Served) -> None:
        before = served.node.store.index
        got = await served.ask(method, MEMBERS + target, body, content_type)
        assert (got.status, got.headers, got.body.decode()) == (
            status,
            (JSON, CLUSTER),
            f'{{"message":"{message}"}}',
        )
        assert served.node.store.index == before
        assert served.node.raft.voters == (served.node.local.id,)

    serve(tmp_path / "d", test)


def test_peer_urls_are_trimmed_sorted_and_may_come_twice(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        body = peer_urls(" http://b:2 ", "http://a:1", "http://b:2")
        got = await served.ask("PUT", f"{MEMBERS}/{MEMBER_ID.upper()}", body, JSON_TYPE)
        assert (got.status, got.headers, got.body) == (204, (CLUSTER,), b"")
        (member,) = served.node.members
        assert member.peer_urls == ("http://a:1", "http://b:2", "http://b:2")
        assert (member.name, member.client_urls) == ("a", (CLIENT,))

    serve(tmp_path / "d", test)


def test_an_added_member_is_shown_without_name_and_the_quorum_is_gone(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("POST", MEMBERS, peer_urls("http://127.0.0.1:7"), JSON_TYPE)
        assert (got.status, got.headers) == (201, (JSON, CLUSTER))
        added = json.loads(got.body)
        assert got.body.endswith(b'"name":"","peerURLs":["http://127.0.0.1:7"],"clientURLs":[]}\n')
        assert list(added) == ["id", "name", "peerURLs", "clientURLs"]
        listed = json.loads((await served.ask("GET", MEMBERS)).body)["members"]
        assert sorted(listed, key=lambda member: int(member["id"], 16)) == listed
        assert added in listed
        assert len(listed) == 2
        for method, target, body in (
            ("POST", MEMBERS, peer_urls("http://127.0.0.1:8")),
            ("DELETE", f"{MEMBERS}/{added['id']}", ""),
            ("PUT", f"{MEMBERS}/{added['id']}", peer_urls("http://127.0.0.1:8")),
        ):
            failed = await served.ask(method, target, body, JSON_TYPE)
            assert (failed.status, failed.headers, failed.body) == (
                500,
                (JSON, CLUSTER),
                b'{"message":"Internal Server Error"}',
            )
        write = await served.ask("PUT", "/v2/keys/a?value=1")
        assert (write.status, json.loads(write.body)["cause"]) == (500, "etcdserver: request timed out")
        assert (await served.ask("GET", "/v2/keys/")).status == 200
        assert (await served.ask("GET", f"{MEMBERS}/leader")).status == 200

    serve(tmp_path / "d", test, request_timeout=0.15)

    async def again(served: Served) -> None:
        leader = await served.ask("GET", f"{MEMBERS}/leader")
        assert (leader.status, leader.headers, leader.body) == (
            503,
            (JSON, CLUSTER),
            b'{"message":"During election"}',
        )
        assert len(json.loads((await served.ask("GET", MEMBERS)).body)["members"]) == 2
        assert (await served.ask("GET", "/v2/machines")).body == CLIENT.encode()
        assert (await served.ask("GET", "/v2/stats/leader")).status == 403
        health = await served.ask("GET", "/health")
        assert (health.status, health.headers, health.body) == (
            503,
            (TEXT, NOSNIFF),
            b'{"health": "false"}\n',
        )

    serve(tmp_path / "d", again, wait_for_leader=False)


def test_the_id_of_an_added_member_is_made_of_its_sorted_urls_and_the_second(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        served.node.clock = lambda: 1_500_000_000 * 10**9 + 999_999_999
        got = await served.ask("POST", MEMBERS, peer_urls("http://b:2", "http://b:1"), JSON_TYPE)
        assert json.loads(got.body)["id"] == "be6ade81c69d4161"  # SHA-1 of http://b:1http://b:21500000000

    serve(tmp_path / "d", test)


def test_a_removed_member_is_gone_for_good(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask("DELETE", f"{MEMBERS}/{MEMBER_ID}")).status == 204
        assert (await served.ask("GET", MEMBERS)).body == b'{"members":[]}\n'
        machines = await served.ask("GET", "/v2/machines")
        assert (machines.headers, machines.body) == ((), b"")
        assert (await served.ask("GET", "/v2/keys/")).status == 200

    serve(tmp_path / "d", test)


def test_strict_changes_answer_500_and_say_why_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("DELETE", f"{MEMBERS}/{MEMBER_ID}")
        assert (got.status, got.body) == (500, b'{"message":"Internal Server Error"}')
        assert (await served.ask("POST", MEMBERS, peer_urls("http://a:1"), JSON_TYPE)).status == 201
        assert (await served.ask("POST", MEMBERS, peer_urls("http://a:2"), JSON_TYPE)).status == 500

    serve(tmp_path / "d", test, strict=True)
    why = "(etcdserver: re-configuration failed due to not enough started members)"
    assert f"error removing member {MEMBER_ID} {why}" in caplog.text
    assert why in caplog.text.partition("error adding member ")[2]


@pytest.mark.parametrize(
    ("method", "status", "headers", "body"),
    [
        ("GET", 200, (TEXT,), CLIENT),
        ("HEAD", 200, (TEXT,), CLIENT),
        ("POST", 405, (("Allow", "GET,HEAD"), TEXT, NOSNIFF), "Method Not Allowed\n"),
    ],
)
def test_machines(
    tmp_path: Path, method: str, status: int, headers: tuple[tuple[str, str], ...], body: str
) -> None:
    async def test(served: Served) -> None:
        got = await served.ask(method, "/v2/machines")
        assert (got.status, got.headers, got.body) == (status, headers, body.encode())

    serve(tmp_path / "d", test)
