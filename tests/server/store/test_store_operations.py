"""Each operation: what it answers, what it refuses and with which cause, what it counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.store import EtcdError, Event, Store, StoreNode

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


@pytest.fixture
def store() -> Store:
    """/1/f = 1 (index 1), /1/d/x = 2 (index 2), /1/e an empty directory (index 3)."""
    store = Store()
    store.set("/1/f", b"1", now=NOW)
    store.set("/1/d/x", b"2", now=NOW)
    store.set("/1/e", dir=True, now=NOW)
    return store


def keys(node: StoreNode) -> list[str]:
    return [child.key for child in node.nodes or []]


def test_a_set_answers_the_new_node_and_the_replaced_one_and_does_not_keep_the_created_index(
    store: Store,
) -> None:
    event = store.set("/1/f", b"new", now=NOW)
    assert event == Event("set", StoreNode("/1/f", b"new", 4, 4), StoreNode("/1/f", b"1", 1, 1), 4)
    assert store.get("/1/f", now=NOW) == Event("get", StoreNode("/1/f", b"new", 4, 4), None, 4)


def test_a_write_makes_the_missing_directories_with_its_own_index_and_deleting_leaves_them(
    store: Store,
) -> None:
    store.set("/1/a/b/c", b"", now=NOW)
    assert (
        store.get("/1/a", now=NOW).node.created_index,
        store.get("/1/a/b", now=NOW).node.modified_index,
    ) == (4, 4)
    store.delete("/1/a/b/c", now=NOW)
    assert store.get("/1/a/b", now=NOW).node == StoreNode("/1/a/b", None, 4, 4, dir=True, nodes=[])


def test_set_with_dir_turns_a_file_into_an_empty_directory_and_drops_the_value(store: Store) -> None:
    event = store.set("/1/f", b"dropped", dir=True, now=NOW)
    assert (event.node, event.created) == (StoreNode("/1/f", None, 4, 4, dir=True), False)
    assert event.prev_node == StoreNode("/1/f", b"1", 1, 1)
    store.set("/1/f/below", b"", now=NOW)
    assert keys(store.get("/1/f", now=NOW).node) == ["/1/f/below"]


def test_update_keeps_the_created_index_and_removes_the_ttl_unless_one_is_given(store: Store) -> None:
    store.set("/1/f", b"1", expiration=NOW + 5 * SECOND, now=NOW)
    event = store.update("/1/f", b"2", now=NOW)
    assert event.node == StoreNode("/1/f", b"2", 5, 4)
    assert event.prev_node == StoreNode("/1/f", b"1", 4, 4, NOW + 5 * SECOND, 5)
    assert store.due(NOW + 5 * SECOND, 1) is None


def test_update_of_a_directory_changes_its_ttl_but_not_the_index_it_keeps(store: Store) -> None:
    event = store.update("/1/d", expiration=NOW + 9 * SECOND, now=NOW)
    assert event.node == StoreNode("/1/d", None, 4, 2, NOW + 9 * SECOND, 9, dir=True)
    assert store.get("/1/d", now=NOW).node.modified_index == 2


def test_compare_and_swap_keeps_the_created_index(store: Store) -> None:
    event = store.compare_and_swap("/1/f", b"2", prev_value=b"1", prev_index=1, now=NOW)
    assert event == Event("compareAndSwap", StoreNode("/1/f", b"2", 4, 1), StoreNode("/1/f", b"1", 1, 1), 4)


def test_create_with_unique_pads_the_new_index_to_twenty_digits(store: Store) -> None:
    assert store.create("/1", b"v", unique=True, now=NOW).node.key == "/1/00000000000000000004"
    assert store.create("/1/e/", dir=True, unique=True, now=NOW).node.key == "/1/e/00000000000000000005"


def test_delete_of_a_directory_says_so_and_lists_nothing(store: Store) -> None:
    event = store.delete("/1/d", recursive=True, now=NOW)
    assert event == Event(
        "delete", StoreNode("/1/d", None, 4, 2, dir=True), StoreNode("/1/d", None, 2, 2, dir=True), 4
    )
    with pytest.raises(EtcdError, match="Key not found"):
        store.get("/1/d/x", now=NOW)


def test_delete_of_a_file_ignores_both_flags(store: Store) -> None:
    assert store.delete("/1/f", dir=True, recursive=True, now=NOW).node == StoreNode("/1/f", None, 4, 1)
    assert store.delete("/1/e", dir=True, now=NOW).node.dir


def test_refresh_keeps_the_value_and_moves_the_index(store: Store) -> None:
    later = NOW + 10 * SECOND
    event = store.set("/1/f", refresh=True, expiration=later, now=NOW)
    assert event == Event(
        "set", StoreNode("/1/f", b"1", 4, 4, later, 10), StoreNode("/1/f", b"1", 1, 1), 4, refresh=True
    )
    assert store.update("/1/f", refresh=True, expiration=later, now=NOW).node.value == b"1"
    swapped = store.compare_and_swap("/1/f", b"", prev_value=b"1", refresh=True, expiration=later, now=NOW)
    assert swapped.node == StoreNode("/1/f", b"1", 6, 4, later, 10)


def test_listings_hide_what_begins_with_an_underscore_at_any_depth_but_not_what_is_asked_for(
    store: Store,
) -> None:
    store.set("/1/d/_h/x", b"", now=NOW)
    store.set("/1/_top", b"", now=NOW)
    everything = store.get("/1", recursive=True, now=NOW).node
    assert keys(everything) == ["/1/f", "/1/d", "/1/e"]
    assert keys((everything.nodes or [])[1]) == ["/1/d/x"]
    assert keys(store.get("/1/d/_h", now=NOW).node) == ["/1/d/_h/x"]
    assert store.get("/1/_top", now=NOW).node.value == b""


def test_a_listing_without_recursive_shows_directories_without_their_children(store: Store) -> None:
    nodes = store.get("/1", now=NOW).node.nodes or []
    assert [(node.key, node.nodes) for node in nodes] == [("/1/f", None), ("/1/d", None), ("/1/e", None)]


def test_sorting_goes_by_the_bytes_of_the_keys_at_every_level(store: Store) -> None:
    names = [
        "/1/s/\udcff",
        "/1/s/\uffff",
        "/1/s/\U0001f600",
        "/1/s/é",
        "/1/s/Z",
        "/1/s/a",
        "/1/s/a-",
        "/1/s/a/b",
    ]
    for name in (*names[:5], "/1/s/a-", "/1/s/a/b"):
        store.set(name, b"", now=NOW)
    listed = keys(store.get("/1/s", sorted=True, now=NOW).node)
    assert listed == [
        "/1/s/Z",
        "/1/s/a",
        "/1/s/a-",
        "/1/s/é",
        "/1/s/\uffff",
        "/1/s/\U0001f600",
        "/1/s/\udcff",
    ]
    store.set("/1/t/d/2", b"", now=NOW)
    store.set("/1/t/d/1", b"", now=NOW)
    inner = (store.get("/1/t", recursive=True, sorted=True, now=NOW).node.nodes or [])[0]
    assert keys(inner) == ["/1/t/d/1", "/1/t/d/2"]


def test_paths_are_cleaned(store: Store) -> None:
    assert store.get("/1//d/./x/", now=NOW).node.key == "/1/d/x"
    assert store.set("/1/d/../g/", b"", now=NOW).node.key == "/1/g"


def test_a_tree_may_be_thousands_of_directories_deep() -> None:
    store = Store()
    path = "/1" + "/d" * 3000
    store.set(path, b"deep", now=NOW)
    node = store.get("/1", recursive=True, sorted=True, now=NOW).node
    depth = 0
    while node.nodes:
        node, depth = node.nodes[0], depth + 1
    assert (depth, node.value) == (3000, b"deep")
    store.delete("/1/d", recursive=True, now=NOW)
    assert keys(store.get("/1", now=NOW).node) == []


Operation = Callable[[Store], object]
REFUSALS: list[tuple[str, Operation, tuple[int, str], str]] = [
    # what, operation, (code, cause), the counter that moves (as seen with 2.3.8)
    ("get missing", lambda s: s.get("/1/no/x", now=NOW), (100, "/1/no"), "gets_fail"),
    ("get below missing", lambda s: s.get("/1/d/no/x", now=NOW), (100, "/1/d/no"), "gets_fail"),
    ("get below file", lambda s: s.get("/1/f/x/y", now=NOW), (104, "/1/f"), "gets_fail"),
    ("set root", lambda s: s.set("/1", b"v", now=NOW), (107, "/"), "sets_fail"),
    ("set directory", lambda s: s.set("/1/d", b"v", now=NOW), (102, "/1/d"), "sets_fail"),
    ("set directory again", lambda s: s.set("/1/d", dir=True, now=NOW), (102, "/1/d"), "sets_fail"),
    ("set below file", lambda s: s.set("/1/f/x/y", b"v", now=NOW), (104, "/1/f"), "sets_fail"),
    ("refresh missing", lambda s: s.set("/1/no/x", refresh=True, now=NOW), (100, "/1/no"), "sets_fail"),
    ("refresh below file", lambda s: s.set("/1/f/x", refresh=True, now=NOW), (104, "/1/f"), "sets_fail"),
    ("create root", lambda s: s.create("/1", now=NOW), (107, "/"), "create_fail"),
    ("create existing file", lambda s: s.create("/1/f", now=NOW), (105, "/1/f"), "create_fail"),
    (
        "create existing directory",
        lambda s: s.create("/1/d", dir=True, now=NOW),
        (105, "/1/d"),
        "create_fail",
    ),
    ("create below file", lambda s: s.create("/1/f/x", now=NOW), (104, "/1/f"), "create_fail sets_fail"),
    (
        "post to file",
        lambda s: s.create("/1/f", unique=True, now=NOW),
        (104, "/1/f"),
        "create_fail sets_fail",
    ),
    ("update missing", lambda s: s.update("/1/no", b"", now=NOW), (100, "/1/no"), "update_fail"),
    ("update root", lambda s: s.update("/1", b"", now=NOW), (107, "/"), "update_success"),
    ("update directory's value", lambda s: s.update("/1/d", b"v", now=NOW), (102, "/1/d"), "update_success"),
    (
        "swap other value",
        lambda s: s.compare_and_swap("/1/f", b"", prev_value=b"9", now=NOW),
        (101, "[9 != 1]"),
        "compare_and_swap_fail",
    ),
    (
        "swap other index",
        lambda s: s.compare_and_swap("/1/f", b"", prev_index=9, now=NOW),
        (101, "[9 != 1]"),
        "compare_and_swap_fail",
    ),
    (
        "swap both other",
        lambda s: s.compare_and_swap("/1/f", b"", prev_value=b"\xff", prev_index=7, now=NOW),
        (101, "[\udcff != 1] [7 != 1]"),
        "compare_and_swap_fail",
    ),
    (
        "swap value right, index other",
        lambda s: s.compare_and_swap("/1/f", b"", prev_value=b"1", prev_index=7, now=NOW),
        (101, "[7 != 1]"),
        "compare_and_swap_fail",
    ),
    (
        "swap missing",
        lambda s: s.compare_and_swap("/1/no", b"", prev_index=7, now=NOW),
        (100, "/1/no"),
        "compare_and_swap_fail",
    ),
    (
        "swap directory",
        lambda s: s.compare_and_swap("/1/d", b"", prev_index=2, now=NOW),
        (102, "/1/d"),
        "compare_and_swap_fail",
    ),
    (
        "swap root",
        lambda s: s.compare_and_swap("/1", b"", prev_index=2, now=NOW),
        (107, "/"),
        "compare_and_swap_success",
    ),
    ("delete missing", lambda s: s.delete("/1/no", now=NOW), (100, "/1/no"), "delete_fail"),
    ("delete directory", lambda s: s.delete("/1/e", now=NOW), (102, "/1/e"), "delete_fail"),
    ("delete full directory", lambda s: s.delete("/1/d", dir=True, now=NOW), (108, "/1/d"), "delete_fail"),
    ("delete root", lambda s: s.delete("/1", recursive=True, now=NOW), (107, "/"), "delete_success"),
    ("delete other root", lambda s: s.delete("/0", recursive=True, now=NOW), (107, "/"), "delete_success"),
    (
        "compare and delete missing",
        lambda s: s.compare_and_delete("/1/no", prev_value=b"1", now=NOW),
        (100, "/1/no"),
        "compare_and_delete_fail",
    ),
    (
        "compare and delete other value",
        lambda s: s.compare_and_delete("/1/f", prev_value=b"2", now=NOW),
        (101, "[2 != 1]"),
        "compare_and_delete_success",
    ),
    (
        "compare and delete directory",
        lambda s: s.compare_and_delete("/1/d", prev_index=2, now=NOW),
        (102, "/1/d"),
        "compare_and_delete_success",
    ),
    (
        "compare and delete root",
        lambda s: s.compare_and_delete("/1", prev_index=2, now=NOW),
        (102, "/1"),
        "compare_and_delete_success",
    ),
]


@pytest.mark.parametrize(
    ("operation", "refusal", "counted"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_refusal_names_its_cause_counts_as_etcd_counts_it_and_changes_nothing_else(
    store: Store, operation: Operation, refusal: tuple[int, str], counted: str
) -> None:
    before, stats = store.save(), store.stats.to_json()
    with pytest.raises(EtcdError) as raised:
        operation(store)
    assert (raised.value.code, raised.value.cause, raised.value.index) == (*refusal, 3)
    for counter in counted.split():
        setattr(store.stats, counter, getattr(store.stats, counter) - 1)
    assert store.stats.to_json() == stats
    assert store.save() == before


def test_successes_are_counted(store: Store) -> None:
    store.create("/1/c", now=NOW)
    store.update("/1/c", b"1", now=NOW)
    store.compare_and_swap("/1/c", b"2", prev_value=b"1", now=NOW)
    store.compare_and_delete("/1/c", prev_value=b"2", now=NOW)
    store.delete("/1/f", now=NOW)
    store.get("/1", now=NOW)
    store.watch("/1/x")
    assert store.stats_json() == (
        b'{"getsSuccess":1,"getsFail":0,"setsSuccess":3,"setsFail":0,"deleteSuccess":1,"deleteFail":0,'
        b'"updateSuccess":1,"updateFail":0,"createSuccess":1,"createFail":0,"compareAndSwapSuccess":1,'
        b'"compareAndSwapFail":0,"compareAndDeleteSuccess":1,"compareAndDeleteFail":0,"expireCount":0,"watchers":1}'
    )
