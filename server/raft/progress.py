"""What a leader knows of one follower's log, and how boldly it sends.

    probe      one append at a time; the next after an answer, or with the next heartbeat
    replicate  the follower's log is known to match: appends are sent without waiting, up to WINDOW of them
    snapshot   what the follower lacks is compacted away: nothing but a snapshot helps, and none is sent twice

    probe --(accepted)--> replicate --(refused, unreachable)--> probe
    probe --(compacted)--> snapshot --(reported, or accepted beyond it)--> probe

The rules are etcd 2.3's, which its members rely on (peer protocol, section 5).
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

WINDOW = 512
"""Appends on their way to one follower (``maxInflightMsgs`` of etcd 2.3)."""

AHEAD = 4
"""Of these, how many full ones to a follower that lags: it works on one while the next are on their way, and they do
not pile up in memory."""


class Pace(Enum):
    PROBE = auto()
    REPLICATE = auto()
    SNAPSHOT = auto()


@dataclass(slots=True)
class Progress:
    """``match`` is there for sure, ``next`` is what to send next; always match < next."""

    match: int
    next: int
    pace: Pace = Pace.PROBE
    paused: bool = False
    """A probe is on its way."""
    snapshot: int = 0
    """The index of the snapshot on its way, 0 for none."""
    heard: bool = False
    """It has answered since this leader took office, so a snapshot is not sent into the void."""
    _on_their_way: deque[int] = field(default_factory=deque)
    """The last index of each append sent while replicating, oldest first."""

    @property
    def is_paused(self) -> bool:
        if self.pace is Pace.REPLICATE:
            return len(self._on_their_way) >= WINDOW
        return self.paused or self.pace is Pace.SNAPSHOT

    @property
    def may_send_ahead(self) -> bool:
        return self.pace is Pace.REPLICATE and len(self._on_their_way) < AHEAD

    def sent(self, last: int) -> None:
        """An append up to ``last`` was sent; one without entries, for the commit index, counts for a probe alone."""
        if self.pace is Pace.PROBE:
            self.paused = True
        elif last >= self.next:
            self.next = last + 1
            self._on_their_way.append(last)

    def send_snapshot(self, index: int) -> None:
        """A snapshot that covers at least ``index`` is on its way."""
        self._become(Pace.SNAPSHOT)
        self.snapshot = index

    def accepted(self, index: int) -> bool:
        """The follower has everything up to ``index``. Whether that is news, or what a probe was to find out."""
        is_news = index > self.match
        is_found = self.pace is Pace.PROBE and (is_news or index == self.next - 1)
        self.match = max(self.match, index)
        self.next = max(self.next, index + 1)
        if is_found:
            self.replicate()
        elif self.pace is Pace.SNAPSHOT and self.match >= self.snapshot:
            self.probe()
        elif self.pace is Pace.REPLICATE:
            while self._on_their_way and self._on_their_way[0] <= index:
                self._on_their_way.popleft()
        return is_news or is_found

    def refused(self, index: int, hint: int) -> bool:
        """The follower has no entry ``index`` of that term, and matches up to ``hint`` at most. Whether that is news,
        and not the late answer to an older append."""
        if index <= self.match:
            return False
        if self.pace is Pace.REPLICATE:
            self.probe()
            return True
        if index != self.next - 1:
            return False
        self.next = max(self.match + 1, min(index, hint + 1))
        self.paused = False
        return True

    def replicate(self) -> None:
        self._become(Pace.REPLICATE)
        self.next = self.match + 1

    def probe(self) -> None:
        """Begins again behind what is known to be there, or behind a snapshot that arrived."""
        arrived = self.snapshot if self.pace is Pace.SNAPSHOT else 0
        self._become(Pace.PROBE)
        self.next = max(self.match, arrived) + 1

    def snapshot_ended(self, *, arrived: bool) -> None:
        """The transport says what became of the snapshot."""
        if self.pace is not Pace.SNAPSHOT:
            return
        if not arrived:
            self.snapshot = 0
        self.probe()
        self.paused = True  # its answer, or the next heartbeat, goes first

    def heartbeat_sent(self) -> None:
        self.paused = False

    def heartbeat_answered(self) -> None:
        self.heard = True
        if self.pace is Pace.REPLICATE and self.is_paused:
            self._on_their_way.popleft()

    def _become(self, pace: Pace) -> None:
        self.pace = pace
        self.paused = False
        self.snapshot = 0
        self._on_their_way.clear()
