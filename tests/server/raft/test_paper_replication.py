"""Log replication: sections 5.3 and 5.5 of the Raft paper (extended version), figure 2's AppendEntries RPC line by line,
and figure 7."""

import pytest

from server.raft import Entry, EntryType, HardState, Message, MessageRefusal, MessageType, Raft, RaftRole
from server.raft.log import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from tests.server.raft.driving import (
    ELECTION,
    accepts,
    conf_change,
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

# The leader (5.3; figure 2, "leaders")


def test_5_3_what_a_client_wants_is_appended_and_sent_to_all_at_once() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    accepts(raft, 3, 1)
    assert raft.propose(b"a", b"b")
    ready = raft.ready()
    assert ready.entries == [Entry(1, 2, b"a"), Entry(1, 3, b"b")]
    assert [(m.type, m.to, m.index, m.log_term, list(m.entries)) for m in ready.messages] == [
        (MessageType.APPEND, 2, 1, 1, ready.entries),
        (MessageType.APPEND, 3, 1, 1, ready.entries),
    ]


def test_5_2_a_leader_sends_heartbeats_when_nothing_else_happens() -> None:
    raft = elected()
    for _ in range(3):
        raft.tick()
        beats = said(raft)
        assert [(m.type, m.to, m.term) for m in beats] == [(MessageType.HEARTBEAT, to, 1) for to in (2, 3)]
    (answer,) = tell(member(2), MessageType.HEARTBEAT, 1, term=1, context=b"of 3.x")
    assert (answer.type, answer.to, answer.context) == (MessageType.HEARTBEAT_RESPONSE, 1, b"of 3.x")


def test_figure_3_a_leader_never_changes_its_own_log() -> None:
    raft = elected(log=log_of(1, 1), term=1)
    before = terms_of(raft)
    for kind in MessageType:
        tell(raft, kind, 2, index=1, log_term=1, entries=(Entry(2, 2, b"other"),) if kind != 2 else ())
    assert (raft.role, terms_of(raft)[: len(before)]) == (RaftRole.LEADER, before)  # it may add to it


def test_5_3_a_refused_append_is_tried_again_further_back_until_the_logs_match() -> None:
    raft = elected(log=log_of(1, 1, 1, 1, 1), term=1)
    tried = []
    (again,) = refuses(raft, 2, index=5, hint=5)
    while again.index > 2:
        tried.append((again.index, [entry.index for entry in again.entries]))
        (again,) = refuses(raft, 2, index=again.index, hint=again.index)  # a member of 2.3 knows no better
    assert tried == [(4, [5, 6]), (3, [4, 5, 6])]
    accepts(raft, 2, 6)
    assert raft.log.committed == 6


def test_5_3_the_hint_of_a_short_log_saves_tries() -> None:
    raft = elected(log=log_of(1, 1, 1, 1, 1), term=1)
    (again,) = refuses(raft, 2, index=5, hint=1)
    assert (again.index, again.log_term, len(again.entries)) == (1, 1, 5)


def test_5_3_a_refusal_that_comes_late_changes_nothing() -> None:
    raft = elected(log=log_of(1, 1, 1), term=1)
    refuses(raft, 2, index=3, hint=2)
    assert refuses(raft, 2, index=3, hint=2) == []
    accepts(raft, 2, 4)
    assert refuses(raft, 2, index=2, hint=1) == []


def test_5_3_appends_that_got_no_answer_are_sent_again() -> None:
    raft = elected()
    assert tell(raft, MessageType.HEARTBEAT_RESPONSE, 2) == []  # one try per heartbeat
    for _ in range(2):
        raft.tick()
        said(raft)
        (again,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 2)
        assert (again.type, again.index, len(again.entries)) == (MessageType.APPEND, 0, 1)


def test_5_3_a_follower_that_lost_an_append_in_a_row_of_them_is_found_out_by_a_heartbeat() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.propose(b"lost")
    said(raft)
    raft.tick()
    said(raft)
    (probe,) = tell(raft, MessageType.HEARTBEAT_RESPONSE, 2)
    assert (probe.index, probe.entries) == (2, ())
    (again,) = refuses(raft, 2, index=2, hint=1)
    assert (again.index, [entry.data for entry in again.entries]) == (1, [b"lost"])


def test_5_3_answers_of_who_is_no_voter_are_passed_over() -> None:
    raft = elected()
    assert accepts(raft, 9, 1) == []
    assert tell(raft, MessageType.HEARTBEAT_RESPONSE, 9) == []
    assert raft.log.committed == 0


def test_a_long_backlog_goes_out_in_messages_of_limited_size_one_at_a_time() -> None:
    raft = elected((1, 2))
    accepts(raft, 2, 1)
    raft.unreachable(2)
    raft.propose(*[bytes(MAX_BATCH_BYTES // 4)] * 9)
    sizes, index = [], 1
    appends = said(raft)
    while appends:
        (append,) = appends
        sizes.append(len(append.entries))
        index += len(append.entries)
        appends = [m for m in accepts(raft, 2, index) if m.entries]
    assert sizes == [4, 4, 1]
    raft.unreachable(2)
    raft.propose(*[b""] * (MAX_BATCH_ENTRIES + 1))
    (append,) = said(raft)
    assert len(append.entries) == MAX_BATCH_ENTRIES


def test_one_entry_is_sent_however_large() -> None:
    raft = elected((1, 2))
    accepts(raft, 2, 1)
    raft.propose(bytes(MAX_BATCH_BYTES + 1))
    (append,) = said(raft)
    assert len(append.entries) == 1


# The follower: AppendEntries RPC, receiver implementation (figure 2)


def append(raft: Raft, previous: int, log_term: int, *terms: int, commit: int = 0) -> Message:
    new = tuple(entries(*terms, first=previous + 1))
    (answer,) = tell(
        raft, MessageType.APPEND, 2, index=previous, log_term=log_term, entries=new, commit=commit
    )
    assert answer.type is MessageType.APPEND_RESPONSE
    return answer


def test_figure_2_append_line_1_an_earlier_term_is_refused() -> None:
    raft = member(log=log_of(1), term=5)
    (answer,) = tell(
        raft, MessageType.APPEND, 2, term=4, index=1, log_term=1, entries=tuple(entries(4, first=2))
    )
    assert (answer.term, terms_of(raft)) == (5, [1])


@pytest.mark.parametrize(
    ("previous", "log_term", "hint"),
    [
        (4, 3, (3, 3)),  # too short
        (3, 2, (2, 2)),  # another term there
        (3, 4, (3, 3)),
        (2, 1, (1, 1)),
        (9, 0, (0, 0)),
    ],
)
def test_figure_2_append_line_2_the_entry_before_must_be_there_with_its_term(
    previous: int, log_term: int, hint: tuple[int, int]
) -> None:
    raft = member(log=log_of(1, 2, 3), term=9)
    answer = append(raft, previous, log_term, 9)
    assert (answer.reject, answer.index, (answer.hint, answer.log_term)) == (True, previous, hint)
    assert terms_of(raft) == [1, 2, 3]


@pytest.mark.parametrize(
    ("previous", "log_term", "new", "after"),
    [
        (3, 3, (4,), [1, 2, 3, 4]),
        (2, 2, (4, 4), [1, 2, 4, 4]),
        (0, 0, (4,), [4]),
        (1, 1, (2, 4), [1, 2, 4]),
    ],
)
def test_figure_2_append_lines_3_and_4_what_conflicts_goes_with_all_after_it_and_what_is_new_comes(
    previous: int, log_term: int, new: tuple[int, ...], after: list[int]
) -> None:
    raft = member(log=log_of(1, 2, 3), term=4)
    answer = append(raft, previous, log_term, *new)
    assert (answer.reject, answer.index, terms_of(raft)) == (False, len(after), after)


@pytest.mark.parametrize("new", [(), (2,), (2, 3)])
def test_figure_2_append_line_3_a_shorter_append_that_comes_late_cuts_nothing_off(
    new: tuple[int, ...],
) -> None:
    raft = member(log=log_of(1, 2, 3), term=4)
    answer = append(raft, 1, 1, *new)
    assert (answer.reject, answer.index, terms_of(raft)) == (False, 1 + len(new), [1, 2, 3])


@pytest.mark.parametrize(("leader_commit", "commit"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_figure_2_append_line_5_what_the_leader_committed_is_committed_as_far_as_the_logs_are_one(
    leader_commit: int, commit: int
) -> None:
    raft = member(log=log_of(1, 1, 1), term=1)  # of the third the leader has said nothing
    append(raft, 1, 1, 1, commit=leader_commit)
    assert raft.log.committed == commit


def test_5_3_an_answer_leaves_after_the_entries_are_saved() -> None:
    raft = member()
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1, 1)), commit=1))
    ready = raft.ready()
    assert (ready.entries, ready.hard_state, ready.committed) == (entries(1, 1), HardState(1, 0, 1), [])
    assert (ready.must_sync, ready.send_first) == (True, False)
    assert [m.type for m in ready.messages] == [MessageType.APPEND_RESPONSE]


def test_5_5_an_append_heard_twice_is_answered_twice_and_changes_nothing() -> None:
    raft = member(term=1)
    append(raft, 0, 0, 1, 1)
    assert (append(raft, 0, 0, 1, 1).index, terms_of(raft)) == (2, [1, 1])
    raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=tuple(entries(1, 1))))
    assert raft.ready().entries == []


