"""Keys that are not UTF-8 cannot be stored as they came, for a snapshot is JSON: no way into the key space is open to them.
What is accepted comes back from a snapshot as it was."""

import json
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.api.keys import check_key, parse_keys_request
from server.api.paths import KEYS_PREFIX, route
from server.auth import passwords
from server.http.messages import Response
from server.http.targets import BadPathError
from server.storage.requests import StoreRequest
from server.store import EtcdError, Store, apply_request
from tests.support.served import CLUSTER, FORM, JSON, Served, serve

NOW = 1_700_000_000_000_000_000

NOT_UTF8 = {
    "a byte that begins nothing": b"\xff",
    "one among others": "é".encode() + b"\xfe/x",
    "a character broken off": b"a\xe4\xb8",
    "one broken off by a slash": b"\xe4\xb8/\x96",
    "half of a pair": b"\xed\xa0\x80",
    "a pair of halves": b"\xed\xa0\xbd\xed\xb8\x80",
    "a slash written too long": b"\xc0\xaf",
    "a NUL written too long": b"\xc0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "a character in Latin-1": "é".encode("latin-1"),
}
UTF8 = [
    "é",
    "\ufffd",
    "\x00",
    "a\x00b",
    "\x7f",
    "\n\t",
    "\u2028",
    "\U0010ffff",
    "\U0001f600/é",
    '<&>"\\',
    "a b",
    "\uffff",
]


def refusal(byte: int, at: int) -> Response:
    cause = (
        f"the key is not UTF-8: byte 0x{byte:02x} at its offset {at}; it could not be told from others after a snapshot. "
        "Use UTF-8, or write such bytes in another way, such as base64 or hexadecimal digits"
    )
    body = f'{{"errorCode":209,"message":"Invalid field","cause":"{cause}","index":0}}\n'
    return Response(400, (JSON, CLUSTER, ("X-Etcd-Index", "0")), body.encode())


def test_the_refusal_says_which_byte_and_what_to_do(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert await served.ask("PUT", "/v2/keys/%ff?value=1") == refusal(0xFF, 1)
        assert await served.ask("PUT", "/v2/keys/d/%c3%a9%fe", "value=1", FORM) == refusal(0xFE, 5)

    serve(tmp_path / "d", test)


@pytest.mark.parametrize("key", NOT_UTF8.values(), ids=NOT_UTF8)
def test_no_write_stores_a_key_that_is_not_utf8(tmp_path: Path, key: bytes) -> None:
    escaped = quote_from_bytes(key)

    async def test(served: Served) -> None:
        index = served.node.raft_index
        await served.ask("PUT", "/v2/keys/there?value=1")
        for method, target in (
            ("PUT", f"/v2/keys/{escaped}?value=1"),
            ("PUT", f"/v2/keys/d/{escaped}?dir=true"),
            ("PUT", f"/v2/keys/{escaped}?prevExist=true&value=1"),
            ("PUT", f"/v2/keys/{escaped}?prevValue=1&value=1"),
            ("PUT", f"/v2/keys/{escaped}?refresh=true&ttl=1"),
            ("POST", f"/v2/keys/{escaped}?value=1"),
            ("POST", f"/v2/keys/{escaped}?dir=true"),
            ("PUT", f"/v1/keys/{escaped}?value=1"),
            ("POST", f"/v1/keys/{escaped}?value=1"),
            ("POST", f"/mod/v2/lock/{escaped}?ttl=10&value=1"),
            ("PUT", f"/mod/v2/lock/{escaped}?ttl=10&value=1"),
            ("PUT", f"/mod/v2/leader/{escaped}?ttl=10&name=1"),
        ):
            reply = await served.ask(method, target)
            assert (reply.status, json.loads(reply.body)["errorCode"]) == (400, 209), (method, target)
        assert served.node.raft_index == index + 1
        assert all(char <= "\udcff" or char < "\udc80" for path in _paths(served.node.store) for char in path)

    serve(tmp_path / "d", test, legacy=True)


@pytest.mark.parametrize("key", [b"\xff", b"\xed\xa0\x80"])
def test_the_raw_byte_is_as_good_as_the_escaped_one(tmp_path: Path, key: bytes) -> None:
    async def test(served: Served) -> None:
        assert (
            await served.ask("PUT", f"/v2/keys/{key.decode('utf-8', 'surrogateescape')}?value=1")
        ).status == 400

    serve(tmp_path / "d", test)


def test_users_and_roles_have_no_such_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)

    async def test(served: Served) -> None:
        index = served.node.raft_index
        for kind in ("user", "role"):
            target = f"/v2/auth/{kind}s/%ff"
            for name in (b"\xff", b"\xef\xbf\xbd", rb"\ud800", rb"\udcff"):
                body = b'{"%s":"%s","password":"p"}' % (kind.encode(), name)
                reply = await served.ask("PUT", target, body)
                assert (reply.status, b"does not match the name in the URL" in reply.body) == (400, True)
            assert (await served.ask("GET", target)).status == 404
        assert served.node.raft_index == index
        # In the lists of a user and a role such bytes are U+FFFD before they are stored, as in etcd.
        assert (
            await served.ask(
                "PUT", "/v2/auth/roles/r", b'{"role":"r","permissions":{"kv":{"read":["/\xff"]}}}'
            )
        ).status == 201
        assert (
            await served.ask("PUT", "/v2/auth/users/u", b'{"user":"u","password":"p","roles":["\xff"]}')
        ).status == 200
        for path in ("/2/roles/r", "/2/users/u"):
            value = served.node.store.get(path, now=NOW).node.value or b""
            assert "\ufffd" in value.decode()

    serve(tmp_path / "d", test)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_key_from_before_can_be_read_and_deleted(tmp_path: Path, method: str) -> None:
    """Another member, a real one or one of a release before, may have proposed it: it is applied as ever."""

    async def test(served: Served) -> None:
        await served.node.propose(StoreRequest(method="PUT", path="/1/\udcff", val=b"1"))
        assert (await served.ask(method, "/v2/keys/%ff")).status == 200
        if method == "DELETE":
            assert (await served.ask("GET", "/v2/keys/%ff")).status == 404

    serve(tmp_path / "d", test)


