"""The .snap files of etcd 3.x: those of 2.x, whose members may learn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from google_crc32c import value as crc32c

from server.proto import snap_pb2
from server.storage.errors import CodecError, DamagedError, reporting
from server.storage.etcd3.messages import Marker, SnapshotOf3x, decode_snapshot, encode_snapshot
from server.storage.snapshots import unwrapped

SUFFIX = ".snap"


@dataclass(slots=True)
class Chosen:
    """The snapshot that a start begins with, None if there is none, and its file; ``damaged`` are newer ones that
    cannot be read, which a start renames."""

    snapshot: SnapshotOf3x | None
    path: Path | None
    damaged: list[DamagedError]


def newest_of(directory: Path, markers: Collection[Marker]) -> Chosen:
    """The newest .snap file that one of the ``markers`` belongs to. Raises StorageError."""
    valid = {(marker.index, marker.term) for marker in markers}
    unreadable: list[DamagedError] = []
    with reporting("read the directory", directory):
        paths = sorted((path for path in directory.iterdir() if path.suffix == SUFFIX), reverse=True)
    for path in paths:
        try:
            snapshot = read_snapshot(path)
        except DamagedError as error:
            unreadable.append(error)
            continue
        if (snapshot.index, snapshot.term) in valid:
            return Chosen(snapshot, path, unreadable)
    return Chosen(None, None, unreadable)


def read_snapshot(path: Path) -> SnapshotOf3x:
    """Raises DamagedError, StorageError."""
    with reporting("read", path):
        raw = path.read_bytes()
    try:
        return decode_snapshot(unwrapped(raw))
    except CodecError as error:
        raise DamagedError(error.message, path) from error


def file_name(snapshot: SnapshotOf3x) -> str:
    return f"{snapshot.term:016x}-{snapshot.index:016x}{SUFFIX}"


def encode_file(snapshot: SnapshotOf3x) -> bytes:
    content = encode_snapshot(snapshot)
    return snap_pb2.Snapshot(crc=crc32c(content), data=content).SerializeToString()
