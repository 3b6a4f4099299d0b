"""How records lie in a segment file: length, ``walpb.Record``, checksum chain. Says nothing of what records mean.

A record is an 8-byte little-endian signed length and that many bytes of ``walpb.Record {type, crc, data}``, without
padding. ``crc`` is the CRC-32C over the data of all records so far, in all segments, this one included. A record of
type CRC stands at the head of each segment and repeats the value the last one ended with, so that reading can begin
with any segment.
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
from server.storage.varint import varint

_LENGTH = struct.Struct("<q")
_PREALLOCATED_BY_3X = 64_000_000  # bytes of zeros a 3.x segment is extended to

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
    of 3.x, DamagedError otherwise, each after the records before it were given out.
    """
    with reporting("read", path):
        raw = path.read_bytes()
    return records_in(raw, path, crc)


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
            if _is_start_of_record(raw[start : start + 32], length):
                raise TornTailError(path, offset)
            raise damaged(
                f"its length is given as {length} bytes, which its content contradicts", path, offset
            )
        record = _decode(raw[start:end], path, offset, end)
        if record.type != RecordType.CRC:
            crc = extend(crc, record.data)
        if record.crc != crc and not (record.type == RecordType.CRC and crc == 0):
            raise damaged("its checksum does not fit its content", path, offset)
        crc = record.crc
        yield record
        offset = end


def damaged(what: str, path: Path, offset: int) -> DamagedError:
    """The error for bytes that were changed after they were written, with etcd's words for that."""
    return DamagedError(
        "read wal error (walpb: crc mismatch) and cannot be repaired: "
        f"in the record that begins here, {what}. {REMEDY}",
        path,
        offset,
    )


def _decode(body: bytes, path: Path, offset: int, end: int) -> Record:
    try:
        message = parse(wal_pb2.Record, body, "log record")
    except CodecError as error:
        raise damaged(error.message, path, offset) from error
    return Record(message.type, message.crc, message.data, offset, end)


def _no_length(raw: bytes, length: int, path: Path, offset: int) -> StorageError:
    """Why a length of zero or less stands here: 3.x pads records (top byte 0x80 + pad) and fills up with zeros."""
    unsigned = length & 0xFFFF_FFFF_FFFF_FFFF
    padded = 0x81 <= unsigned >> 56 <= 0x87 and (unsigned & (1 << 56) - 1) <= len(raw)
    filled = length == 0 and len(raw) >= _PREALLOCATED_BY_3X and not any(raw[offset:])
    if padded or filled:
        return NewerFormatError(
            "this directory was written by etcd 3.x, and no etcd 2.x can read it. Start etcd 3.x on it, or restore the "
            "backup that was made before the upgrade",
            path,
            offset,
        )
    return damaged(f"its length is given as {length} bytes", path, offset)


def _is_start_of_record(seen: bytes, length: int) -> bool:
    """Whether ``seen``, the part of a record that is there, fits a record of ``length`` bytes.

    2.3.8 takes any length beyond the end of the file for a torn tail and cuts there, also when it was a flipped bit
    in a length far above, and so throws away all that follows. A record says its length twice, the second time in
    front of its data, so the two cases can be told apart: 08 TYPE 10 CRC 1a LENGTH-OF-DATA ...
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
