"""What members say to each other. Plain values; the wire form is the peer room's business.

The numbers are raftpb's (etcd 2.3), so that a message type is the same number here and on the wire.
"""

from dataclasses import dataclass
from enum import IntEnum

from server.raft.types import Entry


class MessageType(IntEnum):
    PROPOSE = 2
    APPEND = 3
    APPEND_RESPONSE = 4
    VOTE = 5
    VOTE_RESPONSE = 6
    HEARTBEAT = 8
    HEARTBEAT_RESPONSE = 9


@dataclass(slots=True, frozen=True)
class Message:
    """One message. ``index`` and ``log_term`` name an entry: the one before ``entries`` (APPEND), the last
    of the candidate (VOTE), the last that now matches or the one refused (APPEND_RESPONSE). ``hint`` is the
    refuser's last index. A PROPOSE carries no term: it is not part of the sender's claim to anything."""

    type: MessageType
    to: int
    sender: int
    term: int = 0
    index: int = 0
    log_term: int = 0
    commit: int = 0
    entries: tuple[Entry, ...] = ()
    reject: bool = False
    hint: int = 0
