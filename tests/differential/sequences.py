"""What is asked of both servers: sequences of requests, as hypothesis draws them.

A sequence lives below a prefix of its own, which is known only when it runs, as are the indices it speaks of. So texts
hold marks: ``<P>`` is the prefix, ``<i-2>`` the store index of two writes ago, ``<n-2>`` the same as POST names keys, ``<v99>`` a
value of that length.
"""

import base64
import json
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from hypothesis import strategies as st

FORM = "application/x-www-form-urlencoded"


class Ask(NamedTuple):
    """One request. ``chunked`` sends the body in chunks; ``kind`` is its Content-Type, None for none."""

    method: str
    path: bytes
    query: bytes = b""
    body: bytes | None = None
    kind: str | None = None
    chunked: bool = False
    headers: tuple[str, ...] = ()
    version: str = "HTTP/1.1"

    def target(self) -> bytes:
        return self.path + (b"?" + self.query if self.query else b"")

    def is_for_keys(self) -> bool:
        return self.path.startswith(b"/v2/keys")

    def resolved(self, prefix: bytes, index: int) -> "Ask":
        """With the marks filled in."""
        body = None if self.body is None else fill(self.body, prefix, index)
        return self._replace(
            path=fill(self.path, prefix, index), query=fill(self.query, prefix, index), body=body
        )

    def wire(self) -> bytes:
        head = [f"{self.method} ".encode() + self.target() + f" {self.version}".encode(), b"Host: etcd"]
        head += [header.encode() for header in self.headers]
        if self.kind is not None:
            head.append(f"Content-Type: {self.kind}".encode())
        body = self.body or b""
        if self.body is not None and self.chunked:
            head.append(b"Transfer-Encoding: chunked")
            pieces = [piece for piece in (body[:3], body[3:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif self.body is not None:
            head.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(head) + b"\r\n\r\n" + body


class Watch(NamedTuple):
    """A watch, begun on a connection of its own; what it delivers is looked at when the sequence is over."""

    ask: Ask


class Expire(NamedTuple):
    """Writes of short-lived keys, and the wait until all of them are gone."""

    asks: tuple[Ask, ...]


Step = Ask | Watch | Expire


def fill(text: bytes, prefix: bytes, index: int) -> bytes:
    """The marks in it filled in; ``index`` is the store's."""

    def value(mark: re.Match[bytes]) -> bytes:
        if mark[0] == b"<P>":
            return prefix
        if mark[3]:
            return b"v" * int(mark[3])
        return (b"%d" if mark[1] == b"i" else b"%020d") % max(0, index + int(mark[2]))

    return re.sub(rb"<P>|<([in])([+-][0-9]+)>|<v([0-9]+)>", value, text)


def is_utf8(path: bytes) -> bool:
    """Whether the path of a request, escaped or not, is that of a key in UTF-8."""
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


# Keys

_USUAL = (
    b"",
    b"/a",
    b"/b",
    b"/dir",
    b"/dir/a",
    b"/dir/b",
    b"/dir/sub/c",
    b"/_h",
    b"/dir/_h/x",
    b"/a/under",
    b"/<n-0>",
)
_CURIOUS = (
    b"/", b"//", b"/a/", b"/dir//a", b"/dir/", b"/./a", b"/dir/../a", b"/..", b"/../..", b"/%2e%2e/a", b"/dir%2Fa",
    b"/dir%2f%2Fa", b"/a%20b", b"/a+b", b"/%2B", b"/%61", b"/%", b"/%zz", b"/a%f", b"/%00", b"/%0a%09", b"/%7f",
    b"/%c3%a9", b"/\xc3\xa9", b"/\xff", b"/%ff%fe", b"/%ed%a0%80", b"/%f0%9f%98%80", b"/%E2%80%A8", b"/<>&'\"",
    b"/%3C%26%22%5C", b"/~!$*'();:@&=,", b"/a;b", b"/[x]{y}|^`", b"/...", b"/_", b"/__h/x", b"/dir/_h", b"/-",
    b"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", b"/" + b"k" * 300, b"/#a", b"/a#b", b"/_etcd/registry",
)  # fmt: skip
_USUAL_KEYS = st.sampled_from(_USUAL)
_KEYS = st.one_of(
    _USUAL_KEYS,
    _USUAL_KEYS,
    st.builds(bytes.__add__, _USUAL_KEYS, st.sampled_from(_CURIOUS)),
    st.sampled_from(_CURIOUS),
)

# Parameters

_VALUES = (b"1", b"2", b"", b"x+y", b"a%2Bb", b"%C3%A9", b"\xc3\xa9", b"%ff", b"%c3", b"%ed%a0%80", b"%e2%80%a8%e2%80%a9",
    b"%00%08%0c%0a%0d%09%1f%7f", b"%3Chtml%3E%26%22%27%5C/", b"<v1940>", b"<v3000>", b"a=b", b"<i-0>", b"%f0%9f%98%80", b"%f4%90%80%80",
)  # fmt: skip
_BOOLEANS = (
    b"true",
    b"true",
    b"true",
    b"false",
    b"false",
    b"1",
    b"t",
    b"T",
    b"TRUE",
    b"True",
    b"0",
    b"f",
    b"F",
    b"FALSE",
    b"False",
)
_NO_BOOLEANS = (
    b"",
    b"yes",
    b"tRue",
    b"2",
    b"-1",
    b"on",
    b"+true",
    b"true+",
    b"%74rue",
    b"null",
    b"%00",
    b"\xff",
)
_NO_NUMBERS = (b"", b"-1", b"%2B1", b"+1", b"1+", b"0x10", b"1e3", b"1_000", b"1.0", b"abc", b"18446744073709551616",
    b"9" * 30, b"%31", b"\xd9\xa1", b"007", b"00000000000000000000000000001", b"1%00")  # fmt: skip
_INDICES = (
    b"<i-0>",
    b"<i-0>",
    b"<i-1>",
    b"<i-2>",
    b"<i-3>",
    b"<i+1>",
    b"<i+9>",
    b"0",
    b"1",
    b"18446744073709551615",
    b"9223372036854775808",
)
_WAIT_INDICES = (*_INDICES, b"<i-5>", b"<i-8>", b"<i-997>", b"<i-998>", b"<i-999>", b"<i-1000>", b"<i-1001>")
_LONG_TTLS = (b"100", b"3600", b"1000000", b"0100", b"", b"9223372036", b"9223372037", b"13835058055")
_SHORT_TTLS = (b"0", b"1", b"1", b"1", b"2", b"18446744073", b"18446744074")

PARAMETERS: dict[bytes, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {
    b"value": (_VALUES, (b"%", b"%zz", b"%a", b"%4", b"%%", b"%+f")),
    b"prevValue": ((b"1", b"2", b"3", *_VALUES), (b"", b"%", b"%g1")),
    b"prevIndex": (_INDICES, _NO_NUMBERS),
    b"prevExist": (_BOOLEANS, _NO_BOOLEANS),
    b"ttl": (
        _LONG_TTLS,
        (b"-1", b"abc", b"1.5", b"18446744073709551616", b"%2B5", b"+5", b"0x5", b"%00", b"5s"),
    ),
    b"dir": (_BOOLEANS, _NO_BOOLEANS),
    b"refresh": (_BOOLEANS, _NO_BOOLEANS),
    b"recursive": (_BOOLEANS, _NO_BOOLEANS),
    b"sorted": (_BOOLEANS, _NO_BOOLEANS),
    b"quorum": (_BOOLEANS, _NO_BOOLEANS),
    b"wait": ((b"false", b"0"), tuple(value for value in _NO_BOOLEANS if value != b"%74rue")),
    b"stream": (_BOOLEANS, _NO_BOOLEANS),
    b"waitIndex": (_WAIT_INDICES, _NO_NUMBERS),
    b"noValueOnSuccess": ((b"false", b"true"), ()),
    b"consistent": ((b"true", b"x"), ()),
    b"Value": ((b"3",), ()),
    b"unknown": ((b"", b"1"), (b"%",)),
    b"": ((b"", b"x"), ()),
}
"""Every parameter, with good values and bad ones."""

_NAMES = tuple(PARAMETERS)


@st.composite
def _parameter(draw: st.DrawFn, names: tuple[bytes, ...], bad: bool) -> bytes:
    name = draw(st.sampled_from(names))
    good_values, bad_values = PARAMETERS[name]
    value = draw(st.sampled_from(bad_values if bad and bad_values else good_values))
    if not bad:
        return name + b"=" + value
    shape = draw(st.sampled_from(("pair", "pair", "pair", "pair", "bare", "escaped", "spaced")))
    match shape:
        case "bare":
            return name
        case "escaped" if name:
            return b"%%%02x%s=%s" % (name[0], name[1:], value)
        case "spaced":
            return name + b"+=" + value
        case _:
            return name + b"=" + value


def _joined(names: tuple[bytes, ...], largest: int, bad: bool = False) -> st.SearchStrategy[bytes]:
    return st.lists(_parameter(names, bad), max_size=largest).map(b"&".join)


# Requests as programs make them

_WRITTEN = (b"value", b"value", b"ttl", b"prevValue", b"prevIndex", b"prevExist", b"dir", b"refresh")


@st.composite
def _usual_write(draw: st.DrawFn) -> Ask:
    method = draw(st.sampled_from(("PUT", "PUT", "PUT", "PUT", "POST", "DELETE")))
    path = b"/v2/keys<P>" + draw(_USUAL_KEYS)
    if method == "DELETE":
        return Ask(method, path, draw(_joined((b"recursive", b"dir", b"prevValue", b"prevIndex"), 2)))
    if method == "POST":
        return Ask(method, path, b"", draw(_joined((b"value", b"ttl", b"dir"), 2)), FORM)
    text = draw(
        st.one_of(
            st.sampled_from(
                (b"value=1", b"value=2", b"dir=true", b"value=3&ttl=100", b"refresh=true&ttl=100")
            ),
            _joined(_WRITTEN, 3),
        )
    )
    return Ask(method, path, text) if draw(st.booleans()) else Ask(method, path, b"", text, FORM)


@st.composite
def _usual_read(draw: st.DrawFn) -> Ask:
    method = draw(st.sampled_from(("GET", "GET", "GET", "GET", "HEAD")))
    path = b"/v2/keys" + draw(st.sampled_from((b"<P>", b"<P>", b"<P>", b""))) + draw(_USUAL_KEYS)
    return Ask(method, path, draw(_joined((b"recursive", b"sorted", b"quorum"), 3)))


# Requests as nobody should make them

_METHODS = ("PUT", "PUT", "PUT", "POST", "DELETE", "GET", "GET", "HEAD")
_NOT_WRITING = ("DELETE", "GET", "HEAD")
_KINDS = (FORM, FORM, FORM, FORM, None, "", FORM + "; charset=utf-8", FORM.upper(), " " + FORM + " ", FORM + ";", FORM + "; a",
    FORM + "; a=b; a=c", FORM + '; a="b', FORM + ";;", "text/plain", "application/json", "multipart/form-data; boundary=x",
    "multipart/form-data", "application", "application/", "/", "*/*", "a b/c", "application/x-www-form-urlencoded, text/plain")  # fmt: skip
_HEADERS = ("Connection: close", "Connection: keep-alive", "Connection: Close", "Accept: text/plain", "Origin: http://x",
    "Expect: 100-continue", "Accept-Encoding: gzip", "If-None-Match: *", "Range: bytes=0-3", "X-HTTP-Method-Override: GET")  # fmt: skip


@st.composite
def _wild(draw: st.DrawFn) -> Ask:
    path = b"/v2/keys" + draw(st.sampled_from((b"<P>", b"<P>", b"<P>", b"<P>", b""))) + draw(_KEYS)
    bad = draw(st.booleans())
    query = draw(_joined(_NAMES, 4, bad))
    # What theirs would store and ours refuses would tell the two apart for all that follows.
    methods = _METHODS if is_utf8(path) else _NOT_WRITING
    if draw(st.integers(0, 9)) == 0:
        return Ask(draw(st.sampled_from(("HEAD", "PUT", "DELETE"))), path, query + b"&wait=true")
    if draw(st.booleans()):
        return Ask(draw(st.sampled_from(methods)), path, query)
    body = draw(_joined(_NAMES, 4, bad))
    kind = draw(st.sampled_from(_KINDS))
    return Ask(draw(st.sampled_from(methods[:-1])), path, query, body, kind, draw(st.booleans()))


@st.composite
def _odd_http(draw: st.DrawFn) -> Ask:
    ask = draw(st.one_of(_usual_write(), _usual_read(), _elsewhere()))
    headers = tuple(
        draw(st.lists(st.sampled_from(_HEADERS), max_size=2, unique_by=lambda text: text.split(":")[0]))
    )
    ask = ask._replace(headers=headers)
    if draw(st.integers(0, 3)) == 0:
        ask = ask._replace(version="HTTP/1.0")
    if draw(st.integers(0, 3)) == 0:
        ask = ask._replace(
            method=draw(
                st.sampled_from(
                    ("OPTIONS", "PATCH", "TRACE", "put", "FOO", "QGET", "SYNC", "LINK", "CONNECT")
                )
            )
        )
    return ask


# Other paths

_PATHS = (
    b"/", b"", b"/v2", b"/v2/", b"/v2/keysfoo", b"/v2/key", b"/V2/keys", b"/v1/keys/a", b"/v2/machines", b"/v2/machines/",
    b"/v2/members", b"/v2/members/", b"/v2/members/leader", b"/v2/members/leader/", b"/v2/members/123", b"/v2/members/zz",
    b"/v2/membersx", b"/v2/stats", b"/v2/stats/self", b"/v2/stats/self/", b"/v2/stats/leader", b"/v2/stats/store", b"/v2/stats/x",
    b"/version", b"/version/", b"/v2//machines", b"/v2/stats/../machines", b"/%76ersion", b"/v2%2Fmachines", b"/favicon.ico",
    b"/health", b"/health/", b"/metrics", b"/debug/vars", b"/config/local/log", b"/v2/auth", b"/v2/auth/", b"/v2/auth/enable/",
    b"/v2/auth/users", b"/v2/auth/users/", b"/v2/auth/roles", b"/v2/auth/roles/x/y", b"/v2/auth/users/nobody", b"/v2/leader", b"/mod/lock", b"/v2/admin", b"/v3/kv", b"/raft", b"/debug", b"/config", b"/config/local",
)  # fmt: skip


@st.composite
def _elsewhere(draw: st.DrawFn) -> Ask:
    method = draw(st.sampled_from(("GET", "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH")))
    path = draw(st.sampled_from(_PATHS))
    body = None
    if path == b"/config/local/log":
        body = draw(
            st.sampled_from(
                (
                    b"",
                    b"{",
                    b'{"Level":"info"}',
                    b'{"LEVEL":"INFO"}',
                    b'{"Level":"loud"}',
                    b'{"Level":1}',
                    b"[]",
                    b"null",
                    b"{}",
                )
            )
        )
    if method in ("PUT", "DELETE") and path.startswith(b"/v2/auth/enable"):
        method = "POST"  # what they would do lasts longer than a sequence
    return Ask(method, path, draw(st.sampled_from((b"", b"", b"x=1", b"%zz"))), body)


_BAD_MEMBERS = (b"", b"{", b"[]", b"null", b"{}", b'{"peerURLs":[]}', b'{"peerURLs":null}', b'{"peerURLs":"x"}', b'{"peerURLs":[""]}',
    b'{"peerURLs":["ftp://a:1"]}', b'{"peerURLs":["http://a"]}', b'{"peerURLs":["http://a:1/"]}', b'{"peerURLs":["http://a:1/p"]}',
    b'{"peerURLs":["a:1"]}', b'{"PEERURLS":["http://"]}', b'{"peerURLs":["http://a:1"', b'{"peerURLs":[1]}', b'{"peerURLs":{}}', b"\xff",
    b'{"peerURLs":["http://a:b:c"]}', b'{"peerURLs":["http://%zz:1"]}', b'"x"', b"1", b'{"peerURLs":["http://[::1]"]}', b"{} {}",
)  # fmt: skip
_JSON_KINDS = (
    "application/json",
    "application/json",
    "application/json",
    "application/json; charset=utf-8",
    FORM,
    None,
    "",
)


@st.composite
def _member_write(draw: st.DrawFn) -> Ask:
    """A change of members that must be refused."""
    body, kind = draw(st.sampled_from(_BAD_MEMBERS)), draw(st.sampled_from(_JSON_KINDS))
    tail = draw(
        st.sampled_from(
            (
                b"",
                b"/",
                b"/leader",
                b"/123",
                b"/0",
                b"/zz",
                b"/FFFFFFFFFFFFFFFF",
                b"/10000000000000000",
                b"/12/3",
                b"/%20",
            )
        )
    )
    return Ask(draw(st.sampled_from(("POST", "PUT", "DELETE"))), b"/v2/members" + tail, b"", body, kind)


# Users and roles

_NAMES_OF_USERS = (b"root", b"root", b"ann", b"bob")
_NAMES_OF_ROLES = (b"guest", b"guest", b"root", b"r1", b"r2")
_PASSWORDS = ("p", "q")
_USERS_ASKED_FOR = (
    "",
    "",
    "",
    "root:p",
    "root:p",
    "root:p",
    "root:q",
    "ann:p",
    "bob:p",
    "nobody:p",
    "ann",
    ":",
)


def _basic(user: str) -> tuple[str, ...]:
    return (f"Authorization: Basic {base64.b64encode(user.encode()).decode()}",)


@st.composite
def _credentials(draw: st.DrawFn) -> tuple[str, ...]:
    user = draw(st.sampled_from(_USERS_ASKED_FOR))
    if not user:
        return draw(
            st.sampled_from(
                (
                    (),
                    (),
                    (),
                    (),
                    ("Authorization: Basic",),
                    ("Authorization: Basic %%%",),
                    ("Authorization: Bearer x",),
                )
            )
        )
    return _basic(user)


@st.composite
def _user_write(draw: st.DrawFn) -> Ask:
    name = draw(st.sampled_from(_NAMES_OF_USERS))
    fields: dict[str, object] = {
        "user": draw(st.sampled_from((name.decode(), name.decode(), name.decode(), "bob", "")))
    }
    if draw(st.integers(0, 2)):
        fields["password"] = draw(st.sampled_from(("p", "p", "p", "q", "")))
    for field in ("roles", "grant", "revoke"):
        if draw(st.integers(0, 3)) == 0:
            fields[field] = draw(st.lists(st.sampled_from(_NAMES_OF_ROLES).map(bytes.decode), max_size=2))
    body = draw(st.sampled_from((None, None, None, None, None, b"", b"{", b"[]", b'{"user":1}')))
    text = json.dumps(fields).encode() if body is None else body
    return Ask(
        "PUT",
        b"/v2/auth/users/" + name,
        b"",
        text,
        draw(st.sampled_from(("application/json", None, "text/plain"))),
    )


_PATTERNS = st.lists(
    st.sampled_from(("<P>", "<P>/*", "<P>/a", "<P>/dir*", "*", "/*", "/x", "a", "")), max_size=2
)


@st.composite
def _role_write(draw: st.DrawFn) -> Ask:
    name = draw(st.sampled_from(_NAMES_OF_ROLES))
    fields: dict[str, object] = {
        "role": draw(st.sampled_from((name.decode(), name.decode(), name.decode(), "r1")))
    }
    for field in ("permissions", "grant", "revoke"):
        if draw(st.booleans()):
            kinds = draw(st.lists(st.sampled_from(("read", "write")), max_size=2, unique=True))
            fields[field] = {"kv": {kind: draw(_PATTERNS) for kind in kinds}}
    return Ask("PUT", b"/v2/auth/roles/" + name, b"", json.dumps(fields).encode(), "application/json")


@st.composite
def _auth_other(draw: st.DrawFn) -> Ask:
    method = draw(st.sampled_from(("GET", "GET", "DELETE", "POST")))
    place = draw(st.sampled_from((b"users", b"roles")))
    tail = draw(
        st.sampled_from(
            (b"", b"/", b"/root", b"/ann", b"/bob", b"/guest", b"/r1", b"/r1/", b"/r1/x", b"/nobody")
        )
    )
    return Ask(method, b"/v2/auth/" + place + tail)


@st.composite
def _told_who(draw: st.DrawFn, asks: st.SearchStrategy[Ask]) -> Ask:
    return draw(asks)._replace(headers=draw(_credentials()))


_AUTH_STEPS = st.one_of(
    _told_who(_user_write()), _told_who(_role_write()), _told_who(_auth_other()), _told_who(_usual_write()), _told_who(_usual_read()),
    _told_who(_elsewhere()), _told_who(st.sampled_from([Ask(method, b"/v2/auth/enable") for method in ("GET", "PUT", "DELETE")])),
)  # fmt: skip


def auth_sequences() -> st.SearchStrategy[list[Step]]:
    """Sequences about users and roles, most of them with auth on. :data:`AUTH_OFF` has to follow."""
    root = Ask("PUT", b"/v2/auth/users/root", b"", b'{"user":"root","password":"p"}', "application/json")
    ann = Ask(
        "PUT", b"/v2/auth/users/ann", b"", b'{"user":"ann","password":"p","roles":["r1"]}', "application/json"
    )
    role = Ask(
        "PUT",
        b"/v2/auth/roles/r1",
        b"",
        b'{"role":"r1","permissions":{"kv":{"read":["<P>/*"],"write":["<P>/dir/*"]}}}',
        "application/json",
    )
    beginnings = st.sampled_from(
        (
            [],
            [root],
            [root, ann, role],
            [root, Ask("PUT", b"/v2/auth/enable")],
            [root, ann, role, Ask("PUT", b"/v2/auth/enable")],
        )
    )
    return st.builds(
        lambda begin, rest: [*begin, *rest], beginnings, st.lists(_AUTH_STEPS, min_size=1, max_size=8)
    )


AUTH_OFF: tuple[Ask, ...] = (
    *(Ask("DELETE", b"/v2/auth/enable", headers=_basic(f"root:{password}")) for password in _PASSWORDS),
    *(Ask("DELETE", b"/v2/auth/users/" + name) for name in dict.fromkeys(_NAMES_OF_USERS)),
    *(Ask("DELETE", b"/v2/auth/roles/" + name) for name in dict.fromkeys(_NAMES_OF_ROLES)),
)
"""Leaves neither users nor roles, whatever a sequence has done."""


# Watches


@st.composite
def _watch(draw: st.DrawFn) -> Watch:
    path = (
        b"/v2/keys" + draw(st.sampled_from((b"<P>", b"<P>", b"<P>", b"<P>", b"<P>", b""))) + draw(_USUAL_KEYS)
    )
    query = [b"wait=true"]
    if draw(st.booleans()):
        query.append(b"recursive=true")
    if draw(st.booleans()):
        query.append(b"stream=true")
    if draw(st.booleans()):
        query.append(b"waitIndex=" + draw(st.sampled_from(_WAIT_INDICES)))
    if draw(st.integers(0, 9)) == 0:
        query.append(draw(_parameter(_NAMES, draw(st.booleans()))))
    return Watch(Ask("GET", path, b"&".join(query)))


# Sequences

_STEPS: st.SearchStrategy[Step] = st.one_of(
    _usual_write(), _usual_write(), _usual_write(), _usual_write(), _usual_read(), _usual_read(), _wild(), _wild(),
    _odd_http(), _elsewhere(), _member_write(), _watch(),
)  # fmt: skip


def sequences(longest: int = 10) -> st.SearchStrategy[list[Step]]:
    """Sequences in which nothing expires."""
    return st.lists(_STEPS, min_size=1, max_size=longest)


@st.composite
def _expire(draw: st.DrawFn) -> Expire:
    if draw(st.integers(0, 3)) == 0:
        keys = draw(
            st.lists(st.sampled_from((b"/x", b"/y", b"/dir/z", b"/_h")), min_size=2, max_size=3, unique=True)
        )
        return Expire(tuple(Ask("PUT", b"/v2/keys<P>" + key, b"value=1&ttl=1") for key in keys))
    ttl = b"ttl=" + draw(st.sampled_from(_SHORT_TTLS))
    further = draw(st.sampled_from((b"value=1", b"dir=true", b"refresh=true", b"prevExist=true&refresh=true", b"prevExist=true",
        b"prevExist=false&value=2", b"prevExist=true&value=2", b"prevValue=1&value=2", b"prevIndex=<i-0>&value=3", b"prevIndex=<i-0>&refresh=true")))  # fmt: skip
    method = draw(st.sampled_from(("PUT", "PUT", "PUT", "POST")))
    return Expire((Ask(method, b"/v2/keys<P>" + draw(_USUAL_KEYS), further + b"&" + ttl),))


@st.composite
def expiring_sequences(draw: st.DrawFn) -> list[Step]:
    """Sequences with keys that expire, and are waited for."""
    before = draw(st.lists(st.one_of(_usual_write(), _usual_write(), _watch()), max_size=4))
    after = draw(st.lists(st.one_of(_usual_write(), _usual_read(), _watch()), max_size=3))
    return [*before, draw(_expire()), *after]
