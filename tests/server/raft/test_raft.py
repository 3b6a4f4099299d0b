"""The rules of the Raft paper (extended version; sections in the names' comments), one by one, without I/O."""

from random import Random

import pytest

from server.raft import Entry, EntryType, HardState, Message, MessageType, Raft, RaftLog, Ready, Role

ELECTION = 10


def member(
    number: int = 1,
    voters: tuple[int, ...] = (1,),
    *,
    log: RaftLog | None = None,
    term: int = 0,
    vote: int = 0,
) -> Raft:
    log = log or RaftLog()
    state = HardState(term, vote, log.committed)
    return Raft(number, log, hard_state=state, voters=voters, election_ticks=ELECTION, random=Random(number))


def settle(raft: Raft) -> list[Ready]:
    """Does what every ready asks for, at once."""
    done = []
    while ready := raft.ready():
        raft.advance(ready)
        done.append(ready)
    raft.advance(ready)
    return done


def elected(voters: tuple[int, ...] = (1, 2, 3), *, log: RaftLog | None = None, term: int = 0) -> Raft:
    raft = member(1, voters, log=log, term=term)
    raft.campaign()
    for voter in voters[1:]:
        raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, raft.term))
    settle(raft)
    assert raft.role is Role.LEADER
    return raft


def ticks_until_election(raft: Raft) -> int:
    for count in range(1, 3 * ELECTION):
        raft.tick()
        if raft.role is not Role.FOLLOWER:
            return count
    raise AssertionError("no election")


# Elections (5.2)


def test_an_only_voter_elects_itself_and_commits_its_first_entry() -> None:
    raft = member()
    assert raft.campaign()
    assert (raft.role, raft.term, raft.leader) == (Role.LEADER, 1, 1)
    first, *rest = settle(raft)
    assert first.hard_state == HardState(1, 1, 1)  # true as soon as it is saved, with the entry
    assert first.entries == [Entry(1, 1)]
    assert first.committed == []
    assert [entry for ready in rest for entry in ready.committed] == [Entry(1, 1)]
    assert raft.hard_state == HardState(1, 1, 1)


def test_a_follower_stands_for_election_after_one_to_two_timeouts() -> None:
    waits = set()
    for seed in range(200):
        raft = Raft(1, RaftLog(), voters=(1,), election_ticks=ELECTION, random=Random(seed))
        waits.add(ticks_until_election(raft))
    assert waits == set(range(ELECTION + 1, 2 * ELECTION + 1))


def test_a_message_from_the_leader_puts_the_election_off() -> None:
    raft = member(1, (1, 2))
    for _ in range(5 * ELECTION):
        raft.tick()
        raft.step(Message(MessageType.HEARTBEAT, 1, 2, 1))
    assert (raft.role, raft.leader) == (Role.FOLLOWER, 2)


def test_who_is_no_voter_does_not_stand() -> None:
    raft = member(4, (1, 2, 3))
    for _ in range(5 * ELECTION):
        raft.tick()
    assert (raft.role, raft.term) == (Role.FOLLOWER, 0)


def test_a_candidate_votes_for_itself_and_asks_the_others_after_that_is_saved() -> None:
    raft = member(1, (1, 2, 3), log=RaftLog([Entry(1, 1)]), term=1)
    raft.campaign()
    ready = raft.ready()
    assert ready.hard_state == HardState(2, 1, 0)
    asked = [
        (message.type, message.to, message.term, message.index, message.log_term)
        for message in ready.messages
    ]
    assert asked == [(MessageType.VOTE, 2, 2, 1, 1), (MessageType.VOTE, 3, 2, 1, 1)]


@pytest.mark.parametrize(
    ("voters", "granted", "refused", "role"),
    [
        ((1, 2, 3), [2], [], Role.LEADER),
        ((1, 2, 3), [], [2], Role.CANDIDATE),
        ((1, 2, 3), [], [2, 3], Role.FOLLOWER),
        ((1, 2, 3, 4, 5), [2, 3], [4], Role.LEADER),
        ((1, 2, 3, 4, 5), [2], [3, 4], Role.CANDIDATE),
        ((1, 2, 3, 4, 5), [2], [3, 4, 5], Role.FOLLOWER),
        ((1, 2, 3, 4), [2], [], Role.CANDIDATE),
        ((1, 2, 3, 4), [2, 3], [], Role.LEADER),
        ((1, 2, 3), [9, 2], [], Role.LEADER),
        ((1, 2, 3), [9], [], Role.CANDIDATE),
    ],
)
def test_a_majority_of_the_voters_elects(
    voters: tuple[int, ...], granted: list[int], refused: list[int], role: Role
) -> None:
    raft = member(1, voters)
    raft.campaign()
    for voter in granted:
        raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, 1))
        raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, 1))
    for voter in refused:
        raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, 1, reject=True))
    assert raft.role is role


