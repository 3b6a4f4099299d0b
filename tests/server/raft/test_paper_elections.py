"""Terms and elections: sections 5.1, 5.2 and 5.4.1 of the Raft paper (extended version), and figure 2's lines on them.

Then what etcd adds: the answers to a pre-vote, and members that may not lead.
"""

import pytest

from server.raft import Entry, HardState, Message, MessageType, Raft, RaftLog, RaftRole, Snapshot
from tests.server.raft.driving import (
    ELECTION,
    elected,
    entries,
    log_of,
    member,
    said,
    settle,
    tell,
    ticks_until_it_stands,
)

FROM_A_LEADER = [MessageType.APPEND, MessageType.HEARTBEAT, MessageType.SNAPSHOT]
OTHERS = [
    MessageType.APPEND_RESPONSE,
    MessageType.VOTE,
    MessageType.VOTE_RESPONSE,
    MessageType.HEARTBEAT_RESPONSE,
]

# 5.1 Raft basics; figure 2, "all servers"


@pytest.mark.parametrize("role", RaftRole)
@pytest.mark.parametrize("kind", [*FROM_A_LEADER, *OTHERS])
def test_5_1_a_later_term_is_taken_over_and_makes_a_follower(kind: MessageType, role: RaftRole) -> None:
    raft = elected() if role is RaftRole.LEADER else member()
    if role is RaftRole.CANDIDATE:
        raft.campaign()
    snapshot = Snapshot(99, 5, (1, 2, 3), b"")
    tell(raft, kind, 2, term=raft.term + 5, index=99, snapshot=snapshot)
    assert (raft.term, raft.role) == (5 + (role is not RaftRole.FOLLOWER), RaftRole.FOLLOWER)
    assert raft.leader == (2 if kind in FROM_A_LEADER else 0)


@pytest.mark.parametrize(
    "kind",
    [
        MessageType.APPEND_RESPONSE,
        MessageType.VOTE_RESPONSE,
        MessageType.HEARTBEAT_RESPONSE,
        MessageType.PRE_VOTE_RESPONSE,
    ],
)
def test_5_1_a_message_of_an_earlier_term_is_passed_over(kind: MessageType) -> None:
    raft = member(term=5)
    assert tell(raft, kind, 2, term=4) == []
    assert (raft.hard_state, raft.leader) == (HardState(5, 0, 0), 0)


@pytest.mark.parametrize("kind", FROM_A_LEADER)
def test_5_1_who_still_thinks_it_leads_is_told_of_the_later_term(kind: MessageType) -> None:
    raft = member(log=log_of(1), term=5)
    snapshot = Snapshot(2, 4, (1, 2, 3), b"") if kind is MessageType.SNAPSHOT else None
    (answer,) = tell(
        raft, kind, 2, term=4, index=1, entries=tuple(entries(4, first=2)), commit=1, snapshot=snapshot
    )
    assert (answer.type, answer.to, answer.term) == (MessageType.APPEND_RESPONSE, 2, 5)
    assert (raft.log.last_index, raft.leader) == (1, 0)
    leader = elected(term=3)
    leader.step(Message(answer.type, 1, 2, answer.term))
    assert (leader.role, leader.term) == (RaftRole.FOLLOWER, 5)


def test_figure_2_vote_line_1_a_candidate_of_an_earlier_term_is_refused_and_told_of_the_later() -> None:
    raft = member(term=5)
    (answer,) = tell(raft, MessageType.VOTE, 2, term=4, index=9, log_term=4)
    assert (answer.type, answer.to, answer.term, answer.reject) == (MessageType.VOTE_RESPONSE, 2, 5, True)
    assert raft.hard_state == HardState(5, 0, 0)
    candidate = member(term=3)
    candidate.campaign()
    candidate.step(Message(answer.type, 1, 2, answer.term, reject=True))
    assert (candidate.role, candidate.term) == (RaftRole.FOLLOWER, 5)


def test_5_1_a_leader_counts_no_answer_of_an_earlier_term() -> None:
    """It led that term too; of what was accepted then another leader may have left nothing."""
    raft = elected(log=log_of(1, 1), term=1)
    assert tell(raft, MessageType.APPEND_RESPONSE, 2, term=1, index=3) == []
    assert raft.log.committed == 0
    assert (
        tell(raft, MessageType.APPEND_RESPONSE, 2, index=0) == []
    )  # from who has had to do with an earlier leader
    assert raft.log.committed == 0


