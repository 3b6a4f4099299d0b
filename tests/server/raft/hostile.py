"""Somebody on the peer port who says whatever he likes: any message that decodes, from any sender.

Two kinds. ``outside`` breaks a bound (``server.raft.limits``) in at least one place: of such a message a member must take
nothing. ``plausible`` keeps them all: Raft believes it, and what it does then is its own affair, but no member may meet an
exception that nobody expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from server.peer.codec import WireError, decode_message, encode_message
from server.raft import NO_ROOM, Entry, EntryType, Message, MessageType, Raft, RaftRole, Snapshot
from server.raft.limits import INDEXES_AHEAD, TERMS_AHEAD

LAST = (1 << 64) - 1
STRANGER = 99
FROM_LEADERS = (MessageType.APPEND, MessageType.HEARTBEAT, MessageType.SNAPSHOT)
ANSWERS = (
    MessageType.PROPOSE,
    MessageType.APPEND_RESPONSE,
    MessageType.VOTE_RESPONSE,
    MessageType.HEARTBEAT_RESPONSE,
    MessageType.READ_INDEX,
)


class Hostile:
    def __init__(
        self,
        random: Random,
        data: Callable[[EntryType], bytes] = lambda kind: b"",
        image: Callable[[int, tuple[int, ...]], bytes] = lambda index, nodes: b"",
    ) -> None:
        """``data`` makes what is in an entry, ``image`` what is in a snapshot at an index with these members."""
        self._random = random
        self._data = data
        self._image = image

    def plausible(self, raft: Raft, others: Sequence[int]) -> Message:
        """To a member, from one of the ``others`` or a stranger; its numbers are near the member's own."""
        while True:
            if (message := _as_sent(self._message(raft, others))) is not None:
                return message

    def outside(self, raft: Raft, others: Sequence[int]) -> Message:
        """To a member, with at least one thing that no honest member says."""
        while True:
            twist = self._random.choice(_TWISTS)
            if (message := _as_sent(twist(self, raft, self.plausible(raft, others)))) is not None:
                return message

    def _message(self, raft: Raft, others: Sequence[int]) -> Message:
        random, log = self._random, raft.log
        kind = random.choice(list(MessageType))
        index = self._near(log.last_index, log.committed, log.first_index, 0)
        term = max(1, self._near(raft.term, raft.term + 1))
        log_term = log.term_at(index)
        if log_term is None or random.random() < 0.2:
            log_term = self._near(log.last_term, 0)
        snapshot = None
        if kind is MessageType.SNAPSHOT:
            nodes = tuple(
                {*raft.voters, *random.sample(list(others), random.randint(0, len(others))), raft.id}
            )
            at = max(1, self._near(log.last_index + 3))
            snapshot = Snapshot(at, min(term, log_term or 1), nodes, self._image(at, nodes))
        return Message(
            kind,
            raft.id,
            random.choice([*others, STRANGER]),
            term,
            index,
            min(log_term, term),
            self._near(log.committed, log.last_index),
            self._entries(kind, index, term),
            random.random() < 0.3,
            self._near(log.last_index, 0),
            snapshot,
            random.choice((b"", b"CampaignTransfer")),
        )

    def _near(self, *numbers: int) -> int:
        return max(0, self._random.choice(numbers) + self._random.choice((0, 0, 0, 1, -1, 2, -3, 1000)))

    def _entries(self, kind: MessageType, index: int, term: int) -> tuple[Entry, ...]:
        entries = []
        for number in range(self._random.choice((0, 0, 1, 2, 5))):
            entry_type = EntryType.CONF_CHANGE if self._random.random() < 0.2 else EntryType.NORMAL
            own_term = max(0, term - self._random.choice((0, 0, 0, 1)))
            if kind is not MessageType.APPEND:
                own_term = 0
            entries.append(Entry(own_term, index + 1 + number, self._data(entry_type), entry_type))
        return tuple(entries)

    # What no honest member says

    def beyond_term(self, raft: Raft, message: Message) -> Message:
        return replace(message, term=self._beyond(raft.term + TERMS_AHEAD + 1))

    def beyond_index(self, raft: Raft, message: Message) -> Message:
        far = self._beyond(raft.log.last_index + INDEXES_AHEAD + 1)
        return self._random.choice(
            (
                replace(message, entries=(), index=far),
                replace(message, hint=far),
                replace(message, commit=far),
            )
        )

    def beyond_log_term(self, raft: Raft, message: Message) -> Message:
        kind = self._random.choice((*FROM_LEADERS[:2], MessageType.VOTE, MessageType.APPEND_RESPONSE))
        return replace(
            message, type=kind, snapshot=None, log_term=message.term + 1 + self._random.choice((0, LAST >> 2))
        )

    def entry_beyond_its_message(self, raft: Raft, message: Message) -> Message:
        kind = self._random.choice((MessageType.HEARTBEAT, MessageType.VOTE, MessageType.PROPOSE))
        term = message.term + 1 + self._random.choice((0, TERMS_AHEAD, LAST >> 1))
        return replace(message, type=kind, snapshot=None, entries=(Entry(term, 1, b"x"),))

    def entry_beyond_the_index(self, raft: Raft, message: Message) -> Message:
        kind = self._random.choice((MessageType.HEARTBEAT, MessageType.VOTE, MessageType.PROPOSE))
        far = self._beyond(raft.log.last_index + INDEXES_AHEAD + 1)
        return replace(message, type=kind, snapshot=None, entries=(Entry(0, far, b"x"),))

    def commit_beyond_the_log(self, raft: Raft, message: Message) -> Message:
        commit = raft.log.last_index + self._random.randint(1, 100)
        return replace(message, type=MessageType.HEARTBEAT, snapshot=None, commit=commit)

    def answer_of_a_stranger(self, raft: Raft, message: Message) -> Message:
        return replace(message, type=self._random.choice(ANSWERS), sender=STRANGER, snapshot=None, entries=())

    def to_another(self, raft: Raft, message: Message) -> Message:
        return replace(message, to=self._random.choice((0, STRANGER, LAST)))

    def from_nobody(self, raft: Raft, message: Message) -> Message:
        return replace(message, sender=self._random.choice((0, raft.id)))

    def without_term(self, raft: Raft, message: Message) -> Message:
        kind = self._random.choice((*FROM_LEADERS[:2], MessageType.VOTE, MessageType.PRE_VOTE))
        return replace(message, type=kind, term=0, log_term=0, entries=(), snapshot=None)

    def snapshot_beyond(self, raft: Raft, message: Message) -> Message:
        far = self._beyond(raft.log.last_index + INDEXES_AHEAD + 1)
        term = self._beyond(message.term + 1)
        index, term = self._random.choice(((far, 1), (raft.log.last_index + 1, term)))
        nodes = tuple({raft.id, *raft.voters})
        return replace(message, type=MessageType.SNAPSHOT, snapshot=Snapshot(index, term, nodes, b""))

    def snapshot_of_nobody(self, raft: Raft, message: Message) -> Message:
        others = tuple(voter for voter in raft.voters if voter != raft.id) if raft.id in raft.voters else ()
        nodes = self._random.choice(((), others))
        snapshot = Snapshot(raft.log.last_index + self._random.randint(1, 10), raft.term + 1, nodes, b"")
        return replace(
            message, type=MessageType.SNAPSHOT, term=raft.term + 1, log_term=0, entries=(), snapshot=snapshot
        )

    def confirms_too_much(self, raft: Raft, message: Message) -> Message:
        """To a leader; of another it is an answer to a question that was never asked."""
        if raft.role is not RaftRole.LEADER:
            return self.answer_of_a_stranger(raft, message)
        return replace(
            message,
            type=MessageType.APPEND_RESPONSE,
            snapshot=None,
            term=raft.term,
            log_term=0,
            entries=(),
            reject=False,
            index=raft.log.last_index + self._random.randint(1, 100),
        )

    def _beyond(self, bound: int) -> int:
        bound = min(bound, NO_ROOM)
        return self._random.choice((bound, NO_ROOM, 1 << 63, LAST, self._random.randint(bound, LAST)))


_TWISTS = (
    Hostile.beyond_term,
    Hostile.beyond_index,
    Hostile.beyond_log_term,
    Hostile.entry_beyond_its_message,
    Hostile.entry_beyond_the_index,
    Hostile.commit_beyond_the_log,
    Hostile.answer_of_a_stranger,
    Hostile.to_another,
    Hostile.from_nobody,
    Hostile.without_term,
    Hostile.snapshot_beyond,
    Hostile.snapshot_of_nobody,
    Hostile.confirms_too_much,
)


def _as_sent(message: Message) -> Message | None:
    """What arrives of it; None for what has no place on the wire."""
    try:
        return decode_message(encode_message(message))
    except (ValueError, WireError):
        return None
