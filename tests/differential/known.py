"""The differences that are known. What they are and why stands in docs/fidelity.md."""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tests.differential.sequences import Ask
from tests.differential.wire import Answer

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_NOBODY = ("Authorization: Basic Og==",)


class Known(NamedTuple):
    """``what`` begins a line of the page: of its first table, or of that about later etcd. ``expected`` makes of a request, our answer and theirs the answer that ours has to be like: theirs as it came,
    where this difference does not show in it. ``since`` is the first release of etcd that it shows in.
    """

    what: str
    since: tuple[int, int]
    expected: Callable[[Ask, Answer, Answer], Answer]


def _plain_page(ask: Ask, ours: Answer, theirs: Answer) -> Answer:
    if ours.code not in (400, 431) or theirs.header("Content-Length") is not None:
        return theirs
    headers = tuple(header for header in ours.headers if header[0] in ("Content-Length", "Date"))
    return theirs._replace(headers=theirs.headers + headers)


def _escaped_page(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    escaped = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02x" % ord(byte[0]), theirs.body)
    return (
        ours.code == theirs.code == 301
        and ours.body == escaped
        and ours.header("Location") == theirs.header("Location")
    )


def _long_for_http10(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return (
        ask.version == "HTTP/1.0"
        and len(ours.body) > 2048
        and ours.body == theirs.body
        and not ask.is_for_keys()
    )


def _nobody_asks(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return theirs.end == "broken" and not theirs.status and ours.code == 401 and ask.headers == _NOBODY


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
    found = re.match(rb'{"action":"\w+","node":{"key":"([^"]*)"', theirs.body)
    return (
        found is not None
        and b"waitIndex" in ask.query
        and b"recursive" in ask.query
        and ask.path.rstrip(b"/").endswith(b"/v2/keys" + found[1])
    )


def _no_value_on_success(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    asked = b"noValueOnSuccess=true" in unquote_to_bytes(ask.query + b"&" + (ask.body or b""))
    return ask.is_for_keys() and (asked or b"noValueOnSuccess" in theirs.body)


def _directories_are_not_updated(ask: Ask, ours: Answer, theirs: Answer) -> bool:
    return theirs.code == 500 and b": Not a file" in theirs.body and b'"action":"update"' in ours.body


KNOWN: tuple[Known, ...] = (
    Known("the plain 400 and 431 pages", (0, 0), _plain_page),
    Known(
        "the page of a redirect for a query with bytes beyond ASCII",
        (0, 0),
        _ours_if(_escaped_page),
    ),
    Known(
        "answers of more than 2,048 bytes over HTTP/1.0, other than for keys",
        (0, 0),
        _ours_if(_long_for_http10),
    ),
    Known(
        "`CONNECT`", (0, 0), _ours_if(lambda ask, ours, theirs: ask.method == "CONNECT" and ours.code == 301)
    ),
    Known("an empty user name in credentials", (0, 0), _ours_if(_nobody_asks)),
    Known("a recursive watch from an index in the past", (3, 0), _ours_if(_history_finds_the_key_itself)),
    Known("`noValueOnSuccess`", (3, 0), _ours_if(_no_value_on_success)),
    Known("changes of members", (3, 0), _ours_if(_members_are_written_with_parameters)),
    Known("peer URLs", (3, 0), _ours_if(_unix_is_a_scheme)),
    Known(
        "`/version`", (3, 0), _ours_if(lambda ask, ours, theirs: theirs.body.startswith(b'{"etcdserver":"3'))
    ),
    Known(
        "`/health`", (3, 0), _ours_if(lambda ask, ours, theirs: theirs.body.startswith(b'{"health":"true"'))
    ),
    Known(
        "`/metrics`", (3, 0), _ours_if(lambda ask, ours, theirs: theirs.header("Content-Type") == _METRICS)
    ),
    Known("`/v3`", (3, 0), _ours_if(lambda ask, ours, theirs: ask.path.startswith(b"/v3"))),
    Known("the TTL of a directory", (3, 5), _ours_if(_directories_are_not_updated)),
)