def test_5_1_a_later_term_frees_the_vote_of_the_earlier() -> None:
    raft = member(term=3, vote=2)
    (answer,) = tell(raft, MessageType.VOTE, 3, term=4)
    assert (answer.reject, raft.hard_state) == (False, HardState(4, 3, 0))


def test_figure_2_term_and_vote_are_found_again_after_a_crash() -> None:
    raft = member()
    raft.step(Message(MessageType.VOTE, 1, 2, 7))
    (ready,) = settle(raft)
    assert ready.hard_state is not None
    again = member(term=ready.hard_state.term, vote=ready.hard_state.vote)
    (answer,) = tell(again, MessageType.VOTE, 3, term=7)
    assert (answer.reject, again.hard_state) == (True, HardState(7, 2, 0))


def test_figure_2_a_log_of_a_later_term_than_the_hard_state_gives_the_term() -> None:
    """A save that was torn after its entries."""
    raft = member(log=log_of(1, 4), term=1, vote=3)
    assert raft.ready().hard_state == HardState(4, 0, 0)


# 5.2 Leader election; figure 2, "followers", "candidates" and the RequestVote RPC


def test_5_2_a_server_starts_as_a_follower_of_nobody() -> None:
    raft = member(term=3, vote=1)
    assert (raft.role, raft.leader, raft.term) == (RaftRole.FOLLOWER, 0, 3)


@pytest.mark.parametrize("kind", [MessageType.APPEND, MessageType.HEARTBEAT])
def test_5_2_a_follower_stays_one_as_long_as_it_hears_of_a_leader(kind: MessageType) -> None:
    raft = member()
    for _ in range(5 * ELECTION):
        for _ in range(ELECTION):
            raft.tick()
        tell(raft, kind, 2, term=1)
    assert (raft.role, raft.leader, raft.term) == (RaftRole.FOLLOWER, 2, 1)


def test_5_2_a_follower_that_hears_of_no_leader_stands_after_one_to_two_timeouts() -> None:
    waits = {ticks_until_it_stands(member(seed=seed)) for seed in range(200)}
    assert waits == set(range(ELECTION + 1, 2 * ELECTION + 1))


def test_5_2_a_candidate_begins_a_term_votes_for_itself_and_asks_the_others() -> None:
    raft = member(log=log_of(1, 1), term=1)
    assert raft.campaign()
    ready = raft.ready()
    assert (raft.role, raft.leader, ready.hard_state, ready.must_sync) == (
        RaftRole.CANDIDATE,
        0,
        HardState(2, 1, 0),
        True,
    )
    assert not ready.send_first
    asked = [(m.type, m.to, m.term, m.index, m.log_term) for m in ready.messages]
    assert asked == [(MessageType.VOTE, 2, 2, 2, 1), (MessageType.VOTE, 3, 2, 2, 1)]


def test_5_2_an_only_voter_elects_itself() -> None:
    raft = member(1, (1,))
    assert raft.campaign()
    assert (raft.role, raft.term, raft.leader) == (RaftRole.LEADER, 1, 1)
    assert not raft.campaign()


@pytest.mark.parametrize(
    ("voters", "granted", "refused", "role"),
    [
        ((1, 2), [], [], RaftRole.CANDIDATE),
        ((1, 2), [2], [], RaftRole.LEADER),
        ((1, 2, 3), [2], [], RaftRole.LEADER),
        ((1, 2, 3), [], [2], RaftRole.CANDIDATE),
        ((1, 2, 3), [], [2, 3], RaftRole.FOLLOWER),
        ((1, 2, 3, 4), [2], [], RaftRole.CANDIDATE),
        ((1, 2, 3, 4), [2, 3], [], RaftRole.LEADER),
        ((1, 2, 3, 4, 5), [2, 3], [4], RaftRole.LEADER),
        ((1, 2, 3, 4, 5), [2], [3, 4], RaftRole.CANDIDATE),
        ((1, 2, 3, 4, 5), [2], [3, 4, 5], RaftRole.FOLLOWER),
        ((1, 2, 3), [9], [], RaftRole.CANDIDATE),  # who is no voter has no vote
        ((1, 2, 3), [9, 2], [], RaftRole.LEADER),
    ],
)
def test_5_2_a_candidate_wins_with_the_votes_of_a_majority(
    voters: tuple[int, ...], granted: list[int], refused: list[int], role: RaftRole
) -> None:
    raft = member(1, voters)
    raft.campaign()
    for voter, reject in [(voter, False) for voter in granted] + [(voter, True) for voter in refused]:
        for _ in range(3):  # a vote that is heard again does not count again
            raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, 1, reject=reject))
    assert raft.role is role


