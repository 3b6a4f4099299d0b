"""The differences that are known. What they are and why stands in docs/fidelity.md."""

import itertools
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from tests.differential.sequences import Ask, is_utf8
from tests.differential.wire import Answer

_METRICS = "text/plain; version=0.0.4"
_VERSION = b'{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}'
_HEALTH = b'{"health": "true"}'
_NOT_FOUND = b"404 page not found\n"
_FRAMING = ("Content-Length", "Transfer-Encoding")
_NOBODY = ("Authorization: Basic Og==",)


class Known(NamedTuple):
    """``what`` begins a line of the page: of its first table, or of that about later etcd. ``expected`` makes of a request, our answer and theirs the answer that ours has to be like: theirs as it came,
    where this difference does not show in it. ``since`` is the first release of etcd that it shows in.
    """

    what: str
    since: tuple[int, int]
    expected: Callable[[Ask, Answer, Answer], Answer]


def _escaped_page(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    escaped = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02x" % ord(byte[0]), theirs.body)
    return (
        ours.code == theirs.code == 301
        and ours.body == escaped
        and ours.header("Location") == theirs.header("Location")
    )


def _nobody_asks(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return theirs.end == "broken" and not theirs.status and ours.code == 401 and ask.headers == _NOBODY


def _not_utf8(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    """Theirs has stored it, so that nothing after it can be compared."""
    return (
        ask.method in ("PUT", "POST")
        and not is_utf8(ask.path)
        and ours.code == 400
        and ours.body.startswith(
            b'{"errorCode":209,"message":"Invalid field","cause":"the key is not UTF-8: '
        )
    )


def _ours_if(shows: Callable[[Ask, Answer, Answer], bool]) -> Callable[[Ask, Answer, Answer], Answer]:
    return lambda ask, ours, theirs: ours if shows(ask, ours, theirs) else theirs


def _members_are_written_with_parameters(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return ours.code == 415 and (ask.kind or "").startswith("application/json;")


def _unix_is_a_scheme(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return (
        b"URL scheme must be http, https, unix, or unixs" in theirs.body
        and b"URL scheme must be" in ours.body
    )


def _history_finds_the_key_itself(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    """Ours passed over what theirs found: it has got nothing, or what came later, there or below."""
    found = re.match(rb'{"action":"\w+","node":{"key":"([^"]*)"', theirs.body)
    if (
        found is None
        or b"waitIndex" not in ask.query
        or b"recursive" not in ask.query
        or not ask.path.rstrip(b"/").endswith(b"/v2/keys" + found[1])
    ):
        return False
    key, begin = found[1].decode(), _index(_node(theirs.body.splitlines()[0]))
    lines = ours.body.splitlines(keepends=True)
    indices = [_index(_node(line, key)) for line in lines]
    return (
        all(line.endswith(b"\n") for line in lines)
        and all(earlier < later for earlier, later in itertools.pairwise([begin, *indices]))
        and (len(lines) < 2 or b"stream" in ask.query)
    )


def _no_value_on_success(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    """Ours has the nodes that theirs leaves out; or it is any answer for keys, where theirs refuses the value."""
    asked = unquote_to_bytes(ask.query + b"&" + (ask.body or b""))
    if not ask.is_for_keys() or b"noValueOnSuccess" not in asked:
        return theirs
    left_out = re.fullmatch(rb'{"action":"\w+"}\n', theirs.body)
    if left_out is not None:
        same = ours.body.startswith(theirs.body[:-2] + b',"node":') and ours.body.endswith(b"}\n")
        if not same or str(_index(_node(ours.body))) != theirs.header("X-Etcd-Index"):
            return theirs
        return _with_headers(theirs._replace(body=ours.body), ours, *_FRAMING)
    refused = theirs.code == 400 and (b"noValueOnSuccess" in theirs.body or ask.method == "HEAD")
    return ours if refused and _is_for_keys(ask, ours) else theirs


def _is_for_keys(ask: Ask, answer: Answer) -> bool:
    """Whether it has the form of any answer that etcd 2.3.8 gives there, short of one about a fault of its own."""
    if answer.header("Content-Type") != "application/json" or answer.header("X-Etcd-Index") is None:
        return False
    if ask.method == "HEAD" or (answer.header("Transfer-Encoding") == "chunked" and not answer.body):
        return answer.code in (200, 400, 403, 404, 412)  # a HEAD, or a watch that has nothing yet
    if answer.code in (200, 201):
        return "key" in _node(answer.body) or ask.method in ("GET", "DELETE")  # the root has none
    body = _json(answer.body)
    return answer.code in (400, 403, 404, 412) and list(body) in (
        ["errorCode", "message", "cause", "index"],
        ["errorCode", "message", "index"],
    )


def _json(body: bytes) -> dict[str, Any]:
    """The object that it is; an empty one for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _node(event: bytes, at: str = "") -> dict[str, Any]:
    """The node of an event, if its key is ``at``, below it or above it; else an empty one."""
    node = _json(event).get("node", {})
    key = node.get("key", "")
    return node if f"{key}/".startswith(f"{at}/") or f"{at}/".startswith(f"{key}/") else {}


def _index(node: dict[str, Any]) -> int:
    return int(node.get("modifiedIndex", 0))


def _with_headers(theirs: Answer, ours: Answer, *names: str) -> Answer:
    """Theirs, with those headers as they are in ours."""
    kept = [header for header in theirs.headers if header[0] not in names]
    return theirs._replace(headers=(*kept, *(header for header in ours.headers if header[0] in names)))


def _with_body(theirs: Answer, body: bytes) -> Answer:
    """Theirs, with that body and its length."""
    headers = (
        (name, str(len(body)) if name == "Content-Length" else value) for name, value in theirs.headers
    )
    return theirs._replace(headers=tuple(headers), body=body)


def _version(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    return _with_body(theirs, _VERSION) if theirs.body.startswith(b'{"etcdserver":"3') else theirs


def _health(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    return _with_body(theirs, _HEALTH) if theirs.body.startswith(b'{"health":"true"') else theirs


def _metrics(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    """Bodies are compared by how they begin."""
    if theirs.header("Content-Type") != f"{_METRICS}; charset=utf-8":
        return theirs
    headers = tuple((name, _METRICS if name == "Content-Type" else value) for name, value in theirs.headers)
    return theirs._replace(headers=headers)


def _v3(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    if not ask.path.startswith(b"/v3") or theirs.body != b"Not Found\n":
        return theirs
    return _with_body(theirs, _NOT_FOUND)


def _directories_are_not_updated(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return theirs.code == 500 and b": Not a file" in theirs.body and b'"action":"update"' in ours.body


def _cluster_id(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    both = ours.header("X-Etcd-Cluster-Id") and theirs.header("X-Etcd-Cluster-Id")
    return _with_headers(theirs, ours, "X-Etcd-Cluster-Id") if both else theirs


def _is_about_members(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return ask.path.startswith((b"/v2/members", b"/v2/stats/self", b"/v2/stats/leader"))


def _counted_by_itself(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    """A member counts what it does for itself, too. The names are the same."""
    without = [re.sub(rb"\d+", b"", answer.body) for answer in (ours, theirs)]
    return ask.path == b"/v2/stats/store" and without[0] == without[1] and ours.code == theirs.code


GATEWAY: tuple[Known, ...] = (
    Known("`X-Etcd-Cluster-Id`", (0, 0), _cluster_id),
    Known("`/v2/members`", (0, 0), _ours_if(_is_about_members)),
    Known("`/v2/stats/store`", (0, 0), _ours_if(_counted_by_itself)),
)
"""Of a gateway, besides. What they are stands in docs/gateway.md."""

KNOWN: tuple[Known, ...] = (
    Known("a PUT or POST to a key that is not UTF-8", (0, 0), _ours_if(_not_utf8)),
    Known(
        "the page of a redirect for a query with bytes beyond ASCII",
        (0, 0),
        _ours_if(_escaped_page),
    ),
    Known("an empty user name in credentials", (0, 0), _ours_if(_nobody_asks)),
    Known("a recursive watch from an index in the past", (3, 0), _ours_if(_history_finds_the_key_itself)),
    Known("`noValueOnSuccess`", (3, 0), _no_value_on_success),
    Known("changes of members", (3, 0), _ours_if(_members_are_written_with_parameters)),
    Known("peer URLs", (3, 0), _ours_if(_unix_is_a_scheme)),
    Known("`/version`", (3, 0), _version),
    Known("`/health`", (3, 0), _health),
    Known("`/metrics`", (3, 0), _metrics),
    Known("`/v3`", (3, 0), _v3),
    Known("the TTL of a directory", (3, 5), _ours_if(_directories_are_not_updated)),
)
