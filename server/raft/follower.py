"""What a follower does to its log as its leader says, and what it answers. The leader's term is its own by then."""

from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType


def append(log: RaftLog, message: Message) -> Message:
    """Takes entries over, if those before them are there, and what the leader has committed of them."""
    if message.index < log.committed:
        return _accepted(message, log.committed)
    last = log.append_after(message.index, message.log_term, message.entries)
    if last is None:
        return _refused(log, message)
    log.commit_to(min(message.commit, last))
    return _accepted(message, last)


def heartbeat(log: RaftLog, message: Message) -> Message:
    log.commit_to(message.commit)
    return Message(
        MessageType.HEARTBEAT_RESPONSE, message.sender, message.to, message.term, context=message.context
    )


def snapshot(log: RaftLog, message: Message) -> Message:
    """The log has all that is in the snapshot: it was restored from it just now, or had as much before."""
    assert message.snapshot is not None  # or it had been refused
    log.commit_to(message.snapshot.index)
    return _accepted(message, log.committed)


def _accepted(message: Message, last: int) -> Message:
    """The log matches the leader's up to ``last``."""
    return Message(MessageType.APPEND_RESPONSE, message.sender, message.to, message.term, last)


def _refused(log: RaftLog, message: Message) -> Message:
    """Says how far back, at least, the two logs part: terms only grow in a log, so an entry of a later term than
    the leader's at the same place or after is not the leader's. Its leader can go on from the term in the answer
    (etcd 3.5; one of 2.3 looks at the hint alone)."""
    hint = log.last_up_to(min(message.index, log.last_index), message.log_term)
    hint = max(hint, log.committed)
    return Message(
        MessageType.APPEND_RESPONSE,
        message.sender,
        message.to,
        message.term,
        message.index,
        log.term_at(hint) or 0,
        reject=True,
        hint=hint,
    )
