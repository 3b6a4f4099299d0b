"""TTLs: what is shown of them, and what goes when."""

from __future__ import annotations

import pytest

from server.store import EtcdError, Event, Store, StoreNode
from server.store.expiry import Expiry, ExpiryQueue

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
MILLI = 1_000_000
EVER = 1 << 63


def exists(store: Store, path: str) -> bool:
    try:
        store.get(path, now=NOW)
    except EtcdError:
        return False
    return True


@pytest.mark.parametrize(
    ("left", "ttl"),
    [
        (5 * SECOND, 5),
        (5 * SECOND - 1, 5),
        (4 * SECOND + 1, 5),
        (1, 1),
        (0, 0),
        (-1, 0),
        (1 - SECOND, 0),
        (-SECOND, -1),
    ],
)
def test_the_ttl_shown_is_what_remains_rounded_up(left: int, ttl: int) -> None:
    store = Store()
    store.set("/1/a", b"", expiration=NOW, now=NOW)
    assert store.get("/1/a", now=NOW - left).node.ttl == ttl


def test_nodes_expire_in_the_order_of_their_times_with_one_index_and_one_event_each() -> None:
    store = Store()
    for name, seconds in (("c", 3), ("a", 1), ("d", 9), ("b", 2)):
        store.set(f"/1/{name}", b"v", expiration=NOW + seconds * SECOND, now=NOW)
    watcher = store.watch("/1", recursive=True, stream=True)
    at = NOW + 3 * SECOND
    store.delete_expired(at, now=at + 100 * MILLI)
    assert [(event.action, event.node.key, event.index) for event in watcher.events] == [
        ("expire", "/1/a", 5),
        ("expire", "/1/b", 6),
        ("expire", "/1/c", 7),
    ]
    assert (store.index, store.stats.expire_count) == (7, 3)
    assert store.due(NOW + 9 * SECOND - 1, 1) is None
    assert store.due(NOW + 9 * SECOND, 1) == NOW + 9 * SECOND
    # Neither value nor dir in the node; the value, the time and (0, so left out) the ttl in prevNode.
    assert watcher.events[2] == Event(
        "expire", StoreNode("/1/c", None, 7, 1), StoreNode("/1/c", b"v", 1, 1, NOW + 3 * SECOND), 7
    )


def test_what_is_due_can_be_taken_in_portions_in_the_order_of_the_times() -> None:
    store = Store()
    assert store.due(NOW, 3) is None
    for n in range(10):
        store.set(f"/1/k{n * 7 % 10}", b"", expiration=NOW + n * 7 % 10, now=NOW)
    store.delete("/1/k0", now=NOW)
    assert store.due(NOW, 3) is None
    assert store.due(NOW + 1, 3) == NOW + 1
    assert store.due(NOW + 3, 3) == NOW + 3
    assert store.due(NOW + 8, 3) == NOW + 3
    store.delete_expired(NOW + 3, now=NOW + 8)
    assert store.due(NOW + 8, 3) == NOW + 6
    assert store.due(NOW + 8, 100) == NOW + 8
    assert store.stats.expire_count == 3


def test_portions_are_never_empty_when_outdated_times_are_in_the_way() -> None:
    store = Store()
    for n in range(50):
        store.set("/1/a", b"", expiration=NOW + n, now=NOW)
        store.set("/1/b", b"", expiration=NOW + 100 - n, now=NOW)
    portions = 0
    while (cutoff := store.due(NOW + 200, 2)) is not None:
        before = store.stats.expire_count
        store.delete_expired(cutoff, now=NOW + 200)
        assert store.stats.expire_count > before
        portions += 1
    assert store.stats.expire_count == 2
    assert portions <= 2


def test_a_directory_expires_with_all_in_it_as_one_event_that_does_not_say_it_was_one() -> None:
    store = Store()
    store.set("/1/d", dir=True, expiration=NOW + SECOND, now=NOW)
    store.set("/1/d/e/f", b"", expiration=NOW + 2 * SECOND, now=NOW)
    watcher = store.watch("/1/d", stream=False)
    store.delete_expired(NOW + 5 * SECOND, now=NOW + SECOND)
    event = watcher.take()
    assert event == Event(
        "expire", StoreNode("/1/d", None, 3, 1), StoreNode("/1/d", None, 1, 1, NOW + SECOND, dir=True), 3
    )
    assert (store.index, exists(store, "/1/d"), store.due(EVER, 1)) == (3, False, None)


@pytest.mark.parametrize("change", ["longer", "shorter", "permanent", "overwritten", "deleted", "made again"])
def test_only_the_ttl_a_node_has_now_counts(change: str) -> None:
    store = Store()
    for path, is_dir in (("/1/file", False), ("/1/dir", True)):
        store.set(path, dir=is_dir, expiration=NOW + 10 * SECOND, now=NOW)
        match change:
            case "longer":
                store.update(path, expiration=NOW + 20 * SECOND, now=NOW)
            case "shorter":
                store.update(path, expiration=NOW + 5 * SECOND, now=NOW)
            case "permanent":
                store.update(path, now=NOW)
            case "overwritten" if not is_dir:
                store.set(path, b"", now=NOW)
            case "overwritten":
                store.delete(path, dir=True, now=NOW)
                store.set(path, b"", now=NOW)
            case _:
                store.delete(path, dir=True, now=NOW)
                if change == "made again":
                    store.set(path, dir=is_dir, expiration=NOW + 20 * SECOND, now=NOW)
    left = {}
    for seconds in (4, 5, 10, 20):
        store.delete_expired(NOW + seconds * SECOND, now=NOW)
        left[seconds] = {exists(store, "/1/file"), exists(store, "/1/dir")}
    there, gone = {True}, {False}
    assert (
        left
        == {
            "longer": {4: there, 5: there, 10: there, 20: gone},
            "shorter": {4: there, 5: gone, 10: gone, 20: gone},
            "permanent": {4: there, 5: there, 10: there, 20: there},
            "overwritten": {4: there, 5: there, 10: there, 20: there},
            "deleted": {4: gone, 5: gone, 10: gone, 20: gone},
            "made again": {4: there, 5: there, 10: there, 20: gone},
        }[change]
    )


def test_an_expiry_before_2000_makes_a_permanent_node_but_an_update_to_one_that_goes() -> None:
    store = Store()
    year_2000 = 946_684_800 * SECOND
    assert store.set("/1/a", b"", expiration=year_2000 - 1, now=NOW).node.expiration is None
    assert store.create("/1/b", dir=True, expiration=-(1 << 63), now=NOW).node.expiration is None
    assert store.set("/1/c", b"", expiration=year_2000, now=NOW).node.expiration == year_2000
    event = store.update("/1/a", expiration=-(1 << 63), now=NOW)
    assert event.node.ttl == -9_223_372_036  # a Go duration goes no lower
    store.delete_expired(NOW, now=NOW)
    assert [exists(store, path) for path in ("/1/a", "/1/b", "/1/c")] == [False, True, False]


def test_refreshing_over_and_over_does_not_fill_the_queue() -> None:
    alive: set[int] = set()
    queue = ExpiryQueue(lambda entry: id(entry.node) in alive)
    nodes = [StoreNode("/1/k", b"", index, 1, NOW + index) for index in range(100_000)]
    most = 0
    for node in nodes:
        alive.clear()
        alive.add(id(node))
        queue.add(node)
        most = max(most, len(queue))
    assert most <= 1025
    assert queue.first() == Expiry(NOW + 99_999, "/1/k", 100_000, nodes[-1])
