"""Members for tests of single rules: made, told things, and asked what they say to that."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from server.raft import Entry, EntryType, HardState, Message, MessageType, Raft, RaftLog, RaftRole, Ready

ELECTION = 10
"""Ticks."""


def entries(*terms: int, first: int = 1) -> list[Entry]:
    return [Entry(term, index) for index, term in enumerate(terms, first)]


def log_of(*terms: int, committed: int = 0) -> RaftLog:
    """All on disk."""
    return RaftLog(entries(*terms), committed=committed)


def conf_change(term: int, index: int, data: bytes = b"") -> Entry:
    return Entry(term, index, data, EntryType.CONF_CHANGE)


def member(
    number: int = 1,
    voters: Sequence[int] = (1, 2, 3),
    log: RaftLog | None = None,
    *,
    term: int = 0,
    vote: int = 0,
    seed: int = 1,
) -> Raft:
    log = log or RaftLog()
    state = HardState(term, vote, log.committed)
    return Raft(number, log, hard_state=state, voters=voters, election_ticks=ELECTION, random=Random(seed))


def elected(voters: Sequence[int] = (1, 2, 3), log: RaftLog | None = None, *, term: int = 0) -> Raft:
    """Member 1, which leads the term after ``term``; its first entry is on its disk, and on its way."""
    raft = member(1, voters, log, term=term)
    raft.campaign()
    for voter in voters[1:]:
        raft.step(Message(MessageType.VOTE_RESPONSE, 1, voter, raft.term))
    settle(raft)
    assert raft.role is RaftRole.LEADER
    return raft


def settle(raft: Raft) -> list[Ready]:
    """Does what every ready asks for, at once."""
    done = []
    while ready := raft.ready():
        raft.advance(ready)
        done.append(ready)
    raft.advance(ready)
    return done


def said(raft: Raft) -> list[Message]:
    """What the member has to say, once all is saved."""
    return [message for ready in settle(raft) for message in ready.messages]


def tell(raft: Raft, kind: MessageType, sender: int = 2, **fields: Any) -> list[Message]:
    """What the member answers to a message, of its own term unless it is told another."""
    raft.step(Message(kind, raft.id, sender, **{"term": raft.term, **fields}))
    return said(raft)


def accepts(raft: Raft, voter: int, index: int) -> list[Message]:
    return tell(raft, MessageType.APPEND_RESPONSE, voter, index=index)


def refuses(raft: Raft, voter: int, index: int, hint: int, log_term: int = 0) -> list[Message]:
    return tell(
        raft, MessageType.APPEND_RESPONSE, voter, index=index, reject=True, hint=hint, log_term=log_term
    )


def terms_of(raft: Raft) -> list[int]:
    return [entry.term for entry in raft.log.entries_from(raft.log.first_index)]


def voters_of(raft: Raft) -> tuple[int, ...]:
    return raft.voters


def ticks_until_it_stands(raft: Raft) -> int:
    term = raft.term
    for count in range(1, 3 * ELECTION):
        raft.tick()
        if raft.term > term:
            return count
    raise AssertionError("it never stood for election")
