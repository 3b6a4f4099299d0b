"""How records lie in a segment file: length, ``walpb.Record``, checksum chain. Says nothing of what records mean.

A record is an 8-byte little-endian signed length and that many bytes of ``walpb.Record {type, crc, data}``, without
padding. ``crc`` is the CRC-32C over the data of all records so far, in all segments, this one included. A record of
type CRC is at the head of each segment and repeats the value the last one ended with, so that reading can begin with
any segment.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from google_crc32c import extend

from server.proto import wal_pb2
from server.storage.codec import parse
from server.storage.errors import CodecError, DamagedError, NewerFormatError, StorageError, reporting
from server.storage.varint import is_whole, read_size, read_varint, varint

_LENGTH = struct.Struct("<q")
_SEGMENT_OF_3X = 64_000_000
"""Bytes that a segment of 3.x has from its beginning on, zeros behind the last record. A 2.x file grows by what is
written, so zeros at its end are a write that was cut short, and it is of exactly this size only by accident."""

REMEDY = (
    "The file was not changed. Restore this member's data directory from a backup; or, in a cluster whose other "
    "members are well, remove the member and add it again with an empty one"
)


class RecordType(IntEnum):
    METADATA = 1
    ENTRY = 2
    STATE = 3
    CRC = 4
    SNAPSHOT = 5


_CRC = int(RecordType.CRC)  # a plain one is compared faster, for each record


class Record(NamedTuple):
    """A record that was read. ``offset`` and ``end`` are bytes from the start of its file, its length field included.

    ``type`` is a plain int: whether it is one of RecordType is for the reader of the log to say.
    """

    type: int
    crc: int
    data: bytes
    offset: int
    end: int


class TornTailError(StorageError):
    """The file ends inside a record: what a write that was cut short leaves. ``begins`` is where, in bytes."""

    def __init__(self, path: Path, offset: int) -> None:
        self.begins = offset
        super().__init__("unexpected EOF: the last record was not written whole", path, offset)


class BadRecordError(DamagedError):
    """What begins at ``begins``, in bytes, is not a record. At the end of a log it may be half of a write all the same:
    see ``tails``."""

    def __init__(self, message: str, path: Path, offset: int) -> None:
        self.begins = offset
        super().__init__(message, path, offset)


def encode_record(kind: RecordType, crc: int, data: bytes = b"") -> bytes:
    """A record with its length, ready to be written; ``crc`` is the running value with ``data`` in it."""
    if crc >> 32:
        raise ValueError(f"{crc} is out of range: a checksum has 32 bits")
    fields = b"\x08" + varint(kind) + b"\x10" + varint(crc)
    if not data:
        return _LENGTH.pack(len(fields)) + fields
    fields += b"\x1a" + varint(len(data))
    return b"".join((_LENGTH.pack(len(fields) + len(data)), fields, data))


def read_records(path: Path, crc: int = 0) -> Iterator[Record]:
    """The records of one segment file, in order; takes no lock and changes nothing.

    ``crc`` is the running checksum so far: 0 for the first segment that is read, the ``crc`` of the last record of
    the one before otherwise. Raises TornTailError when the file ends inside a record, NewerFormatError for a file
    of 3.x, BadRecordError otherwise, each after the records before it were given out.
    """
    return records_in(read_segment(path), path, crc)


def read_segment(path: Path) -> bytes:
    """All of a segment file. Raises StorageError."""
    with reporting("read", path):
        return path.read_bytes()


def records_in(raw: bytes, path: Path, crc: int = 0) -> Iterator[Record]:
    """Same as ``read_records`` for the bytes of a file; ``path`` is what errors name."""
    offset = 0
    while offset < len(raw):
        start = offset + _LENGTH.size
        if start > len(raw):
            raise TornTailError(path, offset)
        (length,) = _LENGTH.unpack_from(raw, offset)
        if length <= 0:
            raise _no_length(raw, length, path, offset)
        end = start + length
        if end > len(raw):
            if is_start_of_record(raw[start : start + 32], length):
                raise TornTailError(path, offset)
            raise _bad(f"its length is given as {length} bytes, which its content contradicts", path, offset)
        record = _plain_record(raw, start, end) or _decode(raw[start:end], path, offset, end)
        if record.type != _CRC:
            crc = extend(crc, record.data)
        if record.crc != crc and not (record.type == _CRC and crc == 0):
            raise _bad("its checksum does not fit its content", path, offset)
        crc = record.crc
        yield record
        offset = end


def damaged(what: str, path: Path, offset: int) -> DamagedError:
    """The error for bytes that were changed after they were written, with etcd's words for that."""
    return DamagedError(_damage(what), path, offset)