@pytest.mark.parametrize(
    ("vote", "candidate", "index", "log_term", "granted"),
    [
        (0, 2, 2, 2, True),
        (2, 2, 2, 2, True),
        (3, 2, 2, 2, False),  # one vote a term, first come first served
        (0, 2, 1, 2, False),  # 5.4.1: a shorter log
        (0, 2, 9, 1, False),  # 5.4.1: an older last term, however long
        (0, 2, 1, 3, True),
    ],
)
def test_one_vote_a_term_and_only_for_logs_that_are_up_to_date(
    vote: int, candidate: int, index: int, log_term: int, granted: bool
) -> None:
    raft = member(1, (1, 2, 3), log=RaftLog([Entry(1, 1), Entry(2, 2)]), term=3, vote=vote)
    raft.step(Message(MessageType.VOTE, 1, candidate, 3, index, log_term))
    (answer,) = raft.ready().messages
    assert (answer.type, answer.reject) == (MessageType.VOTE_RESPONSE, not granted)
    assert raft.vote == (candidate if granted else vote)


def test_a_granted_vote_is_saved_before_the_answer_goes_out() -> None:
    raft = member(1, (1, 2, 3))
    raft.step(Message(MessageType.VOTE, 1, 2, 1))
    ready = raft.ready()
    assert (ready.hard_state, len(ready.messages)) == (HardState(1, 2, 0), 1)


def test_a_candidate_yields_to_the_leader_of_its_term() -> None:
    raft = member(1, (1, 2, 3))
    raft.campaign()
    raft.step(Message(MessageType.HEARTBEAT, 1, 3, 1))
    assert (raft.role, raft.leader, raft.vote) == (Role.FOLLOWER, 3, 1)


# Terms (5.1)


@pytest.mark.parametrize("kind", [kind for kind in MessageType if kind is not MessageType.PROPOSE])
def test_a_higher_term_is_taken_over_and_makes_a_follower(kind: MessageType) -> None:
    raft = elected()
    raft.step(Message(kind, 1, 2, raft.term + 5, index=99, log_term=0))
    assert (raft.term, raft.role) == (6, Role.FOLLOWER)


@pytest.mark.parametrize("kind", [kind for kind in MessageType if kind is not MessageType.PROPOSE])
def test_a_lower_term_is_passed_over(kind: MessageType) -> None:
    raft = member(1, (1, 2, 3), term=5)
    raft.step(Message(kind, 1, 2, 4))
    assert not raft.ready()
    assert (raft.term, raft.leader) == (5, 0)


# The leader (5.3)


def test_a_leader_sends_heartbeats_and_a_follower_answers_them() -> None:
    raft = elected()
    raft.tick()
    beats = [message for message in raft.ready().messages if message.type is MessageType.HEARTBEAT]
    assert [message.to for message in beats] == [2, 3]
    follower = member(2, (1, 2, 3))
    follower.step(beats[0])
    assert [message.type for message in follower.ready().messages] == [MessageType.HEARTBEAT_RESPONSE]


def test_a_heartbeat_commits_no_more_than_the_follower_is_known_to_have() -> None:
    raft = elected()
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, raft.term, index=1))
    settle(raft)
    raft.tick()
    commits = {
        message.to: message.commit
        for message in raft.ready().messages
        if message.type is MessageType.HEARTBEAT
    }
    assert (raft.log.committed, commits) == (1, {2: 1, 3: 0})


def test_entries_are_committed_when_a_majority_has_them_on_disk() -> None:
    raft = elected()
    raft.propose(b"x")
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, raft.term, index=2))
    assert raft.log.committed == 1  # its own copy is not on disk yet
    settle(raft)
    assert raft.log.committed == 2


