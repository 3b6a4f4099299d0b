"""The roles of a member and how it moves between them. See the package's text for how it is driven.

Behaviour is etcd 2.3's: no pre-vote, no quorum check by the leader; election after T+1 to 2T ticks without
a leader.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from operator import attrgetter
from random import Random

from server.raft.limits import MessageRefusal, refusal, refusal_of_image
from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType
from server.raft.progress import Pace, Progress
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState, Snapshot

NOBODY = 0
"""The id that no member has (``raft.None`` of etcd): as a leader or a vote it means that there is none."""


class RaftRole(Enum):
    FOLLOWER = "StateFollower"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"


@dataclass(slots=True, init=False)
class Ready:
    """What the caller must do now; never changed once made. ``hard_state`` is None when it has not changed.

    ``snapshot`` came from the leader and takes the place of the whole state machine and log, before ``entries`` are
    saved and ``committed`` applied. ``send_first``: the messages depend on nothing that is not on disk yet, as a
    leader's appends never do (Raft thesis, 10.2.1), so they may leave while the disk works.

    ``must_sync``: entries, term or vote must be on disk before messages are sent and entries applied. A commit index
    that alone has changed may be written at leisure.
    """

    hard_state: HardState | None
    entries: list[Entry]
    committed: list[Entry]
    messages: list[Message]
    must_sync: bool
    send_first: bool
    snapshot: Snapshot | None

    def __init__(
        self,
        hard_state: HardState | None,
        entries: list[Entry],
        committed: list[Entry],
        messages: list[Message],
        must_sync: bool,
        send_first: bool = False,
        snapshot: Snapshot | None = None,
    ) -> None:
        self.hard_state = hard_state
        self.entries = entries
        self.committed = committed
        self.messages = messages
        self.must_sync = must_sync
        self.send_first = send_first
        self.snapshot = snapshot

    def __bool__(self) -> bool:
        return bool(
            self.hard_state is not None or self.entries or self.committed or self.messages or self.snapshot
        )


class Raft:
    """One member.

    ``voters`` are the members whose votes and logs count, empty until the first conf change is applied when
    a member starts from a log without a snapshot. ``election_ticks`` and ``heartbeat_ticks`` count calls of
    ``tick``. Raises ValueError for an id that is 0 or has more than 64 bits, for heartbeats without a tick between
    them, and for an election timeout that is not longer than a heartbeat interval.
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
        _check_configuration(member, election_ticks, heartbeat_ticks)
        self.id = member
        self.log = log
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.role = RaftRole.FOLLOWER
        self.leader = NOBODY
        self._saved = hard_state
        self.election_ticks = election_ticks
        self._heartbeat_ticks = heartbeat_ticks
        self._random = random
        self.may_lead = True
        """Until ``give_up_leading``."""
        self._snapshot: Snapshot | None = None
        self._voters = {voter: Progress(0, 1) for voter in voters}
        self._others = [voter for voter in self._voters if voter != member]
        self._votes: dict[int, bool] = {}
        self._messages: list[Message] = []
        self._reads: deque[tuple[int, Message]] = deque()
        """Questions of 3.x that wait for an entry of this leader's to be committed, oldest first."""
        self._pending_conf_change = False
        self._in_flight: Ready | None = None
        self._overtaken = False
        """A snapshot came while a ready was in flight: the conf changes in that are older than the voters now."""
        self._elapsed = 0
        self._patience = 0
        self._become_follower(max(self.term, log.last_term), NOBODY)
        log.commit_to(_known_by_conf_changes(log))

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
        if self.role is not RaftRole.LEADER:
            return {}
        own = {self.id: (self.log.last_index, self.log.last_index + 1)}
        return {voter: own.get(voter, (seen.match, seen.next)) for voter, seen in self._voters.items()}

    @property
    def conf_change_pending(self) -> bool:
        """Whether a change of members that this leader has in its log is not applied yet."""
        return self._pending_conf_change

    def leads_alone(self) -> bool:
        """Whether nothing can be, or can have been, agreed on that this member does not know: it leads, is the only
        voter, has committed in its term, and has no change of members in its log that is not applied."""
        log = self.log
        return (
            self.role is RaftRole.LEADER
            and self._is_only_voter()
            and not self._pending_conf_change
            and log.term_at(log.committed) == self.term
        )

    @property
    def hard_state(self) -> HardState:
        return HardState(self.term, self.vote, self.log.committed)

    def _is_only_voter(self) -> bool:
        return len(self._voters) == 1 and self.id in self._voters

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
        if self.role is RaftRole.LEADER:
            if self._elapsed >= self._heartbeat_ticks:
                self._elapsed = 0
                self._send_heartbeats()
        elif self._elapsed >= self._patience:
            self._elapsed = 0
            self.leader = NOBODY  # not heard of for so long
            self.campaign()

    def campaign(self) -> bool:
        """Stands for election, at once. Returns False and changes nothing if this member leads, is not a voter, or may
        not lead, and while a committed conf change waits to be applied: it may be the one that takes this member
        out."""
        if self.role is RaftRole.LEADER or not self.may_lead or self.id not in self._voters:
            return False
        if self._conf_change_to_apply():
            return False
        self._become_candidate()
        self._count_vote(self.id, granted=True)
        if self.role is RaftRole.CANDIDATE:
            for voter in self._others:
                self._send(MessageType.VOTE, voter, index=self.log.last_index, log_term=self.log.last_term)
        return True

    def give_up_leading(self) -> None:
        """Never again stands for election, and leads no longer if it does: others will, after an election timeout."""
        self.may_lead = False
        if self.role is not RaftRole.FOLLOWER:
            self._become_follower(self.term, NOBODY)

    def propose(self, *data: bytes) -> bool:
        """Wants entries with these data in the log. False when no leader is known, or it is this member, which has
        been removed; else they are on their way, which promises nothing."""
        return self._propose(EntryType.NORMAL, data)

    def propose_conf_change(self, data: bytes) -> bool:
        """Wants a change of the members. While another is not applied yet, an empty entry takes its place
        (etcd 2.3)."""
        return self._propose(EntryType.CONF_CHANGE, (data,))

    def refusal(self, message: Message) -> MessageRefusal | None:
        """Why ``step`` would not take a message from a peer; None if it would."""
        why = refusal(
            message,
            member=self.id,
            knows=message.sender in self._voters,
            leads=self.role is RaftRole.LEADER,
            term=self.term,
            last=self.log.last_index,
        )
        if why is not None or message.type is not MessageType.SNAPSHOT:
            return why
        snapshot = message.snapshot
        if snapshot is None or not self.installs(snapshot, message.term):
            return None
        return refusal_of_image(snapshot, member=self.id, is_voter=self.id in self._voters)

    def step(self, message: Message) -> MessageRefusal | None:
        """A message from a peer. Returns why it is refused, with nothing changed; None when it was taken."""
        why = self.refusal(message)
        if why is None:
            self._take(message)
        return why

    def installs(self, snapshot: Snapshot, term: int) -> bool:
        """Whether a snapshot would take the place of the log, if it came now in a message of ``term`` that is not
        refused."""
        is_stale = term < self.term or (term == self.term and self.role is RaftRole.LEADER)
        return (
            not is_stale
            and snapshot.index > self.log.committed
            and self.log.term_at(snapshot.index) != snapshot.term
        )

    def _take(self, message: Message) -> None:
        if message.type is MessageType.PROPOSE:
            self._on_propose(message)
            return
        if message.type is MessageType.PRE_VOTE:
            self._on_pre_vote(message)
            return
        if message.type is MessageType.READ_INDEX:
            self._on_read_index(message)
            return
        if message.term < self.term:
            self._tell_of_later_term(message)
            return
        if message.type in (MessageType.PRE_VOTE_RESPONSE, MessageType.READ_INDEX_RESPONSE):
            return  # to a question this member never asks
        if message.term > self.term:
            self._enter_term(message.term)
        if message.type in _FROM_LEADER:
            if self.role is RaftRole.LEADER:
                return  # nobody else leads in this term
            self._become_follower(message.term, message.sender)
        _HANDLERS[message.type](self, message)

    def apply_conf_change(self, *, add: int = NOBODY, remove: int = NOBODY) -> None:
        """A committed conf change takes effect. Adding a voter that is there and removing one that is not
        are fine.

        A leader that is removed continues to lead, without a vote, so that the others hear that its removal
        is committed; it takes no proposals any more, and the caller stops it a little later (etcd 2.3).
        """
        self._pending_conf_change = False
        if self._overtaken:
            return
        if add != NOBODY and add not in self._voters:
            match = self.log.stable if add == self.id else 0
            self._voters[add] = Progress(match, self.log.last_index + 1)
            self._others = [voter for voter in self._voters if voter != self.id]
        if remove in self._voters:
            del self._voters[remove]
            self._others = [voter for voter in self._voters if voter != self.id]
            if self._voters and self._commit_what_a_quorum_has():
                self._broadcast()

    def unreachable(self, voter: int) -> None:
        """A message to it was lost for sure."""
        progress = self._voters.get(voter)
        if progress is not None and progress.pace is Pace.REPLICATE:
            progress.probe()

    def snapshot_ended(self, voter: int, *, arrived: bool) -> None:
        """What became of a SNAPSHOT message; without this, nothing more is sent to the voter until it answers."""
        progress = self._voters.get(voter)
        if progress is not None:
            progress.snapshot_ended(arrived=arrived)

    def drop_conf_change(self) -> None:
        """A committed conf change turned out to be invalid: nothing changes, the next may come."""
        self._pending_conf_change = False

    # what the caller asks for

    def has_ready(self) -> bool:
        """Whether the next ready holds anything."""
        log = self.log
        return (
            log.stable < log.last_index
            or log.applied < min(log.committed, log.stable)
            or bool(self._messages)
            or self._snapshot is not None
            or not self._is_saved(log.committed)
        )

    def _is_saved(self, commit: int) -> bool:
        """Whether the disk has term, vote and that commit index. (Made for each question, a HardState costs more than
        the rest of it.)"""
        saved = self._saved
        return saved.term == self.term and saved.vote == self.vote and saved.commit == commit

    def early_messages(self) -> list[Message]:
        """Those that may leave while a ready is in flight, for they depend on nothing that it brings to the disk: a
        leader's, whose term and vote are there. The next ready is without them."""
        if self.role is not RaftRole.LEADER or (self.term, self.vote) != self._saved[:2]:
            return []
        messages, self._messages = self._messages, []
        return messages

    def ready(self) -> Ready:
        """What the caller must do now; every ready is followed by ``advance`` before the next is asked for."""
        if self._in_flight is not None:
            raise RuntimeError("ready() before advance() of the last ready")
        leads, commit = self.role is RaftRole.LEADER, self.log.committed
        entries = self.log.unstable_entries()
        if entries and leads and self._is_only_voter():
            # What an only voter has on disk is committed. Saved along with the entries, not after them, the commit
            # index tells whoever opens the log next (--force-new-cluster) that none of them may be dropped.
            commit = entries[-1].index
        same_term = self._saved.term == self.term and self._saved.vote == self.vote
        ready = Ready(
            None if self._is_saved(commit) else HardState(self.term, self.vote, commit),
            entries,
            self.log.entries_to_apply(),
            self._messages,
            must_sync=bool(entries) or not same_term or self._snapshot is not None,
            send_first=leads and same_term,
            snapshot=self._snapshot,
        )
        self._messages, self._snapshot = [], None
        self._in_flight = ready
        return ready

    def advance(self, ready: Ready) -> None:
        """All that ``ready`` held is on disk, sent and applied."""
        if self._in_flight is not ready:
            raise RuntimeError("advance() with another ready than the last")
        self._in_flight = None
        self._overtaken = False
        if ready.hard_state is not None:
            self._saved = ready.hard_state
        if ready.committed:
            self.log.applied_to(ready.committed[-1].index)
        if ready.entries:
            last = ready.entries[-1]
            self.log.stable_to(last.index, last.term)
            if self.role is RaftRole.LEADER and self.id in self._voters:
                self._voters[self.id].accepted(self.log.stable)
                if self._commit_what_a_quorum_has():
                    self._broadcast()

    # roles

    def _tell_of_later_term(self, message: Message) -> None:
        """Figure 2: replies carry the own term, for the sender to update itself. Members of 2.3 say nothing instead.

        A leader of 3.x hears of a later term in no other way: it passes votes over while it leads. A candidate may
        be no voter for this member yet, and so hears nothing of its tries.
        """
        if message.type in _FROM_LEADER:
            self._send(MessageType.APPEND_RESPONSE, message.sender)
        elif message.type is MessageType.VOTE:
            self._send(MessageType.VOTE_RESPONSE, message.sender, reject=True)

    def _enter_term(self, term: int) -> None:
        """A later term has begun; who leads it is not known. A follower that waits for a leader continues to wait, for
        only a vote it grants, or a leader, starts its patience again (figure 2): a member that cannot be elected must
        not keep those that can from standing for election."""
        waited = self._elapsed if self.role is not RaftRole.LEADER else 0
        self._become_follower(term, NOBODY)
        self._elapsed = waited

    def _become_follower(self, term: int, leader: int) -> None:
        if (
            self.role is RaftRole.LEADER
            and self._in_flight is not None
            and self._in_flight.hard_state is not None
        ):
            # An only voter may have handed out its commit index together with the entries. It has no rival, but for a
            # forged message: the entries must not give way to others while the disk calls them committed.
            self.log.commit_to(max(self.log.committed, self._in_flight.hard_state.commit))
        self._begin(term)
        self.role = RaftRole.FOLLOWER
        self.leader = leader

    def _become_candidate(self) -> None:
        self._begin(self.term + 1)
        self.role = RaftRole.CANDIDATE
        self.vote = self.id

    def _become_leader(self) -> None:
        self._begin(self.term)
        self.role = RaftRole.LEADER
        self.leader = self.id
        self._voters = {voter: Progress(0, self.log.last_index + 1) for voter in self._voters}
        self._voters[self.id].accepted(self.log.stable)
        uncommitted = self.log.entries_from(self.log.committed + 1)
        self._pending_conf_change = any(entry.type is EntryType.CONF_CHANGE for entry in uncommitted)
        self._append(EntryType.NORMAL, (b"",))

    def _begin(self, term: int) -> None:
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self._votes = {}
        self._reads.clear()
        self._pending_conf_change = False
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
        if self.role is not RaftRole.LEADER:
            return self._forward(tuple(Entry(0, 0, item, kind) for item in data))
        if self.id not in self._voters:
            return False
        if kind is EntryType.CONF_CHANGE:
            if self._pending_conf_change:
                kind, data = EntryType.NORMAL, (b"",)
            self._pending_conf_change = True
        self._append(kind, data)
        return True

    def _forward(self, entries: tuple[Entry, ...]) -> bool:
        if self.leader == NOBODY:
            return False
        self._messages.append(Message(MessageType.PROPOSE, self.leader, self.id, entries=entries))
        return True

    def _on_propose(self, message: Message) -> None:
        if self.role is not RaftRole.LEADER:
            self._forward(message.entries)
            return
        for kind, entries in groupby(message.entries, attrgetter("type")):
            data = [entry.data for entry in entries]
            if kind is EntryType.CONF_CHANGE:
                for item in data:
                    self._propose(kind, (item,))
            else:
                self._propose(kind, data)

    def _append(self, kind: EntryType, data: Sequence[bytes]) -> None:
        term, first = self.term, self.log.last_index + 1
        self.log.append([Entry(term, index, item, kind) for index, item in enumerate(data, first)])
        self._broadcast()

    def _broadcast(self) -> None:
        for voter in self._others:
            self._send_append(voter)

    def _send_append(self, voter: int) -> None:
        """What the voter lacks, or that there is nothing, along with the commit index; if it may be sent now."""
        progress = self._voters[voter]
        if progress.is_paused:
            return
        previous = progress.next - 1
        log_term = self.log.term_at(previous)
        if log_term is None:
            self._send_snapshot(voter, progress)
            return
        entries = self.log.batch_from(progress.next)
        progress.sent(entries[-1].index if entries else previous)
        self._send(
            MessageType.APPEND,
            voter,
            index=previous,
            log_term=log_term,
            entries=tuple(entries),
            commit=self.log.committed,
        )

    def _send_snapshot(self, voter: int, progress: Progress) -> None:
        if not progress.heard:
            return  # it may not be there at all; its answer to a heartbeat will tell
        index = self.log.first_index - 1
        progress.send_snapshot(index)
        self._send(MessageType.SNAPSHOT, voter, index=index)

    def _send_heartbeats(self) -> None:
        for voter in self._others:
            progress = self._voters[voter]
            progress.heartbeat_sent()
            self._send(MessageType.HEARTBEAT, voter, commit=min(progress.match, self.log.committed))

    def _commit_what_a_quorum_has(self) -> bool:
        """Counts only entries of the own term (Raft 5.4.2); the older ones before them are committed along."""
        if self.role is not RaftRole.LEADER:
            return False
        matches = [progress.match for progress in self._voters.values()]
        if len(matches) > 1:
            matches.sort(reverse=True)
        index = matches[self.quorum - 1]
        if index <= self.log.committed or self.log.term_at(index) != self.term:
            return False
        self.log.commit_to(index)
        self._answer_reads()
        return True

    def _on_append_response(self, message: Message) -> None:
        progress = self._voters.get(message.sender)
        if self.role is not RaftRole.LEADER or progress is None:
            return
        progress.heard = True
        if message.reject:
            hint = message.hint
            if message.log_term:
                hint = self.log.last_up_to(hint, message.log_term)
            if progress.refused(message.index, hint):
                self._send_append(message.sender)
            return
        was_paused = progress.is_paused
        if not progress.accepted(message.index):
            return
        if self._commit_what_a_quorum_has():
            self._broadcast()
        elif was_paused or progress.next <= self.log.last_index:
            self._send_append(message.sender)
            while progress.next <= self.log.last_index and progress.may_send_ahead:
                self._send_append(message.sender)

    def _on_heartbeat_response(self, message: Message) -> None:
        progress = self._voters.get(message.sender)
        if self.role is not RaftRole.LEADER or progress is None:
            return
        progress.heartbeat_answered()
        if progress.match < self.log.last_index:
            self._send_append(message.sender)

    def _on_read_index(self, message: Message) -> None:
        """A member of 3.x asks up to where it must have applied the log before it answers a read.

        An entry of this leader's own, agreed on after it was asked, proves that nobody else led meanwhile, whatever
        kind the other members are. (3.x has heartbeats prove it, which members of 2.3 do not echo.) Nobody else is
        answered, and asks again.
        """
        if self.role is RaftRole.LEADER and self.id in self._voters:
            self._reads.append((self.log.last_index + 1, message))
            self._append(EntryType.NORMAL, (b"",))

    def _answer_reads(self) -> None:
        while self._reads and self._reads[0][0] <= self.log.committed:
            index, read = self._reads.popleft()
            self._send(MessageType.READ_INDEX_RESPONSE, read.sender, index=index, entries=read.entries)

    # the follower

    def _on_append(self, message: Message) -> None:
        if message.index < self.log.committed:
            self._send(MessageType.APPEND_RESPONSE, message.sender, index=self.log.committed)
            return
        last = self.log.append_after(message.index, message.log_term, message.entries)
        if last is None:
            self._refuse_append(message)
            return
        self.log.commit_to(min(message.commit, last))
        self._send(MessageType.APPEND_RESPONSE, message.sender, index=last)

    def _refuse_append(self, message: Message) -> None:
        """Says how far back, at least, the two logs part: terms only grow in a log, so an entry of a later term than
        the leader's at the same place or after is not the leader's. Its leader can go on from the term in the answer
        (etcd 3.5; one of 2.3 looks at the hint alone)."""
        hint = self.log.last_up_to(min(message.index, self.log.last_index), message.log_term)
        hint = max(hint, self.log.committed)
        self._send(
            MessageType.APPEND_RESPONSE,
            message.sender,
            index=message.index,
            reject=True,
            hint=hint,
            log_term=self.log.term_at(hint) or 0,
        )

    def _on_heartbeat(self, message: Message) -> None:
        self.log.commit_to(message.commit)
        self._send(MessageType.HEARTBEAT_RESPONSE, message.sender, context=message.context)

    def _on_snapshot(self, message: Message) -> None:
        snapshot = message.snapshot
        assert snapshot is not None  # or it had been refused
        if snapshot.index > self.log.committed:
            if self.log.term_at(snapshot.index) == snapshot.term:
                self.log.commit_to(snapshot.index)  # all of it is here already
            else:
                self._restore(snapshot)
        self._send(MessageType.APPEND_RESPONSE, message.sender, index=self.log.committed)

    def _restore(self, snapshot: Snapshot) -> None:
        """Its voters may lack this member, which was added after the snapshot was taken; the log will tell."""
        self.log.restore(snapshot.index, snapshot.term)
        self._voters = {voter: Progress(0, snapshot.index + 1) for voter in snapshot.nodes}
        self._others = [voter for voter in self._voters if voter != self.id]
        self._snapshot = snapshot
        self._overtaken = self._in_flight is not None

    def _on_vote(self, message: Message) -> None:
        free = (
            self.vote in (NOBODY, message.sender) and self.leader == NOBODY and self.role is RaftRole.FOLLOWER
        )
        granted = free and self.log.is_up_to_date(message.index, message.log_term)
        if granted:
            self.vote = message.sender
            self._elapsed = 0
        self._send(MessageType.VOTE_RESPONSE, message.sender, reject=not granted)

    def _on_vote_response(self, message: Message) -> None:
        if self.role is RaftRole.CANDIDATE and message.sender in self._voters:
            self._count_vote(message.sender, granted=not message.reject)

    def _on_pre_vote(self, message: Message) -> None:
        """Asked by members of 3.x, before they disturb anybody with a later term, whether they would be elected.

        Answered without a change of term or vote; refused while a leader was heard of within an election timeout.
        """
        has_leader = self.leader != NOBODY and self._elapsed < self.election_ticks
        granted = (
            message.term > self.term
            and not has_leader
            and self.log.is_up_to_date(message.index, message.log_term)
        )
        term = message.term if granted else self.term
        self._send(MessageType.PRE_VOTE_RESPONSE, message.sender, reject=not granted, term=term)

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
        term: int | None = None,
        context: bytes = b"",
    ) -> None:
        term = self.term if term is None else term
        self._messages.append(
            Message(kind, to, self.id, term, index, log_term, commit, entries, reject, hint, context=context)
        )


