"""What can be added to the files of a stopped member of etcd 3.x: records behind the last of its log, and a snapshot.

Neither shows half of itself. A length of zero ends a log of 3.x, so the records are written first, all but the eight
bytes of the first one's length, and synced; with those the whole is there. What a crash before leaves behind the zeros
is what a start of 3.5 wipes out, and so does ``append`` the next time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from google_crc32c import extend

from server.storage.errors import WriteFailedError, describe
from server.storage.etcd3.frames import encode_frame
from server.storage.etcd3.log import End
from server.storage.etcd3.messages import SnapshotOf3x
from server.storage.etcd3.snapfiles import encode_file, file_name
from server.storage.files import Files
from server.storage.records import RecordType

_LENGTH_BYTES = 8
"""A record begins with its length, a 64-bit number."""

_WIPED_AT_ONCE = 1 << 20
"""Bytes of zeros written at a time: a segment has 64 MB, which need not be in memory at once."""


def encode_records(records: Iterable[tuple[RecordType, bytes]], crc: int) -> bytes:
    """Records as they are written in a segment, behind one with the running checksum ``crc``."""
    frames = []
    for kind, data in records:
        crc = extend(crc, data)
        frames.append(encode_frame(kind, crc, data))
    return b"".join(frames)


def append(files: Files, fd: int, end: End, records: bytes) -> None:
    """Adds ``records`` behind the last whole record of the newest segment, open for writing as ``fd`` and locked.

    On return they are on disk. Raises WriteFailedError; a start then finds the log as it was.
    """
    if not records:
        return
    try:
        if end.follows:
            _wipe(files, fd, end.offset)
        files.write_at(fd, end.offset + _LENGTH_BYTES, records[_LENGTH_BYTES:])
        files.datasync(fd)
        files.write_at(fd, end.offset, records[:_LENGTH_BYTES])
        files.datasync(fd)
    except OSError as error:
        raise WriteFailedError(f"cannot add to the log: {describe(error)}", end.segment.path) from error


def _wipe(files: Files, fd: int, offset: int) -> None:
    size = os.fstat(fd).st_size
    while offset < size:
        piece = min(_WIPED_AT_ONCE, size - offset)
        if any(os.pread(fd, piece, offset)):
            files.write_at(fd, offset, bytes(piece))
        offset += piece
    files.datasync(fd)


def write_snapshot(
    files: Files, directory: Path, snapshot: SnapshotOf3x, give_rights: Callable[[int], None]
) -> Path:
    """Writes the .snap file under another name, syncs it, and gives it its own, in place of one of that name.

    ``give_rights`` gives the file, open as it is passed, its owner and mode. Raises WriteFailedError; a start then
    begins with the snapshot it would have begun with.
    """
    path = directory / file_name(snapshot)
    temporary = path.with_name(path.name + ".tmp")
    try:
        fd = files.create(temporary, 0o600)
        try:
            files.truncate(fd, 0)
            files.write(fd, encode_file(snapshot))
            give_rights(fd)
            files.sync(fd)
        finally:
            os.close(fd)
        files.rename(temporary, path)
        files.sync_directory(directory)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WriteFailedError(f"cannot write the snapshot: {describe(error)}", path) from error
    return path
