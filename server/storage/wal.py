"""The write-ahead log: what a member must not forget, in the segments that etcd 2.3 writes.

Never acts on its own: no thread, no clock, no event loop. Reading is ``server.storage.replay``.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

from google_crc32c import extend

from server.raft.types import EMPTY_HARD_STATE, Entry, HardState
from server.storage.codec import (
    WalMetadata,
    WalPosition,
    encode_entry,
    encode_hard_state,
    encode_metadata,
    encode_position,
)
from server.storage.errors import LockedError, StorageError, WriteFailedError, describe, reporting
from server.storage.files import (
    REAL_FILES,
    Files,
    in_pieces,
    make_private_directory,
    write_again,
)
from server.storage.held import Held, close_all, cut_torn_tail, hold, remove_unborn_segments
from server.storage.locks import lock_file
from server.storage.records import RecordType, encode_record, read_segment
from server.storage.replay import (
    BEGINNING,
    Segment,
    WalContents,
    can_follow,
    choose_segments,
    is_writable,
    list_segments,
    replay,
)

__all__ = ["SEGMENT_BYTES", "WAL", "WalContents", "WalMetadata", "WalPosition"]

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 64_000_000
"""A segment that has reached this size after a save is closed and the next one begun (etcd 2.1 to 2.3)."""


class WAL:
    """A log open for appending. Made by ``create`` or ``open``.

    Methods block; they may be called from any thread, one at a time does the work. When a write or sync fails, that
    call and every later one raises WriteFailedError: the tail on disk is unknown, and only ``close`` is left to do.
    """

    def __init__(
        self,
        directory: Path,
        held: list[Held],
        metadata: WalMetadata,
        *,
        files: Files,
        segment_bytes: int,
        size: int = 0,
        crc: int = 0,
        hard_state: HardState = EMPTY_HARD_STATE,
        last_index: int = 0,
    ) -> None:
        self._directory = directory
        self._held = held  # ascending; the last one is written to
        self._metadata = metadata
        self._files = files
        self._segment_bytes = segment_bytes
        self._size = size  # of the newest segment, bytes
        self._crc = crc
        self._hard_state = hard_state  # the last one written
        self._last_index = last_index  # of the last entry, or of a snapshot beyond it
        self._failure: str | None = None
        self._mutex = threading.Lock()

    @classmethod
    def create(
        cls,
        directory: Path,
        metadata: WalMetadata,
        *,
        hard_state: HardState = EMPTY_HARD_STATE,
        files: Files = REAL_FILES,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> WAL:
        """Begins a log; the directory is made with mode 0700 if it is not there.

        On return the first segment is on disk under its name: checksum 0, metadata, marker of position (0, 0), and the
        hard state unless that is empty.
        Raises StorageError if the directory already holds a log.
        """
        with reporting("make the directory", directory):
            make_private_directory(directory)
        if list_segments(directory):
            raise StorageError("a write-ahead log already exists here", directory)
        wal = cls(directory, [], metadata, files=files, segment_bytes=segment_bytes, hard_state=hard_state)
        marker = [(RecordType.SNAPSHOT, encode_position(BEGINNING))]
        try:
            wal._begin_segment(Segment.named(directory, 0, 0), marker + _state_record(hard_state))
        except BaseException:
            wal.close()
            raise
        return wal

    @classmethod
    def open(
        cls,
        directory: Path,
        at: WalPosition = BEGINNING,
        *,
        files: Files = REAL_FILES,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> tuple[WAL, WalContents]:
        """Opens the log at the position of the newest snapshot, or at its beginning, and reads it from there on.

        A last record that was not written whole is cut off, after the whole file was copied to ``NAME.wal.broken``
        (or ``.broken.2`` and so on); this happens only in the newest segment. A next segment that never got its name
        is removed. The segments read are locked until ``release`` or ``close``.

        What was read is on disk on return, however the writer ended: older segments were synced before
        the newest was begun, and that is written again as it is, all of it, as it is not known how much was not synced.

        Raises LockedError, NewerFormatError, or DamagedError for everything else that is wrong, with the files as
        they were.
        """
        segments = choose_segments(directory, at.index)
        held: list[Held] = []
        try:
            for segment in segments:
                held.append(hold(segment))
            newest = held[-1]
            raw = read_segment(newest.segment.path)
            contents = replay(segments, at, raw)
            if contents.torn_at is not None:
                cut_torn_tail(newest, raw, contents.torn_at, contents.torn, files)
                raw = raw[: contents.torn_at]
            size = len(raw)
            remove_unborn_segments(directory, files)
            with reporting("write again", newest.segment.path):
                write_again(files, newest.segment.path, in_pieces(raw))
            del raw
        except BaseException:
            close_all(held)
            raise
        wal = cls(
            directory,
            held,
            contents.metadata,
            files=files,
            segment_bytes=segment_bytes,
            size=size,
            crc=contents.crc,
            hard_state=contents.hard_state,
            last_index=at.index + len(contents.entries),
        )
        return wal, contents

    @classmethod
    def write_whole(
        cls, segment: Segment, metadata: WalMetadata, at: WalPosition, contents: WalContents, *, files: Files
    ) -> None:
        """Makes one segment that is a whole log, from the position on. Its name is there when all of it is on
        disk. Raises StorageError."""
        wal = cls(segment.path.parent, [], metadata, files=files, segment_bytes=SEGMENT_BYTES)
        marker = (RecordType.SNAPSHOT, encode_position(at))
        entries = [(RecordType.ENTRY, encode_entry(entry)) for entry in contents.entries]
        try:
            wal._begin_segment(segment, [marker, *entries, *_state_record(contents.hard_state)])
        finally:
            close_all(wal._held)

    @property
    def room(self) -> int:
        """Bytes until the segment is full: a save of fewer does not begin the next one."""
        return self._segment_bytes - self._size

    def save(self, hard_state: HardState, entries: Sequence[Entry]) -> None:
        """Appends the entries, then the hard state, in one write. EMPTY_HARD_STATE stands for the last one saved, which
        is then written once more: that a hard state ends each append of entries is what shows, after a power cut,
        whether another append follows (``tails``).

        Synced to disk on return when there are entries or when term or vote differ from the last one saved; a commit
        index alone is written but may be lost in a power cut, as in etcd. Entries must be consecutive and may
        begin at or below the last index, which takes back what was there.

        Raises WriteFailedError; ValueError, with nothing written, for entries out of order.
        """
        if not entries and hard_state == EMPTY_HARD_STATE:
            return
        with self._mutex:
            self._check_usable()
            self._check_order(entries)
            must_sync = bool(entries)
            records = [(RecordType.ENTRY, encode_entry(entry)) for entry in entries]
            if hard_state != EMPTY_HARD_STATE:
                self._check_state(hard_state)
                must_sync |= hard_state[:2] != self._hard_state[:2]
                records.append((RecordType.STATE, encode_hard_state(hard_state)))
            else:
                records += _state_record(self._hard_state)
            self._append(records)
            if hard_state != EMPTY_HARD_STATE:
                self._hard_state = hard_state
            if entries:
                self._last_index = entries[-1].index
            if self._size >= self._segment_bytes:
                self._cut()
            elif must_sync:
                self._sync()

    def save_snapshot(self, at: WalPosition) -> None:
        """Writes and syncs the marker of a snapshot that this member made; it must be on disk before the .snap file
        exists.

        See ``snapshots.persist_snapshot`` for the order. Raises WriteFailedError.
        """
        with self._mutex:
            self._append([(RecordType.SNAPSHOT, encode_position(at))])
            self._last_index = max(self._last_index, at.index)
            self._sync()

    def begin_behind(self, at: WalPosition, hard_state: HardState) -> None:
        """The log begins again behind a leader's snapshot, of which nothing is on disk yet; the next entry is the one
        after it.

        On return a new segment is on disk, which holds term and vote of ``hard_state`` (EMPTY_HARD_STATE: those saved
        before), the commit index saved before, and the marker. Its name has the snapshot's own index, so a reader that
        opens the log at the snapshot, etcd too, reads nothing of what was saved before; and a reader that opens it at
        an older one, because the .snap file never became whole, finds the log as it was. The term is there so that no
        leader of an earlier one can add to it then.

        See ``snapshots.persist_received_snapshot`` for what has to follow. Raises WriteFailedError; ValueError, with
        nothing written, for a hard state that goes back.
        """
        with self._mutex:
            self._check_usable()
            state = self._hard_state
            if hard_state != EMPTY_HARD_STATE:
                self._check_state(hard_state)
                state = hard_state._replace(commit=state.commit)
            self._begin_next_segment(at.index, state, [(RecordType.SNAPSHOT, encode_position(at))])
            self._hard_state = state
            self._last_index = at.index

    def release(self, index: int) -> None:
        """Lets go of the segments that are not needed to open the log at ``index``, so that they may be purged."""
        with self._mutex:
            older = list(takewhile(lambda held: held.segment.index < index, self._held))
            dispensable = older[:-1]  # the last holds the entry at index and the marker
            self._held = self._held[len(dispensable) :]
            close_all(dispensable)

    def close(self) -> None:
        """Syncs, closes the files and drops the locks. Does nothing the second time.

        After a failed write it does not sync and does not raise: that failure was already reported.
        """
        with self._mutex:
            try:
                if self._held and self._failure is None:
                    self._sync()
            finally:
                close_all(self._held)
                self._held = []
                self._failure = self._failure or "it was closed"

    def _check_order(self, entries: Sequence[Entry]) -> None:
        expected = min(entries[0].index, self._last_index + 1) if entries else 0
        for entry in entries:
            if entry.index != expected or not is_writable(entry):
                raise ValueError(
                    f"{entry} where entry {expected} was expected; the last saved is {self._last_index}"
                )
            expected += 1

    def _check_state(self, state: HardState) -> None:
        if not can_follow(state, self._hard_state):
            raise ValueError(f"{state} cannot follow {self._hard_state}")

    def _append(self, records: Iterable[tuple[RecordType, bytes]]) -> None:
        self._check_usable()
        crc = self._crc
        frames = []
        for kind, data in records:
            crc = extend(crc, data)
            frames.append(encode_record(kind, crc, data))
        block = b"".join(frames)
        newest = self._held[-1]
        try:
            self._files.write(newest.fd, block)
        except OSError as error:
            self._fail("write to", newest.segment.path, error)
        self._crc = crc
        self._size += len(block)

    def _sync(self) -> None:
        self._check_usable()
        newest = self._held[-1]
        try:
            self._files.datasync(newest.fd)
        except OSError as error:
            self._fail("sync", newest.segment.path, error)

    def _cut(self) -> None:
        self._begin_next_segment(self._last_index + 1, self._hard_state)

    def _begin_next_segment(
        self, index: int, state: HardState, more: Iterable[tuple[RecordType, bytes]] = ()
    ) -> None:
        self._sync()  # nothing may stand in a later segment while this one is not on disk
        sequence = self._held[-1].segment.sequence + 1
        segment = Segment.named(self._directory, sequence, index)
        self._begin_segment(segment, [*_state_record(state), *more])
        logger.info("segmented wal file %s is created", self._held[-1].segment.path)

    def _begin_segment(self, segment: Segment, head: Iterable[tuple[RecordType, bytes]]) -> None:
        """Makes a segment under another name, syncs and locks it, and only then gives it its own."""
        temporary = segment.path.with_name(segment.path.name + ".tmp")
        try:
            fd = self._files.create(temporary, 0o600)
            self._held.append(Held(segment, fd))
            lock_file(fd, temporary)  # before the file is emptied: another process may be at the same thing
            if segment.path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            self._files.truncate(fd, 0)
            chain = encode_record(RecordType.CRC, self._crc)
            self._files.write(fd, chain)
            self._size = len(chain)
            self._append([(RecordType.METADATA, encode_metadata(self._metadata)), *head])
            self._files.datasync(fd)
            self._files.rename(temporary, segment.path)
            self._files.sync_directory(self._directory)
        except OSError as error:
            self._fail("begin the segment", segment.path, error)
        except LockedError as error:
            self._failure = error.message
            raise

    def _check_usable(self) -> None:
        if self._failure is not None:
            raise WriteFailedError(
                f"the write-ahead log takes nothing more: {self._failure}", self._directory
            )

    def _fail(self, doing: str, path: Path, error: OSError) -> NoReturn:
        self._failure = f"cannot {doing} {path.name}: {describe(error)}"
        raise WriteFailedError(
            f"{self._failure}. What was not acknowledged is lost; make the disk writable and start again",
            path,
        ) from error


def _state_record(state: HardState) -> list[tuple[RecordType, bytes]]:
    """The last hard state, as each segment repeats it; nothing while there is none."""
    return [] if state == EMPTY_HARD_STATE else [(RecordType.STATE, encode_hard_state(state))]
