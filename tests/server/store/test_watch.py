"""Who is told of what, from now on or from an index in the past."""

from __future__ import annotations

import pytest

from server.store import EtcdError, Store
from server.store.watcher import hidden_below

NOW = 1_700_000_000_000_000_000


def seen(store: Store, path: str, *, recursive: bool = False) -> list[tuple[str, str]]:
    """What a stream on ``path`` gets of a fixed series of writes."""
    store.set("/1/d/x", b"", now=NOW)
    store.set("/1/d/_h/y", b"", now=NOW)
    store.set("/1/d/sub/z", b"", now=NOW)
    watcher = store.watch(path, recursive=recursive, stream=True)
    store.set("/1/d/x", b"1", now=NOW)
    store.set("/1/d/_h/y", b"1", now=NOW)
    store.set("/1/dd", b"1", now=NOW)
    store.set("/1/d/x", b"", expiration=NOW, refresh=True, now=NOW)
    with pytest.raises(EtcdError):
        store.compare_and_swap("/1/d/x", b"", prev_index=1, now=NOW)
    store.delete("/1/d", recursive=True, now=NOW)
    return [(event.action, event.node.key) for event in watcher.events]


GONE = ("delete", "/1/d")


@pytest.mark.parametrize(
    ("path", "recursive", "events"),
    [
        ("/1/d/x", False, [("set", "/1/d/x"), GONE]),
        ("/1/d/x", True, [("set", "/1/d/x"), GONE]),
        # The directory itself: a stream on the very path that is removed is told twice (seen with 2.3.8).
        ("/1/d", False, [GONE, GONE]),
        ("/1/d", True, [("set", "/1/d/x"), GONE, GONE]),
        ("/1", True, [("set", "/1/d/x"), ("set", "/1/dd"), GONE]),
        ("/1", False, []),
        ("/1/d/_h/y", False, [("set", "/1/d/_h/y"), GONE]),
        ("/1/d/_h", True, [("set", "/1/d/_h/y"), GONE]),
        ("/1/d/sub/z", False, [GONE]),
        ("/1/d/sub", True, [GONE]),
        ("/1/d/never", False, []),
    ],
)
def test_a_stream_hears_of_its_key_of_those_below_and_of_the_removal_above(
    path: str, recursive: bool, events: list[tuple[str, str]]
) -> None:
    assert seen(Store(), path, recursive=recursive) == events


def test_a_poll_gets_one_event_and_is_gone() -> None:
    store = Store()
    woken: list[int] = []
    watcher = store.watch("/1/a")
    watcher.on_event = lambda: woken.append(store.index)
    store.set("/1/b", b"", now=NOW)
    store.set("/1/a", b"1", now=NOW)
    store.set("/1/a", b"2", now=NOW)
    assert (len(watcher.events), woken, watcher.closed) == (1, [2], True)
    event = watcher.take()
    assert event is not None
    assert event.node.value == b"1"
    assert watcher.take() is None
    watcher.remove()
    assert b'"watchers":0' in store.stats_json()


def test_a_watcher_may_be_removed_at_any_time_and_twice() -> None:
    store = Store()
    first, second = store.watch("/1/a", stream=True), store.watch("/1/a", stream=True)
    first.on_event = second.remove
    store.set("/1/a", b"", now=NOW)
    first.remove()
    first.remove()
    store.set("/1/a", b"", now=NOW)
    assert (len(first.events), len(second.events)) == (1, 0)
    assert b'"watchers":0' in store.stats_json()


def test_a_stream_that_lags_by_more_than_a_hundred_events_is_closed() -> None:
    store = Store()
    watcher = store.watch("/1", recursive=True, stream=True)
    woken: list[bool] = []
    watcher.on_event = lambda: woken.append(watcher.closed)
    for _ in range(150):
        store.set("/1/a", b"", now=NOW)
    assert (len(watcher.events), woken) == (100, [False] * 100 + [True])
    assert b'"watchers":0' in store.stats_json()


