"""Entries of which the applier could make nothing do not get into the log; those that it can apply do."""

import time
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from server.cluster import Member, Members
from server.node import Applier, CannotApply, junk
from server.node.junk import Judge
from server.raft import Entry, EntryType, Raft, RaftLog
from server.storage.codec import ConfChange, ConfChangeType, decode_entry, encode_conf_change
from server.storage.errors import StorageError
from server.storage.records import RecordType, read_records
from server.storage.replay import list_segments
from server.storage.requests import StoreRequest, decode_request, encode_request
from server.store.store import Store
from tests.support.datadirs import Recorded, recorded

KNOWN, UNKNOWN, REMOVED = Member(1, "m1", ("http://127.0.0.1:1",)), 0xE, 0xD


def put(path: str, value: bytes) -> bytes:
    return encode_request(StoreRequest(id=7, method="PUT", path=path, val=value))


def change(kind: ConfChangeType, member: int, context: bytes = b"") -> bytes:
    return encode_conf_change(ConfChange(kind, member, 5, context))


def normal(data: bytes) -> Entry:
    return Entry(1, 9, data)


def conf_change(data: bytes) -> Entry:
    return Entry(1, 9, data, EntryType.CONF_CHANGE)


class World:
    """An applier, and what it changes."""

    def __init__(self) -> None:
        self.store, self.members = Store(), Members(9)
        self.raft = Raft(1, RaftLog(), random=Random(1))
        self.applier = Applier(self.store, self.members, self.raft)
        self.judge = Judge(self.members, {})
        for number in (KNOWN.id, REMOVED):
            context = Member(number, peer_urls=(f"http://127.0.0.1:{number}",)).context
            self.apply(conf_change(change(ConfChangeType.ADD_NODE, number, context)))
        self.apply(conf_change(change(ConfChangeType.REMOVE_NODE, REMOVED)))

    def apply(self, entry: Entry) -> object:
        return self.applier.apply(entry, self.judge.take(entry.data), time.time_ns())


DEEP = b"[" * 100_000
ATTRIBUTES = "/0/members/%x/attributes"

JUNK: dict[str, Entry] = {
    "bytes that are no request": normal(b"\xff\xff\xff"),
    "a letter": normal(b"x"),
    "a request cut short": normal(put("/1/a", b"v")[:-30]),
    "neither form": normal(b"\x12\x04JUNK"),
    "bytes that are no change": conf_change(b"\xff\xff\xff"),
    "a change of a kind that none is": conf_change(b"\x08\x01\x10\x63\x18\x05"),
    "attributes that are no JSON": normal(put(ATTRIBUTES % KNOWN.id, b"junk")),
    "attributes of too many brackets": normal(put(ATTRIBUTES % KNOWN.id, DEEP)),
    "attributes that are no object": normal(put(ATTRIBUTES % KNOWN.id, b"[1]")),
    "a version that is none": normal(put("/0/version", b"junk")),
    "a version of many digits": normal(put("/0/version", b"9" * 5000 + b".1.0")),
}
"""Applied, each of these ends a member."""

JUNK_OF_NOW: dict[str, Entry] = {
    "attributes of an unknown member": normal(put(ATTRIBUTES % UNKNOWN, b"{}")),
    "a version that is too new": normal(put("/0/version", b"3.9.0")),
}
"""Applied now, these do, but another time or elsewhere they may not: a leader does not take them."""

DEADLY_FOR_REAL: dict[str, Entry] = {
    "a context that is no JSON": conf_change(change(ConfChangeType.ADD_NODE, 5, b"junk")),
    "a context of too many brackets": conf_change(change(ConfChangeType.ADD_NODE, 5, DEEP)),
    "a context of another member": conf_change(change(ConfChangeType.UPDATE_NODE, 1, Member(5).context)),
    "the addition of nobody": conf_change(change(ConfChangeType.ADD_NODE, 0, Member(0).context)),
}
"""They change nothing here, and real etcd ends."""

GOOD: dict[str, Entry] = {
    "an empty one": normal(b""),
    "a write": normal(put("/1/a", b"\xff\x00")),
    "a write of 3.x": normal(bytes.fromhex("12") + bytes([len(put("/1/a", b"v"))]) + put("/1/a", b"v")),
    "a v3 put": normal(bytes.fromhex("22060a016112017a")),
    "an unknown method": normal(encode_request(StoreRequest(method="HEAD", path="/1/a"))),
    "attributes": normal(put(ATTRIBUTES % KNOWN.id, KNOWN.attributes)),
    "attributes of one that was removed": normal(put(ATTRIBUTES % REMOVED, b"{}")),
    "a version": normal(put("/0/version", b"2.3.0")),
    "a key beside the members": normal(put("/0/members/junk", b"junk")),
    "an addition": conf_change(change(ConfChangeType.ADD_NODE, 5, Member(5).context)),
    "a removal": conf_change(change(ConfChangeType.REMOVE_NODE, 1)),
    "half a surrogate pair in a name": normal(put(ATTRIBUTES % KNOWN.id, b'{"name":"\\ud800"}')),
}


@pytest.mark.parametrize("name", JUNK)
def test_what_would_end_a_member_is_told_before_it_is_in_the_log(name: str) -> None:
    world = World()
    assert world.judge.fault_of(JUNK[name])
    assert world.judge.fault_of_proposal(JUNK[name])
    with pytest.raises(CannotApply, match=r"entry 9 of the log|cluster version"):
        world.apply(JUNK[name])


