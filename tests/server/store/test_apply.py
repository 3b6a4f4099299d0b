"""What logged requests do: the mapping itself, and whole logs of real etcd replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from server.api.jsonform import event_line
from server.storage.requests import StoreRequest
from server.store import EtcdError, Store, StoreNode, apply_request
from tests.support.datadirs import Recorded, recorded

NOW = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("request_", "action"),
    [
        (StoreRequest(method="PUT", path="/1/a", val=b"v"), "set"),
        (StoreRequest(method="PUT", path="/1/new", dir=True), "set"),
        (
            StoreRequest(method="PUT", path="/1/new", prev_exist=False, prev_value=b"x", prev_index=9),
            "create",
        ),
        (StoreRequest(method="PUT", path="/1/a", prev_exist=True), "update"),
        (StoreRequest(method="PUT", path="/1/a", prev_exist=True, prev_value=b"old"), "compareAndSwap"),
        (StoreRequest(method="PUT", path="/1/a", prev_exist=True, prev_index=1), "compareAndSwap"),
        (StoreRequest(method="PUT", path="/1/a", prev_value=b"old"), "compareAndSwap"),
        (StoreRequest(method="PUT", path="/1/a", prev_index=1), "compareAndSwap"),
        (StoreRequest(method="POST", path="/1/q", prev_exist=True, prev_index=7), "create"),
        (StoreRequest(method="DELETE", path="/1/a", prev_exist=False), "delete"),
        (StoreRequest(method="DELETE", path="/1/a", prev_index=1), "compareAndDelete"),
        (StoreRequest(method="DELETE", path="/1/a", prev_value=b"old", recursive=True), "compareAndDelete"),
        (StoreRequest(method="QGET", path="/1/a"), "get"),
    ],
)
def test_each_request_is_mapped_to_its_operation(request_: StoreRequest, action: str) -> None:
    store = Store()
    store.set("/1/a", b"old", now=NOW)
    event = apply_request(store, request_, NOW)
    assert event is not None
    assert event.action == action


def test_sync_expires_what_was_due_at_its_own_time_and_answers_nothing() -> None:
    store = Store()
    apply_request(store, StoreRequest(method="PUT", path="/1/a", expiration=NOW + 5), NOW)
    assert apply_request(store, StoreRequest(method="SYNC", time=NOW + 4), NOW + 100) is None
    assert store.get("/1/a", now=NOW).node == StoreNode("/1/a", b"", 1, 1, NOW + 5, 1)
    apply_request(store, StoreRequest(method="SYNC", time=NOW + 5), NOW + 100)
    assert store.stats.expire_count == 1


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(EtcdError, match="unknown method"):
        apply_request(Store(), StoreRequest(method="GET", path="/1"), NOW)


def entries(of: Recorded) -> Iterator[dict[str, Any]]:
    """The entries of the log, each once; all were committed in the end."""
    by_index: dict[int, dict[str, Any]] = {}
    for segment in of.records()["wal"]:
        for record in segment["records"]:
            if record.get("type") == 2:
                by_index[record["entry"]["index"]] = record["entry"]
    return (by_index[index] for index in sorted(by_index))


def request_of(found: dict[str, Any]) -> StoreRequest:
    return StoreRequest(
        method=found["Method"],
        path=found.get("Path", ""),
        val=found.get("Val", "").encode(),
        dir=found.get("Dir", False),
        prev_value=found.get("PrevValue", "").encode(),
        prev_index=found.get("PrevIndex", 0),
        prev_exist=found.get("PrevExist"),
        expiration=found.get("Expiration", 0),
        recursive=found.get("Recursive", False),
        sorted=found.get("Sorted", False),
        time=found.get("Time", 0),
        refresh=found.get("Refresh"),
    )


def change_members(store: Store, change: dict[str, Any], now: int) -> None:
    """What a membership change writes (the part of it the key space sees)."""
    member = f"/0/members/{change['node']}"
    if change["type"] == 0:
        urls = {"peerURLs": json.loads(change["ctx"])["peerURLs"]}
        store.create(f"{member}/raftAttributes", json.dumps(urls, separators=(",", ":")).encode(), now=now)
    elif change["type"] == 1:
        store.delete(member, recursive=True, now=now)
        store.create(f"/0/removed_members/{change['node']}", b"", now=now)


def replay(of: Recorded) -> Store:
    store, now = Store(), 0
    for entry in entries(of):
        if "cc" in entry:
            change_members(store, entry["cc"], now)
        elif entry["hasData"] and entry["data"] != "EMPTY":
            request = request_of(entry["data"]["bare"])
            now = max(now, request.time)
            with suppress(EtcdError):  # a refused request is in the log too, and refused again
                apply_request(store, request, now)
    return store


def shown(value: Any) -> Any:
    """An answer without the ttl, which moves, and with the children in order, which they need not be."""
    if isinstance(value, dict):
        return {
            name: sorted(map(shown, inner), key=lambda node: str(node["key"]))
            if name == "nodes"
            else shown(inner)
            for name, inner in value.items()
            if name != "ttl"
        }
    return value


def answer(store: Store, key: str) -> Any:
    return shown(json.loads(event_line(store.get("/1" + key, True, True, now=NOW))))


def padded(value: Any) -> Any:
    """The names 2.0 gave to POSTed keys as 2.3 gives them to the same log."""
    if isinstance(value, dict):
        key = str(value.get("key", ""))
        folder, _, name = key.rpartition("/")
        named = {"key": f"{folder}/{int(name):020d}"} if name.isdigit() else {}
        return {member: padded(inner) for member, inner in value.items()} | named
    return [padded(inner) for inner in value] if isinstance(value, list) else value


def state_of(of: Recorded) -> dict[str, Any]:
    """What was recorded of the log's end, as a 2.3 shows it that reads the log without a snapshot."""
    expected = of.expected()
    if "state" not in expected:  # the one with a lost entry: its reader had published itself, one index more
        return {
            "root": expected["root_when_opened_by_2.3.8"],
            "X-Etcd-Index": expected["X-Etcd-Index_after_open"] - 1,
        }
    state: dict[str, Any] = expected["state"]
    return {name: padded(value) for name, value in state.items()} if of.name.endswith("2.0.13") else state


