"""What a leader does, from its election to the end of its term: it appends to its log what is proposed, sends that to
the other voters, and commits what a quorum of them has (Raft paper, 5.3 and 5.4)."""

from collections import deque
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from server.raft.log import RaftLog
from server.raft.messages import Message, MessageType
from server.raft.progress import Progress
from server.raft.types import Entry, EntryType
from server.raft.voters import Voters


class Replication:
    """Of the ``log`` of ``member``, which leads ``term``, to its ``voters``. ``messages`` are those of the next ready,
    to which it adds."""

    def __init__(self, member: int, term: int, log: RaftLog, voters: Voters, messages: list[Message]) -> None:
        self._member = member
        self._term = term
        self._log = log
        self._voters = voters
        self._messages = messages
        self.conf_change_pending = log.has_conf_change(log.committed + 1)
        """Whether a change of members in the log is not applied yet."""
        self._reads: deque[tuple[int, Message]] = deque()
        """Questions of 3.x that wait for an entry of this leader's to be committed, oldest first."""
        voters.forget_logs(log.last_index + 1)
        voters.progress[member].accepted(log.stable)

    # what is to be in the log

    def propose(self, kind: EntryType, data: Sequence[bytes]) -> bool:
        """Appends entries with these data. False when this leader has been removed. While a change of members is not
        applied yet, an empty entry takes the place of another."""
        if self._member not in self._voters:
            return False
        if kind is EntryType.CONF_CHANGE:
            if self.conf_change_pending:
                kind, data = EntryType.NORMAL, (b"",)
            self.conf_change_pending = True
        self.append(kind, data)
        return True

    def propose_all(self, forwarded: Sequence[Entry]) -> None:
        """What was proposed to a follower: entries of a kind together, changes of members one by one."""
        for kind, entries in groupby(forwarded, attrgetter("type")):
            data = [entry.data for entry in entries]
            if kind is EntryType.CONF_CHANGE:
                for item in data:
                    self.propose(kind, (item,))
            else:
                self.propose(kind, data)

    def read_index(self, message: Message) -> None:
        """A member of 3.x asks up to where it must have applied the log before it answers a read.

        An entry of this leader's own, agreed on after it was asked, proves that nobody else led meanwhile, whatever
        kind the other members are. (3.x has heartbeats prove it, which members of 2.3 do not echo.) Nobody else is
        answered, and asks again.
        """
        if self._member in self._voters:
            self._reads.append((self._log.last_index + 1, message))
            self.append(EntryType.NORMAL, (b"",))

    def append(self, kind: EntryType, data: Sequence[bytes]) -> None:
        term, first = self._term, self._log.last_index + 1
        self._log.append([Entry(term, index, item, kind) for index, item in enumerate(data, first)])
        self._broadcast()

    # what leaves for the others

    def _broadcast(self) -> None:
        for voter in self._voters.others:
            self._send_append(voter, self._voters.progress[voter])

    def _send_append(self, voter: int, progress: Progress) -> None:
        """What the voter lacks, or that there is nothing, along with the commit index; if it may be sent now."""
        if progress.is_paused:
            return
        previous = progress.next - 1
        log_term = self._log.term_at(previous)
        if log_term is None:
            self._send_snapshot(voter, progress)
            return
        entries = self._log.batch_from(progress.next)
        progress.sent(entries[-1].index if entries else previous)
        self._send(MessageType.APPEND, voter, previous, log_term, tuple(entries), self._log.committed)

    def _send_snapshot(self, voter: int, progress: Progress) -> None:
        if not progress.heard:
            return  # it may not be there at all; its answer to a heartbeat will tell
        index = self._log.first_index - 1
        progress.send_snapshot(index)
        self._send(MessageType.SNAPSHOT, voter, index)

    def send_heartbeats(self) -> None:
        for voter in self._voters.others:
            progress = self._voters.progress[voter]
            progress.heartbeat_sent()
            commit = min(progress.match, self._log.committed)
            self._send(MessageType.HEARTBEAT, voter, commit=commit)

    def _send(
        self,
        kind: MessageType,
        to: int,
        index: int = 0,
        log_term: int = 0,
        entries: tuple[Entry, ...] = (),
        commit: int = 0,
    ) -> None:
        self._messages.append(Message(kind, to, self._member, self._term, index, log_term, commit, entries))

    # what is there, and so is agreed on

    def append_answered(self, message: Message) -> None:
        progress = self._voters.progress.get(message.sender)
        if progress is None:
            return
        progress.heard = True
        if message.reject:
            hint = message.hint
            if message.log_term:
                hint = self._log.last_up_to(hint, message.log_term)
            if progress.refused(message.index, hint):
                self._send_append(message.sender, progress)
            return
        was_paused = progress.is_paused
        if not progress.accepted(message.index) or self.commit():
            return
        if was_paused or progress.next <= self._log.last_index:
            self._send_append(message.sender, progress)
            while progress.next <= self._log.last_index and progress.may_send_ahead:
                self._send_append(message.sender, progress)

    def heartbeat_answered(self, message: Message) -> None:
        progress = self._voters.progress.get(message.sender)
        if progress is None:
            return
        progress.heartbeat_answered()
        if progress.match < self._log.last_index:
            self._send_append(message.sender, progress)

    def saved(self) -> None:
        """More of the log is on this leader's own disk, and counts."""
        own = self._voters.progress.get(self._member)
        if own is not None:
            own.accepted(self._log.stable)
            self.commit()

    def commit(self) -> bool:
        """Commits what a quorum has, and sends the others the commit index. Whether that is news.

        Counts only entries of the own term (Raft 5.4.2); the older ones before them are committed along.
        """
        index = self._voters.agreed()
        if index <= self._log.committed or self._log.term_at(index) != self._term:
            return False
        self._log.commit_to(index)
        while self._reads and self._reads[0][0] <= index:
            read_at, read = self._reads.popleft()
            self._send(MessageType.READ_INDEX_RESPONSE, read.sender, read_at, entries=read.entries)
        self._broadcast()
        return True