def test_an_append_from_before_the_commit_index_is_answered_with_it() -> None:
    raft = member(log=log_of(1, 1, 1, committed=2), term=9)
    assert [append(raft, 1, 1).index, append(raft, 1, 9).index] == [2, 2]


def test_entries_that_are_not_in_a_row_are_refused() -> None:
    raft = member()
    why = raft.step(Message(MessageType.APPEND, 1, 2, 1, entries=(Entry(1, 1), Entry(1, 4))))
    assert why == MessageRefusal("index", "entry 4 where entry 2 belongs")
    assert raft.log.last_index == 0


# Figure 7


LEADER = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)
FOLLOWERS = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}


@pytest.mark.parametrize("which", FOLLOWERS)
def test_figure_7_whatever_log_a_follower_has_becomes_the_leader_s(which: str) -> None:
    leader = elected((1, 2), log_of(*LEADER), term=7)
    follower = member(2, (1, 2), log_of(*FOLLOWERS[which]), term=7)
    leader.unreachable(2)
    leader.tick()
    rounds = 0
    messages = said(leader)
    while messages:
        rounds += any(message.type is MessageType.APPEND for message in messages)
        for message in messages:
            follower.step(message)
        for message in said(follower):
            leader.step(message)
        messages = said(leader)
    assert terms_of(follower) == terms_of(leader) == [*LEADER, 8]
    assert follower.log.committed == leader.log.committed == 11
    assert rounds <= 4


