"""From the records of a log to what they say: whose log it is, the last hard state, the entries. Changes nothing.

Order of checks and words of refusal are those of etcd 2.3. It is stricter in two ways.

The checksum of a record does not cover its type, so content that does not fit the type is damage here, not something
else that happens to decode.

And a marker says more here than that there is a snapshot. Behind the marker of a member's own snapshot the log goes
on, and what was saved beyond the snapshot before the marker is still good. A leader's snapshot takes the place of the
log: it is taken only by who has another entry, or none, at its index, and what was saved beyond that before the marker
belongs to a history that was overruled. So the entry at the marker's index distinguishes the two:

* Opening at the snapshot: if an entry of another term is there, all beyond it goes; if none is there, as in
  what ``etcdctl backup`` writes, nothing is known against those that follow. etcd lets the overruled ones come back.
* Opening at an older snapshot, because the newest cannot be read or was not written any more: if the entries do not
  lead up to a later marker, then either that snapshot never became whole, and the log continues from where it was, or
  it did, and what follows it cannot be understood without it. The first entry behind the marker, or a commit index,
  decides; in the second case this refuses, where etcd would fill the gap with what was overruled.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from server.raft.limits import NO_ROOM
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState
from server.storage.codec import (
    WalMetadata,
    WalPosition,
    decode_entry,
    decode_hard_state,
    decode_metadata,
    decode_position,
)
from server.storage.errors import CodecError, DamagedError, OutOfRangeError, reporting
from server.storage.records import (
    REMEDY,
    BadRecordError,
    Record,
    RecordType,
    TornTailError,
    damaged,
    read_segment,
    records_in,
)
from server.storage.tails import cut_short

logger = logging.getLogger(__name__)

BEGINNING = WalPosition()
_SEGMENT_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.wal")


@dataclass(slots=True, frozen=True)
class Segment:
    """A segment file: its place in the sequence, and the index of the first entry it may hold."""

    path: Path
    sequence: int
    index: int

    @classmethod
    def named(cls, directory: Path, sequence: int, index: int) -> Segment:
        return cls(directory / f"{sequence:016x}-{index:016x}.wal", sequence, index)


@dataclass(slots=True)
class WalContents:
    """What a log holds from a position on.

    ``entries`` begin right after that position and are consecutive. ``hard_state`` is the last one written, or
    EMPTY_HARD_STATE. What a snapshot holds is committed, so its ``commit`` is not before the position: a crash between
    a leader's snapshot and the hard state that goes with it leaves an older one, at which etcd would panic. Whether
    the entries reach up to it is for the caller to judge.
    """

    metadata: WalMetadata
    hard_state: HardState
    entries: list[Entry]
    crc: int = 0
    """The running checksum after the last whole record."""
    torn_at: int | None = None
    """The byte where the newest segment's last record begins, if that is not whole: a writer has to cut it off."""
    torn: str = ""
    """What was found there, in words."""


def read_wal(directory: Path, at: WalPosition = BEGINNING) -> WalContents:
    """Reads a log without locks and without repair: for tools that look at a directory someone may be using.

    Raises what ``WAL.open`` raises, LockedError excepted.
    """
    return replay(choose_segments(directory, at.index), at)


def list_segments(directory: Path) -> list[Segment]:
    """The segments of a directory by sequence number; other names are ignored with a warning."""
    with reporting("read the directory", directory):
        names = sorted(path.name for path in directory.iterdir())
    segments = []
    for name in names:
        match = _SEGMENT_NAME.fullmatch(name)
        if match is None:
            logger.warning("ignored file %s in wal", name)
            continue
        segments.append(Segment(directory / name, int(match[1], 16), int(match[2], 16)))
    return segments


def choose_segments(directory: Path, index: int) -> list[Segment]:
    """The segments to read for a snapshot at ``index``: the last that may hold the entry at it, and all later ones."""
    return choose_among(list_segments(directory), index, directory)


def choose_among(segments: list[Segment], index: int, directory: Path) -> list[Segment]:
    """Same as ``choose_segments``, of those that ``list_segments`` found in ``directory``."""
    first = next((n for n in reversed(range(len(segments))) if segments[n].index <= index), None)
    if first is None:
        have = (
            f"the oldest segment there begins with index {segments[0].index}"
            if segments
            else "no segment is there"
        )
        raise DamagedError(
            f"wal: file not found: the log must reach back to index {index}, but {have}. "
            "Put the missing segments back, or restore the directory from a backup",
            directory,
        )
    chosen = segments[first:]
    for before, after in pairwise(chosen):
        if after.sequence != before.sequence + 1:
            raise DamagedError(
                f"wal: file not found: segment {before.sequence + 1:016x} is missing between {before.path.name} and "
                f"{after.path.name}. Put it back, or restore the directory from a backup",
                directory,
            )
    return chosen


