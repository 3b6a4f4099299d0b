"""What each of 0.4.9's commands does to keys and indexes, failures included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate02.datadir.commands04 import FIELDS, BadField
from migrate02.datadir.listing import Key, user_keys
from migrate02.datadir.replay04 import Replayer, UnknownCommand, registered
from server.store import Store
from tests.support.datadirs04 import FIRST, PERMANENT, Command, set_to

SECOND = 1_000_000_000


def replay(*commands: Command, first: bool = True) -> Store:
    replayer = Replayer(Store())
    for name, command in (*(FIRST if first else ()), *commands):
        replayer.apply(name, dict(command or {}))
    return replayer.store


def create(key: str, value: str = "", **more: Any) -> Command:
    return (
        "etcd:create",
        {"key": key, "value": value, "expireTime": PERMANENT, "unique": False, "dir": False, **more},
    )


def update(key: str, value: str, expires: str = PERMANENT) -> Command:
    return ("etcd:update", {"key": key, "value": value, "expireTime": expires})


def delete(key: str, recursive: bool = False, dir: bool = False) -> Command:
    return ("etcd:delete", {"key": key, "recursive": recursive, "dir": dir})


def swap(
    key: str, value: str, prev_value: str = "", prev_index: int = 0, expires: str = PERMANENT
) -> Command:
    return (
        "etcd:compareAndSwap",
        {"key": key, "value": value, "expireTime": expires, "prevValue": prev_value, "prevIndex": prev_index},
    )


def compare_and_delete(key: str, prev_value: str = "", prev_index: int = 0) -> Command:
    return ("etcd:compareAndDelete", {"key": key, "prevValue": prev_value, "prevIndex": prev_index})


def sync(time: str) -> Command:
    return ("etcd:sync", {"time": time})


def join(name: str, peer: str, client: str = "http://c") -> Command:
    return ("etcd:join", {"minVersion": 2, "maxVersion": 2, "name": name, "raftURL": peer, "etcdURL": client})


def keys(store: Store) -> dict[str, tuple[object, int, int]]:
    return {key.path: (key.value, key.created_index, key.modified_index) for key in user_keys(store)}


def test_the_first_key_of_a_new_node_has_index_3() -> None:
    assert keys(replay(set_to("/a", "1"))) == {"/a": (b"1", 3, 3)}


def test_a_set_that_replaces_is_created_anew() -> None:
    assert keys(replay(set_to("/a", "1"), set_to("/a", "2"))) == {"/a": (b"2", 4, 4)}


def test_directories_on_the_way_are_made_with_the_same_index_and_paths_are_cleaned() -> None:
    assert keys(replay(set_to("//d//e/a/", "1"))) == {
        "/d": (None, 3, 3),
        "/d/e": (None, 3, 3),
        "/d/e/a": (b"1", 3, 3),
    }


def test_a_path_cannot_lead_out_of_the_users_keys() -> None:
    assert keys(replay(set_to("/../0/members/x", "1")))["/0/members/x"] == (b"1", 3, 3)


def test_in_order_keys_are_named_by_the_next_index_in_plain_decimal() -> None:
    store = replay(create("/q", "a", unique=True), create("/q", "b", unique=True))
    assert keys(store) == {"/q": (None, 3, 3), "/q/3": (b"a", 3, 3), "/q/4": (b"b", 4, 4)}


def test_update_and_swap_keep_the_created_index() -> None:
    store = replay(set_to("/a", "1"), update("/a", "2"), swap("/a", "3", prev_value="2"))
    assert keys(store) == {"/a": (b"3", 3, 5)}


def test_updating_a_directory_takes_an_index_and_leaves_its_own() -> None:
    store = replay(create("/d", dir=True), update("/d", "", "2100-01-01T00:00:00Z"), set_to("/a", "1"))
    assert keys(store) == {"/a": (b"1", 5, 5), "/d": (None, 3, 3)}


FAILING: dict[str, tuple[Command, ...]] = {
    "create what is there": (create("/a"),),
    "update what is not": (update("/none", "x"),),
    "update a directory's value": (update("/d", "x"),),
    "set a directory": (set_to("/d", "x"),),
    "set below a file": (set_to("/a/b", "x"),),
    "set the root": (set_to("/", "x"),),
    "create the root": (create("/"),),
    "delete what is not": (delete("/none"),),
    "delete the root": (delete("/", recursive=True, dir=True),),
    "delete a directory without saying so": (delete("/d"),),
    "delete a full directory": (delete("/d", dir=True),),
    "swap with another value": (swap("/a", "x", prev_value="2"),),
    "swap at another index": (swap("/a", "x", prev_index=99),),
    "swap a directory": (swap("/d", "x"),),
    "swap what is not": (swap("/none", "x"),),
    "compare and delete with another value": (compare_and_delete("/a", "2"),),
    "compare and delete the root": (compare_and_delete("/"),),
    "remove who is no member": (("etcd:remove", {"name": "nobody"}),),
    "read": (("etcd:get", {"key": "/a", "recursive": True, "Sorted": True}),),
    "an election": (("raft:nop", None),),
}


@pytest.mark.parametrize("failing", FAILING.values(), ids=FAILING)
def test_what_fails_takes_no_index(failing: tuple[Command, ...]) -> None:
    before = (set_to("/a", "1"), set_to("/d/x", "1"))
    assert keys(replay(*before, *failing, set_to("/z", "1"))) == keys(replay(*before, set_to("/z", "1")))


def test_an_empty_previous_value_and_index_0_are_not_compared() -> None:
    store = replay(set_to("/a", "1"), swap("/a", "2"), compare_and_delete("/a"), set_to("/b", "1"))
    assert keys(store) == {"/b": (b"1", 6, 6)}


def test_recursive_deletion_needs_no_dir() -> None:
    assert keys(replay(set_to("/d/x", "1"), delete("/d", recursive=True))) == {}


def test_what_is_due_goes_at_the_next_sync_with_an_index_each() -> None:
    store = replay(
        set_to("/a", "1", expireTime="2014-06-01T12:00:00.5+02:00"),
        create("/d", dir=True, expireTime="2014-06-01T10:00:00Z"),
        set_to("/d/x", "1"),
        set_to("/later", "1", expireTime="2014-06-01T10:00:02Z"),
        sync("2014-06-01T10:00:01.25Z"),
        set_to("/b", "1"),
    )
    found = {key.path: key for key in user_keys(store)}
    later = 1_401_616_802 * SECOND
    assert found == {"/later": Key("/later", b"1", 6, 6, later), "/b": Key("/b", b"1", 9, 9, None)}


def test_update_and_swap_without_a_ttl_clear_it() -> None:
    store = replay(
        set_to("/a", "1", expireTime="2014-06-01T10:00:00Z"),
        set_to("/b", "1", expireTime="2014-06-01T10:00:00Z"),
        update("/a", "2"),
        swap("/b", "2"),
        sync("2015-01-01T00:00:00Z"),
    )
    assert keys(store) == {"/a": (b"2", 3, 5), "/b": (b"2", 4, 6)}


def test_before_2000_means_permanent_to_set_and_create_alone() -> None:
    old = "1970-01-01T00:00:00Z"
    store = replay(
        set_to("/a", "1", expireTime=old),
        create("/b", "1", expireTime=old),
        set_to("/c", "1"),
        update("/c", "1", old),
        sync("2014-01-01T00:00:00Z"),
    )
    assert sorted(keys(store)) == ["/a", "/b"]


def test_users_keys_beside_0_4s_own_stay() -> None:
    store = replay(set_to("/_etcd/app/x", "1"), set_to("/_etcd/machines2", "1"))
    assert keys(store) == {
        "/_etcd": (None, 1, 1),
        "/_etcd/app": (None, 3, 3),
        "/_etcd/app/x": (b"1", 3, 3),
        "/_etcd/machines2": (b"1", 4, 4),
    }


def test_members_join_once_and_may_come_back_with_another_peer_url() -> None:
    store = replay(
        join("n1", "http://1", "http://c1"),
        join("n1", "http://1", "http://other"),
        join("n1", "http://9", "http://other"),
        join("n2", "http://9"),
        first=False,
    )
    (member,) = registered(store)
    assert (member.name, member.peer_url, member.client_url) == ("n1", "http://9", "http://c1")
    assert (member.created_index, member.modified_index) == (1, 2)
    assert store.index == 2


def test_no_more_join_than_may_take_part() -> None:
    store = replay(
        join("n1", "http://1"),
        ("etcd:setClusterConfig", {"config": {"activeSize": 1, "removeDelay": 0.5, "syncInterval": 0}}),
        *(join(f"n{n}", f"http://{n}") for n in range(2, 6)),
        first=False,
    )
    assert [member.name for member in registered(store)] == ["n1", "n2", "n3"]
    assert store.peek("/1/_etcd/config") == b'{"activeSize":3,"removeDelay":2,"syncInterval":1}'
    assert store.index == 4


def test_who_is_removed_makes_room_and_takes_an_index() -> None:
    store = replay(
        join("n1", "http://1"), join("n2", "http://2"), ("etcd:remove", {"name": "n1"}), first=False
    )
    assert [member.name for member in registered(store)] == ["n2"]
    assert store.index == 3


def test_a_command_0_4_does_not_have_is_named() -> None:
    with pytest.raises(UnknownCommand, match="raft:join"):
        replay(("raft:join", {"name": "x"}))


@pytest.mark.parametrize(
    "command",
    [
        ("etcd:set", {"key": 1}),
        ("etcd:set", {"key": "/a", "expireTime": "yesterday"}),
        ("etcd:set", {"key": "/a", "expireTime": "9999-12-31T23:59:59-12:00"}),
        ("etcd:set", {"key": "/a", "dir": 1}),
        ("etcd:compareAndSwap", {"key": "/a", "prevIndex": -1}),
        ("etcd:compareAndSwap", {"key": "/a", "prevIndex": True}),
        ("etcd:sync", {}),
        ("etcd:setClusterConfig", {"config": {"activeSize": "3"}}),
        ("etcd:setClusterConfig", {"config": {"removeDelay": float("inf")}}),
    ],
    ids=str,
)
def test_a_field_0_4_cannot_have_written_is_refused(command: Command) -> None:
    with pytest.raises(BadField):
        replay(command)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["/", "/a", "/a/b", "/_etcd/config", "/_etcd/machines", PERMANENT, "2014-01-01T00:00:00Z"]
    ),
    st.dictionaries(
        st.sampled_from(["activeSize", "x"]), st.one_of(st.floats(), st.integers(), st.text()), max_size=2
    ),
)
WRITTEN = sorted({field[0] for fields in FIELDS.values() for field in fields})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(FIELDS)), st.dictionaries(st.sampled_from(WRITTEN), VALUES, max_size=6)
        ),
        max_size=12,
    )
)
def test_any_commands_are_applied_or_refused_and_the_keys_stay_writable(commands: list[Command]) -> None:
    replayer = Replayer(Store())
    for name, command in commands:
        before = replayer.store.index
        try:
            replayer.apply(name, dict(command or {}))
        except BadField:
            assert replayer.store.index == before
    again = Store()
    again.recover(replayer.store.save())
    assert list(user_keys(again)) == list(user_keys(replayer.store))
    list(registered(again))
