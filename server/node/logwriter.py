"""Writes the log of a member: in place while its disk is quick, and in its own thread while it is not.

A hand-over to the thread and back costs as much as everything else that is done for a single write. A save in place
needs no hand-over, but nothing else runs meanwhile, so it must be short: when slow ones take more than a hundredth of
the time, the thread makes the saves until the disk is quick again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from server.node.disk import Disk
from server.node.worker import Worker
from server.raft import Entry, HardState, Ready

IN_PLACE_BYTES = 256 << 10
"""Bytes of the longest save in place: to copy more takes longer than the sync of a quick disk."""

_RECORD_BYTES = 80
"""Bytes of a record of the log besides its entry's data, at most: the length, the fields of the record, and those of
the entry or hard state, with numbers of 64 bits."""


Told = Callable[[BaseException | None], object]
"""Called when a save was made, with None; or with the error that prevented it."""


class SyncTimes:
    """Whether the syncs of a disk are quick: each of ``count`` in a row took less than ``slow`` seconds, and slow ones
    since then took no more than ``share`` of the time.

    One sync in a few hundred takes some milliseconds even on a good disk, and that does not matter. So the time of slow
    syncs is added up, and the sum decreases by ``share`` seconds each second. When it exceeds ``allowance`` seconds,
    the disk counts as slow. It counts as quick again when the sum is below that, after ``memory`` seconds at the
    latest, and ``count`` syncs in a row were quick.
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
        """Quick syncs in a row, up to ``count``; a slow one on a quick disk does not end the row while the sum allows
        it."""
        self._stalled = 0.0
        """The sum of the time of slow syncs, in seconds, as it was at ``_noted``."""
        self._noted = 0.0

    def are_quick(self, now: float) -> bool:
        return self._in_a_row >= self._count and self._stalled_by(now) <= self._allowance

    def note(self, seconds: float, now: float) -> None:
        """Takes note of a sync that took so many ``seconds`` and ended ``now``."""
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
    """Makes a running member's saves, in order; ``worker`` is the log's. Only the entries that come with a leader's
    snapshot are saved by the node itself. ``fail`` gets an error that no caller gets."""

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
        """A commit index that is not on disk yet. Nothing depends on it, so it is saved with the next entries, or by
        ``save_commit``."""
        self._put_off: tuple[HardState | None, Sequence[Entry], Told] | None = None
        self._in_thread = 0
        """Saves that the thread has not made yet."""
        self._other_work = 0

    def begin(self, ready: Ready) -> HardState | None:
        """The hard state to save with a ready's entries; it is also kept if the ready need not be saved."""
        state = ready.hard_state or self._unsaved
        self._unsaved = None if ready.must_sync else state
        return state

    def take_unsaved(self) -> HardState | None:
        """Returns the hard state that waits, and does not keep it any longer."""
        state, self._unsaved = self._unsaved, None
        return state

    def writes_in_place(self, entries: Sequence[Entry]) -> bool:
        """Whether to save these in place: the thread has nothing to do, and the save will probably be short."""
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
        """Has the thread save; ``tell`` is called on the loop when it has, with the error if there was one."""
        is_usual = not self._other_work and _most_bytes(entries) < min(IN_PLACE_BYTES, self._disk.room)
        self._in_thread += 1

        def done(took: float | None, error: BaseException | None) -> None:
            self._in_thread -= 1
            if took and is_usual and not self._other_work:  # else its time says nothing about usual syncs
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
        """Writes a commit index that waits, without a sync: in place, or by the thread."""
        state = self.take_unsaved()
        if state is None:
            return
        if self.writes_in_place(()):
            self.write(state, ())
        else:
            self.hand_over(state, (), self._tell_failure)

    def close(self) -> None:
        """Writes a commit index that waits, and closes the log, which syncs it. In the log's thread, after its last
        save. Raises StorageError."""
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
        """While the disk has other work, a snapshot or the removal of files, nothing is saved in place."""
        self._other_work += 1
        try:
            yield
        finally:
            self._other_work -= 1


def _most_bytes(entries: Sequence[Entry]) -> int:
    """How many bytes a save of these entries, and of a hard state, takes at most."""
    size = _RECORD_BYTES
    for entry in entries:
        size += len(entry.data) + _RECORD_BYTES
    return size
