"""The directory of ``.snap`` files: the key space at some index, under a checksum.

Knows the envelope, not the JSON inside. ``persist_snapshot`` is the one way to store a snapshot of a running member.
"""

from __future__ import annotations

import logging
from pathlib import Path

from google_crc32c import value as crc32c

from server.proto import snap_pb2
from server.raft.types import Snapshot
from server.storage.codec import WalPosition, decode_snapshot, encode_snapshot, parse
from server.storage.errors import CodecError, DamagedError, WriteFailedError, describe, reporting
from server.storage.files import REAL_FILES, Files, free_backup_name, write_new_file
from server.storage.wal import WAL

logger = logging.getLogger(__name__)

_SUFFIX = ".snap"


class SnapshotDir:
    """The ``snap`` directory of a member; it must exist. Names are ``TERM-INDEX.snap``, 16 hex digits each."""

    def __init__(self, directory: Path, *, files: Files = REAL_FILES) -> None:
        self.directory = directory
        self._files = files

    def save(self, snapshot: Snapshot) -> Path:
        """Writes the file under another name, syncs it, and gives it its own. Raises WriteFailedError.

        A failure leaves the directory as it was and may be tried again. What an earlier save that was cut short left
        is removed here and not at the start, where the log is not locked yet and the file may be another's.
        """
        path = self.directory / f"{snapshot.term:016x}-{snapshot.index:016x}{_SUFFIX}"
        try:
            for leftover in self.directory.glob(f"*{_SUFFIX}.tmp"):
                leftover.unlink()
            write_new_file(self._files, path, encode_snapshot_file(snapshot), 0o666)
        except OSError as error:
            raise WriteFailedError(f"cannot save the snapshot: {describe(error)}", path) from error
        return path

    def load_newest(self) -> Snapshot | None:
        """The newest snapshot that can be read, None when there is none. For the start of a member.

        Files that are damaged on the way to it are renamed to ``NAME.snap.broken`` (or ``.broken.2`` ...), as etcd
        does; nothing is deleted. Index and term are those of the content: the names only give the order.
        Raises StorageError when a file cannot be read or renamed at all.
        """
        for path in self._newest_first():
            try:
                return read_snapshot(path)
            except DamagedError as error:
                backup = free_backup_name(path)
                logger.warning("%s; it is now %s", error, backup.name)
                with reporting(f"rename to {backup.name}", path):
                    self._files.rename(path, backup)
        return None

    def _newest_first(self) -> list[Path]:
        with reporting("read the directory", self.directory):
            paths = sorted(self.directory.iterdir(), reverse=True)
        snapshots = []
        for path in paths:
            if path.name.endswith(_SUFFIX):
                snapshots.append(path)
            else:
                logger.warning("skipped unexpected non snapshot file %s", path.name)
        return snapshots


def persist_snapshot(wal: WAL, snapshots: SnapshotDir, snapshot: Snapshot) -> None:
    """Stores a snapshot, one's own or a leader's, in the only order that a start can make sense of.

    Marker in the log, then the .snap file, then the older segments are let go. A marker without a file is passed
    over at the next start; a file without a marker would stop it (``wal: snapshot not found``). With a snapshot
    received from a leader, call this before ``WAL.save`` gets the hard state and entries that came with it, for they
    lie beyond a gap that only the snapshot closes. Raises WriteFailedError.
    """
    wal.save_snapshot(WalPosition(snapshot.index, snapshot.term))
    snapshots.save(snapshot)
    wal.release(snapshot.index)


def read_snapshot(path: Path) -> Snapshot:
    """One .snap file. Raises DamagedError if it is not whole, StorageError if it cannot be read."""
    with reporting("read", path):
        raw = path.read_bytes()
    try:
        return decode_snapshot_file(raw)
    except CodecError as error:
        raise DamagedError(error.message, path) from error


def encode_snapshot_file(snapshot: Snapshot) -> bytes:
    data = encode_snapshot(snapshot)
    return snap_pb2.Snapshot(crc=crc32c(data), data=data).SerializeToString()


def decode_snapshot_file(raw: bytes) -> Snapshot:
    """The content of a .snap file. Raises CodecError with etcd's words for what is wrong."""
    if not raw:
        raise CodecError("snap: empty snapshot: the file is empty")
    envelope = parse(snap_pb2.Snapshot, raw, "snapshot file (corrupted snapshot file)")
    if not envelope.data or not envelope.crc:
        raise CodecError("snap: empty snapshot: it has no content or no checksum")
    if crc32c(envelope.data) != envelope.crc:
        raise CodecError("snap: crc mismatch: corrupted snapshot file")
    return decode_snapshot(envelope.data)
