"""Reads of members of 3.x: they ask the leader how far it is, and have to be sure that it leads (Raft, section 8)."""

from server.raft import Entry, Message, MessageType, Raft
from tests.server.raft.driving import accepts, elected, member, said, tell

READ = (Entry(0, 0, b"read 7"),)


def asked(raft: Raft, sender: int = 2) -> None:
    raft.step(Message(MessageType.READ_INDEX, raft.id, sender, entries=READ))


def answers(messages: list[Message]) -> list[tuple[int, int, tuple[Entry, ...]]]:
    return [(m.to, m.index, m.entries) for m in messages if m.type is MessageType.READ_INDEX_RESPONSE]


def test_a_leader_answers_when_a_quorum_has_an_entry_that_came_after_the_question() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    raft.propose(b"before")
    asked(raft)
    assert answers(said(raft)) == []
    assert answers(accepts(raft, 2, 2)) == []  # that was asked for before
    assert answers(accepts(raft, 3, 3)) == [(2, 3, READ)]
    assert answers(accepts(raft, 2, 3)) == []


def test_what_nobody_agreed_on_is_not_answered_by_the_next_leader_either() -> None:
    raft = elected()
    accepts(raft, 2, 1)
    asked(raft)
    said(raft)
    tell(raft, MessageType.HEARTBEAT, 3, term=raft.term + 1)
    raft.campaign()
    for voter in (2, 3):
        tell(raft, MessageType.VOTE_RESPONSE, voter)
    assert answers(accepts(raft, 2, raft.log.last_index)) == []


def test_who_does_not_lead_says_nothing() -> None:
    raft = member(1)
    asked(raft)
    assert said(raft) == []
    assert raft.log.last_index == 0


def test_an_answer_to_a_question_that_was_never_asked_is_passed_over() -> None:
    raft = elected()
    before = raft.log.last_index
    assert tell(raft, MessageType.READ_INDEX_RESPONSE, 2, index=9, entries=READ) == []
    assert raft.log.last_index == before
