"""How records lie in a segment of etcd 3.x: as in ``server.storage.records``, but padded, and with zeros behind them.

The low 56 bits of a record's length are its bytes; if the top bit is set, the low three bits of the top byte are the
bytes of padding behind it, so that the next length begins at a multiple of eight. 3.x makes a segment as large as it
will be and fills it with zeros, so a length of zero ends it. Records of 2.x have no padding and read the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from google_crc32c import extend

from server.proto import wal_pb2
from server.storage.codec import parse
from server.storage.errors import CodecError
from server.storage.etcd3.tails import may_be_cut_short
from server.storage.records import (
    Record,
    RecordType,
    TornTailError,
    damaged,
    encode_record,
    is_start_of_record,
)

_LENGTH = struct.Struct("<Q")
_BYTES = (1 << 56) - 1
"""The 56 bits of a record's length that count its bytes."""

_IS_PADDED = 1 << 63
"""The bit that says there is padding, whose size is in the three bits from 56 on."""

_ALIGNED = 8
"""Bytes: every record of 3.x begins at a multiple."""

_ZEROS = bytes(1 << 20)
"""Compared with the unwritten rest of a segment, piece by piece."""


def records_in(raw: bytes, path: Path, crc: int, *, is_newest: bool) -> Iterator[Record]:
    """The records of a segment, in order. ``crc`` is the running checksum so far, 0 where reading begins.

    ``raw`` is the whole file and ``path`` what errors name. Ends with the file, or with a length of zero. Raises
    TornTailError, in the newest segment alone, for a record that was not written whole, and DamagedError for all else
    that is not a record, each after the records before it were given out.
    """
    offset = 0
    while offset < len(raw):
        start = offset + _LENGTH.size
        if start > len(raw):
            raise _torn(path, offset, is_newest)
        (length,) = _LENGTH.unpack_from(raw, offset)
        if length == 0:
            return
        size = length & _BYTES
        padding = length >> 56 & _ALIGNED - 1 if length & _IS_PADDED else 0
        end = start + size + padding
        if end > len(raw):
            if is_start_of_record(raw[start : start + 32], size):
                raise _torn(path, offset, is_newest)
            raise damaged(f"its length is given as {size} bytes, which its content contradicts", path, offset)
        try:
            message = parse(wal_pb2.Record, raw[start : start + size], "log record")
            if message.type != RecordType.CRC:
                crc = extend(crc, message.data)
            if message.crc != crc and not (message.type == RecordType.CRC and crc == 0):
                raise CodecError("its checksum does not fit its content")
        except CodecError as error:
            if is_newest and may_be_cut_short(raw, start, size, end):
                raise TornTailError(path, offset) from error
            raise damaged(error.message, path, offset) from error
        crc = message.crc
        yield Record(message.type, crc, message.data, offset, end)
        offset = end


def encode_frame(kind: RecordType, crc: int, data: bytes) -> bytes:
    """A record, ready to be written; ``crc`` is the running checksum with ``data`` in it."""
    body = encode_record(kind, crc, data)[_LENGTH.size :]
    padding = -len(body) % _ALIGNED
    length = len(body) | (_IS_PADDED | padding << 56 if padding else 0)
    return _LENGTH.pack(length) + body + bytes(padding)


def is_zero_from(raw: bytes, offset: int) -> bool:
    """Whether nothing but zeros follows."""
    for start in range(offset, len(raw), len(_ZEROS)):
        piece = min(len(_ZEROS), len(raw) - start)
        if not raw.startswith(_ZEROS[:piece], start):
            return False
    return True


def _torn(path: Path, offset: int, is_newest: bool) -> Exception:
    if is_newest:
        return TornTailError(path, offset)
    return damaged("the file ends before the record does, and later segments follow", path, offset)