def _bad(what: str, path: Path, offset: int) -> BadRecordError:
    return BadRecordError(_damage(what), path, offset)


def _damage(what: str) -> str:
    return (
        "read wal error (walpb: crc mismatch) and cannot be repaired: "
        f"in the record that begins here, {what}. {REMEDY}"
    )


def _plain_record(raw: bytes, start: int, end: int) -> Record | None:
    """A record with data, and its fields as ``encode_record`` writes them. None for all else, which the protobuf
    library judges."""
    if end - start < 6 or raw[start] != 0x08 or raw[start + 1] >= 0x80 or raw[start + 2] != 0x10:
        return None
    crc, at = read_varint(raw, start + 3)
    if not is_whole(raw, start + 3, at, crc, 1 << 32) or at >= end or raw[at] != 0x1A:
        return None
    length, at = read_size(raw, at + 1)
    if length <= 0 or at + length != end:
        return None
    return Record(raw[start + 1], crc, raw[at:end], start - _LENGTH.size, end)


def _decode(body: bytes, path: Path, offset: int, end: int) -> Record:
    try:
        message = parse(wal_pb2.Record, body, "log record")
    except CodecError as error:
        raise _bad(error.message, path, offset) from error
    return Record(message.type, message.crc, message.data, offset, end)


def _no_length(raw: bytes, length: int, path: Path, offset: int) -> StorageError:
    """Why a length of zero or less is here: 3.x pads records (top byte 0x80 + pad) and fills up with zeros."""
    unsigned = length & 0xFFFF_FFFF_FFFF_FFFF
    padded = 0x81 <= unsigned >> 56 <= 0x87 and (unsigned & (1 << 56) - 1) <= len(raw)
    filled = length == 0 and len(raw) == _SEGMENT_OF_3X and not any(raw[offset:])
    if padded or filled:
        return NewerFormatError(
            "this directory was written by etcd 3.x, and no etcd 2.x can read it. Start etcd 3.x on it, or restore the "
            "backup that was made before the upgrade",
            path,
            offset,
        )
    return _bad(f"its length is given as {length} bytes", path, offset)


def is_start_of_record(seen: bytes, length: int) -> bool:
    """Whether ``seen``, the part of a record that is there, fits a record of ``length`` bytes.

    2.3.8 takes any length beyond the end of the file for a torn tail and cuts there, also when it was a flipped bit
    in a length far above, and so throws away all that follows. A record says its length twice, the second time in
    front of its data, so the two cases can be distinguished: 08 TYPE 10 CRC 1a LENGTH-OF-DATA ...
    """
    if not (b"\x08".startswith(seen[:1]) and seen[1:2] <= b"\x05" and b"\x10".startswith(seen[2:3])):
        return False
    _, position = _varint(seen, 3)
    if not b"\x1a".startswith(seen[position : position + 1]):
        return False
    data_length, position = _varint(seen, position + 1)
    return position > len(seen) or position + data_length == length


def _varint(seen: bytes, position: int) -> tuple[int, int]:
    """The number at ``position`` and where it ends; an end beyond ``seen`` means that not all of it is there."""
    value = shift = 0
    while position < len(seen):
        byte = seen[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
    return value, len(seen) + 1
