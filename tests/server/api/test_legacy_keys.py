"""/v1/keys and /v1/watch: a conversation recorded from etcd 0.4.9, and the same with this server."""

import asyncio
import re
from pathlib import Path

import pytest

from server.http.messages import Response
from tests.support.served import CLUSTER, FORM, JSON, TEXT, Served, serve

_EXPIRATION = re.compile(rb'"expiration":"[^"]+Z"')

# Method, path, form, status, body; INDEX and LAST are the store index and the one before the first write.
STORY = [
    ("PUT", "keys/a", "value=one", 200, '{"action":"set","key":"/a","value":"one","newKey":true,"index":+1}'),
    (
        "PUT",
        "keys/a",
        "value=two",
        200,
        '{"action":"set","key":"/a","prevValue":"one","value":"two","index":+2}',
    ),
    (
        "POST",
        "keys/a",
        "value=three&prevValue=two",
        200,
        '{"action":"testAndSet","key":"/a","prevValue":"two","value":"three","index":+3}',
    ),
    (
        "POST",
        "keys/a",
        "value=three&prevValue=zz",
        412,
        '{"errorCode":101,"message":"Compare failed","cause":"[zz != three]","index":+3}\n',
    ),
    (
        "POST",
        "keys/a",
        "value=three&prevValue=",
        412,
        '{"errorCode":105,"message":"Key already exists","cause":"/a","index":+3}\n',
    ),
    (
        "POST",
        "keys/n",
        "value=three&prevValue=",
        200,
        '{"action":"testAndSet","key":"/n","value":"three","index":+4}',
    ),
    (
        "POST",
        "keys/zz",
        "value=three&prevValue=x",
        404,
        '{"errorCode":100,"message":"Key not found","cause":"/zz","index":+4}\n',
    ),
    (
        "PUT",
        "keys/t",
        "value=x&ttl=100",
        200,
        '{"action":"set","key":"/t","value":"x","newKey":true,"expiration":"","ttl":100,"index":+5}',
    ),
    (
        "PUT",
        "keys/t",
        "value=x&ttl=x",
        400,
        '{"errorCode":202,"message":"The given TTL in POST form is not a number","cause":"Set","index":+5}\n',
    ),
    (
        "PUT",
        "keys/t2",
        "value=x&ttl=",
        200,
        '{"action":"set","key":"/t2","value":"x","newKey":true,"index":+6}',
    ),
    (
        "GET",
        "keys/t",
        "",
        200,
        '{"action":"get","key":"/t","value":"x","expiration":"","ttl":100,"index":+6}',
    ),
    ("GET", "keys/a", "", 200, '{"action":"get","key":"/a","value":"three","index":+6}'),
    (
        "PUT",
        "keys/dir/b",
        "value=x",
        200,
        '{"action":"set","key":"/dir/b","value":"x","newKey":true,"index":+7}',
    ),
    (
        "PUT",
        "keys/dir/s/c",
        "value=x",
        200,
        '{"action":"set","key":"/dir/s/c","value":"x","newKey":true,"index":+8}',
    ),
    (
        "GET",
        "keys/dir",
        "",
        200,
        '[{"action":"get","key":"/dir/b","value":"x","index":+8},'
        '{"action":"get","key":"/dir/s","dir":true,"index":+8}]',
    ),
    (
        "PUT",
        "keys/dir",
        "value=x",
        403,
        '{"errorCode":102,"message":"Not a file","cause":"/dir","index":+8}\n',
    ),
    ("DELETE", "keys/dir", "", 403, '{"errorCode":102,"message":"Not a file","cause":"/dir","index":+8}\n'),
    ("DELETE", "keys/a", "", 200, '{"action":"delete","key":"/a","prevValue":"three","index":+9}'),
    ("DELETE", "keys/a", "", 404, '{"errorCode":100,"message":"Key not found","cause":"/a","index":+9}\n'),
    (
        "PUT",
        "keys/a",
        "",
        400,
        '{"errorCode":200,"message":"Value is Required in POST form","cause":"Set","index":+9}\n',
    ),
    (
        "POST",
        "watch/a",
        "",
        400,
        '{"errorCode":203,"message":"The given index in POST form is not a number",'
        '"cause":"Watch From Index","index":+9}\n',
    ),
    (
        "POST",
        "watch/a",
        "index=+1",
        200,
        '{"action":"set","key":"/a","value":"one","newKey":true,"index":+9}',
    ),
    (
        "PUT",
        "keys/bin",
        "value=%ff%00",
        200,
        '{"action":"set","key":"/bin","value":"\\ufffd\\u0000","newKey":true,"index":+10}',
    ),
]


def test_a_conversation_with_0_4_9(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        base = served.node.store.index

        def numbers(text: str) -> str:
            return re.sub(r"\+(\d+)", lambda match: str(base + int(match[1])), text)

        for method, path, form, status, body in STORY:
            got = await served.ask(method, f"/v1/{path}", numbers(form), FORM if form else None)
            said = _EXPIRATION.sub(b'"expiration":""', got.body).decode()
            assert (method, path, got.status, said) == (method, path, status, numbers(body))
            index = ("X-Etcd-Index", str(served.node.store.index))
            assert got.headers == ((TEXT,) if status == 200 else (JSON, CLUSTER, index))

    serve(tmp_path / "d", test, legacy=True)


def test_a_ttl_that_is_over_is_taken_and_ends_the_key(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("PUT", "/v1/keys/t", "value=x&ttl=-5", FORM)
        assert (got.status, b'"ttl":-5' in got.body) == (200, True)
        while (await served.ask("GET", "/v1/keys/t")).status == 200:
            await asyncio.sleep(0.01)

    serve(tmp_path / "d", test, legacy=True)


def test_a_watch_waits_for_the_next_event(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        watch = asyncio.create_task(served.ask("GET", "/v1/watch/a"))
        while not served.node.store.watchers:
            await asyncio.sleep(0)
        await served.ask("PUT", "/v1/keys/b", "value=other", FORM)
        await served.ask("PUT", "/v2/keys/a", "value=w", FORM)
        index = served.node.store.index
        assert await watch == Response(
            200,
            (TEXT,),
            f'{{"action":"set","key":"/a","value":"w","newKey":true,"index":{index}}}'.encode(),
        )
        assert served.node.store.watchers == 0

    serve(tmp_path / "d", test, legacy=True)


def test_a_watch_that_is_given_up_is_forgotten(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        watch = asyncio.create_task(served.ask("GET", "/v1/watch/a"))
        while not served.node.store.watchers:
            await asyncio.sleep(0)
        watch.cancel()
        await asyncio.wait([watch])
        assert served.node.store.watchers == 0

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/keys/a"),
        ("PUT", "/v1/watch/a"),
        ("GET", "/v1/keys"),
        ("GET", "/v1/stats/self"),
        ("GET", "/v1"),
    ],
)
def test_what_0_4_did_not_have_either_is_404(tmp_path: Path, method: str, path: str) -> None:
    async def test(served: Served) -> None:
        assert (await served.ask(method, path)).status == 404

    serve(tmp_path / "d", test, legacy=True)


def test_keys_beyond_any_use_are_refused_here_too(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        got = await served.ask("PUT", "/v1/keys" + "/a" * 1001, "value=x", FORM)
        assert (got.status, b'"errorCode":209' in got.body) == (400, True)

    serve(tmp_path / "d", test, legacy=True)
