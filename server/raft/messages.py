"""What members say to each other. Plain values; the wire form is the peer room's business.

The numbers are raftpb's (etcd 2.3), so that a message type is the same number here and on the wire.
"""

from dataclasses import dataclass
from enum import IntEnum

from server.raft.types import Entry, Snapshot


class MessageType(IntEnum):
    PROPOSE = 2
    APPEND = 3
    APPEND_RESPONSE = 4
    VOTE = 5
    VOTE_RESPONSE = 6
    SNAPSHOT = 7
    HEARTBEAT = 8
    HEARTBEAT_RESPONSE = 9
    READ_INDEX = 15
    READ_INDEX_RESPONSE = 16
    PRE_VOTE = 17
    PRE_VOTE_RESPONSE = 18


@dataclass(slots=True, init=False)
class Message:
    """One message, never changed once made. ``index`` and ``log_term`` name an entry: the one before ``entries``
    (APPEND), the last of the candidate (VOTE), the last that now matches or the one refused (APPEND_RESPONSE). ``hint``
    is the last entry of the refuser that can match at all, and ``log_term`` is then its term, which members of 2.3 do
    not tell.
    A PROPOSE carries no term: it is not part of the sender's claim to anything.

    A SNAPSHOT leaves this room without one: who sends it puts in a ``snapshot`` of the state at ``index`` or after.
    PRE_VOTE, READ_INDEX and ``context`` are of members of etcd 3.x; they are answered here, and never begun. A
    READ_INDEX carries no term either; its ``entries`` say which read it is for, and come back in the answer.
    """

    type: MessageType
    to: int
    sender: int
    term: int
    index: int
    log_term: int
    commit: int
    entries: tuple[Entry, ...]
    reject: bool
    hint: int
    snapshot: Snapshot | None
    context: bytes

    def __init__(
        self,
        type: MessageType,
        to: int,
        sender: int,
        term: int = 0,
        index: int = 0,
        log_term: int = 0,
        commit: int = 0,
        entries: tuple[Entry, ...] = (),
        reject: bool = False,
        hint: int = 0,
        snapshot: Snapshot | None = None,
        context: bytes = b"",
    ) -> None:
        self.type = type
        self.to = to
        self.sender = sender
        self.term = term
        self.index = index
        self.log_term = log_term
        self.commit = commit
        self.entries = entries
        self.reject = reject
        self.hint = hint
        self.snapshot = snapshot
        self.context = context
