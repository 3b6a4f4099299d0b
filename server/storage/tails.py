"""What follows the last whole record of a log: a write that the power cut short, or damage. Pure, on bytes.

A disk writes sectors of 512 bytes, whole and in any order; a file may have grown before its bytes were there, and then
zeros are in their place. So what was written and never synced can lose its end, or any sector, and a sector that held
something before can be as it was. All that is not synced is at the end of the newest segment, and the log is written to
again only when it is: what is not followed by anything may never have been acknowledged, what is followed by another
append was, and to cut there would lose it.

Appends of entries end with a hard state (``WAL.save``; etcd's own do whenever the commit index moved), so
what follows a hard state is a later append. Only what the bytes prove is distinguished here; in doubt it is damage:

* zeros to the end of the file;
* a record with a lost sector in it, and nothing but zeros behind it;
* an entry with a lost sector in it, and behind it whole entries and one hard state, which is the last there is;
* zeros from an append's end to the end of that sector, so this sector is as it was before a later write, and the rest
  of that write behind it up to its hard state, which is the only one. Who loses a whole sector does not keep its first
  part.

What cannot be seen: a lost sector with the border of two records in it. The border of two appends may be there too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

from google_crc32c import extend

from server.proto import wal_pb2
from server.storage.codec import decode_hard_state, decode_position, parse
from server.storage.errors import CodecError
from server.storage.records import RecordType, is_start_of_record

SECTOR = 512
"""Bytes that a disk writes all or none of; what it calls a sector may be a multiple."""

_LENGTH = struct.Struct("<q")
_HEAD_BYTES = 32
"""Bytes of a record from its start within which the length of its data is written."""
_STATE_OR_MARKER = re.compile(rb"\x08([\x03\x05])\x10[\x80-\xff]{0,4}[\x00-\x7f]\x1a(.)", re.DOTALL)
"""The head of a record that ends an append, or that is one: its type, and the length of its data."""


def cut_short(raw: bytes, begins: int, last_type: int) -> str:
    """What the power cut left at ``begins``, the end of the last whole record of a log's newest segment, in words.

    Empty for what may be damage. ``raw`` is the whole file and ``last_type`` the type of that record.
    """
    end = len(raw.rstrip(b"\0"))
    if end <= begins:
        return "zeros follow the last whole record"
    if _has_lost_first_sector(raw, begins, end, last_type):
        return "the sector in which the last append begins is as it was before that"
    if _has_lost_sector(raw, begins, end):
        return "the last append has a sector of zeros"
    return ""


def _has_lost_first_sector(raw: bytes, begins: int, end: int, last_type: int) -> bool:
    border = begins + -begins % SECTOR
    if (
        border == begins
        or last_type == RecordType.ENTRY
        or any(raw[begins : max(border, begins + _LENGTH.size)])  # no record is so short that its length is 0
    ):
        return False
    seen = list(_borders_of_appends(raw, border))
    return len(seen) == 1 and seen[0] >= end


def _borders_of_appends(raw: bytes, start: int) -> Iterator[int]:
    """Where hard states end and markers of snapshots begin, from ``start`` on, so that another append may follow. What
    looks like one inside an entry counts too: that errs on the safe side."""
    for match in _STATE_OR_MARKER.finditer(raw, start):
        ends = match.end() + match[2][0]
        data = raw[match.end() : ends]
        if match[1][0] == RecordType.SNAPSHOT:
            if _decodes(decode_position, data):
                yield match.start()
        elif _decodes(decode_hard_state, data):
            yield ends


def _decodes(decode: Callable[[bytes], object], data: bytes) -> bool:
    try:
        decode(data)
    except CodecError:
        return False
    return True


def _has_lost_sector(raw: bytes, begins: int, end: int) -> bool:
    """Whether the records from here on, of which the first is not whole, are the rest of one append, and what is wrong
    with each is that a sector is missing."""
    offset, crc = begins, None
    while offset < end:
        start = offset + _LENGTH.size
        if start > len(raw):
            return offset > begins  # the file ends in a length
        (length,) = _LENGTH.unpack_from(raw, offset)
        stop = start + length
        if length <= 0 or (stop < end and any(_lost_sectors(raw, offset, start))):
            return False  # where the next one begins is not known
        if stop > len(raw):
            return _begins_as_a_record(raw, start, length)
        record = _record(raw[start:stop])
        is_whole = record is not None and _fits(record, crc)
        if offset == begins or not is_whole:
            if not any(_lost_sectors(raw, offset, stop)):
                return False
            if stop >= end:
                return True
            if record.type != RecordType.ENTRY if record else length <= SECTOR:
                return False
        crc = None if record is None else record.crc
        offset = stop
        if record is not None and record.type != RecordType.ENTRY:
            return record.type == RecordType.STATE and offset >= end
    return False


def _begins_as_a_record(raw: bytes, start: int, length: int) -> bool:
    """Whether what goes beyond the file's end is a record, of whose head a sector may be missing."""
    head = raw[start : start + _HEAD_BYTES]
    lost = next(_lost_sectors(raw, start, start + len(head)), None)
    if lost is not None:
        head = head[: max(lost - start, 0)]
    return is_start_of_record(head, length) and not any(_borders_of_appends(raw, start))


def _fits(record: wal_pb2.Record, crc: int | None) -> bool:
    """Whether the checksum is right; unknown, as behind a record without a head, it is taken for right."""
    return crc is None or extend(crc, record.data) == record.crc


def _record(body: bytes) -> wal_pb2.Record | None:
    try:
        return parse(wal_pb2.Record, body, "log record")
    except CodecError:
        return None


def _lost_sectors(raw: bytes, begins: int, ends: int) -> Iterator[int]:
    """Where the sectors begin that have a part of these bytes and are zero from their first byte to their last, or to
    the file's end."""
    for sector in range(begins - begins % SECTOR, ends, SECTOR):
        if not any(raw[sector : sector + SECTOR]):
            yield sector
