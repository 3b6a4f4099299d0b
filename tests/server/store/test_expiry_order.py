"""In which order keys of the same time expire: all members agree, whether they carried out every write or read a
snapshot; and what a member of the release before, which had another order, still has in common with them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.storage.requests import StoreRequest
from server.store import EtcdError, Event, Store, StoreNode, apply_request
from tests.support.release_before import StoreOfBefore

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
PATHS = [
    "/1/a",
    "/1/b",
    "/1/d",
    "/1/d/a",
    "/1/d/b",
    "/1/d/e",
    "/1/d/e/a",
    "/1/é",
    "/1/_h",
]  # no key that is not UTF-8: it comes out of a snapshot as another one

PATH = st.sampled_from(PATHS)
EXPIRES = st.sampled_from([0, 0, NOW + SECOND, NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND])
SYNCS = st.builds(
    StoreRequest,
    method=st.just("SYNC"),
    time=st.sampled_from([NOW + SECOND, NOW + 2 * SECOND, NOW + 9 * SECOND]),
)
REQUESTS = st.one_of(
    st.builds(
        StoreRequest,
        method=st.just("PUT"),
        path=PATH,
        val=st.sampled_from([b"", b"v"]),
        dir=st.booleans(),
        prev_exist=st.none() | st.booleans(),
        expiration=EXPIRES,
        refresh=st.none() | st.booleans(),
    ),
    st.builds(StoreRequest, method=st.just("POST"), path=PATH, val=st.just(b"v"), expiration=EXPIRES),
    st.builds(StoreRequest, method=st.just("DELETE"), path=PATH, recursive=st.booleans(), dir=st.booleans()),
    SYNCS,
)
FILES = st.builds(
    StoreRequest,
    method=st.sampled_from(["PUT", "PUT", "PUT", "DELETE"]),
    path=st.sampled_from([f"/1/{name}" for name in "abcdefgh"]),
    val=st.just(b"v"),
    expiration=EXPIRES,
)


def apply_all(store: Store, requests: list[StoreRequest]) -> list[object]:
    """What each of them gave."""
    outcomes: list[object] = []
    for request in requests:
        try:
            outcomes.append(apply_request(store, request, NOW))
        except EtcdError as error:
            outcomes.append((error.code, error.cause, error.index))
    return outcomes


def events_of(store: Store) -> list[Event]:
    history = store.freeze().history
    return [event for event in history.events if event is not None]


@settings(max_examples=400, deadline=None)
@given(st.lists(REQUESTS, max_size=30), st.data())
def test_a_member_that_replayed_and_one_that_read_a_snapshot_expire_keys_in_the_same_order(
    requests: list[StoreRequest], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(requests)), "cut")
    replayed, restarted = Store(), Store()
    apply_all(replayed, requests[:cut])
    restarted.recover(replayed.save())
    end = [*requests[cut:], StoreRequest(method="SYNC", time=NOW + 9 * SECOND)]
    assert apply_all(replayed, end) == apply_all(restarted, end)
    assert replayed.index == restarted.index
    assert events_of(replayed) == events_of(restarted)
    assert replayed.save() == restarted.save()


@settings(max_examples=200, deadline=None)
@given(st.lists(REQUESTS, max_size=30), st.integers(1, 3))
def test_portions_are_the_same_for_a_member_that_read_a_snapshot(
    requests: list[StoreRequest], most: int
) -> None:
    replayed, restarted = Store(), Store()
    apply_all(replayed, requests)
    restarted.recover(replayed.save())
    at = NOW + 9 * SECOND
    while (cutoff := restarted.due(at, most)) is not None:
        assert replayed.due(at, most) is not None
        for store in (replayed, restarted):
            store.delete_expired(cutoff, now=at)
    assert replayed.due(at, most) is None
    assert replayed.save() == restarted.save()


@pytest.mark.parametrize("written", ["abc", "cba", "bca"])
def test_equal_times_go_in_the_order_of_the_paths(written: str) -> None:
    store = Store()
    for path in map("/1/{}".format, written):
        store.set(path, b"", expiration=NOW, now=NOW)
    store.delete_expired(NOW, now=NOW)
    assert [event.node.key for event in events_of(store) if event.action == "expire"] == [
        "/1/a",
        "/1/b",
        "/1/c",
    ]


def test_a_directory_goes_before_what_expires_with_it_in_it() -> None:
    store = Store()
    store.set("/1/d/f", b"", expiration=NOW, now=NOW)
    store.update("/1/d", expiration=NOW, now=NOW)
    store.delete_expired(NOW, now=NOW)
    assert [event.node.key for event in events_of(store) if event.action == "expire"] == ["/1/d"]


def test_many_of_one_time_go_in_one_portion_however_small() -> None:
    """No cut-off can tell them apart, so that they are one entry of the log, for all members the same."""
    store = Store()
    for n in range(50):
        store.set(f"/1/{n * 7 % 50}", b"", expiration=NOW, now=NOW)
    store.set("/1/later", b"", expiration=NOW + 1, now=NOW)
    assert store.due(NOW + 1, 3) == NOW
    store.delete_expired(NOW, now=NOW)
    assert store.stats.expire_count == 50
    assert store.due(NOW + 1, 3) == NOW + 1


def _tree(store: Store) -> tuple[dict[str, StoreNode], dict[str, tuple[object, ...]]]:
    frozen = store.freeze()
    directories: dict[str, tuple[object, ...]] = {
        path: (
            directory.modified_index,
            directory.created_index,
            directory.expiration,
            set(directory.children),
        )
        for path, directory in frozen.directories.items()
    }
    return frozen.files, directories


@pytest.mark.interpreted
@settings(max_examples=200, deadline=None)
@given(st.lists(FILES | SYNCS, max_size=40))
def test_a_member_of_the_release_before_holds_the_same_keys_and_index(requests: list[StoreRequest]) -> None:
    """Only the order of the events of keys with equal times differs, as it did between two members of that release."""
    ours, before = Store(), StoreOfBefore()
    end = [
        *requests,
        StoreRequest(method="SYNC", time=NOW + 9 * SECOND),
        StoreRequest(method="PUT", path="/1/z", val=b"v"),
    ]
    apply_all(ours, end)
    apply_all(before, end)
    assert _tree(ours) == _tree(before)
    assert ours.index == before.index

    def in_any_order(store: Store) -> list[tuple[str, str, int]]:
        return sorted((event.action, event.node.key, event.node.created_index) for event in events_of(store))

    assert in_any_order(ours) == in_any_order(before)
