"""Users and roles out of JSON, by Go's rules: what is seen with etcd 2.3.8, which was sent each of these."""

import pytest

from server.auth import DecodeError, Permissions, Role, User, role_from_json, user_from_json
from server.auth.records import Patterns


def kv(read: tuple[str, ...] | None = None, write: tuple[str, ...] | None = None) -> Permissions:
    return Permissions(Patterns(read, write))


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (b'{"user":"a","password":"p","roles":["r"]}', User("a", "p", ("r",))),
        (b'{"user":"a","grant":["r"],"revoke":[]}', User("a", grant=("r",), revoke=())),
        # names in any case, and the two letters beyond ASCII that Go takes for s and k
        (b'{"USER":"a","Password":"p","rOLES":["r"]}', User("a", "p", ("r",))),
        ('{"uſer":"a","paſſword":"p","revoKe":["r"]}'.encode(), User("a", "p", revoke=("r",))),
        ('{"paßword":"p"}'.encode(), User()),
        # null takes a list away, and leaves a text as it is
        (b'{"user":"a","user":null,"roles":["r"],"roles":null}', User("a")),
        (b'{"roles":["a","b"],"roles":[null,"c",null]}', User(roles=("a", "c", ""))),
        (b'{"user":"a","user":"b"}', User("b")),
        (b"null", User()),
        (b"{}", User()),
        # what nobody asked for
        (b'{"other":[1,{"user":"x"},-1.5e300,true],"user":"a"}', User("a")),
        (b'{"n":%s,"user":"a"}' % (b"9" * 100_000), User("a")),
        # the first value counts, whatever follows
        (b' \r\n\t{"user":"a"} x', User("a")),
        (b'{"user":"a"}{"user":"b"}', User("a")),
        (b"nullx", User()),
        # bytes that are not UTF-8, halves of pairs
        (b'{"user":"\xff\xe2\x82x"}', User("\ufffd\ufffd\ufffdx")),
        (rb'{"user":"\ud800\u0041\ud83d\ude00\/\""}', User('\ufffdA\U0001f600/"')),
        (rb'{"user":"\u0000"}', User("\0")),
    ],
)
def test_a_user_is_read_as_go_reads_it(text: bytes, user: User) -> None:
    assert user_from_json(text) == user


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"user":"a"',
        b'{"user":"a",}',
        b"{'user':'a'}",
        b"[]",
        b'"a"',
        b"1",
        b"true",
        b"nul",
        b'{"user":1}',
        b'{"user":["a"]}',
        b'{"password":true}',
        b'{"roles":"r"}',
        b'{"roles":{"0":"r"}}',
        b'{"roles":[1]}',
        b'{"roles":[["r"]]}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b'{"a":1.}',
        b'{"user":"a\nb"}',
        rb'{"user":"\x41"}',
        b'\xef\xbb\xbf{"user":"a"}',
        b"\x0b{}",
        b"\xff{}",
        b'{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_no_user_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        user_from_json(text)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (b'{"role":"r","permissions":{"kv":{"read":["/a"],"write":[]}}}', Role("r", kv(("/a",), ()))),
        (b'{"role":"r","permissions":null}', Role("r")),
        (b'{"role":"r","permissions":{"kv":null}}', Role("r")),
        (b'{"ROLE":"r","Permissions":{"KV":{"READ":["/a"]}}}', Role("r", kv(("/a",)))),
        (b'{"role":"r","grant":{},"revoke":null}', Role("r", grant=Permissions())),
        (b'{"grant":{"kv":{"read":["/a"]}},"grant":null}', Role()),
        (
            b'{"grant":{"kv":{"read":["/a"]}},"GRANT":{"kv":{"write":["/b"]}}}',
            Role(grant=kv(("/a",), ("/b",))),
        ),
    ],
)
def test_a_role_is_read_as_go_reads_it(text: bytes, role: Role) -> None:
    assert role_from_json(text) == role


@pytest.mark.parametrize(
    "text",
    [b'{"role":[]}', b'{"permissions":[]}', b'{"grant":"x"}', b'{"grant":{"kv":[]}}', b'{"grant":{"kv":{"read":"x"}}}'],
)  # fmt: skip
def test_what_is_no_role_is_refused(text: bytes) -> None:
    with pytest.raises(DecodeError):
        role_from_json(text)


@pytest.mark.parametrize(
    "record",
    [
        Role("r"),
        Role("<é&>", kv(("/a", "/b*"), ()), grant=Permissions(), revoke=kv(None, ("\u2028",))),
        User("u", "$2a$10$x", ("a", "b")),
        User("u", roles=()),
        User("u", grant=("a",), revoke=("b",)),
    ],
)
def test_a_record_written_reads_the_same(record: Role | User) -> None:
    text = record.to_json().encode()
    assert (role_from_json(text) if isinstance(record, Role) else user_from_json(text)) == record


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (Role("r"), '{"role":"r","permissions":{"kv":{"read":null,"write":null}}}'),
        (
            Role("r", kv(("/<",), ()), Permissions()),
            r'{"role":"r","permissions":{"kv":{"read":["/\u003c"],"write":[]}},"grant":{"kv":{"read":null,"write":null}}}',
        ),
        (User("u", "h"), '{"user":"u","password":"h","roles":null}'),
        (User("u", roles=(), grant=(), revoke=()), '{"user":"u","roles":[]}'),
    ],
)
def test_records_are_written_as_etcd_writes_them(record: Role | User, text: str) -> None:
    assert record.to_json() == text