def test_a_change_that_says_nothing_which_no_log_can_hold_is_junk() -> None:
    assert World().judge.fault_of(conf_change(b""))
    assert World().judge.fault_of_proposal(conf_change(b""))


@pytest.mark.parametrize(("count", "size"), [(junk.MOST_KEPT + 1000, 1), (100, junk.MOST_BYTES_KEPT // 64)])
def test_what_was_decoded_is_kept_until_it_is_applied_and_only_so_much_of_it(count: int, size: int) -> None:
    judge = Judge(Members(9), {})
    entries = [normal(put(f"/1/{number}", bytes(size))) for number in range(count)]
    for entry in entries:
        assert judge.fault_of(entry) == ""
    kept = [entry for entry in entries if judge.take(entry.data) is not None]
    assert kept == entries[-len(kept) :]
    assert 0 < len(kept) <= junk.MOST_KEPT
    assert sum(len(entry.data) for entry in kept) <= junk.MOST_BYTES_KEPT
    assert judge.take(entries[-1].data) is None


def test_all_that_a_leader_sends_at_a_time_is_decoded_once() -> None:
    judge = Judge(Members(9), {})
    entries = [normal(put(f"/1/{number}", b"v")) for number in range((1 << 20) // len(put("/1/1", b"v")))]
    assert [fault for entry in entries if (fault := judge.fault_of(entry))] == []
    assert [judge.take(entry.data) for entry in entries] == [decode_request(entry.data) for entry in entries]


def test_a_proposal_is_decoded_once_and_what_this_member_proposed_itself_never() -> None:
    entry = GOOD["a write"]
    leader, follower = Judge(Members(9), {}), Judge(Members(9), {entry.data: None})
    assert (leader.fault_of_proposal(entry), follower.fault_of(entry)) == ("", "")
    assert leader.take(entry.data) == decode_request(entry.data)
    assert follower.take(entry.data) is None


@pytest.mark.parametrize("name", JUNK_OF_NOW)
def test_what_would_end_a_member_as_things_are_is_no_proposal_that_is_taken(name: str) -> None:
    world = World()
    assert world.judge.fault_of(JUNK_OF_NOW[name]) == ""
    assert world.judge.fault_of_proposal(JUNK_OF_NOW[name])
    with pytest.raises(CannotApply):
        world.apply(JUNK_OF_NOW[name])


@pytest.mark.parametrize("name", DEADLY_FOR_REAL)
def test_what_would_end_a_real_etcd_is_no_proposal_that_is_taken(name: str) -> None:
    world = World()
    assert world.judge.fault_of(DEADLY_FOR_REAL[name]) == ""
    assert world.judge.fault_of_proposal(DEADLY_FOR_REAL[name])
    if "nobody" not in name:
        before = list(world.members)
        world.apply(DEADLY_FOR_REAL[name])
        assert list(world.members) == before


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_applied_is_taken(name: str) -> None:
    world = World()
    assert world.judge.fault_of(GOOD[name]) == ""
    assert world.judge.fault_of_proposal(GOOD[name]) == ""
    world.apply(GOOD[name])


@pytest.mark.parametrize("of", recorded(), ids=str)
def test_no_entry_of_a_recorded_cluster_is_junk(of: Recorded, tmp_path: Path) -> None:
    entries = []
    for segment in list_segments(of.unpack(tmp_path) / "member" / "wal"):
        with suppress(StorageError):  # some are torn, and the checksums of later segments are not asked for
            for record in read_records(segment.path):
                if record.type == RecordType.ENTRY:
                    entries.append(decode_entry(record.data))
    assert entries
    judge = Judge(Members(9), {})
    assert [fault for entry in entries if (fault := judge.fault_of(entry))] == []


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_not_junk_is_applied_without_an_exception_that_nobody_expected(seed: int) -> None:
    """Requests of all fields and methods, with odd paths and numbers, and every byte of them changed."""
    random, world = Random(seed), World()
    for _ in range(400):
        data = bytearray(encode_request(_any_request(random)))
        if random.random() < 0.5 and data:
            data[random.randrange(len(data))] = random.randrange(256)
        entry = normal(bytes(data))
        if not world.judge.fault_of_proposal(entry):
            world.apply(entry)


def _any_request(random: Random) -> StoreRequest:
    big = (0, 1, -1, 1 << 31, (1 << 63) - 1, -(1 << 63), time.time_ns())
    parts = ("", "a", "..", ".", "_h", "\udcff", "\x00", "é" * 50, "0", "members", "version", "1")
    return StoreRequest(
        id=random.getrandbits(64),
        method=random.choice(("PUT", "POST", "DELETE", "QGET", "SYNC", "GET", "HEAD", "JUNK")),
        path=random.choice(("", "/", "//", "/1", "/1/", "/0/"))
        + "/".join(random.choices(parts, k=random.randrange(5))),
        val=random.choice((b"", b"v", b"\xff" * 9)),
        dir=random.random() < 0.3,
        prev_value=random.choice((b"", b"v")),
        prev_index=random.choice((0, 1, 1 << 63, (1 << 64) - 1)),
        prev_exist=random.choice((None, True, False)),
        expiration=random.choice(big),
        recursive=random.random() < 0.5,
        sorted=random.random() < 0.5,
        since=random.getrandbits(64),
        time=random.choice(big),
        refresh=random.choice((None, True, False)),
    )
