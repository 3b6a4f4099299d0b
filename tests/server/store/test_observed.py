"""Who keeps a copy of the key space elsewhere hears of every change, and of what went away with it."""

from server.store import Event, Store

NOW = 1_800_000_000 * 10**9


def observed() -> tuple[Store, list[tuple[str, str, list[str], list[str]]]]:
    store = Store()
    seen: list[tuple[str, str, list[str], list[str]]] = []

    def note(event: Event, files: list[str], directories: list[str]) -> None:
        seen.append((event.action, event.node.key, sorted(files), sorted(directories)))

    store.on_event = note
    return store, seen


def test_every_change_is_told_with_what_went_away() -> None:
    store, seen = observed()
    store.set("/1/d/a", b"1", now=NOW)
    store.set("/1/d/e/b", b"1", expiration=NOW, now=NOW)
    store.delete_expired(NOW, now=NOW)
    store.delete("/1/d", recursive=True, now=NOW)
    assert seen == [
        ("set", "/1/d/a", [], []),
        ("set", "/1/d/e/b", [], []),
        ("expire", "/1/d/e/b", ["/1/d/e/b"], []),
        ("delete", "/1/d", ["/1/d/a"], ["/1/d", "/1/d/e"]),
    ]


def test_a_refresh_is_told_too_though_no_watch_hears_of_it() -> None:
    store, seen = observed()
    store.set("/1/a", b"1", now=NOW)
    store.set("/1/a", refresh=True, expiration=NOW + 10**9, now=NOW)
    assert [action for action, *_ in seen] == ["set", "set"]


def test_a_directory_is_looked_at_without_counting() -> None:
    store, _ = observed()
    store.set("/1/d/a", b"1", now=NOW)
    directory = store.tree.directories.get("/1/d")
    assert directory is not None
    assert (directory.created_index, store.tree.directories.get("/1/d/a")) == (1, None)
    assert store.stats.gets_success == 0


def test_all_open_watches_are_ended_and_woken() -> None:
    store, _ = observed()
    woken: list[str] = []
    watchers = [store.watch("/1/a", stream=True), store.watch("/1", recursive=True)]
    for watcher in watchers:
        watcher.on_event = lambda: woken.append("x")
    store.end_watches()
    assert all(watcher.closed for watcher in watchers)
    assert (len(woken), store.watchers) == (2, 0)
