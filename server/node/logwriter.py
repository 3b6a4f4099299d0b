"""The log of a member, written in place while its disk is quick, and by a thread of its own while it is not.

A hand-over to the thread and back costs as much as all else that is done for a single write. A sync in place costs
nothing, but holds up everybody, so it has to be short: when slow ones take more than a hundredth of the time, the
thread makes all that follow.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from server.node.disk import Disk
from server.node.worker import Worker
from server.raft import Entry, HardState, Ready

IN_PLACE_BYTES = 256 << 10
"""The longest save in place: to copy more takes a quick disk longer than its sync."""

_RECORD_BYTES = 80
"""What a record of the log takes besides its entry's data, at most."""


Told = Callable[[BaseException | None], object]
"""Told that a save has been made, or why it could not be."""


class SyncTimes:
    """Whether the syncs of a disk are quick: each of ``count`` in a row took less than ``slow`` seconds, and the slow
    ones since then have held up everybody for no more than ``share`` of the time.

    A good disk has a sync of some milliseconds every few hundred, which nobody notices. So what they take is added up:
    ``allowance`` seconds are free, ``share`` is forgiven as time passes, and beyond that the disk counts as slow, for
    ``memory`` seconds at most and until ``count`` in a row are quick again.
    """

    def __init__(
        self,
        *,
        count: int = 100,
        slow: float = 0.001,
        share: float = 0.01,
        allowance: float = 0.01,
        memory: float = 10.0,
    ) -> None:
        self._count = count
        self._slow = slow
        self._share = share
        self._allowance = allowance
        self._most = allowance + memory * share
        self._in_a_row = 0
        """Quick ones since the last that counted against the disk, or enough of them."""
        self._stalled = 0.0
        """Seconds that slow syncs had taken and that were not forgiven yet, at ``_noted``."""
        self._noted = 0.0

    def are_quick(self, now: float) -> bool:
        return self._in_a_row >= self._count and self._stalled_by(now) <= self._allowance

    def note(self, seconds: float, now: float) -> None:
        """A sync took so long, and ended ``now``."""
        if seconds < self._slow:
            if self._in_a_row < self._count:
                self._in_a_row += 1
            return
        if self.are_quick(now):  # so it was made in place
            self._stalled = min(self._stalled_by(now) + seconds, self._most)
            self._noted = now
        if not self.are_quick(now):
            self._in_a_row = 0

    def _stalled_by(self, now: float) -> float:
        return max(0.0, self._stalled - self._share * (now - self._noted))


class LogWriter:
    """All that is saved goes through here, in order; ``worker`` is the log's. ``fail`` is told what went wrong when
    nobody else is."""

    def __init__(
        self,
        disk: Disk,
        worker: Worker,
        *,
        sync_times: SyncTimes,
        monotonic: Callable[[], float],
        fail: Callable[[Exception], object],
    ) -> None:
        self._disk = disk
        self._worker = worker
        self._sync_times = sync_times
        self._monotonic = monotonic
        self._fail = fail
        self._unsaved: HardState | None = None
        """A commit index that is not on disk yet. Nothing depends on it, so it goes there with the next entries."""
        self._put_off: tuple[HardState | None, Sequence[Entry], Told] | None = None
        self._in_thread = 0
        """Saves that the thread has not done yet."""
        self._other_work = 0

    def begin(self, ready: Ready) -> HardState | None:
        """The hard state to be saved with a ready's entries; for one without any, it waits."""
        state = ready.hard_state or self._unsaved
        self._unsaved = None if ready.must_sync else state
        return state

    def take_unsaved(self) -> HardState | None:
        """The one that waits, which is forgotten here."""
        state, self._unsaved = self._unsaved, None
        return state

    def writes_in_place(self, entries: Sequence[Entry]) -> bool:
        """Whether a save of these may hold up everybody: it will be short, as far as can be known."""
        if self._in_thread or self._other_work or not self._sync_times.are_quick(self._monotonic()):
            return False
        size = _most_bytes(entries)
        return size <= IN_PLACE_BYTES and size < self._disk.room

    def write(self, state: HardState | None, entries: Sequence[Entry]) -> None:
        """Saves in place. Raises StorageError."""
        took = self._disk.save(state, entries)
        if took:
            self._sync_times.note(took, self._monotonic())

    def hand_over(
        self,
        state: HardState | None,
        entries: Sequence[Entry],
        tell: Told,
    ) -> None:
        """Has the thread save; ``tell`` is called on the loop when it has, with what went wrong."""
        is_usual = not self._other_work and _most_bytes(entries) < min(IN_PLACE_BYTES, self._disk.room)
        self._in_thread += 1

        def done(took: float | None, error: BaseException | None) -> None:
            self._in_thread -= 1
            if took and is_usual and not self._other_work:  # else its time tells nothing of other syncs
                self._sync_times.note(took, self._monotonic())
            tell(error)

        self._worker.begin(done, self._disk.save, state, entries)

    def put_off(self, state: HardState | None, entries: Sequence[Entry], tell: Told) -> None:
        """Keeps a save for ``save_put_off``; nothing else may be saved before it."""
        self._put_off = state, entries, tell

    def save_put_off(self) -> None:
        """Makes the save that was put off, if it has not been made yet, in place if that is still quick."""
        if self._put_off is None:
            return
        state, entries, tell = self._put_off
        self._put_off = None
        if not self.writes_in_place(entries):
            self.hand_over(state, entries, tell)
            return
        error: BaseException | None = None
        try:
            self.write(state, entries)
        except Exception as raised:
            error = raised
        tell(error)

    def save_commit(self) -> None:
        """Brings a commit index that waits to the disk, before long."""
        state = self.take_unsaved()
        if state is None:
            return
        if self.writes_in_place(()):
            self.write(state, ())
        else:
            self.hand_over(state, (), self._tell_failure)

    def close(self) -> None:
        """Brings all to the disk, and closes the log. In the log's thread, when nothing else is asked of it any more.
        Raises StorageError."""
        try:
            if (state := self.take_unsaved()) is not None:
                self._disk.save(state, ())
        finally:
            self._disk.close()

    def _tell_failure(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self._fail(error)

    @contextmanager
    def beside_other_work(self) -> Iterator[None]:
        """While the disk has work besides, a snapshot or the removal of files, nothing is written in place."""
        self._other_work += 1
        try:
            yield
        finally:
            self._other_work -= 1


def _most_bytes(entries: Sequence[Entry]) -> int:
    """That a save of these, and of a hard state, takes at most."""
    size = _RECORD_BYTES
    for entry in entries:
        size += len(entry.data) + _RECORD_BYTES
    return size
