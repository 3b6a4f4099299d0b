"""A log of etcd 3.x, read as etcd reads it. Takes no lock and changes nothing.

The rules of etcd 3.5: all segments there are give the markers and the last hard state (``ValidSnapshotEntries``); the
newest marker at or below the commit index that has a .snap file is where a start begins, and from the segment that
holds it on the entries are read (``ReadAll``), a later one of an index in place of an earlier one.

A difference: what is not whole in an older segment, contradicts itself in its length, or has later appends behind it is
refused. etcd takes it for the end of the log when it only looks, and cuts or refuses it when it starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from server.raft.limits import NO_ROOM
from server.raft.types import EMPTY_HARD_STATE, Entry, EntryType, HardState
from server.storage.codec import WalMetadata, decode_entry, decode_metadata
from server.storage.errors import CodecError, DamagedError, OutOfRangeError
from server.storage.etcd3.frames import is_zero_from, records_in
from server.storage.etcd3.messages import Marker, decode_hard_state, decode_marker
from server.storage.etcd3.tails import may_be_unlinked
from server.storage.records import REMEDY, Record, RecordType, TornTailError, damaged, read_segment
from server.storage.replay import Segment, choose_among, list_segments


@dataclass(slots=True)
class End:
    """Where the log can be gone on with: the byte behind the last whole record of ``segment``, and the running
    checksum there. ``follows`` says what follows it, in words, unless those are zeros or nothing."""

    segment: Segment
    offset: int
    crc: int
    follows: str


@dataclass(slots=True)
class Log:
    """All that the segments of a directory say. ``hard_state`` is the last one, EMPTY_HARD_STATE if there is none;
    ``markers`` are in the order in which they were written, valid or not."""

    directory: Path
    segments: list[Segment]
    metadata: WalMetadata
    hard_state: HardState
    markers: list[Marker]
    end: End
    _entries: list[tuple[Segment, Record]] = field(repr=False)

    def valid_markers(self) -> list[Marker]:
        """Those of snapshots that were committed, as far as the log says."""
        return [marker for marker in self.markers if marker.index <= self.hard_state.commit]

    def entries_after(self, index: int) -> list[Entry]:
        """The entries behind a snapshot's ``index``, consecutive. Raises DamagedError."""
        wanted = {segment.path for segment in choose_among(self.segments, index, self.directory)}
        found: list[Entry] = []
        for segment, record in self._entries:
            if segment.path not in wanted:
                continue
            entry = _entry(segment, record)
            if entry.index <= index:
                continue
            place = entry.index - index - 1
            if place > len(found):
                raise DamagedError(
                    f"read wal error (slice bounds out of range): entry {entry.index} follows entry "
                    f"{index + len(found)}, those between are missing. {REMEDY}",
                    segment.path,
                    record.offset,
                )
            del found[place:]
            found.append(entry)
        return found


def read_log(directory: Path) -> Log:
    """Raises DamagedError, and StorageError for what cannot be read."""
    segments = list_segments(directory)
    if not segments:
        raise DamagedError("wal: file not found: no segment of a log is here", directory)
    choose_among(segments, segments[0].index, directory)  # none is missing
    reader = _LogReader()
    crc = 0
    for segment in segments:
        raw = read_segment(segment.path)
        end = End(segment, 0, crc, "")
        try:
            for record in records_in(raw, segment.path, crc, is_newest=segment is segments[-1]):
                reader.take(segment, record)
                end.offset, crc = record.end, record.crc
        except TornTailError:
            end.follows = "a record that was not written whole"
        end.crc = crc
        if not end.follows and not is_zero_from(raw, end.offset):
            if not may_be_unlinked(raw, end.offset):
                raise damaged("its length is zero, and records follow", segment.path, end.offset)
            end.follows = "bytes that no record leads to"
        if not end.offset:
            raise damaged("the segment's first record is not whole", segment.path, 0)
    return reader.finish(directory, segments, end)


_IS_HARD_STATE = re.compile(
    rb"\x08[\x80-\xff]*[\x00-\x7f]\x10[\x80-\xff]*[\x00-\x7f]\x18[\x80-\xff]*[\x00-\x7f]"
)
"""Three numbers, as every etcd up to 3.6 writes it. There is one for each entry, and decoding takes much longer."""


class _LogReader:
    """Collects what the records say."""

    def __init__(self) -> None:
        self._metadata: bytes | None = None
        self._state: tuple[Segment, Record] | None = None  # the last one, which alone counts
        self._markers: list[Marker] = []
        self._entries: list[tuple[Segment, Record]] = []

    def take(self, segment: Segment, record: Record) -> None:
        try:
            if record.type == RecordType.ENTRY:
                self._entries.append((segment, record))
            elif record.type == RecordType.STATE:
                if not _IS_HARD_STATE.fullmatch(record.data):
                    decode_hard_state(record.data)
                self._state = segment, record
            elif record.type == RecordType.SNAPSHOT:
                marker = decode_marker(record.data)
                _check_room("a snapshot marker of index", marker.index, segment, record)
                self._markers.append(marker)
            elif record.type == RecordType.METADATA:
                self._take_metadata(segment, record)
            elif record.type != RecordType.CRC:
                raise DamagedError(
                    f"read wal error (unexpected block type {record.type}) and cannot be repaired. {REMEDY}",
                    segment.path,
                    record.offset,
                )
        except CodecError as error:
            raise damaged(error.message, segment.path, record.offset) from error

    def _take_metadata(self, segment: Segment, record: Record) -> None:
        if self._metadata is not None and self._metadata != record.data:
            raise DamagedError(
                "read wal error (wal: conflicting metadata found) and cannot be repaired: this segment belongs to "
                f"another member or cluster than the ones before it. {REMEDY}",
                segment.path,
                record.offset,
            )
        self._metadata = record.data

    def finish(self, directory: Path, segments: list[Segment], end: End) -> Log:
        try:
            metadata = decode_metadata(self._metadata or b"")
        except CodecError as error:
            raise damaged(error.message, end.segment.path, 0) from error
        state = EMPTY_HARD_STATE if self._state is None else _hard_state(*self._state)
        return Log(directory, segments, metadata, state, self._markers, end, self._entries)


def _hard_state(segment: Segment, record: Record) -> HardState:
    try:
        state = decode_hard_state(record.data)
    except CodecError as error:
        raise damaged(error.message, segment.path, record.offset) from error
    _check_room("a hard state of term", state.term, segment, record)
    _check_room("a hard state with commit index", state.commit, segment, record)
    return state


def _entry(segment: Segment, record: Record) -> Entry:
    try:
        entry = decode_entry(record.data)
    except CodecError as error:
        raise damaged(error.message, segment.path, record.offset) from error
    if entry.type is EntryType.CONF_CHANGE and not entry.data:
        raise damaged("a change of members that changes nothing", segment.path, record.offset)
    _check_room("an entry of index", entry.index, segment, record)
    _check_room("an entry of term", entry.term, segment, record)
    return entry


def _check_room(what: str, number: int, segment: Segment, record: Record) -> None:
    if number >= NO_ROOM:
        raise OutOfRangeError(what, number, segment.path, record.offset)


def normal_entries(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Those that ask for something: no changes of members, and not what a leader begins its term with."""
    return (entry for entry in entries if entry.type is EntryType.NORMAL and entry.data)
