"""The log of a member, written in place while its disk is quick, and by a thread of its own while it is not.

A hand-over to the thread and back costs as much as all else that is done for a single write. A sync in place costs
nothing, but holds up everybody, so it has to be short: the first one that is not sends all that follow to the thread.
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
    """Whether the syncs of a disk are quick: each of the last ``count`` took less than ``slow`` seconds, and none was
    slower in the last ``patience`` seconds."""

    def __init__(self, *, count: int = 100, slow: float = 0.001, patience: float = 10.0) -> None:
        self._count = count
        self._slow = slow
        self._patience = patience
        self._quick = 0
        """Quick ones since the last slow one, or enough of them."""
        self._distrusted_until = float("-inf")

    def note(self, seconds: float, now: float) -> None:
        """A sync took so long."""
        if seconds >= self._slow:
            self._quick = 0
            self._distrusted_until = now + self._patience
        elif self._quick < self._count:
            self._quick += 1

    def are_quick(self, now: float) -> bool:
        return self._quick >= self._count and now >= self._distrusted_until


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
