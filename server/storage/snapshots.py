"""The directory of ``.snap`` files: the key space at some index, under a checksum.

Knows the envelope, not the JSON inside. ``persist_snapshot`` and ``persist_received_snapshot`` are the orders in which
snapshots are stored; a running member takes the same steps from two threads (``server.node``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from google_crc32c import extend
from google_crc32c import value as crc32c

from server.proto import snap_pb2
from server.raft.limits import NO_ROOM
from server.raft.types import EMPTY_HARD_STATE, Entry, HardState, Snapshot
from server.storage.codec import WalPosition, decode_snapshot, encode_snapshot, parse
from server.storage.errors import (
    CodecError,
    DamagedError,
    OutOfRangeError,
    WriteFailedError,
    describe,
    reporting,
)
from server.storage.files import REAL_FILES, Files, free_backup_name, in_pieces, write_again, write_new_file
from server.storage.wal import WAL

logger = logging.getLogger(__name__)

_SUFFIX = ".snap"
_BATCH_BYTES = 256 * 1024
"""Bytes that are checksummed or written at a time, so that other threads get the interpreter in between."""


class SnapshotDir:
    """The ``snap`` directory of a member; it must exist. Names are ``TERM-INDEX.snap``, 16 hex digits each."""

    def __init__(self, directory: Path, *, files: Files = REAL_FILES) -> None:
        self.directory = directory
        self._files = files
        self._loaded: tuple[Path, int] | None = (
            None  # by load_newest, and the CRC-32C of the file as it was read
        )

    def save(self, snapshot: Snapshot, more: Sequence[bytes] = ()) -> Path:
        """Writes the file under another name, syncs it, and gives it its own. Raises WriteFailedError.

        The content is ``snapshot.data`` followed by the pieces of ``more``: a large key space need not be in
        one piece, and then no call here works on more than a piece at a time with other threads locked out.

        A failure leaves the directory as it was and may be tried again. What an earlier save that was cut short left
        is removed here and not at the start, where the log is not locked yet and the file may be another's.
        """
        path = self.directory / f"{snapshot.term:016x}-{snapshot.index:016x}{_SUFFIX}"
        try:
            for leftover in self.directory.glob(f"*{_SUFFIX}.tmp"):
                self._files.remove(leftover)
            write_new_file(self._files, path, _file_pieces(snapshot, more), 0o666)
        except OSError as error:
            raise WriteFailedError(f"cannot save the snapshot: {describe(error)}", path) from error
        return path

    def load_newest(self, *, leave_out_forged: bool = False) -> Snapshot | None:
        """The newest snapshot that can be read, None when there is none. For the start of a member.

        Files that are damaged on the way to it are renamed to ``NAME.snap.broken`` (or ``.broken.2`` ...), as etcd
        does; nothing is deleted. Index and term are those of the content: the names only give the order.
        Raises StorageError when a file cannot be read or renamed at all, and OutOfRangeError for one that a forged
        message left, unless those are left out like damaged ones.
        """
        for path in self._newest_first():
            try:
                return _decoded(self._noted(path), path)
            except DamagedError as error:
                if isinstance(error, OutOfRangeError) and not leave_out_forged:
                    raise
                with reporting("set aside", path):
                    backup = free_backup_name(path)
                    self._files.rename(path, backup)
                    self._files.sync_directory(self.directory)
                logger.warning("%s; it is now %s", error, backup.name)
        self._loaded = None
        return None

    def _noted(self, path: Path) -> bytes:
        raw = _content(path)
        self._loaded = (path, crc32c(raw))
        return raw

    def make_sure(self) -> None:
        """On return what ``load_newest`` returned is on disk, under its name, however the writer ended.

        To be called with the log locked, and before anything depends on the snapshot. Raises StorageError.
        """
        if self._loaded is None:
            return
        path, crc = self._loaded
        raw = _content(path)
        if crc32c(raw) != crc:
            raise DamagedError(
                "the snapshot is not what it was a moment ago: the disk gives back something else than it took, or "
                "something else writes here. Look after the disk, and start again",
                path,
            )
        with reporting("write again", path):
            write_again(self._files, path, in_pieces(raw))

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
    """Stores a snapshot that this member made, in the only order that a start can make sense of.

    1. The marker in the log, synced. A marker without a file is ignored at the next start; a file without a
       marker would stop it (``wal: snapshot not found``). The sync also carries the hard state written before it,
       so no .snap is ever beyond the commit index on disk.
    2. The .snap file.
    3. Only now are the older segments let go: until the new file is whole, a start needs the old one and all after.

    A member may go on with ``WAL.save`` between any two of these, from another thread, and so it does, for step 2 can
    take long: the log is then marker, entries beyond it, and perhaps further segments, and a start reads all that from
    the segment with the snapshot's entry on, whether it finds the new .snap or only the one before. One .snap
    is written at a time, though, whosever it is. Raises WriteFailedError.
    """
    wal.save_snapshot(WalPosition(snapshot.index, snapshot.term))
    snapshots.save(snapshot)
    wal.release(snapshot.index)


def persist_received_snapshot(
    wal: WAL,
    snapshots: SnapshotDir,
    snapshot: Snapshot,
    hard_state: HardState = EMPTY_HARD_STATE,
    entries: Sequence[Entry] = (),
) -> None:
    """Stores a snapshot that a leader sent, and the hard state and entries that came with it.

    1. A new segment with the new term and the marker, ``WAL.begin_behind``. A crash until then, or in step 2, and the
       next start finds the member as it was before, but for the term.
    2. The .snap file. From here on a start begins with it, and what was saved before counts no more.
    3. Hard state and entries, which lie beyond a gap that only the snapshot closes. If this is cut short, the
       snapshot's index counts as the commit index.
    4. The older segments are let go.

    Nothing else may be saved between the first and the third step, and none of it be answered to the leader before
    all are done. Raises WriteFailedError; ValueError for entries that do not begin right behind the snapshot.
    """
    wal.begin_behind(WalPosition(snapshot.index, snapshot.term), hard_state)
    snapshots.save(snapshot)
    wal.save(hard_state, entries)
    wal.release(snapshot.index)


def read_snapshot(path: Path) -> Snapshot:
    """One .snap file. Raises DamagedError if it is not whole, OutOfRangeError for one that nobody can have taken,
    StorageError if it cannot be read."""
    return _decoded(_content(path), path)


def _decoded(raw: bytes, path: Path) -> Snapshot:
    try:
        only = [raw]
        del raw  # it may be large, and who decodes it lets go of it as soon as it can
        snapshot = decode_snapshot_file(only.pop())
    except CodecError as error:
        raise DamagedError(error.message, path) from error
    for what, number in (("index", snapshot.index), ("term", snapshot.term)):
        if number >= NO_ROOM:
            raise OutOfRangeError(f"a snapshot of {what}", number, path)
    return snapshot


def _content(path: Path) -> bytes:
    with reporting("read", path):
        return path.read_bytes()


def encode_snapshot_file(snapshot: Snapshot) -> bytes:
    return b"".join(_file_pieces(snapshot, ()))


def _file_pieces(snapshot: Snapshot, more: Sequence[bytes]) -> Iterator[bytes]:
    """The file in pieces: a ``snappb.Snapshot`` with a ``raftpb.Snapshot`` in it with the content in it.

    Put together by hand, as both messages are no more than an envelope here and protobuf would copy the content
    twice and keep the interpreter to itself meanwhile.
    """
    content = [piece for piece in (snapshot.data, *more) if piece]
    size = sum(map(len, content))
    head = b"" if not size else _field(1, size)
    tail = encode_snapshot(Snapshot(snapshot.index, snapshot.term, snapshot.nodes, b""))
    crc = 0
    for piece in _batches([head, *content, tail]):
        crc = extend(crc, piece)
    outer = snap_pb2.Snapshot(crc=crc).SerializeToString() + _field(2, len(head) + size + len(tail))
    yield from _batches([outer, head, *content, tail])


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about _BATCH_BYTES, whether the ones given are smaller or larger."""
    batch: list[bytes] = []
    size = 0
    for piece in pieces:
        for start in range(0, len(piece), _BATCH_BYTES):
            part = piece[start : start + _BATCH_BYTES]
            batch.append(part)
            size += len(part)
            if size >= _BATCH_BYTES:
                yield b"".join(batch)
                batch.clear()
                size = 0
    if batch:
        yield b"".join(batch)


def _field(number: int, size: int) -> bytes:
    """What is written before ``size`` bytes of a length-delimited protobuf field."""
    encoded = bytearray([number << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def decode_snapshot_file(raw: bytes) -> Snapshot:
    """The content of a .snap file. Raises CodecError with etcd's words for what is wrong.

    It may be large, and protobuf copies it at each turn, so no form of it is kept longer than needed.
    """
    only = [raw]
    del raw
    return decode_snapshot(unwrapped(only.pop()))


def unwrapped(raw: bytes) -> bytes:
    """What is inside a .snap file's envelope and fits its checksum, a ``raftpb.Snapshot``. Raises CodecError."""
    if not raw:
        raise CodecError("snap: empty snapshot: the file is empty")
    envelope = parse(snap_pb2.Snapshot, raw, "snapshot file (corrupted snapshot file)")
    del raw
    content, crc = envelope.data, envelope.crc
    del envelope
    if not content or not crc:
        raise CodecError("snap: empty snapshot: it has no content or no checksum")
    if crc32c(content) != crc:
        raise CodecError("snap: crc mismatch: corrupted snapshot file")
    return content
