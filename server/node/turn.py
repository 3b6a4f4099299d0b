"""A turn of a member: proposes what has arrived, applies what is committed, and answers. No I/O, no event loop:
``driver`` saves and sends what raft asks for.

    while turn.propose():              there is something to do
        ready = raft.ready()           what must be saved, sent and applied
        turn.apply(ready.committed)    these are on disk since the turn before
        raft.advance(ready)            all of it is on disk and sent
"""

from collections.abc import Callable
from itertools import takewhile

from server.cluster.members import MemberError
from server.metrics import MemberMetrics
from server.node.answer import Answer
from server.node.applier import Applier
from server.node.changes import Changes
from server.node.junk import Judge
from server.node.requestids import RequestIds
from server.raft import Entry, EntryType, Raft, Snapshot
from server.storage.requests import StoreRequest, encode_request
from server.store.errors import ErrorCode, EtcdError


class Turn:
    """Requests and changes of members on their way through the log.

    ``waiters`` are the open answers, by the data of their entry, in the order of their deadlines: the data contain the
    request's id, so an applied entry finds its answer, and the decoded request, without decoding. ``patience`` is
    seconds. ``wake`` is called when there is something to propose; ``members_changed``, ``term_began`` and
    ``passed_over`` for entries without an answer here: a change of members, the first entry of a leader, and one that
    does not concern the key space.
    """

    def __init__(
        self,
        raft: Raft,
        applier: Applier,
        judge: Judge,
        changes: Changes,
        metrics: MemberMetrics,
        waiters: dict[bytes, Answer],
        ids: RequestIds,
        *,
        clock: Callable[[], int],
        monotonic: Callable[[], float],
        patience: float,
        wake: Callable[[], object],
        members_changed: Callable[[], object],
        term_began: Callable[[], object],
        passed_over: Callable[[Entry], object],
    ) -> None:
        self._raft = raft
        self._applier = applier
        self._judge = judge
        self._changes = changes
        self._metrics = metrics
        self._waiters = waiters
        self._ids = ids
        self._clock = clock
        self._monotonic = monotonic
        self._patience = patience
        self._wake = wake
        self._members_changed = members_changed
        self._term_began = term_began
        self._passed_over = passed_over
        self._proposals: dict[bytes, None] = {}
        """Entries to propose, in this order, as soon as there is a leader."""
        self.raft_index = raft.log.applied
        """The last entry handed to the key space: X-Raft-Index."""
        self.raft_term = raft.log.term_at(self.raft_index) or 0
        """The term of that entry, which does not change while there is no new leader: X-Raft-Term."""

    def ask(self, request: StoreRequest) -> Answer:
        """Takes a request for the next turn, and gives it an id."""
        answer = Answer(request, self._monotonic() + self._patience)
        request.id = self._ids.next()
        data = encode_request(request)
        self._waiters[data] = answer
        if not self._proposals:
            self._wake()
        self._proposals[data] = None
        return answer

    def knows_all(self) -> bool:
        """Whether the key space has everything that is committed at this moment, so that a read of it is linearizable
        without its own entry."""
        raft = self._raft
        return raft.leads_alone() and self.raft_index == raft.log.committed

    def propose(self) -> bool:
        """Proposes what waits for it, if there is a leader. Whether raft has anything to do then."""
        raft = self._raft
        if self._proposals and raft.propose(*self._proposals):
            self._proposals = {}
        change = self._changes.first
        if change is not None and not raft.conf_change_pending and raft.propose_conf_change(change):
            self._changes.proposed()
        return raft.has_ready()

    def apply(self, entries: list[Entry]) -> None:
        """Applies committed entries, and gives their answers. Raises CannotApply."""
        if not entries:
            return
        last = entries[-1]
        self.raft_index, self.raft_term = last.index, last.term
        now = self._clock()
        waiters, applier, observe = self._waiters, self._applier, self._metrics.proposals.observe
        proposed = self._monotonic() + self._patience  # minus an answer's deadline: how long it took
        for entry in entries:
            answer = waiters.get(entry.data)
            if answer is None:
                self._apply_unasked(entry, now)
                continue
            outcome = applier.apply(entry, answer.request, now)
            del waiters[entry.data]  # not before: when apply raises, this answer must get an error, too
            if answer.request.method != "SYNC":  # which no client has sent
                observe(proposed - answer.deadline)
            answer.settle(outcome)  # type: ignore[arg-type] # a request's outcome

    def _apply_unasked(self, entry: Entry, now: int) -> None:
        """Applies an entry without an answer here: another member's, or a change of members."""
        outcome = self._applier.apply(entry, self._judge.take(entry.data), now)
        if entry.type is EntryType.CONF_CHANGE:
            self._changes.settle(entry.data, outcome if isinstance(outcome, MemberError) else None)
            self._members_changed()
        elif not entry.data:
            self._term_began()
        elif outcome is None:
            self._passed_over(entry)

    def installed(self, snapshot: Snapshot) -> None:
        """A leader's snapshot replaces the key space. Requests that are in it get no answer but the timeout."""
        self.raft_index, self.raft_term = snapshot.index, snapshot.term

    def time_out(self, why_late: Callable[[float], str]) -> None:
        """Answers requests whose time is up, with the text that ``why_late`` makes of the time they came. Those that
        raft has not taken by then are never proposed: without a leader they would pile up, and be done much later."""
        now = self._monotonic()
        late = list(takewhile(lambda waiter: waiter[1].deadline <= now, self._waiters.items()))
        for data, answer in late:
            del self._waiters[data]
            self._proposals.pop(data, None)
            self._metrics.proposals_failed += answer.request.method != "SYNC"
            why = why_late(answer.deadline - self._patience)
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, why))

    def fail(self, cause: str) -> None:
        """Nothing will be applied any more: requests that still wait get an error."""
        waiters = dict(self._waiters)
        self._waiters.clear()
        self._proposals = {}
        for answer in waiters.values():
            answer.settle(EtcdError(ErrorCode.RAFT_INTERNAL, cause))
        self._changes.fail(cause)