def replay(
    segments: Sequence[Segment],
    at: WalPosition,
    newest_bytes: bytes | None = None,
    *,
    leave_out_forged: bool = False,
) -> WalContents:
    """Reads the segments, which must be consecutive and at least one, from the position ``at`` on.

    ``newest_bytes`` are those of the last one, for a caller that has them. Raises OutOfRangeError for the first record
    with a number that leaves no room to count on. With ``leave_out_forged`` such are read as if they were not there.
    The hard state then has the last entry's term, no vote, and a commit index that keeps all entries: which of them
    were acknowledged is not certain any more.
    """
    newest = segments[-1]
    reader = _ForgivingReader(at) if leave_out_forged else _Replayer(at)
    crc = 0
    torn_at, torn_how = None, ""
    for segment in segments:
        count = 0
        last_type = 0
        raw = newest_bytes if segment is newest and newest_bytes is not None else read_segment(segment.path)
        try:
            for count, record in enumerate(records_in(raw, segment.path, crc), start=1):
                _check_head(count, record, segment.path)
                reader.take(record, segment.path)
                crc, last_type = record.crc, record.type
        except BadRecordError as bad:
            torn_how = cut_short(raw, bad.begins, last_type) if segment is newest else ""
            if not torn_how:
                raise
            torn_at = bad.begins
        except TornTailError as torn:
            if segment is not newest:
                raise DamagedError(
                    "read wal error (unexpected EOF) and cannot be repaired: the record that begins here is not "
                    f"whole, and later segments follow. {REMEDY}",
                    segment.path,
                    torn.begins,
                ) from torn
            torn_at, torn_how = torn.begins, "the file ends inside the last record"
        if count < len(_HEAD):
            raise DamagedError(
                "wal: file not found: this segment's head was not written whole, so it holds no entries. If no later "
                f"one follows, move it out of the directory and start again. {REMEDY}",
                segment.path,
                0,
            )
        del raw  # before the next one is read
    return reader.finish(newest.path, crc, torn_at, torn_how)


_HEAD = (RecordType.CRC, RecordType.METADATA)
"""What every segment begins with, whichever etcd from 2.0 to 3.5 wrote it."""


def _check_head(number: int, record: Record, path: Path) -> None:
    if number <= len(_HEAD) and record.type != _HEAD[number - 1]:
        what = f"the type is {record.type}, where every segment has {_HEAD[number - 1]}"
        raise damaged(what, path, record.offset)