@pytest.mark.parametrize(
    ("which", "granted"), [*zip("abcdef", (True, True, False, False, True, True), strict=True)]
)
def test_figure_7_who_votes_for_the_leader(which: str, granted: bool) -> None:
    voter = member(log=log_of(*FOLLOWERS[which]), term=7)
    (answer,) = tell(voter, MessageType.VOTE, 2, term=8, index=10, log_term=6)
    assert answer.reject is not granted


def test_5_3_a_long_tail_of_an_earlier_term_costs_one_try_not_one_for_each_entry() -> None:
    """A leader that was cut off took 500 proposals, and its successor 900; etcd 2.3 would try 500 times."""
    leader = elected((1, 2), log_of(*[1] * 10, *[3] * 900), term=3)
    follower = member(2, (1, 2), log_of(*[1] * 10, *[2] * 500), term=3)
    append = Message(MessageType.APPEND, 2, 1, 4, index=910, log_term=3)
    (refusal,) = tell(follower, MessageType.APPEND, 1, term=4, index=append.index, log_term=append.log_term)
    assert (refusal.reject, refusal.hint, refusal.log_term) == (True, 510, 2)
    leader.step(refusal)
    (again,) = said(leader)
    assert (again.index, again.log_term) == (10, 1)


# Proposals through a follower


def test_a_proposal_without_a_leader_is_not_taken() -> None:
    raft = member()
    assert not raft.propose(b"x")
    raft.campaign()
    assert not raft.propose(b"x")
    assert (
        tell(raft, MessageType.PROPOSE, 3, term=0, entries=(Entry(0, 0, b"x"),))[0].type is MessageType.VOTE
    )
    assert raft.log.last_index == 0


def test_a_follower_passes_proposals_on_in_one_message() -> None:
    raft = member()
    tell(raft, MessageType.HEARTBEAT, 2, term=1)
    assert raft.propose(b"x", b"y")
    (message,) = said(raft)
    assert (message.type, message.to, message.term) == (MessageType.PROPOSE, 2, 0)
    assert [(entry.data, entry.type) for entry in message.entries] == [
        (b"x", EntryType.NORMAL),
        (b"y", EntryType.NORMAL),
    ]
    assert [
        (m.to, m.entries) for m in tell(raft, MessageType.PROPOSE, 3, term=0, entries=message.entries)
    ] == [(2, message.entries)]


def test_a_leader_appends_what_is_passed_on_and_sends_it_in_one_append() -> None:
    raft = elected((1, 2))
    accepts(raft, 2, 1)
    wanted = (Entry(0, 0, b"x"), Entry(0, 0, b"y"), conf_change(0, 0, b"+4"), conf_change(0, 0, b"+5"))
    appends = tell(raft, MessageType.PROPOSE, 2, term=0, entries=wanted)
    assert raft.log.entries_from(2) == [
        Entry(1, 2, b"x"),
        Entry(1, 3, b"y"),
        conf_change(1, 4, b"+4"),
        Entry(1, 5),  # a second change of members has to wait
    ]
    assert [len(m.entries) for m in appends] == [2, 1, 1]


def test_a_follower_that_has_not_heard_of_its_leader_for_long_takes_no_proposals_for_it() -> None:
    raft = member(4)  # no voter, so it will not stand for election either
    tell(raft, MessageType.HEARTBEAT, 2, term=1)
    for _ in range(2 * ELECTION):
        raft.tick()
    assert not raft.propose(b"x")
    assert settle(raft) == []
