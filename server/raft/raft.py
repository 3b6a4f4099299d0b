"""One member as its caller sees it: what it takes, and what it then asks for. See the package's text for how it is
driven."""

from collections.abc import Callable, Iterable
from random import Random

from server.raft import follower
from server.raft.elections import NOBODY, Elector, RaftRole
from server.raft.limits import MessageRefusal, refusal, refusal_of_image
from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType
from server.raft.progress import Pace
from server.raft.ready import Ready
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState, Snapshot
from server.raft.voters import Voters


class Raft(Elector):
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
        super().__init__(member, log, hard_state, voters, election_ticks, heartbeat_ticks, random)
        self._snapshot: Snapshot | None = None
        """A leader's, for the next ready."""
        log.commit_to(log.known_by_conf_changes())

    # what the caller may know

    @property
    def hard_state(self) -> HardState:
        return HardState(self.term, self.vote, self.log.committed)

    @property
    def progress(self) -> dict[int, tuple[int, int]]:
        """What a leader knows of every voter: the last entry that is there for sure, and the next to send. Empty for
        others."""
        if self._replication is None:
            return {}
        own = {self.id: (self.log.last_index, self.log.last_index + 1)}
        return {
            voter: own.get(voter, (seen.match, seen.next)) for voter, seen in self._voters.progress.items()
        }

    @property
    def conf_change_pending(self) -> bool:
        """Whether a change of members that this leader has in its log is not applied yet."""
        return self._replication is not None and self._replication.conf_change_pending

    def leads_alone(self) -> bool:
        """Whether nothing can be, or can have been, agreed on that this member does not know: it leads, is the only
        voter, has committed in its term, and has no change of members in its log that is not applied."""
        replication, log = self._replication, self.log
        return (
            replication is not None
            and self._voters.is_only(self.id)
            and not replication.conf_change_pending
            and log.term_at(log.committed) == self.term
        )

    # what the caller brings: entries

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

    def propose(self, *data: bytes) -> bool:
        """Wants entries with these data in the log. False when no leader is known, or it is this member, which has
        been removed; else they are on their way, which promises nothing."""
        if self._replication is not None:
            return self._replication.propose(EntryType.NORMAL, data)
        return self._forward(tuple(Entry(0, 0, item, EntryType.NORMAL) for item in data))

    def propose_conf_change(self, data: bytes) -> bool:
        """Wants a change of the members. While another is not applied yet, an empty entry takes its place
        (etcd 2.3)."""
        if self._replication is not None:
            return self._replication.propose(EntryType.CONF_CHANGE, (data,))
        return self._forward((Entry(0, 0, data, EntryType.CONF_CHANGE),))

    def _forward(self, entries: tuple[Entry, ...]) -> bool:
        if self.leader == NOBODY:
            return False
        self._messages.append(Message(MessageType.PROPOSE, self.leader, self.id, entries=entries))
        return True

    # what the caller brings: messages of peers

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

    def installs(self, snapshot: Snapshot, term: int) -> bool:
        """Whether a snapshot would take the place of the log, if it came now in a message of ``term`` that is not
        refused."""
        is_stale = term < self.term or (term == self.term and self.role is RaftRole.LEADER)
        return (
            not is_stale
            and snapshot.index > self.log.committed
            and self.log.term_at(snapshot.index) != snapshot.term
        )

    def step(self, message: Message) -> MessageRefusal | None:
        """A message from a peer. Returns why it is refused, with nothing changed; None when it was taken."""
        why = self.refusal(message)
        if why is None:
            self._take(message)
        return why

    def _take(self, message: Message) -> None:
        kind = message.type
        if kind is MessageType.PROPOSE:
            if self._replication is None:
                self._forward(message.entries)
            else:
                self._replication.propose_all(message.entries)
        elif kind is MessageType.READ_INDEX:
            if self._replication is not None:
                self._replication.read_index(message)
        elif kind is MessageType.PRE_VOTE:
            self._on_pre_vote(message)
        elif message.term < self.term:
            self._tell_of_later_term(message)
        elif kind in _HANDLERS:  # the others are answers to what this member never asks
            if message.term > self.term:
                self._enter_term(message.term)
            _HANDLERS[kind](self, message)

    def _tell_of_later_term(self, message: Message) -> None:
        """Figure 2: replies carry the own term, for the sender to update itself. Members of 2.3 say nothing instead.

        A leader of 3.x hears of a later term in no other way: it passes votes over while it leads. A candidate may
        be no voter for this member yet, and so hears nothing of its tries.
        """
        if message.type in _FROM_LEADER:
            self._messages.append(Message(MessageType.APPEND_RESPONSE, message.sender, self.id, self.term))
        elif message.type is MessageType.VOTE:
            self._answer(MessageType.VOTE_RESPONSE, message, self.term, reject=True)

    def _follow(self, message: Message) -> None:
        """The leader of this term sends what is in its log, or how much of it is committed."""
        if self.role is RaftRole.LEADER:
            return  # nobody else leads in this term
        self._become_follower(message.term, message.sender)
        if message.type is MessageType.SNAPSHOT:
            snapshot = message.snapshot
            assert snapshot is not None  # or it had been refused
            if self.installs(snapshot, message.term):
                self._install(snapshot)
        self._messages.append(_FROM_LEADER[message.type](self.log, message))

    def _install(self, snapshot: Snapshot) -> None:
        """Its voters may lack this member, which was added after the snapshot was taken; the log will tell."""
        self.log.restore(snapshot.index, snapshot.term)
        self._voters = Voters(self.id, snapshot.nodes)
        self._snapshot = snapshot
        self._handover.overtake()

    def _on_append_response(self, message: Message) -> None:
        if self._replication is not None:
            self._replication.append_answered(message)

    def _on_heartbeat_response(self, message: Message) -> None:
        if self._replication is not None:
            self._replication.heartbeat_answered(message)

    # what the caller brings: changes of members, and what became of messages

    def apply_conf_change(self, *, add: int = NOBODY, remove: int = NOBODY) -> None:
        """A committed conf change takes effect. Adding a voter that is there and removing one that is not
        are fine.

        A leader that is removed continues to lead, without a vote, so that the others hear that its removal
        is committed; it takes no proposals any more, and the caller stops it a little later (etcd 2.3).
        """
        if self._replication is not None:
            self._replication.conf_change_pending = False
        if self._handover.is_overtaken:
            return
        voters = self._voters
        if add != NOBODY and add not in voters:
            voters.add(add, self.log.stable if add == self.id else 0, self.log.last_index + 1)
        if remove in voters:
            voters.remove(remove)
            if self._replication is not None and voters.progress:
                self._replication.commit()  # fewer may be enough now

    def drop_conf_change(self) -> None:
        """A committed conf change turned out to be invalid: nothing changes, the next may come."""
        if self._replication is not None:
            self._replication.conf_change_pending = False

    def unreachable(self, voter: int) -> None:
        """A message to it was lost for sure."""
        progress = self._voters.progress.get(voter)
        if progress is not None and progress.pace is Pace.REPLICATE:
            progress.probe()

    def snapshot_ended(self, voter: int, *, arrived: bool) -> None:
        """What became of a SNAPSHOT message; without this, nothing more is sent to the voter until it answers."""
        progress = self._voters.progress.get(voter)
        if progress is not None:
            progress.snapshot_ended(arrived=arrived)

    # what the caller asks for

    def has_ready(self) -> bool:
        """Whether the next ready holds anything."""
        log = self.log
        return (
            log.stable < log.last_index
            or log.applied < min(log.committed, log.stable)
            or bool(self._messages)
            or self._snapshot is not None
            or not self._handover.has(self.term, self.vote, log.committed)
        )

    def early_messages(self) -> list[Message]:
        """Those that may leave while a ready is in flight, for they depend on nothing that it brings to the disk: a
        leader's, whose term and vote are there. The next ready is without them."""
        if self.role is not RaftRole.LEADER or not self._handover.has_vote(self.term, self.vote):
            return []
        return self._take_messages()

    def ready(self) -> Ready:
        """What the caller must do now; every ready is followed by ``advance`` before the next is asked for."""
        if self._handover.in_flight is not None:
            raise RuntimeError("ready() before advance() of the last ready")
        leads, commit = self.role is RaftRole.LEADER, self.log.committed
        entries = self.log.unstable_entries()
        if entries and leads and self._voters.is_only(self.id):
            # What an only voter has on disk is committed. Saved along with the entries, not after them, the commit
            # index tells whoever opens the log next (--force-new-cluster) that none of them may be dropped.
            commit = entries[-1].index
        same_vote = self._handover.has_vote(self.term, self.vote)
        is_saved = self._handover.has(self.term, self.vote, commit)
        ready = Ready(
            None if is_saved else HardState(self.term, self.vote, commit),
            entries,
            self.log.entries_to_apply(),
            self._take_messages(),
            must_sync=bool(entries) or not same_vote or self._snapshot is not None,
            send_first=leads and same_vote,
            snapshot=self._snapshot,
        )
        self._snapshot = None
        self._handover.begin(ready)
        return ready

    def advance(self, ready: Ready) -> None:
        """All that ``ready`` held is on disk, sent and applied."""
        self._handover.end(ready)
        if ready.committed:
            self.log.applied_to(ready.committed[-1].index)
        if ready.entries:
            last = ready.entries[-1]
            self.log.stable_to(last.index, last.term)
            if self._replication is not None:
                self._replication.saved()

    def _take_messages(self) -> list[Message]:
        messages = self._messages[:]
        self._messages.clear()
        return messages


_FROM_LEADER: dict[MessageType, Callable[[RaftLog, Message], Message]] = {
    MessageType.APPEND: follower.append,
    MessageType.HEARTBEAT: follower.heartbeat,
    MessageType.SNAPSHOT: follower.snapshot,
}
"""How a follower does what its leader says, and what it answers."""

_HANDLERS: dict[MessageType, Callable[[Raft, Message], None]] = {
    MessageType.APPEND: Raft._follow,
    MessageType.APPEND_RESPONSE: Raft._on_append_response,
    MessageType.VOTE: Raft._on_vote,
    MessageType.VOTE_RESPONSE: Raft._on_vote_response,
    MessageType.SNAPSHOT: Raft._follow,
    MessageType.HEARTBEAT: Raft._follow,
    MessageType.HEARTBEAT_RESPONSE: Raft._on_heartbeat_response,
}
"""Of messages that are about a term: one of a later term begins that."""
