"""What is committed, and when: sections 5.3, 5.4.2, 5.4.3 and 8 of the Raft paper (extended version)."""

import pytest

from server.raft import Entry, HardState, Message, MessageType
from server.raft.log import MAX_BATCH_ENTRIES
from tests.server.raft.driving import accepts, elected, entries, log_of, member, said, settle, tell

# 5.3: an entry is committed once a majority has it


@pytest.mark.parametrize(
    ("voters", "others", "committed"),
    [
        ((1,), (), True),
        ((1, 2), (), False),
        ((1, 2), (2,), True),
        ((1, 2, 3), (), False),
        ((1, 2, 3), (3,), True),
        ((1, 2, 3, 4), (2,), False),
        ((1, 2, 3, 4), (2, 4), True),
        ((1, 2, 3, 4, 5), (5,), False),
        ((1, 2, 3, 4, 5), (5, 2), True),
    ],
)
def test_5_3_an_entry_is_committed_once_a_majority_has_it(
    voters: tuple[int, ...], others: tuple[int, ...], committed: bool
) -> None:
    raft = elected(voters)
    for voter in others:
        for _ in range(3):
            accepts(raft, voter, 1)
    assert raft.log.committed == committed


def test_5_3_the_leader_s_own_copy_counts_when_it_is_on_its_disk() -> None:
    raft = elected()
    raft.propose(b"x")
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, raft.term, index=2))
    assert raft.log.committed == 1
    settle(raft)
    assert raft.log.committed == 2


def test_5_3_what_came_while_the_disk_worked_is_not_on_it() -> None:
    raft = elected((1, 2, 3, 4, 5))
    for voter in (2, 3):
        accepts(raft, voter, 1)
    raft.propose(b"a")
    first = raft.ready()
    raft.propose(b"b")
    for voter in (2, 3):  # faster than the leader's own disk
        raft.step(Message(MessageType.APPEND_RESPONSE, 1, voter, raft.term, index=3))
    raft.advance(first)
    assert (raft.log.stable, raft.log.committed) == (2, 2)
    settle(raft)
    assert raft.log.committed == 3


def test_5_3_a_majority_without_the_leader_is_one() -> None:
    raft = elected()
    raft.propose(b"x")
    first = raft.ready()
    for voter in (2, 3):
        raft.step(Message(MessageType.APPEND_RESPONSE, 1, voter, raft.term, index=2))
    assert raft.log.committed == 2
    raft.advance(first)
    assert [entry.index for ready in settle(raft) for entry in ready.committed] == [1, 2]


def test_5_3_what_is_committed_is_told_with_the_next_append() -> None:
    raft = elected()
    told = accepts(raft, 2, 1)
    assert [(m.type, m.to, m.commit) for m in told] == [
        (MessageType.APPEND, 2, 1)
    ]  # 3 has a probe on its way
    raft.tick()
    said(raft)
    (append,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 3)
    assert (append.to, append.commit) == (3, 1)


def test_5_3_a_heartbeat_tells_of_no_more_than_the_follower_has() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.tick()
    commits = {m.to: m.commit for m in said(raft) if m.type is MessageType.HEARTBEAT}
    assert (raft.log.committed, commits) == (1, {2: 1, 3: 0})


def test_5_3_a_follower_learns_from_a_heartbeat_what_is_committed() -> None:
    raft = member(log=log_of(1, 1), term=1)
    tell(raft, MessageType.HEARTBEAT, 2, commit=1)
    assert (raft.log.committed, raft.log.applied) == (1, 1)
    tell(raft, MessageType.HEARTBEAT, 2, commit=0)
    assert raft.log.committed == 1


def test_a_heartbeat_that_commits_what_is_not_here_is_dropped_and_never_made_to_fit() -> None:
    raft = member(log=log_of(1, 1), term=1)
    why = raft.step(Message(MessageType.HEARTBEAT, 1, 2, 1, commit=3))
    assert why is not None
    assert "tocommit(3) is out of range [lastIndex(2)]" in why.text
    assert (said(raft), raft.log.committed, raft.leader) == ([], 0, 0)


# Figure 2, "all servers", first line: applied in order, once


