"""How a member comes to follow, to stand for election and to lead (Raft paper, 5.1 and 5.2).

Behaviour is etcd 2.3's: no pre-vote, no quorum check by the leader; election after T+1 to 2T ticks without
a leader.
"""

from collections.abc import Iterable
from enum import Enum
from random import Random

from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType
from server.raft.ready import Handover
from server.raft.replication import Replication
from server.raft.types import EntryType, HardState
from server.raft.voters import Voters

NOBODY = 0
"""The id that no member has (``raft.None`` of etcd): as a leader or a vote it means that there is none."""


class RaftRole(Enum):
    FOLLOWER = "StateFollower"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"


class Elector:
    """What of a member is about terms, votes and roles; ``Raft`` is the whole of it, and has its parameters."""

    def __init__(
        self,
        member: int,
        log: RaftLog,
        hard_state: HardState,
        voters: Iterable[int],
        election_ticks: int,
        heartbeat_ticks: int,
        random: Random,
    ) -> None:
        _check_configuration(member, election_ticks, heartbeat_ticks)
        self.id = member
        self.log = log
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.role = RaftRole.FOLLOWER
        self.leader = NOBODY
        self.election_ticks = election_ticks
        self.may_lead = True
        """Until ``give_up_leading``."""
        self._heartbeat_ticks = heartbeat_ticks
        self._random = random
        self._voters = Voters(member, voters)
        self._votes: dict[int, bool] = {}
        self._replication: Replication | None = None
        """What a leader does; None for others."""
        self._messages: list[Message] = []
        """Those of the next ready. ``_replication`` adds to them too, so they are always in this very list."""
        self._handover = Handover(hard_state)
        self._elapsed = 0
        """Ticks since a leader was heard of or a vote granted; of a leader, since its last heartbeats."""
        self._patience = 0
        self._become_follower(max(self.term, log.last_term), NOBODY)

    @property
    def voters(self) -> tuple[int, ...]:
        return tuple(sorted(self._voters.progress))

    @property
    def quorum(self) -> int:
        return self._voters.quorum

    # what the caller brings

    def tick(self) -> None:
        """One heartbeat interval has passed."""
        self._elapsed += 1
        if self._replication is not None:
            if self._elapsed >= self._heartbeat_ticks:
                self._elapsed = 0
                self._replication.send_heartbeats()
        elif self._elapsed >= self._patience:
            self._elapsed = 0
            self.leader = NOBODY  # not heard of for so long
            self.campaign()

    def campaign(self) -> bool:
        """Stands for election, at once. Returns False and changes nothing if this member leads, is not a voter, or may
        not lead, and while a committed conf change waits to be applied: it may be the one that takes this member
        out."""
        log = self.log
        if self.role is RaftRole.LEADER or not self.may_lead or self.id not in self._voters:
            return False
        if log.has_conf_change(log.applied + 1, log.committed):
            return False
        self._become_candidate()
        self._count_vote(self.id, granted=True)
        if self.role is RaftRole.CANDIDATE:
            for voter in self._voters.others:
                self._messages.append(
                    Message(MessageType.VOTE, voter, self.id, self.term, log.last_index, log.last_term)
                )
        return True

    def give_up_leading(self) -> None:
        """Never again stands for election, and leads no longer if it does: others will, after an election timeout."""
        self.may_lead = False
        if self.role is not RaftRole.FOLLOWER:
            self._become_follower(self.term, NOBODY)

    # roles

    def _enter_term(self, term: int) -> None:
        """A later term has begun; who leads it is not known. A follower that waits for a leader continues to wait, for
        only a vote it grants, or a leader, starts its patience again (figure 2): a member that cannot be elected must
        not keep those that can from standing for election."""
        waited = self._elapsed if self.role is not RaftRole.LEADER else 0
        self._become_follower(term, NOBODY)
        self._elapsed = waited

    def _become_follower(self, term: int, leader: int) -> None:
        if self.role is RaftRole.LEADER:
            # An only voter may have handed out its commit index together with the entries. It has no rival, but for a
            # forged message: the entries must not give way to others while the disk calls them committed.
            self.log.commit_to(self._handover.promised_commit)
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
        self._replication = Replication(self.id, self.term, self.log, self._voters, self._messages)
        self._replication.append(EntryType.NORMAL, (b"",))

    def _begin(self, term: int) -> None:
        if term != self.term:
            self.term = term
            self.vote = NOBODY
        self.leader = NOBODY
        self._votes = {}
        self._replication = None
        self._elapsed = 0
        self._patience = self.election_ticks + 1 + self._random.randrange(self.election_ticks)

    def _count_vote(self, voter: int, *, granted: bool) -> None:
        self._votes.setdefault(voter, granted)
        in_favour = sum(self._votes.values())
        if in_favour >= self._voters.quorum:
            self._become_leader()
        elif len(self._votes) - in_favour >= self._voters.quorum:
            self._become_follower(self.term, NOBODY)

    # what others ask and answer

    def _on_vote(self, message: Message) -> None:
        free = (
            self.vote in (NOBODY, message.sender) and self.leader == NOBODY and self.role is RaftRole.FOLLOWER
        )
        granted = free and self.log.is_up_to_date(message.index, message.log_term)
        if granted:
            self.vote = message.sender
            self._elapsed = 0
        self._answer(MessageType.VOTE_RESPONSE, message, self.term, reject=not granted)

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
        self._answer(MessageType.PRE_VOTE_RESPONSE, message, term, reject=not granted)

    def _answer(self, kind: MessageType, message: Message, term: int, *, reject: bool) -> None:
        self._messages.append(Message(kind, message.sender, self.id, term, reject=reject))


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