def test_5_2_votes_of_an_earlier_try_do_not_count() -> None:
    raft = member(1, (1, 2, 3, 4, 5))
    raft.campaign()
    tell(raft, MessageType.VOTE_RESPONSE, 2, term=1)
    raft.campaign()
    tell(raft, MessageType.VOTE_RESPONSE, 3, term=1)
    tell(raft, MessageType.VOTE_RESPONSE, 4, term=2)
    assert (raft.role, raft.term) == (RaftRole.CANDIDATE, 2)


def test_5_2_a_new_leader_makes_itself_known_to_all_at_once() -> None:
    raft = member()
    raft.campaign()
    said(raft)
    first = tell(raft, MessageType.VOTE_RESPONSE, 2)
    assert [(m.type, m.to, m.term) for m in first] == [(MessageType.APPEND, 2, 1), (MessageType.APPEND, 3, 1)]


@pytest.mark.parametrize("kind", [MessageType.APPEND, MessageType.HEARTBEAT])
def test_5_2_a_candidate_yields_to_the_leader_of_its_term(kind: MessageType) -> None:
    raft = member()
    raft.campaign()
    tell(raft, kind, 3)
    assert (raft.role, raft.leader, raft.hard_state) == (RaftRole.FOLLOWER, 3, HardState(1, 1, 0))


@pytest.mark.parametrize("kind", FROM_A_LEADER)
def test_5_2_a_candidate_does_not_yield_to_a_leader_of_an_earlier_term(kind: MessageType) -> None:
    raft = member(term=4)
    raft.campaign()
    tell(raft, kind, 3, term=4)
    assert (raft.role, raft.term) == (RaftRole.CANDIDATE, 5)


def test_5_2_a_split_vote_ends_with_another_try_after_another_random_wait() -> None:
    waits = set()
    raft = member()
    raft.campaign()
    for term in range(2, 60):
        waits.add(ticks_until_it_stands(raft))
        assert (raft.role, raft.term, raft.vote) == (RaftRole.CANDIDATE, term, 1)
    assert waits == set(range(ELECTION + 1, 2 * ELECTION + 1))


@pytest.mark.parametrize(
    ("vote", "candidate", "granted"), [(0, 2, True), (2, 2, True), (3, 2, False), (1, 2, False)]
)
def test_5_2_one_vote_a_term_first_come_first_served(vote: int, candidate: int, granted: bool) -> None:
    raft = member(term=3, vote=vote)
    for _ in range(2):  # 5.5: asked again, it says the same again
        (answer,) = tell(raft, MessageType.VOTE, candidate)
        assert (answer.type, answer.to, answer.reject) == (MessageType.VOTE_RESPONSE, candidate, not granted)
    assert raft.vote == (candidate if granted else vote)


def test_5_2_a_vote_is_saved_before_it_is_given() -> None:
    raft = member()
    raft.step(Message(MessageType.VOTE, 1, 2, 1))
    ready = raft.ready()
    assert (ready.hard_state, len(ready.messages)) == (HardState(1, 2, 0), 1)
    assert ready.must_sync
    assert not ready.send_first


@pytest.mark.parametrize("role", [RaftRole.CANDIDATE, RaftRole.LEADER])
def test_5_2_who_stands_or_leads_refuses_another_candidate_of_its_term(role: RaftRole) -> None:
    raft = elected() if role is RaftRole.LEADER else member()
    raft.campaign()
    settle(raft)
    (answer,) = tell(raft, MessageType.VOTE, 2, index=99, log_term=1)
    assert (answer.reject, raft.role, raft.vote) == (True, role, 1)


def test_5_2_one_vote_is_enough_while_the_leader_of_the_term_is_known() -> None:
    raft = member()
    tell(raft, MessageType.HEARTBEAT, 2, term=1)
    (answer,) = tell(raft, MessageType.VOTE, 3, term=1)
    assert answer.reject


# What starts the wait for a leader anew: figure 2, "followers", second line


def waited(raft: Raft) -> Raft:
    for _ in range(ELECTION):
        raft.tick()
    return raft


def test_figure_2_a_vote_that_is_granted_puts_the_own_election_off() -> None:
    raft = waited(member())
    tell(raft, MessageType.VOTE, 2, term=1)
    assert ticks_until_it_stands(raft) > ELECTION


