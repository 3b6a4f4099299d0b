"""The contract of ``ready`` and ``advance``: persist before send, one sync for all that arrived meanwhile."""

import pytest

from server.raft import Entry, HardState, Message, MessageType, RaftRole
from tests.server.raft.driving import accepts, elected, entries, log_of, member, said, settle


def test_every_ready_is_finished_before_the_next() -> None:
    raft = member(1, (1,))
    ready = raft.ready()
    with pytest.raises(RuntimeError):
        raft.ready()
    raft.advance(ready)
    with pytest.raises(RuntimeError):
        raft.advance(ready)


def test_nothing_to_do_is_no_ready_to_do_it() -> None:
    raft = elected()
    settle(raft)
    ready = raft.ready()
    assert not ready
    assert not ready.must_sync


def test_an_only_voter_s_first_entry_is_saved_along_with_its_commit_index_and_then_handed_out() -> None:
    raft = member(1, (1,))
    raft.campaign()
    first, *rest = settle(raft)
    assert (first.hard_state, first.entries, first.committed) == (HardState(1, 1, 1), [Entry(1, 1)], [])
    assert not first.send_first
    assert [entry for ready in rest for entry in ready.committed] == [Entry(1, 1)]
    assert raft.hard_state == HardState(1, 1, 1)


def test_what_arrives_while_the_disk_works_shares_the_next_sync() -> None:
    raft = elected((1,))
    raft.propose(b"a")
    first = raft.ready()
    for data in (b"b", b"c", b"d"):
        raft.propose(data)
    raft.advance(first)
    second = raft.ready()
    assert [entry.data for entry in first.entries] == [b"a"]
    assert [entry.data for entry in second.entries] == [b"b", b"c", b"d"]
    assert [entry.data for entry in second.committed] == [b"a"]


def test_entries_that_were_replaced_while_they_were_written_are_written_anew() -> None:
    raft = member()
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1, 1, 1))))
    first = raft.ready()
    raft.step(Message(MessageType.APPEND, 1, 3, 2, 1, 1, entries=tuple(entries(2, 2, first=2))))
    raft.advance(first)
    assert raft.ready().entries == [Entry(1, 1), Entry(2, 2), Entry(2, 3)]


def test_what_an_only_voter_writes_as_committed_gives_way_to_nothing_forged_meanwhile() -> None:
    raft = elected((1,))
    raft.propose(b"a")
    ready = raft.ready()
    assert ready.hard_state is not None
    assert ready.hard_state.commit == ready.entries[-1].index == 2
    raft.step(Message(MessageType.APPEND, 1, 99, 9, 1, 1, entries=(Entry(9, 2, b"forged"),), commit=2))
    raft.advance(ready)
    after = raft.ready()
    assert [entry.data for entry in after.committed] == [b"a"]
    assert not after.entries
    assert raft.hard_state.commit == 2


def test_a_commit_index_alone_need_not_be_synced_but_a_term_must() -> None:
    raft = member(log=log_of(1), term=1)
    raft.step(Message(MessageType.HEARTBEAT, 1, 2, 1, commit=1))
    first = raft.ready()
    assert (first.hard_state, first.must_sync) == (HardState(1, 0, 1), False)
    raft.advance(first)
    raft.step(Message(MessageType.HEARTBEAT, 1, 2, 2, commit=1))
    second = raft.ready()
    assert (second.hard_state, second.must_sync) == (HardState(2, 0, 1), True)


# Which messages may leave before the disk is done (Raft thesis, 10.2.1)


def test_a_leader_sends_its_entries_while_it_writes_them() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.propose(b"x")
    ready = raft.ready()
    assert (ready.must_sync, ready.send_first) == (True, True)
    assert [m.type for m in ready.messages] == [MessageType.APPEND]


def test_a_candidate_sends_nothing_before_its_term_and_vote_are_saved() -> None:
    raft = member()
    raft.campaign()
    assert not raft.ready().send_first


def test_a_leader_whose_election_is_not_saved_yet_does_not_either() -> None:
    raft = member(1, (1,))
    raft.apply_conf_change(add=2)
    raft.campaign()
    first = raft.ready()
    raft.campaign()  # the term of the first try is being saved
    raft.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 2))
    raft.advance(first)
    second = raft.ready()
    assert (raft.role, second.hard_state, second.send_first) == (RaftRole.LEADER, HardState(2, 1, 0), False)


def test_a_follower_s_answers_wait_for_the_disk() -> None:
    raft = member(term=1)
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1))))
    assert not raft.ready().send_first


def test_who_has_just_ceased_to_lead_waits_for_the_disk_with_all_it_says() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.propose(b"x")
    raft.step(Message(MessageType.APPEND, 1, 3, 2, 1, 1, entries=tuple(entries(2, first=2))))
    ready = raft.ready()
    assert ({m.type for m in ready.messages}, ready.send_first) == (
        {MessageType.APPEND, MessageType.APPEND_RESPONSE},
        False,
    )
    raft.advance(ready)
    assert said(raft) == []


def test_a_leader_s_heartbeats_leave_while_a_save_takes_long() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.propose(b"x")
    ready = raft.ready()
    raft.tick()
    assert [m.type for m in raft.early_messages()] == [MessageType.HEARTBEAT, MessageType.HEARTBEAT]
    assert raft.early_messages() == []
    raft.advance(ready)
    assert raft.ready().messages == []


def test_nobody_else_s_messages_leave_while_a_save_takes_long() -> None:
    follower = member(term=1)
    follower.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1))))
    ready = follower.ready()
    follower.step(Message(MessageType.HEARTBEAT, 1, 2, 1))
    assert follower.early_messages() == []
    follower.advance(ready)
    assert [m.type for m in follower.ready().messages] == [MessageType.HEARTBEAT_RESPONSE]


def test_a_leader_whose_term_is_being_saved_keeps_its_messages_until_then() -> None:
    raft = member(1, (1,))
    raft.apply_conf_change(add=2)
    raft.campaign()
    ready = raft.ready()
    raft.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 1))
    assert raft.role is RaftRole.LEADER
    assert raft.early_messages() == []
    raft.advance(ready)
    assert [m.type for m in raft.ready().messages] == [MessageType.APPEND]


def test_it_is_known_before_whether_the_next_ready_holds_anything() -> None:
    raft = elected((1,))
    raft.advance(raft.ready())
    seen = []
    raft.propose(b"a")
    for _ in range(4):
        known = raft.has_ready()
        ready = raft.ready()
        seen.append((known, bool(ready)))
        raft.advance(ready)
    assert seen == [(True, True), (True, True), (False, False), (False, False)]
