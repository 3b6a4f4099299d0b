"""What a member takes from a peer, and what not: each bound at its last good number and at its first bad one."""

from dataclasses import replace
from random import Random

import pytest

from server.raft import (
    Entry,
    HardState,
    Message,
    MessageRefusal,
    MessageType,
    Raft,
    RaftLog,
    RaftRole,
    Snapshot,
)
from server.raft.limits import INDEXES_AHEAD, NO_ROOM, TERMS_AHEAD
from tests.server.raft.driving import elected, entries, log_of, member, said, settle, tell
from tests.server.raft.hostile import Hostile

LAST = (1 << 64) - 1
TERM, INDEX = 5, 3
"""Of the member that is asked."""

FIELDS: dict[str, Message] = {
    "a leader's heartbeat": Message(MessageType.HEARTBEAT, 1, 2, TERM),
    "a stranger's heartbeat": Message(MessageType.HEARTBEAT, 1, 77, TERM),
    "an append": Message(MessageType.APPEND, 1, 2, TERM, index=INDEX, log_term=1),
    "a vote": Message(MessageType.VOTE, 1, 2, TERM, index=INDEX, log_term=1),
    "a stranger's vote": Message(MessageType.VOTE, 1, 77, TERM, index=INDEX, log_term=1),
    "a pre-vote": Message(MessageType.PRE_VOTE, 1, 2, TERM, index=INDEX, log_term=1),
    "an answer": Message(MessageType.APPEND_RESPONSE, 1, 2, TERM, index=INDEX, reject=True),
}


def asked() -> Raft:
    return member(log=log_of(1, 1, 1), term=TERM)


def refused(message: Message, reason: str) -> MessageRefusal:
    """Why a member refuses a message, of which it keeps nothing."""
    raft = asked()
    why = raft.step(message)
    assert why is not None
    assert why.reason == reason
    assert not raft.ready()
    assert (raft.hard_state, raft.leader, raft.log.last_index) == (HardState(TERM, 0, 0), 0, INDEX)
    return why


@pytest.mark.parametrize("name", FIELDS)
def test_a_term_is_taken_up_to_the_bound_and_no_further(name: str) -> None:
    message, bound = FIELDS[name], TERM + TERMS_AHEAD
    assert asked().step(replace(message, term=bound)) is None
    for term in (bound + 1, NO_ROOM, LAST):
        assert "leaves no room to count on" in refused(replace(message, term=term), "term").text


@pytest.mark.parametrize("field", ["index", "hint", "commit"])
@pytest.mark.parametrize("name", FIELDS)
def test_an_index_is_taken_up_to_the_bound_and_no_further(name: str, field: str) -> None:
    message, bound = FIELDS[name], INDEX + INDEXES_AHEAD
    for index in (bound + 1, NO_ROOM, LAST):
        changed = {"index": message.index, "hint": message.hint, "commit": message.commit, field: index}
        refused(
            replace(message, index=changed["index"], hint=changed["hint"], commit=changed["commit"]), "index"
        )
    if field == "index":
        assert asked().step(replace(message, index=bound)) is None


def test_near_the_end_the_absolute_bound_counts() -> None:
    raft = member(term=NO_ROOM - 2)
    assert raft.step(Message(MessageType.HEARTBEAT, 1, 2, NO_ROOM - 1)) is None
    assert raft.step(Message(MessageType.HEARTBEAT, 1, 2, NO_ROOM)) is not None


def test_a_joiner_takes_what_an_old_cluster_has() -> None:
    raft = Raft(4, RaftLog(), hard_state=HardState(1), random=Random(1))
    snapshot = Snapshot(INDEXES_AHEAD, TERMS_AHEAD, (1, 2, 3), b"")
    assert raft.step(Message(MessageType.SNAPSHOT, 4, 1, TERMS_AHEAD, snapshot=snapshot)) is None
    assert raft.log.last_index == INDEXES_AHEAD


@pytest.mark.parametrize("kind", [MessageType.APPEND, MessageType.VOTE, MessageType.APPEND_RESPONSE])
def test_no_entry_is_of_a_later_term_than_the_message_that_names_it(kind: MessageType) -> None:
    refused(Message(kind, 1, 2, TERM, log_term=TERM + 1, reject=True), "term")


@pytest.mark.parametrize("kind", [MessageType.APPEND, MessageType.PROPOSE, MessageType.READ_INDEX])
def test_no_entry_is_of_a_later_term_than_the_message_it_is_in(kind: MessageType) -> None:
    term = 0 if kind is not MessageType.APPEND else TERM
    entry = Entry(term + 1, INDEX + 1)
    refused(Message(kind, 1, 2, term, index=INDEX, log_term=min(1, term), entries=(entry,)), "term")


