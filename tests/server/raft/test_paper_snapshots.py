"""Log compaction and snapshots: section 7 of the Raft paper (extended version), with figure 13's InstallSnapshot RPC line
by line, as far as it applies to a snapshot that comes in one piece."""

import pytest

from server.raft import Entry, HardState, Message, MessageType, Raft, RaftLog, RaftRole, Snapshot
from tests.server.raft.driving import (
    accepts,
    elected,
    entries,
    log_of,
    member,
    refuses,
    said,
    settle,
    tell,
    terms_of,
)

NODES = (1, 2, 3)


def compacted_leader() -> Raft:
    """Leads term 2; its log begins after entry 3, its last is entry 5; 2 is up to date, 3 was not heard of."""
    raft = elected(log=log_of(1, 1, 1, 1, committed=4), term=1)
    accepts(raft, 2, 5)
    raft.log.compact(3)
    return raft


# The leader


def test_7_a_follower_that_needs_what_is_compacted_away_gets_a_snapshot() -> None:
    raft = compacted_leader()
    (message,) = refuses(raft, 3, index=4, hint=1)
    assert (message.type, message.to, message.index, message.snapshot) == (MessageType.SNAPSHOT, 3, 3, None)


def test_7_the_last_entry_that_is_compacted_away_is_still_good_to_match_the_next() -> None:
    (append,) = refuses(compacted_leader(), 3, index=4, hint=3)
    assert (append.type, append.index, append.log_term) == (MessageType.APPEND, 3, 1)


def test_no_snapshot_goes_to_who_was_not_heard_of_since_the_election() -> None:
    raft = elected((1, 2))
    accepts(raft, 2, 1)
    raft.apply_conf_change(add=3)
    raft.propose(b"x")
    settle(raft)
    accepts(raft, 2, 2)
    raft.log.compact(2)
    raft.tick()
    raft.propose(b"y")
    assert [m.type for m in said(raft) if m.to == 3] == [MessageType.HEARTBEAT]
    (message,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 3)
    assert (message.type, message.index) == (MessageType.SNAPSHOT, 2)


def test_while_a_snapshot_is_on_its_way_nothing_but_heartbeats_follows() -> None:
    raft = compacted_leader()
    refuses(raft, 3, index=4, hint=0)
    for _ in range(3):
        raft.tick()
        raft.propose(b"x")
        assert [m.type for m in said(raft) if m.to == 3] == [MessageType.HEARTBEAT]
        assert tell(raft, MessageType.HEARTBEAT_RESPONSE, 3) == []


@pytest.mark.parametrize("taken_at", [3, 4])
def test_a_follower_that_has_installed_a_snapshot_gets_what_follows(taken_at: int) -> None:
    raft = compacted_leader()
    refuses(raft, 3, index=4, hint=0)
    (append,) = accepts(raft, 3, taken_at)  # of the same state or of a later one
    assert (append.type, append.index) == (MessageType.APPEND, taken_at)
    accepts(raft, 3, 5)
    raft.propose(b"x")
    assert [(m.to, m.index) for m in said(raft)] == [(2, 5), (3, 5)]


def test_a_snapshot_that_arrived_is_followed_up_after_an_answer_or_a_heartbeat() -> None:
    raft = compacted_leader()
    refuses(raft, 3, index=4, hint=0)
    raft.snapshot_ended(3, arrived=True)
    raft.propose(b"x")
    assert [m.to for m in said(raft)] == [2]
    raft.tick()
    said(raft)
    (append,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 3)
    assert (append.type, append.index) == (MessageType.APPEND, 3)


def test_a_snapshot_that_did_not_arrive_is_sent_again_after_a_heartbeat() -> None:
    raft = compacted_leader()
    refuses(raft, 3, index=4, hint=0)
    raft.snapshot_ended(3, arrived=False)
    assert said(raft) == []
    raft.tick()
    said(raft)
    (message,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 3)
    assert message.type is MessageType.SNAPSHOT
    raft.snapshot_ended(9, arrived=True)  # of nobody it knows
    raft.snapshot_ended(2, arrived=True)  # of somebody who got none
    raft.propose(b"x")
    assert [m.to for m in said(raft)] == [2]


def test_7_compaction_while_appends_are_on_their_way_loses_none_of_them() -> None:
    raft = elected((1, 2))
    accepts(raft, 2, 1)
    raft.propose(b"a")
    raft.propose(b"b")
    ready = raft.ready()
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 1, index=2))
    raft.advance(ready)
    settle(raft)
    raft.log.compact(2)
    assert [entry.data for m in ready.messages for entry in m.entries] == [b"a", b"b"]
    raft.unreachable(2)
    raft.propose(b"c")
    (append,) = said(raft)
    assert (append.index, [entry.data for entry in append.entries]) == (2, [b"b", b"c"])


# The follower: InstallSnapshot RPC, receiver implementation (figure 13)


def install(raft: Raft, snapshot: Snapshot, term: int = 3) -> Message:
    raft.step(Message(MessageType.SNAPSHOT, raft.id, 2, term, snapshot=snapshot))
    (answer,) = said(raft)
    assert answer.type is MessageType.APPEND_RESPONSE
    return answer


