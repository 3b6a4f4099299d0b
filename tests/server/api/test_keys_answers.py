"""Answers of the keys API to the byte, as etcd 2.3.8 sends them."""

from __future__ import annotations

import pytest

from server.api.keys import answer_error, answer_event, answer_redirect, answer_watch
from server.http.messages import Response
from server.store import ErrorCode, EtcdError, Store

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
JSON = ("Content-Type", "application/json")
CLUSTER = 0x258FD313DC12711


def test_a_set_of_a_new_key_is_201_and_of_an_old_one_200() -> None:
    store = Store()
    answer = answer_event(store.set("/1/a", b"1", now=NOW), 10, 2, CLUSTER)
    assert answer.status == 201
    assert answer.headers == (
        JSON,
        ("X-Etcd-Cluster-Id", "258fd313dc12711"),
        ("X-Etcd-Index", "1"),
        ("X-Raft-Index", "10"),
        ("X-Raft-Term", "2"),
    )
    assert (
        answer.body
        == b'{"action":"set","node":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n'
    )
    answer = answer_event(store.set("/1/a", dir=True, now=NOW), 11, 2, CLUSTER)
    assert answer.status == 200
    assert answer.body == (
        b'{"action":"set","node":{"key":"/a","dir":true,"modifiedIndex":2,"createdIndex":2},'
        b'"prevNode":{"key":"/a","value":"1","modifiedIndex":1,"createdIndex":1}}\n'
    )


def test_other_writes_are_201_only_when_they_create() -> None:
    store = Store()
    assert answer_event(store.create("/1/a", b"", now=NOW), 1, 1, 1).status == 201
    assert answer_event(store.create("/1", b"", unique=True, now=NOW), 1, 1, 1).status == 201
    assert answer_event(store.update("/1/a", b"1", now=NOW), 1, 1, 1).status == 200
    assert answer_event(store.compare_and_swap("/1/a", b"", prev_value=b"1", now=NOW), 1, 1, 1).status == 200
    assert answer_event(store.get("/1/a", now=NOW), 1, 1, 1).status == 200
    assert answer_event(store.delete("/1/a", now=NOW), 1, 1, 1).status == 200


def test_the_root_shows_neither_key_nor_indexes() -> None:
    store = Store()
    assert answer_event(store.get("/1", now=NOW), 1, 1, 1).body == b'{"action":"get","node":{"dir":true}}\n'
    store.set("/1/_hidden", b"", now=NOW)
    assert answer_event(store.get("/1", now=NOW), 1, 1, 1).body == b'{"action":"get","node":{"dir":true}}\n'
    store.set("/1/d/x", b"", expiration=NOW + 5 * SECOND, now=NOW)
    assert answer_event(store.get("/1", recursive=True, now=NOW), 1, 1, 1).body == (
        b'{"action":"get","node":{"dir":true,"nodes":[{"key":"/d","dir":true,"nodes":[{"key":"/d/x","value":"",'
        b'"expiration":"2023-11-14T22:13:25Z","ttl":5,"modifiedIndex":2,"createdIndex":2}],"modifiedIndex":2,'
        b'"createdIndex":2}]}}\n'
    )


def test_a_refresh_is_not_told() -> None:
    store = Store()
    store.set("/1/a", b"v", now=NOW)
    event = store.update("/1/a", refresh=True, expiration=NOW + 1, now=NOW)
    assert b"refresh" not in answer_event(event, 1, 1, 1).body


def test_a_watch_has_its_head_at_once_with_the_index_it_was_registered_at() -> None:
    store = Store()
    store.set("/1/a", b"", now=NOW)
    store.set("/1/a", b"", now=NOW)
    answer = answer_watch(store.watch("/1/a", since=1), 5, 3, CLUSTER)
    assert (answer.status, answer.body) == (200, b"")
    assert dict(answer.headers) == {
        "Content-Type": "application/json",
        "X-Etcd-Cluster-Id": "258fd313dc12711",
        "X-Etcd-Index": "2",
        "X-Raft-Index": "5",
        "X-Raft-Term": "3",
    }


# Code, status, message: every row of the table of errors.
TABLE = [
    (100, 404, "Key not found"),
    (101, 412, "Compare failed"),
    (102, 403, "Not a file"),
    (104, 400, "Not a directory"),
    (105, 412, "Key already exists"),
    (107, 400, "Root is read only"),
    (108, 403, "Directory not empty"),
    (110, 401, "The request requires user authentication"),
    (200, 400, "Value is Required in POST form"),
    (201, 400, "PrevValue is Required in POST form"),
    (202, 400, "The given TTL in POST form is not a number"),
    (203, 400, "The given index in POST form is not a number"),
    (205, 400, "The given timeout in POST form is not a number"),
    (206, 400, "Name is required in POST form"),
    (207, 400, "Index or value is required"),
    (208, 400, "Index and value cannot both be specified"),
    (209, 400, "Invalid field"),
    (210, 400, "Invalid POST form"),
    (211, 400, "Value provided on refresh"),
    (212, 400, "A TTL must be provided on refresh"),
    (300, 500, "Raft Internal Error"),
    (301, 500, "During Leader Election"),
    (400, 400, "watcher is cleared due to etcd recovery"),
    (401, 400, "The event in requested index is outdated and cleared"),
]


@pytest.mark.parametrize(("code", "status", "message"), TABLE)
def test_every_error_has_its_status_and_words(code: int, status: int, message: str) -> None:
    answer = answer_error(EtcdError(code, "/1/a", 7), CLUSTER)
    assert answer.status == status
    assert answer.headers == (JSON, ("X-Etcd-Cluster-Id", "258fd313dc12711"), ("X-Etcd-Index", "7"))
    assert answer.body == f'{{"errorCode":{code},"message":"{message}","cause":"/a","index":7}}\n'.encode()


def test_the_table_has_every_code() -> None:
    assert [row[0] for row in TABLE] == list(ErrorCode)


@pytest.mark.parametrize(
    ("cause", "member"),
    [
        ("", b""),
        ("/1", b""),  # what is left of the root
        ("/", b'"cause":"/",'),
        ("[<a> != \udcff]", b'"cause":"[\\u003ca\\u003e != \\ufffd]",'),
        ('invalid value for "ttl"', b'"cause":"invalid value for \\"ttl\\"",'),
    ],
)
def test_a_cause_is_shown_without_the_prefix_and_left_out_when_empty(cause: str, member: bytes) -> None:
    body = answer_error(EtcdError(100, cause, 0), 1).body
    assert body == b'{"errorCode":100,"message":"Key not found",' + member + b'"index":0}\n'


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        (
            "GET",
            (("Content-Type", "text/html; charset=utf-8"), ("Location", "/v2/keys/a?b=c&d")),
            b'<a href="/v2/keys/a?b=c&amp;d">Moved Permanently</a>.\n\n',
        ),
        ("PUT", (("Location", "/v2/keys/a?b=c&d"),), b""),
        ("DELETE", (("Location", "/v2/keys/a?b=c&d"),), b""),
    ],
)
def test_a_redirect_has_a_page_for_those_who_get(
    method: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    assert answer_redirect(method, "/v2/keys/a?b=c&d") == Response(301, headers, body)