ALL = recorded()
WITH_STATE = [of for of in ALL if "store_stats" in state_of(of)]


@pytest.mark.parametrize("of", ALL, ids=str)
def test_a_recorded_log_gives_the_recorded_keys(of: Recorded) -> None:
    store, state = replay(of), state_of(of)
    assert answer(store, "") == shown(state["root"])
    for key, hidden in state.get("hidden", {}).items():
        assert answer(store, key) == shown(hidden)
    assert store.index == state["X-Etcd-Index"]


@pytest.mark.parametrize("of", WITH_STATE, ids=str)
def test_a_recorded_log_gives_the_recorded_counters(of: Recorded) -> None:
    counted, expected = json.loads(replay(of).stats_json()), dict(state_of(of)["store_stats"])
    if of.name.endswith("2.0.13"):  # a failed comparison was not yet counted as a success
        expected["compareAndDeleteSuccess"] += expected.pop("compareAndDeleteFail")
    for name, count in expected.items():
        if not name.startswith("gets"):  # reads are not in the log
            assert counted[name] == count, name


@pytest.mark.parametrize("of", WITH_STATE, ids=str)
def test_a_recorded_log_gives_the_recorded_history(of: Recorded) -> None:
    expected = state_of(of)["watch_history_from_1"]
    store, since, found = replay(of), 1, []
    while (event := store.watch("/1", recursive=True, since=since).take()) is not None:
        found.append(shown(json.loads(event_line(event))))
        since = event.index + 1
    assert found == [shown(event) for event in expected["events"]]