def test_figure_13_line_1_an_earlier_term_is_refused() -> None:
    raft = member(term=4)
    answer = install(raft, Snapshot(9, 3, NODES, b""))
    assert (answer.term, answer.index, raft.log.last_index) == (4, 0, 0)


def test_figure_13_line_5_what_is_older_than_what_is_committed_is_not_taken() -> None:
    raft = member(log=log_of(1, 1, 3, committed=2), term=3)
    answer = install(raft, Snapshot(2, 1, NODES, b""))
    assert (answer.index, answer.reject, terms_of(raft)) == (2, False, [1, 1, 3])


def test_figure_13_line_6_a_log_that_has_the_last_entry_of_the_snapshot_stays() -> None:
    raft = member(log=log_of(1, 1, 2, 3), term=3)
    raft.step(Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=Snapshot(3, 2, NODES, b"")))
    ready = raft.ready()
    assert (ready.snapshot, ready.hard_state) == (None, HardState(3, 0, 3))
    assert (terms_of(raft), [m.index for m in ready.messages]) == ([1, 1, 2, 3], [3])


@pytest.mark.parametrize("log", [(), (1,), (1, 1, 1, 1), (1, 1, 1, 1, 1, 1)])
def test_figure_13_lines_7_and_8_any_other_log_gives_way_and_so_does_the_state_machine(
    log: tuple[int, ...],
) -> None:
    raft = member(1, (1, 2), log_of(*log), term=1)
    snapshot = Snapshot(4, 2, (1, 2, 3, 4), b"state")
    raft.step(Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=snapshot))
    ready = raft.ready()
    assert (ready.snapshot, ready.must_sync, ready.send_first) == (snapshot, True, False)
    assert (ready.hard_state, ready.entries, ready.committed) == (HardState(3, 0, 4), [], [])
    assert [(m.type, m.index, m.reject) for m in ready.messages] == [(MessageType.APPEND_RESPONSE, 4, False)]
    raft.advance(ready)
    assert (raft.voters, raft.log.first_index, raft.log.last_index, raft.log.last_term) == (
        (1, 2, 3, 4),
        5,
        4,
        2,
    )
    assert not raft.ready()


def test_7_the_log_goes_on_behind_the_snapshot() -> None:
    raft = member(log=log_of(1), term=1)
    install(raft, Snapshot(4, 2, NODES, b""))
    new = tuple(entries(3, 3, first=5))
    (answer,) = tell(raft, MessageType.APPEND, 2, index=4, log_term=2, entries=new, commit=5)
    assert (answer.index, answer.reject, raft.log.applied) == (6, False, 5)


def test_7_a_snapshot_heard_twice_is_installed_once() -> None:
    raft = member(log=log_of(1), term=1)
    snapshot = Snapshot(4, 2, NODES, b"")
    for _ in range(2):
        raft.step(Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=snapshot))
    first, *rest = settle(raft)
    assert (first.snapshot, rest, [m.index for m in first.messages]) == (snapshot, [], [4, 4])


def test_7_of_two_snapshots_the_later_is_installed() -> None:
    raft = member(term=1)
    for index in (4, 9, 7):
        raft.step(Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=Snapshot(index, 2, NODES, b"")))
    (ready,) = settle(raft)
    assert ready.snapshot is not None
    assert (ready.snapshot.index, [m.index for m in ready.messages]) == (9, [4, 9, 9])


def test_a_snapshot_may_come_while_the_entries_it_replaces_are_written_and_applied() -> None:
    raft = member(log=log_of(1, 1, committed=2), term=1)
    raft.step(Message(MessageType.APPEND, 1, 3, 1, 2, 1, entries=tuple(entries(1, 1, first=3))))
    ready = raft.ready()
    assert (len(ready.entries), len(ready.committed)) == (2, 2)
    raft.step(Message(MessageType.SNAPSHOT, 1, 2, 3, snapshot=Snapshot(3, 2, NODES, b"")))
    raft.step(Message(MessageType.APPEND, 1, 2, 3, 3, 2, entries=(Entry(3, 4),)))
    raft.advance(ready)
    assert (raft.log.applied, raft.log.stable, raft.log.last_index) == (3, 3, 4)
    second = raft.ready()
    assert second.snapshot is not None
    assert (second.entries, second.committed, second.hard_state) == ([Entry(3, 4)], [], HardState(3, 0, 3))


def test_a_leader_of_the_term_takes_no_snapshot() -> None:
    raft = elected()
    raft.step(Message(MessageType.SNAPSHOT, 1, 2, raft.term, snapshot=Snapshot(9, 1, NODES, b"")))
    assert (raft.role, raft.log.last_index, said(raft)) == (RaftRole.LEADER, 1, [])


def test_a_snapshot_message_without_one_is_refused() -> None:
    raft = member()
    assert raft.step(Message(MessageType.SNAPSHOT, 1, 2, 1)) is not None
    assert (raft.hard_state, said(raft)) == (HardState(), [])


def test_7_a_member_starts_from_its_snapshot_and_the_log_behind_it() -> None:
    log = RaftLog(entries(2, 3, first=5), compacted=4, compacted_term=2, committed=5)
    raft = member(log=log, term=3)
    assert [entry.index for ready in settle(raft) for entry in ready.committed] == [5]
    assert (raft.log.first_index, raft.log.term_at(4), raft.log.term_at(3)) == (5, 2, None)
