"""Segments of the log that this process has open and locked, and what a crash left of the newest."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from server.storage.errors import reporting
from server.storage.files import Files, free_backup_name, in_pieces, write_new_file
from server.storage.locks import lock_file
from server.storage.replay import Segment

logger = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class Held:
    """A segment this process has open and locked."""

    segment: Segment
    fd: int


def hold(segment: Segment) -> Held:
    """Opens a segment, locked until it is closed. Raises StorageError, LockedError."""
    with reporting("open", segment.path):
        fd = os.open(segment.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        with reporting("lock", segment.path):
            lock_file(fd, segment.path)
    except BaseException:
        os.close(fd)
        raise
    return Held(segment, fd)


def remove_unborn_segments(directory: Path, files: Files) -> None:
    """What a crash left while a segment was begun. With the newest one locked nobody can be at work on it."""
    for leftover in directory.glob("*.wal.tmp"):
        with reporting("remove", leftover):
            files.remove(leftover)
        logger.info("removed %s, a segment that was never begun", leftover)


def close_all(held: Iterable[Held]) -> None:
    """Closes them, and so drops their locks."""
    for one in held:
        os.close(one.fd)


def cut_torn_tail(held: Held, raw: bytes, size: int, how: str, files: Files) -> None:
    """Cuts off what a power cut left of a write, and keeps a copy. ``raw`` is the whole file, its first ``size`` bytes
    are good."""
    path = held.segment.path
    logger.warning("repairing %s", path)
    backup = free_backup_name(path)
    with reporting("repair", path):
        write_new_file(files, backup, in_pieces(raw), 0o600)
        files.truncate(held.fd, size)
        files.sync(held.fd)
    logger.warning("repaired WAL error (unexpected EOF)")
    logger.warning(
        "%s: %s, as a power cut leaves a write that was not acknowledged yet. What is behind byte %d (%d bytes) is cut "
        "off, and the file as it was is kept as %s",
        path,
        how,
        size,
        len(raw) - size,
        backup.name,
    )