def test_figure_2_a_vote_that_is_refused_does_not() -> None:
    """Else a member whose log is too old to lead could keep the others from standing."""
    for seed in range(50):
        raft = waited(member(log=log_of(1, 2), term=2, seed=seed))
        (answer,) = tell(raft, MessageType.VOTE, 2, term=3, index=1, log_term=1)
        assert answer.reject
        assert ticks_until_it_stands(raft) <= ELECTION


def test_figure_2_a_leader_that_steps_down_waits_a_whole_timeout() -> None:
    raft = elected()
    tell(raft, MessageType.VOTE, 2, term=5)
    assert ticks_until_it_stands(raft) > ELECTION


# 5.4.1 Election restriction


@pytest.mark.parametrize(
    ("index", "log_term", "granted"),
    [
        (2, 2, True),  # the same end
        (3, 2, True),  # the same last term, longer
        (1, 2, False),  # the same last term, shorter
        (1, 3, True),  # a later last term, however short
        (9, 1, False),  # an earlier last term, however long
        (0, 0, False),
    ],
)
def test_5_4_1_a_vote_is_only_for_a_log_that_is_at_least_as_up_to_date(
    index: int, log_term: int, granted: bool
) -> None:
    raft = member(log=log_of(1, 2), term=3)
    (answer,) = tell(raft, MessageType.VOTE, 2, index=index, log_term=log_term)
    assert (answer.reject, raft.vote) == (not granted, 2 if granted else 0)


def test_5_4_1_the_end_of_a_log_that_is_all_compacted_is_that_of_the_snapshot() -> None:
    raft = member(log=RaftLog(compacted=5, compacted_term=3), term=3)
    (refusal,) = tell(raft, MessageType.VOTE, 2, index=9, log_term=2)
    (vote,) = tell(raft, MessageType.VOTE, 2, index=5, log_term=3)
    assert (refusal.reject, vote.reject) == (True, False)


def test_5_4_1_what_is_not_on_disk_yet_counts_as_well_for_it_will_be_before_the_answer_leaves() -> None:
    raft = member()
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=(Entry(1, 1),)))
    raft.step(Message(MessageType.VOTE, 1, 3, 2))
    ready = raft.ready()
    assert [(m.type, m.reject) for m in ready.messages] == [
        (MessageType.APPEND_RESPONSE, False),
        (MessageType.VOTE_RESPONSE, True),
    ]
    assert ready.entries == entries(1)


# What members of etcd 3.x ask (peer protocol, sections 4 and 5)


def asked(raft: Raft, *, term: int, index: int = 2, log_term: int = 2) -> tuple[bool, int]:
    before = raft.hard_state
    (answer,) = tell(raft, MessageType.PRE_VOTE, 2, term=term, index=index, log_term=log_term)
    assert (answer.type, raft.hard_state) == (MessageType.PRE_VOTE_RESPONSE, before)
    return not answer.reject, answer.term


def test_a_pre_vote_is_answered_without_a_change_of_term_or_vote() -> None:
    raft = member(log=log_of(1, 2), term=3, vote=3)
    assert asked(raft, term=4) == (True, 4)
    assert asked(raft, term=3) == (False, 3)
    assert asked(raft, term=4, log_term=1) == (False, 3)


def test_a_pre_vote_is_refused_for_an_election_timeout_after_the_leader_was_heard_of() -> None:
    raft = member(log=log_of(1, 2), term=3)
    tell(raft, MessageType.HEARTBEAT, 3)
    assert asked(raft, term=4) == (False, 3)
    waited(raft)
    assert asked(raft, term=4) == (True, 4)
    assert asked(elected(log=log_of(1, 2), term=3), term=9) == (False, 4)


def test_a_pre_vote_is_never_begun_and_its_answer_means_nothing() -> None:
    raft = member()
    raft.campaign()
    assert {message.type for message in said(raft)} == {MessageType.VOTE}
    for voter in (2, 3):
        tell(raft, MessageType.PRE_VOTE_RESPONSE, voter, term=9)
    assert (raft.role, raft.term) == (RaftRole.CANDIDATE, 1)


def test_who_may_not_lead_never_stands_but_votes_and_forgets_a_leader_that_is_gone() -> None:
    raft = member()
    raft.may_lead = False
    tell(raft, MessageType.HEARTBEAT, 2, term=1)
    for _ in range(3 * ELECTION):
        raft.tick()
    assert (raft.role, raft.term, raft.leader) == (RaftRole.FOLLOWER, 1, 0)
    assert not raft.campaign()
    (answer,) = tell(raft, MessageType.VOTE, 3, term=2)
    assert not answer.reject