_FROM_LEADER = frozenset({MessageType.APPEND, MessageType.HEARTBEAT, MessageType.SNAPSHOT})

_HANDLERS: dict[MessageType, Callable[[Raft, Message], None]] = {
    MessageType.APPEND: Raft._on_append,
    MessageType.APPEND_RESPONSE: Raft._on_append_response,
    MessageType.VOTE: Raft._on_vote,
    MessageType.VOTE_RESPONSE: Raft._on_vote_response,
    MessageType.SNAPSHOT: Raft._on_snapshot,
    MessageType.HEARTBEAT: Raft._on_heartbeat,
    MessageType.HEARTBEAT_RESPONSE: Raft._on_heartbeat_response,
}


def _check_configuration(member: int, election_ticks: int, heartbeat_ticks: int) -> None:
    """Raises ValueError, in the words of etcd's raft, for what no member can run with."""
    if member == NOBODY:
        raise ValueError("cannot use none as id: 0 stands for no member")
    if not 0 < member < 1 << 64:
        raise ValueError(f"a member's id is an unsigned number of 64 bits, not {member}")
    if heartbeat_ticks <= 0:
        raise ValueError(f"heartbeat tick must be greater than 0, not {heartbeat_ticks}")
    if election_ticks <= heartbeat_ticks:
        raise ValueError(
            f"election tick must be greater than heartbeat tick: {election_ticks} is not greater than "
            f"{heartbeat_ticks}, so followers would stand for election between two heartbeats of a healthy leader"
        )


def _known_by_conf_changes(log: RaftLog) -> int:
    """How far a log read from disk is committed for sure, whatever became of the hard state.

    A conf change is proposed when the one before it has been applied, so all but the last are committed. When the
    last save was torn, the hard state that said so may be missing; a member that stood for election by voters of
    two changes ago could win beside a majority of the present ones.
    """
    changes = [
        entry.index for entry in log.entries_from(log.committed + 1) if entry.type is EntryType.CONF_CHANGE
    ]
    return changes[-2] if len(changes) > 1 else 0
