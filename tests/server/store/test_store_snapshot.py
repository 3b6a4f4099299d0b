"""The JSON of a snapshot: as etcd writes it, read back from 2.0 and 2.3, and never in the way of the loop."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store import EtcdError, Event, SnapshotFormatError, Store, StoreNode
from server.store.deepjson import _DeepDecoder, loads
from server.store.snapshot import FrozenStore, _event_text

FIXTURES = Path(__file__).parents[3] / "fixtures" / "store"
NOW = 1_700_000_000_000_000_000


@pytest.mark.parametrize("name", ["snapshot-2.3.8.json", "snapshot-cluster-2.3.8.json"])
def test_what_2_3_8_wrote_is_written_again_to_the_byte(name: str) -> None:
    data = (FIXTURES / name).read_bytes()
    store = Store()
    store.recover(data)
    assert store.save() == data


def test_what_2_0_13_wrote_is_read_and_written_as_2_3_does() -> None:
    data = (FIXTURES / "snapshot-2.0.13.json").read_bytes()
    store = Store()
    store.recover(data)
    expected = json.loads(data.replace(b'"ACL":"",', b""))
    written = json.loads(store.save())
    for counter, count in written["Stats"].items():
        assert expected["Stats"].get(counter, 0) == count
    assert written | {"Stats": 0} == expected | {"Stats": 0}


def test_an_empty_store_is_what_an_empty_etcd_would_write() -> None:
    assert Store().save() == (
        b'{"Root":{"Path":"/","CreatedIndex":0,"ModifiedIndex":0,"ExpireTime":"0001-01-01T00:00:00Z","Value":"",'
        b'"Children":{"0":{"Path":"/0","CreatedIndex":0,"ModifiedIndex":0,"ExpireTime":"0001-01-01T00:00:00Z",'
        b'"Value":"","Children":{}},"1":{"Path":"/1","CreatedIndex":0,"ModifiedIndex":0,'
        b'"ExpireTime":"0001-01-01T00:00:00Z","Value":"","Children":{}}}},'
        b'"WatcherHub":{"EventHistory":{"Queue":{"Events":['
        + b",".join([b"null"] * 1000)
        + b'],"Size":0,"Front":0,'
        b'"Back":0,"Capacity":1000},"StartIndex":0,"LastIndex":0}},"CurrentIndex":0,"Stats":{"getsSuccess":0,'
        b'"getsFail":0,"setsSuccess":0,"setsFail":0,"deleteSuccess":0,"deleteFail":0,"updateSuccess":0,'
        b'"updateFail":0,"createSuccess":0,"createFail":0,"compareAndSwapSuccess":0,"compareAndSwapFail":0,'
        b'"compareAndDeleteSuccess":0,"compareAndDeleteFail":0,"expireCount":0,"watchers":0},"CurrentVersion":2}'
    )


def test_a_recovered_store_goes_on_where_the_saved_one_stood() -> None:
    saved = Store()
    for number in range(1200):
        saved.set(f"/1/d{number % 7}/k{number % 50}", b"<\xc3\xa9>", now=NOW)
    saved.set("/1/ttl", b"", expiration=NOW + 5, now=NOW)
    saved.set("/1/ttl", refresh=True, expiration=NOW + 1_000_000_005, now=NOW)
    saved.set("/1/dir", dir=True, expiration=NOW + 3, now=NOW)
    store = Store()
    store.recover(saved.save())
    for each in (saved, store):
        each.delete_expired(NOW + 4, now=NOW + 4)
        each.delete("/1/d0", recursive=True, now=NOW)
        each.create("/1/q", b"", unique=True, now=NOW)
        each.delete_expired(NOW + 2_000_000_000, now=NOW + 2_000_000_000)
    assert store.save() == saved.save()
    assert store.index == 1207
    found = store.watch("/1/dir", since=1204).take()
    assert found is not None
    assert (found.action, found.index) == ("expire", 1204)


def test_live_watchers_survive_a_recovery() -> None:
    store, other = Store(), Store()
    other.set("/1/b", b"", now=NOW)
    watcher = store.watch("/1/a", stream=True)
    store.recover(other.save())
    store.set("/1/a", b"", now=NOW)
    assert [event.index for event in watcher.events] == [2]


def test_a_value_that_is_not_utf8_becomes_replacement_characters_as_in_etcd() -> None:
    store = Store()
    store.set("/1/a", b"\xff\xe4\xb8", now=NOW)
    assert store.get("/1/a", now=NOW).node.value == b"\xff\xe4\xb8"
    store.recover(store.save())
    assert store.get("/1/a", now=NOW).node.value == "\ufffd\ufffd\ufffd".encode()


def test_keys_are_sorted_by_their_bytes() -> None:
    store = Store()
    for name in ("\U0001f600", "é", "\uffff", "b", "a", "a-", "\udcff"):
        store.set(f"/1/{name}", b"", now=NOW)
    names = re.findall(rb'"Path":"/1/([^"]*)"', store.save())
    assert names == [b"a", b"a-", b"b", "é".encode(), "\uffff".encode(), "\U0001f600".encode(), b"\\ufffd"]


def test_a_frozen_store_does_not_change_any_more() -> None:
    store = Store()
    store.set("/1/d/a", b"1", expiration=NOW + 9, now=NOW)
    store.set("/1/d/b", b"2", now=NOW)
    frozen, before = store.freeze(), store.save()
    pieces = [next(frozen.pieces())]
    store.set("/1/d/a", b"changed", now=NOW)
    store.update("/1/d", expiration=NOW + 5, now=NOW)
    store.set("/1/e/c", b"new", now=NOW)
    store.delete("/1/d/b", now=NOW)
    store.delete("/1/d", recursive=True, now=NOW)
    assert frozen.encode() == before
    assert before.startswith(pieces[0])


def test_freezing_changes_nothing_and_nothing_changes_what_is_frozen() -> None:
    """Two stores live the same life, and one of them is frozen again and again."""
    rng = Random(3)
    plain, often = Store(), Store()
    taken: list[tuple[FrozenStore, bytes]] = []

    def live(store: Store, step: int, choice: int, path: str) -> None:
        now = NOW + step * 1_000_000_000
        expiration = now + 10_000_000_000 if choice % 3 == 0 else None
        try:
            match choice:
                case 0 | 1 | 2:
                    store.set(f"{path}/k{step % 3}", b"%d" % step, expiration=expiration, now=now)
                case 3 | 4:
                    store.set(path, dir=True, expiration=expiration, now=now)
                case 5:
                    store.delete(path, recursive=True, now=now)
                case 6 | 7:
                    store.update(path, expiration=expiration, now=now)
                case _:
                    store.delete_expired(now, now=now)
        except EtcdError:
            return  # the same for both, as the comparison below finds

    for step in range(1500):
        choice = rng.randrange(9)
        path = "/1" + "".join(f"/d{rng.randrange(3)}" for _ in range(rng.randrange(1, 4)))
        live(plain, step, choice, path)
        live(often, step, choice, path)
        if step % 7 == 0:
            taken.append((often.freeze(), plain.save()))
    assert often.save() == plain.save()
    assert plain.stats.expire_count > 50
    assert plain.stats.delete_success > 50
    for frozen, expected in taken:
        assert frozen.encode() == expected


def test_freezing_does_not_change_which_of_two_equal_times_comes_first() -> None:
    store = Store()
    store.set("/1/first", dir=True, expiration=NOW + 5, now=NOW)
    store.set("/1/second", b"", expiration=NOW + 5, now=NOW)
    store.freeze()
    store.set("/1/first/a", b"", now=NOW)
    store.delete_expired(NOW + 5, now=NOW + 5)
    expired = [store.watch("/1", recursive=True, since=since).take() for since in (4, 5)]
    assert [event.node.key for event in expired if event] == ["/1/first", "/1/second"]
    with pytest.raises(EtcdError):  # what came into it after it was frozen has gone with it
        store.get("/1/first/a", now=NOW)


def test_pieces_stay_small_even_for_one_huge_directory() -> None:
    store = Store()
    for number in range(20_000):
        store.set(f"/1/d/{number * 7919 % 20_000}", b"v" * 20, now=NOW)
    pieces = list(store.freeze().pieces())
    assert max(map(len, pieces)) < 100_000
    recovered = Store()
    recovered.recover(b"".join(pieces))
    names = [node.key for node in recovered.get("/1/d", now=NOW).node.nodes or []]
    assert names == sorted(f"/1/d/{number}" for number in range(20_000))


def test_a_tree_deeper_than_pythons_stack_is_saved_and_recovered() -> None:
    store = Store()
    store.set("/1" + "/d" * 2500, b"deep", now=NOW)
    again = Store()
    again.recover(store.save())
    assert again.get("/1" + "/d" * 2500, now=NOW).node.value == b"deep"


def test_a_refresh_is_marked_in_the_history() -> None:
    event = Event("set", StoreNode("/1/a", b"", 2, 2, NOW, 5), StoreNode("/1/a", b"", 1, 1), 2, refresh=True)
    assert _event_text(event) == (
        '{"action":"set","node":{"key":"/1/a","value":"","expiration":"2023-11-14T22:13:20Z","ttl":5,'
        '"modifiedIndex":2,"createdIndex":2},"prevNode":{"key":"/1/a","value":"","modifiedIndex":1,"createdIndex":1},'
        '"refresh":true}'
    )


@pytest.mark.parametrize("stats", ["{}", "null"])
def test_a_snapshot_made_by_hand_with_little_in_it_is_read(stats: str) -> None:
    store = Store()
    store.recover(
        b'{"Root":{"Path":"/","Children":{"1":{"Path":"/1","Children":{"a":{"Path":"/1/a","Value":"v",'
        b'"ModifiedIndex":7,"CreatedIndex":7,"ExpireTime":"2023-11-14T23:13:20.5+01:00","Children":null,"New":1}}}}},'
        b'"CurrentIndex":7,"Stats":' + stats.encode() + b"}"
    )
    assert store.get("/1/a", now=NOW).node == StoreNode("/1/a", b"v", 7, 7, NOW + 500_000_000, 1)
    assert store.set("/1/b", b"", now=NOW).index == 8


def broken(change: str) -> bytes:
    store = Store()
    store.set("/1/a", b"", now=NOW)
    document: Any = json.loads(store.save())
    queue = document["WatcherHub"]["EventHistory"]["Queue"]
    match change:
        case "no root":
            del document["Root"]
        case "root a file":
            document["Root"]["Children"] = None
        case "node a number":
            document["Root"]["Children"]["1"]["Children"]["a"] = 5
        case "name of a path":
            document["Root"]["Children"]["1"]["Children"]["x/y"] = document["Root"]["Children"]["1"][
                "Children"
            ]["a"]
        case "no name":
            document["Root"]["Children"]["1"]["Children"][""] = document["Root"]["Children"]["1"]["Children"][
                "a"
            ]
        case "bad time":
            document["Root"]["Children"]["1"]["Children"]["a"]["ExpireTime"] = "yesterday"
        case "front":
            queue["Front"] = 1000
        case "back":
            queue["Back"] = -1
        case "size":
            queue["Size"] = 1001
        case "slots":
            queue["Events"].pop()
        case "oldest":
            queue["Events"][0] = None
        case "event":
            queue["Events"][0] = {"action": "set"}
        case "list":
            document = []
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON: Expecting value"),
        (b'{"Root":', "not JSON"),
        (broken("list"), "cannot be read at the top"),
        (broken("no root"), "at the top: no 'Root'"),
        (broken("root a file"), "the root is not a directory"),
        (broken("node a number"), "at /1/a: a node is no object: int"),
        (broken("name of a path"), "at /1: a node has the name 'x/y'"),
        (broken("no name"), "at /1: a node has the name ''"),
        (broken("bad time"), "at /1/a: not an RFC 3339 time: 'yesterday'"),
        (broken("front"), "at the event history: front 1000 is outside its 1000 slots"),
        (broken("back"), "back -1 is outside"),
        (broken("size"), "size of 1001"),
        (broken("slots"), "999 slots, but a capacity of 1000"),
        (broken("oldest"), "slot 0, the oldest event's, is empty"),
        (broken("event"), "at slot 0 of the event history: no 'node'"),
        (b'{"a":' + b"[" * 5000, "not JSON"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_its_place_and_changes_nothing(data: bytes, message: str) -> None:
    store = Store()
    store.set("/1/kept", b"", now=NOW)
    before = store.save()
    with pytest.raises(SnapshotFormatError, match=re.escape(message)):
        store.recover(data)
    assert store.save() == before


def test_a_history_of_another_size_is_kept() -> None:
    document = json.loads(Store().save())
    document["WatcherHub"]["EventHistory"]["Queue"] |= {"Events": [None] * 3, "Capacity": 3}
    store = Store()
    store.recover(json.dumps(document).encode())
    for _ in range(5):
        store.set("/1/a", b"", now=NOW)
    found = store.watch("/1/a", since=3).take()
    assert found is not None
    assert found.index == 3
    assert json.loads(store.save())["WatcherHub"]["EventHistory"]["Queue"]["Back"] == 2


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES, st.sampled_from([None, 1]), st.booleans())
def test_the_deep_reader_reads_what_the_standard_one_reads(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert _DeepDecoder(text).document() == value == loads(text)


@given(JSON_VALUES, st.data())
def test_the_deep_reader_refuses_what_the_standard_one_refuses(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    text = (
        text[:at] + data.draw(st.sampled_from(list('{}[],:"1 x'))) + text[at + data.draw(st.integers(0, 1)) :]
    )
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"Expecting|Invalid|Unterminated|Extra"):
            _DeepDecoder(text).document()
    else:
        assert _DeepDecoder(text).document() == expected