def test_a_watch_on_such_a_key_is_none_of_our_business(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        reply = await served.ask("GET", "/v2/keys/%ff?wait=true")
        assert reply.status == 200
        assert reply.stream is not None
        await served.node.propose(StoreRequest(method="PUT", path="/1/\udcff", val=b"1"))
        assert b"action" in (reply.stream.take() or b"")

    serve(tmp_path / "d", test)


KEYS = st.one_of(
    st.binary(max_size=12),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from([*NOT_UTF8.values(), *(key.encode() for key in UTF8)]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=6), st.sampled_from(["PUT", "POST"]))
@example([key.encode() for key in UTF8], "PUT")
def test_a_key_that_is_taken_is_found_under_its_name_after_a_snapshot(keys: list[bytes], method: str) -> None:
    store = Store()
    stored: dict[str, bytes] = {}
    for number, key in enumerate(keys):
        try:
            path, _, location, for_keys = route(KEYS_PREFIX.encode() + b"/" + quote_from_bytes(key).encode())
            if location is not None or not for_keys:
                continue
            check_key(path, method)
            request = parse_keys_request(method, path, b"value=%d" % number, "", b"", NOW)
            event = apply_request(store, request, NOW)
        except (BadPathError, EtcdError):
            continue
        assert event is not None
        stored[event.node.key] = b"%d" % number
    restarted = Store()
    restarted.recover(store.save())
    for path, value in stored.items():
        assert store.get(path, now=NOW).node.value == restarted.get(path, now=NOW).node.value == value
    assert _paths(store) == _paths(restarted)


def _paths(store: Store) -> set[str]:
    frozen = store.freeze()
    return {*frozen.files, *frozen.directories}


def test_a_value_that_is_not_utf8_is_stored_as_it_came_and_is_replacement_characters_after_a_snapshot(
    tmp_path: Path,
) -> None:
    """As in etcd, which shows them as such from the beginning."""

    async def write(served: Served) -> None:
        reply = await served.ask("PUT", "/v2/keys/v", "value=a%ffb", FORM)
        assert json.loads(reply.body)["node"]["value"] == "a\ufffdb"
        assert served.node.store.get("/1/v", now=NOW).node.value == b"a\xffb"
        assert (await served.ask("PUT", "/v2/keys/v", "value=a%ffb&prevValue=a%ffb", FORM)).status == 200
        served.node.store.recover(served.node.store.save())
        reply = await served.ask("GET", "/v2/keys/v")
        assert json.loads(reply.body)["node"]["value"] == "a\ufffdb"
        assert (await served.ask("PUT", "/v2/keys/v", "value=1&prevValue=a%ffb", FORM)).status == 412

    serve(tmp_path / "d", write)
