"""The log of one member, in memory: what is compacted away, on disk, committed and applied. Never touches a
file.

    compacted      applied      committed       stable        last
    ----|-------------|-------------|-------------|-------------|
        |  entries kept in memory                               |
                                                   \\_ unstable _/

Always compacted <= applied <= committed <= last, and applied <= stable <= last. ``stable`` is the last
entry that is known to be on disk. Entries up to ``compacted`` are no longer here; of the last of them the term is
still known.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

from server.raft.types import Entry, EntryType

MAX_BATCH_BYTES = 1024 * 1024
"""Entries' data in one APPEND, as in etcd, and in one Ready's committed entries; one entry always goes."""

MAX_BATCH_ENTRIES = 1024
"""What is handled in one go must not hold up ticks, however short the entries are."""


class LogError(Exception):
    """The log and what was asked of it contradict each other: damage, or a fault in this program."""


class RaftLog:
    """``entries`` are those after the snapshot at (``compacted``, ``compacted_term``), all on disk
    already."""

    def __init__(
        self,
        entries: Sequence[Entry] = (),
        *,
        compacted: int = 0,
        compacted_term: int = 0,
        committed: int = 0,
    ) -> None:
        self._entries = list(entries)
        self._compacted = compacted
        self._compacted_term = compacted_term
        for position, entry in enumerate(self._entries):
            if entry.index != compacted + 1 + position:
                raise LogError(f"entry {entry.index} where entry {compacted + 1 + position} belongs")
        self.stable = self.last_index
        self.committed = compacted
        self.applied = compacted
        if committed:
            if committed < compacted:
                raise LogError(
                    f"the commit index {committed} is before the snapshot, which ends at {compacted}: "
                    f"snapshot and write-ahead log do not belong together"
                )
            self.commit_to(committed)

    @property
    def first_index(self) -> int:
        """The first entry that can still be read, or would be if the log were not empty."""
        return self._compacted + 1

    @property
    def last_index(self) -> int:
        return self._compacted + len(self._entries)

    @property
    def last_term(self) -> int:
        return self._entries[-1].term if self._entries else self._compacted_term

    def term_at(self, index: int) -> int | None:
        """The term of the entry at ``index``; None when that is compacted away or beyond the end."""
        if index == self._compacted:
            return self._compacted_term
        if self._compacted < index <= self.last_index:
            return self._entries[index - self._compacted - 1].term
        return None

    def entries_from(self, first: int, last: int | None = None) -> list[Entry]:
        """The entries ``first`` to ``last`` (both included; default: the end)."""
        if first <= self._compacted:
            raise LogError(f"entry {first} is compacted away, the log starts at {self.first_index}")
        last = self.last_index if last is None else last
        return self._entries[first - self._compacted - 1 : last - self._compacted]

    def batch_from(self, first: int, last: int | None = None) -> list[Entry]:
        """Like ``entries_from``, but no more than a batch, and at least one entry if there is one."""
        last = self.last_index if last is None else last
        entries = self.entries_from(first, min(last, first + MAX_BATCH_ENTRIES - 1))
        size = 0
        for position, entry in enumerate(entries):
            size += len(entry.data)
            if size > MAX_BATCH_BYTES and position:
                return entries[:position]
        return entries

    def last_up_to(self, index: int, term: int) -> int:
        """The last entry up to ``index`` whose term is not after ``term``: where a log that has ``term`` at
        ``index`` can match this one at the latest. No lower than what is compacted away."""
        position = bisect_right(
            self._entries, term, hi=max(0, min(index, self.last_index) - self._compacted), key=_term_of
        )
        return min(index, self._compacted + position)

    def has_conf_change(self, first: int, last: int | None = None) -> bool:
        """Whether a change of members is among the entries ``first`` to ``last``."""
        return any(entry.type is EntryType.CONF_CHANGE for entry in self.entries_from(first, last))

    def known_by_conf_changes(self) -> int:
        """How far a log read from disk is committed for sure, whatever became of the hard state.

        A conf change is proposed when the one before it has been applied, so all but the last are committed. When the
        last save was torn, the hard state that said so may be missing; a member that stood for election by voters of
        two changes ago could win beside a majority of the present ones.
        """
        waiting = self.entries_from(self.committed + 1)
        changes = [entry.index for entry in waiting if entry.type is EntryType.CONF_CHANGE]
        return changes[-2] if len(changes) > 1 else 0

    def append(self, entries: Sequence[Entry]) -> None:
        """Adds entries; those that are there already at the same indexes and after are replaced.

        Raises LogError for a gap, and for an attempt to change what is committed: the algorithm never does
        that.
        """
        if not entries:
            return
        first = entries[0].index
        if first <= self.committed:
            raise LogError(
                f"entry {first} would replace a committed one, committed are all up to {self.committed}"
            )
        if first > self.last_index + 1:
            raise LogError(f"entry {first} would leave a gap after entry {self.last_index}")
        if entries[-1].index != first + len(entries) - 1:
            raise LogError(f"{len(entries)} entries from {first} do not end with {entries[-1].index}")
        del self._entries[first - self._compacted - 1 :]
        self._entries.extend(entries)
        self.stable = min(self.stable, first - 1)

    def append_after(self, previous: int, previous_term: int, entries: Sequence[Entry]) -> int | None:
        """What a leader sent: the entries that follow ``previous``. Returns the index of the last of them, or None when
        the log has no entry ``previous`` of that term. What is there already stays, what conflicts is replaced."""
        if self.term_at(previous) != previous_term:
            return None
        for position, entry in enumerate(entries):
            if self.term_at(entry.index) != entry.term:
                self.append(entries[position:])
                break
        return previous + len(entries)

    def is_up_to_date(self, last_index: int, last_term: int) -> bool:
        """Whether a log with that end has everything this one may have committed (Raft 5.4.1)."""
        return (last_term, last_index) >= (self.last_term, self.last_index)

    def commit_to(self, index: int) -> None:
        if index > self.last_index:
            raise LogError(
                f"tocommit({index}) is out of range [lastIndex({self.last_index})]. "
                "Was the raft log corrupted, truncated, or lost?"
            )
        self.committed = max(self.committed, index)

    def unstable_entries(self) -> list[Entry]:
        """What is not yet on disk."""
        return self._entries[self.stable - self._compacted :]

    def stable_to(self, index: int, term: int) -> None:
        """The entry is on disk, and so are those before it; unless it has been replaced meanwhile."""
        if self.stable < index and self.term_at(index) == term:
            self.stable = index

    def entries_to_apply(self) -> list[Entry]:
        """Committed, on disk here, and not yet applied: the next batch of them."""
        return self.batch_from(self.applied + 1, min(self.committed, self.stable))

    def restore(self, index: int, term: int) -> None:
        """A snapshot takes the place of everything: the log begins again, empty, behind it."""
        if index <= self.committed:
            raise LogError(
                f"a snapshot at {index} would take back what is committed, all up to {self.committed}"
            )
        self._entries = []
        self._compacted, self._compacted_term = index, term
        self.stable = self.committed = self.applied = index

    def applied_to(self, index: int) -> None:
        """The entries up to ``index`` are applied; nothing new when a snapshot has gone beyond them meanwhile."""
        if index <= self._compacted:
            return
        if not self.applied <= index <= min(self.committed, self.stable):
            raise LogError(
                f"applied({index}) is out of range [prevApplied({self.applied}), committed({self.committed})]"
            )
        self.applied = index

    def compact(self, index: int) -> None:
        """Forgets the entries up to ``index``, of which all must be applied. An older index changes
        nothing."""
        if index <= self._compacted:
            return
        if index > self.applied:
            raise LogError(f"entry {index} cannot be compacted away, applied are all up to {self.applied}")
        term = self.term_at(index)
        assert term is not None  # applied entries are in the log
        del self._entries[: index - self._compacted]
        self._compacted, self._compacted_term = index, term


_term_of = attrgetter("term")