def test_a_watch_for_a_future_index_waits_for_it() -> None:
    store = Store()
    store.set("/1/a", b"", now=NOW)
    watcher = store.watch("/1/a", since=4)
    for _ in range(4):
        store.set("/1/a", b"", now=NOW)
    event = watcher.take()
    assert event is not None
    assert event.index == 4
    assert watcher.start_index == 1


def history() -> Store:
    store = Store()
    store.set("/1/a", b"", now=NOW)  # 1
    store.set("/1/d/_h", b"", now=NOW)  # 2
    store.set("/1/d/x", b"", now=NOW)  # 3
    store.set("/1/d/x", b"", refresh=True, expiration=NOW, now=NOW)  # 4
    store.set("/1/dd/x", b"", now=NOW)  # 5
    store.delete("/1/d", recursive=True, now=NOW)  # 6
    store.set("/1/a", b"", now=NOW)  # 7
    store.compare_and_delete("/1/a", prev_index=7, now=NOW)  # 8
    return store


@pytest.mark.parametrize(
    ("path", "recursive", "since", "index"),
    [
        ("/1/a", False, 1, 1),
        ("/1/a", False, 2, 7),
        ("/1/a", False, 8, 8),
        ("/1/d", False, 1, 6),
        ("/1/d", True, 1, 2),  # a hidden one: history does not hide
        ("/1/d", True, 3, 3),
        ("/1/d/x", False, 4, 6),  # the refresh at 4 is passed over
        ("/1/d/x/below", False, 1, 6),  # removed with the directory above
        ("/1/dd", False, 5, 6),  # ... or with one whose path this one merely begins with
        ("/1/dd", True, 6, 6),
        ("/1/dd/x", True, 4, 5),  # a refresh is not looked at, so the next one is still the first
        ("/1/a", True, 1, 1),
        (
            "/1/a",
            True,
            2,
            None,
        ),  # seen with 2.3.8: only the first event looked at can be one of the key itself
        ("/1/nothing", True, 1, None),
        ("/1/a", False, 9, None),
    ],
)
def test_a_watch_in_the_past_gets_the_first_event_that_concerns_it(
    path: str, recursive: bool, since: int, index: int | None
) -> None:
    store = history()
    watcher = store.watch(path, recursive=recursive, since=since)
    event = watcher.take()
    assert (event and event.index) == index
    assert watcher.closed == (index is not None)
    assert watcher.start_index == 8


def test_a_stream_answered_from_history_stays_open_and_silent() -> None:
    store = history()
    watcher = store.watch("/1/a", stream=True, since=1)
    assert watcher.take() is not None
    store.set("/1/a", b"", now=NOW)
    assert (watcher.take(), watcher.closed) == (None, False)
    watcher.remove()
    assert b'"watchers":0' in store.stats_json()


def test_a_thousand_events_are_remembered_those_of_all_namespaces_together() -> None:
    store = Store()
    store.set("/1/first", b"", now=NOW)
    for _ in range(999):
        store.set("/0/other", b"", now=NOW)
    assert store.watch("/1/first", since=1).take() is not None
    store.set("/1/a", b"", now=NOW)
    with pytest.raises(EtcdError) as raised:
        store.watch("/1/first", since=1)
    error = raised.value
    assert (error.code, error.cause, error.index) == (
        401,
        "the requested history has been cleared [2/1]",
        1001,
    )
    found = store.watch("/1", recursive=True, since=2).take()
    assert found is not None
    assert found.index == 1001


@pytest.mark.parametrize(
    ("watched", "path", "hidden"),
    [
        ("/1", "/1/_a", True),
        ("/1", "/1/a/_b/c", True),
        ("/1/_a", "/1/_a/b", False),
        ("/1", "/1/a_b", False),
        ("/", "/_a", True),
        ("/1/a/_b", "/1/a", False),
    ],
)
def test_hidden_is_what_has_an_underscore_below_the_watched_path(
    watched: str, path: str, hidden: bool
) -> None:
    assert hidden_below(watched, path) is hidden
