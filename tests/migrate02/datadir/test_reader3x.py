"""The key space of a member of etcd 3.x: how far its log counts, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate02.datadir import reader3x
from migrate02.datadir.errors import DataError
from migrate02.datadir.listing import user_keys
from migrate02.datadir.member3x import read_member
from migrate02.datadir.reader3x import MemberState3x, read_state
from server.raft.types import Entry, HardState
from server.storage.requests import StoreRequest, encode_request
from tests.support.datadirs35 import unpack


def with_commit(path: Path, commit: int, monkeypatch: pytest.MonkeyPatch) -> MemberState3x:
    """As if the member knew no more than that of what is committed."""
    member = read_member(path)
    member.log.hard_state = HardState(2, 0, commit)
    member.database = None
    monkeypatch.setattr(reader3x, "read_member", lambda *_: member)
    return read_state(path)


def test_a_member_that_votes_alone_commits_all_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = unpack("wal-only", tmp_path)
    whole = read_state(path)
    state = with_commit(path, 6, monkeypatch)
    assert (state.space.index, state.notes) == (whole.space.index, [])
    assert list(user_keys(state.space.store)) == list(user_keys(whole.space.store))


def test_of_several_members_none_loses_a_write_that_it_does_not_know_to_be_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unpack("three-killed", tmp_path)[0]
    last = read_member(path).last_index
    state = with_commit(path, last - 10, monkeypatch)
    assert state.space.index == last
    assert f"writes of v2 behind entry {last - 10} are not known to be committed" in state.notes[0]
    assert len(list(user_keys(state.space.store))) == 63


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xff", "entry 34 of the log cannot be applied: 2 bytes that do not decode as a request"),
        (
            encode_request(StoreRequest(1, "PUT", "/0/members/ab/attributes", b"{}")),
            "entry 34 of the log cannot be applied: attributes of the unknown member ab",
        ),
    ],
)
def test_an_entry_that_no_etcd_applies_is_refused_with_its_index(
    data: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = unpack("wal-only", tmp_path)
    member = read_member(path)
    member.entries.append(Entry(2, 34, data))
    monkeypatch.setattr(reader3x, "read_member", lambda *_: member)
    with pytest.raises(DataError, match=says):
        read_state(path)


def test_a_snapshot_whose_key_space_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = unpack("snap-only", tmp_path)
    member = read_member(path)
    snapshot = member.chosen.snapshot
    assert snapshot is not None
    member.chosen.snapshot = type(snapshot)(snapshot.index, snapshot.term, snapshot.conf_state, b"{}")
    monkeypatch.setattr(reader3x, "read_member", lambda *_: member)
    with pytest.raises(DataError, match="its key space of v2 cannot be read"):
        read_state(path)