def test_figure_2_what_is_committed_is_applied_in_the_order_of_the_log() -> None:
    raft = member(log=log_of(1, 1, 2, committed=1), term=2)
    tell(raft, MessageType.HEARTBEAT, 2, commit=2)
    tell(raft, MessageType.APPEND, 2, index=3, log_term=2, entries=tuple(entries(2, first=4)), commit=4)
    again = member(log=log_of(1, 1, 2, 2, committed=4), term=2)
    assert raft.log.applied == 4
    assert [entry.index for ready in settle(again) for entry in ready.committed] == [1, 2, 3, 4]


def test_a_follower_applies_what_it_has_on_disk() -> None:
    raft = member()
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1, 1)), commit=7))
    first = raft.ready()
    assert (raft.log.committed, len(first.entries), first.committed) == (2, 2, [])
    raft.advance(first)
    assert raft.ready().committed == entries(1, 1)


def test_a_long_log_is_applied_in_batches_with_time_for_ticks_between_them() -> None:
    count = 2 * MAX_BATCH_ENTRIES + 1
    raft = member(log=log_of(*[1] * count, committed=count), term=1)
    assert [len(ready.committed) for ready in settle(raft)] == [MAX_BATCH_ENTRIES, MAX_BATCH_ENTRIES, 1]


# 5.4.2 Committing entries from previous terms


def test_5_4_2_entries_of_earlier_terms_are_committed_only_along_with_one_of_the_own() -> None:
    raft = elected(log=log_of(1, 1), term=1)
    for voter in (2, 3):
        accepts(raft, voter, 2)
    assert raft.log.committed == 0
    accepts(raft, 2, 3)
    assert raft.log.committed == 3


def test_5_4_2_figure_8_an_entry_of_term_2_on_a_majority_may_still_be_lost() -> None:
    """(c): S1 leads term 4 and has brought entry 2, of term 2, to a majority; (d): S5, with an entry of term 3, can
    still be elected, so it must not be committed; (e): with one of term 4 behind it, S5 cannot, and it is."""
    s1 = elected((1, 2, 3, 4, 5), log_of(1, 2), term=3)
    for voter in (2, 3):
        accepts(s1, voter, 2)
    assert s1.log.committed == 0
    s2 = member(2, (1, 2, 3, 4, 5), log_of(1, 2), term=4)
    (answer,) = tell(s2, MessageType.VOTE, 5, term=5, index=2, log_term=3)
    assert not answer.reject
    for voter in (2, 3):
        accepts(s1, voter, 3)
    assert s1.log.committed == 3
    s2 = member(2, (1, 2, 3, 4, 5), log_of(1, 2, 4), term=4)
    (answer,) = tell(s2, MessageType.VOTE, 5, term=5, index=2, log_term=3)
    assert answer.reject


# 5.4.3 Safety argument: the voter that a majority has in common with any later one


def test_5_4_3_whoever_lacks_a_committed_entry_finds_no_majority() -> None:
    leader = elected()
    accepts(leader, 2, 1)
    assert leader.log.committed == 1
    candidate = member(3, term=1)
    candidate.campaign()
    (request, _) = said(candidate)
    refusals = [
        tell(member(number, log=log_of(1), term=1), MessageType.VOTE, 3, term=2)[0].reject
        for number in (1, 2)
    ]
    assert (request.index, refusals) == (0, [True, True])


# 8 Client interaction


def test_8_a_leader_begins_its_term_with_an_empty_entry_to_learn_what_is_committed() -> None:
    raft = elected(log=log_of(1, committed=0), term=1)
    assert raft.log.entries_from(2) == [Entry(2, 2)]
    accepts(raft, 2, 2)
    assert raft.log.committed == 2


def test_the_only_voter_saves_the_commit_index_together_with_the_entries_it_is_for() -> None:
    raft = member(1, (1,))
    raft.campaign()
    settle(raft)
    raft.propose(b"a", b"b")
    assert [(len(ready.entries), ready.hard_state) for ready in settle(raft)] == [
        (2, HardState(1, 1, 3)),
        (0, None),
    ]


def test_a_commit_index_that_others_decide_comes_after_the_entries() -> None:
    raft = elected()
    raft.propose(b"a")
    assert raft.ready().hard_state is None
