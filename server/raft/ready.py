"""What a member asks of its caller, and what the caller has done of it."""

from dataclasses import dataclass

from server.raft.messages import Message
from server.raft.types import Entry, HardState, Snapshot


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


class Handover:
    """Which hard state is on disk, and which ready is on its way there: one at a time, from ``begin`` to ``end``."""

    def __init__(self, saved: HardState) -> None:
        self._saved = saved
        self.in_flight: Ready | None = None
        self.is_overtaken = False
        """A snapshot came while a ready was in flight: the conf changes in that are older than the voters now."""

    def begin(self, ready: Ready) -> None:
        self.in_flight = ready

    def end(self, ready: Ready) -> None:
        """All that ``ready`` held is on disk, sent and applied. Raises RuntimeError for another than the last."""
        if self.in_flight is not ready:
            raise RuntimeError("advance() with another ready than the last")
        self.in_flight = None
        self.is_overtaken = False
        if ready.hard_state is not None:
            self._saved = ready.hard_state

    def overtake(self) -> None:
        """A snapshot takes the place of the log."""
        self.is_overtaken = self.in_flight is not None

    def has_vote(self, term: int, vote: int) -> bool:
        """Whether the disk has that term and vote."""
        return self._saved.term == term and self._saved.vote == vote

    def has(self, term: int, vote: int, commit: int) -> bool:
        """Whether the disk has that term, vote and commit index. (Made for each question, a HardState costs more than
        the rest of it.)"""
        saved = self._saved
        return saved.term == term and saved.vote == vote and saved.commit == commit

    @property
    def promised_commit(self) -> int:
        """The commit index on its way to the disk, 0 for none."""
        if self.in_flight is None or self.in_flight.hard_state is None:
            return 0
        return self.in_flight.hard_state.commit
