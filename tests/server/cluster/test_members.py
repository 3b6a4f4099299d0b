"""The table of members: from conf changes, from published attributes, and rebuilt from the key space."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from server.cluster import ChangeRefusal, ChangeRefused, Member, MemberError, Members
from server.cluster.members import compact_json
from server.storage.codec import ConfChange, ConfChangeType
from server.store.errors import EtcdError
from server.store.store import Store

ADD, REMOVE, UPDATE = ConfChangeType.ADD_NODE, ConfChangeType.REMOVE_NODE, ConfChangeType.UPDATE_NODE
A = Member(0xC89CCBA735111C3F, "na", ("http://127.0.0.1:26103",))
B = Member(2, peer_urls=("http://127.0.0.1:1",))


def add(member: Member) -> ConfChange:
    return ConfChange(ADD, member.id, context=member.context)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def members(store: Store) -> Members:
    table = Members(7)
    table.apply_conf_change(add(A), store, 0)
    return table


def value(store: Store, path: str) -> bytes | None:
    return store.get(path, now=0).node.value


def test_the_context_is_what_2_3_8_wrote() -> None:
    # from fixtures/datadirs/single-2.3.8
    assert A.context == b'{"id":14455652822962740287,"peerURLs":["http://127.0.0.1:26103"],"name":"na"}'
    assert Member.from_context(A.context) == A


def test_adding_a_member_writes_its_peer_urls_with_one_index(store: Store, members: Members) -> None:
    assert store.index == 1
    assert (
        value(store, "/0/members/c89ccba735111c3f/raftAttributes")
        == b'{"peerURLs":["http://127.0.0.1:26103"]}'
    )
    assert list(members) == [A]


def test_published_attributes_replace_the_earlier_ones(members: Members) -> None:
    assert members.apply_put(A.attributes_path, b'{"name":"new","clientURLs":["http://c:1"]}')
    assert list(members) == [Member(A.id, "new", A.peer_urls, ("http://c:1",))]
    assert members.apply_put(A.attributes_path, b'{"name":"newer"}')
    assert list(members) == [Member(A.id, "newer", A.peer_urls, ())]


def test_the_version_is_taken_over(members: Members) -> None:
    assert members.version is None
    assert members.apply_put("/0/version", b"2.3.0")
    assert members.version == "2.3.0"


@pytest.mark.parametrize(
    "path", ["/1/members/1/attributes", "/0/members/1/other", "/0/members/x/attributes", "/0/versions"]
)
def test_other_paths_are_nobodys_attributes(members: Members, path: str) -> None:
    assert members.apply_put(path, b"not json")
    assert list(members) == [A]


def test_removing_takes_two_indexes_and_the_id_for_good(store: Store, members: Members) -> None:
    assert members.apply_conf_change(ConfChange(REMOVE, A.id), store, 0) is None
    assert store.index == 3
    assert list(members) == []
    assert members.is_removed(A.id)
    assert value(store, "/0/removed_members/c89ccba735111c3f") == b""
    with pytest.raises(EtcdError):
        store.get("/0/members/c89ccba735111c3f", now=0)
    with pytest.raises(MemberError, match="ID removed"):
        members.apply_conf_change(add(A), store, 0)
    assert not members.apply_put(A.attributes_path, b'{"name":"ghost"}')


def test_updating_changes_the_peer_urls_only(store: Store, members: Members) -> None:
    moved = Member(A.id, peer_urls=("http://127.0.0.1:9",))
    assert members.apply_conf_change(ConfChange(UPDATE, A.id, context=moved.context), store, 0) == Member(
        A.id, "na", ("http://127.0.0.1:9",)
    )
    assert (
        value(store, "/0/members/c89ccba735111c3f/raftAttributes") == b'{"peerURLs":["http://127.0.0.1:9"]}'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (add(A), "etcdserver: ID exists"),
        (add(Member(3, peer_urls=A.peer_urls)), "etcdserver: peerURL exists"),
        (ConfChange(REMOVE, 3), "etcdserver: ID not found"),
        (ConfChange(UPDATE, 3, context=Member(3).context), "etcdserver: ID not found"),
        (
            ConfChange(UPDATE, B.id, context=Member(B.id, peer_urls=A.peer_urls).context),
            "etcdserver: peerURL exists",
        ),
        (ConfChange(ADD, 3, context=B.context), "a conf change for 3 describes 2"),
        (ConfChange(ADD, 3, context=b"[]"), "not a JSON object"),
        (ConfChange(ADD, 3, context=b"{}"), "has no id"),
        (ConfChange(ConfChangeType.ADD_LEARNER, 3, context=Member(3).context), "no learners"),
    ],
)
def test_a_change_that_is_not_valid_changes_nothing(
    store: Store, members: Members, change: ConfChange, message: str
) -> None:
    members.apply_conf_change(add(B), store, 0)
    before = (store.index, list(members))
    with pytest.raises(MemberError, match=message):
        members.apply_conf_change(change, store, 0)
    assert (store.index, list(members)) == before


def test_attributes_of_a_member_that_never_was_are_refused(members: Members) -> None:
    with pytest.raises(MemberError, match="error updating attributes of unknown member 5"):
        members.apply_put("/0/members/5/attributes", b"{}")


def test_the_table_comes_back_out_of_the_key_space(store: Store, members: Members) -> None:
    members.apply_conf_change(add(B), store, 0)
    members.apply_conf_change(ConfChange(REMOVE, B.id), store, 0)
    published = Member(A.id, "na", A.peer_urls, ("http://c:1", "http://d:1"))
    store.set(A.attributes_path, published.attributes, now=0)
    store.set("/0/version", b"2.3.0", now=0)
    other = Members(7)
    other.recover(store, 0)
    assert list(other) == [published]
    assert other.is_removed(B.id)
    assert other.version == "2.3.0"
    assert other.client_urls() == ["http://c:1", "http://d:1"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/0/members/not-an-id/attributes", b"{}"),
        ("/0/members/1/attributes", b"no json"),
        ("/0/removed_members/x", b""),
    ],
)
def test_a_key_space_that_has_no_table_of_members_is_said_to_have_none(
    store: Store, key: str, value: bytes
) -> None:
    store.set(A.attributes_path, b"{}", now=0)
    store.set(key, value, now=0)
    with pytest.raises(MemberError, match=key.removesuffix("/attributes")):
        Members(7).recover(store, 0)


def test_an_empty_key_space_has_no_members() -> None:
    table = Members(7)
    table.recover(Store(), 0)
    assert (list(table), table.version) == ([], None)


def test_json_is_written_as_go_writes_it() -> None:
    text = "<é&\u2028>"
    assert compact_json({"name": text}) == '{"name":"\\u003cé\\u0026\\u2028\\u003e"}'.encode()


def test_a_change_counts_the_reads_of_both_lists_as_etcd_does(store: Store, members: Members) -> None:
    before = replace(store.stats)
    members.apply_conf_change(add(B), store, 0)
    assert (store.stats - before).gets_success == 1  # the members
    assert (store.stats - before).gets_fail == 1  # nobody was ever removed
    members.apply_conf_change(ConfChange(REMOVE, B.id), store, 0)
    with pytest.raises(ChangeRefused):
        members.apply_conf_change(ConfChange(REMOVE, B.id), store, 0)
    assert ((store.stats - before).gets_success, (store.stats - before).gets_fail) == (4, 2)


def started(*names: str) -> Members:
    """Members with ids from 1 on; an empty name is that of one who has not started."""
    store, table = Store(), Members(7)
    for number, name in enumerate(names, 1):
        member = Member(number, name, (f"http://127.0.0.1:{number}",))
        table.apply_conf_change(add(member), store, 0)
        if name:
            table.apply_put(member.attributes_path, member.attributes)
    return table


@pytest.mark.parametrize(
    ("names", "addition", "removal_of_the_first"),
    [
        (("a",), True, False),  # the second of two, though they have no quorum until it has started
        (("a", ""), False, False),
        (("a", "b"), True, True),
        (("a", "b", ""), False, False),
        (("a", "b", "c"), True, True),
        (("", "b", "c"), False, True),
        (("a", "b", "", "d"), True, True),
        (("a", "b", "", "", "e"), False, False),
    ],
)
def test_strict_changes_ask_for_a_quorum_of_started_members(
    names: tuple[str, ...], addition: bool, removal_of_the_first: bool
) -> None:
    table = started(*names)
    assert is_allowed(table.check_can_add) is addition
    assert is_allowed(lambda: table.check_can_remove(1)) is removal_of_the_first


def test_the_removal_of_who_is_no_member_is_not_held_against_the_quorum() -> None:
    started("a").check_can_remove(99)


def is_allowed(check: Callable[[], None]) -> bool:
    try:
        check()
    except ChangeRefused as error:
        return error.why is not ChangeRefusal.NOT_ENOUGH_STARTED
    return True


def test_a_name_that_is_not_utf8_is_written_as_go_writes_it() -> None:
    """Such a name comes from a command line or a file in another encoding; every member has to read what is written."""
    named = Member(1, "a\udcff", ("http://a:1",), ("http://b:1",))
    assert named.attributes == rb'{"name":"a\ufffd","clientURLs":["http://b:1"]}'
    assert Member.from_context(named.context) == Member(1, "a\ufffd", ("http://a:1",), ("http://b:1",))