class _Replayer:
    """Collects what the records say, one method per type of record."""

    def __init__(self, at: WalPosition) -> None:
        self._at = at
        self._metadata: bytes | None = None
        self._hard_state = EMPTY_HARD_STATE
        self._entries: list[Entry] = []
        self._found = False
        self._term_at: int | None = None  # of the entry at the position, if one stands there
        self._unreached: WalPosition | None = None  # a later marker that the entries do not lead up to
        self._methods: dict[int, Callable[[bytes], None]] = {
            RecordType.METADATA: self._take_metadata,
            RecordType.ENTRY: self._take_entry,
            RecordType.STATE: self._take_state,
            RecordType.CRC: _nothing_to_take,
            RecordType.SNAPSHOT: self._take_marker,
        }

    def take(self, record: Record, path: Path) -> None:
        method = self._methods.get(record.type)
        if method is None:
            raise DamagedError(
                f"read wal error (unexpected block type {record.type}) and cannot be repaired. {REMEDY}",
                path,
                record.offset,
            )
        try:
            method(record.data)
        except CodecError as error:
            raise damaged(error.message, path, record.offset) from error
        except _Forged as forged:
            raise OutOfRangeError(forged.what, forged.number, path, record.offset) from None
        except _Refusal as refusal:
            text = f"read wal error ({refusal.words}) and cannot be repaired: {refusal.why}. {REMEDY}"
            raise DamagedError(text, path, record.offset) from None

    def _take_metadata(self, data: bytes) -> None:
        if self._metadata is not None and self._metadata != data:
            raise _Refusal(
                "wal: conflicting metadata found",
                "this segment belongs to another member or cluster than the ones before it",
            )
        self._metadata = data

    def _take_entry(self, data: bytes) -> None:
        entry = decode_entry(data)
        _check_room("an entry of index", entry.index)
        _check_room("an entry of term", entry.term)
        if entry == _OF_A_CONVERTED_LOG:
            return
        if not is_writable(entry):
            raise CodecError("the content is not that of a log entry")
        self._check_continues(entry)
        place = entry.index - self._at.index - 1  # among the entries kept
        if place < 0:
            self._entries.clear()
            self._term_at = entry.term if place == -1 else None
            return
        if place > len(self._entries):
            last = self._at.index + len(self._entries)
            raise _Refusal(
                "wal: file not found", f"entry {entry.index} follows entry {last}, those between are missing"
            )
        del self._entries[place:]  # a new leader's entry replaces what an old one left
        self._entries.append(entry)

    def _check_continues(self, entry: Entry) -> None:
        """Refuses the entry right behind a snapshot that is not there; any other shows that it never was."""
        if self._unreached is not None and entry.index == self._unreached.index + 1:
            raise self._without_snapshot(f"entry {entry.index}")
        self._unreached = None

    def _without_snapshot(self, what: str) -> _Refusal:
        assert self._unreached is not None
        return _Refusal(
            "wal: file not found",
            f"{what} stands on a leader's snapshot at index {self._unreached.index}, term {self._unreached.term}, "
            "which is not there or cannot be read",
        )

    def _take_state(self, data: bytes) -> None:
        state = decode_hard_state(data)
        _check_room("a hard state of term", state.term)
        _check_room("a hard state with commit index", state.commit)
        if not can_follow(state, self._hard_state):
            raise CodecError(
                f"the content is not a hard state that can follow one of term {self._hard_state.term}"
            )
        if self._unreached is not None and state.commit >= self._unreached.index:
            raise self._without_snapshot(f"commit index {state.commit}")
        self._hard_state = state

    def _take_marker(self, data: bytes) -> None:
        marker = decode_position(data)
        _check_room("a snapshot marker of index", marker.index)
        _check_room("a snapshot marker of term", marker.term)
        if marker.index == self._at.index:
            self._take_marker_of_position(marker)
        elif marker.index > self._at.index:
            place = marker.index - self._at.index - 1
            reached = place < len(self._entries) and self._entries[place].term == marker.term
            self._unreached = None if reached else marker

    def _take_marker_of_position(self, marker: WalPosition) -> None:
        if marker.term != self._at.term:
            raise _Refusal(
                "wal: snapshot mismatch",
                f"the snapshot at index {marker.index} has term {self._at.term} in its file "
                f"and term {marker.term} in the log",
            )
        if self._term_at not in (None, marker.term):
            self._entries.clear()  # they follow an entry that the snapshot overrules
        self._term_at = marker.term
        self._unreached = None
        self._found = True

    def finish(self, newest: Path, crc: int, torn_at: int | None, torn: str) -> WalContents:
        assert self._metadata is not None  # it is in the head of every segment
        if not self._found:
            raise DamagedError(
                "read wal error (wal: snapshot not found) and cannot be repaired: the log has no marker for the "
                f"snapshot at index {self._at.index}, term {self._at.term}. {REMEDY}",
                newest,
            )
        try:
            metadata = decode_metadata(self._metadata)
        except CodecError as error:
            raise damaged(error.message, newest, 0) from error
        if metadata.node_id == 0:
            raise damaged("the log is said to be that of member 0, which nobody is", newest, 0)
        state = self._hard_state
        if state != EMPTY_HARD_STATE:
            state = state._replace(commit=max(state.commit, self._at.index))
        return WalContents(metadata, state, self._entries, crc, torn_at, torn)


class _ForgivingReader(_Replayer):
    """Reads what is good in a log that a forged message has got into."""

    def take(self, record: Record, path: Path) -> None:
        with suppress(OutOfRangeError):
            super().take(record, path)

    def finish(self, newest: Path, crc: int, torn_at: int | None, torn: str) -> WalContents:
        contents = super().finish(newest, crc, torn_at, torn)
        last = contents.entries[-1] if contents.entries else Entry(self._at.term, self._at.index)
        contents.hard_state = HardState(max(last.term, 1), 0, last.index)
        return contents


def _check_room(what: str, number: int) -> None:
    if number >= NO_ROOM:
        raise _Forged(what, number)


class _Forged(Exception):
    """A number that leaves no room to count on, seen by a method that does not know the place."""

    def __init__(self, what: str, number: int) -> None:
        super().__init__(what, number)
        self.what = what
        self.number = number


class _Refusal(Exception):
    """Damage seen by a method that does not know the place: etcd's words, and what they mean here."""

    def __init__(self, words: str, why: str) -> None:
        super().__init__(words, why)
        self.words = words
        self.why = why


def _nothing_to_take(data: bytes) -> None:
    pass


_OF_A_CONVERTED_LOG = Entry(0, 0, b"", EntryType.NORMAL)
"""Written before the others by etcd 2.0 where it converted a log of 0.4 itself; every etcd passes it over."""


def is_writable(entry: Entry) -> bool:
    """Whether etcd could have written this entry: indexes begin at 1, and a conf change says what it changes."""
    return entry.index > 0 and (bool(entry.data) or entry.type is not EntryType.CONF_CHANGE)


def can_follow(state: HardState, last: HardState) -> bool:
    """Whether etcd could have written this hard state after ``last``: terms begin at 1 and never fall."""
    return state.term > 0 and state.term >= last.term