def test_entries_of_earlier_terms_are_committed_only_along_with_one_of_the_own() -> None:
    raft = member(1, (1, 2, 3), log=RaftLog([Entry(1, 1), Entry(1, 2)]), term=1)  # 5.4.2
    raft.campaign()
    raft.step(Message(MessageType.VOTE_RESPONSE, 1, 2, 2))
    settle(raft)
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 2, index=2))
    assert raft.log.committed == 0
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 2, index=3))
    assert raft.log.committed == 3


def test_a_refused_append_is_tried_again_further_back() -> None:
    log = RaftLog([Entry(1, index) for index in range(1, 6)])
    raft = elected(log=log, term=1)
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, 2, index=5, reject=True, hint=2))
    (again,) = raft.ready().messages
    assert (again.to, again.index, again.log_term) == (2, 2, 1)
    assert [entry.index for entry in again.entries] == [3, 4, 5, 6]


def test_a_member_without_leader_takes_no_proposal_and_a_follower_passes_it_on() -> None:
    raft = member(1, (1, 2, 3))
    assert not raft.propose(b"x")
    raft.step(Message(MessageType.HEARTBEAT, 1, 2, 1))
    settle(raft)
    assert raft.propose(b"x")
    (message,) = raft.ready().messages
    assert (message.type, message.to, message.term) == (MessageType.PROPOSE, 2, 0)
    assert [entry.data for entry in message.entries] == [b"x"]
    leader = elected()
    leader.step(message)
    assert leader.log.entries_from(leader.log.last_index)[0].data == b"x"


# The follower (5.3)


@pytest.mark.parametrize(
    ("index", "log_term", "answer"), [(2, 2, (2, False, 0)), (2, 1, (2, True, 2)), (3, 2, (3, True, 2))]
)
def test_an_append_must_fit_the_log(index: int, log_term: int, answer: tuple[int, bool, int]) -> None:
    raft = member(1, (1, 2, 3), log=RaftLog([Entry(1, 1), Entry(2, 2)]), term=2)
    raft.step(Message(MessageType.APPEND, 1, 2, 2, index, log_term))
    (message,) = raft.ready().messages
    assert (message.index, message.reject, message.hint) == answer


def test_a_follower_commits_what_it_has_of_what_the_leader_committed() -> None:
    raft = member(1, (1, 2, 3))
    raft.step(Message(MessageType.APPEND, 1, 2, 1, 0, 0, commit=7, entries=(Entry(1, 1), Entry(1, 2))))
    assert raft.log.committed == 2
    first = raft.ready()
    assert (len(first.entries), first.committed) == (2, [])
    raft.advance(first)
    assert len(raft.ready().committed) == 2


def test_an_append_from_before_the_commit_index_is_answered_with_it() -> None:
    raft = member(1, (1, 2, 3), log=RaftLog([Entry(1, 1), Entry(1, 2)], committed=2), term=1)
    raft.step(Message(MessageType.APPEND, 1, 2, 1, 1, 1))
    assert [(message.index, message.reject) for message in raft.ready().messages] == [(2, False)]


# Members (6, one at a time)


def test_a_new_cluster_begins_with_its_members_committed_at_term_one() -> None:
    raft = member(1, ())
    raft.bootstrap([b"add 1", b"add 2"])
    first, second = settle(raft)
    assert first.hard_state == HardState(1, 0, 2)
    assert first.entries == [
        Entry(1, 1, b"add 1", EntryType.CONF_CHANGE),
        Entry(1, 2, b"add 2", EntryType.CONF_CHANGE),
    ]
    assert second.committed == first.entries
    with pytest.raises(ValueError, match="empty log"):
        raft.bootstrap([b"again"])


def test_nobody_stands_while_a_committed_change_of_members_waits() -> None:
    log = RaftLog([Entry(1, 1, b"add", EntryType.CONF_CHANGE)], committed=1)
    raft = member(1, (1,), log=log, term=1)
    assert not raft.campaign()
    settle(raft)
    assert raft.campaign()


