"""What a member does not take from a peer, even if the sender claims to be one: bounds of every number, and who may say
what.

Raft believes what it hears, so one message can end a cluster: a term that leaves no room to count on is taken over,
saved and passed on by everybody. The numbers are therefore judged before they are believed. No honest member comes
near the bounds: at an election a second a term needs 136 years to rise by 2^32, and a million entries a second fill
2^48 indexes in nine. Raft is still not Byzantine: a forged message whose numbers are plausible is obeyed, and what
guards against that is TLS.

The bounds keep numbers below 2^62, which is what a disk may hold too (``server.storage``).
"""

from typing import NamedTuple

from server.raft.messages import Message, MessageType
from server.raft.types import Snapshot

NO_ROOM = 1 << 62
"""Terms and indexes from here on are forged or damaged."""

TERMS_AHEAD = 1 << 32
"""How far a term may be beyond this member's: an election every millisecond for seven weeks."""

INDEXES_AHEAD = 1 << 48
"""How far an index may be beyond the last one of this member's log. A joiner's is 0, and a cluster may be old: this
is 10,000 entries a second for 900 years."""


class MessageRefusal(NamedTuple):
    """``reason`` is one of a few words, to count by; ``text`` says what is wrong."""

    reason: str
    text: str


def refusal(
    message: Message, *, member: int, knows: bool, leads: bool, term: int, last: int
) -> MessageRefusal | None:
    """Why a member does not take a message; None if it does.

    The member is ``member``, its own term ``term``, which it ``leads`` or not, and the last index of its log ``last``.
    ``knows``: the sender is a voter, as far as it knows. (A snapshot that would be installed is checked further:
    ``refusal_of_image``.)
    """
    if message.to != member:
        return MessageRefusal("receiver", f"it is for member {message.to:x}")
    kind = message.type
    if not knows and (kind in _FOR_VOTERS or message.sender == 0):
        return MessageRefusal("sender", "the sender is no member that is known here")
    if message.sender == member:
        return MessageRefusal("sender", "it claims to come from this member itself")
    most_term = min(term + TERMS_AHEAD, NO_ROOM - 1)
    most_index = min(last + INDEXES_AHEAD, NO_ROOM - 1)
    if message.term > most_term:
        return _beyond("term", message.term, term)
    if message.log_term > message.term and kind not in _WITHOUT_TERM:
        return MessageRefusal("term", f"its log term {message.log_term} is above its term {message.term}")
    if message.log_term > most_term:
        return _beyond("term", message.log_term, term)
    if message.index > most_index or message.hint > most_index or message.commit > most_index:
        return _beyond("index", max(message.index, message.hint, message.commit), last)
    expected = message.index
    for entry in message.entries:
        expected += 1
        if entry.index != expected and kind is MessageType.APPEND:
            return MessageRefusal("index", f"entry {entry.index} where entry {expected} belongs")
        if entry.index > most_index:
            return _beyond("index", entry.index, last)
        if entry.term > message.term:
            return MessageRefusal(
                "term", f"an entry has term {entry.term}, the message has term {message.term}"
            )
    if message.term == 0 and kind not in _WITHOUT_TERM:
        return MessageRefusal("term", "it has term 0, in which nobody can lead or stand")
    if kind is MessageType.HEARTBEAT and message.commit > last:
        return MessageRefusal(
            "commit",
            f"tocommit({message.commit}) is out of range [lastIndex({last})]. "
            "Was the raft log corrupted, truncated, or lost?",
        )
    if (
        kind is MessageType.APPEND_RESPONSE
        and leads
        and not message.reject
        and message.term == term
        and message.index > last
    ):
        return MessageRefusal(
            "index", f"it confirms entry {message.index}, but the log here ends with {last}"
        )
    if kind is MessageType.SNAPSHOT:
        return _refusal_of_snapshot(message, most_index)
    return None


def _refusal_of_snapshot(message: Message, most_index: int) -> MessageRefusal | None:
    snapshot = message.snapshot
    if snapshot is None:
        return MessageRefusal("snapshot", "there is no snapshot in it")
    if snapshot.index > most_index:
        return MessageRefusal("index", f"a snapshot at index {snapshot.index} leaves no room to count on")
    if snapshot.term > message.term:
        return MessageRefusal(
            "term", f"a snapshot of term {snapshot.term} in a message of term {message.term}"
        )
    return None


def refusal_of_image(snapshot: Snapshot, *, member: int, is_voter: bool) -> MessageRefusal | None:
    """Why a snapshot must not take the place of the log. ``is_voter``: the member has applied its own addition.

    A joiner's image may be older than its addition: releases up to 2.2 send such. Another's may not.
    """
    if not snapshot.nodes:
        return MessageRefusal("snapshot", f"the snapshot at index {snapshot.index} has no members")
    if is_voter and member not in snapshot.nodes:
        text = f"the snapshot at index {snapshot.index} leaves out this member, which was added before"
        return MessageRefusal("snapshot", text)
    return None


def _beyond(what: str, number: int, own: int) -> MessageRefusal:
    return MessageRefusal(what, f"{what} {number} leaves no room to count on, the own one is {own}")


_FOR_VOTERS = frozenset(
    {
        MessageType.PROPOSE,
        MessageType.APPEND_RESPONSE,
        MessageType.VOTE_RESPONSE,
        MessageType.HEARTBEAT_RESPONSE,
        MessageType.READ_INDEX,
        MessageType.READ_INDEX_RESPONSE,
        MessageType.PRE_VOTE_RESPONSE,
    }
)
"""Answers and proposals, which need a sender that counts. What a leader or a candidate says is taken from anybody: this
member may only not have heard of him yet (Raft thesis, 4.1)."""

_WITHOUT_TERM = frozenset(
    {
        MessageType.PROPOSE,
        MessageType.READ_INDEX,
        MessageType.READ_INDEX_RESPONSE,
        MessageType.PRE_VOTE_RESPONSE,
    }
)
"""They claim nothing, or are answers to what is never asked here."""