def test_an_entry_of_an_index_beyond_the_bound_is_refused_wherever_it_is() -> None:
    refused(Message(MessageType.PROPOSE, 1, 2, entries=(Entry(0, LAST, b"x"),)), "index")


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (Snapshot(INDEX + INDEXES_AHEAD + 1, 1, (1, 2), b""), "index"),
        (Snapshot(LAST, 1, (1, 2), b""), "index"),
        (Snapshot(INDEX + 1, TERM + 1, (1, 2), b""), "term"),
        (Snapshot(INDEX + 1, 1, (), b""), "snapshot"),
        (Snapshot(INDEX + 1, 1, (2, 3), b""), "snapshot"),
        (None, "snapshot"),
    ],
)
def test_a_snapshot_that_nobody_took_is_refused(snapshot: Snapshot | None, reason: str) -> None:
    refused(Message(MessageType.SNAPSHOT, 1, 2, TERM, snapshot=snapshot), reason)


@pytest.mark.parametrize("nodes", [(), (2, 3)])
def test_a_snapshot_of_what_is_committed_is_answered_whoever_is_in_it(nodes: tuple[int, ...]) -> None:
    raft = member(log=log_of(1, 1, 1, committed=3), term=TERM)
    settle(raft)
    (answer,) = tell(raft, MessageType.SNAPSHOT, 2, snapshot=Snapshot(2, 1, nodes, b""))
    assert (answer.type, answer.index) == (MessageType.APPEND_RESPONSE, 3)


@pytest.mark.parametrize(
    "kind",
    [
        MessageType.PROPOSE,
        MessageType.READ_INDEX,
        MessageType.APPEND_RESPONSE,
        MessageType.VOTE_RESPONSE,
        MessageType.HEARTBEAT_RESPONSE,
        MessageType.READ_INDEX_RESPONSE,
        MessageType.PRE_VOTE_RESPONSE,
    ],
)
def test_answers_and_proposals_of_who_is_no_member_are_dropped(kind: MessageType) -> None:
    refused(Message(kind, 1, 77, TERM + 1, entries=(Entry(0, 0, b"x"),)), "sender")


def test_a_leader_does_not_lose_its_office_to_an_answer_of_a_stranger() -> None:
    raft = elected()
    raft.step(Message(MessageType.APPEND_RESPONSE, 1, 77, raft.term + 1))
    assert raft.role is RaftRole.LEADER


def test_a_message_to_another_member_is_dropped() -> None:
    refused(Message(MessageType.HEARTBEAT, 2, 3, TERM + 1), "receiver")


@pytest.mark.parametrize("sender", [0, 1])
def test_nobody_and_the_member_itself_send_nothing(sender: int) -> None:
    refused(Message(MessageType.VOTE, 1, sender, TERM + 1), "sender")


def test_nobody_leads_or_stands_in_term_0() -> None:
    raft = member()
    for kind in (MessageType.APPEND, MessageType.HEARTBEAT, MessageType.VOTE, MessageType.PRE_VOTE):
        assert raft.step(Message(kind, 1, 2, 0)) is not None
    assert not raft.ready()


def test_a_leader_does_not_believe_in_entries_that_it_does_not_have() -> None:
    raft = elected()
    why = raft.step(Message(MessageType.APPEND_RESPONSE, 1, 2, raft.term, index=2))
    assert why == MessageRefusal("index", "it confirms entry 2, but the log here ends with 1")
    assert (said(raft), raft.log.committed, raft.progress[2]) == ([], 0, (0, 1))


def test_4_1_a_follower_that_missed_the_change_which_added_the_leader_catches_up_and_votes() -> None:
    """Member 3 knows 1, 2 and itself. Member 4 was added meanwhile, leads, and then stands for election again."""
    raft = member(3, log=log_of(1, 1, committed=2), term=1)
    settle(raft)
    assert 4 not in raft.voters
    new = tuple(entries(1, 2, first=3))
    (answer,) = tell(raft, MessageType.APPEND, 4, term=2, index=2, log_term=1, entries=new, commit=3)
    assert (answer.to, answer.index, answer.reject) == (4, 4, False)
    assert (raft.leader, raft.log.committed) == (4, 3)
    (answer,) = tell(raft, MessageType.VOTE, 4, term=3, index=4, log_term=2)
    assert (answer.type, answer.reject, raft.vote) == (MessageType.VOTE_RESPONSE, False, 4)


@pytest.mark.parametrize("seed", range(5))
def test_of_what_is_outside_the_bounds_nothing_is_ever_taken(seed: int) -> None:
    hostile = Hostile(Random(seed))
    for raft in (asked(), elected(), member(log=log_of(1, 2, 3, committed=2), term=4)):
        settle(raft)
        before = (raft.hard_state, raft.role, raft.leader, raft.log.last_index, raft.progress)
        for _ in range(300):
            message = hostile.outside(raft, [2, 3])
            assert raft.step(message) is not None, message
            assert not raft.ready()
            raft._handover.in_flight = None
        assert (raft.hard_state, raft.role, raft.leader, raft.log.last_index, raft.progress) == before