def test_a_second_change_of_members_waits_for_the_first() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    raft.propose_conf_change(b"one")
    raft.propose_conf_change(b"two")
    assert [(entry.type, entry.data) for entry in raft.log.entries_from(2)] == [
        (EntryType.CONF_CHANGE, b"one"),
        (EntryType.NORMAL, b""),
    ]
    settle(raft)
    raft.drop_conf_change()
    raft.propose_conf_change(b"three")
    assert raft.log.entries_from(4)[0].type is EntryType.CONF_CHANGE


def test_the_quorum_follows_the_voters() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    sizes = []
    for number in (2, 3, 4):
        raft.apply_conf_change(add=number)
        sizes.append((len(raft.voters), raft.quorum))
    assert sizes == [(2, 2), (3, 2), (4, 3)]
    raft.propose(b"x")
    settle(raft)
    assert raft.log.committed == 1
    for number in (2, 3, 4):
        raft.apply_conf_change(remove=number)
    assert raft.log.committed == 2  # what the last removal left is a majority


# The contract


def test_every_ready_is_finished_before_the_next() -> None:
    raft = member()
    ready = raft.ready()
    with pytest.raises(RuntimeError):
        raft.ready()
    raft.advance(ready)
    with pytest.raises(RuntimeError):
        raft.advance(ready)


def test_what_arrives_while_the_disk_works_shares_the_next_sync() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    raft.propose(b"a")
    first = raft.ready()
    for data in (b"b", b"c", b"d"):
        raft.propose(data)
    raft.advance(first)
    second = raft.ready()
    assert [entry.data for entry in first.entries] == [b"a"]
    assert [entry.data for entry in second.entries] == [b"b", b"c", b"d"]
    assert [entry.data for entry in second.committed] == [b"a"]


def test_the_only_voter_saves_the_commit_index_together_with_the_entries_it_is_for() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    raft.propose(b"a", b"b")
    readies = settle(raft)
    assert [(len(ready.entries), ready.hard_state) for ready in readies] == [
        (2, HardState(1, 1, 3)),
        (0, None),
    ]


def test_a_commit_index_that_others_decide_comes_after_the_entries() -> None:
    raft = elected()
    raft.propose(b"a")
    assert raft.ready().hard_state is None


def test_what_was_proposed_while_the_disk_worked_is_not_counted_as_on_disk() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    raft.propose(b"a")
    first = raft.ready()
    raft.propose(b"b")
    raft.advance(first)
    assert (raft.log.stable, raft.log.last_index) == (2, 3)
    assert raft.log.committed == 2


def test_a_leader_counts_its_own_log_only_as_far_as_it_is_on_disk() -> None:
    raft = elected((1, 2, 3, 4, 5))
    for voter in (2, 3):
        raft.step(Message(MessageType.APPEND_RESPONSE, 1, voter, raft.term, index=1))
    settle(raft)
    raft.propose(b"a")
    first = raft.ready()
    raft.propose(b"b")
    for voter in (2, 3):  # faster than the leader's own disk
        raft.step(Message(MessageType.APPEND_RESPONSE, 1, voter, raft.term, index=3))
    raft.advance(first)
    assert raft.log.committed == 2
    settle(raft)
    assert raft.log.committed == 3


def test_a_member_without_id_is_refused() -> None:
    with pytest.raises(ValueError, match="never 0"):
        member(0)


def test_a_leader_that_was_removed_takes_nothing_more_into_its_log() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    raft.apply_conf_change(remove=1)
    last = raft.log.last_index
    assert raft.propose(b"a")
    assert raft.log.last_index == last


def test_a_change_of_members_is_pending_until_it_is_applied_or_dropped() -> None:
    raft = member()
    raft.campaign()
    settle(raft)
    seen = [raft.conf_change_pending]
    raft.propose_conf_change(b"one")
    settle(raft)
    seen.append(raft.conf_change_pending)
    raft.drop_conf_change()
    seen.append(raft.conf_change_pending)
    raft.propose_conf_change(b"two")
    seen.append(raft.conf_change_pending)
    raft.apply_conf_change(add=2)
    seen.append(raft.conf_change_pending)
    assert seen == [False, True, False, True, False]


def test_only_a_leader_knows_how_far_the_others_are() -> None:
    assert member().progress == {}
    raft = elected((1, 2, 3))
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, raft.term, index=1))
    assert raft.progress == {1: (1, 2), 2: (1, 2), 3: (0, 1)}
