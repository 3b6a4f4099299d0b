"""The roles of a member and how it moves between them. See the package's text for how it is driven.

Behaviour is etcd 2.3's: no pre-vote, no quorum check by the leader; election after T+1 to 2T ticks without
a leader.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState

NOBODY = 0

MAX_APPEND_BYTES = 1024 * 1024
"""Entries' data in one APPEND, as in etcd; one entry always goes."""


class Role(Enum):
    FOLLOWER = "StateFollower"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"


@dataclass(slots=True, frozen=True)
class Ready:
    """What is to be done now. ``hard_state`` is None when it has not changed.

    ``must_sync``: entries, term or vote have to be on disk before messages are sent and entries applied. A commit index
    that alone has changed may be written at leisure.
    """

    hard_state: HardState | None
    entries: list[Entry]
    committed: list[Entry]
    messages: list[Message]
    must_sync: bool

    def __bool__(self) -> bool:
        return bool(self.hard_state is not None or self.entries or self.committed or self.messages)


@dataclass(slots=True)
class Progress:
    """What a leader knows of a follower: ``match`` is there for sure, ``next`` is what to send next."""

    match: int
    next: int
    waiting: bool = False
    """One APPEND is on its way; no more until an answer, or a heartbeat interval has passed."""


class Raft:
    """One member.

    ``voters`` are the members whose votes and logs count, empty until the first conf change is applied when
    a member starts from a log without a snapshot. ``election_ticks`` and ``heartbeat_ticks`` count calls of
    ``tick``.
    """

    def __init__(
        self,
        member: int,
        log: RaftLog,
        *,
        hard_state: HardState = EMPTY_HARD_STATE,
        voters: Iterable[int] = (),
        election_ticks: int = 10,
        heartbeat_ticks: int = 1,
        random: Random,
    ) -> None:
        if member == NOBODY:
            raise ValueError("a member's id is never 0")
        self.id = member
        self.log = log
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.role = Role.FOLLOWER
        self.leader = NOBODY
        self._saved = hard_state
        self.election_ticks = election_ticks
        self._heartbeat_ticks = heartbeat_ticks
        self._random = random
        self._voters = {voter: Progress(0, 1) for voter in voters}
        self._others = [voter for voter in self._voters if voter != member]
        self._votes: dict[int, bool] = {}
        self._messages: list[Message] = []
        self._pending_conf_change = False
        self._in_flight: Ready | None = None
        self._elapsed = 0
        self._patience = 0
        self._become_follower(self.term, NOBODY)

    # what the caller may know

    @property
    def voters(self) -> tuple[int, ...]:
        return tuple(sorted(self._voters))

    @property
    def quorum(self) -> int:
        return len(self._voters) // 2 + 1

    @property
    def progress(self) -> dict[int, tuple[int, int]]:
        """What a leader knows of every voter: the last entry that is there for sure, and the next to send. Empty for
        others."""
        if self.role is not Role.LEADER:
            return {}
        own = {self.id: (self.log.last_index, self.log.last_index + 1)}
        return {voter: own.get(voter, (seen.match, seen.next)) for voter, seen in self._voters.items()}

    @property
    def conf_change_pending(self) -> bool:
        """Whether a change of members that this leader has in its log is not applied yet."""
        return self._pending_conf_change

    @property
    def hard_state(self) -> HardState:
        return HardState(self.term, self.vote, self.log.committed)

    # what the caller brings

    def bootstrap(self, conf_changes: Iterable[bytes]) -> None:
        """Starts a new cluster: every first member begins with the same conf-change entries, committed at
        term 1.

        ``conf_changes``: the encoded additions of all first members, in the order of their ids.
        """
        if self.log.last_index or self.term:
            raise ValueError("only a member with an empty log can begin a new cluster")
        self._become_follower(1, NOBODY)
        entries = [Entry(1, 1 + n, data, EntryType.CONF_CHANGE) for n, data in enumerate(conf_changes)]
        self.log.append(entries)
        self.log.commit_to(self.log.last_index)

    def tick(self) -> None:
        """One heartbeat interval has passed."""
        self._elapsed += 1
        if self.role is Role.LEADER:
            if self._elapsed >= self._heartbeat_ticks:
                self._elapsed = 0
                self._send_heartbeats()
        elif self._elapsed >= self._patience:
            self._elapsed = 0
            self.campaign()

    def campaign(self) -> bool:
        """Stands for election, at once. False, with no change, for a leader, for who is no voter, and while
        a committed conf change waits to be applied: it may be the one that takes this member out."""
        if self.role is Role.LEADER or self.id not in self._voters or self._conf_change_to_apply():
            return False
        self._become_candidate()
        self._count_vote(self.id, granted=True)
        if self.role is Role.CANDIDATE:
            for voter in self._others:
                self._send(MessageType.VOTE, voter, index=self.log.last_index, log_term=self.log.last_term)
        return True

    def propose(self, *data: bytes) -> bool:
        """Wants entries with these data in the log. False when no leader is known; else they are on their way, which
        promises nothing."""
        return self._propose(EntryType.NORMAL, data)

    def propose_conf_change(self, data: bytes) -> bool:
        """Wants a change of the members. While another is not applied yet, an empty entry takes its place
        (etcd 2.3)."""
        return self._propose(EntryType.CONF_CHANGE, (data,))

    def step(self, message: Message) -> None:
        """A message from a peer."""
        if message.type is MessageType.PROPOSE:
            for entry in message.entries:
                self._propose(entry.type, (entry.data,))
            return
        if message.term < self.term:
            return
        if message.term > self.term:
            known = NOBODY if message.type is MessageType.VOTE else message.sender
            self._become_follower(message.term, known if message.type in _FROM_LEADER else NOBODY)
        if message.type in _FROM_LEADER and self.role is not Role.LEADER:
            self._become_follower(message.term, message.sender)
        _HANDLERS[message.type](self, message)

    def apply_conf_change(self, *, add: int = NOBODY, remove: int = NOBODY) -> None:
        """A committed conf change takes effect. Adding a voter that is there and removing one that is not
        are fine."""
        self._pending_conf_change = False
        if add != NOBODY and add not in self._voters:
            match = self.log.stable if add == self.id else 0
            self._voters[add] = Progress(match, self.log.last_index + 1)
            self._others = [voter for voter in self._voters if voter != self.id]
        if remove in self._voters:
            del self._voters[remove]
            self._others = [voter for voter in self._voters if voter != self.id]
            if self._voters:
                self._commit_what_a_quorum_has()

    def drop_conf_change(self) -> None:
        """A committed conf change turned out to be invalid: nothing changes, the next may come."""
        self._pending_conf_change = False

    # what the caller asks for

    def ready(self) -> Ready:
        """What is to be done now; every ready is followed by ``advance`` before the next is asked for."""
        if self._in_flight is not None:
            raise RuntimeError("ready() before advance() of the last ready")
        state = self.hard_state
        entries = self.log.unstable_entries()
        if entries and self.role is Role.LEADER and self._voters.keys() == {self.id}:
            # What an only voter has on disk is committed. Saved along with the entries, not after them, the commit
            # index tells whoever opens the log next (--force-new-cluster) that none of them may be dropped.
            state = state._replace(commit=entries[-1].index)
        ready = Ready(
            hard_state=None if state == self._saved else state,
            entries=entries,
            committed=self.log.entries_to_apply(),
            messages=self._messages,
            must_sync=bool(entries) or state[:2] != self._saved[:2],
        )
        self._messages = []
        self._in_flight = ready
        return ready

    def advance(self, ready: Ready) -> None:
        """All that ``ready`` held is on disk, sent and applied."""
        if self._in_flight is not ready:
            raise RuntimeError("advance() with another ready than the last")
        self._in_flight = None
        if ready.hard_state is not None:
            self._saved = ready.hard_state
        if ready.committed:
            self.log.applied_to(ready.committed[-1].index)
        if ready.entries:
            last = ready.entries[-1]
            self.log.stable_to(last.index, last.term)
            if self.role is Role.LEADER and self.id in self._voters:
                self._voters[self.id].match = self.log.stable
                self._commit_what_a_quorum_has()

    # roles

    def _become_follower(self, term: int, leader: int) -> None:
        self._begin(term)
        self.role = Role.FOLLOWER
        self.leader = leader

    def _become_candidate(self) -> None:
        self._begin(self.term + 1)
        self.role = Role.CANDIDATE
        self.vote = self.id

    def _become_leader(self) -> None:
        self._begin(self.term)
        self.role = Role.LEADER
        self.leader = self.id
        for progress in self._voters.values():
            progress.match, progress.next, progress.waiting = 0, self.log.last_index + 1, False
        self._voters[self.id].match = self.log.stable
        uncommitted = self.log.entries_from(self.log.committed + 1)
        self._pending_conf_change = any(entry.type is EntryType.CONF_CHANGE for entry in uncommitted)
        self._append(EntryType.NORMAL, (b"",))

    def _begin(self, term: int) -> None:
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self._votes = {}
        self._elapsed = 0
        self._patience = self.election_ticks + 1 + self._random.randrange(self.election_ticks)

    def _count_vote(self, voter: int, *, granted: bool) -> None:
        self._votes.setdefault(voter, granted)
        in_favour = sum(self._votes.values())
        if in_favour >= self.quorum:
            self._become_leader()
        elif len(self._votes) - in_favour >= self.quorum:
            self._become_follower(self.term, NOBODY)

    # the leader

    def _propose(self, kind: EntryType, data: Sequence[bytes]) -> bool:
        if self.role is Role.LEADER:
            if self.id not in self._voters:
                return True  # taken out of the cluster: nothing can be agreed on any more
            if kind is EntryType.CONF_CHANGE:
                if self._pending_conf_change:
                    kind, data = EntryType.NORMAL, (b"",)
                else:
                    self._pending_conf_change = True
            self._append(kind, data)
            return True
        if self.leader == NOBODY:
            return False
        entries = tuple(Entry(0, 0, item, kind) for item in data)
        self._messages.append(Message(MessageType.PROPOSE, self.leader, self.id, entries=entries))
        return True

    def _append(self, kind: EntryType, data: Sequence[bytes]) -> None:
        term, first = self.term, self.log.last_index + 1
        self.log.append([Entry(term, index, item, kind) for index, item in enumerate(data, first)])
        for voter in self._others:
            self._send_append(voter)

    def _send_append(self, voter: int) -> None:
        progress = self._voters[voter]
        previous = progress.next - 1
        log_term = self.log.term_at(previous)
        if progress.waiting or log_term is None:
            return  # what is compacted away can only come as a snapshot
        entries = _limited(self.log.entries_from(progress.next))
        progress.waiting = True
        self._send(
            MessageType.APPEND,
            voter,
            index=previous,
            log_term=log_term,
            entries=tuple(entries),
            commit=self.log.committed,
        )

    def _send_heartbeats(self) -> None:
        for voter in self._others:
            progress = self._voters[voter]
            progress.waiting = False
            self._send(MessageType.HEARTBEAT, voter, commit=min(progress.match, self.log.committed))

    def _commit_what_a_quorum_has(self) -> None:
        """Counts only entries of the own term (Raft 5.4.2); the older ones before them are committed
        along."""
        if self.role is not Role.LEADER:
            return
        matches = sorted((progress.match for progress in self._voters.values()), reverse=True)
        index = matches[self.quorum - 1]
        if index > self.log.committed and self.log.term_at(index) == self.term:
            self.log.commit_to(index)
            for voter in self._others:
                self._send_append(voter)

    def _on_append_response(self, message: Message) -> None:
        progress = self._voters.get(message.sender)
        if self.role is not Role.LEADER or progress is None:
            return
        progress.waiting = False
        if message.reject:
            if message.index == progress.next - 1:
                progress.next = max(progress.match + 1, min(message.index, message.hint + 1))
        elif message.index > progress.match:
            progress.match = message.index
            progress.next = max(progress.next, message.index + 1)
            self._commit_what_a_quorum_has()
        if progress.next <= self.log.last_index:
            self._send_append(message.sender)

    def _on_heartbeat_response(self, message: Message) -> None:
        progress = self._voters.get(message.sender)
        if self.role is Role.LEADER and progress is not None and progress.match < self.log.last_index:
            progress.waiting = False
            self._send_append(message.sender)

    # the follower

    def _on_append(self, message: Message) -> None:
        if message.index < self.log.committed:
            self._send(MessageType.APPEND_RESPONSE, message.sender, index=self.log.committed)
            return
        last = self.log.append_after(message.index, message.log_term, message.entries)
        if last is None:
            hint = self.log.last_index
            self._send(
                MessageType.APPEND_RESPONSE, message.sender, index=message.index, reject=True, hint=hint
            )
            return
        self.log.commit_to(min(message.commit, last))
        self._send(MessageType.APPEND_RESPONSE, message.sender, index=last)

    def _on_heartbeat(self, message: Message) -> None:
        self.log.commit_to(message.commit)
        self._send(MessageType.HEARTBEAT_RESPONSE, message.sender)

    def _on_vote(self, message: Message) -> None:
        free = self.vote in (NOBODY, message.sender) and self.leader == NOBODY and self.role is Role.FOLLOWER
        granted = free and self.log.is_up_to_date(message.index, message.log_term)
        if granted:
            self.vote = message.sender
            self._elapsed = 0
        self._send(MessageType.VOTE_RESPONSE, message.sender, reject=not granted)

    def _on_vote_response(self, message: Message) -> None:
        if self.role is Role.CANDIDATE and message.sender in self._voters:
            self._count_vote(message.sender, granted=not message.reject)

    # small things

    def _conf_change_to_apply(self) -> bool:
        waiting = self.log.entries_from(self.log.applied + 1, self.log.committed)
        return any(entry.type is EntryType.CONF_CHANGE for entry in waiting)

    def _send(
        self,
        kind: MessageType,
        to: int,
        *,
        index: int = 0,
        log_term: int = 0,
        commit: int = 0,
        entries: tuple[Entry, ...] = (),
        reject: bool = False,
        hint: int = 0,
    ) -> None:
        self._messages.append(
            Message(kind, to, self.id, self.term, index, log_term, commit, entries, reject, hint)
        )


_FROM_LEADER = frozenset({MessageType.APPEND, MessageType.HEARTBEAT})

_HANDLERS: dict[MessageType, Callable[[Raft, Message], None]] = {
    MessageType.APPEND: Raft._on_append,
    MessageType.APPEND_RESPONSE: Raft._on_append_response,
    MessageType.VOTE: Raft._on_vote,
    MessageType.VOTE_RESPONSE: Raft._on_vote_response,
    MessageType.HEARTBEAT: Raft._on_heartbeat,
    MessageType.HEARTBEAT_RESPONSE: Raft._on_heartbeat_response,
}


def _limited(entries: list[Entry]) -> list[Entry]:
    """As many as fit into one message, at least one."""
    size = 0
    for position, entry in enumerate(entries):
        size += len(entry.data)
        if size > MAX_APPEND_BYTES and position:
            return entries[:position]
    return entries
